#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/text.h"
#include "stream/webhook.h"

namespace calve::stream {
namespace {

using config::HubSpotVersion;

constexpr size_t kEventsMax = 100;

bool IsNear(std::string_view milliseconds, std::chrono::seconds tolerance, Timestamp now) {
  const std::optional<int64_t> time = ParseInteger(milliseconds);
  if (!time.has_value()) return false;
  const int64_t here = MillisSinceEpoch(now);
  const int64_t longest = std::chrono::milliseconds(tolerance).count();
  return *time <= here + longest && *time >= here - longest;
}

/// HubSpot, Validating requests: a request that has a v3 signature is judged by that alone, so that
/// nobody gets by with an older one beside it.
std::optional<HubSpotVersion> VersionOf(const http::Request& request) {
  if (!request.Header("X-HubSpot-Signature-v3").empty()) return HubSpotVersion::kV3;
  const std::string_view version = request.Header("X-HubSpot-Signature-Version");
  if (version == "v2") return HubSpotVersion::kV2;
  if (version == "v1" || version.empty()) return HubSpotVersion::kV1;
  return std::nullopt;
}

std::string Expected(HubSpotVersion version, const std::string& secret,
                     const http::Request& request, const std::string& address) {
  switch (version) {
    case HubSpotVersion::kV1:
      return ToHex(Sha256(secret + request.body));
    case HubSpotVersion::kV2:
      return ToHex(Sha256(secret + request.method + address + request.body));
    case HubSpotVersion::kV3:
      return ToBase64(
          HmacSha256(secret, request.method + DecodedAddress(address) + request.body +
                                 std::string(request.Header("X-HubSpot-Request-Timestamp"))));
  }
  return "";
}

bool IsGood(const config::HubSpotWebhookOptions& options, const http::Request& request,
            const std::string& address, Timestamp now) {
  const std::optional<HubSpotVersion> version = VersionOf(request);
  if (!version.has_value() || std::find(options.versions.begin(), options.versions.end(),
                                        *version) == options.versions.end())
    return false;
  const bool is_v3 = *version == HubSpotVersion::kV3;
  const std::string_view given =
      request.Header(is_v3 ? "X-HubSpot-Signature-v3" : "X-HubSpot-Signature");
  bool good = false;
  for (const std::string& secret : options.secrets)
    good |= SameSignature(given, Expected(*version, secret, request, address));
  return good &&
         (!is_v3 || IsNear(request.Header("X-HubSpot-Request-Timestamp"), options.tolerance, now));
}

std::string TextOf(const nlohmann::json& event, const char* key) {
  const auto found = event.find(key);
  if (found == event.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string TopicOf(const nlohmann::json& event, const std::string& subscription) {
  const std::string kind = subscription.starts_with("object.") ? TextOf(event, "objectTypeId") : "";
  if (subscription.starts_with("contact.") || kind == "0-1") return "hubspot.contacts";
  if (subscription.starts_with("company.") || kind == "0-2") return "hubspot.companies";
  return "hubspot.other";
}

/// HubSpot does not promise that an eventId is unique: what tells events of one id apart stands
/// beside it. None of it changes when a delivery is tried again.
std::string IdOf(const nlohmann::json& event, const std::string& subscription) {
  const std::string id = TextOf(event, "eventId");
  if (id.empty()) return "";
  return id + ":" + subscription + ":" + TextOf(event, "objectId") + ":" +
         TextOf(event, "occurredAt");
}

Event EventOf(const nlohmann::json& json, std::string body) {
  Event event{.provider = "hubspot",
              .webhook_topic = TextOf(json, "subscriptionType"),
              .body = std::move(body)};
  event.topic = TopicOf(json, event.webhook_topic);
  event.id = IdOf(json, event.webhook_topic);
  return event;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 32);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::string DecodedAddress(std::string_view address) {
  constexpr std::string_view kDecoded = ":/?@!$'()*,;";
  std::string decoded;
  for (size_t at = 0; at < address.size(); ++at) {
    if (address[at] == '%' && at + 2 < address.size()) {
      const int high = HexDigit(address[at + 1]);
      const int low = HexDigit(address[at + 2]);
      const auto c = static_cast<char>(high * 16 + low);
      if (high >= 0 && low >= 0 && kDecoded.find(c) != std::string_view::npos) {
        decoded += c;
        at += 2;
        continue;
      }
    }
    decoded += address[at];
  }
  return decoded;
}

Delivery ReadHubSpot(const config::HubSpotWebhookOptions& options, const http::Request& request,
                     const std::string& address, Timestamp now) {
  if (!IsGood(options, request, address, now)) return {.verdict = Delivery::Verdict::kBadSignature};
  const auto json = nlohmann::json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  const bool is_batch =
      json.is_array() && std::all_of(json.begin(), json.end(),
                                     [](const nlohmann::json& one) { return one.is_object(); });
  Delivery delivery;
  if (json.is_object()) {
    delivery.events.push_back(EventOf(json, request.body));
  } else if (!is_batch || json.size() > kEventsMax) {
    delivery = {.verdict = Delivery::Verdict::kUnreadable,
                .fault = "expected a JSON array of at most 100 events of HubSpot"};
  } else {
    std::vector<std::string> bodies = SplitArray(request.body);
    for (size_t i = 0; i < bodies.size(); ++i)
      delivery.events.push_back(EventOf(json[i], std::move(bodies[i])));
  }
  return delivery;
}

}  // namespace calve::stream
