#include "io/kafka.h"

#include <rdkafka.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "base/retry.h"
#include "base/text.h"

namespace calve::io {
namespace {

constexpr int kAnswerMs = 15'000;
constexpr int kPollMs = 100;
constexpr size_t kBatch = 1024;
constexpr int kSeeksMax = 50;

std::string TextOf(rd_kafka_resp_err_t error) { return rd_kafka_err2str(error); }

struct Free {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_AdminOptions_t* options) const {
    rd_kafka_AdminOptions_destroy(options);
  }
  void operator()(rd_kafka_TopicCollection_t* topics) const {
    rd_kafka_TopicCollection_destroy(topics);
  }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
  void operator()(rd_kafka_DeleteTopic_t* topic) const { rd_kafka_DeleteTopic_destroy(topic); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

bool IsRight(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         error == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
         error == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED ||
         error == RD_KAFKA_RESP_ERR__AUTHENTICATION;
}

bool IsMissing(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
         error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

Result<Owned<rd_kafka_conf_t>> MakeConf(const std::map<std::string, std::string>& settings) {
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  for (const auto& [name, value] : settings) {
    std::array<char, 512> why{};
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size()) !=
        RD_KAFKA_CONF_OK)
      return ConfigError("Kafka: " + std::string(why.data()));
  }
  return conf;
}

std::map<std::string, std::string> SettingsOf(const KafkaConsumerOptions& options) {
  std::map<std::string, std::string> settings = {
      {"fetch.queue.backoff.ms", "5"},
      {"queued.max.messages.kbytes", std::to_string(options.prefetch_max.value() / 1024)},
      {"partition.assignment.strategy", "range"},
      {"log_level", "3"},
  };
  for (const auto& [name, value] : options.settings) settings[name] = value;
  // What the promise of each row once stands on.
  settings["enable.auto.commit"] = "false";
  settings["enable.auto.offset.store"] = "false";
  settings["auto.offset.reset"] = "error";
  settings["enable.partition.eof"] = "true";
  settings["isolation.level"] = options.read_committed ? "read_committed" : "read_uncommitted";
  settings["group.id"] = options.group.empty() ? "calve" : options.group;
  return settings;
}

KafkaRecord RecordOf(const rd_kafka_message_t& message, bool with_headers) {
  KafkaRecord record;
  record.partition = message.partition;
  record.offset = message.offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const int64_t timestamp = rd_kafka_message_timestamp(&message, &type);
  if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.timestamp_ms = timestamp;
  if (message.key != nullptr)
    record.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr)
    record.value.emplace(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (!with_headers || rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return record;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    record.headers.emplace_back(name, std::string_view(static_cast<const char*>(value), size));
  return record;
}

}  // namespace

/// What librdkafka has, in the order in which it is taken down.
struct KafkaConsumer::Handle {
  rd_kafka_t* client = nullptr;
  Owned<rd_kafka_queue_t> queue;

  ~Handle() {
    queue.reset();
    if (client == nullptr) return;
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
  }
};

/// Called while a consumer polls, in its thread; `opaque` is the consumer.
struct KafkaConsumer::Callbacks {
  static void Rebalance(rd_kafka_t* client, rd_kafka_resp_err_t what,
                        rd_kafka_topic_partition_list_t* list, void* opaque) {
    auto& consumer = *static_cast<KafkaConsumer*>(opaque);
    consumer.given_.reset();
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      // Not here: records from before may have been taken out already, and would seem to follow.
      consumer.given_.emplace();
      for (int i = 0; i < list->cnt; ++i) consumer.given_->push_back(list->elems[i].partition);
      return;
    }
    consumer.partitions_.clear();
    ++consumer.revocations_;
    rd_kafka_assign(client, nullptr);
  }

  static void Fault(rd_kafka_t*, int error, const char* reason, void* opaque) {
    auto& consumer = *static_cast<KafkaConsumer*>(opaque);
    consumer.broker_error_ = TextOf(static_cast<rd_kafka_resp_err_t>(error)) + ": " + reason;
  }

