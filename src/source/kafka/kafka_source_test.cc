#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/text.h"
#include "io/kafka.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Brokers() {
  const char* told = std::getenv("CALVE_TEST_KAFKA");
  return told == nullptr ? "" : told;
}

/// Writes to the test's broker.
class Topics {
 public:
  Topics() : producer_(io::KafkaProducer::Open({{"bootstrap.servers", Brokers()}})) {}

  void Make(const std::string& topic, int partitions = 2) {
    ASSERT_TRUE(producer_.ok());
    const Status made = (*producer_)->MakeTopic(*context_, topic, partitions);
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  void Delete(const std::string& topic) {
    const Status deleted = (*producer_)->DeleteTopic(*context_, topic);
    ASSERT_TRUE(deleted.ok()) << deleted.error().message;
  }
  void Write(const std::string& topic, const io::KafkaRecord& record) {
    const Status produced = (*producer_)->Produce(*context_, topic, record);
    ASSERT_TRUE(produced.ok()) << produced.error().message;
  }
  void Write(const std::string& topic, const std::string& value) {
    io::KafkaRecord record;
    record.value = value;
    Write(topic, record);
  }
  void Flush() {
    const Status flushed = (*producer_)->Flush(*context_);
    ASSERT_TRUE(flushed.ok()) << flushed.error().message;
  }

 private:
  OwnedContext context_{7};
  Result<std::unique_ptr<io::KafkaProducer>> producer_;
};

std::string JsonOf(const ContractRow& row) {
  return "{\"id\": " + std::to_string(row.id) + ", \"price\": " + row.PriceText() +
         ", \"day\": \"" + row.DayText() + "\", \"at\": \"" + row.AtText() +
         "\", \"name\": " + (row.name.has_value() ? Quote(*row.name) : "null") + "}";
}

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  Topics topics;
  const std::string topic = TableOfFolder(folder);
  topics.Make(topic);
  for (int64_t n = first; n < first + rows; ++n) topics.Write(topic, JsonOf(ContractRowAt(n)));
  topics.Flush();
}

BrokenInput Broken(std::string name, std::string value, std::vector<std::string> says) {
  const auto write = [value = std::move(value)](const std::string& folder) {
    Topics topics;
    topics.Make(TableOfFolder(folder), 1);
    topics.Write(TableOfFolder(folder), "{\"a\": 1}");
    topics.Write(TableOfFolder(folder), value);
    topics.Flush();
  };
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(kafka) {
  return {.options =
              [](const std::string& folder, int64_t rows) {
                if (rows == 0) Topics().Make(TableOfFolder(folder));
                return "topic: " + TableOfFolder(folder) + "\nmetadata: {}\nbrokers: [\"" +
                       Brokers() + "\"]";
              },
          .write = WriteRows,
          .broken = {Broken("text that is no JSON", "hello",
                            {"partition 0 offset 1", "not one JSON object"}),
                     Broken("bytes that are no UTF-8", "{\"a\": \"\xff\"}",
                            {"partition 0 offset 1", "UTF-8"})},
          .is_incremental = true,
          .server = "CALVE_TEST_KAFKA"};
}

namespace {

class KafkaSourceTest : public SourceTest {
 protected:
  void SetUp() override {
    SourceTest::SetUp();
    if (Brokers().empty()) GTEST_SKIP() << "needs tests/services/with kafka.sh --";
    topic_ = TableOfFolder(folder_.path());
  }
  std::string Options(const std::string& more) const {
    return "topic: " + topic_ + "\nbrokers: [\"" + Brokers() + "\"]\n" + more;
  }
  Result<std::unique_ptr<Source>> Make(const std::string& more) {
    CALVE_ASSIGN_OR_RETURN(const config::Node node, config::ParseYaml(Options(more), "job.yaml"));
    return registry_.Find("kafka")->make(node,
                                         {.files = &files_, .project_folder = folder_.path()});
  }

  Topics topics_;
  std::string topic_;
};

TEST_F(KafkaSourceTest, ColumnsTellOfTheRecord) {
  topics_.Make(topic_, 1);
  io::KafkaRecord record;
  record.timestamp_ms = 1'700'000'000'123;
  record.key = "k1";
  record.value = "{\"n\": 1}";
  record.headers = {{"event", "e1"}, {"event", "e2"}};
  topics_.Write(topic_, record);
  topics_.Flush();
  const auto rows = ReadRows(
      "kafka", Options("metadata: {_t: topic, _p: partition, _o: offset, _at: timestamp, _k: key, "
                       "_h: headers, _e: header.event, _none: header.other}"));
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows,
              ElementsAre("{\"n\": 1, \"_at\": \"2023-11-14T22:13:20.123+00:00\", \"_e\": "
                          "\"e2\", \"_h\": \"{\\\"event\\\": \\\"e1\\\", \\\"event\\\": "
                          "\\\"e2\\\"}\", \"_k\": \"k1\", \"_none\": null, \"_o\": 0, \"_p\": 0, "
                          "\"_t\": \"" +
                          topic_ + "\"}"));
}

TEST_F(KafkaSourceTest, ATombstoneIsHeldBackAndRawTakesWhatThereIs) {
  topics_.Make(topic_, 1);
  io::KafkaRecord tombstone;
  tombstone.key = "k1";
  topics_.Write(topic_, tombstone);
  topics_.Write(topic_, "\xff");
  topics_.Flush();
  const auto rows = ReadRows("kafka", Options("format: raw\nmetadata: {}"));
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema, "value: binary");
  EXPECT_EQ(rows->rows.size(), 1U);
  ASSERT_EQ(rows->rejects.size(), 1U);
  EXPECT_THAT(rows->rejects[0], HasSubstr("offset 0"));
  EXPECT_THAT(rows->rejects[0], HasSubstr("tombstone"));
}

