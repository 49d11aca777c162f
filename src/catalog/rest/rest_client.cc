#include "catalog/rest/rest_client.h"

#include <algorithm>
#include <array>

#include "base/retry.h"
#include "base/text.h"
#include "iceberg/json.h"
#include "io/uri.h"

namespace calve::catalog {
namespace {

using std::chrono::milliseconds;

constexpr size_t kSaidMax = 1000;
constexpr ByteCount kReplyMax{int64_t{1} << 30};  // metadata with many snapshots is large
constexpr RetryPolicy kSameKey{};

/// Whether a change may have been applied although the server answered so (REST specification,
/// updateTable: 500, 502, 504; Java's client adds 503). 501 and 505 say that it never began.
bool SaysNothing(int status) { return status >= 500 && status != 501 && status != 505; }

Refusal RefusalOf(const io::HttpResponse& response) {
  Refusal refusal{.status = response.status, .type = "", .message = ""};
  const auto json = iceberg::ParseJson(response.body);
  if (!json.ok() || !json->is_object()) return refusal;
  const auto error = json->find("error");
  if (error == json->end() || !error->is_object()) return refusal;
  const auto text = [&](const char* key) {
    const auto found = error->find(key);
    return found != error->end() && found->is_string() ? found->get<std::string>() : "";
  };
  refusal.type = text("type");
  refusal.message = text("message").substr(0, kSaidMax);
  return refusal;
}

std::string Shown(const Refusal& refusal) {
  std::string said = "status " + std::to_string(refusal.status);
  if (!refusal.type.empty()) said += " " + refusal.type;
  if (!refusal.message.empty()) said += ": " + refusal.message;
  return said;
}

std::string_view AdviceFor(int status) {
  switch (status) {
    case 400:
      return "";
    case 401:
    case 419:
      return "; check token or credential";
    case 403:
      return "; check what the credentials may do";
    case 429:
    case 503:
      return "; try again later";
    case 501:
      return "; the server cannot do this";
    default:
      return "";
  }
}

}  // namespace

std::string NewUuidV7(Timestamp now, Random& random) {
  std::array<uint8_t, 16> uuid = NewUuid(random);
  const int64_t ms = MillisSinceEpoch(now);
  for (size_t i = 0; i < 6; ++i) uuid[i] = static_cast<uint8_t>(ms >> (8 * (5 - i)));
  uuid[6] = static_cast<uint8_t>((uuid[6] & 0x0f) | 0x70);
  return FormatUuid(uuid);
}

std::optional<milliseconds> ParseIsoDuration(std::string_view text) {
  if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
  text.remove_prefix(1);
  milliseconds total{0};
  bool in_time = false;
  while (!text.empty()) {
    if (text.front() == 'T' && !in_time) {
      in_time = true;
      text.remove_prefix(1);
      continue;
    }
    const size_t digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || digits > 9) return std::nullopt;
    const milliseconds number(*ParseInteger(text.substr(0, digits)));
    int64_t seconds = 0;
    switch (text[digits]) {
      case 'W':
        seconds = in_time ? 0 : 7 * 86400;
        break;
      case 'D':
        seconds = in_time ? 0 : 86400;
        break;
      case 'H':
        seconds = in_time ? 3600 : 0;
        break;
      case 'M':
        seconds = in_time ? 60 : 0;
        break;
      case 'S':
        seconds = in_time ? 1 : 0;
        break;
      default:
        break;
    }
    if (seconds == 0) return std::nullopt;
    total += number * 1000 * seconds;
    text.remove_prefix(digits + 1);
  }
  return total;
}