  static void Log(const rd_kafka_t*, int, const char*, const char*) {}
};

KafkaConsumer::KafkaConsumer(KafkaConsumerOptions options)
    : options_(std::move(options)), handle_(std::make_unique<Handle>()) {}

KafkaConsumer::~KafkaConsumer() { handle_.reset(); }  // It calls back while it closes.

Result<std::unique_ptr<KafkaConsumer>> KafkaConsumer::Open(KafkaConsumerOptions options) {
  std::unique_ptr<KafkaConsumer> consumer(new KafkaConsumer(std::move(options)));
  CALVE_ASSIGN_OR_RETURN(Owned<rd_kafka_conf_t> conf, MakeConf(SettingsOf(consumer->options_)));
  rd_kafka_conf_set_opaque(conf.get(), consumer.get());
  rd_kafka_conf_set_error_cb(conf.get(), &Callbacks::Fault);
  rd_kafka_conf_set_log_cb(conf.get(), &Callbacks::Log);
  if (!consumer->options_.group.empty())
    rd_kafka_conf_set_rebalance_cb(conf.get(), &Callbacks::Rebalance);
  std::array<char, 512> why{};
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), why.data(), why.size());
  if (client == nullptr) return ConfigError("Kafka: " + std::string(why.data()));
  (void)conf.release();  // The client's now.
  consumer->handle_->client = client;
  rd_kafka_poll_set_consumer(client);
  consumer->handle_->queue.reset(rd_kafka_queue_get_consumer(client));
  if (!consumer->options_.group.empty()) CALVE_RETURN_IF_ERROR(consumer->Subscribe());
  return consumer;
}

Status KafkaConsumer::Subscribe() {
  const Owned<rd_kafka_topic_partition_list_t> topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), options_.topic.c_str(), RD_KAFKA_PARTITION_UA);
  const auto error = rd_kafka_subscribe(handle_->client, topics.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::Ok();
  return ConfigError("Kafka: cannot subscribe to topic " + options_.topic + ": " + TextOf(error));
}

Result<KafkaConsumer::Topic> KafkaConsumer::Describe(const Context& context) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  const std::string name =
      "topic " + options_.topic + " at " + options_.settings.at("bootstrap.servers");
  const char* const names[] = {options_.topic.c_str()};
  const Owned<rd_kafka_TopicCollection_t> topics(
      rd_kafka_TopicCollection_of_topic_names(const_cast<const char**>(names), 1));
  const Owned<rd_kafka_AdminOptions_t> how(
      rd_kafka_AdminOptions_new(handle_->client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS));
  std::array<char, 256> why{};
  rd_kafka_AdminOptions_set_request_timeout(how.get(), kAnswerMs, why.data(), why.size());
  const Owned<rd_kafka_queue_t> answers(rd_kafka_queue_new(handle_->client));
  rd_kafka_DescribeTopics(handle_->client, topics.get(), how.get(), answers.get());
  const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(answers.get(), kAnswerMs + 1000));
  if (answer == nullptr || rd_kafka_event_error(answer.get()) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    return TransientError("no broker answered in " + std::to_string(kAnswerMs / 1000) +
                          " seconds, asked for " + name +
                          "; see that `brokers` names servers that can be reached from here, and "
                          "that security_protocol is theirs" +
                          (broker_error_.empty() ? "" : " (" + broker_error_ + ")"));
  }
  if (rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return TransientError("cannot ask for " + name + ": " +
                          rd_kafka_event_error_string(answer.get()));
  size_t count = 0;
  const auto** const found = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(answer.get()), &count);
  if (count != 1) return TransientError("cannot ask for " + name + ": the answer is of no topic");
  const rd_kafka_error_t* const error = rd_kafka_TopicDescription_error(found[0]);
  if (const auto code = rd_kafka_error_code(error); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const std::string said = name + ": " + rd_kafka_error_string(error);
    if (IsMissing(code)) return NotFoundError(name + " is not there");
    return IsRight(code) ? RefusedError(said) : TransientError(said);
  }
  size_t partitions = 0;
  rd_kafka_TopicDescription_partitions(found[0], &partitions);
  const rd_kafka_Uuid_t* const id = rd_kafka_TopicDescription_topic_id(found[0]);
  const bool has_id = id != nullptr && (rd_kafka_Uuid_least_significant_bits(id) != 0 ||
                                        rd_kafka_Uuid_most_significant_bits(id) != 0);
  Topic topic{.id = has_id ? rd_kafka_Uuid_base64str(id) : "",
              .partitions = static_cast<int>(partitions)};
  // Without a group they are all read, and those that come later too.
  const auto known = static_cast<int>(partitions_.size());
  if (!options_.group.empty() || known == topic.partitions) return topic;
  for (int32_t partition = known; partition < topic.partitions; ++partition)
    partitions_[partition] = {};
  CALVE_RETURN_IF_ERROR(FetchAll(std::nullopt));
  return topic;
}

Result<std::pair<int64_t, int64_t>> KafkaConsumer::Ends(const Context& context, int32_t partition) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  int64_t first = 0;
  int64_t end = 0;
  const auto error = rd_kafka_query_watermark_offsets(handle_->client, options_.topic.c_str(),
                                                      partition, &first, &end, kAnswerMs);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return std::pair(first, end);
  return TransientError("cannot ask for the ends of topic " + options_.topic + " partition " +
                        std::to_string(partition) + ": " + TextOf(error));
}

int64_t KafkaConsumer::StartOf(int32_t partition) const {
  const auto known = go_on_at_.find(partition);
  if (known != go_on_at_.end()) return known->second;
  // A partition that came later is read from its beginning.
  return !go_on_at_.empty() || options_.start != KafkaReset::kLatest ? RD_KAFKA_OFFSET_BEGINNING
                                                                     : RD_KAFKA_OFFSET_END;
}

Status KafkaConsumer::GoOnAt(const Context& context, const std::map<int32_t, int64_t>& offsets) {
  go_on_at_ = offsets;
  for (auto& [number, partition] : partitions_) {
    const auto named = offsets.find(number);
    const int64_t wanted = named == offsets.end() ? partition.first : named->second;
    if (wanted < 0 || wanted == partition.next) continue;
    CALVE_RETURN_IF_ERROR(Seek(context, number, wanted));
  }
  return Status::Ok();
}

Status KafkaConsumer::Seek(const Context& context, int32_t partition, int64_t offset) {
  const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
  auto* const sought =
      rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition);
  for (int tries = 0; tries < kSeeksMax; ++tries) {
    sought->offset = offset;
    const Owned<rd_kafka_error_t> error(
        rd_kafka_seek_partitions(handle_->client, list.get(), kAnswerMs));
    const auto code = error != nullptr ? rd_kafka_error_code(error.get()) : sought->err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      partitions_[partition] = {.next = std::max<int64_t>(offset, -1)};
      return Status::Ok();
    }
    if (code != RD_KAFKA_RESP_ERR__STATE) {
      return TransientError("Kafka: cannot go to offset " + std::to_string(offset) + " of topic " +
                            options_.topic + " partition " + std::to_string(partition) + ": " +
                            TextOf(code));
    }
    CALVE_RETURN_IF_ERROR(Sleep(context, std::chrono::milliseconds(kPollMs)));  // It begins.
  }
  return FetchAll(std::pair(partition, offset));
}

Status KafkaConsumer::FetchAll(std::optional<std::pair<int32_t, int64_t>> sought) {
  const Owned<rd_kafka_topic_partition_list_t> list(
      rd_kafka_topic_partition_list_new(static_cast<int>(partitions_.size())));
  for (auto& [number, partition] : partitions_) {
    int64_t offset = partition.next >= 0 ? partition.next : StartOf(number);
    if (sought.has_value() && sought->first == number) offset = sought->second;
    partition = {.next = std::max<int64_t>(offset, -1), .first = partition.first};
    rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), number)->offset = offset;
  }
  const auto error = rd_kafka_assign(handle_->client, list.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::Ok();
  return TransientError("Kafka: cannot read topic " + options_.topic + ": " + TextOf(error));
}

Status KafkaConsumer::Reset(int32_t partition, const std::string& why) {
  const std::string place = "topic " + options_.topic + " partition " + std::to_string(partition);
  const int64_t next = partitions_[partition].next;
  if (options_.on_out_of_range == KafkaReset::kFail) {
    return RefusedError(place + " has no record at offset " + std::to_string(next) +
                        ", where reading is to go on: older records were removed before they were "
                        "read, or the topic was made anew (" +
                        why + "); to go on without them set on_out_of_range: earliest or latest");
  }
  const bool to_first = options_.on_out_of_range == KafkaReset::kEarliest;
  losses_.push_back(place + " has no record at offset " + std::to_string(next) +
                    "; reading goes on at its " + (to_first ? "first one" : "end"));
  return FetchAll(
      std::pair(partition, int64_t{to_first ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END}));
}

Status KafkaConsumer::Take(void* taken, const std::function<bool(const KafkaRecord&)>& take,
                           bool* content) {
  const auto& message = *static_cast<const rd_kafka_message_t*>(taken);
  const auto found = partitions_.find(message.partition);
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    // From before a partition was taken away, or before it was sought elsewhere.
    if (found == partitions_.end() || message.offset < found->second.next) return Status::Ok();
    found->second.next = message.offset + 1;
    found->second.at_end = false;
    if (found->second.first < 0) found->second.first = message.offset;
    if (!take(RecordOf(message, options_.headers))) *content = true;
    return Status::Ok();
  }
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    if (found == partitions_.end() || message.offset < found->second.next) return Status::Ok();
    found->second.next = message.offset;
    found->second.at_end = true;
    return Status::Ok();
  }
  const std::string said = rd_kafka_message_errstr(&message);
  if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
    return found == partitions_.end() ? Status::Ok() : Reset(message.partition, said);
  }
  const std::string about = "topic " + options_.topic + ": " + said;
  if (IsRight(message.err)) return RefusedError(about);
  if (IsMissing(message.err)) return NotFoundError(about);
  broker_error_ = said;  // librdkafka tries again.
  return Status::Ok();
}

Status KafkaConsumer::Poll(const Context& context, Duration longest,
                           const std::function<bool(const KafkaRecord&)>& take) {
  const Duration until = context.clock->Monotonic() + longest;
  std::array<rd_kafka_message_t*, kBatch> messages{};
  bool content = false;
  while (!content) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - context.clock->Monotonic());
    if (left.count() <= 0) return Status::Ok();
    const ssize_t count = rd_kafka_consume_batch_queue(
        handle_->queue.get(), static_cast<int>(std::min<int64_t>(left.count(), kPollMs)),
        messages.data(), messages.size());
    Status taken;
    for (ssize_t i = 0; i < count; ++i) {
      const Owned<rd_kafka_message_t> message(messages[static_cast<size_t>(i)]);
      if (taken.ok()) taken = Take(message.get(), take, &content);
    }
    CALVE_RETURN_IF_ERROR(taken);
    if (!given_.has_value()) continue;
    partitions_.clear();
    for (const int32_t partition : *given_) partitions_[partition] = {};
    given_.reset();
    CALVE_RETURN_IF_ERROR(FetchAll(std::nullopt));
  }
  return Status::Ok();
}

void KafkaConsumer::TellGroup(const std::map<int32_t, int64_t>& offsets) {
  if (options_.group.empty() || offsets.empty()) return;
  const Owned<rd_kafka_topic_partition_list_t> list(
      rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [partition, offset] : offsets)
    rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition)->offset =
        offset;
  rd_kafka_commit(handle_->client, list.get(), /*async=*/1);
}

/// What librdkafka has, and what it has said of records that are on their way.
struct KafkaProducer::Handle {
  rd_kafka_t* client = nullptr;
  std::mutex mutex;
  std::string failed;  ///< Of the first record that was not acknowledged since the last flush.

  ~Handle() {
    if (client != nullptr) rd_kafka_destroy(client);
  }

  static void Delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    auto& handle = *static_cast<Handle*>(opaque);
    const std::lock_guard lock(handle.mutex);
    if (handle.failed.empty())
      handle.failed = std::string(rd_kafka_topic_name(message->rkt)) + ": " + TextOf(message->err);
  }
  static void Log(const rd_kafka_t*, int, const char*, const char*) {}

  /// Wait for the one topic of an answer to a request for topics; `there` is no fault.
  Status Await(rd_kafka_queue_t* answers, const std::string& topic, rd_kafka_resp_err_t there) {
    const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(answers, kAnswerMs));
    if (answer == nullptr || rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
      return TransientError("Kafka: no answer about topic " + topic);
    size_t count = 0;
    const rd_kafka_topic_result_t** const results =
        rd_kafka_event_type(answer.get()) == RD_KAFKA_EVENT_CREATETOPICS_RESULT
            ? rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer.get()),
                                                  &count)
            : rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(answer.get()),
                                                  &count);
    if (count != 1) return TransientError("Kafka: no answer about topic " + topic);
    const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[0]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == there) return Status::Ok();
    return RefusedError("Kafka: topic " + topic + ": " + TextOf(error));
  }
};

