#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/recorded_run.h"
#include "cli/registry.h"
#include "stream/stream.h"

namespace calve::cli {
namespace {

struct StreamArguments {
  std::string name;
  bool until_end = false;
};

/// Say what a window has brought, on one line: a stream has many.
void PrintWindow(const pipeline::RunReport& report) {
  std::string line = Counted(report.load.rows_written, "row") + " into " + report.load.table;
  if (report.load.rows_quarantined > 0)
    line += ", " + FormatCount(report.load.rows_quarantined) + " held back";
  if (report.load.snapshot_id.has_value())
    line += ", snapshot " + std::to_string(*report.load.snapshot_id);
  PrintLine(FormatTimestamp(report.started).substr(11, 8), line);
  for (const std::string& note : report.plan.notes) PrintLine("", note);
}

Result<ExitCode> RunStream(Program& program, const StreamArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const stream::Stream stream, program.LoadStream(arguments.name));
  CALVE_ASSIGN_OR_RETURN(const auto contract, program.ContractOf(stream));
  CALVE_ASSIGN_OR_RETURN(pipeline::Resources resources, program.ResourcesFor(stream));
  CALVE_ASSIGN_OR_RETURN(resources.stream, pipeline::MakeSource(stream, resources));
  if (!arguments.until_end) resources.window = stream.commit.Window();
  CALVE_RETURN_IF_ERROR(resources.stream->Check(program.context()));
  const auto run_it = [&](const std::string& run, pipeline::Events& events) {
    return pipeline::RunJob(program.context(), stream, contract.has_value() ? &*contract : nullptr,
                            run, resources, events);
  };
  if (!program.options.json)
    PrintLine("stream", arguments.name + (arguments.until_end ? "" : "   (Ctrl-C ends it)"));
  ExitCode exit = ExitCode::kDone;
  const auto window = [&]() -> Result<bool> {
    CALVE_ASSIGN_OR_RETURN(const EndedRun ended, RunRecorded(program, stream, stream.id, run_it,
                                                             {.of_stream = true, .silent = true}));
    if (ended.report.load.ending == load::Ending::kNothing) return !arguments.until_end;
    if (program.options.json) {
      Print(ended.json.dump() + "\n");
    } else {
      PrintWindow(ended.report);
    }
    exit = ended.exit;
    return exit == ExitCode::kDone;
  };
  CALVE_RETURN_IF_ERROR(stream::RunWindows(program.context(), window));
  return exit;
}

}  // namespace

CALVE_PART(stream) {
  registry.Add(
      {.name = "stream", .add = [](CLI::App& app, Program& program) {
         CLI::App* group = app.add_subcommand("stream", "Topics on their way into tables");
         group->require_subcommand(1);
         auto arguments = std::make_shared<StreamArguments>();
         CLI::App* run =
             group->add_subcommand("run", "Load a stream, snapshot by snapshot, until it is ended");
         run->add_option("STREAM", arguments->name, "The stream, by its file's name in streams")
             ->required();
         run->add_flag("--until-end", arguments->until_end, "Load what there is, then end");
         run->callback([&program, arguments] {
           program.todo = [&program, arguments] { return RunStream(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli
