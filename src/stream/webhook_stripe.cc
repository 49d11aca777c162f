#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/text.h"
#include "stream/webhook.h"

namespace calve::stream {
namespace {

/// Stripe-Signature: t=1492774577,v1=5257a869...,v1=...,v0=...
struct Signature {
  std::string_view time;
  std::vector<std::string_view> v1;
};

Signature Parse(std::string_view header) {
  Signature signature;
  while (!header.empty()) {
    const size_t comma = std::min(header.find(','), header.size());
    const std::string_view item = Trim(header.substr(0, comma));
    header.remove_prefix(std::min(comma + 1, header.size()));
    if (item.starts_with("t=")) signature.time = item.substr(2);
    if (item.starts_with("v1=")) signature.v1.push_back(item.substr(3));
  }
  return signature;
}

bool IsNear(std::string_view seconds, std::chrono::seconds tolerance, Timestamp now) {
  const std::optional<int64_t> time = ParseInteger(seconds);
  if (!time.has_value()) return false;
  const int64_t here = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  return *time <= here + tolerance.count() && *time >= here - tolerance.count();
}

bool IsSigned(const config::StripeWebhookOptions& options, const Signature& signature,
              const std::string& body) {
  const std::string text = std::string(signature.time) + "." + body;
  bool good = false;
  for (const std::string& secret : options.secrets) {
    const std::string expected = ToHex(HmacSha256(secret, text));
    for (const std::string_view given : signature.v1) good |= SameSignature(given, expected);
  }
  return good;
}

std::string TextAt(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The kind of thing that an event tells of: charge, customer ...
std::string ObjectOf(const nlohmann::json& event) {
  const auto data = event.find("data");
  if (data == event.end() || !data->is_object()) return "";
  const auto object = data->find("object");
  return object != data->end() && object->is_object() ? TextAt(*object, "object") : "";
}

}  // namespace

Delivery ReadStripe(const config::StripeWebhookOptions& options, const http::Request& request,
                    Timestamp now) {
  const Signature signature = Parse(request.Header("Stripe-Signature"));
  if (!IsSigned(options, signature, request.body) ||
      !IsNear(signature.time, options.tolerance, now))
    return {.verdict = Delivery::Verdict::kBadSignature};
  const auto json = nlohmann::json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return {.verdict = Delivery::Verdict::kUnreadable,
            .fault = "expected a JSON object, an event of Stripe"};
  }
  const std::string object = ObjectOf(json);
  Event event{.topic = "stripe.other",
              .provider = "stripe",
              .webhook_topic = TextAt(json, "type"),
              .id = TextAt(json, "id"),
              .body = request.body};
  if (object == "charge") event.topic = "stripe.charges";
  if (object == "customer") event.topic = "stripe.customers";
  return {.events = {std::move(event)}};
}

}  // namespace calve::stream
