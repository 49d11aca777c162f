#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "catalog/rest/table_reply.h"
#include "io/registry.h"

namespace calve::catalog {

/// How a server lets a client at a table's files.
struct Grant {
  /// Of the table; only its storage keys count. None: as before, but for what is secret in it.
  std::optional<std::map<std::string, std::string>> config;
  std::vector<StorageCredential> credentials;

  /// Storage keys for what lies at `address`: those of the table under those of the longest prefix
  /// that is above it (REST specification, StorageCredential).
  io::Properties For(const std::string& address) const;
  bool is_empty() const;
};

/// What one table's server grants, fetched again before it runs out or when the storage does not
/// take it. Threads: any; one fetches, the others wait for it.
class TableAccess : public std::enable_shared_from_this<TableAccess> {
 public:
  using Fetch = std::function<Result<Grant>(const Context& context)>;

  explicit TableAccess(Fetch fetch) : fetch_(std::move(fetch)) {}

  /// Take what came along with the table. One that still holds for long stays, so that storage is
  /// not opened anew each time.
  void Offer(const Context& context, Grant grant);
  /// The properties of one place; the same object each time.
  std::shared_ptr<io::LiveProperties> At(const std::string& address);
  /// The prefixes below `folder` that have credentials of their own.
  std::vector<std::string> PrefixesBelow(const std::string& folder) const;

 private:
  class Place;
  using PropertiesPtr = std::shared_ptr<const io::Properties>;

  Result<PropertiesPtr> Now(const Context& context, const std::string& address);
  Result<PropertiesPtr> Renew(const Context& context, const std::string& address,
                              const PropertiesPtr& refused);
  /// These hold mutex_.
  PropertiesPtr PropertiesOf(const std::string& address);
  Status FetchNow(const Context& context);
  void Take(Timestamp now, Grant grant);

  const Fetch fetch_;
  mutable std::mutex mutex_;
  Grant grant_;
  std::optional<Timestamp> expires_;
  std::optional<Timestamp> renew_at_;
  std::map<std::string, PropertiesPtr> by_address_;
  std::map<std::string, std::weak_ptr<Place>> places_;  ///< A place holds this object.
};

}  // namespace calve::catalog
