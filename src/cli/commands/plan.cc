#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "cli/run_events.h"

namespace calve::cli {
namespace {

/// Several lines below one label.
void Lines(Report& report, std::string_view label, const std::vector<std::string>& lines) {
  for (size_t i = 0; i < lines.size(); ++i) report.Hint(i == 0 ? label : "", lines[i]);
}

void SaySchema(Report& report, const pipeline::Plan& plan) {
  if (plan.schema.schema == nullptr) {
    report.Hint("schema", "not known: there is nothing to read");
    return;
  }
  const std::vector<std::string> steps = DescribeSchemaSteps(plan.schema);
  Lines(report, "schema", steps.empty() ? std::vector<std::string>{"fits the table"} : steps);
  report.Fact("new_table", plan.schema.new_table);
  report.Fact("schema", steps);
}

Result<ExitCode> PlanJob(Program& program, const std::string& id) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const pipeline::Job job, program.LoadJob(id));
  CALVE_ASSIGN_OR_RETURN(const auto contract, program.ContractOf(job));
  CALVE_ASSIGN_OR_RETURN(const pipeline::Resources resources, program.ResourcesFor(job));
  CALVE_ASSIGN_OR_RETURN(
      const pipeline::Plan plan,
      pipeline::PlanJob(context, job, contract.has_value() ? &*contract : nullptr, resources));
  Report report(program.options.json);
  report.Line("read", plan.read, "read", plan.read);
  Lines(report, "", plan.notes);
  report.Fact("notes", plan.notes);
  Lines(report, "adopt", plan.adoption);
  report.Fact("adoption", plan.adoption);
  SaySchema(report, plan);
  const config::Node* mode = job.loader.node.Find("write_mode");
  const std::string write_mode = mode == nullptr ? "append" : mode->text();
  const auto parts = static_cast<int64_t>(plan.splits);
  report.Line("write", write_mode + " to " + plan.target + ", " + Counted(parts, "part"),
              "write_mode", write_mode);
  report.Fact("table", plan.target);
  report.Fact("parts", parts);
  report.Line("checks",
              contract.has_value() ? FormatCount(static_cast<int64_t>(plan.checks)) +
                                         ", by contract " + contract->table
                                   : "none; contracts/" + plan.target + ".yaml would name some",
              "checks", plan.checks);
  if (plan.blocked_by.empty()) return report.Done();
  report.Line("blocked",
              "WAITS   branch " + plan.blocked_by + " of " + plan.target +
                  " failed its audit and is not decided yet: a run would do nothing",
              "blocked_by", plan.blocked_by);
  report.Hint("next", "calve branch publish " + plan.blocked_by +
                          " --waive CHECK     or     calve branch discard " + plan.blocked_by);
  return report.Done(ExitCode::kBlocked);
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
