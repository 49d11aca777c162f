#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "columnar/arrow_status.h"
#include "iceberg/name_mapping.h"
#include "reader/equality_deletes.h"
#include "reader/file_batches.h"
#include "reader/position_deletes.h"
#include "reader/reader.h"
#include "reader/reserved_columns.h"

namespace calve::reader {
namespace {

using iceberg::PositionSet;
using iceberg::ScanTask;
using iceberg::TableMetadata;

Result<iceberg::PartitionSpec> SpecOf(const TableMetadata& metadata,
                                      const iceberg::DataFile& file) {
  const iceberg::PartitionSpec* spec = metadata.FindSpec(file.spec_id);
  if (spec != nullptr) return *spec;
  return DataError(fmt::format("{} is of partition spec {}, which the table does not have",
                               file.path, file.spec_id.value()));
}

/// Values of the file's partition that are those of a column (Iceberg spec, Column Projection).
Constants IdentityPartitionValues(const iceberg::PartitionSpec& spec,
                                  const iceberg::DataFile& file) {
  Constants constants;
  for (size_t i = 0; i < spec.fields.size() && i < file.partition.size(); ++i) {
    if (spec.fields[i].transform.kind() != iceberg::Transform::Kind::kIdentity) continue;
    constants.emplace(spec.fields[i].source_id, file.partition[i]);
  }
  return constants;
}

Result<iceberg::NameMapping> NameMappingOf(const TableMetadata& metadata) {
  const std::string_view json = metadata.Property(iceberg::kNameMappingProperty, "");
  if (json.empty()) return iceberg::NameMapping();
  return iceberg::NameMapping::Parse(json);
}

/// Positions deleted by vector or position deletes; empty when there are none.
Result<std::optional<PositionSet>> ReadPositions(const Context& context, io::FileSystem& files,
                                                 const ScanTask& task) {
  if (task.deletion_vector != nullptr) {
    CALVE_ASSIGN_OR_RETURN(PositionSet positions,
                           ReadDeletionVector(context, files, *task.deletion_vector));
    return std::optional(std::move(positions));
  }
  if (task.position_deletes.empty()) return std::optional<PositionSet>();
  CALVE_ASSIGN_OR_RETURN(
      PositionSet positions,
      ReadPositionDeletes(context, files, task.position_deletes, task.file->path));
  return std::optional(std::move(positions));
}

/// What a read of a task's file takes: the columns, and the deletes.
struct Deletes {
  std::optional<PositionSet> positions;
  EqualityDeletes equality;
};

class TaskReader : public BatchReader {
 public:
  TaskReader(ScanTask task, iceberg::SchemaPtr projection, Deletes deletes)
      : task_(std::move(task)), projection_(std::move(projection)), deletes_(std::move(deletes)) {}

  Status Open(const Context& context, io::FileSystem& files, const TableMetadata& metadata,
              const ReadOptions& options);
  Result<columnar::Batch> Next(const Context& context) override;

 private:
  Result<columnar::Batch> Assemble(const FileBatch& batch) const;
  Result<std::vector<bool>> Deleted(const FileBatch& batch) const;

