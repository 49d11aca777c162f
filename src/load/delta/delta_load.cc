#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "audit/audit.h"
#include "base/text.h"
#include "columnar/convert.h"
#include "io/uri.h"
#include "load/delta/data_files.h"
#include "load/delta/details.h"
#include "load/delta/log.h"
#include "load/delta/options.h"
#include "load/delta/schema_json.h"
#include "load/held_back.h"
#include "load/registry.h"
#include "load/schema_plan.h"
#include "writer/writer.h"

namespace calve::load::delta {
namespace {

using iceberg::Field;

/// How often a load is judged and committed again because another writer was faster.
constexpr int kRoundsMax = 20;
/// How often the store is asked whether it keeps a file that is there.
constexpr int kProbesMax = 5;

/// Data files of one table on their way, from several splits.
class Files {
 public:
  void Take(std::vector<iceberg::DataFilePtr> written) {
    std::lock_guard lock(mutex_);
    for (auto& file : written) all_.push_back(std::move(file));
  }
  /// For one thread, once the splits are done.
  const std::vector<iceberg::DataFilePtr>& all() const { return all_; }
  int64_t rows() const {
    int64_t rows = 0;
    for (const auto& file : all_) rows += file->record_count;
    return rows;
  }
  Status Remove(const Context& context, io::FileSystem& files) {
    std::lock_guard lock(mutex_);
    std::vector<std::string> uris;
    for (const auto& file : all_) uris.push_back(file->path);
    all_.clear();
    return files.DeleteAll(context, uris);
  }

 private:
  std::mutex mutex_;
  std::vector<iceberg::DataFilePtr> all_;
};

/// One run's load into one table of Delta Lake.
///
/// The files lie in the table's folder, where nobody reads them until an entry of the log names
/// them: the contract is judged before, over the table as it would be. The entry has the version of
/// this job's position (`txn`), whose text stands in a file of its own that was written before.
class DeltaLoad : public Load {
 public:
  DeltaLoad(DeltaOptions options, config::Place place, Request request, Resources resources)
      : options_(std::move(options)),
        place_(std::move(place)),
        request_(std::move(request)),
        resources_(std::move(resources)),
        log_(*resources_.files, options_.Location(resources_.project_folder)),
        held_back_log_(*resources_.files, log_.location() + std::string(kQuarantineSuffix)),
        application_("calve." + request_.job) {}

  Result<std::optional<commit::Position>> ReadPosition(const Context& context,
                                                       bool expected) override;
  void SetsOutToRead(const std::string&) override {}
  Result<std::shared_ptr<arrow::Schema>> WantedSchema(const Context& context) override;
  bool may_widen() const override { return false; }
  Result<SchemaPlan> PlanSchema(const Context& context, const arrow::Schema& incoming) override;
  Result<std::string> WhyNotAdopted(const Context&, const SchemaPlan&,
                                    const io::FileInfo&) override {
    return std::string("tables of Delta Lake take no files as they are");
  }
  Status Begin(const Context& context, const SchemaPlan& plan) override;
  Result<std::unique_ptr<SplitLoad>> OpenSplit(const Context& context, int split) override;
  Result<Report> Finish(const Context& context, const std::optional<commit::Position>& position,
                        int64_t rows_expected, Observer* observer) override;
  Status Abort(const Context& context) override;
  bool leaves_files() const override { return leaves_files_; }
  Result<std::vector<OpenBranch>> OpenBranches(const Context&) override {
    return std::vector<OpenBranch>();
  }
  Status Discard(const Context&, const std::string& branch) override {
    return NotFoundError("a table of Delta Lake has no branch " + branch);
  }
  Result<bool> Sweep(const Context& context, const std::string& run) override;
  std::string target() const override { return options_.Name(); }
  bool overwrites() const override { return options_.write_mode == WriteMode::kOverwrite; }

 private:
  class Split;
  using Position = std::optional<commit::Position>;

