#include "stream/sample_webhooks.h"

#include <gtest/gtest.h>

#include <set>

#include "stream/webhook.h"

namespace calve::stream {
namespace {

constexpr const char* kDoor = "http://127.0.0.1:8090";
const Timestamp kNow = TimestampFromMillis(1'790'000'000'000);

config::WebhookDoorOptions Options(const std::string& secret) {
  config::WebhookDoorOptions options;
  options.shopify.secrets = {secret};
  options.stripe.secrets = {secret};
  options.hubspot.secrets = {secret};
  return options;
}

Delivery Read(const config::WebhookDoorOptions& options, const SampleRequest& sample,
              Timestamp now) {
  const http::Request request{
      .method = "POST", .path = sample.path, .headers = sample.headers, .body = sample.body};
  if (sample.path == "/webhooks/stripe") return ReadStripe(options.stripe, request, now);
  if (sample.path == "/webhooks/hubspot")
    return ReadHubSpot(options.hubspot, request, kDoor + sample.path, now);
  return ReadShopify(options.shopify, request);
}

TEST(SampleWebhooks, TheDoorTakesThemAndTheyAreOfAllSixTopics) {
  SampleWebhooks samples(Options("a"), kDoor, 1);
  std::set<std::string> topics;
  std::set<std::string> ids;
  int64_t events = 0;
  for (int i = 0; i < 600; ++i) {
    const SampleRequest sample = samples.Next(kNow, kNow);
    const Delivery delivery = Read(Options("a"), sample, kNow);
    ASSERT_EQ(delivery.verdict, Delivery::Verdict::kGood) << sample.path;
    ASSERT_EQ(static_cast<int>(delivery.events.size()), sample.events);
    events += sample.events;
    for (const Event& event : delivery.events) {
      topics.insert(event.topic);
      ids.insert(event.topic + " " + event.id);
    }
  }
  EXPECT_EQ(topics,
            (std::set<std::string>{"hubspot.companies", "hubspot.contacts", "shopify.customers",
                                   "shopify.orders", "stripe.charges", "stripe.customers"}));
  EXPECT_EQ(static_cast<int64_t>(ids.size()), events);
}

TEST(SampleWebhooks, AnotherSecretOrAFlippedBitIsRefused) {
  SampleWebhooks samples(Options("a"), kDoor, 2);
  for (int i = 0; i < 60; ++i) {
    SampleRequest sample = samples.Next(kNow, kNow);
    EXPECT_EQ(Read(Options("b"), sample, kNow).verdict, Delivery::Verdict::kBadSignature);
    sample.body[static_cast<size_t>(i) % sample.body.size()] ^= 1;
    EXPECT_EQ(Read(Options("a"), sample, kNow).verdict, Delivery::Verdict::kBadSignature);
  }
}

TEST(SampleWebhooks, ASeedMakesTheSameBodiesAgain) {
  SampleWebhooks one(Options("a"), kDoor, 3);
  SampleWebhooks same(Options("a"), kDoor, 3);
  SampleWebhooks other(Options("a"), kDoor, 4);
  int differ = 0;
  for (int i = 0; i < 30; ++i) {
    const std::string body = one.Next(kNow, kNow).body;
    EXPECT_EQ(same.Next(kNow + std::chrono::hours(1), kNow).body, body);
    differ += other.Next(kNow, kNow).body != body ? 1 : 0;
  }
  EXPECT_EQ(differ, 30);
}

}  // namespace
}  // namespace calve::stream
