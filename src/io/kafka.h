#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"

namespace calve::io {

/// A record of a topic, good while it is being looked at.
struct KafkaRecord {
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = -1;  ///< Since 1970; -1: the record has none.
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  ///< None: a tombstone.
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

/// What a consumer does where the broker has no record of the offset that it asks for: older ones
/// were removed, or the topic was made anew.
enum class KafkaReset { kFail, kEarliest, kLatest };

struct KafkaConsumerOptions {
  std::map<std::string, std::string> settings;  ///< Of librdkafka.
  std::string topic;
  std::string group;  ///< Shares the partitions with others of the group; empty: reads all.
  bool read_committed = true;
  bool headers = false;  ///< Whether records are wanted with their headers.
  KafkaReset on_out_of_range = KafkaReset::kFail;
  KafkaReset start = KafkaReset::kEarliest;  ///< Where nothing else is said; not kFail.
  ByteCount prefetch_max{16 << 20};
};

/// Reads one topic from where it is told, over librdkafka; never from where the broker thinks that
/// it was. For one thread.
///
/// Errors: kTransient when the cluster cannot be reached, kNotFound when the topic is not there,
/// kRefused when the cluster says no (rights) or has no record of an offset, kConfig for settings
/// that librdkafka does not take.
class KafkaConsumer {
 public:
  static Result<std::unique_ptr<KafkaConsumer>> Open(KafkaConsumerOptions options);
  ~KafkaConsumer();

  struct Topic {
    std::string id;  ///< Another one when it was deleted and made anew; "" from old brokers.
    int partitions = 0;
  };
  Result<Topic> Describe(const Context& context);
  /// The first offset of a partition that is there, and the one behind its last.
  Result<std::pair<int64_t, int64_t>> Ends(const Context& context, int32_t partition);

  /// Where to go on, by partition. One that is not named begins where the options say, or with the
  /// record that was given first; once some are named, at its start. Partitions that stand elsewhere
  /// are read again from there.
  Status GoOnAt(const Context& context, const std::map<int32_t, int64_t>& offsets);

  /// Wait up to `longest` for records and give them, those of a partition in their order; ends early
  /// once `take` was content to have had some (false), with what came along.
  Status Poll(const Context& context, Duration longest,
              const std::function<bool(const KafkaRecord& record)>& take);

  struct Partition {
    int64_t next = -1;    ///< The offset to be read next; -1: not known yet.
    bool at_end = false;  ///< Nothing stood behind it when the broker was asked last.
    int64_t first = -1;   ///< Of the records that were given since it was assigned; -1: none was.
  };
  /// Those that are this consumer's now.
  const std::map<int32_t, Partition>& partitions() const { return partitions_; }
  /// Counts up whenever partitions are taken away.
  int64_t revocations() const { return revocations_; }
  /// What was lost, one sentence each, since it was asked last: records that the broker removed
  /// before they were read.
  std::vector<std::string> TakeLosses() { return std::exchange(losses_, {}); }

  /// Tell the group how far it is, for tools that watch it. Nothing depends on it.
  void TellGroup(const std::map<int32_t, int64_t>& offsets);

 private:
  struct Handle;
  struct Callbacks;
  explicit KafkaConsumer(KafkaConsumerOptions options);
  Status Subscribe();
  int64_t StartOf(int32_t partition) const;
  /// Take one message as librdkafka gives it: a record, the end of a partition, or an error.
  Status Take(void* message, const std::function<bool(const KafkaRecord& record)>& take,
              bool* content);
  Status Reset(int32_t partition, const std::string& why);
  Status Seek(const Context& context, int32_t partition, int64_t offset);
  /// Fetch all partitions from where each is to be read next; the one that `sought` names from there.
  Status FetchAll(std::optional<std::pair<int32_t, int64_t>> sought);

  const KafkaConsumerOptions options_;
  std::unique_ptr<Handle> handle_;
  std::map<int32_t, Partition> partitions_;
  std::map<int32_t, int64_t> go_on_at_;
  int64_t revocations_ = 0;
  std::optional<std::vector<int32_t>> given_;  ///< By the group, not yet being fetched.
  std::vector<std::string> losses_;
  std::string broker_error_;  ///< The last one, for messages.
};

/// Writes records to topics: each in its partition once, in order, and acknowledged by all replicas
/// (an idempotent producer). Threads: any.
class KafkaProducer {
 public:
  /// Fails with kConfig for settings that librdkafka does not take.
  static Result<std::unique_ptr<KafkaProducer>> Open(std::map<std::string, std::string> settings);
  ~KafkaProducer();

  /// Hand over a record; waits while too many are on their way. It is there once Flush says so. Its
  /// partition is told by its key, without one by chance; `record.partition` and `offset` say nothing.
  Status Produce(const Context& context, const std::string& topic, const KafkaRecord& record);
  /// Wait until all that was handed over is acknowledged. Fails with kTransient when some of it was
  /// not and never will be: it may be there or not.
  Status Flush(const Context& context);
  /// Make a topic; nothing happens when it is there.
  Status MakeTopic(const Context& context, const std::string& topic, int partitions);
  /// Delete a topic; nothing happens when it is not there.
  Status DeleteTopic(const Context& context, const std::string& topic);

 private:
  struct Handle;
  explicit KafkaProducer(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

}  // namespace calve::io