KafkaProducer::KafkaProducer(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}

KafkaProducer::~KafkaProducer() = default;

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::Open(
    std::map<std::string, std::string> settings) {
  settings.emplace("linger.ms", "5");
  settings.emplace("log_level", "3");
  settings["enable.idempotence"] = "true";
  settings["acks"] = "all";
  auto handle = std::make_unique<Handle>();
  CALVE_ASSIGN_OR_RETURN(Owned<rd_kafka_conf_t> conf, MakeConf(settings));
  rd_kafka_conf_set_opaque(conf.get(), handle.get());
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &Handle::Delivered);
  rd_kafka_conf_set_log_cb(conf.get(), &Handle::Log);
  std::array<char, 512> why{};
  handle->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), why.data(), why.size());
  if (handle->client == nullptr) return ConfigError("Kafka: " + std::string(why.data()));
  (void)conf.release();  // The client's now.
  return std::unique_ptr<KafkaProducer>(new KafkaProducer(std::move(handle)));
}

Status KafkaProducer::Produce(const Context& context, const std::string& topic,
                              const KafkaRecord& record) {
  rd_kafka_headers_t* headers =
      record.headers.empty() ? nullptr : rd_kafka_headers_new(record.headers.size());
  for (const auto& [name, value] : record.headers)
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  while (true) {
    const std::string_view value = record.value.value_or(std::string_view());
    const std::string_view key = record.key.value_or(std::string_view());
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        handle_->client, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE(record.value.has_value() ? const_cast<char*>(value.data()) : nullptr,
                         value.size()),
        RD_KAFKA_V_KEY(record.key.has_value() ? key.data() : nullptr, key.size()),
        RD_KAFKA_V_TIMESTAMP(std::max<int64_t>(record.timestamp_ms, 0)),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_poll(handle_->client, 0);
      return Status::Ok();
    }
    const bool is_full = error == RD_KAFKA_RESP_ERR__QUEUE_FULL;
    Status stopped = context.CheckStop();
    if (is_full && stopped.ok()) {
      rd_kafka_poll(handle_->client, kPollMs);
      continue;
    }
    if (headers != nullptr) rd_kafka_headers_destroy(headers);
    CALVE_RETURN_IF_ERROR(stopped);
    return RefusedError("Kafka: topic " + topic + ": " + TextOf(error));
  }
}

Status KafkaProducer::Flush(const Context& context) {
  while (rd_kafka_flush(handle_->client, kPollMs) == RD_KAFKA_RESP_ERR__TIMED_OUT)
    CALVE_RETURN_IF_ERROR(context.CheckStop());
  const std::lock_guard lock(handle_->mutex);
  const std::string failed = std::exchange(handle_->failed, {});
  if (failed.empty()) return Status::Ok();
  return TransientError("records were not acknowledged by Kafka: " + failed);
}

Status KafkaProducer::MakeTopic(const Context& context, const std::string& topic, int partitions) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  std::array<char, 256> why{};
  const Owned<rd_kafka_NewTopic_t> wanted(rd_kafka_NewTopic_new(
      topic.c_str(), partitions, /*replication_factor=*/-1, why.data(), why.size()));
  if (wanted == nullptr) return ConfigError("Kafka: topic " + topic + ": " + why.data());
  const Owned<rd_kafka_queue_t> answers(rd_kafka_queue_new(handle_->client));
  rd_kafka_NewTopic_t* all[] = {wanted.get()};
  rd_kafka_CreateTopics(handle_->client, all, 1, nullptr, answers.get());
  return handle_->Await(answers.get(), topic, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
}

Status KafkaProducer::DeleteTopic(const Context& context, const std::string& topic) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  const Owned<rd_kafka_DeleteTopic_t> unwanted(rd_kafka_DeleteTopic_new(topic.c_str()));
  const Owned<rd_kafka_queue_t> answers(rd_kafka_queue_new(handle_->client));
  rd_kafka_DeleteTopic_t* all[] = {unwanted.get()};
  rd_kafka_DeleteTopics(handle_->client, all, 1, nullptr, answers.get());
  return handle_->Await(answers.get(), topic, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

}  // namespace calve::io
