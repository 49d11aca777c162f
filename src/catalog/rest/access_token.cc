#include "catalog/rest/access_token.h"

#include <algorithm>

#include "base/text.h"
#include "iceberg/bytes.h"
#include "iceberg/json.h"
#include "io/uri.h"

namespace calve::catalog {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr size_t kSaidMax = 300;

void AddField(std::string& form, std::string_view name, std::string_view value) {
  form += (form.empty() ? "" : "&") + std::string(name) + "=" + io::PercentEncode(value);
}

void Erase(std::string& text, const std::string& secret) {
  constexpr size_t kWorthHiding = 4;
  if (secret.size() < kWorthHiding) return;
  for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "***");
  }
}

std::string SecretOf(const std::string& credential) {
  return credential.substr(credential.find(':') + 1);
}

/// What an OAuth2 server says of a refusal (RFC 6749, 5.2).
std::string WordsOf(const io::HttpResponse& response) {
  const auto json = iceberg::ParseJson(response.body);
  if (!json.ok() || !json->is_object()) return "";
  std::string words;
  for (const char* key : {"error", "error_description"}) {
    const auto found = json->find(key);
    if (found != json->end() && found->is_string())
      words += ": " + found->get<std::string>().substr(0, kSaidMax);
  }
  return words;
}

}  // namespace

std::optional<Timestamp> ExpiryOfJwt(std::string_view token) {
  const std::vector<std::string> parts = Split(token, '.');
  if (parts.size() != 3) return std::nullopt;
  std::string claims = parts[1];
  std::ranges::replace(claims, '-', '+');
  std::ranges::replace(claims, '_', '/');
  claims.append((4 - claims.size() % 4) % 4, '=');
  const std::optional<std::string> decoded = iceberg::FromBase64(claims);
  if (!decoded.has_value()) return std::nullopt;
  const auto json = iceberg::ParseJson(*decoded);
  if (!json.ok() || !json->is_object()) return std::nullopt;
  const auto expires = json->find("exp");
  if (expires == json->end() || !expires->is_number()) return std::nullopt;
  constexpr double kFarthest = 4e9;  // in seconds: the year 2096
  return Timestamp(
      seconds(static_cast<int64_t>(std::clamp(expires->get<double>(), 0.0, kFarthest))));
}

Timestamp RenewalTime(Timestamp now, Timestamp expires) {
  const Duration life = std::max<Duration>(expires - now, Duration(0));
  return expires - std::min<Duration>(life / 10, minutes(5));
}

std::string AccessToken::Redacted(std::string text) {
  std::lock_guard lock(mutex_);
  Erase(text, token_);
  Erase(text, settings_.token);
  Erase(text, settings_.credential);
  Erase(text, SecretOf(settings_.credential));
  return text;
}

std::optional<std::string> AccessToken::NextForm() const {
  std::string form;
  if (!settings_.credential.empty()) {
    AddField(form, "grant_type", "client_credentials");
    const size_t colon = settings_.credential.find(':');
    if (colon != std::string::npos)
      AddField(form, "client_id", settings_.credential.substr(0, colon));
    AddField(form, "client_secret", SecretOf(settings_.credential));
  } else if (settings_.token_exchange && !token_.empty()) {
    AddField(form, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
    AddField(form, "subject_token", token_);
    AddField(form, "subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
  } else {
    return std::nullopt;
  }
  AddField(form, "scope", settings_.scope);
  if (!settings_.audience.empty()) AddField(form, "audience", settings_.audience);
  if (!settings_.resource.empty()) AddField(form, "resource", settings_.resource);
  return form;
}

Status AccessToken::Fetch(const Context& context, const std::string& form) {
  io::HttpRequest request{.method = "POST",
                          .url = settings_.server_uri,
                          .headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                                      {"Accept", "application/json"}},
                          .body = form,
                          .sign = {},
                          .repeatable = true};
  if (settings_.credential.empty())
    request.headers.emplace_back("Authorization", "Bearer " + token_);
  const Timestamp asked = context.clock->Now();
  CALVE_ASSIGN_OR_RETURN(const io::HttpResponse response, http_->Send(context, request));
  if (!response.ok()) {
    Error error = io::HttpStatusError("cannot get a token", request, response);
    const bool passing = error.kind == ErrorKind::kTransient;
    std::string words = WordsOf(response);
    Erase(words, SecretOf(settings_.credential));
    Erase(words, token_);
    return Error{passing ? ErrorKind::kTransient : ErrorKind::kRefused, error.message + words};
  }
  const auto reply = [&]() -> Status {
    CALVE_ASSIGN_OR_RETURN(const iceberg::Json json, iceberg::ParseJson(response.body));
    CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(json, ""));
    CALVE_ASSIGN_OR_RETURN(std::string token, object.Text("access_token"));
    std::optional<Timestamp> expires = ExpiryOfJwt(token);
    const iceberg::Json* life = object.Find("expires_in");
    if (life != nullptr && life->is_number())
      expires = asked + seconds(std::clamp<int64_t>(life->get<int64_t>(), 0, 1'000'000'000));
    token_ = std::move(token);
    renew_at_ = expires.has_value() ? std::optional(RenewalTime(asked, *expires)) : std::nullopt;
    measured_ = true;
    return Status::Ok();
  }();
  if (reply.ok()) return reply;
  // What the reply holds may be secret: only its place is told.
  return DataError("the answer of " + io::ShownUri(settings_.server_uri) +
                   " is no token: expected JSON with access_token; is oauth2-server-uri right?");
}

Result<std::string> AccessToken::Now(const Context& context) {
  if (!settings_.is_used()) return std::string();
  std::lock_guard lock(mutex_);
  const Timestamp now = context.clock->Now();
  if (!measured_ && !token_.empty()) {
    const std::optional<Timestamp> expires = ExpiryOfJwt(token_);
    if (expires.has_value()) renew_at_ = RenewalTime(now, *expires);
    measured_ = true;
  }
  const bool due = token_.empty() || (renew_at_.has_value() && now >= *renew_at_);
  if (!due) return token_;
  const std::optional<std::string> form = NextForm();
  if (!form.has_value()) return token_;
  Status fetched = Fetch(context, *form);
  // A token that still holds for a while is better than none.
  if (!fetched.ok() && (token_.empty() || fetched.error().kind != ErrorKind::kTransient))
    return std::move(fetched).error();
  return token_;
}

Result<bool> AccessToken::Renew(const Context& context, const std::string& refused) {
  std::lock_guard lock(mutex_);
  if (token_ != refused) return true;  // another thread was here
  const std::optional<std::string> form = NextForm();
  if (!form.has_value()) return false;
  CALVE_RETURN_IF_ERROR(Fetch(context, *form));
  return true;
}

}  // namespace calve::catalog
