#include "stream/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "inbox/reader.h"
#include "io/http.h"
#include "io/test_folder.h"
#include "stream/event_window.h"
#include "stream/inbox_sink.h"

namespace calve::stream {
namespace {

using testing::ElementsAre;
using Headers = io::HttpHeaders;

constexpr int64_t kNow = 1'790'000'000;

/// A door over an inbox in a folder of the test's, and a client of it.
class DoorTest : public testing::Test {
 protected:
  DoorTest() {
    options.host = "127.0.0.1";
    options.port = 0;
    options.shopify.secrets = {"shop"};
    options.stripe.secrets = {"whsec_old", "whsec_new"};
    options.hubspot.secrets = {"hub"};
    config::GenericWebhookOptions github;
    github.secrets = {"git"};
    github.header = "X-Hub-Signature-256";
    github.prefix = "sha256=";
    github.id_header = "X-GitHub-Delivery";
    options.generic["github"] = github;
  }

  void Open() {
    door.reset();
    auto sink = InboxSink::Open(folder.At("inbox"));
    ASSERT_TRUE(sink.ok()) << sink.status().error().message;
    auto started = Door::Start(*context, options, *std::move(sink));
    ASSERT_TRUE(started.ok()) << started.status().error().message;
    door = *std::move(started);
  }

  io::HttpResponse Send(const std::string& method, const std::string& path, const std::string& body,
                        const Headers& headers) {
    const OwnedContext own;
    io::HttpRequest request{.method = method,
                            .url = "http://127.0.0.1:" + std::to_string(door->port()) + path,
                            .headers = headers,
                            .body = body};
    const auto client = io::MakeHttpClient({.retry = {.attempts_max = 1}});
    const Result<io::HttpResponse> response = client->Send(*own, request);
    EXPECT_TRUE(response.ok()) << response.status().error().message;
    return response.ok() ? *response : io::HttpResponse{};
  }
  int Post(const std::string& path, const std::string& body, const Headers& headers) {
    return Send("POST", path, body, headers).status;
  }

  int Shopify(const std::string& body, const std::string& topic, const std::string& id,
              const std::string& secret = "shop") {
    return Post("/webhooks/shopify/x", body,
                {{"X-Shopify-Hmac-Sha256", ToBase64(HmacSha256(secret, body))},
                 {"X-Shopify-Topic", topic},
                 {"X-Shopify-Webhook-Id", id}});
  }
  static std::string StripeSignature(const std::string& body, int64_t time,
                                     const std::string& secret) {
    return ToHex(HmacSha256(secret, std::to_string(time) + "." + body));
  }
  int Stripe(const std::string& body, const std::string& header) {
    return Post("/webhooks/stripe", body, {{"Stripe-Signature", header}});
  }
  int HubSpotV3(const std::string& body, int64_t milliseconds, const std::string& address,
                const std::string& path = "/webhooks/hubspot") {
    const std::string time = std::to_string(milliseconds);
    const std::string text = "POST" + address + body + time;
    return Post(path, body,
                {{"X-HubSpot-Signature-v3", ToBase64(HmacSha256("hub", text))},
                 {"X-HubSpot-Request-Timestamp", time}});
  }
  std::string Here(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(door->port()) + path;
  }

  std::vector<inbox::Record> Stored(const std::string& topic) const {
    std::vector<inbox::Record> records;
    inbox::Reader reader(folder.At("inbox/" + topic), 0);
    while (true) {
      const auto next = reader.Next();
      EXPECT_TRUE(next.ok());
      if (!next.ok() || !next->has_value()) return records;
      records.push_back(**next);
    }
  }
  std::vector<std::string> Bodies(const std::string& topic) const {
    std::vector<std::string> bodies;
    for (const inbox::Record& record : Stored(topic)) bodies.push_back(record.body);
    return bodies;
  }

