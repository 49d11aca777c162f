#pragma once

#include <arrow/type.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit.h"
#include "base/context.h"
#include "base/result.h"
#include "columnar/traced_batch.h"
#include "commit/position.h"
#include "iceberg/schema.h"
#include "io/file_system.h"

namespace calve::load {

/// What a load is told besides its own options.
struct Request {
  std::string job;
  std::string run;
  const audit::Contract* contract = nullptr;  ///< Null: none.
  const audit::Registry* checks = nullptr;    ///< The kinds of checks.
  int parallelism = 2;                        ///< How many splits write at once.
  ByteCount buffer_bytes_max{256 << 20};      ///< For all splits together.
};

/// A row held back from the table.
struct QuarantinedRow {
  std::string rule;    ///< "accepted_values(currency)", or "schema" for values that do not fit.
  std::string reason;  ///< One sentence.
  std::string origin;  ///< "orders_0412.csv line 88,120"
  std::string raw;     ///< The row, as text or JSON.
  columnar::RowForm form = columnar::RowForm::kShown;  ///< What `raw` is.
  std::string columns;  ///< What reading `raw` again takes: of kText columnar::Reject::columns, of
                        ///< JSON the types as columnar::SchemaAsJson prints them.
};

/// Rows of one form and columns that were held back, as many as are tried again in one run.
struct HeldChunk {
  struct Row {
    std::string raw;
    std::string origin;
  };
  columnar::RowForm form = columnar::RowForm::kText;
  std::string columns;
  std::vector<Row> rows;
  commit::Position position;  ///< To commit with what becomes of them.
};

/// The rows of one job that were held back from its target, given out once more. For one thread.
class HeldRows {
 public:
  virtual ~HeldRows() = default;
  virtual std::string target() const = 0;  ///< "sales.daily_sales"
  /// Begin to give them out, or go on where that ended before every row had its turn.
  virtual Status Begin(const Context& context) = 0;
  /// The next rows, after those that `since` says have had their turn; nothing when all have.
  virtual Result<std::optional<HeldChunk>> Next(const Context& context,
                                                const std::optional<commit::Position>& since) = 0;
  /// How many have not had their turn; those that Next gave last have.
  virtual int64_t left() const = 0;

  struct Outcome {
    int64_t rows = 0;             ///< That have had their turn.
    int64_t held_back_again = 0;  ///< Of them.
    int64_t stay = 0;             ///< Those that cannot be read again.
    /// That the next run of the job reads again: it has not yet published what it read with them.
    int64_t unpublished = 0;
  };
  /// Take the rows that have had their turn out of the quarantine.
  virtual Result<Outcome> Finish(const Context& context) = 0;
};

/// How the incoming columns meet the table's, decided before anything is read.
struct SchemaPlan {
  struct Step {
    enum class Kind { kAdd, kWiden, kLeaveOut, kReject, kGone };
    Kind kind;
    std::string column;  ///< With kGone all of them.
    std::string from;    ///< The table's type; empty for a new column.
    std::string to;      ///< The incoming type.
    std::string why;     ///< "new in the source, allowed by the contract (evolve)"
  };
  bool new_table = false;
  std::vector<Step> steps;
  /// What batches must be when they are written (columnar::Conform): the target's columns with
  /// those added and widened. Its ids mean nothing.
  iceberg::SchemaPtr schema;
  /// A boolean column of the incoming rows, none of `schema`, that is true in rows which delete the
  /// target's with their key; empty: no row deletes.
  std::string delete_flag;
};

enum class Ending {
  kNothing,      ///< No rows and no new position: no snapshot was made.
  kPublished,    ///< Main holds the rows, proved.
  kAuditFailed,  ///< The rows are on the branch; main is as it was.
  kBlocked,      ///< Nothing was read: a branch of an earlier run waits for a decision.
};

/// What a load came to.
struct Report {
  Ending ending = Ending::kNothing;
  std::string table;   ///< "sales.daily_sales"
  std::string branch;  ///< Where the rows were staged.
  int64_t rows_written = 0;
  int64_t rows_quarantined = 0;
  int64_t rows_outdated = 0;  ///< With a merge: those that a later one with their key made void.
  int64_t rows_deleting = 0;  ///< With a merge: those that only deleted the one with their key.
  int64_t rows_replaced = 0;  ///< With a merge: rows that were there and gave way.
  int64_t files = 0;
  int64_t files_adopted = 0;  ///< Of them, copied from the source as they were.
  int64_t files_rewritten =
      0;  ///< With a merge: those that held rows that gave way and are no more.
  int64_t files_with_deletes =
      0;               ///< With a merge: others that held such rows, now deleted in them.
  ByteCount bytes{0};  ///< Of the data files.
  std::optional<int64_t> snapshot_id;       ///< Main's, after publishing.
  std::optional<int64_t> main_snapshot_id;  ///< Main's before, when the audit failed.
  std::string proof;                        ///< "table"
  /// How the rows came to be seen, where there are no snapshots: "in one transaction".
  std::string published_as;
  audit::Report audit;
  int commit_attempts = 0;
};

/// What happened inside a load, as it happens; for progress.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void Staged(const Report& report) = 0;
  virtual void Audited(const Report& report) = 0;
};

