#include "statement/row_change.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "catalog/table_files.h"
#include "columnar/convert.h"
#include "iceberg/scan.h"
#include "load/audited_commit.h"
#include "rows/row_removal.h"
#include "statement/row_split.h"
#include "writer/writer.h"

namespace calve::statement {
namespace {

using engine::Statement;
using Kind = Statement::Kind;

/// How often a statement is computed again, because another writer was faster, before it fails.
constexpr int kTriesMax = 20;
/// The job in whose name statements write: no file of a job is called so.
constexpr const char* kJob = "sql";

/// What the table properties write.<this>.mode and write.<this>.isolation-level are about.
std::string PropertyOf(Kind kind, std::string_view what) {
  const char* verb = kind == Kind::kDelete ? "delete" : kind == Kind::kMerge ? "merge" : "update";
  return "write." + std::string(verb) + "." + std::string(what);
}

/// Whether rows that others add beside a statement are to be as if they had come after it.
Result<bool> IsSerializable(const iceberg::TableMetadata& table, Kind kind) {
  const std::string property = PropertyOf(kind, "isolation-level");
  const std::string level = ToLower(table.Property(property, "serializable"));
  if (level == "serializable") return true;
  if (level == "snapshot") return false;
  return ConfigError("table property " + property + ": expected serializable or snapshot, found " +
                     Quote(level));
}

/// A statement holds no row back: what would be held back stops it.
std::optional<audit::Contract> Strict(std::optional<audit::Contract> contract) {
  if (!contract.has_value()) return contract;
  for (audit::Check& check : contract->checks) {
    if (check.severity == audit::Severity::kQuarantine) check.severity = audit::Severity::kFail;
  }
  return contract;
}

/// One statement on its way into one table. For one thread.
class RowChange {
 public:
  RowChange(const std::string& sql, const Statement& statement,
            std::shared_ptr<const commit::NewTable> new_table,
            engine::CatalogResolver::Target target, std::optional<audit::Contract> contract,
            const std::string& run, const Resources& resources)
      : sql_(sql),
        statement_(statement),
        new_table_(std::move(new_table)),
        table_(std::move(target.table)),
        catalog_(*target.catalog),
        contract_(std::move(contract)),
        resources_(resources),
        request_({.job = kJob,
                  .run = run,
                  .contract = contract_.has_value() ? &*contract_ : nullptr,
                  .checks = resources.checks,
                  .parallelism = resources.parallelism,
                  .buffer_bytes_max = resources.buffer_bytes_max}),
        committer_(catalog_, *resources.load.files),
        commit_(committer_, table_, catalog_.name(), request_, resources_.load) {}

  Result<Outcome> Run(const Context& context, load::Observer* observer) {
    for (int round = 1;; ++round) {
      Result<Outcome> outcome = Try(context, observer);
      if (outcome.ok()) return outcome;
      // What is staged after an unknown outcome may be in main: it stays.
      if (outcome.error().kind == ErrorKind::kUnknownOutcome) return outcome;
      if (Status undone = Undo(context.WithStop({})); !undone.ok())
        committer_.LeaveFiles(context, undone.error());
      if (!overtaken_) return outcome;
      if (round == kTriesMax) {
        return TransientError("other writers changed " + table_.ToString() + " " +
                              FormatCount(round) +
                              " times in a row before this statement could commit; run again");
      }
    }
  }

 private:
  Result<Outcome> Try(const Context& context, load::Observer* observer) {
    overtaken_ = false;
    CALVE_ASSIGN_OR_RETURN(loaded_, committer_.LoadOrDraft(context, table_, new_table_.get()));
    outcome_ = {.kind = statement_.kind, .target = table_.ToString()};
    outcome_.load.table = outcome_.target;
    file_tag_ = request_.run + "-" + NewUuidString(*context.random).substr(0, 8);
    CALVE_RETURN_IF_ERROR(ComputeRows(context));
    for (const iceberg::DataFilePtr& file : files_) {
      outcome_.load.rows_written += file->record_count;
      outcome_.load.bytes += ByteCount(file->file_size_in_bytes);
    }
    outcome_.load.files = static_cast<int64_t>(files_.size());
    if (files_.empty() && split_->gone().empty()) {
      outcome_.changed = false;
      return outcome_;
    }
    CALVE_ASSIGN_OR_RETURN(commit::Change change, MakeChange(context));
    CALVE_RETURN_IF_ERROR(context.Step("stage.before"));
    CALVE_RETURN_IF_ERROR(commit_.Bring(context, std::move(change), outcome_.load.rows_written,
                                        observer, &outcome_.load));
    return outcome_;
  }

  /// Remove what a try has written and staged.
  Status Undo(const Context& context) {
    if (commit_.is_staged()) return commit_.Discard(context, {});
    std::vector<std::string> uris = removal_.written;
    for (const iceberg::DataFilePtr& file : files_) uris.push_back(file->path);
    return resources_.load.files->DeleteAll(context, uris);
  }

  Status ComputeRows(const Context& context) {
    files_.clear();
    removal_ = {};
    const iceberg::MetadataPtr& metadata = loaded_.metadata;
    CALVE_ASSIGN_OR_RETURN(
        engine::RowChanges changes,
        resources_.engine->Changes(context, sql_,
                                   {.metadata = metadata,
                                    .snapshot_id = metadata->current_snapshot_id,
                                    .schema = metadata->schema(),
                                    .data_sequence_min = std::nullopt},
                                   {.resolver = resources_.resolver, .tables = {}}));
    CALVE_ASSIGN_OR_RETURN(split_, RowSplit::Make(changes, *metadata->schema(), outcome_.target));
    CALVE_ASSIGN_OR_RETURN(
        const auto writer,
        writer::OpenDataFileWriter(context, *resources_.load.files,
                                   {.table = metadata,
                                    .schema = split_->written(),
                                    .spec = metadata->spec(),
                                    .run_id = file_tag_,
                                    .buffer_bytes_max = request_.buffer_bytes_max.value() / 2}));
    const Status written = WriteRows(context, *changes.rows, *writer);
    if (written.ok()) {
      Result<std::vector<iceberg::DataFilePtr>> files = writer->Close(context);
      if (files.ok()) {
        files_ = std::move(*files);
        return Status::Ok();
      }
      if (Status aborted = writer->Abort(context.WithStop({})); !aborted.ok())
        committer_.LeaveFiles(context, aborted.error());
      return std::move(files).error();
    }
    if (Status aborted = writer->Abort(context.WithStop({})); !aborted.ok())
      committer_.LeaveFiles(context, aborted.error());
    return written;
  }

  Status WriteRows(const Context& context, engine::ResultStream& rows,
                   writer::DataFileWriter& writer) {
    while (true) {
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, rows.Next(context));
      if (batch == nullptr) return Status::Ok();
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch coming, split_->Take(batch, &outcome_));
      if (coming == nullptr || coming->num_rows() == 0) continue;
      CALVE_RETURN_IF_ERROR(context.Step("write.batch"));
      CALVE_RETURN_IF_ERROR(writer.Write(context, coming));
    }
  }

  Result<commit::Change> MakeChange(const Context& context) {
    commit::Change change;
    change.pipeline = request_.job;
    change.run = request_.run;
    change.rows.added_data_files = files_;
    change.rows.summary[std::string(commit::summary::kRows)] =
        std::to_string(outcome_.load.rows_written);
    change.schema = loaded_.metadata->schema();
    change.new_table = new_table_;
    if (!split_->gone().empty()) CALVE_RETURN_IF_ERROR(AddRemoval(context, &change));
    return change;
  }

  Status AddRemoval(const Context& context, commit::Change* change) {
    const iceberg::MetadataPtr& metadata = loaded_.metadata;
    CALVE_ASSIGN_OR_RETURN(const bool serializable, IsSerializable(*metadata, statement_.kind));
    CALVE_ASSIGN_OR_RETURN(const rows::RemovalMode mode,
                           rows::RemovalModeOf(*metadata, PropertyOf(statement_.kind, "mode")));
    CALVE_ASSIGN_OR_RETURN(std::vector<rows::FileRows> matches, FilesWithRows(context, *metadata));
    for (const rows::FileRows& file : matches)
      deletes_before_[file.task.file->path] = rows::DeletesOf(file.task);
    const rows::RewriteOptions rewrite{
        .table = metadata,
        .schema = metadata->schema(),
        .run_id = file_tag_ + "-m",
        .parallelism = request_.parallelism,
        .buffer_bytes_max = request_.buffer_bytes_max.value() / 2,
        .leave_files = [&](const Error& why) { committer_.LeaveFiles(context, why); }};
    CALVE_ASSIGN_OR_RETURN(removal_, rows::RemoveRows(context, *resources_.load.files, rewrite,
                                                      mode, std::move(matches)));
    removal_.AddTo(&change->rows, metadata->current_snapshot()->sequence_number);
    change->rows.operation = files_.empty() && removal_.carried.empty()
                                 ? iceberg::Operation::kDelete
                                 : iceberg::Operation::kOverwrite;
    outcome_.load.rows_replaced = removal_.rows_removed;
    outcome_.load.files_rewritten = static_cast<int64_t>(removal_.gone.size());
    outcome_.load.files_with_deletes = static_cast<int64_t>(removal_.deletes.size());
    change->basis = {
        .snapshot = metadata->current_snapshot_id,
        .still_holds = [this, &context, serializable](const iceberg::MetadataPtr& now) {
          return CheckStillHolds(context, *now, serializable);
        }};
    return Status::Ok();
  }

  /// The files that hold rows to be taken out.
  Result<std::vector<rows::FileRows>> FilesWithRows(const Context& context,
                                                    const iceberg::TableMetadata& metadata) const {
    CALVE_ASSIGN_OR_RETURN(std::vector<iceberg::ScanTask> tasks, Plan(context, metadata));
    std::vector<rows::FileRows> matches;
    for (iceberg::ScanTask& task : tasks) {
      const auto gone = split_->gone().find(task.file->path);
      if (gone != split_->gone().end())
        matches.push_back({.task = std::move(task), .gone = gone->second});
    }
    if (matches.size() == split_->gone().size()) return matches;
    return BugError("rows of a file that " + table_.ToString() + " does not have were to change");
  }

  Result<std::vector<iceberg::ScanTask>> Plan(const Context& context,
                                              const iceberg::TableMetadata& metadata) const {
    catalog::TableFiles table_files(*resources_.load.files);
    CALVE_ASSIGN_OR_RETURN(iceberg::ScanPlan plan,
                           iceberg::PlanScan(context, table_files, metadata, {}));
    return std::move(plan.tasks);
  }

  /// Main has moved since the statement was computed.
  Status CheckStillHolds(const Context& context, const iceberg::TableMetadata& now,
                         bool serializable) {
    overtaken_ = true;
    if (!serializable && now.schema()->SameColumns(*loaded_.metadata->schema())) {
      CALVE_ASSIGN_OR_RETURN(const std::vector<iceberg::ScanTask> tasks, Plan(context, now));
      size_t same = 0;
      for (const iceberg::ScanTask& task : tasks) {
        const auto before = deletes_before_.find(task.file->path);
        if (before != deletes_before_.end() && before->second == rows::DeletesOf(task)) ++same;
      }
      overtaken_ = same != deletes_before_.size();
    }
    if (!overtaken_) return Status::Ok();
    return ConflictError("another writer has changed " + table_.ToString() +
                         " since the statement was computed");
  }

  const std::string& sql_;
  const Statement& statement_;
  const std::shared_ptr<const commit::NewTable> new_table_;
  const catalog::TableName table_;
  catalog::Catalog& catalog_;
  const std::optional<audit::Contract> contract_;
  const Resources& resources_;
  const load::Request request_;
  commit::Committer committer_;
  load::AuditedCommit commit_;

  // Of the try under way:
  catalog::LoadedTable loaded_;
  std::string file_tag_;
  Outcome outcome_;
  std::unique_ptr<RowSplit> split_;
  std::vector<iceberg::DataFilePtr> files_;
  rows::RowRemoval removal_;
  std::map<std::string, std::string> deletes_before_;  ///< By data file, of those that are changed.
  bool overtaken_ = false;
};

}  // namespace

Result<Outcome> ChangeRows(const Context& context, const std::string& sql,
                           const Statement& statement,
                           std::shared_ptr<const commit::NewTable> new_table,
                           const std::string& run, const Resources& resources,
                           load::Observer* observer) {
  if (statement.target.ref.has_value() || statement.target.snapshot_id.has_value() ||
      statement.target.as_of_ms.has_value()) {
    return ConfigError("expected a table to change, found " + statement.target.ToString() +
                       ": statements change main, after an audit on a branch of their own");
  }
  CALVE_ASSIGN_OR_RETURN(engine::CatalogResolver::Target target,
                         resources.resolver->TargetOf(statement.target.parts));
  if (target.catalog->capabilities().refs == catalog::Capabilities::Refs::kNone) {
    return RefusedError("catalog " + target.catalog->name() +
                        " keeps no branches in a table, so that rows cannot wait there for their "
                        "audit; of a Nessie take the catalog `type: nessie`");
  }
  if (new_table == nullptr) {
    // So that a name that is not there is answered with those that are.
    CALVE_RETURN_IF_ERROR(resources.resolver->Load(context, statement.target.parts));
  }
  CALVE_ASSIGN_OR_RETURN(auto contract, resources.contract(target.table.ToString()));
  return RowChange(sql, statement, std::move(new_table), std::move(target),
                   Strict(std::move(contract)), run, resources)
      .Run(context, observer);
}

}  // namespace calve::statement
