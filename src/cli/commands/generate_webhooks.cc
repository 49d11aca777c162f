#include <CLI/CLI.hpp>
#include <mutex>
#include <thread>

#include "base/retry.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "io/http.h"
#include "stream/sample_webhooks.h"

namespace calve::cli {
namespace {

struct WebhooksArguments {
  std::string url = "http://127.0.0.1:8090";
  int64_t count = 1000;
  int64_t rate = 0;  ///< A second; 0: as fast as it goes.
  int connections = 4;
  std::optional<uint64_t> seed;
};

/// With a seed the events happen at fixed times, so that their bodies are the same again.
constexpr Timestamp kSeededTime = Timestamp(std::chrono::seconds(1'767'225'600));  // 2026-01-01

/// What several senders share.
class Sending {
 public:
  Sending(Program& program, const WebhooksArguments& arguments, stream::SampleWebhooks samples)
      : context_(program.context()),
        arguments_(arguments),
        samples_(std::move(samples)),
        begun_(context_.clock->Monotonic()) {}

  /// Send until all is sent or something fails.
  void Run() {
    const auto client = io::MakeHttpClient();
    while (const std::optional<stream::SampleRequest> sample = Next()) {
      const Result<io::HttpResponse> reply =
          client->Send(context_, {.method = "POST",
                                  .url = arguments_.url + sample->path,
                                  .headers = HeadersOf(*sample),
                                  .body = sample->body,
                                  .repeatable = true});
      Note(reply);
    }
  }

  int64_t requests = 0;
  int64_t events = 0;
  int64_t acknowledged = 0;  ///< Requests.
  int64_t refused = 0;
  int refused_first = 0;  ///< The status of the first that was.
  std::optional<Error> failed;

 private:
  static io::HttpHeaders HeadersOf(const stream::SampleRequest& sample) {
    io::HttpHeaders headers = sample.headers;
    headers.emplace_back("Content-Type", "application/json");
    return headers;
  }

  std::optional<stream::SampleRequest> Next() {
    std::unique_lock lock(mutex_);
    if (requests == arguments_.count || failed.has_value() || context_.stop.stop_requested())
      return std::nullopt;
    const int64_t number = requests++;
    if (arguments_.rate > 0) {
      const Duration due = begun_ + Duration(std::chrono::seconds(1)) * number / arguments_.rate;
      const auto early =
          std::chrono::duration_cast<std::chrono::milliseconds>(due - context_.clock->Monotonic());
      if (early.count() > 0 && !Sleep(context_, early).ok()) {
        --requests;
        return std::nullopt;
      }
    }
    const Timestamp now = context_.clock->Now();
    const Timestamp happened =
        arguments_.seed.has_value() ? kSeededTime + std::chrono::seconds(number) : now;
    stream::SampleRequest sample = samples_.Next(now, happened);
    events += sample.events;
    return sample;
  }

  void Note(const Result<io::HttpResponse>& reply) {
    std::lock_guard lock(mutex_);
    if (!reply.ok()) {
      if (!failed.has_value()) failed = reply.error();
    } else if (reply->ok()) {
      ++acknowledged;
    } else if (refused++ == 0) {
      refused_first = reply->status;
    }
  }

  const Context context_;
  const WebhooksArguments arguments_;
  std::mutex mutex_;
  stream::SampleWebhooks samples_;
  const Duration begun_;
};

Result<ExitCode> GenerateWebhooks(Program& program, WebhooksArguments arguments) {
  while (arguments.url.ends_with('/')) arguments.url.pop_back();
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, program.project());
  const config::WebhookDoorOptions& options = loaded->project.webhooks;
  const std::string signed_address =
      options.public_url.empty() ? arguments.url : options.public_url;
  stream::SampleWebhooks samples(options, signed_address,
                                 arguments.seed.value_or(program.context().random->Next()));
  if (samples.empty()) {
    return ConfigError(
        "no secret to sign with; name one in calve.yaml, such as webhooks: {shopify: {secrets: "
        "[\"${SHOPIFY_SECRET}\"]}}");
  }
  Sending sending(program, arguments, std::move(samples));
  {
    std::vector<std::jthread> senders;
    for (int i = 0; i < arguments.connections; ++i)
      senders.emplace_back([&sending] { sending.Run(); });
  }
  if (sending.failed.has_value()) return *sending.failed;
  Report report(program.options.json);
  report.Line("generate",
              Counted(sending.requests, "request") + " sent, " + FormatCount(sending.acknowledged) +
                  " acknowledged, " + FormatCount(sending.refused) + " refused   " +
                  Counted(sending.events, "event"),
              "url", arguments.url);
  report.Fact("requests", sending.requests);
  report.Fact("events", sending.events);
  report.Fact("acknowledged", sending.acknowledged);
  report.Fact("refused", sending.refused);
  (void)report.Done();
  if (sending.refused > 0) {
    return RefusedError(arguments.url + " refused " + Counted(sending.refused, "request") +
                        ", the first with status " + std::to_string(sending.refused_first) +
                        "; expected the door of this project, with the secrets of its calve.yaml");
  }
  return ExitCode::kDone;
}

}  // namespace

/// Sorted behind `generate`, whose subcommand this is.
CALVE_PART(generate_webhooks) {
  registry.Add(
      {.name = "generate_webhooks", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.get_subcommand("generate")
                                 ->add_subcommand("webhooks",
                                                  "Send signed webhooks of Shopify, Stripe and "
                                                  "HubSpot, with the secrets of calve.yaml");
         auto arguments = std::make_shared<WebhooksArguments>();
         command->add_option("--url", arguments->url, "The door")->capture_default_str();
         command->add_option("-n,--count", arguments->count, "How many requests")
             ->capture_default_str()
             ->check(CLI::Range(int64_t{0}, int64_t{1'000'000'000}));
         command->add_option("--rate", arguments->rate, "How many a second; 0: as fast as it goes")
             ->capture_default_str()
             ->check(CLI::Range(int64_t{0}, int64_t{10'000'000}));
         command->add_option("--connections", arguments->connections, "How many at the same time")
             ->capture_default_str()
             ->check(CLI::Range(1, 256));
         command->add_option("--seed", arguments->seed, "Make the same bodies again");
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return GenerateWebhooks(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli
