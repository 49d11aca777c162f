#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/run_events.h"

namespace calve::cli {
namespace {

Result<ExitCode> PlanJob(Program& program, const std::string& id) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const pipeline::Job job, program.LoadJob(id));
  CALVE_ASSIGN_OR_RETURN(const auto contract, program.ContractOf(job));
  CALVE_ASSIGN_OR_RETURN(const pipeline::Resources resources, program.ResourcesFor(job));
  CALVE_ASSIGN_OR_RETURN(
      const pipeline::Plan plan,
      pipeline::PlanJob(context, job, contract.has_value() ? &*contract : nullptr, resources));
  PrintLine("read", plan.read);
  for (const std::string& note : plan.notes) PrintLine("", note);
  bool first = true;
  for (const std::string& note : plan.adoption) {
    PrintLine(first ? "adopt" : "", note);
    first = false;
  }
  first = true;
  for (const std::string& line : DescribeSchemaSteps(plan.schema)) {
    PrintLine(first ? "schema" : "", line);
    first = false;
  }
  if (first) PrintLine("schema", "fits the table");
  const config::Node* mode = job.loader.node.Find("write_mode");
  PrintLine("write", std::string(mode == nullptr ? "append" : mode->text()) + " to " + plan.target +
                         ", " + Counted(static_cast<int64_t>(plan.splits), "part"));
  PrintLine("checks", contract.has_value()
                          ? FormatCount(static_cast<int64_t>(plan.checks)) + ", by contract " +
                                contract->table
                          : "none; contracts/" + plan.target + ".yaml would name some");
  return ExitCode::kDone;
}

}  // namespace

CALVE_PART(plan) {
  registry.Add(
      {.name = "plan", .add = [](CLI::App& app, Program& program) {
         CLI::App* command =
             app.add_subcommand("plan", "Say what a run of a job would do, and change nothing");
         auto id = std::make_shared<std::string>();
         command->add_option("JOB", *id, "The job, by its file's name in config/jobs")->required();
         command->callback(
             [&program, id] { program.todo = [&program, id] { return PlanJob(program, *id); }; });
       }});
}

}  // namespace calve::cli
