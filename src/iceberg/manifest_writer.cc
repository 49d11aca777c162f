#include "iceberg/manifest_writer.h"

#include <fmt/format.h>

#include "iceberg/manifest_schema.h"
#include "iceberg/partition_codec.h"

namespace calve::iceberg {
namespace {

template <typename T>
void WriteOptional(avro::Encoder& e, const std::optional<T>& number) {
  e.WriteIndex(number ? 1 : 0);
  if (number) e.WriteLong(number->value());
}

void WriteOptionalLong(avro::Encoder& e, const std::optional<int64_t>& number) {
  e.WriteIndex(number ? 1 : 0);
  if (number) e.WriteLong(*number);
}

void WriteOptionalBytes(avro::Encoder& e, const std::optional<std::string>& bytes) {
  e.WriteIndex(bytes ? 1 : 0);
  if (bytes) e.WriteBytes(*bytes);
}

/// Write a list or map that may be null, which it is when it is empty.
template <typename Items, typename WriteItem>
void WriteItems(avro::Encoder& e, const Items& items, WriteItem&& write) {
  e.WriteIndex(items.empty() ? 0 : 1);
  if (items.empty()) return;
  e.WriteBlockCount(items.size());
  for (const auto& item : items) write(item);
  e.WriteEnd();
}

void WriteNumbers(avro::Encoder& e, const FieldMap<int64_t>& map) {
  WriteItems(e, map, [&](const auto& item) {
    e.WriteInt(item.first.value());
    e.WriteLong(item.second);
  });
}

void WriteBounds(avro::Encoder& e, const FieldMap<std::string>& map) {
  WriteItems(e, map, [&](const auto& item) {
    e.WriteInt(item.first.value());
    e.WriteBytes(item.second);
  });
}

/// In capitals, as Iceberg's writers have it.
std::string_view FormatName(FileFormat format) {
  switch (format) {
    case FileFormat::kParquet:
      return "PARQUET";
    case FileFormat::kAvro:
      return "AVRO";
    case FileFormat::kOrc:
      return "ORC";
    case FileFormat::kPuffin:
      return "PUFFIN";
  }
  return "";
}

}  // namespace

Result<ManifestWriter> ManifestWriter::Open(const ManifestWriterOptions& options, Random& random) {
  CALVE_ASSIGN_OR_RETURN(const avro::Schema schema,
                         ManifestEntrySchema(options.format_version, options.partition_type));
  ManifestWriter writer(options);
  writer.bytes_ = std::make_unique<std::string>();
  avro::FileWriterOptions file{.sync_marker = NewUuid(random)};
  file.metadata = {
      {"schema", SerializeSchema(*options.schema)},
      {"schema-id", std::to_string(options.schema->id().value())},
      {"partition-spec", SerializePartitionFields(*options.spec)},
      {"partition-spec-id", std::to_string(options.spec->id.value())},
      {"format-version", std::to_string(options.format_version)},
      {"content", options.content == ManifestContent::kData ? "data" : "deletes"},
  };
  CALVE_ASSIGN_OR_RETURN(
      writer.writer_,
      avro::FileWriter::Open(schema, avro::AppendTo(writer.bytes_.get()), std::move(file)));
  writer.out_.manifest.spec_id = options.spec->id;
  writer.out_.manifest.content = options.content;
  writer.out_.manifest.added_snapshot_id = options.snapshot_id;
  for (auto* count :
       {&writer.out_.manifest.added_files_count, &writer.out_.manifest.existing_files_count,
        &writer.out_.manifest.deleted_files_count, &writer.out_.manifest.added_rows_count,
        &writer.out_.manifest.existing_rows_count, &writer.out_.manifest.deleted_rows_count}) {
    *count = 0;
  }
  return writer;
}

Status ManifestWriter::Add(const ManifestEntry& entry) {
  CALVE_RETURN_IF_ERROR(WriteEntry(writer_->record(), entry));
  CALVE_RETURN_IF_ERROR(writer_->EndRecord());
  Count(entry);
  return Status::Ok();
}

Status ManifestWriter::WriteEntry(avro::Encoder& e, const ManifestEntry& entry) {
  const bool added = entry.status == EntryStatus::kAdded;
  if (!added && !entry.sequence_number) {
    return BugError("an entry that is not new was to be written without its sequence number: " +
                    entry.file->path);
  }
  e.WriteInt(static_cast<int32_t>(entry.status));
  WriteOptional(e,
                entry.status == EntryStatus::kExisting ? entry.snapshot_id : options_.snapshot_id);
  WriteOptional(e, entry.sequence_number);
  WriteOptional(e, added ? std::nullopt : entry.file_sequence_number);
  return WriteFile(e, *entry.file, entry.status);
}

Status ManifestWriter::WriteFile(avro::Encoder& e, const DataFile& file, EntryStatus status) {
  e.WriteInt(static_cast<int32_t>(file.content));
  e.WriteString(file.path);
  e.WriteString(FormatName(file.format));
  Status partition = WritePartition(e, options_.partition_type, file.partition);
  if (!partition.ok())
    return While("write the manifest entry of " + file.path, std::move(partition).error());
  e.WriteLong(file.record_count);
  e.WriteLong(file.file_size_in_bytes);
  WriteNumbers(e, file.metrics.column_sizes);
  WriteNumbers(e, file.metrics.value_counts);
  WriteNumbers(e, file.metrics.null_value_counts);
  WriteNumbers(e, file.metrics.nan_value_counts);
  WriteBounds(e, file.metrics.lower_bounds);
  WriteBounds(e, file.metrics.upper_bounds);
  WriteOptionalBytes(e, file.key_metadata);
  WriteItems(e, file.split_offsets, [&](int64_t offset) { e.WriteLong(offset); });
  WriteItems(e, file.equality_ids, [&](FieldId id) { e.WriteInt(id.value()); });
  WriteOptional(e, file.sort_order_id);
  if (options_.format_version >= 3) {
    const bool assigned =
        status != EntryStatus::kAdded && options_.content == ManifestContent::kData;
    WriteOptional(e, assigned ? file.first_row_id : std::nullopt);
  }
  WriteOptionalBytes(e, file.referenced_data_file);
  if (options_.format_version >= 3) {
    WriteOptionalLong(e, file.content_offset);
    WriteOptionalLong(e, file.content_size_in_bytes);
  }
  return Status::Ok();
}

void ManifestWriter::Count(const ManifestEntry& entry) {
  ManifestFile& manifest = out_.manifest;
  const int64_t rows = entry.file->record_count;
  summary_.Add(entry.file->partition);
  const bool live = entry.status != EntryStatus::kDeleted;
  if (live && entry.sequence_number &&
      (!out_.least_own_number || entry.sequence_number < out_.least_own_number)) {
    out_.least_own_number = entry.sequence_number;
  }
  switch (entry.status) {
    case EntryStatus::kAdded:
      ++*manifest.added_files_count;
      *manifest.added_rows_count += rows;
      out_.rows_without_ids += rows;
      return;
    case EntryStatus::kDeleted:
      ++*manifest.deleted_files_count;
      *manifest.deleted_rows_count += rows;
      return;
    case EntryStatus::kExisting:
      ++*manifest.existing_files_count;
      *manifest.existing_rows_count += rows;
      if (!entry.file->first_row_id) out_.rows_without_ids += rows;
      return;
  }
}

Result<EncodedManifest> ManifestWriter::Close() {
  CALVE_RETURN_IF_ERROR(writer_->Close());
  CALVE_ASSIGN_OR_RETURN(out_.manifest.partitions, summary_.Finish());
  out_.bytes = std::move(*bytes_);
  out_.manifest.length = static_cast<int64_t>(out_.bytes.size());
  return std::move(out_);
}

}  // namespace calve::iceberg
