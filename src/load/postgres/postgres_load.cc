#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include "audit/audit.h"
#include "base/text.h"
#include "columnar/convert.h"
#include "load/held_back.h"
#include "load/postgres/binary_rows.h"
#include "load/postgres/book.h"
#include "load/postgres/column_types.h"
#include "load/postgres/cursor_rows.h"
#include "load/postgres/details.h"
#include "load/postgres/options.h"
#include "load/postgres/plan.h"
#include "load/postgres/statements.h"
#include "load/postgres/target.h"
#include "load/registry.h"
#include "load/schema_plan.h"

namespace calve::load::postgres {
namespace {

using iceberg::Field;

/// What the texts of values depend on; and nothing ends the connection while a source is slow.
constexpr const char* kSettings =
    "SELECT set_config('DateStyle', 'ISO, YMD', false), set_config('TimeZone', 'UTC', false), "
    "set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false), "
    "set_config('idle_in_transaction_session_timeout', '0', false)";

/// One run's load into one table of PostgreSQL.
///
/// Rows wait in a temporary table of the load's own connection. Finish begins a transaction, brings
/// them into the table, judges them there by the contract and commits them with the position: until
/// then nobody sees them, and a connection that ends takes all of it along.
class PostgresLoad : public Load {
 public:
  PostgresLoad(PostgresOptions options, config::Place place, Request request, Resources resources)
      : options_(std::move(options)),
        place_(std::move(place)),
        table_{options_.schema, options_.table},
        request_(std::move(request)),
        resources_(std::move(resources)),
        book_(request_.job, table_) {}

  Result<std::optional<commit::Position>> ReadPosition(const Context& context,
                                                       bool expected) override;
  void SetsOutToRead(const std::string&) override {}
  Result<std::shared_ptr<arrow::Schema>> WantedSchema(const Context& context) override;
  bool may_widen() const override {
    return request_.contract != nullptr &&
           request_.contract->on_type_change == audit::DriftPolicy::kEvolve;
  }
  Result<SchemaPlan> PlanSchema(const Context& context, const arrow::Schema& incoming) override;
  Result<std::string> WhyNotAdopted(const Context&, const SchemaPlan&,
                                    const io::FileInfo&) override {
    return std::string("a database takes rows, not files");
  }
  Status Begin(const Context& context, const SchemaPlan& plan) override;
  Result<std::unique_ptr<SplitLoad>> OpenSplit(const Context& context, int split) override;
  Result<Report> Finish(const Context& context, const std::optional<commit::Position>& position,
                        int64_t rows_expected, Observer* observer) override;
  Status Abort(const Context&) override {
    session_.reset();
    return Status::Ok();
  }
  bool leaves_files() const override { return false; }
  Result<std::vector<OpenBranch>> OpenBranches(const Context&) override {
    return std::vector<OpenBranch>();
  }
  Status Discard(const Context&, const std::string& branch) override {
    return NotFoundError("a table of PostgreSQL has no branch " + branch);
  }
  /// What a dead run had staged went with its connection.
  Result<bool> Sweep(const Context&, const std::string&) override { return true; }
  std::string target() const override { return table_.ToString(); }
  bool overwrites() const override { return options_.write_mode == WriteMode::kOverwrite; }

 private:
  class Split;
  using Position = std::optional<commit::Position>;

  Status Connect(const Context& context);
  io::PostgresDatabase& database() { return session_->database; }
  Result<std::optional<Target>> LookAtTable(const Context& context);
  Planned planned() const {
    return {.options = options_,
            .place = place_,
            .request = request_,
            .resources = resources_,
            .table = table_,
            .book = book_,
            .target = target_.has_value() ? &*target_ : nullptr};
  }
  RelationName quarantine() const {
    return {table_.schema, table_.name + std::string(kQuarantineSuffix)};
  }

