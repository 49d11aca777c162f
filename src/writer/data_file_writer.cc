#include <arrow/memory_pool.h>
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

/// Partitions beyond so many have no place of their own on the disk: so many together have one, and
/// are told apart when they are written. So pieces on the disk stay large, however many partitions
/// there are.
constexpr uint32_t kOwnPlacesMax = 256;

/// Where the rows of a partition lie on the disk until they are written.
uint32_t PlaceOf(uint32_t partition) {
  if (partition < kOwnPlacesMax) return partition;
  return kOwnPlacesMax + (partition - kOwnPlacesMax) % kOwnPlacesMax;
}

/// Rows on the disk.
struct SpilledRows {
  std::vector<RowSpill::Place> places;
  int64_t bytes = 0;  ///< In memory.
};

/// Rows of one partition: set aside until they make a row group, and the file they go to.
struct Partition {
  iceberg::PartitionValues values;
  SpilledRows spilled;
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
  Result<std::vector<uint32_t>> PartitionNumbers(const columnar::Batch& batch);
  Status SetAside(const Context& context);
  Status Keep(const Context& context, Partition& partition, const columnar::Batch& rows,
              int64_t bytes);
  Status Spill(SpilledRows& to, const columnar::Batch& rows, int64_t bytes);
  Status SpillShared(uint32_t place, const columnar::Batch& rows, int64_t bytes);
  Status Finish(const Context& context, Partition& partition);
  Status FinishHeld(const Context& context);
  Status FinishShared(const Context& context, SpilledRows shared, size_t step);
  Status FinishTogether(const Context& context, SpilledRows shared);
  Status FinishAlone(const Context& context, SpilledRows rows);
  Result<std::vector<SpilledRows>> Divide(const Context& context, SpilledRows shared, size_t step);
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
  std::vector<SpilledRows> shared_;  ///< By place, of partitions that have none of their own.
  HeldRows held_;                    ///< Numbered by PlaceOf.
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
  if (!IsPressed(context)) return Status::Ok();
  CALVE_RETURN_IF_ERROR(SetAside(context));
  // Else the allocator keeps as much once more, for pieces of other sizes.
  arrow::default_memory_pool()->ReleaseUnused();
  return Status::Ok();
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
  CALVE_ASSIGN_OR_RETURN(std::vector<uint32_t> places, PartitionNumbers(batch));
  for (uint32_t& place : places) place = PlaceOf(place);
  const int64_t numbers_bytes = batch->num_rows() * static_cast<int64_t>(sizeof(uint32_t));
  held_.Add(batch, std::move(places));
  Take(context, columnar::BatchBytes(*batch) + numbers_bytes);
  return Status::Ok();
}

/// Number partitions in the order in which they first come.
Result<std::vector<uint32_t>> FanOutWriter::PartitionNumbers(const columnar::Batch& batch) {
  CALVE_ASSIGN_OR_RETURN(PartitionedRows rows, partitioner_.Number(batch));
  std::vector<uint32_t> numbers;
  for (PartitionOfRows& found : rows.partitions) {
    const auto next = static_cast<uint32_t>(partitions_.size());
    const auto [at, added] = partition_numbers_.emplace(std::move(found.key), next);
    if (added) partitions_.emplace_back().values = std::move(found.values);
    numbers.push_back(at->second);
  }
  for (uint32_t& partition : rows.partition_of_row) partition = numbers[partition];
  return std::move(rows.partition_of_row);
}

/// Move what is held to the disk, place by place, and write row groups of the partitions that have
/// enough: so a partition's file has few, whatever order its rows come in.
Status FanOutWriter::SetAside(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const ArrangedRows held, held_.Arrange());
  const auto bytes_of_row =
      static_cast<double>(held_bytes_) / static_cast<double>(held.rows->num_rows());
  for (const ArrangedRows::Range& range : held.ranges) {
    const columnar::Batch rows = held.RowsOf(range);
    const auto bytes = static_cast<int64_t>(bytes_of_row * static_cast<double>(range.count));
    if (range.partition < kOwnPlacesMax) {
      CALVE_RETURN_IF_ERROR(Keep(context, partitions_[range.partition], rows, bytes));
    } else {
      CALVE_RETURN_IF_ERROR(SpillShared(range.partition, rows, bytes));
    }
  }
  ReleaseAll();
  return Status::Ok();
}

/// Set rows of a partition aside, and write what is enough for a row group.
Status FanOutWriter::Keep(const Context& context, Partition& partition, const columnar::Batch& rows,
                          int64_t bytes) {
  if (!order_.is_none()) {
    if (!partition.runs.has_value()) partition.runs.emplace(order_, spill_, piece_bytes_);
    CALVE_RETURN_IF_ERROR(partition.runs->Add(rows));
    const int64_t file_bytes = ratio_.Estimate(partition.runs->bytes());
    return file_bytes >= parquet_.properties.target_file_bytes ? WriteSorted(context, partition)
                                                               : Status::Ok();
  }
  SpilledRows& spilled = partition.spilled;
  const int64_t worth = group_bytes_ * kWorthPercent / 100;
  if (spilled.places.empty() && bytes >= worth) return WriteRowGroup(context, partition, {rows});
  CALVE_RETURN_IF_ERROR(Spill(spilled, rows, bytes));
  const bool is_group = spilled.bytes >= group_bytes_ ||
                        ratio_.Estimate(spilled.bytes) >= parquet_.properties.target_file_bytes;
  return is_group ? WriteSpilled(context, partition) : Status::Ok();
}

Status FanOutWriter::Spill(SpilledRows& to, const columnar::Batch& rows, int64_t bytes) {
  CALVE_ASSIGN_OR_RETURN(to.places.emplace_back(), spill_.Append(rows));
  to.bytes += bytes;
  return Status::Ok();
}

Status FanOutWriter::SpillShared(uint32_t place, const columnar::Batch& rows, int64_t bytes) {
  shared_.resize(kOwnPlacesMax);
  return Spill(shared_[place - kOwnPlacesMax], rows, bytes);
}

/// Write what a partition has on the disk, and the rows that were still held at the end.
Status FanOutWriter::WriteSpilled(const Context& context, Partition& partition) {
  std::vector<columnar::Batch> rows;
  for (const RowSpill::Place& place : std::exchange(partition.spilled, {}).places) {
    CALVE_ASSIGN_OR_RETURN(rows.emplace_back(), spill_.TakeBack(place));
  }
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

/// Write all that a partition still has, and end its file.
Status FanOutWriter::Finish(const Context& context, Partition& partition) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  CALVE_RETURN_IF_ERROR(order_.is_none() ? WriteSpilled(context, partition)
                                         : WriteSorted(context, partition));
  return partition.file == nullptr ? Status::Ok() : CloseFile(partition);
}

/// Finish the partitions that share a place: their numbers leave the same rest when divided by
/// `step`.
Status FanOutWriter::FinishShared(const Context& context, SpilledRows shared, size_t step) {
  if (shared.bytes <= held_bytes_max_ / 2) return FinishTogether(context, std::move(shared));
  const bool is_one = partitions_.size() <= kOwnPlacesMax + step;
  if (is_one) return FinishAlone(context, std::move(shared));
  CALVE_ASSIGN_OR_RETURN(std::vector<SpilledRows> parts, Divide(context, std::move(shared), step));
  for (SpilledRows& part : parts) {
    CALVE_RETURN_IF_ERROR(FinishShared(context, std::move(part), step * kOwnPlacesMax));
  }
  return Status::Ok();
}

