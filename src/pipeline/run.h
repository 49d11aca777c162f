#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/contract.h"
#include "base/context.h"
#include "base/result.h"
#include "base/time.h"
#include "columnar/traced_batch.h"
#include "load/load.h"
#include "pipeline/job.h"

namespace calve::pipeline {

/// What is known of an earlier run, wherever runs are kept.
enum class RunFate {
  kUnknown,  ///< It ran elsewhere, or its record is gone.
  kRunning,
  kDied,   ///< It is over without a verdict: its process is gone, or it failed.
  kEnded,  ///< It came to its end, an audit that failed included.
};

/// Remembers runs. The program gives one; without it a run leaves no record and sweeps nothing.
/// Threads: one.
class RunBook {
 public:
  virtual ~RunBook() = default;
  virtual Result<RunFate> FateOf(const Context& context, const std::string& run) = 0;
  /// Say that a run could not remove all that it has to, however it ends: DeadRuns names it from its
  /// end on.
  virtual void LeavesFiles(const std::string& run) = 0;
  /// Runs of the job that are over and whose files were not swept yet.
  virtual Result<std::vector<std::string>> DeadRuns(const Context& context,
                                                    const std::string& job) = 0;
  virtual Status Swept(const Context& context, const std::string& run) = 0;
  /// Whether an earlier run of the job has committed a position.
  virtual Result<bool> HasPosition(const Context& context, const std::string& job) = 0;
};

struct Progress {
  int64_t rows = 0;  ///< Read so far.
  ByteCount bytes{0};
  ByteCount bytes_total{0};  ///< 0: not known.
  int64_t rows_quarantined = 0;
};

/// What a run is going to do, decided before anything is changed.
struct Plan {
  std::string read;                ///< "3 new files, 412 MB (2,914 seen before)   s3://..."
  std::vector<std::string> notes;  ///< What was noticed while looking at the data.
  load::SchemaPlan schema;
  std::string target;                 ///< "sales.daily_sales"
  std::vector<std::string> adoption;  ///< Which files are adopted, and why others are not.
  size_t splits = 0;
  size_t checks = 0;
  std::string blocked_by;  ///< A branch that waits for a decision: until then a run does nothing.
};

/// How a run went.
struct RunReport {
  std::string run;
  std::string job;
  Plan plan;
  load::Report load;
  int64_t rows_read = 0;
  /// Left out by transforms, as configured; where one made rows of its own out of those that it was
  /// given (a SELECT), the rows that there were fewer.
  int64_t rows_dropped = 0;
  int64_t rows_made = 0;  ///< Rows that there were more where a transform made rows of its own.
  /// Rows that such transforms were given, and what they made of them; both 0 without one.
  int64_t rows_taken = 0;
  int64_t rows_given = 0;
  std::map<std::string, int64_t> quarantined_by_rule;
  ByteCount bytes_read{0};
  bool has_position = false;               ///< Whether the snapshot holds a position of the source.
  std::vector<audit::Outcome> row_checks;  ///< Of checks that judge rows as they pass.
  Timestamp started;
  Duration took{0};
};

/// Told what a run does while it does it. Calls come from one thread at a time.
class Events : public load::Observer {
 public:
  virtual void Planned(const Plan& plan) = 0;
  virtual void Progressed(const Progress& progress) = 0;
  /// All rows are read and written, nothing is committed yet.
  virtual void Extracted(const RunReport& report) = 0;
};

/// What runs are given by the program. Everything outlives the run.
struct Resources {
  const Parts* parts = nullptr;
  source::Resources source;
  transform::Resources transform;
  load::Resources load;
  RunBook* book = nullptr;  ///< May be null.
  int parallelism = 2;
  ByteCount memory_limit{1 << 30};
  int64_t batch_rows_max = 64 * 1024;
  /// Of a stream: its source, which goes on from one run to the next, and how much a run takes.
  std::shared_ptr<source::Source> stream;
  std::optional<source::Window> window;
};

/// Make the source that a job names. Touches nothing outside.
Result<std::unique_ptr<source::Source>> MakeSource(const Job& job, const Resources& resources);

/// Look at the source and the target, change nothing. What a run refuses before it reads a row, this
/// refuses too.
Result<Plan> PlanJob(const Context& context, const Job& job, const audit::Contract* contract,
                     const Resources& resources);

/// Run a job once: read, transform, check, write, stage, audit, publish. An audit that fails is a
/// report, not an error.
///
/// rows written + rows quarantined + rows that transforms left out = rows read + rows that
/// transforms made, or the run fails before anything is staged. A run that fails leaves main and position as they were.
Result<RunReport> RunJob(const Context& context, const Job& job, const audit::Contract* contract,
                         const std::string& run, const Resources& resources, Events& events);

/// Run rows that were held back through their job as it is now: what is of kText through its
/// source's options, what was read through its transforms, what was transformed through its checks.
/// Rows that are in order now are loaded, the others are held back again.
///
/// One run takes one chunk of `held`. Its position is that of a pipeline of its own, whose name
/// ReplayIdOf gives: so each row is loaded once, also when the process ends in between.
Result<RunReport> ReplayJob(const Context& context, const Job& job, const audit::Contract* contract,
                            load::HeldRows& held, const std::string& run,
                            const Resources& resources, Events& events);
/// No job has this name: a dot is in none.
std::string ReplayIdOf(const std::string& job);
/// The rows that were held back from the target that the job has now. `run`: which takes them out of
/// quarantine in the end.
Result<std::unique_ptr<load::HeldRows>> OpenHeldRows(const Job& job, const std::string& run,
                                                     const Resources& resources);

/// Give the batches of a job's source after its transforms to `sink`, without loading them.
/// Rejected rows are counted and given to `rejected`.
Status ExtractJob(const Context& context, const Job& job, const Resources& resources,
                  const std::function<Status(const std::shared_ptr<arrow::Schema>& schema)>& begin,
                  const std::function<Status(const columnar::Batch& batch)>& sink,
                  const std::function<void(const columnar::Reject& reject)>& rejected);

}  // namespace calve::pipeline
