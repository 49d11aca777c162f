#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "source/source.h"

namespace calve::source::kafka {

/// How far the partitions of a topic were read.
struct TopicPosition {
  std::string topic;
  std::string id;  ///< The topic's; another one when it was made anew. "": not known.
  std::map<int32_t, int64_t> next;  ///< By partition: the offset behind the last that was read.

  Position Print() const;
  /// Fails with kData when it is of another source, kRefused when of another topic.
  static Result<TopicPosition> Parse(const Position& position, const std::string& topic);
};

}  // namespace calve::source::kafka