  io::FileSystem& files() { return *resources_.files; }
  std::string PositionFile(int64_t version) const {
    return log_.location() + "/_calve/" + request_.job + "/" + std::to_string(version) + ".json";
  }
  Error StoreReplaces() const;
  /// See that the store says that entries of the log are never replaced; changes nothing.
  Status CheckStore();
  /// Make the bucket when it is missing, and see that the store keeps what it says.
  Status PrepareStore(const Context& context);
  Status CheckTable(const SchemaPlan& plan) const;
  Status CheckContract(const Context& context, const SchemaPlan& plan) const;
  std::vector<std::string> PartitionColumns() const {
    return snapshot_.has_value() ? snapshot_->metadata.partition_columns : options_.partition_by;
  }
  /// Of the version that the job's position has in the table; 0: none.
  static int64_t PositionVersion(const std::optional<Snapshot>& snapshot,
                                 const std::string& application);

  // Of Finish:
  Status CommitHeldBack(const Context& context);
  Status WritePosition(const Context& context, const commit::Position& position);
  Result<std::optional<Snapshot>> LookAgain(const Context& context);
  Result<audit::Report> Audit(const Context& context, const std::optional<Snapshot>& now);
  Result<std::vector<std::string>> Actions(const Context& context,
                                           const std::optional<Snapshot>& now);
  Status SweepFolder(const Context& context, const Log& log, const std::string& run);

  const DeltaOptions options_;
  const config::Place place_;
  const Request request_;
  const Resources resources_;
  const Log log_;
  const Log held_back_log_;
  const std::string application_;
  std::optional<Snapshot> snapshot_;  ///< As it was when the load was planned.
  int64_t position_before_ = 0;
  int64_t position_version_ = 0;  ///< That this load commits; 0: none.
  std::string load_key_;

  std::string schema_;  ///< JSON, as planned.
  std::vector<Field> fields_;
  iceberg::MetadataPtr layout_;
  iceberg::MetadataPtr held_back_layout_;
  std::string file_tag_;
  Files written_;
  Files held_back_;
  bool committed_ = false;
  bool held_back_committed_ = false;
  std::atomic<bool> leaves_files_ = false;  ///< Set by any split.
};

/// One split's writers: the table's and the quarantine's.
class DeltaLoad::Split : public SplitLoad {
 public:
  Split(DeltaLoad& load, int number) : load_(load), number_(number) {}

  Status Write(const Context& context, const columnar::Batch& rows) override {
    if (rows->num_rows() == 0) return Status::Ok();
    CALVE_RETURN_IF_ERROR(context.Step("write.batch"));
    const int64_t share =
        load_.request_.buffer_bytes_max.value() / std::max(1, load_.request_.parallelism);
    return WriteTo(context, load_.layout_, share, rows, &writer_);
  }

  Status Quarantine(const Context& context, std::vector<QuarantinedRow> rows) override {
    if (rows.empty()) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(
        const columnar::Batch batch,
        QuarantineRows(rows, {.job = load_.request_.job,
                              .run = load_.request_.run,
                              .key = load_.load_key_,
                              .now_us = context.clock->Now().time_since_epoch().count()}));
    constexpr int64_t kBuffer = 8 << 20;
    return WriteTo(context, load_.held_back_layout_, kBuffer, batch, &held_back_);
  }

  Result<bool> Adopt(const Context&, const io::FileInfo&,
                     const std::function<void(ByteCount)>&) override {
    return false;
  }

  Status Close(const Context& context) override {
    CALVE_RETURN_IF_ERROR(CloseOne(context, &held_back_, &load_.held_back_));
    if (writer_ == nullptr) return Status::Ok();
    CALVE_RETURN_IF_ERROR(context.Step("write.close"));
    return CloseOne(context, &writer_, &load_.written_);
  }

  void Abort(const Context& context) override {
    for (auto* writer : {&writer_, &held_back_}) {
      if (*writer != nullptr && !(*writer)->Abort(context).ok()) load_.leaves_files_ = true;
      writer->reset();
    }
  }

 private:
  using Writer = std::unique_ptr<writer::DataFileWriter>;

