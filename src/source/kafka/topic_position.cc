#include "source/kafka/topic_position.h"

#include <nlohmann/json.hpp>

namespace calve::source::kafka {
namespace {

using nlohmann::json;
constexpr std::string_view kKind = "kafka";

}  // namespace

Position TopicPosition::Print() const {
  // An array is shorter than an object: a position has little room. Partitions count from 0.
  json offsets = json::array();
  for (const auto& [partition, offset] : next) {
    while (offsets.size() < static_cast<size_t>(partition)) offsets.push_back(nullptr);
    offsets.push_back(offset);
  }
  return {.state = json{{"version", 1},
                        {"kind", kKind},
                        {"topic", topic},
                        {"topic_id", id},
                        {"offsets", std::move(offsets)}}
                       .dump(),
          .ledger = {}};
}

Result<TopicPosition> TopicPosition::Parse(const Position& position, const std::string& topic) {
  const json state = json::parse(position.state, nullptr, /*allow_exceptions=*/false);
  const bool is_ours =
      state.is_object() && state.value("version", json()) == 1 &&
      state.value("kind", json()) == kKind && state.value("topic", json()).is_string() &&
      state.value("topic_id", json()).is_string() && state.value("offsets", json()).is_array();
  if (!is_ours) {
    return DataError(
        "the position in the table is not that of a Kafka topic; give the job another name, or "
        "load into another table");
  }
  TopicPosition parsed{.topic = state["topic"].get<std::string>(),
                       .id = state["topic_id"].get<std::string>(),
                       .next = {}};
  if (parsed.topic != topic) {
    return RefusedError("the table holds the position of topic " + parsed.topic +
                        ", but the source names " + topic +
                        "; give the job another name to read that one from its start");
  }
  int32_t partition = 0;
  for (const json& offset : state["offsets"]) {
    if (offset.is_number_integer()) {
      parsed.next[partition] = offset.get<int64_t>();
    } else if (!offset.is_null()) {
      return DataError("the position in the table is damaged: " + offset.dump() +
                       " is no offset; roll the table back to a snapshot whose position can be "
                       "read");
    }
    ++partition;
  }
  return parsed;
}

}  // namespace calve::source::kafka