io::HttpRequest RestClient::Prepare(const RestRequest& request, const std::string& key,
                                    const std::string& token) const {
  io::HttpRequest sent{.method = request.method,
                       .url = settings_.uri + "/" + request.path,
                       .headers = request.headers,
                       .body = request.body,
                       .sign = settings_.sign};
  char before = '?';
  for (const auto& [name, value] : request.query) {
    sent.url += before + name + "=" + io::PercentEncode(value);
    before = '&';
  }
  sent.headers.emplace_back("Accept", "application/json");
  if (!request.body.empty()) sent.headers.emplace_back("Content-Type", "application/json");
  if (!key.empty()) sent.headers.emplace_back("Idempotency-Key", key);
  // A signature takes Authorization for itself: the token moves aside, as Java's client has it.
  if (!token.empty())
    sent.headers.emplace_back(settings_.sign ? "Original-Authorization" : "Authorization",
                              "Bearer " + token);
  for (const auto& [name, value] : settings_.headers) {
    const bool given = std::ranges::any_of(
        sent.headers, [&](const auto& header) { return ToLower(header.first) == ToLower(name); });
    if (!given) sent.headers.emplace_back(name, value);
  }
  sent.repeatable = !request.changes;
  sent.response_bytes_max = kReplyMax;
  return sent;
}

Result<Answer> RestClient::SendSigned(const Context& context, const RestRequest& request,
                                      const std::string& key, const std::string& token) {
  CALVE_ASSIGN_OR_RETURN(io::HttpResponse response,
                         http_->Send(context, Prepare(request, key, token)));
  Answer answer{.response = std::move(response), .refusal = std::nullopt};
  if (answer.response.ok() || answer.not_modified()) return answer;
  answer.refusal = RefusalOf(answer.response);
  answer.refusal->message = token_->Redacted(std::move(answer.refusal->message));
  const bool unknown =
      SaysNothing(answer.response.status) || answer.refusal->type == "CommitStateUnknownException";
  if (request.changes && unknown) {
    return UnknownOutcomeError("it is not known whether the server did " + request.doing +
                               ": it answered with " + Shown(*answer.refusal));
  }
  return answer;
}

Result<Answer> RestClient::SendOnce(const Context& context, const RestRequest& request,
                                    const std::string& key) {
  CALVE_ASSIGN_OR_RETURN(const std::string token, token_->Now(context));
  CALVE_ASSIGN_OR_RETURN(Answer answer, SendSigned(context, request, key, token));
  if (answer.response.status != 401 && answer.response.status != 419) return answer;
  if (token.empty()) return answer;
  CALVE_ASSIGN_OR_RETURN(const bool renewed, token_->Renew(context, token));
  if (!renewed) return answer;
  CALVE_ASSIGN_OR_RETURN(const std::string next, token_->Now(context));
  return SendSigned(context, request, key, next);
}

Result<Answer> RestClient::Send(const Context& context, const RestRequest& request) {
  const bool has_key = request.changes && key_lifetime_.has_value();
  if (!has_key) return SendOnce(context, request, "");
  const std::string key = NewUuidV7(context.clock->Now(), *context.random);
  const Duration begun = context.clock->Monotonic();
  return Retry(
      context, kSameKey, [&] { return SendOnce(context, request, key); },
      [&](const Error& error) {
        const bool in_time =
            context.clock->Monotonic() - begun + Duration(kSameKey.longest) < *key_lifetime_;
        return error.kind == ErrorKind::kUnknownOutcome && in_time && context.CheckStop().ok();
      });
}

Error RestClient::ErrorOf(const RestRequest& request, const Answer& answer) const {
  const Refusal& refusal = *answer.refusal;
  ErrorKind kind = ErrorKind::kRefused;
  if (refusal.status == 404) kind = ErrorKind::kNotFound;
  if (refusal.status == 409) kind = ErrorKind::kConflict;
  if (refusal.status == 429 || refusal.status == 408 || SaysNothing(refusal.status))
    kind = ErrorKind::kTransient;
  return {kind, "cannot " + request.doing + ": " + io::ShownUri(settings_.uri) + " answered with " +
                    Shown(refusal) + std::string(AdviceFor(refusal.status))};
}

}  // namespace calve::catalog
