#include "source/api/api_client.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/retry.h"
#include "base/text.h"
#include "source/api/reply.h"

namespace calve::source::api {
namespace {

using std::chrono::seconds;

constexpr size_t kReasonBytesMax = 200;
/// A token is renewed so long before it ends.
constexpr seconds kTokenMargin{30};

std::string Base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  for (size_t i = 0; i < text.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0U);
    for (size_t j = 0; j < 4; ++j)
      encoded += i + j > text.size() ? '=' : kDigits[bits >> (18 - 6 * j) & 63];
  }
  return encoded;
}

std::string Form(const Params& params) {
  std::string form = WithParams("", params);
  return form.empty() ? form : form.substr(1);
}

/// What a service says of a refusal, where its reply has a text for people.
std::string ReasonIn(std::string_view body) {
  if (!CheckWholeJson(body).ok()) return "";
  static const std::vector<std::vector<std::string>> kPlaces = {
      {"error", "message"}, {"message"}, {"detail"}, {"error_description"}, {"error"}, {"title"},
      {"errors"},           {"msg"}};
  for (const auto& place : kPlaces) {
    const auto value = FindJson(body, place);
    if (!value.has_value()) continue;
    std::string text = ScalarText(*value).value_or("");
    if (text.empty() && value->size() > 2 && (value->front() == '[' || value->front() == '{'))
      text = std::string(*value);
    if (!text.empty()) return text;
  }
  return "";
}

}  // namespace

ApiClient::ApiClient(const ApiOptions& options)
    : options_(options),
      pace_(options.requests_per_minute),
      http_(io::MakeHttpClient(
          {.retry_after_longest = options.retry_after_max,
           .retry = {.attempts_max = options.tries_max, .first = std::chrono::milliseconds(200)},
           .before_try = [this](const Context& context) { return pace_.Wait(context); }})) {}

std::string ApiClient::Masked(std::string text, const io::HttpRequest& request) const {
  std::vector<std::string> secrets = {options_.auth_config.password, options_.auth_config.token,
                                      options_.auth_config.key, options_.auth_config.client_secret};
  for (const auto& [name, value] : request.headers) {
    const std::string header = ToLower(name);
    if (header != "accept" && header != "content-type")
      secrets.push_back(value.substr(value.rfind(' ') + 1));
  }
  for (const std::string& secret : secrets) {
    if (secret.size() < 4) continue;
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
      text.replace(at, secret.size(), "***");
  }
  return text;
}

Error ApiClient::Refusal(const std::string& what, const io::HttpRequest& request,
                         const io::HttpResponse& response) const {
  Error error = io::HttpStatusError(what, request, response);
  std::string reason = Masked(ReasonIn(response.body), request);
  if (!reason.empty() && IsValidUtf8(reason)) {
    if (reason.size() > kReasonBytesMax) reason = reason.substr(0, kReasonBytesMax) + "...";
    error.message += "; the service says " + Quote(reason);
  }
  const std::string_view wait = response.Header("retry-after");
  if (response.status == 429 && !wait.empty())
    error.message += "; it is to be asked again after " + Quote(wait.substr(0, 40));
  return error;
}