  io::TestFolder folder;
  OwnedContext context{std::make_unique<ManualClock>(TimestampFromMillis(kNow * 1000)), 1};
  config::WebhookDoorOptions options;
  std::unique_ptr<Door> door;
};

TEST_F(DoorTest, ShopifysEventsAreStoredOnceByTheirTopic) {
  Open();
  EXPECT_EQ(Shopify("{\"id\":1}", "orders/create", "w1"), 200);
  EXPECT_EQ(Shopify("{\"id\":1}", "orders/create", "w1"), 200);
  EXPECT_EQ(Shopify("{\"id\":2}", "orders/paid", "w2"), 200);
  EXPECT_EQ(Shopify("{\"id\":3}", "customers/update", "w3"), 200);
  EXPECT_EQ(Shopify("{\"id\":4}", "customers/redact", "w4"), 200);
  EXPECT_EQ(Shopify("{\"id\":5}", "products/create", "w5"), 200);
  EXPECT_THAT(Bodies("shopify.orders"), ElementsAre("{\"id\":1}", "{\"id\":2}"));
  EXPECT_THAT(Bodies("shopify.customers"), ElementsAre("{\"id\":3}"));
  EXPECT_THAT(Bodies("shopify.other"), ElementsAre("{\"id\":4}", "{\"id\":5}"));
  const inbox::Record first = Stored("shopify.orders").at(0);
  EXPECT_EQ(first.key, "w1");
  EXPECT_EQ(first.arrived, TimestampFromMillis(kNow * 1000));
  EXPECT_EQ(first.headers, (inbox::Headers{{"topic", "orders/create"}, {"provider", "shopify"}}));
}

TEST_F(DoorTest, WhatIsNotSignedIsRefusedAndNotStored) {
  Open();
  EXPECT_EQ(Shopify("{}", "orders/create", "w1", "another"), 401);
  EXPECT_EQ(Post("/webhooks/shopify/orders", "{}", {}), 401);
  EXPECT_EQ(Post("/webhooks/shopify/orders", "{ }",
                 {{"X-Shopify-Hmac-Sha256", ToBase64(HmacSha256("shop", "{}"))}}),
            401);
  const io::HttpResponse response = Send("POST", "/webhooks/stripe", "{}", {});
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.body, "unauthorized\n");
  EXPECT_TRUE(inbox::TopicsIn(folder.At("inbox"))->empty());
}

TEST_F(DoorTest, StripesSignaturesHaveATimeAndMayBeSeveral) {
  Open();
  const std::string charge =
      R"({"id":"evt_1","type":"charge.succeeded","data":{"object":{"object":"charge"}}})";
  const std::string good = StripeSignature(charge, kNow, "whsec_new");
  const std::string time = "t=" + std::to_string(kNow);
  EXPECT_EQ(Stripe(charge, time + ",v1=" + good), 200);
  EXPECT_EQ(Stripe(charge, time + ",v1=0000, v1=" + good + ",v0=00"), 200);  // Stored once.
  EXPECT_EQ(Stripe(charge, time + ",v1=" + StripeSignature(charge, kNow, "whsec_old")), 200);
  EXPECT_EQ(Stripe(charge, time + ",v1=" + StripeSignature(charge, kNow, "other")), 401);
  EXPECT_EQ(Stripe(charge, time + ",v0=" + good), 401);
  EXPECT_EQ(Stripe(charge, "v1=" + good), 401);
  EXPECT_EQ(Stripe(charge, "t=" + std::to_string(kNow + 1) + ",v1=" + good), 401);
  const std::string customer =
      R"({"id":"evt_2","type":"customer.created","data":{"object":{"object":"customer"}}})";
  const std::string other =
      R"({"id":"evt_3","type":"customer.subscription.created","data":{"object":{"object":"subscription"}}})";
  for (const int64_t age : {300, 301, -300, -301}) {
    const std::string body = age < 0 ? customer : other;
    const std::string header =
        "t=" + std::to_string(kNow - age) + ",v1=" + StripeSignature(body, kNow - age, "whsec_new");
    EXPECT_EQ(Stripe(body, header), std::abs(age) == 300 ? 200 : 401) << age;
  }
  EXPECT_THAT(Bodies("stripe.charges"), ElementsAre(charge));
  EXPECT_THAT(Bodies("stripe.customers"), ElementsAre(customer));
  EXPECT_THAT(Bodies("stripe.other"), ElementsAre(other));
  EXPECT_EQ(Stored("stripe.charges").at(0).key, "evt_1");
  EXPECT_EQ(Stored("stripe.charges").at(0).headers.at(0).second, "charge.succeeded");
}

TEST_F(DoorTest, WhatIsSignedAndNoJsonIsUnreadable) {
  Open();
  const std::string header =
      "t=" + std::to_string(kNow) + ",v1=" + StripeSignature("[", kNow, "whsec_new");
  EXPECT_EQ(Stripe("[", header), 400);
  EXPECT_EQ(HubSpotV3("{", kNow * 1000, Here("/webhooks/hubspot")), 400);
}

TEST_F(DoorTest, HubSpotsBatchesAreTakenApart) {
  Open();
  const std::string contact =
      R"({"eventId": 1, "subscriptionType": "contact.creation", "objectId": 7, "occurredAt": 5, "x": "],{\"\\"})";
  const std::string company =
      R"({"eventId":2,"subscriptionType":"company.creation","objectId":8,"big":12345678901234567890123})";
  const std::string object =
      R"({"eventId":3,"subscriptionType":"object.creation","objectTypeId":"0-1"})";
  const std::string deal = R"({"eventId":4,"subscriptionType":"deal.creation"})";
  const std::string body =
      "[ " + contact + " ,\n" + company + "," + object + "," + deal + "," + contact + "]";
  EXPECT_EQ(HubSpotV3(body, kNow * 1000, Here("/webhooks/hubspot")), 200);
  EXPECT_EQ(HubSpotV3("[" + deal + "]", kNow * 1000, Here("/webhooks/hubspot")), 200);
  EXPECT_EQ(HubSpotV3("[]", kNow * 1000, Here("/webhooks/hubspot")), 200);
  EXPECT_THAT(Bodies("hubspot.contacts"), ElementsAre(contact, object));
  EXPECT_THAT(Bodies("hubspot.companies"), ElementsAre(company));
  EXPECT_THAT(Bodies("hubspot.other"), ElementsAre(deal));
  EXPECT_EQ(Stored("hubspot.contacts").at(0).key, "1:contact.creation:7:5");
  std::string many = "[" + deal;
  for (int i = 0; i < 100; ++i) many += "," + deal;
  EXPECT_EQ(HubSpotV3(many + "]", kNow * 1000, Here("/webhooks/hubspot")), 400);
}

