#include "iceberg/entry_decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "iceberg/avro_fields.h"
#include "iceberg/projection.h"

namespace calve::iceberg {
namespace {

struct MapField {
  int32_t key_id;
  int32_t value_id;
  Shape value;
};
constexpr MapField kMapFields[kMetricsMaps] = {
    {117, 118, Shape::kInteger}, {119, 120, Shape::kInteger}, {121, 122, Shape::kInteger},
    {138, 139, Shape::kInteger}, {126, 127, Shape::kBytes},   {129, 130, Shape::kBytes},
};
enum MapSlot { kKey, kValue };

std::optional<FileFormat> ParseFormat(std::string_view text) {
  const std::string lower = ToLower(text);
  if (lower == "parquet") return FileFormat::kParquet;
  if (lower == "avro") return FileFormat::kAvro;
  if (lower == "orc") return FileFormat::kOrc;
  if (lower == "puffin") return FileFormat::kPuffin;
  return std::nullopt;
}

template <typename T>
std::vector<T> ReadList(std::string_view bytes, auto&& read) {
  std::vector<T> out;
  avro::Decoder d(bytes);
  d.ForEachItem(1, [&] { out.push_back(read(d)); });
  return out;
}

/// Pass over a value and return where it lay.
std::string_view View(const avro::Node& type, avro::Decoder& d, const char* block) {
  const size_t begin = d.offset();
  avro::Skip(type, d);
  return {block + begin, d.offset() - begin};
}

}  // namespace

Result<EntryDecoder> EntryDecoder::Compile(const avro::Schema& schema, const Type& partition_type,
                                           const EntryFilter& filter, const PartitionSpec& spec) {
  static constexpr SpecField kEntryFields[] = {
      {0, kStatus, "status", Shape::kInteger, true},
      {1, kSnapshotId, "snapshot_id", Shape::kInteger},
      {3, kSequenceNumber, "sequence_number", Shape::kInteger},
      {4, kFileSequenceNumber, "file_sequence_number", Shape::kInteger},
      {2, kDataFile, "data_file", Shape::kRecord, true},
  };
  static constexpr SpecField kFileFields[] = {
      {134, kContent, "content", Shape::kInteger},
      {100, kPath, "file_path", Shape::kText, true},
      {101, kFormat, "file_format", Shape::kText, true},
      {102, kPartition, "partition", Shape::kRecord},
      {103, kRecordCount, "record_count", Shape::kInteger, true},
      {104, kFileSize, "file_size_in_bytes", Shape::kInteger, true},
      {108, kColumnSizes, "column_sizes", Shape::kArray},
      {109, kValueCounts, "value_counts", Shape::kArray},
      {110, kNullCounts, "null_value_counts", Shape::kArray},
      {137, kNanCounts, "nan_value_counts", Shape::kArray},
      {125, kLowerBounds, "lower_bounds", Shape::kArray},
      {128, kUpperBounds, "upper_bounds", Shape::kArray},
      {131, kKeyMetadata, "key_metadata", Shape::kBytes},
      {132, kSplitOffsets, "split_offsets", Shape::kArray},
      {135, kEqualityIds, "equality_ids", Shape::kArray},
      {140, kSortOrderId, "sort_order_id", Shape::kInteger},
      {142, kFirstRowId, "first_row_id", Shape::kInteger},
      {143, kReferencedDataFile, "referenced_data_file", Shape::kText},
      {144, kContentOffset, "content_offset", Shape::kInteger},
      {145, kContentSize, "content_size_in_bytes", Shape::kInteger},
  };
  static constexpr auto kEntryWants = WantsOf(kEntryFields);
  static constexpr auto kFileWants = WantsOf(kFileFields);
  EntryDecoder decoder(filter, spec);
  decoder.entry_ = avro::Projection::Of(&schema.root(), kEntryWants);
  CALVE_RETURN_IF_ERROR(CheckFields(decoder.entry_, kEntryFields));
  decoder.file_ = avro::Projection::Of(decoder.entry_.TypeOf(kDataFile), kFileWants);
  CALVE_RETURN_IF_ERROR(CheckFields(decoder.file_, kFileFields));
  decoder.partition_ = PartitionReader(decoder.file_.TypeOf(kPartition), partition_type);
  CALVE_RETURN_IF_ERROR(decoder.CompileMaps());
  CALVE_RETURN_IF_ERROR(decoder.CheckList(kSplitOffsets, "split_offsets"));
  CALVE_RETURN_IF_ERROR(decoder.CheckList(kEqualityIds, "equality_ids"));
  return decoder;
}

Status EntryDecoder::CheckList(FileSlot slot, std::string_view name) const {
  const avro::Node* list = file_.TypeOf(slot);
  if (list == nullptr || list->kind != avro::Kind::kArray) return Status::Ok();
  const avro::Kind element = list->element->kind;
  if (element == avro::Kind::kInt || element == avro::Kind::kLong) return Status::Ok();
  return DataError(fmt::format("expected the items of {} to be int or long, found {}", name,
                               avro::ToString(element)));
}

Status EntryDecoder::CompileMaps() {
  for (size_t i = 0; i < kMetricsMaps; ++i) {
    const MapField& map = kMapFields[i];
    const SpecField fields[] = {{map.key_id, kKey, "key", Shape::kInteger, true},
                                {map.value_id, kValue, "value", map.value, true}};
    MapPlan& plan = maps_[i];
    plan.bytes = map.value == Shape::kBytes;
    plan.array = file_.TypeOf(static_cast<int>(i));
    if (plan.array == nullptr || plan.array->kind != avro::Kind::kArray) continue;
    const avro::Node& element = *plan.array->element;
    plan.entry = avro::Projection::Of(&element, WantsOf(fields));
    CALVE_RETURN_IF_ERROR(CheckFields(plan.entry, fields));
    plan.plain = element.kind == avro::Kind::kRecord && element.fields.size() == 2 &&
                 element.fields[0].type == plan.entry.TypeOf(kKey) &&
                 element.fields[1].type == plan.entry.TypeOf(kValue);
  }
  return Status::Ok();
}

bool EntryDecoder::Read(avro::Decoder& decoder, const char* block, RawEntry& out) {
  out = RawEntry{};
  block_ = block;
  skip_stats_ = false;
  if (filter_.columns != nullptr) stats_.assign(filter_.columns->columns().size(), ColumnStats{});
  entry_.Read(decoder, [&](const avro::Projection::Item& item, avro::Decoder& d) {
    if (item.type->kind == avro::Kind::kNull) return;
    switch (static_cast<EntrySlot>(item.slot)) {
      case kStatus:
        out.status = static_cast<EntryStatus>(d.ReadIndex(3));
        if (out.status == EntryStatus::kDeleted && !filter_.deleted_entries) skip_stats_ = true;
        break;
      case kSnapshotId:
        out.snapshot_id = SnapshotId(d.ReadLong());
        break;
      case kSequenceNumber:
        out.sequence_number = SequenceNumber(d.ReadLong());
        break;
      case kFileSequenceNumber:
        out.file_sequence_number = SequenceNumber(d.ReadLong());
        break;
      case kDataFile:
        file_.Read(d, [&](const avro::Projection::Item& field, avro::Decoder& f) {
          ReadFileField(field, f, out);
        });
        break;
    }
  });
  if (skip_stats_) return false;
  return filter_.columns == nullptr || filter_.columns->MayMatch(stats_);
}

void EntryDecoder::ReadFileField(const avro::Projection::Item& item, avro::Decoder& d,
                                 RawEntry& out) {
  if (item.type->kind == avro::Kind::kNull) return;
  switch (static_cast<FileSlot>(item.slot)) {
    case kColumnSizes:
    case kValueCounts:
    case kNullCounts:
    case kNanCounts:
    case kLowerBounds:
    case kUpperBounds: {
      const auto map = static_cast<size_t>(item.slot);
      if (skip_stats_ || filter_.columns == nullptr || item.slot == kColumnSizes) {
        out.maps[map] = View(*item.type, d, block_);
      } else {
        const size_t begin = d.offset();
        CollectStats(maps_[map], static_cast<MetricsMap>(map), d);
        out.maps[map] = {block_ + begin, d.offset() - begin};
      }
      break;
    }
    case kContent:
      out.content = static_cast<FileContent>(d.ReadIndex(3));
      break;
    case kPath:
      out.path = d.ReadString();
      break;
    case kFormat:
      out.format = d.ReadString();
      break;
    case kPartition:
      ReadPartition(*item.type, d, out);
      break;
    case kRecordCount:
      out.record_count = d.ReadLong();
      break;
    case kFileSize:
      out.file_size_in_bytes = d.ReadLong();
      break;
    case kKeyMetadata:
      out.key_metadata = d.ReadBytes();
      break;
    case kSplitOffsets:
      out.split_offsets = View(*item.type, d, block_);
      break;
    case kEqualityIds:
      out.equality_ids = View(*item.type, d, block_);
      break;
    case kSortOrderId:
      out.sort_order_id = SortOrderId(d.ReadInt());
      break;
    case kFirstRowId:
      out.first_row_id = RowId(d.ReadLong());
      break;
    case kReferencedDataFile:
      out.referenced_data_file = d.ReadString();
      break;
    case kContentOffset:
      out.content_offset = d.ReadLong();
      break;
    case kContentSize:
      out.content_size_in_bytes = d.ReadLong();
      break;
  }
}

void EntryDecoder::ReadPartition(const avro::Node& type, avro::Decoder& d, RawEntry& out) {
  if (skip_stats_) return avro::Skip(type, d);
  out.partition = View(type, d, block_);
  if (!has_last_ || out.partition != last_partition_) {
    avro::Decoder values(out.partition);
    last_values_ = partition_.Read(values);
    if (!values.ok()) return d.Fail("a partition value is not of its field's type");
    last_partition_ = out.partition;
    has_last_ = true;
    last_matches_ = filter_.partition == nullptr ||
                    PartitionMayMatch(*filter_.partition, *spec_, partition_.type(), last_values_);
  }
  skip_stats_ = !last_matches_;
}

/// Call visit(id, number, bytes) for each entry of a map, with the one of number and bytes that the
/// map holds.
template <typename Visit>
void EntryDecoder::WalkMap(const MapPlan& plan, avro::Decoder& decoder, Visit&& visit) {
  const int64_t bytes_min = plan.array->element->bytes_min;
  if (plan.plain) {
    decoder.ForEachItem(bytes_min, [&] {
      const FieldId id(decoder.ReadInt());
      if (plan.bytes) {
        visit(id, 0, decoder.ReadBytes());
      } else {
        visit(id, decoder.ReadLong(), std::string_view());
      }
    });
    return;
  }
  decoder.ForEachItem(bytes_min, [&] {
    FieldId id;
    int64_t number = 0;
    std::string_view bytes;
    plan.entry.Read(decoder, [&](const avro::Projection::Item& item, avro::Decoder& d) {
      if (item.slot == kKey) {
        id = FieldId(d.ReadInt());
      } else if (plan.bytes) {
        bytes = d.ReadBytes();
      } else {
        number = d.ReadLong();
      }
    });
    visit(id, number, bytes);
  });
}

void EntryDecoder::CollectStats(const MapPlan& plan, MetricsMap map, avro::Decoder& d) {
  const std::vector<FieldId>& columns = filter_.columns->columns();
  const auto set = [&](FieldId id, int64_t number, std::string_view bytes) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i] != id) continue;
      ColumnStats& stats = stats_[i];
      switch (map) {
        case MetricsMap::kColumnSizes:
          break;
        case MetricsMap::kValueCounts:
          stats.values = number;
          break;
        case MetricsMap::kNullCounts:
          stats.nulls = number;
          break;
        case MetricsMap::kNanCounts:
          stats.nans = number;
          break;
        case MetricsMap::kLowerBounds:
          stats.lower = bytes;
          break;
        case MetricsMap::kUpperBounds:
          stats.upper = bytes;
          break;
      }
    }
  };
  WalkMap(plan, d, set);
}