  Status WriteTo(const Context& context, const iceberg::MetadataPtr& layout, int64_t buffer,
                 const columnar::Batch& rows, Writer* writer) {
    if (*writer == nullptr) {
      CALVE_ASSIGN_OR_RETURN(*writer, writer::OpenDataFileWriter(context, load_.files(),
                                                                 {.table = layout,
                                                                  .schema = layout->schema(),
                                                                  .spec = layout->spec(),
                                                                  .run_id = load_.file_tag_,
                                                                  .split = number_,
                                                                  .buffer_bytes_max = buffer}));
    }
    return (*writer)->Write(context, rows);
  }

  static Status CloseOne(const Context& context, Writer* writer, Files* files) {
    if (*writer == nullptr) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(auto closed, (*writer)->Close(context));
    writer->reset();
    files->Take(std::move(closed));
    return Status::Ok();
  }

  DeltaLoad& load_;
  const int number_;
  Writer writer_;
  Writer held_back_;
};

int64_t DeltaLoad::PositionVersion(const std::optional<Snapshot>& snapshot,
                                   const std::string& application) {
  if (!snapshot.has_value()) return 0;
  const auto found = snapshot->transactions.find(application);
  return found == snapshot->transactions.end() ? 0 : found->second;
}

Result<std::optional<commit::Position>> DeltaLoad::ReadPosition(const Context& context,
                                                                bool expected) {
  CALVE_ASSIGN_OR_RETURN(snapshot_, log_.Read(context));
  position_before_ = PositionVersion(snapshot_, application_);
  load_key_ =
      LoadKeyOf(request_.job, position_before_ == 0 ? "" : std::to_string(position_before_));
  const std::string lost = "to start over would double the rows of job " + request_.job +
                           "; bring it back, or, to start over, give the job another name";
  if (position_before_ == 0) {
    if (!expected || !snapshot_.has_value()) return Position();
    return RefusedError("expected in the log of " + log_.location() + " a position (txn " +
                        application_ + "), as an earlier run has left it, found none: " + lost);
  }
  const std::string file = PositionFile(position_before_);
  const Result<std::string> text = files().ReadFile(context, file);
  if (!text.ok() && text.error().kind == ErrorKind::kNotFound)
    return RefusedError("expected the position of job " + request_.job + " in " + file +
                        ", which the table's log names, found no file: " + lost);
  CALVE_RETURN_IF_ERROR(text);
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return DataError(file + " holds no position");
  return Position(
      commit::Position{.state = json.value("state", ""), .ledger = json.value("ledger", "")});
}

Result<std::shared_ptr<arrow::Schema>> DeltaLoad::WantedSchema(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const auto snapshot, log_.Read(context));
  if (!snapshot.has_value()) return PromisedSchema(request_.contract);
  CALVE_ASSIGN_OR_RETURN(const auto fields, ParseSchema(snapshot->metadata.schema));
  return WantedColumns(fields);
}

Error DeltaLoad::StoreReplaces() const {
  return RefusedError(
      "an entry of Delta's log needs storage where one of many writers of a file wins, and that "
      "at " +
      log_.location() +
      " replaces a file that is there; load into a local folder or into S3 that keeps "
      "If-None-Match");
}

Status DeltaLoad::CheckStore() {
  CALVE_ASSIGN_OR_RETURN(const io::Capabilities store, files().CapabilitiesFor(log_.location()));
  return store.atomic_create && store.write ? Status::Ok() : Status(StoreReplaces());
}

Status DeltaLoad::PrepareStore(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const io::Capabilities store, files().CapabilitiesFor(log_.location()));
  if (store.folders) return Status::Ok();
  CALVE_RETURN_IF_ERROR(files().EnsureFolder(context, log_.location()));
  // What speaks like S3 may ignore the condition. Others who try at the same time may delete ours.
  const std::string probe = log_.location() + "/_calve/probe";
  bool kept = false;
  for (int tries = 0; tries < kProbesMax && !kept; ++tries) {
    Status made = files().CreateIfAbsent(context, probe, "?");
    const bool there = made.ok() || made.error().kind == ErrorKind::kAlreadyExists ||
                       made.error().kind == ErrorKind::kUnknownOutcome;
    if (!there) return made;
    Status again = files().CreateIfAbsent(context, probe, "?");
    kept = !again.ok() && again.error().kind == ErrorKind::kAlreadyExists;
  }
  CALVE_RETURN_IF_ERROR(files().Delete(context, probe));
  return kept ? Status::Ok() : Status(StoreReplaces());
}

