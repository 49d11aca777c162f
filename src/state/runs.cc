#include "state/runs.h"

#include <algorithm>
#include <array>

namespace calve::state {
namespace {

constexpr int64_t kSchemaVersion = 2;

constexpr const char* kCreateTables =
    "CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, job TEXT NOT NULL, state TEXT NOT "
    "NULL, started_us INTEGER NOT NULL, "
    "ended_us INTEGER, table_name TEXT NOT NULL, rows_read INTEGER NOT NULL, rows_written INTEGER "
    "NOT NULL, "
    "rows_quarantined INTEGER NOT NULL, bytes_read INTEGER NOT NULL, snapshot_id INTEGER, branch "
    "TEXT NOT NULL, "
    "has_position INTEGER NOT NULL, error TEXT NOT NULL, swept INTEGER NOT NULL DEFAULT 0, "
    "rows_dropped INTEGER NOT NULL DEFAULT 0, rows_made INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX IF NOT EXISTS runs_by_job ON runs (job, state);"
    "CREATE TABLE IF NOT EXISTS audits (run TEXT NOT NULL, table_name TEXT NOT NULL, check_name "
    "TEXT NOT NULL, severity TEXT NOT NULL, "
    "passed INTEGER NOT NULL, rows_failed INTEGER NOT NULL, rows_total INTEGER NOT NULL, message "
    "TEXT NOT NULL, at_us INTEGER NOT NULL);";

/// What a file of version 1 lacks.
constexpr const char* kAddRowsLeftOut =
    "ALTER TABLE runs ADD COLUMN rows_dropped INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE runs ADD COLUMN rows_made INTEGER NOT NULL DEFAULT 0;";

constexpr std::array<RunState, 6> kStates = {RunState::kRunning, RunState::kPublished,
                                             RunState::kNothing, RunState::kAuditFailed,
                                             RunState::kBlocked, RunState::kFailed};

int64_t Micros(Timestamp t) { return t.time_since_epoch().count(); }
Timestamp FromMicros(int64_t us) { return Timestamp(Duration(us)); }

RunState StateOf(const std::string& text) {
  for (const RunState state : kStates) {
    if (text == ToString(state)) return state;
  }
  return RunState::kFailed;
}

constexpr std::string_view kColumns =
    "run, job, state, started_us, ended_us, table_name, rows_read, rows_written, rows_quarantined, "
    "bytes_read, snapshot_id, branch, "
    "has_position, error, rows_dropped, rows_made";

RunRecord ReadRecord(const io::SqliteStatement& row) {
  RunRecord record;
  record.run = row.Text(0);
  record.job = row.Text(1);
  record.state = StateOf(row.Text(2));
  record.started = FromMicros(row.Integer(3));
  if (!row.IsNull(4)) record.ended = FromMicros(row.Integer(4));
  record.table = row.Text(5);
  record.rows_read = row.Integer(6);
  record.rows_written = row.Integer(7);
  record.rows_quarantined = row.Integer(8);
  record.bytes_read = row.Integer(9);
  if (!row.IsNull(10)) record.snapshot_id = row.Integer(10);
  record.branch = row.Text(11);
  record.has_position = row.Integer(12) != 0;
  record.error = row.Text(13);
  record.rows_dropped = row.Integer(14);
  record.rows_made = row.Integer(15);
  return record;
}

Result<int64_t> VersionOf(io::SqliteDatabase& database) {
  CALVE_ASSIGN_OR_RETURN(auto read, io::SqliteStatement::Prepare(database, "PRAGMA user_version"));
  CALVE_RETURN_IF_ERROR(read.Step());
  return read.Integer(0);
}

/// Make the tables what this version writes. Another process may do it at the same time.
Status Upgrade(io::SqliteDatabase& database) {
  CALVE_ASSIGN_OR_RETURN(auto transaction, io::SqliteTransaction::Begin(database));
  CALVE_ASSIGN_OR_RETURN(const int64_t version, VersionOf(database));
  if (version == 0) CALVE_RETURN_IF_ERROR(database.Execute(kCreateTables));
  if (version == 1) CALVE_RETURN_IF_ERROR(database.Execute(kAddRowsLeftOut));
  CALVE_RETURN_IF_ERROR(database.Execute("PRAGMA user_version = 2"));
  return transaction.Commit();
}

/// Whether files of a run may lie around that no snapshot has.
enum class Files { kMayLie, kClean };

Status WriteRecord(io::SqliteDatabase& database, const RunRecord& record, Files files) {
  CALVE_ASSIGN_OR_RETURN(
      auto write,
      io::SqliteStatement::Prepare(
          database, "INSERT OR REPLACE INTO runs (" + std::string(kColumns) +
                        ", swept) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  write.Bind(record.run).Bind(record.job).Bind(ToString(record.state)).Bind(Micros(record.started));
  if (record.ended.has_value()) {
    write.Bind(Micros(*record.ended));
  } else {
    write.BindNull();
  }
  write.Bind(record.table)
      .Bind(record.rows_read)
      .Bind(record.rows_written)
      .Bind(record.rows_quarantined)
      .Bind(record.bytes_read);
  if (record.snapshot_id.has_value()) {
    write.Bind(*record.snapshot_id);
  } else {
    write.BindNull();
  }
  write.Bind(record.branch).Bind(int64_t{record.has_position}).Bind(record.error);
  write.Bind(record.rows_dropped).Bind(record.rows_made);
  write.Bind(int64_t{files == Files::kClean});
  return StatusOf(write.Run());
}

}  // namespace

std::string_view ToString(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return "running";
    case RunState::kPublished:
      return "published";
    case RunState::kNothing:
      return "nothing";
    case RunState::kAuditFailed:
      return "audit_failed";
    case RunState::kBlocked:
      return "blocked";
    case RunState::kFailed:
      return "failed";
  }
  return "failed";
}

Result<Runs> Runs::Open(const std::string& folder) {
  CALVE_ASSIGN_OR_RETURN(io::SqliteDatabase database,
                         io::SqliteDatabase::Open(folder + "/state.db"));
  CALVE_ASSIGN_OR_RETURN(const int64_t version, VersionOf(database));
  if (version > kSchemaVersion) {
    return RefusedError("the run records in " + database.path() +
                        " were written by a newer calve; use that one, or another project folder");
  }
  if (version < kSchemaVersion) CALVE_RETURN_IF_ERROR(Upgrade(database));
  return Runs(std::move(database), folder);
}

Result<io::LockFile> Runs::HoldJob(const std::string& job) {
  std::string name = job;
  std::replace(name.begin(), name.end(), '/', '_');
  Result<io::LockFile> held = io::LockFile::Acquire(folder_ + "/job_" + name + ".lock");
  if (held.ok() || held.error().kind != ErrorKind::kAlreadyExists) return held;
  CALVE_ASSIGN_OR_RETURN(
      auto find,
      io::SqliteStatement::Prepare(
          database_, "SELECT run FROM runs WHERE job = ? AND state = 'running' ORDER BY run DESC"));
  find.Bind(job);
  CALVE_ASSIGN_OR_RETURN(const bool found, find.Step());
  return RefusedError("job " + job + " is being run by another process" +
                      (found ? " (run " + find.Text(0) + ")" : "") +
                      "; wait until that one has ended");
}

Status Runs::Begin(const RunRecord& record) {
  CALVE_ASSIGN_OR_RETURN(io::LockFile job, HoldJob(record.job));
  return Begin(record, std::move(job));
}

Status Runs::BeginBeside(const RunRecord& record) { return Begin(record, std::nullopt); }

Status Runs::Begin(const RunRecord& record, std::optional<io::LockFile> job) {
  CALVE_ASSIGN_OR_RETURN(io::LockFile run, io::LockFile::Acquire(LockPath(record.run)));
  held_.emplace(record.run, Held{.job = std::move(job), .run = std::move(run)});
  return WriteRecord(database_, record, Files::kMayLie);
}

Status Runs::End(const RunRecord& record, const std::vector<AuditRecord>& audits) {
  {
    CALVE_ASSIGN_OR_RETURN(auto transaction, io::SqliteTransaction::Begin(database_));
    const bool leaves_files = leaving_files_.contains(record.run);
    CALVE_RETURN_IF_ERROR(
        WriteRecord(database_, record, leaves_files ? Files::kMayLie : Files::kClean));
    for (const AuditRecord& audit : audits) {
      CALVE_ASSIGN_OR_RETURN(
          auto insert, io::SqliteStatement::Prepare(
                           database_, "INSERT INTO audits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
      insert.Bind(audit.run)
          .Bind(audit.table)
          .Bind(audit.check)
          .Bind(audit.severity)
          .Bind(int64_t{audit.passed});
      insert.Bind(audit.rows_failed)
          .Bind(audit.rows_total)
          .Bind(audit.message)
          .Bind(Micros(audit.at));
      CALVE_RETURN_IF_ERROR(insert.Run());
    }
    CALVE_RETURN_IF_ERROR(transaction.Commit());
  }
  held_.erase(record.run);
  return Status::Ok();
}

Status Runs::Forget(const std::string& run) {
  if (leaving_files_.contains(run)) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(auto forget,
                         io::SqliteStatement::Prepare(database_, "DELETE FROM runs WHERE run = ?"));
  CALVE_RETURN_IF_ERROR(forget.Bind(run).Run());
  held_.erase(run);
  return Status::Ok();
}

Result<std::optional<RunRecord>> Runs::Find(const std::string& run) {
  CALVE_ASSIGN_OR_RETURN(
      auto find, io::SqliteStatement::Prepare(
                     database_, "SELECT " + std::string(kColumns) + " FROM runs WHERE run = ?"));
  find.Bind(run);
  CALVE_ASSIGN_OR_RETURN(const bool found, find.Step());
  return found ? std::optional<RunRecord>(ReadRecord(find)) : std::nullopt;
}

Result<std::vector<RunRecord>> Runs::List(int64_t count) {
  CALVE_ASSIGN_OR_RETURN(
      auto list, io::SqliteStatement::Prepare(
                     database_, "SELECT " + std::string(kColumns) +
                                    " FROM runs ORDER BY started_us DESC, run DESC LIMIT ?"));
  list.Bind(count);
  std::vector<RunRecord> records;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const bool more, list.Step());
    if (!more) return records;
    records.push_back(ReadRecord(list));
  }
}

Result<std::vector<RunRecord>> Runs::Published(const std::string& job, int64_t count) {
  CALVE_ASSIGN_OR_RETURN(
      auto list,
      io::SqliteStatement::Prepare(database_, "SELECT " + std::string(kColumns) +
                                                  " FROM runs WHERE job = ? AND state = ? "
                                                  "ORDER BY started_us DESC, run DESC LIMIT ?"));
  list.Bind(job).Bind(std::string(ToString(RunState::kPublished))).Bind(count);
  std::vector<RunRecord> records;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const bool more, list.Step());
    if (!more) return records;
    records.push_back(ReadRecord(list));
  }
}

