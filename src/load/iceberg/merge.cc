#include "load/iceberg/merge.h"

#include <utility>

#include "load/iceberg/rewrite.h"

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
      // The writers of the load are done: their memory is free, half of it for rewriting.
      keys_(files, {.table = std::move(table),
                    .columns = options_.columns,
                    .files = std::move(rows),
                    .bytes_max = options_.buffer_bytes_max / 2}),
      match_(files, keys_) {}

Status Merge::Compute(const Context& context, const iceberg::MetadataPtr& table,
                      commit::Change* change) {
  overtaken_ = false;
  written_.clear();
  table_schema_ = table->current_schema_id;
  CALVE_ASSIGN_OR_RETURN(const std::vector<FileMatches> matches, match_.Find(context, table));
  const RewriteOptions rewrite{
      .table = table,
      .schema = options_.schema,
      .run_id = options_.file_tag + "-m" + std::to_string(++computed_),
      .parallelism = options_.parallelism,
      .buffer_bytes_max = options_.buffer_bytes_max / 2,
      .leave_files = [&](const Error& why) { options_.leave_files(context, why); }};
  CALVE_ASSIGN_OR_RETURN(const std::vector<iceberg::DataFilePtr> carried,
                         RewriteWithout(context, files_, rewrite, matches));
  const iceberg::Snapshot* base = table->current_snapshot();
  int64_t rows_carried = 0;
  for (const iceberg::DataFilePtr& file : carried) {
    written_.push_back(file->path);
    rows_carried += file->record_count;
    change->rows.added_data_files.push_back(file);
    change->rows.data_sequence_numbers[file->path] = base->sequence_number;
  }
  rows_replaced_ = 0;
  for (const FileMatches& file : matches) {
    rows_replaced_ += file.positions.Cardinality();
    change->rows.removed_paths.push_back(file.task.file->path);
  }
  files_rewritten_ = static_cast<int64_t>(matches.size());
  if (!matches.empty()) change->rows.operation = iceberg::Operation::kOverwrite;
  change->rows.summary[kRowsReplaced] = std::to_string(rows_replaced_);
  change->rows.summary[kRowsCarried] = std::to_string(rows_carried);
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
