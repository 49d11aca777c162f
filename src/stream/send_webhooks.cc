#include "stream/send_webhooks.h"

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/retry.h"
#include "io/http.h"

namespace calve::stream {
namespace {

/// With a seed the sent.events happen at fixed times, so that their bodies are the same again.
constexpr Timestamp kSeededTime = Timestamp(std::chrono::seconds(1'767'225'600));  // 2026-01-01

/// What several senders share.
class Sending {
 public:
  Sending(const Context& context, const SendingOptions& options, SampleWebhooks samples)
      : context_(context),
        options_(options),
        samples_(std::move(samples)),
        begun_(context_.clock->Monotonic()) {}

  /// Send until all is sent or something fails.
  void Run() {
    const auto client = io::MakeHttpClient();
    while (const std::optional<SampleRequest> sample = Next()) {
      const Result<io::HttpResponse> reply =
          client->Send(context_, {.method = "POST",
                                  .url = options_.url + sample->path,
                                  .headers = HeadersOf(*sample),
                                  .body = sample->body,
                                  .repeatable = true});
      Note(reply);
    }
  }

  Sent sent;
  std::optional<Error> failed;

 private:
  static io::HttpHeaders HeadersOf(const SampleRequest& sample) {
    io::HttpHeaders headers = sample.headers;
    headers.emplace_back("Content-Type", "application/json");
    return headers;
  }

  std::optional<SampleRequest> Next() {
    std::unique_lock lock(mutex_);
    if (sent.requests == options_.count || failed.has_value() || context_.stop.stop_requested())
      return std::nullopt;
    const int64_t number = sent.requests++;
    if (options_.rate > 0) {
      const Duration due = begun_ + Duration(std::chrono::seconds(1)) * number / options_.rate;
      const auto early =
          std::chrono::duration_cast<std::chrono::milliseconds>(due - context_.clock->Monotonic());
      if (early.count() > 0 && !Sleep(context_, early).ok()) {
        --sent.requests;
        return std::nullopt;
      }
    }
    const Timestamp now = context_.clock->Now();
    const Timestamp happened =
        options_.seed.has_value() ? kSeededTime + std::chrono::seconds(number) : now;
    SampleRequest sample = samples_.Next(now, happened);
    sent.events += sample.events;
    return sample;
  }

  void Note(const Result<io::HttpResponse>& reply) {
    std::lock_guard lock(mutex_);
    if (!reply.ok()) {
      if (!failed.has_value()) failed = reply.error();
    } else if (reply->ok()) {
      ++sent.acknowledged;
    } else if (sent.refused++ == 0) {
      sent.refused_first = reply->status;
    }
  }

  const Context context_;
  const SendingOptions options_;
  std::mutex mutex_;
  SampleWebhooks samples_;
  const Duration begun_;
};

}  // namespace

Result<Sent> SendWebhooks(const Context& context, const SendingOptions& options,
                          SampleWebhooks samples) {
  Sending sending(context, options, std::move(samples));
  {
    std::vector<std::jthread> senders;
    for (int i = 0; i < options.connections; ++i)
      senders.emplace_back([&sending] { sending.Run(); });
  }
  if (sending.failed.has_value()) return *sending.failed;
  return sending.sent;
}

}  // namespace calve::stream