Result<SchemaPlan> DeltaLoad::PlanSchema(const Context& context, const arrow::Schema& incoming) {
  CALVE_ASSIGN_OR_RETURN(snapshot_, log_.Read(context));
  constexpr int kFormatVersion = 2;  // Without types of Iceberg's version 3.
  CALVE_ASSIGN_OR_RETURN(const std::vector<Field> fields,
                         columnar::ToIcebergFields(incoming, kFormatVersion));
  iceberg::SchemaPtr current;
  if (snapshot_.has_value()) {
    CALVE_ASSIGN_OR_RETURN(const auto known, ParseSchema(snapshot_->metadata.schema));
    CALVE_ASSIGN_OR_RETURN(
        current, iceberg::Schema::Make(iceberg::SchemaId(0),
                                       iceberg::AssignFreshIds(known, iceberg::FieldId(0)).first));
  }
  // A column of Delta keeps its type.
  std::optional<audit::Contract> contract;
  if (request_.contract != nullptr) {
    contract = *request_.contract;
    if (contract->on_type_change == audit::DriftPolicy::kEvolve)
      contract->on_type_change = audit::DriftPolicy::kQuarantine;
  }
  CALVE_ASSIGN_OR_RETURN(SchemaPlan plan,
                         MeetSchemas({.table = target(),
                                      .current = current.get(),
                                      .contract = contract.has_value() ? &*contract : nullptr,
                                      .format_version = kFormatVersion},
                                     fields));
  CALVE_RETURN_IF_ERROR(CheckTable(plan));
  CALVE_RETURN_IF_ERROR(CheckStore());
  CALVE_RETURN_IF_ERROR(
      LayoutOf(context, log_.location(), plan.schema->fields(), PartitionColumns()));
  if (request_.contract != nullptr) CALVE_RETURN_IF_ERROR(CheckContract(context, plan));
  return plan;
}

Status DeltaLoad::CheckTable(const SchemaPlan& plan) const {
  CALVE_RETURN_IF_ERROR(PrintSchema(plan.schema->fields(), ""));
  CALVE_RETURN_IF_ERROR(writer::CheckWritable(plan.schema));
  if (!snapshot_.has_value()) return Status::Ok();
  if (const std::string why = WhyNotWritten(*snapshot_, overwrites()); !why.empty())
    return RefusedError("calve cannot write the table at " + log_.location() + ": " + why);
  const auto& features = snapshot_->protocol.writer_features;
  const bool known_ntz =
      std::find(features.begin(), features.end(), "timestampNtz") != features.end();
  if (HoldsTimestampNtz(plan.schema->fields()) && !known_ntz) {
    return RefusedError(
        "the table at " + log_.location() +
        " has no timestamps without zone (its protocol lacks timestampNtz), and the "
        "source brings one; give it a zone with a type_conversion transformer");
  }
  if (options_.partition_by.empty() ||
      options_.partition_by == snapshot_->metadata.partition_columns)
    return Status::Ok();
  return ConfigError(config::ToString(place_) + ": partition_by is [" +
                     Join(options_.partition_by, ", ") + "], but the table at " + log_.location() +
                     " is partitioned by [" + Join(snapshot_->metadata.partition_columns, ", ") +
                     "]; leave the option out");
}

