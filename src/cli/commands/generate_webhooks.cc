#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "stream/sample_webhooks.h"
#include "stream/send_webhooks.h"

namespace calve::cli {
namespace {

using WebhooksArguments = stream::SendingOptions;

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
  CALVE_ASSIGN_OR_RETURN(const stream::Sent sent,
                         stream::SendWebhooks(program.context(), arguments, std::move(samples)));
  Report report(program.options.json);
  report.Line("generate",
              Counted(sent.requests, "request") + " sent, " + FormatCount(sent.acknowledged) +
                  " acknowledged, " + FormatCount(sent.refused) + " refused   " +
                  Counted(sent.events, "event"),
              "url", arguments.url);
  report.Fact("requests", sent.requests);
  report.Fact("events", sent.events);
  report.Fact("acknowledged", sent.acknowledged);
  report.Fact("refused", sent.refused);
  (void)report.Done();
  if (sent.refused > 0) {
    return RefusedError(arguments.url + " refused " + Counted(sent.refused, "request") +
                        ", the first with status " + std::to_string(sent.refused_first) +
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
