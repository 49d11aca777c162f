#include "io/http_transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/text.h"
#include "io/sigv4.h"
#include "io/uri.h"

namespace calve::io {
namespace {

constexpr size_t kIdleMax = 32;

/// What the callbacks of one transfer share.
struct Exchange {
  const Context& context;
  const HttpRequest& request;
  const BodySink* sink;
  CURL* handle;
  Transfer transfer;
  Status failed;            // a failure of our own that ended the transfer
  bool head_ended = false;  // curl takes a head that is cut short for a whole one
};

using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

/// Take one line of the reply's head. A status line starts afresh: interim replies and proxies send
/// some of their own.
size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line = Trim({data, size * count});
  const size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    exchange.transfer.response.headers.clear();
    exchange.head_ended = false;
  } else if (line.empty()) {
    exchange.head_ended = true;
  } else if (colon != std::string_view::npos) {
    exchange.transfer.response.headers.emplace_back(Trim(line.substr(0, colon)),
                                                    Trim(line.substr(colon + 1)));
  }
  return size * count;
}

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view bytes(data, size * count);
  long status = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.sink != nullptr && status >= 200 && status < 300) {
    exchange.transfer.delivered = true;
    exchange.failed = (*exchange.sink)(bytes);
    return exchange.failed.ok() ? bytes.size() : 0;
  }
  std::string& body = exchange.transfer.response.body;
  if (static_cast<int64_t>(body.size() + bytes.size()) >
      exchange.request.response_bytes_max.value()) {
    exchange.failed =
        RefusedError("the reply of " + ShownUri(exchange.request.url) + " is larger than " +
                     FormatBytes(exchange.request.response_bytes_max));
    return 0;
  }
  body += bytes;
  return bytes.size();
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->context.stop.stop_requested() ? 1 : 0;
}

bool HasHeader(const HttpHeaders& headers, std::string_view wanted) {
  return std::ranges::any_of(headers,
                             [&](const auto& header) { return ToLower(header.first) == wanted; });
}

HeaderList AllHeaders(const Context& context, const HttpRequest& request) {
  HttpHeaders headers = request.headers;
  if (request.sign) {
    const HttpHeaders signed_ones = SignatureHeaders(request, *request.sign, context.clock->Now());
    headers.insert(headers.end(), signed_ones.begin(), signed_ones.end());
  }
  // curl would add these by itself: a guess at the type, and a wait for leave to send the body.
  if (!HasHeader(headers, "content-type")) headers.emplace_back("Content-Type", "");
  headers.emplace_back("Expect", "");
  curl_slist* list = nullptr;
  for (const auto& [name, value] : headers) {
    // curl leaves out a header that ends in a colon and sends an empty one for a semicolon.
    const bool left_out = name == "Content-Type" || name == "Expect";
    const std::string line = value.empty() ? name + (left_out ? ":" : ";") : name + ": " + value;
    list = curl_slist_append(list, line.c_str());
  }
  return {list, &curl_slist_free_all};
}

/// Whether a header could end the head early and smuggle in another request.
bool AnyHeaderBreaks(const HttpHeaders& headers) {
  return std::ranges::any_of(headers, [](const auto& header) {
    return header.first.empty() || header.first.find_first_of("\r\n:") != std::string::npos ||
           header.first.find('\0') != std::string::npos ||
           header.second.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos;
  });
}

Status Check(const HttpRequest& request) {
  const std::string scheme = SchemeOf(request.url);
  if (scheme != "http" && scheme != "https") {
    return ConfigError("expected an http or https address, found " + Quote(ShownUri(request.url)));
  }
  if (AnyHeaderBreaks(request.headers)) {
    return ConfigError("a header for " + ShownUri(request.url) + " is empty or holds a line break");
  }
  return Status::Ok();
}