Result<DataFilePtr> EntryDecoder::MakeFile(const RawEntry& raw, SpecId spec_id) const {
  auto file = std::make_shared<DataFile>();
  const std::optional<FileFormat> format = ParseFormat(raw.format);
  if (!format) {
    return DataError(fmt::format("expected parquet, avro, orc or puffin as format of {}, found {}",
                                 raw.path, Quote(raw.format)));
  }
  file->content = raw.content;
  file->path = raw.path;
  file->format = *format;
  file->spec_id = spec_id;
  file->partition = raw.partition.empty() && !has_last_
                        ? PartitionValues(partition_type().fields().size())
                        : last_values_;
  file->record_count = raw.record_count;
  file->file_size_in_bytes = raw.file_size_in_bytes;
  if (raw.key_metadata) file->key_metadata = *raw.key_metadata;
  if (!raw.split_offsets.empty()) {
    file->split_offsets =
        ReadList<int64_t>(raw.split_offsets, [](avro::Decoder& d) { return d.ReadLong(); });
  }
  if (!raw.equality_ids.empty()) {
    file->equality_ids =
        ReadList<FieldId>(raw.equality_ids, [](avro::Decoder& d) { return FieldId(d.ReadInt()); });
  }
  file->sort_order_id = raw.sort_order_id;
  file->first_row_id = raw.first_row_id;
  if (raw.referenced_data_file) file->referenced_data_file = *raw.referenced_data_file;
  file->content_offset = raw.content_offset;
  file->content_size_in_bytes = raw.content_size_in_bytes;
  if (filter_.metrics) {
    ReadMaps(raw, file->metrics);
  } else if (!filter_.bounds.empty()) {
    ReadBounds(raw, file->metrics);
  }
  return DataFilePtr(std::move(file));
}