  // Of Finish:
  Status CheckTakesNothing(const Context& context);
  Status CheckKeys(const Context& context);
  Status CommitHeldBack(const Context& context);
  Status LoadRows(const Context& context, const Position& position, Observer* observer,
                  Report* report);
  /// See that nobody else has loaded what this run has read, or changed the table meanwhile.
  Status CheckIsAsPlanned(const Context& context);
  Status WriteHeldBack(const Context& context);
  Status EnsureSchema(const Context& context);
  Status PrepareTable(const Context& context);
  Status Apply(const Context& context, Report* report);
  /// Run a statement that brings rows, and give how many; what the table does not take is the rows'
  /// fault.
  Result<int64_t> Bring(const Context& context, const std::string& sql);
  Result<int64_t> CountRows(const Context& context);
  Result<audit::Report> Audit(const Context& context, int64_t rows_before);
  Status Commit(const Context& context);

  const PostgresOptions options_;
  const config::Place place_;
  const RelationName table_;
  const Request request_;
  const Resources resources_;
  const Book book_;
  std::unique_ptr<Session> session_;
  std::optional<Target>
      target_;  ///< As it was when the load was planned; nothing: it is not there.
  std::optional<int64_t> position_id_;  ///< Of the entry in the book.
  std::string load_key_;

  SchemaPlan plan_;
  std::vector<Field> written_;  ///< Of the plan's columns those that the source has.
  std::vector<std::string> written_names_;
  std::vector<std::string> key_;
  int64_t rows_ = 0;  ///< Staged; guarded by the session's mutex, as those below.
  int64_t rows_held_back_ = 0;
  int64_t bytes_ = 0;
};

/// One split's rows, encoded by its own thread and sent over the load's connection.
class PostgresLoad::Split : public SplitLoad {
 public:
  explicit Split(PostgresLoad& load) : load_(load) {}

  Status Write(const Context& context, const columnar::Batch& rows) override {
    if (rows->num_rows() == 0) return Status::Ok();
    CALVE_RETURN_IF_ERROR(context.Step("write.batch"));
    CALVE_ASSIGN_OR_RETURN(const std::string bytes, BinaryRows(rows, load_.written_));
    std::lock_guard lock(load_.session_->mutex);
    CALVE_RETURN_IF_ERROR(Copy(context, kStaged, bytes, rows->num_rows()));
    load_.rows_ += rows->num_rows();
    load_.bytes_ += static_cast<int64_t>(bytes.size());
    return Status::Ok();
  }

  Status Quarantine(const Context& context, std::vector<QuarantinedRow> rows) override {
    if (rows.empty()) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(
        const columnar::Batch batch,
        QuarantineRows(WithoutZeroBytes(std::move(rows)),
                       {.job = load_.request_.job,
                        .run = load_.request_.run,
                        .key = load_.load_key_,
                        .now_us = context.clock->Now().time_since_epoch().count()}));
    CALVE_ASSIGN_OR_RETURN(const std::string bytes, BinaryRows(batch, QuarantineColumns()));
    std::lock_guard lock(load_.session_->mutex);
    CALVE_RETURN_IF_ERROR(Copy(context, kHeldBack, bytes, batch->num_rows()));
    load_.rows_held_back_ += batch->num_rows();
    return Status::Ok();
  }

  Result<bool> Adopt(const Context&, const io::FileInfo&,
                     const std::function<void(ByteCount)>&) override {
    return false;
  }
  Status Close(const Context& context) override { return context.Step("write.close"); }
  /// What was written goes with the connection.
  void Abort(const Context&) override {}

 private:
  /// With the session's mutex held.
  Status Copy(const Context& context, const char* relation, const std::string& bytes,
              int64_t rows) {
    CALVE_ASSIGN_OR_RETURN(
        const int64_t taken,
        load_.database().CopyIn(
            context, std::string("COPY ") + relation + " FROM STDIN (FORMAT BINARY)", bytes));
    if (taken == rows) return Status::Ok();
    return BugError("the server took " + FormatCount(taken) + " rows of " + FormatCount(rows));
  }

