#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "io/file_system.h"
#include "writer/adoption.h"
#include "writer/data_location.h"
#include "writer/footer_metrics.h"
#include "writer/foreign_file.h"
#include "writer/parquet_file.h"
#include "writer/partition_rows.h"
#include "writer/required_columns.h"
#include "writer/writer.h"

namespace calve::writer {
namespace {

/// More files open at once than this cost more handles than a process may have; fewer make many
/// small files of rows that come in no order.
constexpr size_t kOpenFilesMax = 200;

/// Rows of one partition: held back until they make a row group, and the file they go to.
struct Partition {
  iceberg::PartitionValues values;
  std::vector<columnar::Batch> held;
  int64_t held_bytes = 0;
  std::unique_ptr<ParquetFile> file;
  int64_t last_use = 0;
};

class FanOutWriter : public DataFileWriter {
 public:
  FanOutWriter(io::FileSystem& files, WriteOptions options, ParquetFileOptions parquet,
               Partitioner partitioner)
      : files_(files),
        options_(std::move(options)),
        parquet_(std::move(parquet)),
        partitioner_(std::move(partitioner)),
        names_(*options_.table) {}

  ~FanOutWriter() override { ReleaseAll(); }

  Status Write(const Context& context, const columnar::Batch& batch) override;
  Result<bool> Adopt(const Context& context, const io::FileInfo& file,
                     const std::function<void(ByteCount)>& copied) override;
  Result<std::vector<iceberg::DataFilePtr>> Close(const Context& context) override;
  Status Abort(const Context& context) override;

 private:
  Status WriteUnpartitioned(const Context& context, const columnar::Batch& batch);
  Status Hold(const Context& context, PartitionRows rows);
  Status WriteHeld(const Context& context, Partition& partition);
  Status FlushLargest(const Context& context);
  Status OpenFile(const Context& context, Partition& partition);
  Status CloseFile(Partition& partition);
  std::string NextUri(const std::string& folder);
  Result<iceberg::DataFile> Copy(const Context& context, ForeignFile& foreign,
                                 const std::string& uri,
                                 const std::function<void(ByteCount)>& copied);
  Status TakeFile(const std::string& uri, const iceberg::PartitionValues& partition,
                  Result<iceberg::DataFile> closed);
  Status LimitOpenFiles();
  bool IsPressed(const Context& context) const;
  void Take(const Context& context, int64_t bytes);
  void Release(int64_t bytes);
  void ReleaseAll() { Release(held_bytes_); }

