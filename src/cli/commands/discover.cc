#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "columnar/convert.h"

namespace calve::cli {
namespace {

std::string TypeOf(const arrow::DataType& type) {
  const auto iceberg_type = columnar::ToIcebergType(type, 3);
  return iceberg_type.ok() ? iceberg_type->ToString() : type.ToString();
}

void Tell(const source::Stream& stream, Report& report, nlohmann::ordered_json* told) {
  nlohmann::ordered_json columns = nlohmann::ordered_json::array();
  report.Hint("stream", stream.name);
  if (stream.schema == nullptr) {
    report.Hint("", "its columns are not known: there is nothing to read");
  } else {
    for (const auto& field : stream.schema->fields()) {
      const std::string type = TypeOf(*field->type());
      report.Hint("", field->name() + " " + type);
      columns.push_back({{"name", field->name()}, {"type", type}});
    }
  }
  told->push_back({{"name", stream.name}, {"columns", std::move(columns)}});
  if (stream.proposal.empty()) return;
  told->back()["proposal"] = stream.proposal;
  std::string_view label = "proposal";
  for (const std::string& line : Split(stream.proposal, '\n')) {
    if (!line.empty()) report.Hint(std::exchange(label, ""), line);
  }
}

Result<ExitCode> Discover(Program& program, const std::string& id) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Job job, program.LoadJobOrSource(id));
  CALVE_ASSIGN_OR_RETURN(const pipeline::Resources resources, program.ResourcesFor(job));
  const source::Kind* kind = resources.parts->sources.Find(job.source.type);
  if (kind == nullptr) return ConfigError("'" + job.source.type + "' is no type of source");
  CALVE_ASSIGN_OR_RETURN(const auto source, kind->make(job.source.node, resources.source));
  CALVE_ASSIGN_OR_RETURN(const auto streams, source->Discover(program.context()));
  Report report(program.options.json);
  nlohmann::ordered_json told = nlohmann::ordered_json::array();
  for (const source::Stream& stream : streams) Tell(stream, report, &told);
  report.Fact("streams", std::move(told));
  return report.Done();
}

}  // namespace

CALVE_PART(discover) {
  registry.Add(
      {.name = "discover", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.add_subcommand(
             "discover", "Say what a job's source can give: its streams, their columns and types");
         auto id = std::make_shared<std::string>();
         command
             ->add_option(
                 "JOB_OR_SOURCE", *id,
                 "The job, by its file's name in config/jobs, or a source of config/sources")
             ->required();
         command->callback(
             [&program, id] { program.todo = [&program, id] { return Discover(program, *id); }; });
       }});
}

}  // namespace calve::cli
