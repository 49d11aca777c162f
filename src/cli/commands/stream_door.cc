#include <CLI/CLI.hpp>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "stream/door.h"
#include "stream/inbox_sink.h"

namespace calve::cli {
namespace {

struct DoorArguments {
  std::string host;
  std::optional<uint16_t> port;
};

std::string ProvidersOf(const config::WebhookDoorOptions& options) {
  std::vector<std::string> names;
  if (options.shopify.is_on()) names.emplace_back("shopify");
  if (options.stripe.is_on()) names.emplace_back("stripe");
  if (options.hubspot.is_on()) names.emplace_back("hubspot");
  for (const auto& [name, generic] : options.generic) names.push_back("generic/" + name);
  return Join(names, ", ");
}

void AwaitStop(const Context& context) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, context.stop, [] { return false; });
}

Result<ExitCode> OpenDoor(Program& program, const DoorArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, program.project());
  config::WebhookDoorOptions options = loaded->project.webhooks;
  if (!arguments.host.empty()) options.host = arguments.host;
  options.port = arguments.port.value_or(options.port);
  const std::string inbox = program.folder() + "/metadata/inbox";
  CALVE_ASSIGN_OR_RETURN(auto sink, stream::InboxSink::Open(inbox));
  CALVE_ASSIGN_OR_RETURN(const auto door,
                         stream::Door::Start(program.context(), options, std::move(sink)));
  const std::string address = "http://" + options.host + ":" + std::to_string(door->port());
  Report report(program.options.json);
  report.Line("serving", "webhooks at " + address, "address", address);
  report.Line("providers", ProvidersOf(options), "providers", ProvidersOf(options));
  report.Line("inbox", inbox, "inbox", inbox);
  report.Hint("stop", "Ctrl-C");
  report.Done();
  std::fflush(stdout);  // Whoever started it in the background waits for these lines.
  AwaitStop(program.context());
  return ExitCode::kDone;
}

}  // namespace

/// Sorted behind `stream`, whose subcommand this is.
CALVE_PART(stream_door) {
  registry.Add({.name = "stream_door", .add = [](CLI::App& app, Program& program) {
                  CLI::App* command = app.get_subcommand("stream")->add_subcommand(
                      "door",
                      "Take signed webhooks of Shopify, Stripe, HubSpot and others into the "
                      "inbox, until it is ended");
                  auto arguments = std::make_shared<DoorArguments>();
                  command->add_option("--host", arguments->host,
                                      "The address, in place of calve.yaml's");
                  command->add_option("--port", arguments->port,
                                      "The port, in place of calve.yaml's; 0: one that is free");
                  command->callback([&program, arguments] {
                    program.todo = [&program, arguments] { return OpenDoor(program, *arguments); };
                  });
                }});
}

}  // namespace calve::cli