  /// No text of PostgreSQL has a zero byte; such a row is for people only.
  static std::vector<QuarantinedRow> WithoutZeroBytes(std::vector<QuarantinedRow> rows) {
    const auto shown = [](std::string* text) {
      bool found = false;
      for (size_t at = text->find('\0'); at != std::string::npos; at = text->find('\0', at)) {
        text->replace(at, 1, "\\x00");
        found = true;
      }
      return found;
    };
    for (QuarantinedRow& row : rows) {
      if (shown(&row.raw)) row.form = columnar::RowForm::kShown;
      for (std::string* text : {&row.reason, &row.origin, &row.columns}) shown(text);
    }
    return rows;
  }

  PostgresLoad& load_;
};

Status PostgresLoad::Connect(const Context& context) {
  if (session_ != nullptr) return Status::Ok();
  // A server may work at one statement for long; TCP tells when it is gone.
  CALVE_ASSIGN_OR_RETURN(
      io::PostgresDatabase opened,
      io::PostgresDatabase::Open(context, options_.ConnectionUri(resources_.project_folder),
                                 {.answer_timeout = std::chrono::hours(24 * 7)}));
  session_ = std::make_unique<Session>(std::move(opened));
  return StatusOf(database().Query(context, kSettings));
}

Result<std::optional<Target>> PostgresLoad::LookAtTable(const Context& context) {
  CALVE_RETURN_IF_ERROR(Connect(context));
  return ReadTarget(context, database(), table_, RightsFor(options_.write_mode));
}

Result<std::optional<commit::Position>> PostgresLoad::ReadPosition(const Context& context,
                                                                   bool expected) {
  CALVE_ASSIGN_OR_RETURN(target_, LookAtTable(context));
  load_key_ = LoadKeyOf(request_.job);
  if (!target_.has_value()) return Position();
  CALVE_ASSIGN_OR_RETURN(const auto entry, book_.Find(context, database()));
  if (entry.has_value()) {
    position_id_ = entry->id;
    load_key_ = LoadKeyOf(request_.job, std::to_string(entry->id));
    return Position(entry->position);
  }
  if (!expected) return Position();
  return RefusedError(
      "expected in " + book_.name().ToString() + " how far job " + request_.job + " has loaded " +
      table_.ToString() +
      ", as an earlier run has left it, found nothing: to start over would double its rows; bring "
      "the table back, or, to start over, drop " +
      table_.ToString() + " or give the job another name");
}

Result<std::shared_ptr<arrow::Schema>> PostgresLoad::WantedSchema(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const auto target, LookAtTable(context));
  if (!target.has_value()) return PromisedSchema(request_.contract);
  // What jsonb takes is for the source to say.
  std::vector<Field> fields = target->Fields();
  std::erase_if(fields, [&](const Field& f) { return target->Find(f.name)->holds_json; });
  if (fields.empty()) return std::shared_ptr<arrow::Schema>();
  return WantedColumns(fields);
}

Result<SchemaPlan> PostgresLoad::PlanSchema(const Context& context, const arrow::Schema& incoming) {
  CALVE_ASSIGN_OR_RETURN(target_, LookAtTable(context));
  CALVE_ASSIGN_OR_RETURN(SchemaPlan plan, MeetTable(planned(), incoming));
  written_.clear();
  written_names_.clear();
  for (const Field& field : plan.schema->fields()) {
    if (incoming.GetFieldIndex(field.name) < 0) continue;
    written_.push_back(field);
    written_names_.push_back(field.name);
  }
  CALVE_RETURN_IF_ERROR(CheckPlan(context, database(), planned(), plan, written_names_));
  return plan;
}

Status PostgresLoad::Begin(const Context& context, const SchemaPlan& plan) {
  plan_ = plan;
  CALVE_ASSIGN_OR_RETURN(key_, KeyOf(planned(), *plan.schema));
  CALVE_RETURN_IF_ERROR(Connect(context));
  std::vector<Field> staged = written_;
  for (Field& field : staged) field.required = false;
  for (const auto& [relation, fields] :
       {std::pair(kStaged, staged), std::pair(kHeldBack, QuarantineColumns())}) {
    CALVE_RETURN_IF_ERROR(
        database().Query(context, std::string("DROP TABLE IF EXISTS ") + relation));
    CALVE_ASSIGN_OR_RETURN(const std::string create, CreateTable(relation, fields));
    CALVE_RETURN_IF_ERROR(database().Query(context, create));
  }
  return Status::Ok();
}

Result<std::unique_ptr<SplitLoad>> PostgresLoad::OpenSplit(const Context&, int) {
  return std::unique_ptr<SplitLoad>(std::make_unique<Split>(*this));
}

Status PostgresLoad::CheckTakesNothing(const Context& context) {
  if (!target_.has_value() || (options_.allow_empty && rows_held_back_ == 0)) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      database().Query(context, "SELECT EXISTS (SELECT 1 FROM " + table_.Quoted() + ")"));
  if (rows[0][0] != "t") return Status::Ok();
  const std::string found = rows_held_back_ > 0
                                ? FormatCount(rows_held_back_) + " that would be held back"
                                : "none in the source";
  return DataError("expected rows to put in place of those of " + table_.ToString() + ", found " +
                   found +
                   ": overwriting would only take rows away, so nothing was changed; see that the "
                   "source is whole, or set allow_empty: true in the loader when rows may be "
                   "replaced by none");
}

