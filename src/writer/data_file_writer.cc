#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "columnar/arrow_status.h"
#include "io/file_system.h"
#include "writer/adoption.h"
#include "writer/data_location.h"
#include "writer/footer_metrics.h"
#include "writer/foreign_file.h"
#include "writer/held_rows.h"
#include "writer/parquet_file.h"
#include "writer/partition_rows.h"
#include "writer/required_columns.h"
#include "writer/row_order.h"
#include "writer/row_spill.h"
#include "writer/sorted_runs.h"
#include "writer/writer.h"

namespace calve::writer {
namespace {

/// More files open at once than this cost more handles than a process may have; fewer make many
/// small files of rows that come in no order.
constexpr size_t kOpenFilesMax = 200;

/// More rows held in memory than this make no row group better: what partitions still lack lies on
/// the disk.
constexpr int64_t kHeldBytesMax = 64 << 20;

/// Rows of a partition that fill so much of what is held are a row group at once.
constexpr int64_t kWorthPercent = 25;

/// Rows of one partition: set aside until they make a row group, and the file they go to.
struct Partition {
  iceberg::PartitionValues values;
  std::vector<RowSpill::Place> spilled;
  int64_t spilled_bytes = 0;       ///< In memory.
  columnar::Batch last;            ///< The rows that were still held at the end.
  std::optional<SortedRuns> runs;  ///< In a sorted table, in place of `spilled`.
  std::unique_ptr<ParquetFile> file;
  int64_t last_use = 0;
};

class FanOutWriter : public DataFileWriter {
 public:
  FanOutWriter(io::FileSystem& files, WriteOptions options, ParquetFileOptions parquet,
               Partitioner partitioner, RowOrder order)
      : files_(files),
        options_(std::move(options)),
        parquet_(std::move(parquet)),
        partitioner_(std::move(partitioner)),
        order_(std::move(order)),
        names_(*options_.table),
        held_bytes_max_(std::min(options_.buffer_bytes_max, kHeldBytesMax)),
        group_bytes_(std::min(parquet_.properties.row_group_bytes, held_bytes_max_)),
        piece_bytes_(std::clamp<int64_t>(held_bytes_max_ / 64, 1 << 10, 512 << 10)),
        spill_(parquet_.shape.row_schema()) {}

  ~FanOutWriter() override { ReleaseAll(); }

  Status Write(const Context& context, const columnar::Batch& batch) override;
  Result<bool> Adopt(const Context& context, const io::FileInfo& file,
                     const std::function<void(ByteCount)>& copied) override;
  Result<std::vector<iceberg::DataFilePtr>> Close(const Context& context) override;
  Status Abort(const Context& context) override;

