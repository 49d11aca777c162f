#include "catalog/rest/table_access.h"

#include <gtest/gtest.h>

namespace calve::catalog {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class Access : public testing::Test {
 protected:
  /// Keys named `name` that hold for an hour from now on.
  Grant Hour(const std::string& name) {
    const int64_t ends = MillisSinceEpoch(clock_->Now() + minutes(60));
    return {
        .config = io::Properties{{"s3.endpoint", "http://s3"}, {"unrelated", "x"}},
        .credentials = {{.prefix = "s3://lake/t",
                         .config = {{"s3.access-key-id", name},
                                    {"s3.session-token-expires-at-ms", std::to_string(ends)}}}}};
  }
  std::string KeyNow(const std::string& address = "s3://lake/t") {
    const auto now = access_->At(address)->Now(*context_);
    return now.ok() ? (*now)->at("s3.access-key-id") : now.error().message;
  }

  ManualClock* clock_ = new ManualClock(TimestampFromMillis(1'700'000'000'000));
  OwnedContext context_{std::unique_ptr<Clock>(clock_), 1};
  int fetched_ = 0;
  std::optional<Error> fault_;
  std::shared_ptr<TableAccess> access_ =
      std::make_shared<TableAccess>([this](const Context&) -> Result<Grant> {
        ++fetched_;
        if (fault_.has_value()) return *fault_;
        Grant grant = Hour("fetched" + std::to_string(fetched_));
        grant.config.reset();
        return grant;
      });
};

TEST(GrantedKeys, TheLongestPrefixAboveAnAddressGivesThem) {
  const Grant grant{.config = io::Properties{{"s3.region", "r"}, {"s3.access-key-id", "table"}},
                    .credentials = {{"s3", {{"s3.access-key-id", "all"}}},
                                    {"s3://lake/t", {{"s3.access-key-id", "t"}}},
                                    {"s3://lake/t/data/", {{"s3.access-key-id", "data"}}},
                                    {"s3://lake/t/data/deeper", {{"s3.access-key-id", "deep"}}}}};
  EXPECT_EQ(grant.For("s3://lake/t/data/a.parquet").at("s3.access-key-id"), "data");
  EXPECT_EQ(grant.For("s3://lake/t").at("s3.access-key-id"), "t");
  EXPECT_EQ(grant.For("s3://lake/tt/data/a").at("s3.access-key-id"), "all");
  EXPECT_EQ(grant.For("gs://lake/t").at("s3.access-key-id"), "table");
  EXPECT_EQ(grant.For("s3://lake/t").at("s3.region"), "r");
}

TEST_F(Access, KeysAreFetchedAgainBeforeTheyRunOut) {
  access_->Offer(*context_, Hour("first"));
  clock_->Advance(minutes(54));
  EXPECT_EQ(KeyNow(), "first");
  clock_->Advance(minutes(2));
  EXPECT_EQ(KeyNow(), "fetched1");
  EXPECT_EQ((*access_->At("s3://lake/t")->Now(*context_))->at("s3.endpoint"), "http://s3");
  EXPECT_EQ(KeyNow(), "fetched1");
  EXPECT_EQ(fetched_, 1);
}

TEST_F(Access, WhatHoldsForLongIsNotReplacedByWhatComesAlong) {
  access_->Offer(*context_, Hour("first"));
  const auto before = *access_->At("s3://lake/t")->Now(*context_);
  access_->Offer(*context_, Hour("second"));
  EXPECT_EQ(*access_->At("s3://lake/t")->Now(*context_), before);
  clock_->Advance(minutes(58));
  access_->Offer(*context_, Hour("third"));
  EXPECT_EQ(KeyNow(), "third");
  EXPECT_EQ(fetched_, 0);
}

TEST_F(Access, KeysThatTheStorageRefusesAreFetchedOnceForAllWhoAsk) {
  access_->Offer(*context_, Hour("first"));
  const auto place = access_->At("s3://lake/t");
  const auto refused = *place->Now(*context_);
  const auto renewed = *place->Renew(*context_, refused);
  EXPECT_EQ(renewed->at("s3.access-key-id"), "fetched1");
  EXPECT_EQ(*place->Renew(*context_, refused), renewed);
  EXPECT_EQ(fetched_, 1);
}

TEST_F(Access, WhileTheServerIsAwayKeysServeUntilTheirEnd) {
  access_->Offer(*context_, Hour("first"));
  clock_->Advance(minutes(56));
  fault_ = TransientError("the server is away");
  EXPECT_EQ(KeyNow(), "first");
  EXPECT_EQ(KeyNow(), "first");
  EXPECT_EQ(fetched_, 1);
  clock_->Advance(seconds(11));
  EXPECT_EQ(KeyNow(), "first");
  EXPECT_EQ(fetched_, 2);
  clock_->Advance(minutes(5));
  EXPECT_EQ(KeyNow(), "the server is away");
  fault_.reset();
  EXPECT_EQ(KeyNow(), "fetched4");
}

}  // namespace
}  // namespace calve::catalog
