#include "writer/delete_files.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/builder.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "iceberg/puffin.h"
#include "io/file_system.h"
#include "writer/data_location.h"
#include "writer/parquet_file.h"

namespace calve::writer {
namespace {

constexpr std::string_view kGranularity = "write.delete.granularity";

/// Deletion vectors are gathered in memory until a file is worth writing.
constexpr size_t kPuffinBytesMax = 16 << 20;

constexpr size_t kRowsOfBatch = 64 << 10;

std::string FolderOf(const iceberg::TableMetadata& table, const iceberg::DataFile& file) {
  const iceberg::PartitionSpec* spec = table.FindSpec(file.spec_id);
  if (spec == nullptr) return "";
  return iceberg::PartitionPath(*spec, *table.schema(), file.partition);
}

// ---- Version 3: deletion vectors.

/// Puffin files with a deletion vector for each data file.
class VectorFiles {
 public:
  VectorFiles(io::FileSystem& files, const DeleteOptions& options,
              std::vector<std::string>* attempted)
      : files_(files), options_(options), names_(*options.table), attempted_(attempted) {}

  Status Add(const RowDeletes& deletes) {
    const std::string bytes = iceberg::EncodeDeletionVector(deletes.positions);
    const int64_t count = deletes.positions.Cardinality();
    CALVE_ASSIGN_OR_RETURN(
        const iceberg::PuffinBlob blob,
        puffin_.Add(iceberg::DeletionVectorBlob(deletes.file->path, count), bytes));
    iceberg::DataFile& vector = pending_.emplace_back();
    vector.content = iceberg::FileContent::kPositionDeletes;
    vector.format = iceberg::FileFormat::kPuffin;
    vector.spec_id = deletes.file->spec_id;
    vector.partition = deletes.file->partition;
    vector.record_count = count;
    vector.referenced_data_file = deletes.file->path;
    vector.content_offset = blob.offset;
    vector.content_size_in_bytes = blob.length;
    pending_bytes_ += bytes.size();
    return Status::Ok();
  }
  bool is_full() const { return pending_bytes_ >= kPuffinBytesMax; }

  /// Write what was added as one file, which all its vectors name.
  Status Flush(const Context& context, std::vector<iceberg::DataFilePtr>& made) {
    if (pending_.empty()) return Status::Ok();
    const std::string uri =
        names_.UriOf(FolderOf(*options_.table, pending_.front()),
                     fmt::format("00000-{}-{:05}-deletes.puffin", options_.run_id, files_begun_++));
    attempted_->push_back(uri);
    const std::string bytes = std::exchange(puffin_, {}).Finish({{"created-by", "calve"}});
    CALVE_RETURN_IF_ERROR(files_.WriteFile(context, uri, bytes));
    for (iceberg::DataFile& vector : pending_) {
      vector.path = uri;
      vector.file_size_in_bytes = static_cast<int64_t>(bytes.size());
      made.push_back(std::make_shared<const iceberg::DataFile>(std::move(vector)));
    }
    pending_.clear();
    pending_bytes_ = 0;
    return Status::Ok();
  }

 private:
  io::FileSystem& files_;
  const DeleteOptions& options_;
  const DataFileNames names_;
  std::vector<std::string>* const attempted_;
  iceberg::PuffinWriter puffin_;
  std::vector<iceberg::DataFile> pending_;
  size_t pending_bytes_ = 0;
  int files_begun_ = 0;
};

Result<std::vector<iceberg::DataFilePtr>> WriteVectors(const Context& context,
                                                       io::FileSystem& files,
                                                       const DeleteOptions& options,
                                                       const std::vector<RowDeletes>& deletes,
                                                       std::vector<std::string>* attempted) {
  std::vector<iceberg::DataFilePtr> made;
  VectorFiles vectors(files, options, attempted);
  for (const RowDeletes& of_file : deletes) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_RETURN_IF_ERROR(vectors.Add(of_file));
    if (vectors.is_full()) CALVE_RETURN_IF_ERROR(vectors.Flush(context, made));
  }
  CALVE_RETURN_IF_ERROR(vectors.Flush(context, made));
  return made;
}

// ---- Version 2: position delete files.

std::vector<iceberg::Field> DeleteFields() {
  return {{.id = iceberg::reserved::kDeleteFilePath,
           .name = "file_path",
           .type = iceberg::Type::String(),
           .required = true},
          {.id = iceberg::reserved::kDeleteFilePos,
           .name = "pos",
           .type = iceberg::Type::Long(),
           .required = true}};
}

/// Position delete files of one table.
class PositionFiles {
 public:
  static Result<PositionFiles> For(io::FileSystem& files, const DeleteOptions& options,
                                   std::vector<std::string>* attempted) {
    CALVE_ASSIGN_OR_RETURN(const iceberg::SchemaPtr schema,
                           iceberg::Schema::Make(iceberg::SchemaId(0), DeleteFields()));
    CALVE_ASSIGN_OR_RETURN(FileShape shape, FileShape::Of(schema));
    CALVE_ASSIGN_OR_RETURN(WriteProperties properties,
                           WriteProperties::Of(*options.table, *schema));
    // Whole paths: where both bounds are one, the deletes are of that data file alone.
    CALVE_ASSIGN_OR_RETURN(
        iceberg::MetricsConfig modes,
        iceberg::MetricsConfig::Make({{"write.metadata.metrics.default", "full"}}, *schema, {}));
    return PositionFiles(
        files, options,
        {.shape = std::move(shape), .properties = std::move(properties), .modes = std::move(modes)},
        attempted);
  }