Result<std::vector<AuditRecord>> Runs::Audits(int64_t count) {
  CALVE_ASSIGN_OR_RETURN(
      auto list,
      io::SqliteStatement::Prepare(
          database_,
          "SELECT run, table_name, check_name, severity, passed, rows_failed, rows_total, "
          "message, at_us FROM audits ORDER BY at_us DESC, rowid LIMIT ?"));
  list.Bind(count);
  std::vector<AuditRecord> records;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const bool more, list.Step());
    if (!more) return records;
    records.push_back({.run = list.Text(0),
                       .table = list.Text(1),
                       .check = list.Text(2),
                       .severity = list.Text(3),
                       .passed = list.Integer(4) != 0,
                       .rows_failed = list.Integer(5),
                       .rows_total = list.Integer(6),
                       .message = list.Text(7),
                       .at = FromMicros(list.Integer(8))});
  }
}

bool Runs::IsAlive(const std::string& run) const {
  return held_.contains(run) || io::IsHeld(LockPath(run));
}

Result<std::vector<std::string>> Runs::Dead(const std::string& job) {
  CALVE_ASSIGN_OR_RETURN(
      auto list, io::SqliteStatement::Prepare(
                     database_, "SELECT run FROM runs WHERE job = ? AND swept = 0 ORDER BY run"));
  list.Bind(job);
  std::vector<std::string> dead;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const bool more, list.Step());
    if (!more) return dead;
    if (!IsAlive(list.Text(0))) dead.push_back(list.Text(0));
  }
}

Status Runs::MarkSwept(const std::string& run) {
  CALVE_ASSIGN_OR_RETURN(auto mark,
                         io::SqliteStatement::Prepare(
                             database_,
                             "UPDATE runs SET swept = 1, error = CASE state WHEN 'running' THEN "
                             "'the process ended before the run did' ELSE error END, state = CASE "
                             "state WHEN 'running' THEN 'failed' ELSE state END WHERE run = ?"));
  mark.Bind(run);
  CALVE_RETURN_IF_ERROR(mark.Run());
  return io::RemoveLock(LockPath(run));
}

Result<bool> Runs::HasPosition(const std::string& job) {
  CALVE_ASSIGN_OR_RETURN(
      auto find,
      io::SqliteStatement::Prepare(
          database_,
          "SELECT 1 FROM runs WHERE job = ? AND state = 'published' AND has_position = 1 LIMIT 1"));
  find.Bind(job);
  return find.Step();
}

}  // namespace calve::state
