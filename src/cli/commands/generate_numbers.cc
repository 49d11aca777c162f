#include <CLI/CLI.hpp>

#include "base/retry.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "io/kafka.h"

namespace calve::cli {
namespace {

struct NumbersArguments {
  std::vector<std::string> brokers = {"localhost:9092"};
  std::string topic = "number_ingestion";
  int partitions = 1;
  int64_t count = 1000;
  int64_t rate = 0;  ///< A second; 0: as fast as it goes.
  std::optional<uint64_t> seed;
};

/// A number of up to a million; one in ten has cents, one in ten is below zero.
std::string MakeNumber(Random& random) {
  const bool negative = random.Below(10) == 0;
  std::string number = (negative ? "-" : "") + std::to_string(random.Below(1'000'000) + 1);
  if (random.Below(10) == 0) number += "." + std::to_string(random.Below(90) + 10);
  return number;
}

Result<ExitCode> GenerateNumbers(Program& program, const NumbersArguments& arguments) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(
      const auto producer,
      io::KafkaProducer::Open({{"bootstrap.servers", Join(arguments.brokers, ",")}}));
  CALVE_RETURN_IF_ERROR(producer->MakeTopic(context, arguments.topic, arguments.partitions));
  Random random(arguments.seed.value_or(context.random->Next()));
  const Duration begun = context.clock->Monotonic();
  for (int64_t i = 0; i < arguments.count; ++i) {
    const std::string value = "{\"number\": " + MakeNumber(random) + ", \"event_timestamp\": " +
                              Quote(FormatTimestamp(context.clock->Now())) + "}";
    io::KafkaRecord record;
    record.value = value;
    CALVE_RETURN_IF_ERROR(producer->Produce(context, arguments.topic, record));
    if (arguments.rate == 0) continue;
    const Duration due = begun + Duration(std::chrono::seconds(1)) * (i + 1) / arguments.rate;
    const auto early =
        std::chrono::duration_cast<std::chrono::milliseconds>(due - context.clock->Monotonic());
    if (early.count() > 0) CALVE_RETURN_IF_ERROR(Sleep(context, early));
  }
  CALVE_RETURN_IF_ERROR(producer->Flush(context));
  Report report(program.options.json);
  report.Line("generate", Counted(arguments.count, "number") + "   into topic " + arguments.topic,
              "topic", arguments.topic);
  report.Fact("records", arguments.count);
  return report.Done();
}

}  // namespace

/// Sorted behind `generate`, whose subcommand this is.
CALVE_PART(generate_numbers) {
  registry.Add(
      {.name = "generate_numbers", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.get_subcommand("generate")
                                 ->add_subcommand("numbers", "Send numbers to a topic of Kafka");
         auto arguments = std::make_shared<NumbersArguments>();
         command->add_option("--brokers", arguments->brokers, "The cluster")
             ->delimiter(',')
             ->capture_default_str();
         command->add_option("--topic", arguments->topic, "The topic; made when it is not there")
             ->capture_default_str();
         command->add_option("--partitions", arguments->partitions, "Of a topic that is made")
             ->capture_default_str()
             ->check(CLI::Range(1, 10'000));
         command->add_option("-n,--count", arguments->count, "How many numbers")
             ->capture_default_str()
             ->check(CLI::Range(int64_t{0}, int64_t{1'000'000'000}));
         command->add_option("--rate", arguments->rate, "How many a second; 0: as fast as it goes")
             ->capture_default_str()
             ->check(CLI::Range(int64_t{0}, int64_t{10'000'000}));
         command->add_option("--seed", arguments->seed, "Make the same numbers again");
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return GenerateNumbers(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli
