#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "io/http.h"
#include "source/api/api_options.h"
#include "source/request_pace.h"
#include "source/web_address.h"

namespace calve::source::api {

/// Asks one service, signed in, not more often than it may be asked. Threads: any.
class ApiClient {
 public:
  /// `options` outlive it.
  explicit ApiClient(const ApiOptions& options);

  /// Ask for a whole JSON reply. `what` names it for people: "orders page 3". No secret of the
  /// options is in an error. Fails with kNotFound on 404 and 410, kTransient when all tries are used
  /// up, kRefused on any other refusal, kData on a reply that is no JSON.
  Result<io::HttpResponse> Ask(const Context& context, const std::string& what,
                               const std::string& url, const std::string& body);

 private:
  /// The token that counts now; another one than `refused`.
  Result<std::string> Token(const Context& context, const std::string& refused);
  /// Ask for a token, with token_mutex_ held.
  Result<std::string> RenewToken(const Context& context);
  Status SignIn(const Context& context, const std::string& refused, std::string* token,
                io::HttpRequest* request);
  Error Refusal(const std::string& what, const io::HttpRequest& request,
                const io::HttpResponse& response) const;
  /// A text of the service without what must not be shown.
  std::string Masked(std::string text, const io::HttpRequest& request) const;

  const ApiOptions& options_;
  RequestPace pace_;
  const std::unique_ptr<io::HttpClient> http_;

  std::mutex token_mutex_;
  std::string token_;
  Duration token_ends_{0};
};

}  // namespace calve::source::api
