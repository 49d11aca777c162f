#include <CLI/CLI.hpp>

#include "cli/print.h"
#include "cli/program.h"
#include "cli/recorded_run.h"
#include "cli/registry.h"

namespace calve::cli {
namespace {

Result<ExitCode> RunJob(Program& program, const std::string& id) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Job job, program.LoadJob(id));
  CALVE_ASSIGN_OR_RETURN(const auto contract, program.ContractOf(job));
  CALVE_ASSIGN_OR_RETURN(const pipeline::Resources resources, program.ResourcesFor(job));
  const auto run_it = [&](const std::string& run, pipeline::Events& events) {
    return pipeline::RunJob(program.context(), job, contract.has_value() ? &*contract : nullptr,
                            run, resources, events);
  };
  CALVE_ASSIGN_OR_RETURN(const EndedRun ended, RunRecorded(program, job, id, run_it));
  if (program.options.json) Print(ended.json.dump(2) + "\n");
  return ended.exit;
}

}  // namespace

CALVE_PART(run) {
  registry.Add(
      {.name = "run", .add = [](CLI::App& app, Program& program) {
         CLI::App* command =
             app.add_subcommand("run", "Run a job once: read, check, stage, audit, publish");
         auto id = std::make_shared<std::string>();
         command->add_option("JOB", *id, "The job, by its file's name in config/jobs")->required();
         command->callback(
             [&program, id] { program.todo = [&program, id] { return RunJob(program, *id); }; });
       }});
}

}  // namespace calve::cli
