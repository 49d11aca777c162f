#include "stream/door.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "http/server.h"
#include "stream/event_window.h"

namespace calve::stream {
namespace {

constexpr size_t kConnectionsMax = 4096;
/// One puts events on disk while the others take more; each one beyond costs changes of threads.
constexpr int kThreads = 3;
constexpr Duration kLookAgain = std::chrono::seconds(1);  ///< At the room on disk.

http::Response Plain(int status, const std::string& text) {
  return {.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = text + "\n"};
}

http::Response Later(int status, const std::string& text, int seconds) {
  http::Response response = Plain(status, text);
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
  return response;
}

/// Lets so many pass in a second, and as many at once after a pause. Threads: any.
class RateLimit {
 public:
  explicit RateLimit(int64_t per_second) : per_second_(per_second), left_(per_second) {}
  bool Pass(Duration now) {
    if (per_second_ == 0) return true;
    std::lock_guard lock(mutex_);
    const auto most = static_cast<double>(per_second_);
    const double seconds = std::chrono::duration<double>(now - last_).count();
    left_ = std::min(most, left_ + seconds * most);
    last_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  const int64_t per_second_;
  std::mutex mutex_;
  double left_;
  Duration last_{0};
};

/// One request on its way into the sink, which may be parts of several topics.
struct UnderWay {
  http::Answer answer;
  size_t events = 0;
  std::atomic<size_t> parts = 0;
  std::atomic<bool> failed = false;
};

struct Part {
  std::vector<Event> events;
  std::vector<EventWindow::Digest> digests;
};

class RunningDoor : public Door {
 public:
  RunningDoor(const Context& context, config::WebhookDoorOptions options,
              std::unique_ptr<Sink> sink)
      : context_(context),
        options_(std::move(options)),
        sink_(std::move(sink)),
        window_(options_.dedupe_events) {
    for (const char* provider : {"shopify", "stripe", "hubspot"})
      limits_.try_emplace(provider, options_.rate_max);
    for (const auto& [name, generic] : options_.generic)
      limits_.try_emplace("generic/" + name, options_.rate_max);
  }

  Status Begin() {
    CALVE_RETURN_IF_ERROR(sink_->Recall(
        options_.dedupe_events, [this](const std::string& topic, const std::string& id) {
          window_.Settle({EventWindow::DigestOf(topic, id)}, /*stored=*/true);
        }));
    CALVE_ASSIGN_OR_RETURN(
        server_, http::Server::StartLater({.host = options_.host,
                                           .port = options_.port,
                                           .threads = kThreads,
                                           .body_max = options_.body_max,
                                           .connections_max = kConnectionsMax},
                                          [this](http::Request request, http::Answer answer) {
                                            Take(request, std::move(answer));
                                          }));
    return Status::Ok();
  }

  uint16_t port() const override { return server_->port(); }

 private:
  /// Who is meant by a path: shopify, stripe, hubspot, generic/<name>; "" for nobody who is named in
  /// the options.
  std::string ProviderOf(std::string_view path) const;
  Delivery Read(const std::string& provider, const http::Request& request) const;
  std::string AddressOf(const http::Request& request) const;
  void Take(const http::Request& request, http::Answer answer);
  std::optional<http::Response> RefuseFor(const std::string& provider);
  bool HasRoom();
  void Store(std::vector<Event> events, http::Answer answer);
  void AppendPart(const std::string& topic, Part part, const std::shared_ptr<UnderWay>& under_way);
  void Warn(const std::string& message);

  const Context context_;
  const config::WebhookDoorOptions options_;
  const std::unique_ptr<Sink> sink_;
  EventWindow window_;
  std::map<std::string, RateLimit> limits_;
  std::mutex mutex_;
  std::optional<Duration> looked_;  ///< When the room was measured last.
  bool has_room_ = true;
  std::optional<Duration> warned_;
  std::unique_ptr<http::Server> server_;  ///< The last: ends before what its requests use.
};

std::string RunningDoor::ProviderOf(std::string_view path) const {
  constexpr std::string_view kAll = "/webhooks/";
  if (!path.starts_with(kAll)) return "";
  path.remove_prefix(kAll.size());
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path == "shopify" || path.starts_with("shopify/"))
    return options_.shopify.is_on() ? "shopify" : "";
  if (path == "stripe") return options_.stripe.is_on() ? "stripe" : "";
  if (path == "hubspot") return options_.hubspot.is_on() ? "hubspot" : "";
  return limits_.contains(std::string(path)) ? std::string(path) : "";
}

std::string RunningDoor::AddressOf(const http::Request& request) const {
  std::string address = options_.public_url;
  if (address.empty()) address = "http://" + std::string(request.Header("Host"));
  if (address.ends_with('/')) address.pop_back();
  address += request.path;
  if (!request.query.empty()) address += "?" + request.query;
  return address;
}

Delivery RunningDoor::Read(const std::string& provider, const http::Request& request) const {
  const Timestamp now = context_.clock->Now();
  if (provider == "shopify") return ReadShopify(options_.shopify, request);
  if (provider == "stripe") return ReadStripe(options_.stripe, request, now);
  if (provider == "hubspot") return ReadHubSpot(options_.hubspot, request, AddressOf(request), now);
  const std::string name = provider.substr(provider.find('/') + 1);
  return ReadGeneric(options_.generic.at(name), name, request);
}

bool RunningDoor::HasRoom() {
  std::lock_guard lock(mutex_);
  const Duration now = context_.clock->Monotonic();
  if (looked_.has_value() && now - *looked_ < kLookAgain) return has_room_;
  looked_ = now;
  const Result<ByteCount> room = sink_->Room();
  has_room_ = !room.ok() || *room >= options_.free_min;
  return has_room_;
}

std::optional<http::Response> RunningDoor::RefuseFor(const std::string& provider) {
  constexpr int kSoon = 1;
  constexpr int kDiskSeconds = 60;
  if (!limits_.at(provider).Pass(context_.clock->Monotonic()))
    return Later(429, "more requests than rate_max", kSoon);
  if (sink_->waiting() > options_.queue_max)
    return Later(429, "more events wait for the disk than queue_max", kSoon);
  if (!HasRoom()) {
    Warn("the webhook door refuses events: less free space on the disk than free_min; free some");
    return Later(429, "less free space than free_min", kDiskSeconds);
  }
  return std::nullopt;
}

void RunningDoor::Take(const http::Request& request, http::Answer answer) {
  const std::string provider = ProviderOf(request.path);
  if (provider.empty()) return answer(Plain(404, "no such webhook"));
  if (request.method != "POST") {
    http::Response response = Plain(405, "expected POST");
    response.headers.emplace_back("Allow", "POST");
    return answer(std::move(response));
  }
  Delivery delivery = Read(provider, request);
  switch (delivery.verdict) {
    case Delivery::Verdict::kBadSignature:
      return answer(Plain(401, "unauthorized"));
    case Delivery::Verdict::kUnreadable:
      return answer(Plain(400, delivery.fault));
    case Delivery::Verdict::kGood:
      break;
  }
  std::optional<http::Response> refused = RefuseFor(provider);
  if (refused.has_value()) return answer(*std::move(refused));
  Store(std::move(delivery.events), std::move(answer));
}

void RunningDoor::Store(std::vector<Event> events, http::Answer answer) {
  std::vector<EventWindow::Digest> digests;
  for (const Event& event : events) {
    if (!event.id.empty()) digests.push_back(EventWindow::DigestOf(event.topic, event.id));
  }
  const std::vector<EventWindow::Claim> claims = window_.ClaimAll(digests);
  auto under_way = std::make_shared<UnderWay>();
  std::map<std::string, Part> parts;
  size_t next = 0;
  for (Event& event : events) {
    const bool has_id = !event.id.empty();
    if (has_id && claims[next] == EventWindow::Claim::kUnderWay)
      return answer(Later(429, "this event is being stored", 1));
    const bool is_new = !has_id || claims[next] == EventWindow::Claim::kNew;
    if (is_new) {
      Part& part = parts[event.topic];
      if (has_id) part.digests.push_back(digests[next]);
      part.events.push_back(std::move(event));
      ++under_way->events;
    }
    if (has_id) ++next;
  }
  if (parts.empty())
    return answer({.headers = {{"Content-Type", "application/json"}}, .body = "{\"stored\": 0}\n"});
  under_way->answer = std::move(answer);
  under_way->parts = parts.size();
  for (auto& [topic, part] : parts) AppendPart(topic, std::move(part), under_way);
}

void RunningDoor::AppendPart(const std::string& topic, Part part,
                             const std::shared_ptr<UnderWay>& under_way) {
  const auto done = [this, under_way, digests = std::move(part.digests)](const Status& status) {
    window_.Settle(digests, status.ok());
    if (!status.ok()) {
      under_way->failed = true;
      Warn("the webhook door could not store events: " + status.error().message);
    }
    if (--under_way->parts > 0) return;
    under_way->answer(
        under_way->failed
            ? Later(503, "the events could not be stored", 10)
            : http::Response{.headers = {{"Content-Type", "application/json"}},
                             .body = "{\"stored\": " + std::to_string(under_way->events) + "}\n"});
  };
  sink_->Append(topic, std::move(part.events), context_.clock->Now(), done);
}

/// At most once in a while: what refuses one event refuses many.
void RunningDoor::Warn(const std::string& message) {
  constexpr Duration kPause = std::chrono::seconds(10);
  {
    std::lock_guard lock(mutex_);
    const Duration now = context_.clock->Monotonic();
    if (warned_.has_value() && now - *warned_ < kPause) return;
    warned_ = now;
  }
  if (context_.log != nullptr) context_.log->Warn(message);
}

}  // namespace

Result<std::unique_ptr<Door>> Door::Start(const Context& context,
                                          config::WebhookDoorOptions options,
                                          std::unique_ptr<Sink> sink) {
  if (!options.shopify.is_on() && !options.stripe.is_on() && !options.hubspot.is_on() &&
      options.generic.empty()) {
    return ConfigError(
        "the webhook door knows no provider; name one in calve.yaml, such as webhooks: {shopify: "
        "{secrets: [\"${SHOPIFY_SECRET}\"]}}");
  }
  auto door = std::make_unique<RunningDoor>(context, std::move(options), std::move(sink));
  CALVE_RETURN_IF_ERROR(door->Begin());
  return std::unique_ptr<Door>(std::move(door));
}

}  // namespace calve::stream