 private:
  Status WriteUnpartitioned(const Context& context, const columnar::Batch& batch);
  Status Hold(const Context& context, const columnar::Batch& batch);
  Status SetAside(const Context& context);
  Status WriteRowGroup(const Context& context, Partition& partition,
                       std::vector<columnar::Batch> rows);
  Status WriteSorted(const Context& context, Partition& partition);
  Status WriteSpilled(const Context& context, Partition& partition);
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
  const RowOrder order_;
  const DataFileNames names_;
  SizeRatio ratio_;
  const int64_t held_bytes_max_;
  const int64_t group_bytes_;  ///< In memory, of a row group of rows that were set aside.
  const int64_t piece_bytes_;  ///< Of a sorted run that is merged with others.
  MemoryBudget* budget_ = nullptr;
  std::unordered_map<std::string, uint32_t> partition_numbers_;  ///< By key.
  std::vector<Partition> partitions_;
  HeldRows held_;
  RowSpill spill_;
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
  if (options_.spec.fields.empty() && order_.is_none()) return WriteUnpartitioned(context, batch);
  CALVE_RETURN_IF_ERROR(Hold(context, batch));
  return IsPressed(context) ? SetAside(context) : Status::Ok();
}

/// One file at a time is encoded as rows come, so that none are held.
Status FanOutWriter::WriteUnpartitioned(const Context& context, const columnar::Batch& batch) {
  if (partitions_.empty()) partitions_.emplace_back();
  Partition& partition = partitions_.front();
  if (partition.file == nullptr) CALVE_RETURN_IF_ERROR(OpenFile(context, partition));
  CALVE_RETURN_IF_ERROR(partition.file->Append(batch));
  return partition.file->IsFull() ? CloseFile(partition) : Status::Ok();
}

Status FanOutWriter::Hold(const Context& context, const columnar::Batch& batch) {
  CALVE_ASSIGN_OR_RETURN(PartitionedRows rows, partitioner_.Number(batch));
  std::vector<uint32_t> numbers;
  for (PartitionOfRows& found : rows.partitions) {
    const auto next = static_cast<uint32_t>(partitions_.size());
    const auto [at, added] = partition_numbers_.emplace(std::move(found.key), next);
    if (added) partitions_.emplace_back().values = std::move(found.values);
    numbers.push_back(at->second);
  }
  for (uint32_t& partition : rows.partition_of_row) partition = numbers[partition];
  held_.Add(batch, std::move(rows.partition_of_row));
  const int64_t numbers_bytes = batch->num_rows() * static_cast<int64_t>(sizeof(uint32_t));
  Take(context, columnar::BatchBytes(*batch) + numbers_bytes);
  return Status::Ok();
}

/// Move what is held to the disk, partition by partition, and write row groups of those that have
/// enough: so a partition's file has few, whatever order its rows come in.
Status FanOutWriter::SetAside(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const ArrangedRows held, held_.Arrange());
  const int64_t bytes = held_bytes_;
  const int64_t worth = group_bytes_ * kWorthPercent / 100;
  for (const ArrangedRows::Range& range : held.ranges) {
    Partition& partition = partitions_[range.partition];
    const columnar::Batch rows = held.RowsOf(range);
    if (!order_.is_none()) {
      if (!partition.runs.has_value()) partition.runs.emplace(order_, spill_, piece_bytes_);
      CALVE_RETURN_IF_ERROR(partition.runs->Add(rows));
      if (ratio_.Estimate(partition.runs->bytes()) >= parquet_.properties.target_file_bytes)
        CALVE_RETURN_IF_ERROR(WriteSorted(context, partition));
      continue;
    }
    const auto share =
        static_cast<double>(range.count) / static_cast<double>(held.rows->num_rows());
    const auto range_bytes = static_cast<int64_t>(static_cast<double>(bytes) * share);
    if (partition.spilled.empty() && range_bytes >= worth) {
      CALVE_RETURN_IF_ERROR(WriteRowGroup(context, partition, {rows}));
      continue;
    }
    CALVE_ASSIGN_OR_RETURN(partition.spilled.emplace_back(), spill_.Append(rows));
    partition.spilled_bytes += range_bytes;
    const bool is_group =
        partition.spilled_bytes >= group_bytes_ ||
        ratio_.Estimate(partition.spilled_bytes) >= parquet_.properties.target_file_bytes;
    if (is_group) CALVE_RETURN_IF_ERROR(WriteSpilled(context, partition));
  }
  Release(bytes);
  return Status::Ok();
}

/// Write what a partition has on the disk, and the rows that were still held at the end.
Status FanOutWriter::WriteSpilled(const Context& context, Partition& partition) {
  std::vector<columnar::Batch> rows;
  for (const RowSpill::Place& place : std::exchange(partition.spilled, {})) {
    CALVE_ASSIGN_OR_RETURN(rows.emplace_back(), spill_.TakeBack(place));
  }
  partition.spilled_bytes = 0;
  if (partition.last != nullptr) rows.push_back(std::exchange(partition.last, nullptr));
  return rows.empty() ? Status::Ok() : WriteRowGroup(context, partition, std::move(rows));
}

/// Write what a partition has in its order, and end its file: what comes later is no part of that.
Status FanOutWriter::WriteSorted(const Context& context, Partition& partition) {
  if (partition.last != nullptr) {
    const columnar::Batch last = std::exchange(partition.last, nullptr);
    if (!partition.runs.has_value()) {
      CALVE_ASSIGN_OR_RETURN(columnar::Batch sorted, order_.Sort(last));
      CALVE_RETURN_IF_ERROR(WriteRowGroup(context, partition, {std::move(sorted)}));
    } else {
      CALVE_RETURN_IF_ERROR(partition.runs->Add(last));
    }
  }
  while (partition.runs.has_value()) {
    std::vector<columnar::Batch> group;
    int64_t bytes = 0;
    while (bytes < group_bytes_) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(columnar::Batch rows, partition.runs->Next());
      if (rows == nullptr) {
        partition.runs.reset();
        break;
      }
      bytes += columnar::BatchBytes(*rows);
      group.push_back(std::move(rows));
    }
    if (!group.empty()) CALVE_RETURN_IF_ERROR(WriteRowGroup(context, partition, std::move(group)));
  }
  return partition.file == nullptr ? Status::Ok() : CloseFile(partition);
}

