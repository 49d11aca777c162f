#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/context.h"
#include "catalog/rest/access_token.h"
#include "catalog/rest/rest_options.h"
#include "io/http.h"

namespace calve::catalog {

/// One request to a catalog server.
struct RestRequest {
  std::string doing;  ///< What for, as messages say it: "load table a.b".
  std::string method = "GET";
  std::string path;  ///< Below the server's address: "v1/config".
  std::vector<std::pair<std::string, std::string>> query = {};
  io::HttpHeaders headers = {};
  std::string body = {};  ///< JSON; "" sends none.
  /// Whether it changes the catalog, so that it must not be sent twice, unless under one
  /// Idempotency-Key.
  bool changes = false;
};

/// Why a server said no: ErrorModel in the REST specification.
struct Refusal {
  int status = 0;
  std::string type;  ///< "NoSuchTableException"; may be empty.
  std::string message;
};

/// What a server answered: what was asked for, or a refusal after which nothing was applied.
struct Answer {
  io::HttpResponse response;
  std::optional<Refusal> refusal;

  bool ok() const { return !refusal.has_value(); }
  bool not_modified() const { return response.status == 304; }
  bool IsType(std::string_view type) const { return refusal.has_value() && refusal->type == type; }
};

/// Sends requests to one catalog server: signs them, renews the token once when it was not taken,
/// sends again what may be sent again. Threads: any.
class RestClient {
 public:
  RestClient(RestSettings settings, std::shared_ptr<AccessToken> token,
             std::shared_ptr<io::HttpClient> http)
      : settings_(std::move(settings)), token_(std::move(token)), http_(std::move(http)) {}

  const RestSettings& settings() const { return settings_; }
  /// For how long a change may be sent again under one Idempotency-Key; none: never. Before the
  /// first use by several threads.
  void set_key_lifetime(std::optional<std::chrono::milliseconds> lifetime) {
    key_lifetime_ = lifetime;
  }

  /// Send. Of a change whose outcome nobody knows (no whole reply, 5xx, CommitStateUnknownException)
  /// it fails with kUnknownOutcome; where nothing was applied and the same may do later with
  /// kTransient; else as io::HttpClient and AccessToken do.
  Result<Answer> Send(const Context& context, const RestRequest& request);

  /// The error of a refusal: 404 kNotFound, 409 kConflict, 429 and 5xx kTransient, all others
  /// kRefused; with the server's message, type and status.
  Error ErrorOf(const RestRequest& request, const Answer& answer) const;

 private:
  Result<Answer> SendOnce(const Context& context, const RestRequest& request,
                          const std::string& key);
  Result<Answer> SendSigned(const Context& context, const RestRequest& request,
                            const std::string& key, const std::string& token);
  io::HttpRequest Prepare(const RestRequest& request, const std::string& key,
                          const std::string& token) const;

  const RestSettings settings_;
  const std::shared_ptr<AccessToken> token_;
  const std::shared_ptr<io::HttpClient> http_;
  std::optional<std::chrono::milliseconds> key_lifetime_;
};

/// A time-ordered UUID (RFC 9562, version 7), as the REST specification wants Idempotency-Keys.
std::string NewUuidV7(Timestamp now, Random& random);
/// Read an ISO 8601 duration of days, hours, minutes and seconds, such as PT30M; none when it is
/// not one.
std::optional<std::chrono::milliseconds> ParseIsoDuration(std::string_view text);

}  // namespace calve::catalog
