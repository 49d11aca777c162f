#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/option.h"
#include "io/kafka.h"
#include "io/kafka_address.h"

namespace calve::source::kafka {

/// What a record's value is.
enum class Format { kJson, kRaw };
config::Names<Format> NamesOf(Format);

/// What a column tells of a record beside its value.
enum class Fact {
  kTopic,
  kPartition,
  kOffset,
  kTimestamp,
  kKey,
  kHeaders,
  kHeader,
  kLoadedAt,
};

/// A column with a fact of each record.
struct FactColumn {
  std::string name;
  Fact fact = Fact::kTopic;
  std::string header;  ///< With kHeader: which.
};

/// The kafka source's options.
struct KafkaOptions : io::KafkaAddress {
  enum class Start { kEarliest, kLatest };
  enum class OnOutOfRange { kFail, kEarliest, kLatest };
  enum class OnRecreated { kFail, kRestart };

  std::string topic;
  std::string group;
  Format format = Format::kJson;
  std::map<std::string, std::string> types;
  std::map<std::string, std::string> metadata = {
      {"_topic", "topic"}, {"_partition", "partition"}, {"_offset", "offset"}};
  Start start = Start::kEarliest;
  OnOutOfRange on_out_of_range = OnOutOfRange::kFail;
  OnRecreated on_recreated = OnRecreated::kFail;
  bool read_uncommitted = false;

  static config::Shape<KafkaOptions> Declaration();
  /// The columns that `metadata` asks for, by their names.
  std::vector<FactColumn> Facts() const;
  /// How to read the topic; `folder` is where relative paths begin.
  io::KafkaConsumerOptions Consumer(const std::string& folder) const;
};

config::Names<KafkaOptions::Start> NamesOf(KafkaOptions::Start);
config::Names<KafkaOptions::OnOutOfRange> NamesOf(KafkaOptions::OnOutOfRange);
config::Names<KafkaOptions::OnRecreated> NamesOf(KafkaOptions::OnRecreated);

}  // namespace calve::source::kafka