  io::FileSystem& files_;
  const WriteOptions options_;
  ParquetFileOptions parquet_;
  bool is_suited_ = false;  ///< `parquet_` to the rows.
  const Partitioner partitioner_;
  const DataFileNames names_;
  SizeRatio ratio_;
  MemoryBudget* budget_ = nullptr;
  std::unordered_map<std::string, Partition> partitions_;
  int64_t held_bytes_ = 0;
  size_t open_files_ = 0;
  int64_t uses_ = 0;
  int files_begun_ = 0;
  std::vector<std::string> written_;  ///< URIs of the files that are, or may be, there.
  std::vector<iceberg::DataFilePtr> done_;
};

Status FanOutWriter::Write(const Context& context, const columnar::Batch& batch) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  if (!batch->schema()->Equals(*parquet_.shape.row_schema())) {
    return BugError(fmt::format("rows for schema {} came in other types than its own",
                                options_.schema->id().value()));
  }
  if (batch->num_rows() == 0) return Status::Ok();
  CALVE_RETURN_IF_ERROR(CheckRequired(*options_.schema, *batch));
  if (!std::exchange(is_suited_, true)) CALVE_RETURN_IF_ERROR(parquet_.SuitTo(batch));
  if (options_.spec.fields.empty()) return WriteUnpartitioned(context, batch);
  CALVE_ASSIGN_OR_RETURN(std::vector<PartitionRows> split, partitioner_.Split(batch));
  for (PartitionRows& rows : split) CALVE_RETURN_IF_ERROR(Hold(context, std::move(rows)));
  if (IsPressed(context)) CALVE_RETURN_IF_ERROR(FlushLargest(context));
  return Status::Ok();
}

/// One file at a time is encoded as rows come, so that none are held.
Status FanOutWriter::WriteUnpartitioned(const Context& context, const columnar::Batch& batch) {
  Partition& partition = partitions_[""];
  if (partition.file == nullptr) CALVE_RETURN_IF_ERROR(OpenFile(context, partition));
  CALVE_RETURN_IF_ERROR(partition.file->Append(batch));
  return partition.file->IsFull() ? CloseFile(partition) : Status::Ok();
}

Status FanOutWriter::Hold(const Context& context, PartitionRows rows) {
  Partition& partition = partitions_[rows.key];
  if (partition.values.empty()) partition.values = std::move(rows.values);
  const int64_t bytes = columnar::BatchBytes(*rows.rows);
  partition.held.push_back(std::move(rows.rows));
  partition.held_bytes += bytes;
  Take(context, bytes);
  const bool is_group =
      partition.held_bytes >= parquet_.properties.row_group_bytes ||
      ratio_.Estimate(partition.held_bytes) >= parquet_.properties.target_file_bytes;
  return is_group ? WriteHeld(context, partition) : Status::Ok();
}

Status FanOutWriter::WriteHeld(const Context& context, Partition& partition) {
  if (partition.file == nullptr) CALVE_RETURN_IF_ERROR(OpenFile(context, partition));
  CALVE_RETURN_IF_ERROR(partition.file->AppendRowGroup(partition.held));
  partition.last_use = ++uses_;
  partition.held.clear();
  Release(partition.held_bytes);
  partition.held_bytes = 0;
  if (partition.file->IsFull()) CALVE_RETURN_IF_ERROR(CloseFile(partition));
  return LimitOpenFiles();
}

/// Write the largest partitions until half of the buffer is free, so that this happens seldom.
Status FanOutWriter::FlushLargest(const Context& context) {
  std::vector<Partition*> largest;
  for (auto& [key, partition] : partitions_) {
    if (partition.held_bytes > 0) largest.push_back(&partition);
  }
  std::sort(largest.begin(), largest.end(),
            [](const Partition* a, const Partition* b) { return a->held_bytes > b->held_bytes; });
  const int64_t enough = std::min(held_bytes_, options_.buffer_bytes_max) / 2;
  for (Partition* partition : largest) {
    if (held_bytes_ <= enough) break;
    CALVE_RETURN_IF_ERROR(WriteHeld(context, *partition));
  }
  return Status::Ok();
}

std::string FanOutWriter::NextUri(const std::string& folder) {
  return names_.UriOf(folder, fmt::format("{:05}-{}-{:05}.parquet", options_.split, options_.run_id,
                                          files_begun_++));
}

Status FanOutWriter::OpenFile(const Context& context, Partition& partition) {
  const std::string folder =
      iceberg::PartitionPath(options_.spec, *options_.schema, partition.values);
  CALVE_ASSIGN_OR_RETURN(partition.file,
                         ParquetFile::Open(context, files_, NextUri(folder), parquet_, ratio_));
  ++open_files_;
  return Status::Ok();
}

Status FanOutWriter::CloseFile(Partition& partition) {
  Result<iceberg::DataFile> closed = partition.file->Close();
  const std::string uri = partition.file->uri();
  partition.file.reset();
  --open_files_;
  return TakeFile(uri, partition.values, std::move(closed));
}

/// Remember a file that was closed, or may have been.
Status FanOutWriter::TakeFile(const std::string& uri, const iceberg::PartitionValues& partition,
                              Result<iceberg::DataFile> closed) {
  if (closed.ok() || closed.error().kind == ErrorKind::kUnknownOutcome) written_.push_back(uri);
  CALVE_ASSIGN_OR_RETURN(iceberg::DataFile file, std::move(closed));
  file.spec_id = options_.spec.id;
  file.partition = partition;
  file.sort_order_id = iceberg::SortOrderId(0);
  done_.push_back(std::make_shared<const iceberg::DataFile>(std::move(file)));
  return Status::Ok();
}

Result<bool> FanOutWriter::Adopt(const Context& context, const io::FileInfo& info,
                                 const std::function<void(ByteCount)>& copied) {
  const AdoptionTerms terms{.table = *options_.table,
                            .schema = *options_.schema,
                            .is_partitioned = !options_.spec.fields.empty()};
  CALVE_ASSIGN_OR_RETURN(std::string why_not, WhyNoneIsAdopted(terms, info.size));
  if (!why_not.empty()) return false;
  Result<ForeignFile> foreign = ForeignFile::Open(context, files_, info);
  if (!foreign.ok() && foreign.error().kind == ErrorKind::kData) return false;
  CALVE_RETURN_IF_ERROR(foreign);
  CALVE_ASSIGN_OR_RETURN(why_not, WhyNotAdopted(terms, foreign->footer(), foreign->data_end()));
  if (!why_not.empty()) return false;
  const std::string uri = NextUri("");
  CALVE_RETURN_IF_ERROR(TakeFile(uri, {}, Copy(context, *foreign, uri, copied)));
  return true;
}

/// Copy a file that suits, and describe the copy but for its partition.
Result<iceberg::DataFile> FanOutWriter::Copy(const Context& context, ForeignFile& foreign,
                                             const std::string& uri,
                                             const std::function<void(ByteCount)>& copied) {
  FieldIds ids;
  for (const iceberg::Field& field : options_.schema->fields()) ids.emplace(field.name, field.id);
  CALVE_ASSIGN_OR_RETURN(const ForeignFile::Copied copy,
                         foreign.CopyTo(context, files_, uri, ids, copied));
  iceberg::DataFile file;
  file.path = uri;
  file.format = iceberg::FileFormat::kParquet;
  file.record_count = copy.footer->num_rows();
  file.file_size_in_bytes = copy.size.value();
  file.split_offsets = SplitOffsets(*copy.footer);
  // The footer counts no NaNs, and what it says of floats may be wrong by them.
  CALVE_ASSIGN_OR_RETURN(file.metrics,
                         FooterMetrics(*copy.footer, *options_.schema, parquet_.modes, {}));
  return file;
}

/// Close the file that was written to the longest ago.
Status FanOutWriter::LimitOpenFiles() {
  if (open_files_ <= kOpenFilesMax) return Status::Ok();
  Partition* oldest = nullptr;
  for (auto& [key, partition] : partitions_) {
    if (partition.file == nullptr) continue;
    if (oldest == nullptr || partition.last_use < oldest->last_use) oldest = &partition;
  }
  return CloseFile(*oldest);
}

bool FanOutWriter::IsPressed(const Context& context) const {
  if (held_bytes_ > options_.buffer_bytes_max) return true;
  return context.memory != nullptr && context.memory->UnderPressure() &&
         held_bytes_ > options_.buffer_bytes_max / 4;
}

void FanOutWriter::Take(const Context& context, int64_t bytes) {
  held_bytes_ += bytes;
  if (budget_ == nullptr) budget_ = context.memory;
  if (budget_ != nullptr) budget_->Take(ByteCount(bytes));
}

void FanOutWriter::Release(int64_t bytes) {
  held_bytes_ -= bytes;
  if (budget_ != nullptr) budget_->Release(ByteCount(bytes));
}

Result<std::vector<iceberg::DataFilePtr>> FanOutWriter::Close(const Context& context) {
  std::map<std::string_view, Partition*> in_order;
  for (auto& [key, partition] : partitions_) in_order.emplace(key, &partition);
  for (auto& [key, partition] : in_order) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    if (!partition->held.empty()) CALVE_RETURN_IF_ERROR(WriteHeld(context, *partition));
    if (partition->file != nullptr) CALVE_RETURN_IF_ERROR(CloseFile(*partition));
  }
  partitions_.clear();
  return std::move(done_);
}