TEST_F(KafkaSourceTest, ATopicThatWasMadeAnewIsReadOnlyWhereThatIsWanted) {
  topics_.Make(topic_, 1);
  for (int i = 0; i < 3; ++i) topics_.Write(topic_, "{\"n\": " + std::to_string(i) + "}");
  topics_.Flush();
  const auto source = Make("metadata: {}");
  ASSERT_TRUE(source.ok());
  const auto plan = (*source)->Plan(*context_, {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  topics_.Delete(topic_);
  topics_.Make(topic_, 1);
  for (int i = 3; i < 8; ++i) topics_.Write(topic_, "{\"n\": " + std::to_string(i) + "}");
  topics_.Flush();
  const auto careful = Make("metadata: {}");
  const auto refused = (*careful)->Plan(*context_, {.since = plan->position});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("was deleted and made anew"));
  const auto willing = Make("metadata: {}\non_recreated: restart");
  const auto again = (*willing)->Plan(*context_, {.since = plan->position});
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_THAT(again->summary, HasSubstr("5 new records"));
}

TEST_F(KafkaSourceTest, RecordsThatAreGoneStopItUnlessOneGoesOnWithoutThem) {
  topics_.Make(topic_, 1);
  topics_.Write(topic_, "{\"n\": 1}");
  topics_.Flush();
  const auto source = Make("metadata: {}");
  const auto plan = (*source)->Plan(*context_, {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  Position beyond = *plan->position;
  beyond.state.replace(beyond.state.find("[1]"), 3, "[77]");
  const auto careful = Make("metadata: {}");
  const auto refused = (*careful)->Plan(*context_, {.since = beyond});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("has no record at offset 77"));
  EXPECT_THAT(refused.error().message, HasSubstr("on_out_of_range"));
  const auto willing = Make("metadata: {}\non_out_of_range: earliest");
  const auto again = (*willing)->Plan(*context_, {.since = beyond});
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_THAT(again->summary, HasSubstr("1 new records"));
  EXPECT_THAT(again->notes, ElementsAre(HasSubstr("has no record at offset 77; reading goes on at "
                                                  "its first one")));
}

TEST_F(KafkaSourceTest, WhatWasReadButNotCommittedIsReadAgainWithWhatCameMeanwhile) {
  for (const std::string group : {"", "\ngroup: "}) {
    const std::string more = "metadata: {}" + (group.empty() ? "" : group + topic_);
    topic_ += "_";
    topics_.Make(topic_, 2);
    const auto source = Make(more);
    ASSERT_TRUE(source.ok());
    const PlanOptions window{.window = Window{.interval = std::chrono::seconds(5), .rows_max = 1}};
    std::string summaries;
    Position first;
    for (int round = 1; round <= 4; ++round) {
      for (int i = 0; i < 100; ++i) topics_.Write(topic_, "{\"n\": " + std::to_string(i) + "}");
      topics_.Flush();
      PlanOptions options = window;
      options.window->rows_max = 100 * round;
      if (round == 4) {
        options.since = first;
        options.window->rows_max = 300;
      }
      const auto plan = (*source)->Plan(*context_, options);
      ASSERT_TRUE(plan.ok()) << plan.error().message;
      if (round == 1) first = *plan->position;
      summaries += plan->summary.substr(0, plan->summary.find(' ')) + " ";
    }
    EXPECT_EQ(summaries, "100 200 300 300 ") << group;
  }
}

TEST_F(KafkaSourceTest, MembersOfAGroupShareThePartitions) {
  topics_.Make(topic_, 4);
  const std::string more = "metadata: {}\ngroup: " + topic_;
  const auto one = Make(more);
  const auto two = Make(more);
  ASSERT_TRUE(one.ok());
  ASSERT_TRUE(two.ok());
  const PlanOptions window{.window = Window{.interval = std::chrono::seconds(1)}};
  const auto read = [&](Source& source) -> int64_t {
    const auto plan = source.Plan(*context_, window);
    EXPECT_TRUE(plan.ok()) << plan.error().message;
    return plan.ok() ? ParseInteger(plan->summary.substr(0, plan->summary.find(' '))).value() : 0;
  };
  for (int round = 0; round < 5; ++round)  // Until both are in the group.
    EXPECT_EQ(read(**one) + read(**two), 0);
  for (int i = 0; i < 400; ++i) topics_.Write(topic_, "{\"n\": " + std::to_string(i) + "}");
  topics_.Flush();
  const int64_t of_one = read(**one);
  const int64_t of_two = read(**two);
  EXPECT_GT(of_one, 0);
  EXPECT_GT(of_two, 0);
  EXPECT_EQ(of_one + of_two, 400);
}

}  // namespace
}  // namespace calve::source