Status FanOutWriter::WriteRowGroup(const Context& context, Partition& partition,
                                   std::vector<columnar::Batch> rows) {
  if (partition.file == nullptr) CALVE_RETURN_IF_ERROR(OpenFile(context, partition));
  CALVE_RETURN_IF_ERROR(partition.file->AppendRowGroup(rows));
  partition.last_use = ++uses_;
  if (partition.file->IsFull()) CALVE_RETURN_IF_ERROR(CloseFile(partition));
  return LimitOpenFiles();
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
  if (closed.ok()) closed->sort_order_id = order_.id();
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
  if (!file.sort_order_id.has_value()) file.sort_order_id = iceberg::SortOrderId(0);
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
  for (Partition& partition : partitions_) {
    if (partition.file == nullptr) continue;
    if (oldest == nullptr || partition.last_use < oldest->last_use) oldest = &partition;
  }
  return CloseFile(*oldest);
}

bool FanOutWriter::IsPressed(const Context& context) const {
  if (held_bytes_ > held_bytes_max_) return true;
  return context.memory != nullptr && context.memory->UnderPressure() &&
         held_bytes_ > held_bytes_max_ / 4;
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
  CALVE_ASSIGN_OR_RETURN(const ArrangedRows held, held_.Arrange());
  for (const ArrangedRows::Range& range : held.ranges)
    partitions_[range.partition].last = held.RowsOf(range);
  for (Partition& partition : partitions_) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_RETURN_IF_ERROR(order_.is_none() ? WriteSpilled(context, partition)
                                           : WriteSorted(context, partition));
    if (partition.file != nullptr) CALVE_RETURN_IF_ERROR(CloseFile(partition));
  }
  ReleaseAll();
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
  // The pages of a row group wait in memory, smaller than its rows, until it is whole.
  properties.row_group_bytes =
      std::min(properties.row_group_bytes, std::max<int64_t>(1, 2 * options.buffer_bytes_max));
  CALVE_ASSIGN_OR_RETURN(iceberg::MetricsConfig modes,
                         iceberg::MetricsConfig::Make(options.table->properties, *options.schema,
                                                      SortOrderOf(*options.table)));
  CALVE_ASSIGN_OR_RETURN(Partitioner partitioner, Partitioner::Make(options.spec, *options.schema));
  CALVE_ASSIGN_OR_RETURN(RowOrder order, RowOrder::Of(*options.table, *options.schema));
  ParquetFileOptions parquet{
      .shape = std::move(shape), .properties = std::move(properties), .modes = std::move(modes)};
  return std::make_unique<FanOutWriter>(files, std::move(options), std::move(parquet),
                                        std::move(partitioner), std::move(order));
}

}  // namespace calve::writer