Status PostgresLoad::CheckKeys(const Context& context) {
  for (const std::string& column : key_) {
    CALVE_ASSIGN_OR_RETURN(
        const auto nulls,
        database().Query(context, std::string("SELECT count(*) FROM ") + kStaged + " WHERE " +
                                      QuoteIdentifier(column) + " IS NULL"));
    if (nulls[0][0] == "0") continue;
    return DataError("expected a value in key column " + column + " of every row, found NULL in " +
                     nulls[0][0].value_or("") + " rows; nothing was changed");
  }
  const Target none;
  const Statements statements(table_, none, written_names_, key_);
  CALVE_ASSIGN_OR_RETURN(const auto repeated, database().Query(context, statements.RepeatedKeys()));
  if (repeated.empty()) return Status::Ok();
  std::string shown;
  for (const auto& row : repeated)
    shown +=
        (shown.empty() ? "" : "; ") + row[0].value_or("") + " (" + row[1].value_or("") + " rows)";
  return DataError("expected each key (" + Join(key_, ", ") +
                   ") in one row of the source, found several rows with " + shown +
                   "; which of them counts is not known, so nothing was changed; leave out all but "
                   "one with a deduplicate transformer");
}

Result<Report> PostgresLoad::Finish(const Context& context, const Position& position,
                                    int64_t rows_expected, Observer* observer) {
  Report report;
  report.table = table_.ToString();
  report.rows_written = rows_;
  report.rows_quarantined = rows_held_back_;
  report.bytes = ByteCount(bytes_);
  if (rows_ != rows_expected) {
    return BugError("the server holds " + FormatCount(rows_) + " rows for " + report.table +
                    ", but " + FormatCount(rows_expected) +
                    " were given to the writers; nothing was loaded");
  }
  const bool replaces = options_.write_mode == WriteMode::kOverwrite;
  if (replaces && rows_ == 0) CALVE_RETURN_IF_ERROR(CheckTakesNothing(context));
  if (options_.write_mode == WriteMode::kMerge) CALVE_RETURN_IF_ERROR(CheckKeys(context));
  // Without a row there is no table; without a table no position: it is read again.
  const bool is_needed = target_.has_value() && (position.has_value() || replaces);
  if (rows_ == 0 && !is_needed) {
    CALVE_RETURN_IF_ERROR(CommitHeldBack(context));
    return report;
  }
  CALVE_RETURN_IF_ERROR(context.Step("stage.before"));
  if (observer != nullptr) observer->Staged(report);
  CALVE_RETURN_IF_ERROR(context.Step("stage.after"));
  CALVE_RETURN_IF_ERROR(LoadRows(context, position, observer, &report));
  if (report.audit.failed()) {
    report.ending = Ending::kAuditFailed;
    CALVE_RETURN_IF_ERROR(CommitHeldBack(context));
    return report;
  }
  report.ending = Ending::kPublished;
  report.proof = "table";
  report.published_as = "in one transaction";
  report.commit_attempts = 1;
  return report;
}

