#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "config/project.h"
#include "http/server.h"

namespace calve::stream {

/// A request as a provider would send it to the door.
struct SampleRequest {
  std::string path;
  http::Headers headers;
  std::string body;
  int events = 1;
};

/// Makes signed webhooks: orders and customers of Shopify, charges and customers of Stripe, contacts
/// and companies of HubSpot, with the fields that the providers publish. One seed makes the same
/// bodies again. For one thread.
class SampleWebhooks {
 public:
  /// Of the providers that have secrets in `options`; each request is signed with the first.
  /// `door` is the address that requests are sent to, which HubSpot signs.
  SampleWebhooks(config::WebhookDoorOptions options, std::string door, uint64_t seed);

  bool empty() const { return kinds_.empty(); }
  /// The next request: the kinds take turns. `now` is in the signature, `happened` in the body.
  SampleRequest Next(Timestamp now, Timestamp happened);

 private:
  enum class Kind {
    kShopifyOrder,
    kShopifyCustomer,
    kStripeCharge,
    kStripeCustomer,
    kHubSpotContact,
    kHubSpotCompany,
  };
  SampleRequest Shopify(Kind kind, Timestamp happened);
  SampleRequest Stripe(Kind kind, Timestamp now, Timestamp happened);
  SampleRequest HubSpot(Kind kind, Timestamp now, Timestamp happened);

  const config::WebhookDoorOptions options_;
  const std::string door_;
  Random random_;
  std::vector<Kind> kinds_;
  size_t turn_ = 0;
};

}  // namespace calve::stream
