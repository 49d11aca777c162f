#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/exit_code.h"
#include "cli/program.h"
#include "cli/run_events.h"
#include "pipeline/run.h"

namespace calve::cli {

/// A run that came to its end, an audit that failed included.
struct EndedRun {
  pipeline::RunReport report;
  nlohmann::ordered_json json;  ///< The report, for --json.
  ExitCode exit = ExitCode::kDone;
};

/// How a run is recorded, and shown.
struct Recording {
  /// Whether it is one of many of a stream: others of the same name may run beside it, and one that
  /// found nothing to read leaves no record.
  bool of_stream = false;
  bool silent = false;
};

using RunIt =
    std::function<Result<pipeline::RunReport>(const std::string& run, pipeline::Events& events)>;

/// Let `run_it` run a job, with a record of it under the name `id`, what a person sees meanwhile, and
/// the notices that the job's monitoring wishes.
Result<EndedRun> RunRecorded(Program& program, const pipeline::Job& job, const std::string& id,
                             const RunIt& run_it, const Recording& recording = {});

}  // namespace calve::cli