Status PostgresLoad::CommitHeldBack(const Context& context) {
  CALVE_RETURN_IF_ERROR(context.Step("quarantine.commit"));
  CALVE_RETURN_IF_ERROR(database().Query(context, "BEGIN"));
  CALVE_RETURN_IF_ERROR(book_.Lock(context, database()));
  CALVE_RETURN_IF_ERROR(WriteHeldBack(context));
  return StatusOf(database().Query(context, "COMMIT"));
}

Status PostgresLoad::LoadRows(const Context& context, const Position& position, Observer* observer,
                              Report* report) {
  CALVE_RETURN_IF_ERROR(database().Query(context, "BEGIN ISOLATION LEVEL READ COMMITTED"));
  CALVE_RETURN_IF_ERROR(book_.Lock(context, database()));
  CALVE_RETURN_IF_ERROR(CheckIsAsPlanned(context));
  CALVE_RETURN_IF_ERROR(context.Step("quarantine.commit"));
  CALVE_RETURN_IF_ERROR(WriteHeldBack(context));
  const bool is_new = !target_.has_value();
  CALVE_RETURN_IF_ERROR(PrepareTable(context));
  int64_t rows_before = -1;
  if (!is_new) {
    CALVE_ASSIGN_OR_RETURN(rows_before, CountRows(context));
  }
  CALVE_RETURN_IF_ERROR(Apply(context, report));
  CALVE_RETURN_IF_ERROR(context.Step("audit.start"));
  CALVE_ASSIGN_OR_RETURN(report->audit, Audit(context, rows_before));
  CALVE_RETURN_IF_ERROR(context.Step("audit.done"));
  if (observer != nullptr) observer->Audited(*report);
  if (report->audit.failed()) return StatusOf(database().Query(context, "ROLLBACK"));
  CALVE_RETURN_IF_ERROR(book_.Make(context, database()));
  if (is_new) CALVE_RETURN_IF_ERROR(book_.Forget(context, database()));
  CALVE_RETURN_IF_ERROR(book_.Add(context, database(), request_.run, rows_, position));
  CALVE_RETURN_IF_ERROR(context.Step("publish.before"));
  CALVE_RETURN_IF_ERROR(Commit(context));
  return context.Step("publish.after");
}

Status PostgresLoad::CheckIsAsPlanned(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const auto now, LookAtTable(context));
  const bool same = now.has_value() == target_.has_value() &&
                    (!now.has_value() || now->columns == target_->columns);
  if (!same) {
    return ConflictError("another writer has made or changed " + table_.ToString() +
                         " since this load was planned; run again");
  }
  if (!now.has_value()) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const auto entry, book_.Find(context, database()));
  const std::optional<int64_t> id = entry.has_value() ? std::optional(entry->id) : std::nullopt;
  if (id == position_id_) return Status::Ok();
  return ConflictError("another run of job " + request_.job + " has loaded " + table_.ToString() +
                       " since this one began; run again");
}

Status PostgresLoad::EnsureSchema(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(
      const auto found,
      database().Query(context, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1",
                       {table_.schema}));
  if (!found.empty()) return Status::Ok();
  return StatusOf(
      database().Query(context, "CREATE SCHEMA IF NOT EXISTS " + QuoteIdentifier(table_.schema)));
}