  const ScanTask task_;
  const iceberg::SchemaPtr projection_;
  const Deletes deletes_;
  iceberg::PartitionSpec spec_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> columns_;  ///< Of the file's batches, for each of the projection; -1: made here.
  int equality_column_ = 0;   ///< The first that equality deletes need.
  std::unique_ptr<FileBatches> batches_;  ///< Null: the part has no rows.
};

Status TaskReader::Open(const Context& context, io::FileSystem& files,
                        const TableMetadata& metadata, const ReadOptions& options) {
  CALVE_ASSIGN_OR_RETURN(spec_, SpecOf(metadata, *task_.file));
  FileOptions file_options{.wanted = {},
                           .name_mapping = {},
                           .constants = IdentityPartitionValues(spec_, *task_.file),
                           .batch_rows_max = std::max<int64_t>(options.batch_rows_max, 1),
                           .filter = options.filter,
                           .schema = metadata.schema()};
  CALVE_ASSIGN_OR_RETURN(file_options.name_mapping, NameMappingOf(metadata));
  for (const iceberg::Field& field : projection_->fields()) {
    const bool is_made = IsReserved(field.id) && !IsStored(field.id);
    columns_.push_back(is_made ? -1 : static_cast<int>(file_options.wanted.size()));
    if (is_made) continue;
    file_options.wanted.push_back(field);
    if (IsStored(field.id)) file_options.wanted.back().required = false;
  }
  equality_column_ = static_cast<int>(file_options.wanted.size());
  const std::vector<iceberg::Field>& equality = deletes_.equality.columns();
  file_options.wanted.insert(file_options.wanted.end(), equality.begin(), equality.end());
  CALVE_ASSIGN_OR_RETURN(schema_, columnar::ToArrowSchema(*projection_));
  const bool has_parts = task_.file->format == iceberg::FileFormat::kParquet;
  if (!has_parts && options.part.number > 0) return Status::Ok();
  file_options.part = options.part;
  CALVE_ASSIGN_OR_RETURN(batches_, OpenFile(context, files, *task_.file, std::move(file_options)));
  return Status::Ok();
}

Result<columnar::Batch> TaskReader::Assemble(const FileBatch& batch) const {
  arrow::ArrayVector columns;
  columns.reserve(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const iceberg::Field& field = projection_->fields()[i];
    std::shared_ptr<arrow::Array> column =
        columns_[i] < 0 ? nullptr : batch.rows->column(columns_[i]);
    if (IsReserved(field.id)) {
      CALVE_ASSIGN_OR_RETURN(column, ReservedColumn(field, spec_, task_, batch, column));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, batch.rows->num_rows(), std::move(columns));
}

Result<std::vector<bool>> TaskReader::Deleted(const FileBatch& batch) const {
  const int64_t rows = batch.rows->num_rows();
  std::vector<bool> deleted(static_cast<size_t>(rows));
  if (deletes_.positions) {
    deletes_.positions->ForEachIn(
        batch.first_position, batch.first_position + rows, [&](int64_t position) {
          deleted[static_cast<size_t>(position - batch.first_position)] = true;
        });
  }
  CALVE_RETURN_IF_ERROR(deletes_.equality.Mark(*batch.rows, equality_column_, deleted));
  return deleted;
}

/// Rows by number, so that no mask has to be built bit by bit.
Result<columnar::Batch> Live(const columnar::Batch& rows, const std::vector<bool>& deleted) {
  std::vector<int32_t> live;
  live.reserve(deleted.size());
  for (size_t i = 0; i < deleted.size(); ++i) {
    if (!deleted[i]) live.push_back(static_cast<int32_t>(i));
  }
  if (live.size() == deleted.size()) return rows;
  const auto count = static_cast<int64_t>(live.size());
  const std::shared_ptr<arrow::Array> indices =
      std::make_shared<arrow::Int32Array>(count, arrow::Buffer::FromVector(std::move(live)));
  CALVE_ASSIGN_OR_RETURN(
      const arrow::Datum taken,
      arrow::compute::Take(rows, indices, arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.record_batch();
}

Result<columnar::Batch> TaskReader::Next(const Context& context) {
  while (batches_ != nullptr) {
    CALVE_ASSIGN_OR_RETURN(const std::optional<FileBatch> batch, batches_->Next(context));
    if (!batch) return columnar::Batch();
    CALVE_ASSIGN_OR_RETURN(columnar::Batch rows, Assemble(*batch));
    if (deletes_.positions || !deletes_.equality.empty()) {
      CALVE_ASSIGN_OR_RETURN(const std::vector<bool> deleted, Deleted(*batch));
      if (rows->num_columns() == 0) {
        const auto live = std::count(deleted.begin(), deleted.end(), false);
        rows = arrow::RecordBatch::Make(schema_, live, arrow::ArrayVector{});
      } else {
        CALVE_ASSIGN_OR_RETURN(rows, Live(rows, deleted));
      }
    }
    if (rows->num_rows() > 0) return rows;
  }
  return columnar::Batch();
}

/// Positions of the rows that equality deletes delete.
Status AddEqualityPositions(const Context& context, io::FileSystem& files,
                            const TableMetadata& metadata, const ScanTask& task,
                            PositionSet& positions) {
  CALVE_ASSIGN_OR_RETURN(const EqualityDeletes equality,
                         EqualityDeletes::Read(context, files, metadata, task.equality_deletes));
  CALVE_ASSIGN_OR_RETURN(const iceberg::PartitionSpec spec, SpecOf(metadata, *task.file));
  FileOptions options{.wanted = equality.columns(),
                      .name_mapping = {},
                      .constants = IdentityPartitionValues(spec, *task.file),
                      .filter = {},
                      .schema = nullptr};
  CALVE_ASSIGN_OR_RETURN(options.name_mapping, NameMappingOf(metadata));
  CALVE_ASSIGN_OR_RETURN(const auto batches,
                         OpenFile(context, files, *task.file, std::move(options)));
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const std::optional<FileBatch> batch, batches->Next(context));
    if (!batch) return Status::Ok();
    std::vector<bool> deleted(static_cast<size_t>(batch->rows->num_rows()));
    CALVE_RETURN_IF_ERROR(equality.Mark(*batch->rows, 0, deleted));
    for (size_t i = 0; i < deleted.size(); ++i) {
      if (deleted[i]) positions.Add(batch->first_position + static_cast<int64_t>(i));
    }
  }
}

}  // namespace

Result<std::unique_ptr<BatchReader>> OpenTask(const Context& context, io::FileSystem& files,
                                              const TableMetadata& metadata, const ScanTask& task,
                                              const ReadOptions& options) {
  Deletes deletes;
  CALVE_ASSIGN_OR_RETURN(deletes.positions, ReadPositions(context, files, task));
  CALVE_ASSIGN_OR_RETURN(deletes.equality,
                         EqualityDeletes::Read(context, files, metadata, task.equality_deletes));
  auto reader = std::make_unique<TaskReader>(task, options.projection, std::move(deletes));
  CALVE_RETURN_IF_ERROR(reader->Open(context, files, metadata, options));
  return reader;
}

Result<PositionSet> NamedPositions(const Context& context, io::FileSystem& files,
                                   const ScanTask& task) {
  CALVE_ASSIGN_OR_RETURN(std::optional<PositionSet> positions, ReadPositions(context, files, task));
  return std::move(positions).value_or(PositionSet());
}

Result<std::optional<PositionSet>> DeletedPositions(const Context& context, io::FileSystem& files,
                                                    const TableMetadata& metadata,
                                                    const ScanTask& task) {
  CALVE_ASSIGN_OR_RETURN(std::optional<PositionSet> positions, ReadPositions(context, files, task));
  if (!task.equality_deletes.empty()) {
    if (!positions) positions.emplace();
    CALVE_RETURN_IF_ERROR(AddEqualityPositions(context, files, metadata, task, *positions));
  }
  if (positions && positions->empty()) positions.reset();
  return positions;
}

}  // namespace calve::reader
