#include "load/iceberg/rewrite.h"

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "base/executor.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "reader/reader.h"
#include "writer/writer.h"

namespace calve::load {
namespace {

/// Take the position column, the last one, off rows and leave those of `gone` out.
Result<columnar::Batch> Remaining(const columnar::Batch& rows, const iceberg::PositionSet& gone) {
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch bare, rows->RemoveColumn(rows->num_columns() - 1));
  std::vector<int32_t> kept;
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    if (!gone.Contains(KeyColumns::PositionOf(*rows, row)))
      kept.push_back(static_cast<int32_t>(row));
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

/// Several threads that write files anew, each with a writer of its own.
class Rewriting {
 public:
  Rewriting(io::FileSystem& files, const RewriteOptions& options,
            const std::vector<FileMatches>& matches)
      : files_(files), options_(options), matches_(matches) {}

  Result<std::vector<iceberg::DataFilePtr>> Run(const Context& context) {
    std::vector<iceberg::Field> fields = options_.schema->fields();
    fields.push_back(PositionField());
    CALVE_ASSIGN_OR_RETURN(projection_,
                           iceberg::Schema::Make(options_.schema->id(), std::move(fields)));
    const size_t workers =
        std::clamp<size_t>(static_cast<size_t>(options_.parallelism), 1, matches_.size());
    Status done = context.executor->ParallelFor(
        workers, [&](size_t worker) { return Work(context, static_cast<int>(worker)); });
    if (done.ok()) return std::move(made_);
    std::vector<std::string> uris;
    for (const iceberg::DataFilePtr& file : made_) uris.push_back(file->path);
    if (Status deleted = files_.DeleteAll(context.WithStop({}), uris); !deleted.ok())
      options_.leave_files(deleted.error());
    return std::move(done).error();
  }

 private:
  Status Work(const Context& context, int number) {
    const int64_t share = options_.buffer_bytes_max / std::max(1, options_.parallelism);
    CALVE_ASSIGN_OR_RETURN(const auto writer,
                           writer::OpenDataFileWriter(context, files_,
                                                      {.table = options_.table,
                                                       .schema = options_.schema,
                                                       .spec = options_.table->spec(),
                                                       .run_id = options_.run_id,
                                                       .split = number,
                                                       .buffer_bytes_max = share}));
    Status written = WriteFiles(context, *writer);
    if (written.ok()) return written;
    if (Status aborted = writer->Abort(context); !aborted.ok())
      options_.leave_files(aborted.error());
    return written;
  }

  Status WriteFiles(const Context& context, writer::DataFileWriter& writer) {
    for (size_t i = next_++; i < matches_.size(); i = next_++) {
      const FileMatches& file = matches_[i];
      const bool all_gone = file.positions.Cardinality() == file.task.file->record_count;
      if (!all_gone) CALVE_RETURN_IF_ERROR(WriteRemaining(context, file, writer));
    }
    CALVE_ASSIGN_OR_RETURN(std::vector<iceberg::DataFilePtr> made, writer.Close(context));
    std::lock_guard lock(mutex_);
    std::move(made.begin(), made.end(), std::back_inserter(made_));
    return Status::Ok();
  }

  Status WriteRemaining(const Context& context, const FileMatches& file,
                        writer::DataFileWriter& writer) {
    CALVE_ASSIGN_OR_RETURN(
        const auto reader,
        reader::OpenTask(context, files_, *options_.table, file.task,
                         {.projection = projection_, .filter = iceberg::Expression::True()}));
    while (true) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch rows, reader->Next(context));
      if (rows == nullptr) return Status::Ok();
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch kept, Remaining(rows, file.positions));
      CALVE_RETURN_IF_ERROR(writer.Write(context, kept));
    }
  }

  io::FileSystem& files_;
  const RewriteOptions& options_;
  const std::vector<FileMatches>& matches_;
  iceberg::SchemaPtr projection_;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;
  std::vector<iceberg::DataFilePtr> made_;
};

}  // namespace

Result<std::vector<iceberg::DataFilePtr>> RewriteWithout(const Context& context,
                                                         io::FileSystem& files,
                                                         const RewriteOptions& options,
                                                         const std::vector<FileMatches>& matches) {
  if (matches.empty()) return std::vector<iceberg::DataFilePtr>();
  return Rewriting(files, options, matches).Run(context);
}

}  // namespace calve::load