  /// Write the deletes of data files of one partition, in the order of their paths, as one file.
  Result<iceberg::DataFilePtr> Write(const Context& context, const RowDeletes* first,
                                     const RowDeletes* end) {
    const std::string uri = names_.UriOf(
        FolderOf(*options_.table, *first->file),
        fmt::format("00000-{}-{:05}-deletes.parquet", options_.run_id, files_begun_++));
    attempted_->push_back(uri);
    CALVE_ASSIGN_OR_RETURN(const auto file,
                           ParquetFile::Open(context, files_, uri, parquet_, ratio_));
    for (const RowDeletes* deletes = first; deletes != end; ++deletes)
      CALVE_RETURN_IF_ERROR(Append(context, *deletes, *file));
    CALVE_ASSIGN_OR_RETURN(iceberg::DataFile made, file->Close());
    made.content = iceberg::FileContent::kPositionDeletes;
    made.spec_id = first->file->spec_id;
    made.partition = first->file->partition;
    if (end - first == 1) made.referenced_data_file = first->file->path;
    return std::make_shared<const iceberg::DataFile>(std::move(made));
  }

 private:
  PositionFiles(io::FileSystem& files, const DeleteOptions& options, ParquetFileOptions parquet,
                std::vector<std::string>* attempted)
      : files_(files),
        options_(options),
        parquet_(std::move(parquet)),
        names_(*options.table),
        attempted_(attempted) {}

  Status Append(const Context& context, const RowDeletes& deletes, ParquetFile& file) const {
    std::array<int64_t, 4096> some;
    int64_t from = 0;
    while (true) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      const size_t count = deletes.positions.CopyFrom(from, some);
      if (count == 0) return Status::Ok();
      arrow::StringBuilder paths;
      arrow::Int64Builder positions;
      CALVE_RETURN_IF_ERROR(positions.AppendValues(some.data(), static_cast<int64_t>(count)));
      for (size_t i = 0; i < count; ++i) CALVE_RETURN_IF_ERROR(paths.Append(deletes.file->path));
      CALVE_ASSIGN_OR_RETURN(const auto path_column, paths.Finish());
      CALVE_ASSIGN_OR_RETURN(const auto position_column, positions.Finish());
      CALVE_RETURN_IF_ERROR(file.Append(arrow::RecordBatch::Make(parquet_.shape.row_schema(),
                                                                 static_cast<int64_t>(count),
                                                                 {path_column, position_column})));
      if (count < some.size()) return Status::Ok();
      from = some.back() + 1;
    }
  }

  io::FileSystem& files_;
  const DeleteOptions& options_;
  const ParquetFileOptions parquet_;
  const DataFileNames names_;
  std::vector<std::string>* const attempted_;
  SizeRatio ratio_;
  int files_begun_ = 0;
};

Result<std::vector<iceberg::DataFilePtr>> WritePositions(const Context& context,
                                                         io::FileSystem& files,
                                                         const DeleteOptions& options,
                                                         std::vector<RowDeletes> deletes,
                                                         std::vector<std::string>* attempted) {
  CALVE_ASSIGN_OR_RETURN(const bool one_each, IsOneFilePerDataFile(*options.table));
  const auto place = [&](const RowDeletes& of) {
    return std::tuple(of.file->spec_id, FolderOf(*options.table, *of.file), of.file->path);
  };
  std::sort(deletes.begin(), deletes.end(),
            [&](const RowDeletes& a, const RowDeletes& b) { return place(a) < place(b); });
  const auto same_partition = [](const iceberg::DataFile& a, const iceberg::DataFile& b) {
    return a.spec_id == b.spec_id && a.partition == b.partition;
  };
  CALVE_ASSIGN_OR_RETURN(auto positions, PositionFiles::For(files, options, attempted));
  std::vector<iceberg::DataFilePtr> made;
  for (size_t first = 0, end = 0; first < deletes.size(); first = end) {
    end = first + 1;
    while (!one_each && end < deletes.size() &&
           same_partition(*deletes[end].file, *deletes[first].file))
      ++end;
    CALVE_ASSIGN_OR_RETURN(made.emplace_back(),
                           positions.Write(context, deletes.data() + first, deletes.data() + end));
  }
  return made;
}

}  // namespace

Result<bool> IsOneFilePerDataFile(const iceberg::TableMetadata& table) {
  const std::string text = ToLower(table.Property(kGranularity, "file"));
  if (text == "file") return true;
  if (text == "partition") return false;
  return ConfigError(fmt::format("table property {}: expected file or partition, found {}",
                                 kGranularity, Quote(text)));
}

Result<std::vector<iceberg::DataFilePtr>> WriteDeletes(const Context& context,
                                                       io::FileSystem& files,
                                                       const DeleteOptions& options,
                                                       std::vector<RowDeletes> deletes,
                                                       std::vector<std::string>* attempted) {
  std::erase_if(deletes, [](const RowDeletes& of_file) { return of_file.positions.empty(); });
  if (options.table->format_version >= 3)
    return WriteVectors(context, files, options, deletes, attempted);
  return WritePositions(context, files, options, std::move(deletes), attempted);
}

}  // namespace calve::writer
