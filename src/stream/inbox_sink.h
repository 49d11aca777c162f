#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "inbox/writer.h"
#include "stream/sink.h"

namespace calve::stream {

/// The names of the headers of a record in the inbox.
inline constexpr const char* kTopicHeader = "topic";
inline constexpr const char* kProviderHeader = "provider";

/// Puts events into an inbox on this machine's disk, each topic in a folder of its name.
class InboxSink : public Sink {
 public:
  /// Fails when another process writes one of the topics, or one of them is broken.
  static Result<std::unique_ptr<InboxSink>> Open(const std::string& inbox);

  void Append(const std::string& topic, std::vector<Event> events, Timestamp arrived,
              Done done) override;
  ByteCount waiting() const override;
  Result<ByteCount> Room() const override;
  Status Recall(int64_t count,
                const std::function<void(const std::string& topic, const std::string& id)>& tell)
      const override;

 private:
  explicit InboxSink(std::string inbox) : inbox_(std::move(inbox)) {}
  Result<inbox::Writer*> WriterOf(const std::string& topic);

  const std::string inbox_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<inbox::Writer>> writers_;  ///< By topic.
};

}  // namespace calve::stream