Status FanOutWriter::Abort(const Context& context) {
  ReleaseAll();
  partitions_.clear();
  done_.clear();
  return files_.DeleteAll(context.WithStop({}), written_);
}

/// Metadata in the making may have no order yet.
iceberg::SortOrder SortOrderOf(const iceberg::TableMetadata& table) {
  return table.sort_orders.empty() ? iceberg::SortOrder{} : table.sort_order();
}

}  // namespace

Status CheckWritable(const iceberg::SchemaPtr& schema) { return FileShape::Of(schema).status(); }

Result<std::unique_ptr<DataFileWriter>> OpenDataFileWriter(const Context& context,
                                                           io::FileSystem& files,
                                                           WriteOptions options) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  CALVE_ASSIGN_OR_RETURN(FileShape shape, FileShape::Of(options.schema));
  CALVE_ASSIGN_OR_RETURN(WriteProperties properties,
                         WriteProperties::Of(*options.table, *options.schema));
  CALVE_ASSIGN_OR_RETURN(iceberg::MetricsConfig modes,
                         iceberg::MetricsConfig::Make(options.table->properties, *options.schema,
                                                      SortOrderOf(*options.table)));
  CALVE_ASSIGN_OR_RETURN(Partitioner partitioner, Partitioner::Make(options.spec, *options.schema));
  ParquetFileOptions parquet{
      .shape = std::move(shape), .properties = std::move(properties), .modes = std::move(modes)};
  return std::make_unique<FanOutWriter>(files, std::move(options), std::move(parquet),
                                        std::move(partitioner));
}

}  // namespace calve::writer