/// Tell partitions apart whose rows fit into memory.
Status FanOutWriter::FinishTogether(const Context& context, SpilledRows shared) {
  Take(context, shared.bytes);
  HeldRows rows;
  for (const RowSpill::Place& place : shared.places) {
    CALVE_ASSIGN_OR_RETURN(columnar::Batch piece, spill_.TakeBack(place));
    CALVE_ASSIGN_OR_RETURN(std::vector<uint32_t> numbers, PartitionNumbers(piece));
    rows.Add(std::move(piece), std::move(numbers));
  }
  CALVE_ASSIGN_OR_RETURN(const ArrangedRows arranged, rows.Arrange());
  for (const ArrangedRows::Range& range : arranged.ranges) {
    partitions_[range.partition].last = arranged.RowsOf(range);
    CALVE_RETURN_IF_ERROR(Finish(context, partitions_[range.partition]));
  }
  Release(shared.bytes);
  return Status::Ok();
}

/// Finish a partition that has a place of its own after all.
Status FanOutWriter::FinishAlone(const Context& context, SpilledRows rows) {
  Partition* partition = nullptr;
  for (const RowSpill::Place& place : rows.places) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch piece, spill_.TakeBack(place));
    CALVE_ASSIGN_OR_RETURN(const std::vector<uint32_t> numbers, PartitionNumbers(piece));
    partition = &partitions_[numbers.front()];
    CALVE_RETURN_IF_ERROR(Keep(context, *partition, piece, columnar::BatchBytes(*piece)));
  }
  return partition == nullptr ? Status::Ok() : Finish(context, *partition);
}

/// Set rows aside once more, by the next digit of their partitions' numbers.
Result<std::vector<SpilledRows>> FanOutWriter::Divide(const Context& context, SpilledRows shared,
                                                      size_t step) {
  std::vector<SpilledRows> parts(kOwnPlacesMax);
  for (const RowSpill::Place& place : shared.places) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(columnar::Batch rows, spill_.TakeBack(place));
    CALVE_ASSIGN_OR_RETURN(std::vector<uint32_t> digits, PartitionNumbers(rows));
    for (uint32_t& digit : digits)
      digit = static_cast<uint32_t>((digit - kOwnPlacesMax) / step % kOwnPlacesMax);
    HeldRows piece;
    piece.Add(std::move(rows), std::move(digits));
    CALVE_ASSIGN_OR_RETURN(const ArrangedRows arranged, piece.Arrange());
    for (const ArrangedRows::Range& range : arranged.ranges) {
      const columnar::Batch part = arranged.RowsOf(range);
      CALVE_RETURN_IF_ERROR(Spill(parts[range.partition], part, columnar::BatchBytes(*part)));
    }
  }
  return parts;
}

/// Write the rows that are still held, of partitions that have a place of their own.
Status FanOutWriter::FinishHeld(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const ArrangedRows held, held_.Arrange());
  for (const ArrangedRows::Range& range : held.ranges) {
    columnar::Batch rows = held.RowsOf(range);
    if (range.partition < kOwnPlacesMax) {
      partitions_[range.partition].last = std::move(rows);
    } else {
      CALVE_RETURN_IF_ERROR(SpillShared(range.partition, rows, columnar::BatchBytes(*rows)));
    }
  }
  const size_t own = std::min<size_t>(partitions_.size(), kOwnPlacesMax);
  for (size_t i = 0; i < own; ++i) CALVE_RETURN_IF_ERROR(Finish(context, partitions_[i]));
  ReleaseAll();
  return Status::Ok();
}

Result<std::vector<iceberg::DataFilePtr>> FanOutWriter::Close(const Context& context) {
  CALVE_RETURN_IF_ERROR(FinishHeld(context));
  for (SpilledRows& shared : shared_) {
    CALVE_RETURN_IF_ERROR(FinishShared(context, std::move(shared), kOwnPlacesMax));
  }
  shared_.clear();
  partitions_.clear();
  return std::move(done_);
}

Status FanOutWriter::Abort(const Context& context) {
  ReleaseAll();
  shared_.clear();
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
  CALVE_RETURN_IF_ERROR(columnar::StartArrow());
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