Status DeltaLoad::CheckContract(const Context& context, const SchemaPlan& plan) const {
  config::Faults faults;
  audit::PlannedScope scope;
  CALVE_ASSIGN_OR_RETURN(scope.inputs.schema, columnar::ToArrowSchema(*plan.schema));
  scope.inputs.now_ms = MillisSinceEpoch(context.clock->Now());
  scope.resolver = resources_.resolver;
  scope.new_table = calve::Split(target(), '.');
  CALVE_RETURN_IF_ERROR(audit::CheckContract(context, *request_.contract, *request_.checks,
                                             *resources_.engine, scope, &faults));
  return faults.ToStatus();
}

Status DeltaLoad::Begin(const Context& context, const SchemaPlan& plan) {
  CALVE_RETURN_IF_ERROR(PrepareStore(context));
  file_tag_ = request_.run + "-" + NewUuidString(*context.random).substr(0, 8);
  fields_ = plan.schema->fields();
  CALVE_ASSIGN_OR_RETURN(
      schema_, PrintSchema(fields_, snapshot_.has_value() ? snapshot_->metadata.schema : ""));
  CALVE_ASSIGN_OR_RETURN(layout_, LayoutOf(context, log_.location(), fields_, PartitionColumns()));
  CALVE_ASSIGN_OR_RETURN(held_back_layout_,
                         LayoutOf(context, held_back_log_.location(), QuarantineColumns(),
                                  {std::string(kLoadKeyColumn)}));
  return Status::Ok();
}

Result<std::unique_ptr<SplitLoad>> DeltaLoad::OpenSplit(const Context&, int split) {
  return std::unique_ptr<SplitLoad>(std::make_unique<Split>(*this, split));
}

Result<Report> DeltaLoad::Finish(const Context& context, const Position& position,
                                 int64_t rows_expected, Observer* observer) {
  Report report;
  report.table = target();
  report.rows_written = written_.rows();
  report.rows_quarantined = held_back_.rows();
  report.files = static_cast<int64_t>(written_.all().size());
  for (const auto& file : written_.all()) report.bytes += ByteCount(file->file_size_in_bytes);
  if (report.rows_written != rows_expected) {
    return BugError("the writers of " + report.table + " hold " + FormatCount(report.rows_written) +
                    " rows, but " + FormatCount(rows_expected) +
                    " were given to them; nothing was committed");
  }
  if (overwrites() && report.rows_written == 0 && snapshot_.has_value() &&
      !snapshot_->files.empty() && (!options_.allow_empty || report.rows_quarantined > 0)) {
    return DataError(
        "expected rows to put in place of those of " + report.table + ", found " +
        (report.rows_quarantined > 0
             ? FormatCount(report.rows_quarantined) + " that would be held back"
             : std::string("none in the source")) +
        ": overwriting would only take rows away, so nothing was changed; see that the "
        "source is whole, or set allow_empty: true in the loader when rows may be "
        "replaced by none");
  }
  CALVE_RETURN_IF_ERROR(CommitHeldBack(context));
  // Without a row there is no table; without a table no position: it is read again.
  const bool is_needed = snapshot_.has_value() && (position.has_value() || overwrites());
  if (report.rows_written == 0 && !is_needed) return report;
  CALVE_RETURN_IF_ERROR(context.Step("stage.before"));
  if (position.has_value()) CALVE_RETURN_IF_ERROR(WritePosition(context, *position));
  CALVE_RETURN_IF_ERROR(context.Step("stage.after"));
  if (observer != nullptr) observer->Staged(report);
  for (int round = 1; round <= kRoundsMax; ++round) {
    CALVE_ASSIGN_OR_RETURN(const std::optional<Snapshot> now, LookAgain(context));
    CALVE_RETURN_IF_ERROR(context.Step("audit.start"));
    CALVE_ASSIGN_OR_RETURN(report.audit, Audit(context, now));
    CALVE_RETURN_IF_ERROR(context.Step("audit.done"));
    if (observer != nullptr && round == 1) observer->Audited(report);
    if (report.audit.failed()) {
      report.ending = Ending::kAuditFailed;
      CALVE_RETURN_IF_ERROR(Abort(context));
      return report;
    }
    CALVE_ASSIGN_OR_RETURN(const auto actions, Actions(context, now));
    const int64_t version = now.has_value() ? now->version + 1 : 0;
    CALVE_RETURN_IF_ERROR(context.Step("publish.before"));
    CALVE_ASSIGN_OR_RETURN(const bool won, log_.Write(context, version, actions));
    if (!won) continue;
    committed_ = true;
    CALVE_RETURN_IF_ERROR(context.Step("publish.after"));
    // The one before is not needed any more; that it stays does no harm.
    if (position_version_ > 0 && position_before_ > 0)
      (void)files().Delete(context, PositionFile(position_before_)).ok();
    report.ending = Ending::kPublished;
    report.proof = "table";
    report.published_as = "version " + std::to_string(version);
    report.commit_attempts = round;
    if (overwrites() && now.has_value())
      report.files_rewritten = static_cast<int64_t>(now->files.size());
    return report;
  }
  return TransientError("other writers committed to " + report.table + " " +
                        FormatCount(kRoundsMax) +
                        " times in a row before this load could; run again");
}

