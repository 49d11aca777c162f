#include "stream/inbox_sink.h"

#include <algorithm>
#include <utility>

#include "inbox/reader.h"
#include "io/plain_file.h"

namespace calve::stream {
namespace {

struct Recalled {
  Timestamp arrived;
  std::string topic;
  std::string id;
};

/// Add the last `count` ids of a topic.
Status AddLast(const std::string& folder, const std::string& topic, int64_t count,
               std::vector<Recalled>& out) {
  CALVE_ASSIGN_OR_RETURN(const inbox::Extent extent, inbox::Reader(folder, 0).Measure());
  inbox::Reader reader(folder, std::max(extent.first, extent.end - count));
  while (true) {
    CALVE_ASSIGN_OR_RETURN(std::optional<inbox::Record> record, reader.Next());
    if (!record.has_value()) return Status::Ok();
    if (!record->key.empty()) out.push_back({record->arrived, topic, std::move(record->key)});
  }
}

}  // namespace

Result<std::unique_ptr<InboxSink>> InboxSink::Open(const std::string& inbox) {
  CALVE_RETURN_IF_ERROR(io::MakeFolder(inbox));
  std::unique_ptr<InboxSink> sink(new InboxSink(inbox));
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> topics, inbox::TopicsIn(inbox));
  for (const std::string& topic : topics) CALVE_RETURN_IF_ERROR(sink->WriterOf(topic));
  return sink;
}

Result<inbox::Writer*> InboxSink::WriterOf(const std::string& topic) {
  std::lock_guard lock(mutex_);
  std::unique_ptr<inbox::Writer>& writer = writers_[topic];
  if (writer == nullptr) {
    CALVE_ASSIGN_OR_RETURN(writer, inbox::Writer::Open(inbox_ + "/" + topic));
  }
  return writer.get();
}

void InboxSink::Append(const std::string& topic, std::vector<Event> events, Timestamp arrived,
                       Done done) {
  const Result<inbox::Writer*> writer = WriterOf(topic);
  if (!writer.ok()) {
    done(writer.status());
    return;
  }
  std::vector<inbox::Record> records;
  records.reserve(events.size());
  for (Event& event : events) {
    records.push_back({.arrived = arrived,
                       .key = std::move(event.id),
                       .headers = {{kTopicHeader, std::move(event.webhook_topic)},
                                   {kProviderHeader, std::move(event.provider)}},
                       .body = std::move(event.body)});
  }
  (*writer)->Append(std::move(records), [done = std::move(done)](const Result<int64_t>& first) {
    done(first.status());
  });
}

ByteCount InboxSink::waiting() const {
  std::lock_guard lock(mutex_);
  ByteCount waiting(0);
  for (const auto& [topic, writer] : writers_) {
    if (writer != nullptr) waiting += writer->waiting();
  }
  return waiting;
}

Result<ByteCount> InboxSink::Room() const { return io::FreeBytes(inbox_); }

Status InboxSink::Recall(
    int64_t count,
    const std::function<void(const std::string& topic, const std::string& id)>& tell) const {
  std::vector<Recalled> all;
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> topics, inbox::TopicsIn(inbox_));
  for (const std::string& topic : topics)
    CALVE_RETURN_IF_ERROR(AddLast(inbox_ + "/" + topic, topic, count, all));
  std::stable_sort(all.begin(), all.end(),
                   [](const Recalled& a, const Recalled& b) { return a.arrived < b.arrived; });
  const size_t skipped = all.size() - std::min(all.size(), static_cast<size_t>(count));
  for (size_t i = skipped; i < all.size(); ++i) tell(all[i].topic, all[i].id);
  return Status::Ok();
}

}  // namespace calve::stream
