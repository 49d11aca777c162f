#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strong.h"
#include "io/kafka.h"

namespace calve::source::kafka {

/// Records of one topic, kept in memory from when they were read until they are rows.
class RecordBlock {
 public:
  struct Record {
    int32_t partition = 0;
    int64_t offset = 0;
    int64_t timestamp_ms = -1;
    bool has_key = false;
    bool has_value = false;
    std::string_view key;
    std::string_view value;
    std::string_view headers;  ///< As JSON; empty when there are none.
  };

  void Add(const io::KafkaRecord& record);
  void Clear();
  const std::vector<Record>& records() const { return records_; }
  /// What it takes of memory, about.
  ByteCount bytes() const {
    return ByteCount(bytes_ + static_cast<int64_t>(records_.size() * sizeof(Record)));
  }

 private:
  /// Copy a text to where it stays.
  std::string_view Keep(std::string_view text);

  std::vector<std::unique_ptr<char[]>> chunks_;  // NOLINT(modernize-avoid-c-arrays)
  size_t left_ = 0;                              ///< In the last chunk.
  char* at_ = nullptr;
  int64_t bytes_ = 0;
  std::vector<Record> records_;
};

}  // namespace calve::source::kafka
