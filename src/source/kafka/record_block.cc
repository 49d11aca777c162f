#include "source/kafka/record_block.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace calve::source::kafka {
namespace {

constexpr size_t kChunkBytes = 1 << 20;

std::string HeadersAsJson(const io::KafkaRecord& record) {
  std::string json;
  for (const auto& [name, value] : record.headers) {
    json += (json.empty() ? "{" : ", ") + Quote(name) + ": " +
            (IsValidUtf8(value) ? Quote(value) : "null");
  }
  return json.empty() ? json : json + "}";
}

}  // namespace

std::string_view RecordBlock::Keep(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > left_) {
    const size_t size = std::max(kChunkBytes, text.size());
    chunks_.emplace_back(new char[size]);
    at_ = chunks_.back().get();
    left_ = size;
    bytes_ += static_cast<int64_t>(size);
  }
  std::memcpy(at_, text.data(), text.size());
  const std::string_view kept(at_, text.size());
  at_ += text.size();
  left_ -= text.size();
  return kept;
}

void RecordBlock::Add(const io::KafkaRecord& record) {
  Record kept{.partition = record.partition,
              .offset = record.offset,
              .timestamp_ms = record.timestamp_ms,
              .has_key = record.key.has_value(),
              .has_value = record.value.has_value()};
  kept.key = Keep(record.key.value_or(""));
  kept.value = Keep(record.value.value_or(""));
  if (!record.headers.empty()) kept.headers = Keep(HeadersAsJson(record));
  records_.push_back(kept);
}

void RecordBlock::Clear() {
  chunks_.clear();
  left_ = 0;
  at_ = nullptr;
  bytes_ = 0;
  records_.clear();
}

}  // namespace calve::source::kafka
