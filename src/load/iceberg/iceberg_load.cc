#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "base/text.h"
#include "catalog/table_files.h"
#include "columnar/arrow_status.h"
#include "columnar/keep_columns.h"
#include "commit/committer.h"
#include "iceberg/scan.h"
#include "load/audited_commit.h"
#include "load/held_back.h"
#include "load/iceberg/merge.h"
#include "load/iceberg/options.h"
#include "load/iceberg/plan_check.h"
#include "load/iceberg/quarantine.h"
#include "load/iceberg/replay.h"
#include "load/iceberg/row_filter.h"
#include "load/registry.h"
#include "load/schema_plan.h"
#include "writer/writer.h"

namespace calve::load {
namespace {

using catalog::LoadedTable;
using iceberg::Field;

/// How often a merge is computed again, because another writer was faster, before the run fails.
constexpr int kMergesMax = 20;

class IcebergLoad : public Load {
 public:
  IcebergLoad(IcebergOptions options, catalog::TableName table, catalog::Catalog& catalog,
              Request request, Resources resources)
      : options_(std::move(options)),
        table_(std::move(table)),
        catalog_(catalog),
        request_(std::move(request)),
        resources_(std::move(resources)),
        committer_(catalog, *resources_.files),
        commit_(committer_, table_, options_.catalog, request_, resources_) {}

  Result<std::optional<commit::Position>> ReadPosition(const Context& context,
                                                       bool expected) override;
  void SetsOutToRead(const std::string& what) override {
    load_key_ = LoadKeyOf(request_.job, what);
    is_replay_ = true;
  }
  Result<std::shared_ptr<arrow::Schema>> WantedSchema(const Context& context) override;
  bool may_widen() const override {
    return request_.contract != nullptr &&
           request_.contract->on_type_change == audit::DriftPolicy::kEvolve;
  }
  Result<SchemaPlan> PlanSchema(const Context& context, const arrow::Schema& incoming) override;
  Result<std::string> WhyNotAdopted(const Context& context, const SchemaPlan& plan,
                                    const io::FileInfo& file) override;
  Status Begin(const Context& context, const SchemaPlan& plan) override;
  Result<std::unique_ptr<SplitLoad>> OpenSplit(const Context& context, int split) override;
  Result<Report> Finish(const Context& context, const std::optional<commit::Position>& position,
                        int64_t rows_expected, Observer* observer) override;
  Status Abort(const Context& context) override;
  bool leaves_files() const override { return committer_.leaves_files(); }
  Result<std::vector<OpenBranch>> OpenBranches(const Context& context) override;
  Status Discard(const Context& context, const std::string& branch) override {
    return committer_.Discard(context, table_, branch, {}, /*run_is_over=*/true);
  }
  Result<bool> Sweep(const Context& context, const std::string& run) override;
  std::string target() const override { return table_.ToString(); }
  bool overwrites() const override { return options_.write_mode == WriteMode::kOverwrite; }

 private:
  class Split;

  /// The table as it is now; nothing when it is not there, or is to be made anew.
  Result<std::optional<LoadedTable>> LoadTarget(const Context& context);
  /// Plan a table that comes with its first rows. `unborn`: in the place of this one, unless it is
  /// right as it is.
  Status PlanTable(const Context& context, const SchemaPlan& plan, const LoadedTable* unborn);
  Quarantine& quarantine(const Context& context);
  void Take(std::vector<iceberg::DataFilePtr> files, int64_t adopted);
  void TakeDeletes(std::vector<iceberg::DataFilePtr> files);
  /// Why rows of any file have to be read; empty when they need not.
  std::string WhyRowsAreNeeded() const;
  /// By this load itself; without rows that a merge lays out anew.
  int64_t RowsWritten() const { return RowsOf(files_); }
  static int64_t RowsOf(const std::vector<iceberg::DataFilePtr>& files);
  /// See that the writers hold the rows that they were given.
  Status CheckCount(int64_t rows_expected) const;
  Status StageUntilBrought(const Context& context, const std::optional<commit::Position>& position,
                           Observer* observer, Report* report);
  Result<commit::Change> MakeChange(const Context& context,
                                    const std::optional<commit::Position>& position);
  /// Refuse an overwrite without a row to write that would take rows away.
  Status CheckTakesNothing(const Context& context);
  /// Bring the files that are written into main.
  Status StageAndPublish(const Context& context, const std::optional<commit::Position>& position,
                         Observer* observer, Report* report);

  // With write_mode merge:
  /// See that rows of `schema` can be merged; give their key.
  Result<KeyColumns> KeyIn(const iceberg::Schema& schema) const;
  /// Take the column that says which rows delete out of the incoming ones.
  Status TakeDeleteFlag(std::vector<Field>* incoming, const iceberg::Schema* table) const;
  /// Plan where the keys of rows that delete are kept.
  Status PlanDeletes();
  /// Remove files that nothing needs any more.
  void Remove(const Context& context, const std::vector<std::string>& uris);
  void RemoveDeletes(const Context& context);
  Status BeginMerge(const Context& context);
  Status AddMerge(const Context& context, commit::Change* change);
  /// Undo the staging of a merge that was overtaken; the load's own files stay.
  Status TakeBack(const Context& context);

  const IcebergOptions options_;
  const catalog::TableName table_;
  catalog::Catalog& catalog_;
  const Request request_;
  const Resources resources_;
  commit::Committer committer_;
  AuditedCommit commit_;
  std::string load_key_;
  bool is_replay_ = false;  ///< Of rows that were held back.
  /// The run's id and a try's own: a run that is tried again must not meet names of its first try.
  std::string file_tag_;
  std::optional<iceberg::SnapshotId> position_before_;
  std::shared_ptr<const commit::NewTable> new_table_;  ///< Null when the table was there.
  LoadedTable loaded_;                                 ///< Or its draft.
  iceberg::SchemaPtr schema_;                          ///< Of the rows, with the table's field ids.
  bool schema_is_newer_ = false;
  iceberg::Expression replaced_;  ///< With overwrite filter: the rows that give way.
  std::mutex mutex_;
  std::unique_ptr<Quarantine> quarantine_;
  std::vector<iceberg::DataFilePtr> files_;
  std::vector<iceberg::DataFilePtr> deletes_;  ///< With the keys of rows that delete.
  iceberg::MetadataPtr deletes_table_;  ///< What they are written for: no table of a catalog.
  iceberg::SchemaPtr deletes_schema_;   ///< Null: no row deletes.
  std::unique_ptr<Merge> merge_;
  int64_t files_adopted_ = 0;
};

/// One split's writers: the table's and the quarantine's.
class IcebergLoad::Split : public SplitLoad {
 public:
  Split(IcebergLoad& load, int number, load::Quarantine& quarantine)
      : load_(load), number_(number), held_back_(quarantine, number) {}

  Status Delete(const Context& context, const columnar::Batch& rows) override {
    if (rows->num_rows() == 0) return Status::Ok();
    if (deletes_ == nullptr) {
      CALVE_ASSIGN_OR_RETURN(deletes_,
                             writer::OpenDataFileWriter(context, *load_.resources_.files,
                                                        {.table = load_.deletes_table_,
                                                         .schema = load_.deletes_schema_,
                                                         .spec = {},
                                                         .run_id = load_.file_tag_ + "-d",
                                                         .split = number_,
                                                         .buffer_bytes_max = BufferBytes() / 8}));
    }
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch keys,
                           columnar::Conform(columnar::KeepColumns(rows, *load_.deletes_schema_),
                                             *load_.deletes_schema_));
    return deletes_->Write(context, keys);
  }

  Status Write(const Context& context, const columnar::Batch& rows) override {
    if (rows->num_rows() == 0) return Status::Ok();
    CALVE_RETURN_IF_ERROR(OpenWriter(context));
    CALVE_RETURN_IF_ERROR(context.Step("write.batch"));
    return writer_->Write(context, rows);
  }

  Result<bool> Adopt(const Context& context, const io::FileInfo& file,
                     const std::function<void(ByteCount)>& copied) override {
    if (!load_.WhyRowsAreNeeded().empty()) return false;
    CALVE_RETURN_IF_ERROR(OpenWriter(context));
    CALVE_RETURN_IF_ERROR(context.Step("write.batch"));
    CALVE_ASSIGN_OR_RETURN(const bool adopted, writer_->Adopt(context, file, copied));
    if (adopted) ++files_adopted_;
    return adopted;
  }

  Status Quarantine(const Context& context, std::vector<QuarantinedRow> rows) override {
    return held_back_.Write(context, rows);
  }

  Status Close(const Context& context) override {
    CALVE_RETURN_IF_ERROR(held_back_.Close(context));
    if (deletes_ != nullptr) {
      CALVE_ASSIGN_OR_RETURN(auto files, deletes_->Close(context));
      deletes_.reset();
      load_.TakeDeletes(std::move(files));
    }
    if (writer_ == nullptr) return Status::Ok();
    CALVE_RETURN_IF_ERROR(context.Step("write.close"));
    CALVE_ASSIGN_OR_RETURN(auto files, writer_->Close(context));
    writer_.reset();
    load_.Take(std::move(files), files_adopted_);
    return Status::Ok();
  }

  void Abort(const Context& context) override {
    held_back_.Abort(context);
    for (auto* writer : {&writer_, &deletes_}) {
      if (*writer == nullptr) continue;
      if (Status aborted = (*writer)->Abort(context); !aborted.ok())
        load_.committer_.LeaveFiles(context, aborted.error());
      writer->reset();
    }
  }

 private:
  Status OpenWriter(const Context& context) {
    if (writer_ != nullptr) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(writer_,
                           writer::OpenDataFileWriter(context, *load_.resources_.files,
                                                      {.table = load_.loaded_.metadata,
                                                       .schema = load_.schema_,
                                                       .spec = load_.loaded_.metadata->spec(),
                                                       .run_id = load_.file_tag_,
                                                       .split = number_,
                                                       .buffer_bytes_max = BufferBytes()}));
    return Status::Ok();
  }

  int64_t BufferBytes() const {
    return load_.request_.buffer_bytes_max.value() / std::max(1, load_.request_.parallelism);
  }

  IcebergLoad& load_;
  const int number_;
  int64_t files_adopted_ = 0;
  load::Quarantine::Writer held_back_;
  std::unique_ptr<writer::DataFileWriter> writer_;
  std::unique_ptr<writer::DataFileWriter> deletes_;
};

Result<std::optional<LoadedTable>> IcebergLoad::LoadTarget(const Context& context) {
  Result<LoadedTable> loaded = catalog_.LoadTable(context, table_);
  if (loaded.ok() && commit::IsUnborn(*loaded->metadata)) return std::optional<LoadedTable>();
  if (loaded.ok()) return std::optional<LoadedTable>(std::move(*loaded));
  if (loaded.error().kind == ErrorKind::kNotFound) return std::optional<LoadedTable>();
  return std::move(loaded).error();
}

Result<std::optional<commit::Position>> IcebergLoad::ReadPosition(const Context& context,
                                                                  bool expected) {
  CALVE_ASSIGN_OR_RETURN(const auto target, LoadTarget(context));
  std::optional<commit::FoundPosition> found;
  if (target.has_value()) {
    CALVE_ASSIGN_OR_RETURN(found, commit::FindPosition(context, *resources_.files,
                                                       {catalog_, *resources_.files, table_},
                                                       *target, request_.job, expected));
  }
  if (!found.has_value()) {
    load_key_ = LoadKeyOf(request_.job);
    return std::optional<commit::Position>();
  }
  position_before_ = found->snapshot_id;
  load_key_ = LoadKeyOf(request_.job, std::to_string(found->snapshot_id.value()));
  return std::optional<commit::Position>(std::move(found->position));
}

Result<std::shared_ptr<arrow::Schema>> IcebergLoad::WantedSchema(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const auto target, LoadTarget(context));
  if (target.has_value()) return WantedColumns(target->metadata->schema()->fields());
  return PromisedSchema(request_.contract);
}

Result<SchemaPlan> IcebergLoad::PlanSchema(const Context& context, const arrow::Schema& incoming) {
  CALVE_ASSIGN_OR_RETURN(const auto target, LoadTarget(context));
  const int version =
      target.has_value() ? target->metadata->format_version : options_.format_version;
  CALVE_ASSIGN_OR_RETURN(std::vector<Field> fields, columnar::ToIcebergFields(incoming, version));
  const iceberg::Schema* current = target.has_value() ? target->metadata->schema().get() : nullptr;
  if (!options_.delete_flag.empty()) CALVE_RETURN_IF_ERROR(TakeDeleteFlag(&fields, current));
  CALVE_ASSIGN_OR_RETURN(SchemaPlan plan, MeetSchemas({.table = table_.ToString(),
                                                       .current = current,
                                                       .contract = request_.contract,
                                                       .format_version = version},
                                                      fields));
  plan.delete_flag = options_.delete_flag;
  CALVE_RETURN_IF_ERROR(writer::CheckWritable(plan.schema));
  if (options_.write_mode == WriteMode::kMerge) CALVE_RETURN_IF_ERROR(KeyIn(*plan.schema));
  CALVE_RETURN_IF_ERROR(
      CheckPlan(context, {.options = options_,
                          .request = request_,
                          .resources = resources_,
                          .catalog = catalog_,
                          .table = table_,
                          .planned = *plan.schema,
                          .current = target.has_value() ? target->metadata : nullptr}));
  return plan;
}

std::string IcebergLoad::WhyRowsAreNeeded() const {
  if (options_.adopt_files == AdoptFiles::kNever) return "adopt_files is never";
  const bool adds =
      options_.write_mode == WriteMode::kAppend || options_.write_mode == WriteMode::kOverwrite;
  return adds ? "" : "write_mode looks at every row";
}

Result<std::string> IcebergLoad::WhyNotAdopted(const Context& context, const SchemaPlan& plan,
                                               const io::FileInfo& file) {
  if (std::string why = WhyRowsAreNeeded(); !why.empty()) return why;
  CALVE_ASSIGN_OR_RETURN(const auto target, LoadTarget(context));
  if (!target.has_value() && !options_.sort_by.empty()) return std::string("the table is sorted");
  iceberg::TableMetadata made;
  made.properties = options_.properties;
  const iceberg::TableMetadata& table = target.has_value() ? *target->metadata : made;
  const bool is_partitioned =
      target.has_value() ? !table.spec().fields.empty() : !options_.partition_by.empty();
  return writer::WhyNotAdopted(
      context, *resources_.files,
      {.table = table, .schema = *plan.schema, .is_partitioned = is_partitioned}, file);
}

Status IcebergLoad::Begin(const Context& context, const SchemaPlan& plan) {
  file_tag_ = request_.run + "-" + NewUuidString(*context.random).substr(0, 8);
  Result<LoadedTable> there = catalog_.LoadTable(context, table_);
  if (!there.ok() && there.error().kind != ErrorKind::kNotFound) return std::move(there).error();
  const bool is_unborn = there.ok() && commit::IsUnborn(*there->metadata);
  if (!there.ok() || is_unborn)
    CALVE_RETURN_IF_ERROR(PlanTable(context, plan, is_unborn ? &*there : nullptr));
  if (new_table_ != nullptr) {
    loaded_ = new_table_->draft;
    schema_ = loaded_.metadata->schema();
  } else {
    const auto evolve = [&](iceberg::SchemaUpdate& update) {
      return update.UnionByName(plan.schema->fields());
    };
    const iceberg::SchemaId before = there->metadata->current_schema_id;
    CALVE_ASSIGN_OR_RETURN(auto reserved, committer_.ReserveSchema(context, table_, evolve));
    loaded_ = std::move(reserved.table);
    schema_ = std::move(reserved.schema);
    schema_is_newer_ = schema_->id() != before;
  }
  CALVE_ASSIGN_OR_RETURN(const auto planned, columnar::ToArrowSchema(*plan.schema));
  CALVE_ASSIGN_OR_RETURN(const auto written, columnar::ToArrowSchema(*schema_));
  if (!planned->Equals(*written)) {
    return ConflictError("another writer has changed the columns of " + table_.ToString() +
                         " since this load was planned; run again");
  }
  if (options_.where.has_value()) {
    CALVE_ASSIGN_OR_RETURN(replaced_, MakeRowFilter(*options_.where, *loaded_.metadata->schema()));
  }
  if (!plan.delete_flag.empty()) CALVE_RETURN_IF_ERROR(PlanDeletes());
  return Status::Ok();
}

Status IcebergLoad::PlanTable(const Context& context, const SchemaPlan& plan,
                              const LoadedTable* unborn) {
  const auto options = [&](const std::string& location) -> Result<iceberg::CreateTableOptions> {
    CALVE_ASSIGN_OR_RETURN(iceberg::CreateTableOptions create, LayoutOf(options_, *plan.schema));
    if (create.location.empty()) create.location = location;
    create.uuid = NewUuidString(*context.random);
    return create;
  };
  CALVE_ASSIGN_OR_RETURN(new_table_, committer_.PlanTable(context, table_, unborn, options));
  if (unborn != nullptr && new_table_->IsAlready(*unborn->metadata)) new_table_.reset();
  return Status::Ok();
}

Quarantine& IcebergLoad::quarantine(const Context& context) {
  std::lock_guard lock(mutex_);
  if (quarantine_ == nullptr) {
    quarantine_ = std::make_unique<Quarantine>(
        committer_, *resources_.files,
        Quarantine::Options{.table = Quarantine::NameFor(table_),
                            .job = request_.job,
                            .run = request_.run,
                            .file_tag = file_tag_,
                            .key = load_key_.empty() ? request_.run : load_key_,
                            .now_us = context.clock->Now().time_since_epoch().count()});
  }
  return *quarantine_;
}

Result<std::unique_ptr<SplitLoad>> IcebergLoad::OpenSplit(const Context& context, int split) {
  return std::make_unique<Split>(*this, split, quarantine(context));
}

void IcebergLoad::Take(std::vector<iceberg::DataFilePtr> files, int64_t adopted) {
  std::lock_guard lock(mutex_);
  files_adopted_ += adopted;
  for (iceberg::DataFilePtr& file : files) files_.push_back(std::move(file));
}

void IcebergLoad::TakeDeletes(std::vector<iceberg::DataFilePtr> files) {
  std::lock_guard lock(mutex_);
  for (iceberg::DataFilePtr& file : files) deletes_.push_back(std::move(file));
}

Result<KeyColumns> IcebergLoad::KeyIn(const iceberg::Schema& schema) const {
  const bool by_contract = options_.key.empty() && request_.contract != nullptr;
  const std::vector<std::string>& names = by_contract ? request_.contract->key : options_.key;
  if (names.empty()) {
    return ConfigError("write_mode: merge needs to know which rows of " + table_.ToString() +
                       " are the same; name their columns in the loader's key, or in the "
                       "contract's");
  }
  for (size_t i = 0; !by_contract && i < names.size(); ++i) {
    Result<KeyColumns> column = KeyColumns::Of(schema, {names[i]});
    if (!column.ok())
      return While(config::ToString(options_.PlaceOf("key", i)), std::move(column).error());
  }
  for (size_t i = 0; i < options_.latest_by.size(); ++i) {
    Result<KeyColumns> columns = KeyColumns::Of(schema, names, {options_.latest_by[i]});
    if (!columns.ok())
      return While(config::ToString(options_.PlaceOf("latest_by", i)), std::move(columns).error());
  }
  return KeyColumns::Of(schema, names, options_.latest_by);
}

Status IcebergLoad::TakeDeleteFlag(std::vector<Field>* incoming,
                                   const iceberg::Schema* table) const {
  const std::string& flag = options_.delete_flag;
  const auto is_flag = [&](const Field& field) { return field.name == flag; };
  const std::string place = config::ToString(options_.PlaceOf("delete_flag"));
  const auto found = std::find_if(incoming->begin(), incoming->end(), is_flag);
  if (found == incoming->end()) {
    std::vector<std::string> known;
    for (const Field& field : *incoming) known.push_back(field.name);
    return While(place, ConfigError("delete_flag names a column '" + flag +
                                    "' that the rows do not have" + DidYouMean(flag, known)));
  }
  if (found->type.kind() != iceberg::TypeKind::kBoolean) {
    return While(place, ConfigError("expected a boolean column in delete_flag, found " + flag +
                                    " of type " + found->type.ToString() +
                                    "; a transformer of type sql makes one, such as columns: {" +
                                    flag + ": \"" + flag + " = 'd'\"}"));
  }
  if (table != nullptr && std::any_of(table->fields().begin(), table->fields().end(), is_flag)) {
    return While(place,
                 ConfigError("delete_flag names column " + flag + ", which " + table_.ToString() +
                             " has too: it is not written, only says which rows delete; "
                             "give the incoming column another name"));
  }
  incoming->erase(found);
  return Status::Ok();
}

Status IcebergLoad::PlanDeletes() {
  CALVE_ASSIGN_OR_RETURN(const KeyColumns key, KeyIn(*schema_));
  CALVE_ASSIGN_OR_RETURN(deletes_schema_, key.Stored());
  iceberg::TableMetadata table = *loaded_.metadata;
  table.specs = {iceberg::PartitionSpec()};
  table.default_spec_id = {};
  table.sort_orders.clear();
  std::erase_if(table.properties,
                [](const auto& property) { return property.first != "write.data.path"; });
  deletes_table_ = std::make_shared<const iceberg::TableMetadata>(std::move(table));
  return Status::Ok();
}

void IcebergLoad::Remove(const Context& context, const std::vector<std::string>& uris) {
  if (Status removed = resources_.files->DeleteAll(context, uris); !removed.ok())
    committer_.LeaveFiles(context, removed.error());
}

void IcebergLoad::RemoveDeletes(const Context& context) {
  std::vector<std::string> uris;
  for (const iceberg::DataFilePtr& file : deletes_) uris.push_back(file->path);
  deletes_.clear();
  Remove(context, uris);
}

Status IcebergLoad::BeginMerge(const Context& context) {
  if (files_.empty() && deletes_.empty()) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(KeyColumns key, KeyIn(*schema_));
  merge_ = std::make_unique<Merge>(
      *resources_.files,
      Merge::Options{
          .columns = std::move(key),
          .schema = schema_,
          .file_tag = file_tag_,
          .deletes = deletes_,
          .deletes_table = deletes_table_,
          .parallelism = request_.parallelism,
          .buffer_bytes_max = request_.buffer_bytes_max.value(),
          .leave_files = [this](const Context& where,
                                const Error& why) { committer_.LeaveFiles(where, why); }},
      loaded_.metadata, files_);
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> gone, merge_->Settle(context, &files_));
  Remove(context, gone);
  return Status::Ok();
}

Status IcebergLoad::AddMerge(const Context& context, commit::Change* change) {
  CALVE_ASSIGN_OR_RETURN(const LoadedTable now,
                         committer_.LoadOrDraft(context, table_, new_table_.get()));
  if (new_table_ != nullptr) CALVE_RETURN_IF_ERROR(new_table_->CheckServes(table_, *now.metadata));
  const bool same_columns =
      now.metadata->current_schema_id == loaded_.metadata->current_schema_id ||
      now.metadata->schema()->SameColumns(*schema_);
  if (!same_columns || now.metadata->format_version != loaded_.metadata->format_version) {
    return TransientError("another writer has changed the columns or the format of " +
                          table_.ToString() + " while this load ran; run again");
  }
  CALVE_RETURN_IF_ERROR(merge_->Compute(context, now.metadata, change));
  if (!is_replay_ || merge_->rows_replaced() == 0) return Status::Ok();
  return DataError("expected keys that " + table_.ToString() +
                   " does not have among the rows that were held back, found " +
                   FormatCount(merge_->rows_replaced()) +
                   " of its rows with the same: which of the two is newer is not known, so nothing "
                   "was loaded; load the rows that should be there by a file of their own, then "
                   "calve quarantine drop " +
                   table_.ToString());
}

Status IcebergLoad::TakeBack(const Context& context) {
  if (!commit_.is_staged()) return resources_.files->DeleteAll(context, merge_->written());
  std::set<std::string> kept;
  for (const iceberg::DataFilePtr& file : files_) kept.insert(file->path);
  return commit_.Discard(context, kept);
}

int64_t IcebergLoad::RowsOf(const std::vector<iceberg::DataFilePtr>& files) {
  int64_t rows = 0;
  for (const iceberg::DataFilePtr& file : files) rows += file->record_count;
  return rows;
}

Status IcebergLoad::CheckCount(int64_t rows_expected) const {
  const int64_t held = RowsWritten() + RowsOf(deletes_);
  if (held == rows_expected) return Status::Ok();
  return BugError("the writers of " + table_.ToString() + " hold " + FormatCount(held) +
                  " rows, but " + FormatCount(rows_expected) +
                  " were given to them; nothing was staged");
}

Result<commit::Change> IcebergLoad::MakeChange(const Context& context,
                                               const std::optional<commit::Position>& position) {
  commit::Change change;
  change.pipeline = request_.job;
  change.run = request_.run;
  change.position = position;
  change.position_before = position_before_;
  change.rows.added_data_files = files_;
  change.rows.summary[std::string(commit::summary::kRows)] = std::to_string(RowsWritten());
  if (schema_is_newer_) change.schema_id = schema_->id();
  change.schema = schema_;
  change.new_table = new_table_;
  if (options_.write_mode == WriteMode::kOverwrite) {
    change.rows.operation = iceberg::Operation::kOverwrite;
    switch (options_.overwrite.value_or(OverwriteScope::kTable)) {
      case OverwriteScope::kTable:
        change.rows.remove_matching = iceberg::Expression::True();
        break;
      case OverwriteScope::kPartitions:
        change.rows.replace_partitions = true;
        break;
      case OverwriteScope::kFilter:
        change.rows.remove_matching = replaced_;
        break;
    }
  }
  if (merge_ != nullptr) CALVE_RETURN_IF_ERROR(AddMerge(context, &change));
  return change;
}

Status IcebergLoad::CheckTakesNothing(const Context& context) {
  const int64_t held_back = quarantine(context).rows();
  const OverwriteScope scope = options_.overwrite.value_or(OverwriteScope::kTable);
  if (new_table_ != nullptr || scope == OverwriteScope::kPartitions) return Status::Ok();
  if (options_.allow_empty && held_back == 0) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const LoadedTable now, catalog_.LoadTable(context, table_));
  catalog::TableFiles table_files(*resources_.files);
  iceberg::ScanOptions taken;
  if (scope == OverwriteScope::kFilter) taken.filter = replaced_;
  CALVE_ASSIGN_OR_RETURN(const iceberg::ScanPlan plan,
                         iceberg::PlanScan(context, table_files, *now.metadata, taken));
  if (plan.tasks.empty()) return Status::Ok();
  if (held_back > 0) {
    return DataError("not one row can be written, " + FormatCount(held_back) +
                     " would be held back: overwriting " + table_.ToString() +
                     " would only take rows away, so nothing was changed; `calve extract " +
                     request_.job + "` shows why rows do not fit");
  }
  return DataError("expected rows to put in place of those of " + table_.ToString() +
                   ", found none in the source: overwriting would only take rows away, so nothing "
                   "was changed; see that the source is whole, or set allow_empty: true in the "
                   "loader when rows may be replaced by none");
}

Result<Report> IcebergLoad::Finish(const Context& context,
                                   const std::optional<commit::Position>& position,
                                   int64_t rows_expected, Observer* observer) {
  CALVE_RETURN_IF_ERROR(CheckCount(rows_expected));
  const bool replaces = options_.write_mode == WriteMode::kOverwrite;
  if (replaces && files_.empty()) CALVE_RETURN_IF_ERROR(CheckTakesNothing(context));
  if (options_.write_mode == WriteMode::kMerge) CALVE_RETURN_IF_ERROR(BeginMerge(context));
  Report report;
  report.table = table_.ToString();
  report.rows_written = RowsWritten();
  report.rows_deleting = RowsOf(deletes_);
  report.rows_outdated = rows_expected - report.rows_written - report.rows_deleting;
  for (const iceberg::DataFilePtr& file : files_) {
    report.bytes += ByteCount(file->file_size_in_bytes);
  }
  report.files = static_cast<int64_t>(files_.size());
  report.files_adopted = files_adopted_;
  CALVE_RETURN_IF_ERROR(quarantine(context).Commit(context));
  report.rows_quarantined = quarantine_->rows();
  // Without a row there is no table; without a table no position: it is read again.
  const bool is_needed =
      new_table_ == nullptr && (position.has_value() || replaces || !deletes_.empty());
  if (!files_.empty() || is_needed)
    CALVE_RETURN_IF_ERROR(StageUntilBrought(context, position, observer, &report));
  RemoveDeletes(context);
  return report;
}

Status IcebergLoad::StageUntilBrought(const Context& context,
                                      const std::optional<commit::Position>& position,
                                      Observer* observer, Report* report) {
  for (int round = 1;; ++round) {
    Status brought = StageAndPublish(context, position, observer, report);
    if (brought.ok()) return brought;
    const bool overtaken =
        merge_ != nullptr && merge_->overtaken() && brought.error().kind == ErrorKind::kRefused;
    if (!overtaken) return brought;
    if (round == kMergesMax) {
      return TransientError("other writers changed the rows that this load merges into " +
                            report->table + " " + FormatCount(round) +
                            " times in a row before it could commit; run again");
    }
    CALVE_RETURN_IF_ERROR(TakeBack(context));
  }
}

Status IcebergLoad::StageAndPublish(const Context& context,
                                    const std::optional<commit::Position>& position,
                                    Observer* observer, Report* report) {
  CALVE_RETURN_IF_ERROR(context.Step("stage.before"));
  CALVE_ASSIGN_OR_RETURN(commit::Change change, MakeChange(context, position));
  if (merge_ != nullptr) {
    report->rows_replaced = merge_->rows_replaced();
    report->files_rewritten = merge_->files_rewritten();
    report->files_with_deletes = merge_->files_with_deletes();
  }
  return commit_.Bring(context, std::move(change), RowsWritten(), observer, report);
}

Status IcebergLoad::Abort(const Context& context) {
  if (quarantine_ != nullptr) CALVE_RETURN_IF_ERROR(quarantine_->Abort(context));
  RemoveDeletes(context);
  if (commit_.is_staged()) {
    // The branch holds the files: they go with it. Gone already means that the publish came through
    // after all.
    Status discarded = commit_.Discard(context, {});
    return discarded.ok() || discarded.error().kind == ErrorKind::kNotFound ? Status::Ok()
                                                                            : discarded;
  }
  std::vector<std::string> uris;
  {
    std::lock_guard lock(mutex_);
    for (const iceberg::DataFilePtr& file : files_) uris.push_back(file->path);
    files_.clear();
    if (merge_ != nullptr)
      uris.insert(uris.end(), merge_->written().begin(), merge_->written().end());
  }
  return resources_.files->DeleteAll(context, uris);
}

Result<std::vector<Load::OpenBranch>> IcebergLoad::OpenBranches(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(auto staged, committer_.ListStaged(context, table_, request_.job));
  std::vector<OpenBranch> open;
  for (commit::Committer::StagedBranch& branch : staged)
    open.push_back({.branch = std::move(branch.name), .run = std::move(branch.run)});
  return open;
}

Result<bool> IcebergLoad::Sweep(const Context& context, const std::string& run) {
  const catalog::TableName held_back = Quarantine::NameFor(table_);
  CALVE_RETURN_IF_ERROR(committer_.SweepBranch(context, table_, run));
  CALVE_ASSIGN_OR_RETURN(const auto rows,
                         committer_.Sweep(context, table_, run, options_.location));
  CALVE_ASSIGN_OR_RETURN(const auto others, committer_.Sweep(context, held_back, run));
  return !rows.again && !others.again;
}

}  // namespace

CALVE_PART(iceberg) {
  registry.Add(
      {.type = "iceberg",
       .meaning = "Iceberg tables: staged on a branch, audited, published",
       .part = config::MakePart<IcebergOptions>("iceberg"),
       .make = [](const config::Node& node, const Request& request,
                  const Resources& resources) -> Result<std::unique_ptr<Load>> {
         CALVE_ASSIGN_OR_RETURN(IcebergOptions options, IcebergOptions::Read(node));
         CALVE_ASSIGN_OR_RETURN(catalog::TableName table, options.Name());
         CALVE_ASSIGN_OR_RETURN(catalog::Catalog * catalog, resources.catalog(options.catalog));
         return std::make_unique<IcebergLoad>(std::move(options), std::move(table), *catalog,
                                              request, resources);
       },
       .held = [](const config::Node& node, const std::string& job, const Request& request,
                  const Resources& resources) -> Result<std::unique_ptr<HeldRows>> {
         CALVE_ASSIGN_OR_RETURN(IcebergOptions options, IcebergOptions::Read(node));
         CALVE_ASSIGN_OR_RETURN(catalog::TableName table, options.Name());
         CALVE_ASSIGN_OR_RETURN(catalog::Catalog * catalog, resources.catalog(options.catalog));
         return std::make_unique<QuarantineReplay>(
             *catalog, *resources.files, *resources.engine,
             QuarantineReplay::Options{.table = std::move(table),
                                       .job = job,
                                       .replay_job = request.job,
                                       .run = request.run});
       }});
}

}  // namespace calve::load