Status DeltaLoad::WritePosition(const Context& context, const commit::Position& position) {
  const std::string text =
      nlohmann::json{{"state", position.state}, {"ledger", position.ledger}}.dump();
  // Files of runs that have not come to their end may lie there: each position has its own number.
  for (int64_t version = position_before_ + 1;; ++version) {
    Status made = files().CreateIfAbsent(context, PositionFile(version), text);
    if (!made.ok() && made.error().kind == ErrorKind::kAlreadyExists) continue;
    if (!made.ok() && made.error().kind == ErrorKind::kUnknownOutcome) {
      const auto there = files().ReadFile(context, PositionFile(version));
      if (!there.ok() || *there != text) continue;
      made = Status::Ok();
    }
    position_version_ = version;
    return made;
  }
}

Result<std::optional<Snapshot>> DeltaLoad::LookAgain(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(auto now, log_.Read(context));
  const bool same_table = now.has_value() == snapshot_.has_value() &&
                          (!now.has_value() || (now->metadata == snapshot_->metadata &&
                                                now->protocol == snapshot_->protocol));
  if (!same_table) {
    return ConflictError("another writer has made or changed " + target() +
                         " since this load was planned; run again");
  }
  if (PositionVersion(now, application_) != position_before_) {
    return ConflictError("another run of job " + request_.job + " has loaded " + target() +
                         " since this one began; run again");
  }
  if (now.has_value()) {
    if (const std::string why = WhyNotWritten(*now, overwrites()); !why.empty())
      return RefusedError("calve cannot write the table at " + log_.location() + ": " + why);
  }
  return now;
}

Result<audit::Report> DeltaLoad::Audit(const Context& context, const std::optional<Snapshot>& now) {
  if (request_.contract == nullptr) return audit::Report{};
  std::vector<AddedFile> added;
  for (const auto& file : written_.all()) {
    CALVE_ASSIGN_OR_RETURN(added.emplace_back(), FileOf(*layout_, *file));
  }
  std::vector<AddedFile> all;
  int64_t rows_before = now.has_value() ? 0 : -1;
  if (now.has_value()) {
    for (const auto& [path, file] : now->files) {
      if (!overwrites()) all.push_back(file);
      // Where the log does not say, the number of rows is not known.
      rows_before = rows_before < 0 || file.rows < 0 ? -1 : rows_before + file.rows;
    }
  }
  all.insert(all.end(), added.begin(), added.end());
  audit::AuditScope scope;
  CALVE_ASSIGN_OR_RETURN(scope.table, FileTable(*resources_.files, layout_, std::move(all)));
  CALVE_ASSIGN_OR_RETURN(scope.added, FileTable(*resources_.files, layout_, std::move(added)));
  CALVE_ASSIGN_OR_RETURN(scope.inputs.schema, columnar::ToArrowSchema(*layout_->schema()));
  scope.inputs.rows_before = rows_before;
  scope.inputs.rows_loaded = written_.rows();
  scope.inputs.now_ms = MillisSinceEpoch(context.clock->Now());
  scope.resolver = resources_.resolver;
  return audit::AuditTable(context, *request_.contract, *request_.checks, *resources_.engine,
                           scope);
}

