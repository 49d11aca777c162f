#include "rows/rewrite.h"

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <utility>

#include "base/executor.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "reader/reader.h"
#include "writer/writer.h"

namespace calve::rows {
namespace {

/// Rows that stay keep their ids, and the number of the commit that changed them last (Iceberg spec,
/// Row Lineage).
std::vector<iceberg::Field> LineageFields() {
  return {{.id = iceberg::reserved::kRowId, .name = "_row_id", .type = iceberg::Type::Long()},
          {.id = iceberg::reserved::kLastUpdatedSequenceNumber,
           .name = "_last_updated_sequence_number",
           .type = iceberg::Type::Long()}};
}

iceberg::Field PositionField() {
  return {.id = iceberg::reserved::kPos, .name = "_pos", .type = iceberg::Type::Long()};
}

/// Take the position column, the last one, off rows and leave those of `gone` out.
Result<columnar::Batch> Remaining(const columnar::Batch& rows, const iceberg::PositionSet& gone) {
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch bare, rows->RemoveColumn(rows->num_columns() - 1));
  if (gone.empty()) return bare;
  const auto& positions =
      arrow::internal::checked_cast<const arrow::Int64Array&>(*rows->columns().back());
  std::vector<int32_t> kept;
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    if (!gone.Contains(positions.Value(row))) kept.push_back(static_cast<int32_t>(row));
  }
  const auto count = static_cast<int64_t>(kept.size());
  if (count == rows->num_rows()) return bare;
  const std::shared_ptr<arrow::Array> indices =
      std::make_shared<arrow::Int32Array>(count, arrow::Buffer::FromVector(std::move(kept)));
  CALVE_ASSIGN_OR_RETURN(
      const arrow::Datum taken,
      arrow::compute::Take(bare, indices, arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.record_batch();
}

/// Several threads that write groups of files anew, each group with a writer of its own.
class Rewriting {
 public:
  Rewriting(io::FileSystem& files, const RewriteOptions& options,
            const std::vector<std::vector<FileRows>>& groups)
      : files_(files), options_(options), groups_(groups), made_(groups.size()) {}

  Result<std::vector<std::vector<iceberg::DataFilePtr>>> Run(const Context& context) {
    std::vector<iceberg::Field> fields = options_.schema->fields();
    if (options_.table->format_version >= 3) {
      const std::vector<iceberg::Field> lineage = LineageFields();
      fields.insert(fields.end(), lineage.begin(), lineage.end());
    }
    CALVE_ASSIGN_OR_RETURN(written_, iceberg::Schema::Make(options_.schema->id(), fields));
    fields.push_back(PositionField());
    CALVE_ASSIGN_OR_RETURN(projection_,
                           iceberg::Schema::Make(options_.schema->id(), std::move(fields)));
    workers_ = std::clamp<size_t>(static_cast<size_t>(options_.parallelism), 1, groups_.size());
    Status done =
        context.executor->ParallelFor(workers_, [&](size_t) { return WriteGroups(context); });
    if (done.ok()) return std::move(made_);
    std::vector<std::string> uris;
    for (const auto& group : made_) {
      for (const iceberg::DataFilePtr& file : group) uris.push_back(file->path);
    }
    if (Status deleted = files_.DeleteAll(context.WithStop({}), uris); !deleted.ok())
      options_.leave_files(deleted.error());
    return std::move(done).error();
  }

 private:
  Status WriteGroups(const Context& context) {
    for (size_t i = next_++; i < groups_.size(); i = next_++)
      CALVE_RETURN_IF_ERROR(WriteGroup(context, i));
    return Status::Ok();
  }

  Status WriteGroup(const Context& context, size_t number) {
    CALVE_ASSIGN_OR_RETURN(
        const auto writer,
        writer::OpenDataFileWriter(
            context, files_,
            {.table = options_.table,
             .schema = written_,
             .spec = options_.table->spec(),
             .run_id = options_.run_id,
             .split = static_cast<int>(number),
             .buffer_bytes_max = options_.buffer_bytes_max / static_cast<int64_t>(workers_)}));
    Status written = Status::Ok();
    for (const FileRows& file : groups_[number]) {
      written = WriteRemaining(context, file, *writer);
      if (!written.ok()) break;
    }
    if (written.ok()) {
      Result<std::vector<iceberg::DataFilePtr>> made = writer->Close(context);
      if (made.ok()) {
        made_[number] = std::move(*made);
        return Status::Ok();
      }
      written = std::move(made).error();
    }
    if (Status aborted = writer->Abort(context); !aborted.ok())
      options_.leave_files(aborted.error());
    return written;
  }

  Status WriteRemaining(const Context& context, const FileRows& file,
                        writer::DataFileWriter& writer) {
    if (file.gone.Cardinality() == file.task.file->record_count) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(
        const auto reader,
        reader::OpenTask(
            context, files_, *options_.table, file.task,
            {.projection = projection_, .filter = iceberg::Expression::True(), .part = file.part}));
    while (true) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch rows, reader->Next(context));
      if (rows == nullptr) return Status::Ok();
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch kept, Remaining(rows, file.gone));
      CALVE_RETURN_IF_ERROR(writer.Write(context, kept));
      if (options_.wrote) options_.wrote(kept->num_rows());
    }
  }

  io::FileSystem& files_;
  const RewriteOptions& options_;
  const std::vector<std::vector<FileRows>>& groups_;
  iceberg::SchemaPtr written_;     ///< From version 3 on with who each row is, and since when.
  iceberg::SchemaPtr projection_;  ///< The same with the row's position.
  size_t workers_ = 1;
  std::atomic<size_t> next_ = 0;
  std::vector<std::vector<iceberg::DataFilePtr>> made_;  ///< Of each group.
};

}  // namespace

std::string DeletesOf(const iceberg::ScanTask& task) {
  std::set<std::string> names;
  const auto add = [&](const iceberg::DataFile& file) {
    names.insert(file.path + '@' + std::to_string(file.content_offset.value_or(0)));
  };
  for (const iceberg::DataFilePtr& file : task.position_deletes) add(*file);
  for (const iceberg::DataFilePtr& file : task.equality_deletes) add(*file);
  if (task.deletion_vector != nullptr) add(*task.deletion_vector);
  std::string all;
  for (const std::string& name : names) all += name + '\n';
  return all;
}

Result<std::vector<std::vector<iceberg::DataFilePtr>>> RewriteGroups(
    const Context& context, io::FileSystem& files, const RewriteOptions& options,
    const std::vector<std::vector<FileRows>>& groups) {
  if (groups.empty()) return std::vector<std::vector<iceberg::DataFilePtr>>();
  return Rewriting(files, options, groups).Run(context);
}

}  // namespace calve::rows
