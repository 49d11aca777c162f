#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/context.h"
#include "catalog/rest/rest_options.h"
#include "io/http.h"

namespace calve::catalog {

/// The token that a catalog's requests carry: a given one, or one that an OAuth2 server gives for a
/// credential, renewed before it runs out. Threads: any; one fetches, the others wait for it.
class AccessToken {
 public:
  AccessToken(OAuth2Settings settings, std::shared_ptr<io::HttpClient> http)
      : settings_(std::move(settings)), http_(std::move(http)), token_(settings_.token) {}

  const OAuth2Settings& settings() const { return settings_; }

  /// The token to send now; "" when none is used. Fails as the OAuth2 server does: kRefused with its
  /// own words, kTransient, kStopped.
  Result<std::string> Now(const Context& context);
  /// The server did not take `refused`: get another one. False when there is no way to one.
  Result<bool> Renew(const Context& context, const std::string& refused);

  /// `text` without the token, the credential and its secret.
  std::string Redacted(std::string text);

 private:
  /// The form to send for the next token; nothing when there is no way to one. Holds mutex_.
  std::optional<std::string> NextForm() const;
  Status Fetch(const Context& context, const std::string& form);

  const OAuth2Settings settings_;
  const std::shared_ptr<io::HttpClient> http_;
  std::mutex mutex_;
  std::string token_;
  bool measured_ = false;              ///< Whether renew_at_ was computed for token_.
  std::optional<Timestamp> renew_at_;  ///< None: nobody knows when it runs out.
};

/// When a JSON Web Token says that it runs out, without trusting it otherwise; none when it is no
/// such token.
std::optional<Timestamp> ExpiryOfJwt(std::string_view token);
/// When to renew what was got at `now` and runs out at `expires`: a tenth of its life before, at
/// most five minutes.
Timestamp RenewalTime(Timestamp now, Timestamp expires);

}  // namespace calve::catalog
