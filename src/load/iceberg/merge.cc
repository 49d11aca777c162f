#include "load/iceberg/merge.h"

#include <set>
#include <utility>

namespace calve::load {
namespace {

/// Rows replaced and rows written anew as they were, in the snapshot's summary.
constexpr const char* kRowsReplaced = "calve.rows-replaced";
constexpr const char* kRowsCarried = "calve.rows-carried";

}  // namespace

Merge::Merge(io::FileSystem& files, Options options, iceberg::MetadataPtr table,
             std::vector<iceberg::DataFilePtr> rows)
    : files_(files),
      options_(std::move(options)),
      table_(std::move(table)),
      // The writers of the load are done: their memory is free, half of it for rewriting.
      keys_(files, {.columns = options_.columns,
                    .table = table_,
                    .files = std::move(rows),
                    .deletes_table = options_.deletes_table,
                    .deletes = options_.deletes,
                    .bytes_max = options_.buffer_bytes_max / 2}),
      match_(files, keys_) {}

rows::RewriteOptions Merge::RewriteOf(const Context& context, const iceberg::MetadataPtr& table,
                                      const std::string& tag) const {
  return {
      .table = table,
      .schema = options_.schema,
      .run_id = options_.file_tag + tag,
      .parallelism = options_.parallelism,
      .buffer_bytes_max = options_.buffer_bytes_max / 2,
      .leave_files = [this, &context](const Error& why) { options_.leave_files(context, why); }};
}

Result<std::vector<std::string>> Merge::Settle(const Context& context,
                                               std::vector<iceberg::DataFilePtr>* files) {
  CALVE_ASSIGN_OR_RETURN(auto outdated, keys_.FindOutdated(context));
  if (outdated.empty()) return std::vector<std::string>();
  CALVE_ASSIGN_OR_RETURN(rows::RowRemoval settled,
                         rows::RemoveRows(context, files_, RewriteOf(context, table_, "-k"),
                                          rows::RemovalMode::kCopyOnWrite, std::move(outdated)));
  const std::set<std::string> gone(settled.gone.begin(), settled.gone.end());
  std::erase_if(*files,
                [&](const iceberg::DataFilePtr& file) { return gone.contains(file->path); });
  files->insert(files->end(), settled.carried.begin(), settled.carried.end());
  keys_.Replace(*files);
  return std::move(settled.gone);
}

Status Merge::Compute(const Context& context, const iceberg::MetadataPtr& table,
                      commit::Change* change) {
  overtaken_ = false;
  removal_ = {};
  table_schema_ = table->current_schema_id;
  CALVE_ASSIGN_OR_RETURN(const rows::RemovalMode mode,
                         rows::RemovalModeOf(*table, "write.merge.mode"));
  CALVE_ASSIGN_OR_RETURN(std::vector<rows::FileRows> matches, match_.Find(context, table));
  CALVE_ASSIGN_OR_RETURN(
      removal_, rows::RemoveRows(context, files_,
                                 RewriteOf(context, table, "-m" + std::to_string(++computed_)),
                                 mode, std::move(matches)));
  if (removal_.rows_removed > 0) {
    removal_.AddTo(&change->rows, table->current_snapshot()->sequence_number);
    const bool adds = !change->rows.added_data_files.empty();
    change->rows.operation = adds ? iceberg::Operation::kOverwrite : iceberg::Operation::kDelete;
  }
  change->rows.summary[kRowsReplaced] = std::to_string(removal_.rows_removed);
  change->rows.summary[kRowsCarried] = std::to_string(removal_.rows_carried);
  change->basis = {.snapshot = table->current_snapshot_id,
                   .still_holds = [this, &context](const iceberg::MetadataPtr& now) {
                     return CheckStillHolds(context, *now);
                   }};
  return Status::Ok();
}

Status Merge::CheckStillHolds(const Context& context, const iceberg::TableMetadata& now) {
  const bool same_columns =
      now.current_schema_id == table_schema_ || now.schema()->SameColumns(*options_.schema);
  overtaken_ = true;
  if (same_columns) {
    CALVE_ASSIGN_OR_RETURN(const bool holds, match_.StillHolds(context, now));
    overtaken_ = !holds;
  }
  if (!overtaken_) return Status::Ok();
  return ConflictError(
      "another writer has changed the rows with keys of this load, or the columns, since the merge "
      "was computed");
}

}  // namespace calve::load
