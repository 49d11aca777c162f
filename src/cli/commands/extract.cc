#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/batch_sink.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"

namespace calve::cli {
namespace {

struct ExtractArguments {
  std::string job;
  std::string format = "csv";
  std::string output;
};

Result<ExitCode> Extract(Program& program, const ExtractArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Job job, program.LoadJobOrSource(arguments.job));
  CALVE_ASSIGN_OR_RETURN(const pipeline::Resources resources, program.ResourcesFor(job));
  const std::string format = program.options.json ? "json" : arguments.format;
  std::unique_ptr<BatchSink> sink;
  int64_t rejected = 0;
  const auto begin = [&](const std::shared_ptr<arrow::Schema>& schema) -> Status {
    CALVE_ASSIGN_OR_RETURN(sink, OpenBatchSink(format, arguments.output, schema, 0));
    return Status::Ok();
  };
  const auto write = [&](const columnar::Batch& batch) { return sink->Write(batch); };
  const auto reject = [&](const columnar::Reject& row) {
    ++rejected;
    PrintError(row.origin + ": " + row.reason);
  };
  CALVE_RETURN_IF_ERROR(
      pipeline::ExtractJob(program.context(), job, resources, begin, write, reject));
  if (sink != nullptr) CALVE_RETURN_IF_ERROR(sink->Close());
  if (rejected == 0) return ExitCode::kDone;
  PrintError(FormatCount(rejected) + (rejected == 1 ? " row was" : " rows were") +
             " left out; a run would put them into quarantine");
  return ExitCode::kData;
}

}  // namespace

CALVE_PART(extract) {
  registry.Add(
      {.name = "extract", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.add_subcommand(
             "extract", "Give the rows of a job's source, transformed, without loading them");
         auto arguments = std::make_shared<ExtractArguments>();
         command
             ->add_option(
                 "JOB_OR_SOURCE", arguments->job,
                 "The job, by its file's name in config/jobs, or a source of config/sources")
             ->required();
         command->add_option("--to", arguments->format, "table, csv, json, parquet or arrow")
             ->capture_default_str();
         command->add_option("-o,--output", arguments->output,
                             "A file in place of standard output");
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return Extract(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli
