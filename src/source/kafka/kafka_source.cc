#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/memory.h"
#include "base/text.h"
#include "source/json_shape.h"
#include "source/kafka/kafka_options.h"
#include "source/kafka/record_block.h"
#include "source/kafka/record_rows.h"
#include "source/kafka/topic_position.h"
#include "source/registry.h"

namespace calve::source {
namespace kafka {
namespace {

/// So much of a topic is taken at once where nobody has said how much.
constexpr ByteCount kTakenMax{64 << 20};
/// Of the memory that a run has for rows, what waits to become rows may take.
constexpr int64_t kMemoryShare = 4;
/// So long the broker may be silent before the end of a topic is believed to be unreachable.
constexpr std::chrono::seconds kSilenceMax{30};
constexpr std::chrono::milliseconds kSlice{200};

/// One topic. It keeps its connection from one plan to the next, so that a stream reads on where the
/// last plan has ended.
class KafkaSource : public Source {
 public:
  KafkaSource(KafkaOptions options, Resources resources)
      : options_(std::move(options)), resources_(std::move(resources)) {}

  Status Check(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(const auto consumer, Connect(/*in_group=*/false));
    return StatusOf(consumer->Describe(context));
  }

  Result<std::vector<Stream>> Discover(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(const ReadPlan plan, Plan(context, {}));
    return std::vector<Stream>{{.name = options_.topic, .schema = plan.schema}};
  }

  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    plan_options_ = options;
    if (consumer_ == nullptr) {
      CALVE_ASSIGN_OR_RETURN(consumer_, Connect(options.window.has_value()));
    }
    CALVE_ASSIGN_OR_RETURN(TopicPosition position, Settle(context, options.since));
    auto block = std::make_shared<RecordBlock>();
    CALVE_RETURN_IF_ERROR(Collect(context, options, block.get()));
    ReadPlan plan;
    plan.notes = consumer_->TakeLosses();
    plan.summary = FormatCount(static_cast<int64_t>(block->records().size())) +
                   " new records of topic " + options_.topic;
    if (block->records().empty()) return plan;
    CALVE_ASSIGN_OR_RETURN(plan.schema, SchemaOf(*block, options, &plan.notes));
    for (const auto& [number, partition] : consumer_->partitions())
      if (partition.next >= 0) position.next[number] = partition.next;
    plan.position = position.Print();
    plan.bytes = block->bytes();
    AddSplits(context, options, std::move(block), &plan);
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context&, const ReadPlan& plan,
                                            const Split& split) override {
    return ReadRange(std::any_cast<const RecordRange&>(split.payload), options_, plan.schema,
                     plan_options_);
  }

 private:
  /// A stream shares its topic with others of its group; who reads up to the end reads all of it.
  Result<std::unique_ptr<io::KafkaConsumer>> Connect(bool in_group) const {
    io::KafkaConsumerOptions consumer = options_.Consumer(resources_.project_folder);
    if (!in_group) consumer.group.clear();
    return io::KafkaConsumer::Open(std::move(consumer));
  }

  /// Go to where the last plan whose rows were committed has ended.
  Result<TopicPosition> Settle(const Context& context, const std::optional<Position>& since) {
    TopicPosition position{.topic = options_.topic, .id = {}, .next = {}};
    if (since.has_value()) {
      CALVE_ASSIGN_OR_RETURN(position, TopicPosition::Parse(*since, options_.topic));
    }
    CALVE_RETURN_IF_ERROR(consumer_->GoOnAt(context, position.next));
    CALVE_ASSIGN_OR_RETURN(const io::KafkaConsumer::Topic topic, consumer_->Describe(context));
    const bool is_another = !position.id.empty() && !topic.id.empty() && position.id != topic.id;
    if (is_another && options_.on_recreated == KafkaOptions::OnRecreated::kFail) {
      return RefusedError("topic " + options_.topic +
                          " was deleted and made anew since it was last "
                          "read (its id is " +
                          topic.id + ", expected " + position.id +
                          "): records of the old one may be missing; to read the new one from its "
                          "start set on_recreated: restart");
    }
    if (is_another) {
      position.next.clear();
      for (int32_t i = 0; i < topic.partitions; ++i) position.next[i] = 0;
      CALVE_RETURN_IF_ERROR(consumer_->GoOnAt(context, position.next));
    }
    position.id = topic.id;
    consumer_->TellGroup(position.next);
    return position;
  }

  static ByteCount BytesMax(const Context& context, const PlanOptions& options) {
    ByteCount bytes = options.window.has_value() ? options.window->bytes_max : kTakenMax;
    if (context.memory != nullptr)
      bytes = std::min(bytes, ByteCount(context.memory->limit().value() / kMemoryShare));
    return bytes;
  }

