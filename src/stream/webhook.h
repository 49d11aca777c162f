#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/project.h"
#include "http/server.h"

namespace calve::stream {

/// An event as it came: what a sink stores.
struct Event {
  std::string topic;          ///< Of the sink, such as shopify.orders.
  std::string provider;       ///< shopify, stripe, hubspot, generic.
  std::string webhook_topic;  ///< The provider's own word, such as orders/create.
  std::string id;             ///< By which a second delivery is known; empty: it has none.
  std::string body;           ///< JSON text as sent; of a batch, this event's part.
};

/// What a request at the door turned out to be.
struct Delivery {
  enum class Verdict { kGood, kBadSignature, kUnreadable };
  Verdict verdict = Verdict::kGood;
  std::string fault = {};  ///< Of kUnreadable: told to the sender, who has signed it.
  std::vector<Event> events = {};
};

/// The text of a webhook signed for `options` is judged first, then read. `now` is held against the
/// time in the signature.
Delivery ReadShopify(const config::ShopifyWebhookOptions& options, const http::Request& request);
Delivery ReadStripe(const config::StripeWebhookOptions& options, const http::Request& request,
                    Timestamp now);
/// `address` is the URL that HubSpot was given, with its query.
Delivery ReadHubSpot(const config::HubSpotWebhookOptions& options, const http::Request& request,
                     const std::string& address, Timestamp now);
Delivery ReadGeneric(const config::GenericWebhookOptions& options, const std::string& name,
                     const http::Request& request);

/// Base64 with padding (RFC 4648, section 4).
std::string ToBase64(std::string_view bytes);
/// Whether `given` is `expected`, in a time that does not tell how far they agree.
bool SameSignature(std::string_view given, std::string_view expected);
/// The texts of the values of a JSON array that is well formed, as they stand there.
std::vector<std::string> SplitArray(std::string_view array);
/// The URL as HubSpot signs it by v3: what it lists is decoded, the rest stays.
std::string DecodedAddress(std::string_view address);

}  // namespace calve::stream
