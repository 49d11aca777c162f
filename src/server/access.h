#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "config/project.h"

namespace calve::server {

using Right = config::CatalogRight;
std::string_view ToString(Right right);

/// Somebody who may use the catalog.
struct Client {
  std::string id;
  /// SHA-256 of the secret, which is sent as it is (bearer), or to get tokens (OAuth2 client
  /// credentials).
  std::string secret_digest;
  /// By namespace, dotted, which speaks for all below it; `*` for all that is not named.
  std::map<std::string, Right> rights;

  /// What holds in `ns`: what the longest namespace named says.
  Right RightIn(const catalog::Namespace& ns) const;
  /// Whether something at or below `ns` can be read: then the namespace is seen.
  bool Sees(const catalog::Namespace& ns) const;
};

/// Who is asking: knows the clients, makes tokens for them and reads them again. A token is a JWT
/// (HS256) signed with a key drawn from the client's secret: it needs no storage, outlives the
/// server, and is void once the secret is changed. Threads: any.
class Access {
 public:
  Access(std::vector<Client> clients, std::chrono::seconds token_lifetime)
      : clients_(std::move(clients)), token_lifetime_(token_lifetime) {}

  bool is_open() const { return clients_.empty(); }
  std::chrono::seconds token_lifetime() const { return token_lifetime_; }

  /// Nullptr when no client has this id and secret; without an id the secret alone counts.
  const Client* FindBySecret(std::string_view id, std::string_view secret) const;
  std::string IssueToken(const Client& client, Timestamp now) const;

  struct Bearer {
    const Client* client = nullptr;  ///< Null: the token is nobody's.
    bool expired = false;            ///< It was good once.
  };
  /// Whose token or secret this is.
  Bearer Read(std::string_view token, Timestamp now) const;

 private:
  std::vector<Client> clients_;
  std::chrono::seconds token_lifetime_;
};

}  // namespace calve::server
