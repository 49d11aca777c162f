#include "stream/sample_webhooks.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/digest.h"
#include "base/text.h"
#include "stream/webhook.h"

namespace calve::stream {
namespace {

using Json = nlohmann::ordered_json;

struct Person {
  std::string first;
  std::string last;
  std::string email;
  std::string phone;
};

struct City {
  std::string_view name;
  std::string_view province;
  std::string_view province_code;
  std::string_view country;
  std::string_view country_code;
  std::string_view zip;
};

constexpr std::array<std::string_view, 10> kFirst = {
    "Ada", "Grace", "Linus", "Barbara", "Edsger", "Radia", "Alan", "Frances", "Margaret", "Hedy"};
constexpr std::array<std::string_view, 10> kLast = {"Moreau",  "Okafor",  "Lindqvist", "Tanaka",
                                                    "Silva",   "Novak",   "Haddad",    "Castillo",
                                                    "Eriksen", "Banerjee"};
constexpr std::array<City, 4> kCities = {{
    {"Ottawa", "Ontario", "ON", "Canada", "CA", "K2P0V6"},
    {"Portland", "Oregon", "OR", "United States", "US", "97205"},
    {"Austin", "Texas", "TX", "United States", "US", "78701"},
    {"Calgary", "Alberta", "AB", "Canada", "CA", "T2P1J9"},
}};
constexpr std::array<std::string_view, 5> kGoods = {"Wool blanket", "Enamel mug", "Oak stool",
                                                    "Linen apron", "Brass lamp"};
constexpr std::array<std::string_view, 3> kTags = {"", "vip", "wholesale"};

template <typename T, size_t N>
const T& Pick(Random& random, const std::array<T, N>& from) {
  return from[random.Below(N)];
}

/// People come back, so that the same one is met at several providers.
Person PersonOf(Random& random) {
  const uint64_t number = random.Below(5000);
  Person person{.first = std::string(kFirst[number % kFirst.size()]),
                .last = std::string(kLast[number / kFirst.size() % kLast.size()])};
  person.email =
      ToLower(person.first) + "." + ToLower(person.last) + std::to_string(number) + "@example.com";
  person.phone = fmt::format("+1613555{:04}", number);
  return person;
}

std::string Money(int64_t cents) { return fmt::format("{}.{:02}", cents / 100, cents % 100); }

std::string Letters(Random& random, size_t count) {
  constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string text;
  for (size_t i = 0; i < count; ++i) text += kLetters[random.Below(kLetters.size())];
  return text;
}

int64_t BigId(Random& random) {
  return static_cast<int64_t>(1'000'000'000'000 + random.Below(9'000'000'000'000));
}

/// RFC 3339 without fractions, as Shopify writes it.
std::string Seconds(Timestamp time) { return FormatTimestamp(time).substr(0, 19) + "+00:00"; }

Json AddressOf(Random& random, const Person& person) {
  const City& city = Pick(random, kCities);
  return {{"first_name", person.first},
          {"last_name", person.last},
          {"name", person.first + " " + person.last},
          {"company", nullptr},
          {"address1", std::to_string(1 + random.Below(900)) + " Elm Street"},
          {"address2", nullptr},
          {"city", city.name},
          {"province", city.province},
          {"province_code", city.province_code},
          {"country", city.country},
          {"country_code", city.country_code},
          {"zip", city.zip},
          {"phone", person.phone}};
}

Json ShopifyCustomerOf(Random& random, const Person& person, Timestamp happened) {
  const int64_t id = BigId(random);
  return {{"id", id},
          {"admin_graphql_api_id", fmt::format("gid://shopify/Customer/{}", id)},
          {"email", person.email},
          {"created_at", Seconds(happened - std::chrono::hours(random.Below(10'000)))},
          {"updated_at", Seconds(happened)},
          {"first_name", person.first},
          {"last_name", person.last},
          {"orders_count", random.Below(20)},
          {"state", random.Below(2) == 0 ? "enabled" : "disabled"},
          {"total_spent", Money(static_cast<int64_t>(random.Below(500'000)))},
          {"last_order_id", nullptr},
          {"note", nullptr},
          {"verified_email", true},
          {"tax_exempt", false},
          {"tags", Pick(random, kTags)},
          {"currency", "USD"},
          {"phone", person.phone},
          {"default_address", AddressOf(random, person)}};
}

Json ShopifyOrderOf(Random& random, Timestamp happened) {
  const Person person = PersonOf(random);
  const int64_t id = BigId(random);
  Json items = Json::array();
  int64_t subtotal = 0;
  for (uint64_t count = 1 + random.Below(3); count > 0; --count) {
    const auto price = static_cast<int64_t>(500 + random.Below(20'000));
    const auto quantity = static_cast<int64_t>(1 + random.Below(3));
    subtotal += price * quantity;
    items.push_back({{"id", BigId(random)},
                     {"product_id", BigId(random)},
                     {"title", Pick(random, kGoods)},
                     {"quantity", quantity},
                     {"price", Money(price)},
                     {"sku", Letters(random, 8)},
                     {"taxable", true},
                     {"total_discount", "0.00"}});
  }
  const int64_t tax = subtotal * 13 / 100;
  const uint64_t number = 1 + random.Below(900'000);
  const bool is_paid = random.Below(5) > 0;
  Json order = {{"id", id},
                {"admin_graphql_api_id", fmt::format("gid://shopify/Order/{}", id)},
                {"email", person.email},
                {"name", fmt::format("#{}", number + 1000)},
                {"number", number},
                {"order_number", number + 1000},
                {"total_price", Money(subtotal + tax)},
                {"subtotal_price", Money(subtotal)},
                {"total_tax", Money(tax)},
                {"total_discounts", "0.00"},
                {"total_line_items_price", Money(subtotal)},
                {"currency", "USD"},
                {"financial_status", is_paid ? "paid" : "pending"}};
  order["fulfillment_status"] = random.Below(2) == 0 ? Json("fulfilled") : Json(nullptr);
  order["customer"] = ShopifyCustomerOf(random, person, happened);
  order["line_items"] = std::move(items);
  order["shipping_address"] = AddressOf(random, person);
  order["billing_address"] = AddressOf(random, person);
  order["created_at"] = Seconds(happened);
  order["updated_at"] = Seconds(happened);
  return order;
}

Json StripeChargeOf(Random& random, const Person& person, int64_t created) {
  const auto amount = static_cast<int64_t>(500 + random.Below(100'000));
  return {{"id", "ch_" + Letters(random, 24)},
          {"object", "charge"},
          {"amount", amount},
          {"amount_captured", amount},
          {"amount_refunded", 0},
          {"balance_transaction", "txn_" + Letters(random, 24)},
          {"billing_details",
           {{"address", nullptr},
            {"email", person.email},
            {"name", person.first + " " + person.last},
            {"phone", person.phone}}},
          {"captured", true},
          {"created", created},
          {"currency", "usd"},
          {"customer", "cus_" + Letters(random, 14)},
          {"description", nullptr},
          {"disputed", false},
          {"failure_code", nullptr},
          {"failure_message", nullptr},
          {"invoice", nullptr},
          {"livemode", false},
          {"metadata", Json::object()},
          {"paid", true},
          {"payment_intent", "pi_" + Letters(random, 24)},
          {"payment_method", "pm_" + Letters(random, 24)},
          {"receipt_email", person.email},
          {"refunded", false},
          {"status", "succeeded"}};
}

Json StripeCustomerOf(Random& random, const Person& person, int64_t created) {
  return {{"id", "cus_" + Letters(random, 14)},
          {"object", "customer"},
          {"address", nullptr},
          {"balance", 0},
          {"created", created},
          {"currency", "usd"},
          {"default_source", nullptr},
          {"delinquent", false},
          {"description", nullptr},
          {"email", person.email},
          {"invoice_prefix", Letters(random, 8)},
          {"livemode", false},
          {"metadata", Json::object()},
          {"name", person.first + " " + person.last},
          {"phone", person.phone},
          {"preferred_locales", Json::array()},
          {"shipping", nullptr},
          {"tax_exempt", "none"}};
}

/// What HubSpot tells of one change: which property, not the whole thing.
Json HubSpotEventOf(Random& random, bool is_contact, Timestamp happened) {
  const Person person = PersonOf(random);
  const bool is_creation = random.Below(3) == 0;
  const std::string kind = is_contact ? "contact" : "company";
  Json event = {{"eventId", 1 + random.Below(4'000'000'000)},
                {"subscriptionId", 100'000 + random.Below(10)},
                {"portalId", 62515},
                {"appId", 54321},
                {"occurredAt", MillisSinceEpoch(happened)},
                {"subscriptionType", kind + (is_creation ? ".creation" : ".propertyChange")},
                {"attemptNumber", 0},
                {"objectId", 1 + random.Below(1'000'000)}};
  if (is_creation) {
    event["changeFlag"] = "NEW";
  } else if (is_contact) {
    event["propertyName"] = "email";
    event["propertyValue"] = person.email;
  } else {
    event["propertyName"] = "name";
    event["propertyValue"] = person.last + " Ltd";
  }
  event["changeSource"] = "CRM";
  return event;
}

}  // namespace

SampleWebhooks::SampleWebhooks(config::WebhookDoorOptions options, std::string door, uint64_t seed)
    : options_(std::move(options)), door_(std::move(door)), random_(seed) {
  if (options_.shopify.is_on())
    kinds_.insert(kinds_.end(), {Kind::kShopifyOrder, Kind::kShopifyCustomer});
  if (options_.stripe.is_on())
    kinds_.insert(kinds_.end(), {Kind::kStripeCharge, Kind::kStripeCustomer});
  if (options_.hubspot.is_on())
    kinds_.insert(kinds_.end(), {Kind::kHubSpotContact, Kind::kHubSpotCompany});
}

SampleRequest SampleWebhooks::Next(Timestamp now, Timestamp happened) {
  const Kind kind = kinds_[turn_++ % kinds_.size()];
  switch (kind) {
    case Kind::kShopifyOrder:
    case Kind::kShopifyCustomer:
      return Shopify(kind, happened);
    case Kind::kStripeCharge:
    case Kind::kStripeCustomer:
      return Stripe(kind, now, happened);
    case Kind::kHubSpotContact:
    case Kind::kHubSpotCompany:
      return HubSpot(kind, now, happened);
  }
  return {};
}

SampleRequest SampleWebhooks::Shopify(Kind kind, Timestamp happened) {
  const bool is_order = kind == Kind::kShopifyOrder;
  const Json json = is_order ? ShopifyOrderOf(random_, happened)
                             : ShopifyCustomerOf(random_, PersonOf(random_), happened);
  SampleRequest request{
      .path = is_order ? "/webhooks/shopify/orders/create" : "/webhooks/shopify/customers/create",
      .body = json.dump()};
  request.headers = {{"X-Shopify-Topic", is_order ? "orders/create" : "customers/create"},
                     {"X-Shopify-Shop-Domain", "calve-sample.myshopify.com"},
                     {"X-Shopify-API-Version", "2025-01"},
                     {"X-Shopify-Webhook-Id", NewUuidString(random_)},
                     {"X-Shopify-Event-Id", NewUuidString(random_)},
                     {"X-Shopify-Triggered-At", FormatTimestamp(happened)},
                     {"X-Shopify-Hmac-Sha256",
                      ToBase64(HmacSha256(options_.shopify.secrets.front(), request.body))}};
  return request;
}

SampleRequest SampleWebhooks::Stripe(Kind kind, Timestamp now, Timestamp happened) {
  const auto seconds = [](Timestamp time) -> int64_t {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  };
  const bool is_charge = kind == Kind::kStripeCharge;
  const Person person = PersonOf(random_);
  const int64_t created = seconds(happened);
  const Json json = {{"id", "evt_" + Letters(random_, 24)},
                     {"object", "event"},
                     {"api_version", "2024-06-20"},
                     {"created", created},
                     {"data",
                      {{"object", is_charge ? StripeChargeOf(random_, person, created)
                                            : StripeCustomerOf(random_, person, created)}}},
                     {"livemode", false},
                     {"pending_webhooks", 1},
                     {"request", {{"id", nullptr}, {"idempotency_key", nullptr}}},
                     {"type", is_charge ? "charge.succeeded" : "customer.created"}};
  SampleRequest request{.path = "/webhooks/stripe", .body = json.dump()};
  const std::string time = std::to_string(seconds(now));
  request.headers = {
      {"Stripe-Signature",
       "t=" + time +
           ",v1=" + ToHex(HmacSha256(options_.stripe.secrets.front(), time + "." + request.body))}};
  return request;
}

SampleRequest SampleWebhooks::HubSpot(Kind kind, Timestamp now, Timestamp happened) {
  constexpr uint64_t kEventsMax = 10;
  Json events = Json::array();
  for (uint64_t count = 1 + random_.Below(kEventsMax); count > 0; --count)
    events.push_back(HubSpotEventOf(random_, kind == Kind::kHubSpotContact, happened));
  SampleRequest request{.path = "/webhooks/hubspot",
                        .body = events.dump(),
                        .events = static_cast<int>(events.size())};
  const std::string time = std::to_string(MillisSinceEpoch(now));
  const std::string signed_text =
      "POST" + DecodedAddress(door_ + request.path) + request.body + time;
  request.headers = {{"X-HubSpot-Request-Timestamp", time},
                     {"X-HubSpot-Signature-v3",
                      ToBase64(HmacSha256(options_.hubspot.secrets.front(), signed_text))}};
  return request;
}

}  // namespace calve::stream
