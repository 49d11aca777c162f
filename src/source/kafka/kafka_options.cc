#include "source/kafka/kafka_options.h"

#include <optional>
#include <string_view>

#include "source/typing.h"

namespace calve::source::kafka {
namespace {

constexpr std::string_view kHeaderPrefix = "header.";

std::optional<FactColumn> ParseFact(const std::string& name, const std::string& text) {
  static const std::map<std::string, Fact> kFacts = {
      {"topic", Fact::kTopic},
      {"partition", Fact::kPartition},
      {"offset", Fact::kOffset},
      {"timestamp", Fact::kTimestamp},
      {"key", Fact::kKey},
      {"headers", Fact::kHeaders},
      {"loaded_at", Fact::kLoadedAt},
  };
  if (const auto found = kFacts.find(text); found != kFacts.end())
    return FactColumn{.name = name, .fact = found->second, .header = {}};
  if (!text.starts_with(kHeaderPrefix) || text.size() == kHeaderPrefix.size()) return std::nullopt;
  return FactColumn{
      .name = name, .fact = Fact::kHeader, .header = text.substr(kHeaderPrefix.size())};
}

}  // namespace

config::Names<Format> NamesOf(Format) {
  return {{"json", Format::kJson, "Each value is one JSON object; its keys become columns."},
          {"raw", Format::kRaw, "Each value becomes the binary column `value` as it is."}};
}

config::Names<KafkaOptions::Start> NamesOf(KafkaOptions::Start) {
  return {{"earliest", KafkaOptions::Start::kEarliest, "With the first record that is there."},
          {"latest", KafkaOptions::Start::kLatest, "With what comes from now on."}};
}

config::Names<KafkaOptions::OnOutOfRange> NamesOf(KafkaOptions::OnOutOfRange) {
  return {
      {"fail", KafkaOptions::OnOutOfRange::kFail, "Stop and say so: rows are missing."},
      {"earliest", KafkaOptions::OnOutOfRange::kEarliest, "Go on with the first that is there."},
      {"latest", KafkaOptions::OnOutOfRange::kLatest, "Go on with what comes from now on."}};
}

config::Names<KafkaOptions::OnRecreated> NamesOf(KafkaOptions::OnRecreated) {
  return {{"fail", KafkaOptions::OnRecreated::kFail, "Stop and say so."},
          {"restart", KafkaOptions::OnRecreated::kRestart, "Read the new topic from its start."}};
}

config::Shape<KafkaOptions> KafkaOptions::Declaration() {
  using Options = KafkaOptions;
  config::Shape<Options> shape("kafka source",
                               "Read a topic of Kafka. Where reading goes on stands in the table "
                               "that the rows are in, not with the broker.");
  shape.Include(io::KafkaAddress::Declaration());
  shape.Required("topic", &Options::topic, "The topic.", {.example = "shopify.orders"});
  shape.Optional("group", &Options::group,
                 "The consumer group: its members share the partitions. It is told how far the "
                 "table is, for tools that watch it.",
                 {.default_text = "none: all partitions are read"});
  shape.Optional("format", &Options::format, "What the records' values are.");
  shape.Optional("types", &Options::types,
                 "Types of columns, in place of what the records show: Iceberg's names.",
                 {.example = "{price: \"decimal(12, 2)\"}"});
  shape.Optional("metadata", &Options::metadata,
                 "Columns that tell of each record: their names, and what they hold: topic, "
                 "partition, offset, timestamp, key, headers (as JSON), header.<name> or loaded_at "
                 "(when it was read).",
                 {.example = "{_offset: offset, _event_id: header.event_id}",
                  .default_text = "{_topic: topic, _partition: partition, _offset: offset}"});
  shape.Optional("start", &Options::start, "Where to begin when the table has no position.");
  shape.Optional("on_out_of_range", &Options::on_out_of_range,
                 "What to do where the broker has removed records before they were read.");
  shape.Optional("on_recreated", &Options::on_recreated,
                 "What to do when the topic was deleted and made anew.");
  shape.Optional("read_uncommitted", &Options::read_uncommitted,
                 "Whether records of transactions that are not committed are read too.");
  shape.Check("types", [](const Options& options) { return CheckTypes(options.types); });
  shape.Check("metadata", [](const Options& options) -> Status {
    for (const auto& [name, text] : options.metadata) {
      if (ParseFact(name, text).has_value()) continue;
      return ConfigError("'" + text +
                         "' is nothing that a record has; one of topic, partition, offset, "
                         "timestamp, key, headers, header.<name>, loaded_at");
    }
    return Status::Ok();
  });
  return shape;
}

std::vector<FactColumn> KafkaOptions::Facts() const {
  std::vector<FactColumn> facts;
  for (const auto& [name, text] : metadata) {
    if (auto fact = ParseFact(name, text)) facts.push_back(std::move(*fact));
  }
  return facts;
}

io::KafkaConsumerOptions KafkaOptions::Consumer(const std::string& folder) const {
  io::KafkaConsumerOptions options{.settings = Settings(folder),
                                   .topic = topic,
                                   .group = group,
                                   .read_committed = !read_uncommitted};
  for (const FactColumn& column : Facts())
    options.headers |= column.fact == Fact::kHeaders || column.fact == Fact::kHeader;
  if (start == Start::kLatest) options.start = io::KafkaReset::kLatest;
  if (on_out_of_range == OnOutOfRange::kEarliest)
    options.on_out_of_range = io::KafkaReset::kEarliest;
  if (on_out_of_range == OnOutOfRange::kLatest) options.on_out_of_range = io::KafkaReset::kLatest;
  return options;
}

}  // namespace calve::source::kafka