/// What makes a table of these columns.
Metadata NewMetadata(const Context& context, const std::string& schema,
                     std::vector<std::string> partition_columns) {
  return {.id = NewUuidString(*context.random),
          .schema = schema,
          .partition_columns = std::move(partition_columns),
          .configuration = {},
          .created_ms = MillisSinceEpoch(context.clock->Now()),
          .name = "",
          .description = ""};
}

Protocol NewProtocol(const std::vector<Field>& fields) {
  if (!HoldsTimestampNtz(fields)) return {};
  return {.reader = 3,
          .writer = 7,
          .reader_features = {"timestampNtz"},
          .writer_features = {"appendOnly", "invariants", "timestampNtz"}};
}

Result<std::vector<std::string>> DeltaLoad::Actions(const Context& context,
                                                    const std::optional<Snapshot>& now) {
  const int64_t now_ms = MillisSinceEpoch(context.clock->Now());
  std::vector<std::string> actions = {
      PrintCommitInfo({.mode = overwrites() ? "Overwrite" : "Append",
                       .partition_columns = PartitionColumns(),
                       .job = request_.job,
                       .run = request_.run,
                       .now_ms = now_ms})};
  if (!now.has_value()) {
    actions.push_back(PrintProtocol(NewProtocol(fields_)));
    actions.push_back(PrintMetadata(NewMetadata(context, schema_, options_.partition_by)));
  } else {
    CALVE_ASSIGN_OR_RETURN(const auto before, ParseSchema(now->metadata.schema));
    const auto ids = [](const std::vector<Field>& fields) {
      return iceberg::AssignFreshIds(fields, iceberg::FieldId(0)).first;
    };
    if (ids(before) != ids(fields_)) {
      Metadata changed = now->metadata;
      changed.schema = schema_;
      actions.push_back(PrintMetadata(changed));
    }
  }
  if (position_version_ > 0)
    actions.push_back(PrintTransaction(application_, position_version_, now_ms));
  if (overwrites() && now.has_value()) {
    for (const auto& [path, file] : now->files) actions.push_back(PrintRemove(file, now_ms));
  }
  for (const auto& file : written_.all()) {
    CALVE_ASSIGN_OR_RETURN(const AddedFile added, FileOf(*layout_, *file));
    actions.push_back(PrintAdd(added, now_ms, StatsOf(*layout_, *file)));
  }
  return actions;
}

Status DeltaLoad::CommitHeldBack(const Context& context) {
  for (int round = 1; round <= kRoundsMax; ++round) {
    CALVE_ASSIGN_OR_RETURN(const auto now, held_back_log_.Read(context));
    if (!now.has_value() && held_back_.all().empty()) return Status::Ok();
    const int64_t now_ms = MillisSinceEpoch(context.clock->Now());
    std::vector<std::string> actions;
    if (!now.has_value()) {
      CALVE_ASSIGN_OR_RETURN(const std::string schema, PrintSchema(QuarantineColumns(), ""));
      actions.push_back(PrintProtocol({}));
      actions.push_back(PrintMetadata(NewMetadata(context, schema, {std::string(kLoadKeyColumn)})));
    } else if (now->metadata.partition_columns !=
               std::vector<std::string>{std::string(kLoadKeyColumn)}) {
      return RefusedError("the table at " + held_back_log_.location() +
                          " is no quarantine of calve: it is not partitioned by load_key; move it");
    }
    const size_t before = actions.size();
    if (now.has_value()) {
      for (const auto& [path, file] : now->files) {
        const auto key = file.partition_values.find(std::string(kLoadKeyColumn));
        if (key != file.partition_values.end() && key->second == load_key_)
          actions.push_back(PrintRemove(file, now_ms));
      }
    }
    for (const auto& file : held_back_.all()) {
      CALVE_ASSIGN_OR_RETURN(const AddedFile added, FileOf(*held_back_layout_, *file));
      actions.push_back(PrintAdd(added, now_ms, StatsOf(*held_back_layout_, *file)));
    }
    if (actions.size() == before) return Status::Ok();
    actions.insert(actions.begin(),
                   PrintCommitInfo({.mode = "Append",
                                    .partition_columns = {std::string(kLoadKeyColumn)},
                                    .job = request_.job,
                                    .run = request_.run,
                                    .now_ms = now_ms}));
    CALVE_RETURN_IF_ERROR(context.Step("quarantine.commit"));
    const int64_t version = now.has_value() ? now->version + 1 : 0;
    CALVE_ASSIGN_OR_RETURN(const bool won, held_back_log_.Write(context, version, actions));
    held_back_committed_ = won;
    if (won) return Status::Ok();
  }
  return TransientError("other writers committed to the quarantine of " + target() + " " +
                        FormatCount(kRoundsMax) + " times in a row; run again");
}

