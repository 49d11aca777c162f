#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "stream/webhook.h"

namespace calve::stream {

/// Where the door puts events: on disk, or to a broker, before it answers. Threads: any.
class Sink {
 public:
  /// Told once, when all are durable, or why they are not.
  using Done = std::function<void(Status)>;

  virtual ~Sink() = default;
  /// Take events of one topic, all or none. `done` is called on any thread, also before this
  /// returns.
  virtual void Append(const std::string& topic, std::vector<Event> events, Timestamp arrived,
                      Done done) = 0;
  /// What was given and is not yet durable.
  virtual ByteCount waiting() const = 0;
  /// What there is room for.
  virtual Result<ByteCount> Room() const = 0;
  /// Tell the ids of the events that came last, oldest first, at most about `count`.
  virtual Status Recall(
      int64_t count,
      const std::function<void(const std::string& topic, const std::string& id)>& tell) const = 0;
};

}  // namespace calve::stream