void EntryDecoder::ReadMaps(const RawEntry& raw, Metrics& metrics) const {
  const auto read = [&](MetricsMap map, auto&& set) {
    const auto index = static_cast<size_t>(map);
    if (raw.maps[index].empty()) return;
    avro::Decoder d(raw.maps[index]);
    WalkMap(maps_[index], d, set);
  };
  const auto numbers = [](FieldMap<int64_t>& out) {
    return [&out](FieldId id, int64_t number, std::string_view) { out.Set(id, number); };
  };
  const auto bytes = [](FieldMap<std::string>& out) {
    return [&out](FieldId id, int64_t, std::string_view bound) { out.Set(id, std::string(bound)); };
  };
  read(MetricsMap::kColumnSizes, numbers(metrics.column_sizes));
  read(MetricsMap::kValueCounts, numbers(metrics.value_counts));
  read(MetricsMap::kNullCounts, numbers(metrics.null_value_counts));
  read(MetricsMap::kNanCounts, numbers(metrics.nan_value_counts));
  read(MetricsMap::kLowerBounds, bytes(metrics.lower_bounds));
  read(MetricsMap::kUpperBounds, bytes(metrics.upper_bounds));
}

void EntryDecoder::ReadBounds(const RawEntry& raw, Metrics& metrics) const {
  const auto read = [&](MetricsMap map, FieldMap<std::string>& out) {
    const auto index = static_cast<size_t>(map);
    if (raw.maps[index].empty()) return;
    avro::Decoder d(raw.maps[index]);
    WalkMap(maps_[index], d, [&](FieldId id, int64_t, std::string_view bound) {
      if (std::binary_search(filter_.bounds.begin(), filter_.bounds.end(), id))
        out.Set(id, std::string(bound));
    });
  };
  read(MetricsMap::kLowerBounds, metrics.lower_bounds);
  read(MetricsMap::kUpperBounds, metrics.upper_bounds);
}

}  // namespace calve::iceberg
