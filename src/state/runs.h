#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/lock_file.h"
#include "io/sqlite.h"

namespace calve::state {

/// How a run ended, or that it has not.
enum class RunState { kRunning, kPublished, kNothing, kAuditFailed, kBlocked, kFailed };
std::string_view ToString(RunState state);

/// What is remembered of a run. Never how far a source was read: that lies in the table.
struct RunRecord {
  std::string run;
  std::string job;
  RunState state = RunState::kRunning;
  Timestamp started;
  std::optional<Timestamp> ended;
  std::string table;
  int64_t rows_read = 0;
  int64_t rows_written = 0;
  int64_t rows_quarantined = 0;
  int64_t rows_dropped = 0;  ///< Left out by transforms.
  int64_t rows_made = 0;     ///< By transforms, beyond those that they were given.
  int64_t bytes_read = 0;
  std::optional<int64_t> snapshot_id;
  std::string branch;
  bool has_position = false;
  std::string error;
};

/// How one check of a run came out.
struct AuditRecord {
  std::string run;
  std::string table;
  std::string check;
  std::string severity;
  bool passed = true;
  int64_t rows_failed = 0;
  int64_t rows_total = 0;
  std::string message;
  Timestamp at;
};

/// Run records and audits of a project, in metadata/state.db. One thread at a time; several
/// processes share the file.
class Runs {
 public:
  /// Open or make the file in `folder`. Fails with kRefused when a newer calve has written it.
  static Result<Runs> Open(const std::string& folder);

  /// Remember that a run begins in this process; until End or the process's end it counts as
  /// running. Fails with kRefused while another process runs the job: both would read the same.
  Status Begin(const RunRecord& record);
  /// The same for what several processes may do at once, such as statements of one table.
  Status BeginBeside(const RunRecord& record);
  Status End(const RunRecord& record, const std::vector<AuditRecord>& audits);
  /// End a run that did nothing, and remember nothing of it, unless it has left files.
  Status Forget(const std::string& run);

  Result<std::optional<RunRecord>> Find(const std::string& run);
  /// Newest first, at most `count`.
  Result<std::vector<RunRecord>> List(int64_t count);
  /// Published runs of a job, newest first, at most `count`.
  Result<std::vector<RunRecord>> Published(const std::string& job, int64_t count);
  Result<std::vector<AuditRecord>> Audits(int64_t count);
  /// Whether the process of a run that never ended is still there.
  bool IsAlive(const std::string& run) const;
  /// Say, before End, that a run of this process could not remove what it wrote.
  void LeavesFiles(const std::string& run) { leaving_files_.insert(run); }
  /// Runs of a job that are over, may have left files, and were not swept: their process is gone, or
  /// they ended without having cleaned up.
  Result<std::vector<std::string>> Dead(const std::string& job);
  /// Remember that nothing of a dead run lies around any more; its lock goes too.
  Status MarkSwept(const std::string& run);
  /// Whether a run of the job was published with a position.
  Result<bool> HasPosition(const std::string& job);

 private:
  Runs(io::SqliteDatabase database, std::string folder)
      : database_(std::move(database)), folder_(std::move(folder)) {}
  /// What a process holds while a run of its own is under way.
  struct Held {
    std::optional<io::LockFile> job;  ///< Nothing: others may run it too.
    io::LockFile run;
  };
  std::string LockPath(const std::string& run) const { return folder_ + "/" + run + ".lock"; }
  Result<io::LockFile> HoldJob(const std::string& job);
  Status Begin(const RunRecord& record, std::optional<io::LockFile> job);

  io::SqliteDatabase database_;
  std::string folder_;
  std::map<std::string, Held> held_;
  std::set<std::string> leaving_files_;
};

}  // namespace calve::state