/// One split's way into the target. For one thread.
class SplitLoad {
 public:
  virtual ~SplitLoad() = default;
  /// Write rows of SchemaPlan::schema.
  virtual Status Write(const Context& context, const columnar::Batch& rows) = 0;
  /// Have the target's rows with the keys of these deleted, where the plan has a delete_flag.
  virtual Status Delete(const Context&, const columnar::Batch&) {
    return BugError("this target was not planned to delete rows");
  }
  virtual Status Quarantine(const Context& context, std::vector<QuarantinedRow> rows) = 0;
  /// Take over a Parquet file in place of its rows. False when that cannot be: nothing has happened,
  /// write the rows. `copied` is told of every further piece.
  virtual Result<bool> Adopt(const Context& context, const io::FileInfo& file,
                             const std::function<void(ByteCount)>& copied) = 0;
  virtual Status Close(const Context& context) = 0;
  /// Remove what was written, after an error.
  virtual void Abort(const Context& context) = 0;
};

/// One run's load into one target. Calls come from one thread, but for the splits, which work side
/// by side.
class Load {
 public:
  virtual ~Load() = default;

  /// Where the target's rows say the job's source was read to; nothing at the first run.
  /// `expected`: an earlier run is known to have committed one.
  virtual Result<std::optional<commit::Position>> ReadPosition(const Context& context,
                                                               bool expected) = 0;
  /// Name what the run sets out to read, where that is not what follows the position: rows that are
  /// held back take the place of those that an earlier run had for the same.
  virtual void SetsOutToRead(const std::string& what) = 0;
  /// The target's columns, or the contract's for a new one; null when nothing is known. With exact
  /// types.
  virtual Result<std::shared_ptr<arrow::Schema>> WantedSchema(const Context& context) = 0;
  /// Whether the contract lets the table's types widen.
  virtual bool may_widen() const = 0;
  /// Decide how `incoming` meets the target; changes nothing. Fails with kData when the contract
  /// freezes the schema, naming every column.
  virtual Result<SchemaPlan> PlanSchema(const Context& context, const arrow::Schema& incoming) = 0;
  /// Why a Parquet file with rows of the plan cannot be adopted, in a few words for a person; empty
  /// when it can. Changes nothing.
  virtual Result<std::string> WhyNotAdopted(const Context& context, const SchemaPlan& plan,
                                            const io::FileInfo& file) = 0;
  /// Reserve the schema as planned, or draft the table, which comes with its first rows. Fails with
  /// kConflict when the target's columns have changed since the plan: plan again.
  virtual Status Begin(const Context& context, const SchemaPlan& plan) = 0;
  virtual Result<std::unique_ptr<SplitLoad>> OpenSplit(const Context& context, int split) = 0;
  /// Commit the quarantine, then stage, audit and publish. `rows_expected` is what the pipeline has
  /// counted as written or deleting: another count is a bug and stops the load before it is staged.
  virtual Result<Report> Finish(const Context& context,
                                const std::optional<commit::Position>& position,
                                int64_t rows_expected, Observer* observer) = 0;
  /// Remove what was written and staged; for a load that failed with its outcome known. What an
  /// audit has judged stays.
  virtual Status Abort(const Context& context) = 0;
  /// Whether files of this run may lie around that nothing needs, however it has ended: Sweep finds
  /// them once it is over.
  virtual bool leaves_files() const = 0;

  /// Branches of this job that wait for a decision.
  struct OpenBranch {
    std::string branch;
    std::string run;
  };
  virtual Result<std::vector<OpenBranch>> OpenBranches(const Context& context) = 0;
  virtual Status Discard(const Context& context, const std::string& branch) = 0;
  /// Remove what a dead run left in the target's folders. False when something lies there that only
  /// a later sweep can judge.
  virtual Result<bool> Sweep(const Context& context, const std::string& run) = 0;
  virtual std::string target() const = 0;  ///< "sales.daily_sales"
  /// Whether the load's rows take the place of others that have nothing to do with them.
  virtual bool overwrites() const = 0;
};

}  // namespace calve::load