Status DeltaLoad::Abort(const Context& context) {
  Status removed;
  if (!held_back_committed_) removed = held_back_.Remove(context, files());
  if (!committed_) {
    Status rows = written_.Remove(context, files());
    if (removed.ok()) removed = std::move(rows);
    if (position_version_ > 0) (void)files().Delete(context, PositionFile(position_version_)).ok();
  }
  return removed;
}

Status DeltaLoad::SweepFolder(const Context& context, const Log& log, const std::string& run) {
  CALVE_ASSIGN_OR_RETURN(const auto snapshot, log.Read(context));
  std::vector<std::string> named;
  if (snapshot.has_value()) {
    for (const auto& [path, file] : snapshot->files) named.push_back(path);
    named.insert(named.end(), snapshot->removed.begin(), snapshot->removed.end());
  }
  std::set<std::string> kept;
  for (const std::string& path : named) {
    CALVE_ASSIGN_OR_RETURN(const std::string uri, AddressOf(log.location(), {.path = path}));
    kept.insert(io::OneSpelling(uri));
  }
  std::vector<std::string> left;
  const auto look = [&](std::span<const io::FileInfo> page) -> Result<bool> {
    for (const io::FileInfo& info : page) {
      const std::string name(io::BaseName(info.uri));
      const bool of_run = name.ends_with(".parquet") && name.find(run) != std::string::npos;
      if (of_run && !kept.contains(io::OneSpelling(info.uri))) left.push_back(info.uri);
    }
    return true;
  };
  Status listed = files().List(context, log.location(), {.recursive = true}, look);
  if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return listed;
  return files().DeleteAll(context, left);
}

Result<bool> DeltaLoad::Sweep(const Context& context, const std::string& run) {
  CALVE_RETURN_IF_ERROR(SweepFolder(context, log_, run));
  CALVE_RETURN_IF_ERROR(SweepFolder(context, held_back_log_, run));
  return true;
}

}  // namespace
}  // namespace calve::load::delta

namespace calve::load {

CALVE_PART(delta) {
  registry.Add({.type = "delta",
                .meaning = "Tables of Delta Lake: judged, then brought in by one entry of the log",
                .part = config::MakePart<delta::DeltaOptions>("delta"),
                .make = [](const config::Node& node, const Request& request,
                           const Resources& resources) -> Result<std::unique_ptr<Load>> {
                  CALVE_ASSIGN_OR_RETURN(auto options,
                                         delta::DeltaOptions::Declaration().Parse(node));
                  return std::unique_ptr<Load>(std::make_unique<delta::DeltaLoad>(
                      std::move(options), node.place(), request, resources));
                },
                .table =
                    [](const config::Node& node) {
                      auto options = delta::DeltaOptions::Declaration().Parse(node);
                      return options.ok() ? options->Name() : std::string();
                    },
                .details = delta::kDetails});
}

}  // namespace calve::load