TEST_F(DoorTest, HubSpotsThirdVersionSignsAddressAndTime) {
  options.public_url = "https://hooks.example.com/";
  Open();
  const std::string at = "https://hooks.example.com/webhooks/hubspot";
  EXPECT_EQ(HubSpotV3("[]", kNow * 1000, at), 200);
  EXPECT_EQ(HubSpotV3("[]", kNow * 1000, Here("/webhooks/hubspot")), 401);
  EXPECT_EQ(HubSpotV3("[]", kNow * 1000 - 300'000, at), 200);
  EXPECT_EQ(HubSpotV3("[]", kNow * 1000 - 300'001, at), 401);
  EXPECT_EQ(HubSpotV3("[]", kNow * 1000, at + "?a=b:c&d=%20", "/webhooks/hubspot?a=b%3Ac&d=%20"),
            200);
}

/// The vectors are those of HubSpot's own pages on validating v1 and v2.
TEST_F(DoorTest, HubSpotsOlderVersionsAreAsItsPagesSay) {
  options.hubspot.secrets = {"yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"};
  const std::string v1 =
      R"([{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,)"
      R"("subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,)"
      R"("changeSource":"CRM","changeFlag":"NEW","appId":54321}])";
  const std::string hash = "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de";
  Open();
  const Headers headers = {{"X-HubSpot-Signature-Version", "v1"}, {"X-HubSpot-Signature", hash}};
  EXPECT_EQ(Post("/webhooks/hubspot", v1, headers), 200);
  EXPECT_EQ(Post("/webhooks/hubspot", v1 + " ", headers), 401);
  const Headers with_v3 = {{"X-HubSpot-Signature-Version", "v1"},
                           {"X-HubSpot-Signature", hash},
                           {"X-HubSpot-Signature-v3", "no"}};
  EXPECT_EQ(Post("/webhooks/hubspot", v1, with_v3), 401);
  const http::Request v2{
      .method = "POST",
      .headers = {{"X-HubSpot-Signature-Version", "v2"},
                  {"X-HubSpot-Signature",
                   "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"}},
      .body = R"({"example_field":"example_value"})"};
  const Timestamp now = TimestampFromMillis(kNow * 1000);
  const std::string address = "https://www.example.com/webhook_uri";
  EXPECT_EQ(ReadHubSpot(options.hubspot, v2, address, now).verdict, Delivery::Verdict::kGood);
  EXPECT_EQ(ReadHubSpot(options.hubspot, v2, address + "/", now).verdict,
            Delivery::Verdict::kBadSignature);
  options.hubspot.versions = {config::HubSpotVersion::kV3};
  EXPECT_EQ(ReadHubSpot(options.hubspot, v2, address, now).verdict,
            Delivery::Verdict::kBadSignature);
}

TEST(DecodedAddress, DecodesWhatHubSpotLists) {
  EXPECT_EQ(DecodedAddress("https://a/b?c=%3A%2F%3f%40%21%24%27%28%29%2a%2C%3B"),
            "https://a/b?c=:/?@!$'()*,;");
  EXPECT_EQ(DecodedAddress("x?a=%20%25%26%zz%3"), "x?a=%20%25%26%zz%3");
}

TEST_F(DoorTest, OtherSendersAreSignedAsTheyAreDeclared) {
  config::GenericWebhookOptions plain;
  plain.secrets = {"one", "two"};
  plain.encoding = config::SignatureEncoding::kBase64;
  plain.topic = "orders.plain";
  options.generic["plain"] = plain;
  Open();
  const Headers github = {{"X-Hub-Signature-256", "sha256=" + ToHex(HmacSha256("git", "{}"))},
                          {"X-GitHub-Delivery", "d1"}};
  EXPECT_EQ(Post("/webhooks/generic/github", "{}", github), 200);
  EXPECT_EQ(Post("/webhooks/generic/github", "{}", github), 200);
  EXPECT_EQ(Post("/webhooks/generic/github", "{}",
                 {{"X-Hub-Signature-256", ToHex(HmacSha256("git", "{}"))}}),
            401);
  const Headers second = {{"X-Signature", ToBase64(HmacSha256("two", "{}"))}};
  EXPECT_EQ(Post("/webhooks/generic/plain", "{}", second), 200);
  EXPECT_EQ(Post("/webhooks/generic/plain", "{}", second), 200);
  EXPECT_EQ(Post("/webhooks/generic/unknown", "{}", second), 404);
  EXPECT_EQ(Stored("generic.github").size(), 1U);
  EXPECT_EQ(Stored("orders.plain").size(), 2U);  // No id: each delivery counts.
}

TEST_F(DoorTest, PathsMethodsAndSizesAreLookedAtFirst) {
  options.stripe.secrets = {};
  options.body_max = ByteCount(1000);
  Open();
  EXPECT_EQ(Post("/webhooks/stripe", "{}", {}), 404);
  EXPECT_EQ(Post("/", "{}", {}), 404);
  const io::HttpResponse get = Send("GET", "/webhooks/hubspot", "", {});
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.Header("Allow"), "POST");
  EXPECT_EQ(Shopify(std::string(1000, 'x'), "orders/create", "w1"), 200);
  EXPECT_EQ(Shopify(std::string(1001, 'x'), "orders/create", "w2"), 413);
}

TEST_F(DoorTest, DuplicatesAreKnownAfterARestart) {
  Open();
  EXPECT_EQ(Shopify("{}", "orders/create", "w1"), 200);
  EXPECT_EQ(Shopify("{}", "customers/create", "w1"), 200);
  Open();
  EXPECT_EQ(Shopify("{}", "orders/create", "w1"), 200);
  EXPECT_EQ(Shopify("{}", "orders/create", "w2"), 200);
  EXPECT_EQ(Stored("shopify.orders").size(), 2U);
  EXPECT_EQ(Stored("shopify.customers").size(), 1U);
}

TEST_F(DoorTest, OnlySoManyEventsAreRemembered) {
  options.dedupe_events = 2;
  Open();
  for (const char* id : {"w1", "w2", "w3", "w3", "w1"})
    EXPECT_EQ(Shopify("{}", "orders/create", id), 200);
  EXPECT_EQ(Stored("shopify.orders").size(), 4U);  // w1 was forgotten.
}

TEST_F(DoorTest, MoreThanTheRateIsToldToComeLater) {
  options.rate_max = 2;
  Open();
  EXPECT_EQ(Shopify("{}", "orders/create", "w1"), 200);
  EXPECT_EQ(Shopify("{}", "orders/create", "w0", "another"), 401);  // Costs nothing.
  EXPECT_EQ(Shopify("{}", "orders/create", "w2"), 200);
  const io::HttpResponse third =
      Send("POST", "/webhooks/shopify/orders", "{}",
           {{"X-Shopify-Hmac-Sha256", ToBase64(HmacSha256("shop", "{}"))}});
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(third.Header("Retry-After"), "1");
  EXPECT_EQ(HubSpotV3("[]", kNow * 1000, Here("/webhooks/hubspot")), 200);
}

TEST_F(DoorTest, WithoutRoomOnTheDiskNothingIsTaken) {
  options.free_min = ByteCount(int64_t{1} << 60);
  Open();
  EXPECT_EQ(Shopify("{}", "orders/create", "w1"), 429);
  EXPECT_TRUE(Stored("shopify.orders").empty());
}

TEST_F(DoorTest, AnInboxThatFailsIsAnsweredByA503AndMayBeTriedAgain) {
  Open();
  std::ofstream(folder.At("inbox/shopify.orders")) << "in the way";
  EXPECT_EQ(Shopify("{}", "orders/create", "w1"), 503);
  std::filesystem::remove(folder.At("inbox/shopify.orders"));
  EXPECT_EQ(Shopify("{}", "orders/create", "w1"), 200);
  EXPECT_EQ(Stored("shopify.orders").size(), 1U);
}

TEST_F(DoorTest, NoProviderIsAFaultOfTheConfiguration) {
  auto sink = InboxSink::Open(folder.At("inbox"));
  ASSERT_TRUE(sink.ok());
  const auto started = Door::Start(*context, {}, *std::move(sink));
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().kind, ErrorKind::kConfig);
}

TEST(EventWindow, WhatIsBeingStoredIsNeitherNewNorStored) {
  EventWindow window(10);
  const auto a = EventWindow::DigestOf("t", "a");
  const auto b = EventWindow::DigestOf("t", "b");
  using Claim = EventWindow::Claim;
  EXPECT_THAT(window.ClaimAll({a, a}), ElementsAre(Claim::kNew, Claim::kStored));
  EXPECT_THAT(window.ClaimAll({a, b}), ElementsAre(Claim::kUnderWay, Claim::kNew));
  EXPECT_THAT(window.ClaimAll({b}), ElementsAre(Claim::kNew));  // The line above claimed nothing.
  window.Settle({a}, /*stored=*/false);
  EXPECT_THAT(window.ClaimAll({a}), ElementsAre(Claim::kNew));
  window.Settle({a}, /*stored=*/true);
  EXPECT_THAT(window.ClaimAll({a}), ElementsAre(Claim::kStored));
}

}  // namespace
}  // namespace calve::stream