Result<std::string> ApiClient::RenewToken(const Context& context) {
  const AuthConfig& auth = options_.auth_config;
  Params form = {{"grant_type", "client_credentials"}};
  if (!auth.scope.empty()) form.emplace_back("scope", auth.scope);
  for (const auto& [name, value] : auth.token_params) form.emplace_back(name, value);
  io::HttpRequest request{.method = "POST", .url = auth.token_url, .headers = {}, .body = {}};
  if (auth.client_in == ClientPlace::kHeader) {
    request.headers.emplace_back("Authorization",
                                 "Basic " + Base64(io::PercentEncode(auth.client_id) + ":" +
                                                   io::PercentEncode(auth.client_secret)));
  } else {
    form.emplace_back("client_id", auth.client_id);
    form.emplace_back("client_secret", auth.client_secret);
  }
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  request.headers.emplace_back("Accept", "application/json");
  request.body = Form(form);
  request.timeout = options_.timeout;
  // A token too many does no harm.
  request.repeatable = true;
  request.check = [](const io::HttpResponse& reply) { return CheckWholeJson(reply.body); };
  const std::string what = "get a token";
  Result<io::HttpResponse> reply = http_->Send(context, request);
  if (!reply.ok()) return While(what, std::move(reply).error());
  if (!reply->ok()) {
    // Nobody finds a job's input missing because its token is.
    Error error = Refusal(what, request, *reply);
    if (error.kind == ErrorKind::kNotFound) error.kind = ErrorKind::kRefused;
    return error;
  }
  const auto token = FindJson(reply->body, {"access_token"});
  const auto text = token.has_value() ? ScalarText(*token) : std::nullopt;
  if (!text.has_value() || text->empty()) {
    return RefusedError(what + ": the reply of token_url has no access_token; check token_url");
  }
  const auto lives = FindJson(reply->body, {"expires_in"});
  const auto lasts =
      lives.has_value() ? ParseInteger(ScalarText(*lives).value_or("")) : std::nullopt;
  token_ends_ = lasts.has_value() ? context.clock->Monotonic() + Duration(seconds(*lasts)) -
                                        Duration(kTokenMargin)
                                  : Duration::max();
  return *text;
}

Result<std::string> ApiClient::Token(const Context& context, const std::string& refused) {
  std::lock_guard lock(token_mutex_);
  const bool counts =
      !token_.empty() && token_ != refused && context.clock->Monotonic() < token_ends_;
  if (!counts) {
    CALVE_ASSIGN_OR_RETURN(token_, RenewToken(context));
  }
  return token_;
}

Status ApiClient::SignIn(const Context& context, const std::string& refused, std::string* token,
                         io::HttpRequest* request) {
  const AuthConfig& auth = options_.auth_config;
  switch (options_.auth_type) {
    case AuthType::kNone:
      return Status::Ok();
    case AuthType::kBasic:
      request->headers.emplace_back("Authorization",
                                    "Basic " + Base64(auth.username + ":" + auth.password));
      return Status::Ok();
    case AuthType::kBearer:
      request->headers.emplace_back("Authorization", "Bearer " + auth.token);
      return Status::Ok();
    case AuthType::kApiKey:
      if (auth.in == KeyPlace::kHeader) {
        request->headers.emplace_back(auth.name, auth.key);
      } else {
        request->url = WithParams(request->url, {{auth.name, auth.key}});
      }
      return Status::Ok();
    case AuthType::kOauth2: {
      CALVE_ASSIGN_OR_RETURN(*token, Token(context, refused));
      request->headers.emplace_back("Authorization", "Bearer " + *token);
      return Status::Ok();
    }
  }
  return Status::Ok();
}

Result<io::HttpResponse> ApiClient::Ask(const Context& context, const std::string& what,
                                        const std::string& url, const std::string& body) {
  std::string token;
  for (int round = 0;; ++round) {
    io::HttpRequest request{.method = options_.method == Method::kPost ? "POST" : "GET",
                            .url = url,
                            .headers = {options_.headers.begin(), options_.headers.end()},
                            .body = body};
    const auto has = [&](std::string_view name) {
      return std::any_of(options_.headers.begin(), options_.headers.end(),
                         [&](const auto& header) { return ToLower(header.first) == name; });
    };
    if (!has("accept")) request.headers.emplace_back("Accept", "application/json");
    if (!body.empty() && !has("content-type"))
      request.headers.emplace_back("Content-Type", "application/json");
    CALVE_RETURN_IF_ERROR(SignIn(context, std::string(token), &token, &request));
    request.repeatable = true;
    request.timeout = options_.timeout;
    request.check = [](const io::HttpResponse& reply) {
      return reply.status == 204 ? Status::Ok() : CheckWholeJson(reply.body);
    };
    Result<io::HttpResponse> reply = http_->Send(context, request);
    if (!reply.ok()) {
      Error error = While(what, std::move(reply).error());
      if (error.kind == ErrorKind::kTransient)
        error.message += "; see that base_url is right, and run again when the service is well";
      return error;
    }
    if (reply->ok()) return reply;
    const bool refused_token = reply->status == 401 && options_.auth_type == AuthType::kOauth2;
    if (!refused_token || round > 0) return Refusal(what, request, *reply);
  }
}

}  // namespace calve::source::api