void SetMethod(CURL* handle, const HttpRequest& request) {
  if (request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.method == "GET" && request.body.empty()) {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
    return;
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

Error ErrorOf(CURLcode code, const Exchange& exchange, const char* details) {
  const std::string place = ShownUri(exchange.request.url);
  const std::string what = curl_easy_strerror(code);
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return ConfigError("expected an http or https address, found " + Quote(place) + ": " + what);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return RefusedError("the certificate of " + place +
                          " is not trusted: " + (*details == '\0' ? what : details));
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return TransientError("cannot reach " + place + ": " + (*details == '\0' ? what : details));
    default:
      return TransientError("no whole reply came from " + place + ": " + what);
  }
}

void Configure(Exchange& exchange, const HttpClientOptions& options, const std::string& ca_file,
               bool repeatable, char* details) {
  CURL* const handle = exchange.handle;
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, details);
  curl_easy_setopt(handle, CURLOPT_URL, exchange.request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, repeatable ? 0L : 1L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, options.user_agent.c_str());
  if (!ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file.c_str());
  const auto connect = std::max<int64_t>(1, options.connect_timeout.count());
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(exchange.request.timeout.count()));
  const auto stall = std::chrono::ceil<std::chrono::seconds>(options.stall_timeout);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(stall.count()));
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  // The reply may come compressed where nobody counts its bytes.
  const HttpHeaders& headers = exchange.request.headers;
  if (exchange.sink == nullptr && !exchange.request.sign && exchange.request.method != "HEAD" &&
      !HasHeader(headers, "range") && !HasHeader(headers, "accept-encoding")) {
    curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "gzip");
  }
  SetMethod(handle, exchange.request);
}

/// Certificates to trust: the caller's choice, else what the environment says as curl's own tool
/// takes it.
std::string CertificateFile(const HttpClientOptions& options) {
  if (!options.ca_file.empty()) return options.ca_file;
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

}  // namespace

Connections::Connections(const HttpClientOptions& options)
    : options_(options), ca_file_(CertificateFile(options)) {
  [[maybe_unused]] static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

Connections::~Connections() {
  for (void* handle : idle_) curl_easy_cleanup(handle);
}

void* Connections::Take() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      void* handle = idle_.back();
      idle_.pop_back();
      return handle;
    }
  }
  return curl_easy_init();
}

void Connections::GiveBack(void* handle) {
  curl_easy_reset(handle);  // keeps connections and names that were looked up
  {
    std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleMax) {
      idle_.push_back(handle);
      return;
    }
  }
  curl_easy_cleanup(handle);
}

Transfer Connections::Perform(const Context& context, const HttpRequest& request, bool repeatable,
                              const BodySink* sink) {
  Exchange exchange{context, request, sink, static_cast<CURL*>(Take()), {}, {}};
  Transfer& transfer = exchange.transfer;
  if (exchange.handle == nullptr) {
    transfer.outcome = RefusedError("libcurl could not start a transfer: out of memory");
    return transfer;
  }
  transfer.outcome = Check(request);
  if (!transfer.outcome.ok()) {
    GiveBack(exchange.handle);
    return transfer;
  }
  std::array<char, CURL_ERROR_SIZE> details{};
  Configure(exchange, options_, ca_file_, repeatable, details.data());
  const HeaderList headers = AllHeaders(context, request);
  curl_easy_setopt(exchange.handle, CURLOPT_HTTPHEADER, headers.get());

  const CURLcode code = curl_easy_perform(exchange.handle);
  long status = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
  long request_bytes = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_REQUEST_SIZE, &request_bytes);
  curl_off_t wait = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_RETRY_AFTER, &wait);
  transfer.response.status = static_cast<int>(status);
  transfer.sent = request_bytes > 0;
  transfer.retry_after = std::chrono::seconds(wait);
  if (!exchange.failed.ok()) {
    transfer.outcome = exchange.failed;
  } else if (code == CURLE_ABORTED_BY_CALLBACK) {
    transfer.outcome =
        StoppedError("stopped on request while waiting for " + ShownUri(request.url));
  } else if (code != CURLE_OK) {
    transfer.outcome = ErrorOf(code, exchange, details.data());
  } else if (!exchange.head_ended) {
    transfer.outcome = TransientError("no whole reply came from " + ShownUri(request.url) +
                                      ": its head ends in the middle");
  }
  GiveBack(exchange.handle);
  return transfer;
}

}  // namespace calve::io