Status PostgresLoad::WriteHeldBack(const Context& context) {
  const RelationName name = quarantine();
  CALVE_ASSIGN_OR_RETURN(const auto there, ReadTarget(context, database(), name, {}));
  if (!there.has_value() && rows_held_back_ == 0) return Status::Ok();
  if (!there.has_value()) {
    CALVE_RETURN_IF_ERROR(EnsureSchema(context));
    CALVE_ASSIGN_OR_RETURN(const std::string create,
                           CreateTable(name.Quoted(), QuarantineColumns()));
    CALVE_RETURN_IF_ERROR(database().Query(context, create));
  } else if (there->Find(std::string(kLoadKeyColumn)) == nullptr) {
    return RefusedError("table " + name.ToString() +
                        " is no quarantine of calve: it has no column load_key; rename it");
  }
  CALVE_RETURN_IF_ERROR(database().Change(
      context, "DELETE FROM " + name.Quoted() + " WHERE " + std::string(kLoadKeyColumn) + " = $1",
      {load_key_}));
  std::vector<std::string> columns;
  for (const Field& field : QuarantineColumns()) columns.push_back(QuoteIdentifier(field.name));
  const std::string list = Join(columns, ", ");
  return StatusOf(database().Change(context, "INSERT INTO " + name.Quoted() + " (" + list +
                                                 ") SELECT " + list + " FROM " + kHeldBack));
}

Status PostgresLoad::PrepareTable(const Context& context) {
  if (!target_.has_value()) {
    CALVE_RETURN_IF_ERROR(EnsureSchema(context));
    CALVE_ASSIGN_OR_RETURN(const std::string create,
                           CreateTable(table_.Quoted(), plan_.schema->fields(), key_));
    CALVE_RETURN_IF_ERROR(database().Query(context, create));
  } else {
    CALVE_ASSIGN_OR_RETURN(const auto changes,
                           ChangeColumns(table_, *target_, plan_.schema->fields()));
    for (const std::string& change : changes)
      CALVE_RETURN_IF_ERROR(database().Query(context, change));
  }
  // Other writers of the rows that are replaced wait; readers do not.
  if (options_.write_mode != WriteMode::kAppend) {
    CALVE_RETURN_IF_ERROR(database().Query(
        context, "LOCK TABLE " + table_.Quoted() + " IN SHARE ROW EXCLUSIVE MODE"));
  }
  CALVE_ASSIGN_OR_RETURN(target_, LookAtTable(context));
  return Status::Ok();
}

Result<int64_t> PostgresLoad::Bring(const Context& context, const std::string& sql) {
  Result<int64_t> brought = database().Change(context, sql);
  if (brought.ok()) return brought;
  const std::string kind = database().sql_state().substr(0, 2);
  if (kind != "22" && kind != "23") return brought;
  return DataError("expected rows that " + table_.ToString() +
                   " takes: " + brought.error().message + "; nothing was changed");
}

Status PostgresLoad::Apply(const Context& context, Report* report) {
  const Statements statements(table_, *target_, written_names_, key_);
  if (options_.write_mode == WriteMode::kOverwrite) {
    CALVE_ASSIGN_OR_RETURN(report->rows_replaced, Bring(context, "DELETE FROM " + table_.Quoted()));
  }
  if (rows_ == 0) return Status::Ok();
  if (options_.write_mode == WriteMode::kMerge) {
    if (const std::string update = statements.Update(); !update.empty()) {
      CALVE_ASSIGN_OR_RETURN(report->rows_replaced, Bring(context, update));
    }
    return StatusOf(Bring(context, statements.InsertNew()));
  }
  CALVE_ASSIGN_OR_RETURN(const int64_t brought, Bring(context, statements.Insert()));
  if (brought == rows_) return Status::Ok();
  return DataError("expected " + table_.ToString() + " to take " + FormatCount(rows_) +
                   " rows, found that it took " + FormatCount(brought) +
                   ": a trigger or rule of the table leaves rows out; nothing was changed");
}

