#include <algorithm>
#include <array>

#include "base/digest.h"
#include "stream/webhook.h"

namespace calve::stream {
namespace {

/// The topics whose bodies are an Order or a Customer. Others of these names (orders/edited,
/// customers/redact) carry something else.
constexpr std::array<std::string_view, 7> kOrders = {
    "orders/create",    "orders/updated",   "orders/paid",
    "orders/cancelled", "orders/fulfilled", "orders/partially_fulfilled",
    "orders/delete"};
constexpr std::array<std::string_view, 5> kCustomers = {"customers/create", "customers/update",
                                                        "customers/enable", "customers/disable",
                                                        "customers/delete"};

std::string TopicOf(std::string_view webhook_topic) {
  const auto is = [&](std::string_view one) { return one == webhook_topic; };
  if (std::any_of(kOrders.begin(), kOrders.end(), is)) return "shopify.orders";
  if (std::any_of(kCustomers.begin(), kCustomers.end(), is)) return "shopify.customers";
  return "shopify.other";
}

constexpr std::string_view kPath = "/webhooks/shopify/";

}  // namespace

Delivery ReadShopify(const config::ShopifyWebhookOptions& options, const http::Request& request) {
  const std::string_view given = request.Header("X-Shopify-Hmac-Sha256");
  bool good = false;
  for (const std::string& secret : options.secrets)
    good |= SameSignature(given, ToBase64(HmacSha256(secret, request.body)));
  if (!good) return {.verdict = Delivery::Verdict::kBadSignature};
  Event event{.provider = "shopify", .body = request.body};
  event.webhook_topic = request.Header("X-Shopify-Topic");
  if (event.webhook_topic.empty() && request.path.size() > kPath.size())
    event.webhook_topic = request.path.substr(kPath.size());
  event.topic = TopicOf(event.webhook_topic);
  event.id = request.Header("X-Shopify-Webhook-Id");
  if (event.id.empty()) {
    // One action of a merchant may be told by several topics, and of several things.
    const std::string_view action = request.Header("X-Shopify-Event-Id");
    if (!action.empty())
      event.id = std::string(action) + ":" + event.webhook_topic + ":" +
                 ToHex(Sha256(request.body)).substr(0, 16);
  }
  return {.events = {std::move(event)}};
}

}  // namespace calve::stream
