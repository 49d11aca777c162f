#include "load/iceberg/row_match.h"

#include <algorithm>

#include "base/executor.h"
#include "catalog/table_files.h"
#include "columnar/convert.h"
#include "reader/reader.h"

namespace calve::load {
namespace {

using iceberg::ScanTask;

/// Add the positions of a file's live rows that have one of the keys.
Status SearchFile(const Context& context, io::FileSystem& files,
                  const iceberg::TableMetadata& table, const KeyColumns& columns,
                  const iceberg::Expression& filter, const KeySet& keys, rows::FileRows* file) {
  CALVE_ASSIGN_OR_RETURN(const auto reader,
                         reader::OpenTask(context, files, table, file->task,
                                          {.projection = columns.projection(), .filter = filter}));
  std::string key;
  while (true) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch rows, reader->Next(context));
    if (rows == nullptr) return Status::Ok();
    const reader::RowKeys row_keys = columns.KeysOf(*rows);
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      row_keys.KeyOf(row, key);
      if (keys.Contains(key)) file->gone.Add(KeyColumns::PositionOf(*rows, row));
    }
  }
}

}  // namespace

Result<std::vector<rows::FileRows>> RowMatch::Find(const Context& context,
                                                   const iceberg::MetadataPtr& table) {
  seen_.clear();
  CALVE_ASSIGN_OR_RETURN(std::vector<ScanTask> tasks, Plan(context, *table));
  for (const ScanTask& task : tasks) seen_[task.file->path] = {.deletes = rows::DeletesOf(task)};
  CALVE_ASSIGN_OR_RETURN(auto matches, Search(context, *table, std::move(tasks)));
  for (const rows::FileRows& file : matches) seen_[file.task.file->path].matched = true;
  return matches;
}

Result<bool> RowMatch::StillHolds(const Context& context, const iceberg::TableMetadata& now) {
  CALVE_ASSIGN_OR_RETURN(std::vector<ScanTask> tasks, Plan(context, now));
  size_t matched_now = 0;
  std::erase_if(tasks, [&](const ScanTask& task) {
    const auto seen = seen_.find(task.file->path);
    if (seen == seen_.end() || seen->second.deletes != rows::DeletesOf(task)) return false;
    if (seen->second.matched) ++matched_now;
    return true;
  });
  const auto matched = std::count_if(seen_.begin(), seen_.end(),
                                     [](const auto& seen) { return seen.second.matched; });
  if (static_cast<int64_t>(matched_now) != matched) return false;
  CALVE_ASSIGN_OR_RETURN(const auto others, Search(context, now, std::move(tasks)));
  return others.empty();
}

Result<std::vector<ScanTask>> RowMatch::Plan(const Context& context,
                                             const iceberg::TableMetadata& table) const {
  catalog::TableFiles table_files(files_);
  CALVE_ASSIGN_OR_RETURN(
      iceberg::ScanPlan plan,
      iceberg::PlanScan(context, table_files, table,
                        {.snapshot_id = {}, .filter = keys_.FilterFor(*table.schema())}));
  return std::move(plan.tasks);
}

Result<std::vector<rows::FileRows>> RowMatch::Search(const Context& context,
                                                     const iceberg::TableMetadata& table,
                                                     std::vector<ScanTask> tasks) {
  if (tasks.empty()) return std::vector<rows::FileRows>();
  std::vector<rows::FileRows> found(tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i) found[i].task = std::move(tasks[i]);
  const iceberg::Expression filter = keys_.FilterFor(*table.schema());
  CALVE_RETURN_IF_ERROR(keys_.ForEachPart(context, [&](const KeySet& keys) {
    return context.executor->ParallelFor(found.size(), [&](size_t i) {
      return SearchFile(context, files_, table, keys_.columns(), filter, keys, &found[i]);
    });
  }));
  std::erase_if(found, [](const rows::FileRows& file) { return file.gone.empty(); });
  return found;
}

}  // namespace calve::load