Result<int64_t> PostgresLoad::CountRows(const Context& context) {
  if (request_.contract == nullptr) return int64_t{-1};
  const auto judges_table = [&](const audit::Check& check) {
    const audit::CheckKind* kind = request_.checks->Find(check.kind);
    return kind != nullptr && kind->judges == audit::Judges::kTable;
  };
  if (std::none_of(request_.contract->checks.begin(), request_.contract->checks.end(),
                   judges_table))
    return int64_t{-1};
  CALVE_ASSIGN_OR_RETURN(const auto rows,
                         database().Query(context, "SELECT count(*) FROM " + table_.Quoted()));
  return ParseInteger(rows[0][0].value_or("")).value_or(-1);
}

Result<audit::Report> PostgresLoad::Audit(const Context& context, int64_t rows_before) {
  if (request_.contract == nullptr) return audit::Report{};
  const Statements statements(table_, *target_, written_names_, key_);
  audit::AuditScope scope;
  CALVE_ASSIGN_OR_RETURN(scope.table, CursorTable(*session_, table_.Quoted(), target_->columns));
  CALVE_ASSIGN_OR_RETURN(scope.added, CursorTable(*session_, statements.Added(), target_->columns));
  CALVE_ASSIGN_OR_RETURN(const auto judged,
                         iceberg::Schema::Make(iceberg::SchemaId(0), target_->Fields()));
  CALVE_ASSIGN_OR_RETURN(scope.inputs.schema, columnar::ToArrowSchema(*judged));
  scope.inputs.rows_before = rows_before;
  scope.inputs.rows_loaded = rows_;
  CALVE_ASSIGN_OR_RETURN(scope.inputs.rows_of_loads,
                         book_.RowsOfLoads(context, database(), audit::kLoadsMax));
  scope.inputs.now_ms = MillisSinceEpoch(context.clock->Now());
  scope.resolver = resources_.resolver;
  return audit::AuditTable(context, *request_.contract, *request_.checks, *resources_.engine,
                           scope);
}

Status PostgresLoad::Commit(const Context& context) {
  Status committed = StatusOf(database().Query(context, "COMMIT"));
  if (committed.ok() || committed.error().kind != ErrorKind::kUnknownOutcome) return committed;
  // The lock is free when the transaction has ended, one way or the other.
  session_.reset();
  const Context waiting = context.WithStop({});
  const auto look = [&]() -> Result<bool> {
    CALVE_RETURN_IF_ERROR(Connect(waiting));
    CALVE_RETURN_IF_ERROR(database().Query(waiting, "BEGIN"));
    CALVE_RETURN_IF_ERROR(book_.Lock(waiting, database()));
    CALVE_ASSIGN_OR_RETURN(const bool landed, book_.HasRun(waiting, database(), request_.run));
    CALVE_RETURN_IF_ERROR(database().Query(waiting, "ROLLBACK"));
    return landed;
  };
  const Result<bool> landed = look();
  if (!landed.ok()) return committed;
  if (*landed) return Status::Ok();
  return TransientError(
      "the connection was lost before the rows were committed, nothing was loaded; "
      "run again");
}

}  // namespace
}  // namespace calve::load::postgres

namespace calve::load {

CALVE_PART(postgres) {
  registry.Add({.type = "postgres",
                .meaning = "Tables of PostgreSQL: judged and committed in one transaction",
                .part = config::MakePart<postgres::PostgresOptions>("postgres"),
                .make = [](const config::Node& node, const Request& request,
                           const Resources& resources) -> Result<std::unique_ptr<Load>> {
                  CALVE_ASSIGN_OR_RETURN(auto options,
                                         postgres::PostgresOptions::Declaration().Parse(node));
                  return std::unique_ptr<Load>(std::make_unique<postgres::PostgresLoad>(
                      std::move(options), node.place(), request, resources));
                },
                .table =
                    [](const config::Node& node) {
                      const config::Node* schema = node.Find("schema");
                      const config::Node* table = node.Find("table");
                      if (table == nullptr) return std::string();
                      return (schema == nullptr ? "public" : schema->text()) + "." + table->text();
                    },
                .details = postgres::kDetails});
}

}  // namespace calve::load
