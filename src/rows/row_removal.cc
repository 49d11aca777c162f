#include "rows/row_removal.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/executor.h"
#include "base/text.h"
#include "reader/reader.h"
#include "writer/delete_files.h"

namespace calve::rows {
namespace {

/// A file of so few bytes is written anew as fast as deletes are, and costs readers nothing then.
constexpr int64_t kSmallFileBytes = 1 << 20;
/// From such a share of its rows on a file is better written anew: whoever reads it would go through
/// as many dead rows.
constexpr int64_t kManyRowsPercent = 30;
/// A file is written anew by several threads when each has so much of it.
constexpr int64_t kPartBytesMin = 16 << 20;

bool IsWrittenAnew(const FileRows& file, RemovalMode mode) {
  const int64_t rows = file.task.file->record_count;
  const int64_t gone = file.gone.Cardinality();
  if (mode == RemovalMode::kCopyOnWrite || gone == rows) return true;
  if (mode == RemovalMode::kMergeOnRead) return false;
  return file.task.file->file_size_in_bytes <= kSmallFileBytes ||
         gone >= rows / 100 * kManyRowsPercent;
}

/// Deletes that name rows of one data file and no other.
bool IsOf(const iceberg::DataFile& deletes, const std::string& data_file) {
  return deletes.referenced_data_file == data_file;
}

/// Put what older deletes name into the positions that a file's new deletes will hold, and take those
/// out that are of this file alone. Position deletes of several files stay as they are in version 2,
/// where they apply beside the new ones.
Status TakeIn(const Context& context, io::FileSystem& files, int format_version, FileRows* file,
              std::vector<iceberg::DataFilePtr>* replaced) {
  iceberg::ScanTask task = file->task;
  if (format_version < 3) {
    std::erase_if(task.position_deletes, [&](const iceberg::DataFilePtr& deletes) {
      return !IsOf(*deletes, task.file->path);
    });
  }
  CALVE_ASSIGN_OR_RETURN(const iceberg::PositionSet older,
                         reader::NamedPositions(context, files, task));
  file->gone.Union(older);
  if (task.deletion_vector != nullptr) replaced->push_back(task.deletion_vector);
  for (const iceberg::DataFilePtr& deletes : task.position_deletes) {
    if (IsOf(*deletes, task.file->path)) replaced->push_back(deletes);
  }
  return Status::Ok();
}

Status WriteDeletes(const Context& context, io::FileSystem& files, const RewriteOptions& options,
                    std::vector<FileRows> matches, RowRemoval* removal) {
  std::vector<std::vector<iceberg::DataFilePtr>> replaced(matches.size());
  const int version = options.table->format_version;
  CALVE_ASSIGN_OR_RETURN(const bool one_each, writer::IsOneFilePerDataFile(*options.table));
  if (version >= 3 || one_each) {
    CALVE_RETURN_IF_ERROR(context.executor->ParallelFor(matches.size(), [&](size_t i) {
      return TakeIn(context, files, version, &matches[i], &replaced[i]);
    }));
  }
  for (const auto& of_file : replaced)
    removal->replaced_deletes.insert(removal->replaced_deletes.end(), of_file.begin(),
                                     of_file.end());
  std::vector<writer::RowDeletes> deletes;
  for (FileRows& file : matches)
    deletes.push_back({.file = file.task.file, .positions = std::move(file.gone)});
  CALVE_ASSIGN_OR_RETURN(
      removal->deletes,
      writer::WriteDeletes(context, files, {.table = options.table, .run_id = options.run_id},
                           std::move(deletes), &removal->written));
  return Status::Ok();
}

/// Cut files into parts where they are fewer than the threads that could work on them.
std::vector<FileRows> CutIntoParts(std::vector<FileRows> matches, int threads) {
  if (matches.empty() || matches.size() >= static_cast<size_t>(threads)) return matches;
  std::vector<FileRows> cut;
  for (FileRows& file : matches) {
    const int64_t bytes = file.task.file->file_size_in_bytes;
    const auto row_groups = static_cast<int64_t>(file.task.file->split_offsets.size());
    const int64_t parts = std::min({int64_t{threads}, bytes / kPartBytesMin, row_groups});
    if (parts < 2) {
      cut.push_back(std::move(file));
      continue;
    }
    for (int i = 0; i < static_cast<int>(parts); ++i) {
      cut.push_back(file);
      cut.back().part = {.number = i, .count = static_cast<int>(parts)};
    }
  }
  return cut;
}

/// Groups of files for so many threads, of about the same size.
std::vector<std::vector<FileRows>> Share(std::vector<FileRows> matches, int threads) {
  matches = CutIntoParts(std::move(matches), threads);
  std::vector<std::vector<FileRows>> groups(
      std::min(matches.size(), static_cast<size_t>(std::max(threads, 1))));
  std::vector<int64_t> bytes(groups.size());
  for (FileRows& file : matches) {
    const auto least =
        static_cast<size_t>(std::min_element(bytes.begin(), bytes.end()) - bytes.begin());
    bytes[least] += file.task.file->file_size_in_bytes / file.part.count;
    groups[least].push_back(std::move(file));
  }
  return groups;
}

Status WriteAnew(const Context& context, io::FileSystem& files, const RewriteOptions& options,
                 std::vector<FileRows> matches, RowRemoval* removal) {
  for (const FileRows& file : matches) removal->gone.push_back(file.task.file->path);
  CALVE_ASSIGN_OR_RETURN(
      const auto made,
      RewriteGroups(context, files, options, Share(std::move(matches), options.parallelism)));
  for (const std::vector<iceberg::DataFilePtr>& group : made) {
    for (const iceberg::DataFilePtr& file : group) {
      removal->carried.push_back(file);
      removal->written.push_back(file->path);
      removal->rows_carried += file->record_count;
    }
  }
  return Status::Ok();
}

}  // namespace

Result<RemovalMode> RemovalModeOf(const iceberg::TableMetadata& table, std::string_view property) {
  const std::string mode = ToLower(table.Property(property, ""));
  if (mode.empty()) return RemovalMode::kByCost;
  if (mode == "copy-on-write") return RemovalMode::kCopyOnWrite;
  if (mode == "merge-on-read") return RemovalMode::kMergeOnRead;
  return ConfigError("table property " + std::string(property) +
                     ": expected copy-on-write or merge-on-read, found " + Quote(mode));
}

void RowRemoval::AddTo(iceberg::SnapshotChange* change, iceberg::SequenceNumber base) const {
  for (const iceberg::DataFilePtr& file : carried) {
    change->added_data_files.push_back(file);
    change->data_sequence_numbers[file->path] = base;
  }
  const auto append = [](const auto& from, auto& to) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(deletes, change->added_delete_files);
  append(replaced_deletes, change->removed_delete_files);
  append(gone, change->removed_paths);
}

Result<RowRemoval> RemoveRows(const Context& context, io::FileSystem& files,
                              const RewriteOptions& options, RemovalMode mode,
                              std::vector<FileRows> matches) {
  RowRemoval removal;
  for (const FileRows& file : matches) removal.rows_removed += file.gone.Cardinality();
  const auto anew =
      std::stable_partition(matches.begin(), matches.end(),
                            [&](const FileRows& file) { return !IsWrittenAnew(file, mode); });
  std::vector<FileRows> written_anew(std::make_move_iterator(anew),
                                     std::make_move_iterator(matches.end()));
  matches.erase(anew, matches.end());
  Status done = WriteDeletes(context, files, options, std::move(matches), &removal);
  if (done.ok()) done = WriteAnew(context, files, options, std::move(written_anew), &removal);
  if (done.ok()) return removal;
  if (Status deleted = files.DeleteAll(context.WithStop({}), removal.written); !deleted.ok())
    options.leave_files(deleted.error());
  return std::move(done).error();
}

}  // namespace calve::rows