  /// Take records: of a stream until its window is over, else up to the end of the topic, and never
  /// more than memory has room for.
  Status Collect(const Context& context, const PlanOptions& options, RecordBlock* block) {
    const ByteCount bytes_max = BytesMax(context, options);
    const Duration begun = context.clock->Monotonic();
    Duration heard = begun;
    int64_t revocations = consumer_->revocations();
    const auto is_full = [&] {
      return block->bytes() >= bytes_max ||
             (options.window.has_value() &&
              static_cast<int64_t>(block->records().size()) >= options.window->rows_max);
    };
    while (!is_full()) {
      const Duration now = context.clock->Monotonic();
      Duration longest = kSlice;
      if (options.window.has_value()) {
        longest = std::min<Duration>(longest, begun + options.window->interval - now);
        if (longest <= Duration::zero()) return Status::Ok();
      } else if (IsAtEnd()) {
        return Status::Ok();
      } else if (now - heard > kSilenceMax) {
        return TransientError("topic " + options_.topic + " gave neither a record nor its end in " +
                              std::to_string(kSilenceMax.count()) + " seconds");
      }
      const size_t before = block->records().size();
      CALVE_RETURN_IF_ERROR(consumer_->Poll(context, longest, [&](const io::KafkaRecord& record) {
        block->Add(record);
        return !is_full();
      }));
      if (block->records().size() != before) heard = context.clock->Monotonic();
      if (revocations == consumer_->revocations()) continue;
      // Who has the partitions now reads them from where the table is.
      block->Clear();
      revocations = consumer_->revocations();
    }
    return Status::Ok();
  }

  bool IsAtEnd() const {
    const auto& partitions = consumer_->partitions();
    return !partitions.empty() &&
           std::all_of(partitions.begin(), partitions.end(),
                       [](const auto& entry) { return entry.second.at_end; });
  }

  Result<std::shared_ptr<arrow::Schema>> SchemaOf(const RecordBlock& block,
                                                  const PlanOptions& options,
                                                  std::vector<std::string>* notes) const {
    const std::vector<FactColumn> facts = options_.Facts();
    std::shared_ptr<arrow::Schema> values = arrow::schema({arrow::field("value", arrow::binary())});
    if (options_.format == Format::kJson) {
      JsonShape shape;
      int64_t number = 0;
      for (const auto& record : block.records())
        if (record.has_value) shape.See(record.value, ++number);
      CALVE_ASSIGN_OR_RETURN(values, shape.Schema({.types = TypesOf(shape),
                                                   .wanted = Without(options.wanted, facts),
                                                   .widen = options.widen_wanted},
                                                  notes));
    }
    arrow::FieldVector fields = values->fields();
    for (const FactColumn& fact : facts) {
      if (values->GetFieldIndex(fact.name) >= 0) {
        return ConfigError("records of topic " + options_.topic + " have a key " +
                           Quote(fact.name) +
                           ", which metadata names too; name another column "
                           "in metadata");
      }
      fields.push_back(FieldOf(fact));
    }
    return arrow::schema(std::move(fields));
  }

  /// The types that were given for columns which these records have: others may come later.
  std::map<std::string, std::string> TypesOf(const JsonShape& shape) const {
    std::map<std::string, std::string> types = options_.types;
    std::erase_if(types, [&](const auto& entry) { return !shape.Has(entry.first); });
    return types;
  }

  static std::shared_ptr<arrow::Schema> Without(const std::shared_ptr<arrow::Schema>& wanted,
                                                const std::vector<FactColumn>& facts) {
    if (wanted == nullptr) return nullptr;
    arrow::FieldVector fields;
    for (const auto& field : wanted->fields()) {
      const bool is_fact = std::any_of(facts.begin(), facts.end(), [&](const FactColumn& fact) {
        return fact.name == field->name();
      });
      if (!is_fact) fields.push_back(field);
    }
    return arrow::schema(std::move(fields));
  }

  void AddSplits(const Context& context, const PlanOptions& options,
                 std::shared_ptr<const RecordBlock> block, ReadPlan* plan) const {
    const size_t records = block->records().size();
    const size_t rows_of_split = static_cast<size_t>(std::max<int64_t>(options.batch_rows_max, 1));
    const size_t splits = std::clamp<size_t>(records / rows_of_split, 1,
                                             static_cast<size_t>(std::max(1, options.parallelism)));
    for (size_t i = 0; i < splits; ++i) {
      RecordRange range{.block = block,
                        .begin = records * i / splits,
                        .end = records * (i + 1) / splits,
                        .loaded_at = context.clock->Now()};
      plan->splits.push_back(
          {.label = options_.topic,
           .bytes = ByteCount(plan->bytes.value() / static_cast<int64_t>(splits)),
           .payload = std::move(range)});
    }
  }

  const KafkaOptions options_;
  const Resources resources_;
  std::unique_ptr<io::KafkaConsumer> consumer_;
  PlanOptions plan_options_;
};

constexpr std::string_view kDetails = R"(## How far it was read

The offset behind the last record of each partition is in the snapshot that holds the rows, and nowhere else that matters: a table that is rolled back
reads on from there. A consumer group is told of it afterwards, for tools that watch its lag.

A run takes what the topic has, 64 MB at most, or a quarter of the memory that it has for rows; the next run goes on there.

## Records that are no rows

A value that is no JSON object, one that does not fit its column, a tombstone (no value): they go to quarantine with their partition and offset.
Columns of `headers` tell values that are no UTF-8 as null.
)";

}  // namespace
}  // namespace kafka

CALVE_PART(kafka) {
  registry.Add({.type = "kafka",
                .meaning = "Topics of Kafka",
                .part = config::MakePart<kafka::KafkaOptions>("kafka"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Source>> {
                  CALVE_ASSIGN_OR_RETURN(auto options,
                                         kafka::KafkaOptions::Declaration().Parse(node));
                  return std::make_unique<kafka::KafkaSource>(std::move(options), resources);
                },
                .details = std::string(kafka::kDetails)});
}

}  // namespace calve::source
