#include <curl/curl.h>

#include "base/text.h"
#include "io/http_transfer.h"
#include "io/uri.h"

namespace calve::io {
namespace {

bool IsRepeatable(const HttpRequest& request) {
  if (request.repeatable) return *request.repeatable;
  const std::string& method = request.method;
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE";
}

/// Whether the same request may fare better later. Where sending twice could do harm, only 429 is
/// sure to have done nothing.
bool MayAskAgain(int status, bool repeatable) {
  if (status == 429) return true;
  return repeatable && (status == 500 || status == 502 || status == 503 || status == 504);
}

/// The address that a redirect leads to, or nothing when `location` makes none.
std::optional<std::string> Resolve(const std::string& from, const std::string& location) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  char* text = nullptr;
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, from.c_str(), 0) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK ||
      curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) {
    return std::nullopt;
  }
  std::string resolved(text);
  curl_free(text);
  return resolved;
}

std::string HostOf(const std::string& url) {
  auto uri = ParseUri(url);
  if (!uri.ok()) return "";
  return ToLower(uri->scheme + "://" + uri->authority.substr(uri->authority.rfind('@') + 1));
}

/// Leave out what was meant for the first host alone.
void DropCredentials(HttpHeaders& headers) {
  std::erase_if(headers, [](const auto& header) {
    const std::string name = ToLower(header.first);
    return name == "authorization" || name == "cookie" || name == "proxy-authorization" ||
           name.find("key") != std::string::npos || name.find("token") != std::string::npos;
  });
}

class CurlHttpClient : public HttpClient {
 public:
  explicit CurlHttpClient(HttpClientOptions options)
      : options_(std::move(options)), connections_(options_) {}

  Result<HttpResponse> Send(const Context& context, const HttpRequest& request) override {
    return Follow(context, request, nullptr);
  }

  Result<HttpResponse> Download(const Context& context, const HttpRequest& request,
                                const BodySink& sink) override {
    return Follow(context, request, &sink);
  }

 private:
  Result<HttpResponse> Follow(const Context& context, HttpRequest request, const BodySink* sink) {
    for (int redirects = 0;; ++redirects) {
      CALVE_ASSIGN_OR_RETURN(HttpResponse response, SendWithRetries(context, request, sink));
      const int status = response.status;
      const bool redirected =
          status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
      const std::string location(response.Header("location"));
      const bool kept = request.method == "GET" || request.method == "HEAD" || status >= 307;
      if (!redirected || location.empty() || request.sign || !kept || !IsRepeatable(request)) {
        return response;
      }
      if (redirects >= options_.redirects_max) {
        return RefusedError(ShownUri(request.url) + " redirects for the " +
                            std::to_string(redirects + 1) + "th time; it leads in a circle");
      }
      CALVE_RETURN_IF_ERROR(Redirect(request, location));
      if (request.may_redirect) CALVE_RETURN_IF_ERROR(request.may_redirect(request.url));
    }
  }

  static Status Redirect(HttpRequest& request, const std::string& location) {
    const std::optional<std::string> target = Resolve(request.url, location);
    const std::string from = SchemeOf(request.url);
    const std::string to = target ? SchemeOf(*target) : "";
    if (!target || (to != from && !(from == "http" && to == "https"))) {
      return RefusedError(ShownUri(request.url) + " redirects to " +
                          Quote(ShownUri(target.value_or(location))) + ", which is no " + from +
                          " address; give the right address");
    }
    if (HostOf(*target) != HostOf(request.url)) DropCredentials(request.headers);
    request.url = *target;
    return Status::Ok();
  }

  Result<HttpResponse> SendWithRetries(const Context& context, const HttpRequest& request,
                                       const BodySink* sink) {
    const bool repeatable = IsRepeatable(request);
    std::optional<HttpResponse> last;  // a reply that asks us to come again
    std::chrono::milliseconds wait{0};
    bool again = false;
    const auto once = [&]() -> Result<HttpResponse> {
      last.reset();
      again = false;
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      if (wait.count() > 0) CALVE_RETURN_IF_ERROR(Sleep(context, wait));
      if (options_.before_try) CALVE_RETURN_IF_ERROR(options_.before_try(context));
      Transfer transfer = connections_.Perform(context, request, repeatable, sink);
      wait = transfer.retry_after;
      if (transfer.outcome.ok()) {
        if (!MayAskAgain(transfer.response.status, repeatable) ||
            wait > options_.retry_after_longest) {
          if (!request.check || !transfer.response.ok()) return std::move(transfer.response);
          Status judged = request.check(transfer.response);
          if (judged.ok()) return std::move(transfer.response);
          again = repeatable && judged.error().kind == ErrorKind::kTransient;
          return std::move(judged).error();
        }
        again = true;
        last = std::move(transfer.response);
        return TransientError("asked to come again");
      }
      const Error& error = transfer.outcome.error();
      const bool lost = transfer.sent && !repeatable && !transfer.delivered;
      if (lost) {
        return UnknownOutcomeError("it is not known whether " + request.method + " " +
                                   ShownUri(request.url) + " was carried out: " + error.message);
      }
      again = error.kind == ErrorKind::kTransient && !transfer.delivered;
      return error;
    };
    auto outcome = Retry(context, options_.retry, once, [&](const Error&) { return again; });
    if (!outcome.ok() && last) return *std::move(last);
    return outcome;
  }

  const HttpClientOptions options_;
  Connections connections_;
};

}  // namespace

std::unique_ptr<HttpClient> MakeHttpClient(HttpClientOptions options) {
  return std::make_unique<CurlHttpClient>(std::move(options));
}

}  // namespace calve::io
