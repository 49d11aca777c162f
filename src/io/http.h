#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "base/retry.h"
#include "base/strong.h"

namespace calve::io {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// Sign a request as AWS Signature Version 4 says.
struct AwsSignature {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< "" when the credentials have none.
  std::string region;
  std::string service;  ///< s3, execute-api, glue ...
};

struct HttpResponse;

struct HttpRequest {
  std::string method = "GET";
  std::string url;  ///< Sent as given: percent sequences are neither added nor changed.
  HttpHeaders headers;
  std::string body;
  std::optional<AwsSignature> sign;

  /// Whether sending it twice does what sending it once does. Unset: GET, HEAD, OPTIONS, PUT and
  /// DELETE do.
  std::optional<bool> repeatable;
  /// For one try, from its start to the last byte; 0: none.
  std::chrono::milliseconds timeout{60'000};
  ByteCount response_bytes_max{64 << 20};  ///< A larger reply fails with kRefused.
  /// Look at a 2xx reply. kTransient: it is not whole, and is asked for again as after a failed
  /// transfer; any other error is returned. Empty: every reply will do. Only of Send.
  std::function<Status(const HttpResponse& response)> check;
  /// Asked with the whole address before a redirect is followed; its error ends the request. Empty:
  /// all are followed that HttpClient allows.
  std::function<Status(const std::string& url)> may_redirect = {};
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
  /// The first header of that name, in any case; "" when there is none.
  std::string_view Header(std::string_view name) const;
};

struct HttpClientOptions {
  std::string user_agent = "calve";
  std::chrono::milliseconds connect_timeout{10'000};
  /// A transfer that moves nothing for so long fails.
  std::chrono::milliseconds stall_timeout{60'000};
  /// A longer Retry-After is not waited for: the reply is returned.
  std::chrono::milliseconds retry_after_longest{60'000};
  RetryPolicy retry;
  int redirects_max = 5;
  /// Called before every try of every request; it may wait, for a limit of requests. Threads: any.
  std::function<Status(const Context& context)> before_try;
  std::string ca_file;  ///< Certificates to trust; "" takes the machine's.
};

/// Send HTTP requests. Threads: any; connections are kept and shared within one client.
///
/// A reply of any status is a reply, not an error: see HttpStatusError. Tried again, within
/// RetryPolicy: requests that are repeatable after a failed transfer and after 429, 500, 502, 503,
/// 504; others only when nothing was sent, and after 429. Retry-After is obeyed. Redirects stay
/// within http or https as they started (http to https is allowed), drop credentials when the host
/// changes, and are not followed by requests that are not repeatable. Proxies come from the
/// environment. Errors: kTransient (no reply; nothing was applied or it does no harm),
/// kUnknownOutcome (a request that is not repeatable was sent and no whole reply came), kRefused
/// (TLS, too large, too many redirects), kConfig (the URL), kStopped. Neither bodies, headers, user
/// information nor queries enter a message or the log.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  virtual Result<HttpResponse> Send(const Context& context, const HttpRequest& request) = 0;

  /// Send, and give the body of a 2xx reply to `sink` as it comes; other bodies are in the reply as
  /// usual.
  ///
  /// Once `sink` was called the request is not tried again. An error of `sink` ends the transfer
  /// and is returned.
  virtual Result<HttpResponse> Download(
      const Context& context, const HttpRequest& request,
      const std::function<Status(std::string_view bytes)>& sink) = 0;
};

/// Make a client over libcurl.
std::unique_ptr<HttpClient> MakeHttpClient(HttpClientOptions options = {});

/// The error for a reply that is not what was wanted: 404 and 410 kNotFound, 409 and 412 kConflict,
/// 408, 429 and 5xx kTransient, all others kRefused. `doing` starts the sentence; the body is not
/// shown.
Error HttpStatusError(std::string_view doing, const HttpRequest& request,
                      const HttpResponse& response);

/// Encode every byte but letters, digits and -._~ (and those in `keep`) as %XX.
std::string PercentEncode(std::string_view text, std::string_view keep = "");
/// Decode %XX; fails with kData on a cut or wrong sequence.
Result<std::string> PercentDecode(std::string_view text);

}  // namespace calve::io
