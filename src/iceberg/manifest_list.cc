#include "iceberg/manifest_list.h"

#include <fmt/format.h>

#include <charconv>

#include "avro/decoder.h"
#include "avro/file_reader.h"
#include "avro/file_writer.h"
#include "avro/projection.h"
#include "base/executor.h"
#include "base/text.h"
#include "iceberg/avro_fields.h"
#include "iceberg/manifest_schema.h"

namespace calve::iceberg {
namespace {

enum Slot {
  kPath,
  kLength,
  kSpecId,
  kContent,
  kSequenceNumber,
  kMinSequenceNumber,
  kAddedSnapshotId,
  kAddedFiles,
  kExistingFiles,
  kDeletedFiles,
  kAddedRows,
  kExistingRows,
  kDeletedRows,
  kPartitions,
  kKeyMetadata,
  kFirstRowId,
};
constexpr SpecField kLineFields[] = {
    {500, kPath, "manifest_path", Shape::kText, true},
    {501, kLength, "manifest_length", Shape::kInteger, true},
    {502, kSpecId, "partition_spec_id", Shape::kInteger, true},
    {517, kContent, "content", Shape::kInteger},
    {515, kSequenceNumber, "sequence_number", Shape::kInteger},
    {516, kMinSequenceNumber, "min_sequence_number", Shape::kInteger},
    {503, kAddedSnapshotId, "added_snapshot_id", Shape::kInteger},
    {504, kAddedFiles, "added_files_count", Shape::kInteger},
    {505, kExistingFiles, "existing_files_count", Shape::kInteger},
    {506, kDeletedFiles, "deleted_files_count", Shape::kInteger},
    {512, kAddedRows, "added_rows_count", Shape::kInteger},
    {513, kExistingRows, "existing_rows_count", Shape::kInteger},
    {514, kDeletedRows, "deleted_rows_count", Shape::kInteger},
    {507, kPartitions, "partitions", Shape::kArray},
    {519, kKeyMetadata, "key_metadata", Shape::kBytes},
    {520, kFirstRowId, "first_row_id", Shape::kInteger},
};
constexpr auto kLineWants = WantsOf(kLineFields);

enum SummarySlot { kContainsNull, kContainsNan, kLowerBound, kUpperBound };
constexpr SpecField kSummaryFields[] = {
    {509, kContainsNull, "contains_null", Shape::kBool, true},
    {518, kContainsNan, "contains_nan", Shape::kBool},
    {510, kLowerBound, "lower_bound", Shape::kBytes},
    {511, kUpperBound, "upper_bound", Shape::kBytes},
};
constexpr auto kSummaryWants = WantsOf(kSummaryFields);

/// Decodes the lines of one list.
class LineDecoder {
 public:
  explicit LineDecoder(const avro::Schema& schema)
      : line_(avro::Projection::Of(&schema.root(), kLineWants)) {
    const avro::Node* partitions = line_.TypeOf(kPartitions);
    if (partitions != nullptr && partitions->kind == avro::Kind::kArray) {
      summary_bytes_min_ = partitions->element->bytes_min;
      summary_ = avro::Projection::Of(partitions->element, kSummaryWants);
    }
  }

  Status Check() const {
    CALVE_RETURN_IF_ERROR(CheckFields(line_, kLineFields));
    const avro::Node* partitions = line_.TypeOf(kPartitions);
    if (partitions == nullptr || partitions->kind == avro::Kind::kNull) return Status::Ok();
    return CheckFields(summary_, kSummaryFields);
  }

  ManifestFile Read(avro::Decoder& decoder) const {
    ManifestFile line;
    line_.Read(decoder, [&](const avro::Projection::Item& item, avro::Decoder& d) {
      ReadField(item, d, line);
    });
    return line;
  }

 private:
  void ReadField(const avro::Projection::Item& item, avro::Decoder& d, ManifestFile& line) const {
    if (item.type->kind == avro::Kind::kNull) return;
    switch (static_cast<Slot>(item.slot)) {
      case kPath:
        line.path = d.ReadString();
        break;
      case kLength:
        line.length = d.ReadLong();
        break;
      case kSpecId:
        line.spec_id = SpecId(d.ReadInt());
        break;
      case kContent:
        line.content = static_cast<ManifestContent>(d.ReadIndex(2));
        break;
      case kSequenceNumber:
        line.sequence_number = SequenceNumber(d.ReadLong());
        break;
      case kMinSequenceNumber:
        line.min_sequence_number = SequenceNumber(d.ReadLong());
        break;
      case kAddedSnapshotId:
        line.added_snapshot_id = SnapshotId(d.ReadLong());
        break;
      case kAddedFiles:
        line.added_files_count = d.ReadLong();
        break;
      case kExistingFiles:
        line.existing_files_count = d.ReadLong();
        break;
      case kDeletedFiles:
        line.deleted_files_count = d.ReadLong();
        break;
      case kAddedRows:
        line.added_rows_count = d.ReadLong();
        break;
      case kExistingRows:
        line.existing_rows_count = d.ReadLong();
        break;
      case kDeletedRows:
        line.deleted_rows_count = d.ReadLong();
        break;
      case kKeyMetadata:
        line.key_metadata = d.ReadBytes();
        break;
      case kFirstRowId:
        line.first_row_id = RowId(d.ReadLong());
        break;
      case kPartitions:
        d.ForEachItem(summary_bytes_min_, [&] { line.partitions.push_back(ReadSummary(d)); });
        break;
    }
  }

  PartitionFieldSummary ReadSummary(avro::Decoder& decoder) const {
    PartitionFieldSummary summary;
    summary_.Read(decoder, [&](const avro::Projection::Item& item, avro::Decoder& d) {
      if (item.type->kind == avro::Kind::kNull) return;
      switch (static_cast<SummarySlot>(item.slot)) {
        case kContainsNull:
          summary.contains_null = d.ReadBool();
          break;
        case kContainsNan:
          summary.contains_nan = d.ReadBool();
          break;
        case kLowerBound:
          summary.lower_bound = d.ReadBytes();
          break;
        case kUpperBound:
          summary.upper_bound = d.ReadBytes();
          break;
      }
    });
    return summary;
  }

  avro::Projection line_;
  avro::Projection summary_;
  int64_t summary_bytes_min_ = 0;
};

Result<std::vector<ManifestFile>> DecodeList(std::string_view bytes) {
  CALVE_ASSIGN_OR_RETURN(avro::FileReader reader, avro::FileReader::Open(bytes));
  const LineDecoder lines(reader.schema());
  CALVE_RETURN_IF_ERROR(lines.Check());
  std::vector<ManifestFile> manifests;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const std::optional<avro::Block> block, reader.Next());
    if (!block) return manifests;
    avro::Decoder decoder(block->bytes);
    for (int64_t i = 0; i < block->record_count && decoder.ok(); ++i)
      manifests.push_back(lines.Read(decoder));
    CALVE_RETURN_IF_ERROR(decoder.Finish());
  }
}

/// Describe a manifest that v1 metadata names without a list, by the manifest's own header.
Result<ManifestFile> DescribeV1(const Context& context, Files& files, const Snapshot& snapshot,
                                const std::string& path) {
  CALVE_ASSIGN_OR_RETURN(const std::string bytes, files.Read(context, path, 0));
  CALVE_ASSIGN_OR_RETURN(const avro::FileReader reader,
                         avro::FileReader::Open(bytes, {.name = path}));
  ManifestFile manifest;
  manifest.path = path;
  manifest.length = static_cast<int64_t>(bytes.size());
  manifest.added_snapshot_id = snapshot.id;
  if (const std::string* text = reader.FindMetadata("partition-spec-id")) {
    int32_t id = 0;
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), id);
    if (fault != std::errc() || end != text->data() + text->size()) {
      return DataError(
          fmt::format("{}: expected a number as partition-spec-id, found {}", path, Quote(*text)));
    }
    manifest.spec_id = SpecId(id);
  }
  return manifest;
}

}  // namespace

Result<std::vector<ManifestFile>> ReadManifestList(const Context& context, Files& files,
                                                   const TableMetadata& metadata,
                                                   const Snapshot& snapshot) {
  if (snapshot.key_id) {
    return RefusedError(
        fmt::format("snapshot {} of {} is encrypted; reading encrypted tables is not supported",
                    snapshot.id.value(), metadata.location));
  }
  if (snapshot.manifest_list.empty()) {
    std::vector<ManifestFile> manifests(snapshot.v1_manifests.size());
    CALVE_RETURN_IF_ERROR(context.executor->ParallelFor(manifests.size(), [&](size_t i) -> Status {
      CALVE_ASSIGN_OR_RETURN(manifests[i],
                             DescribeV1(context, files, snapshot, snapshot.v1_manifests[i]));
      return Status::Ok();
    }));
    return manifests;
  }
  CALVE_ASSIGN_OR_RETURN(const std::string bytes, files.Read(context, snapshot.manifest_list, 0));
  Result<std::vector<ManifestFile>> manifests = DecodeList(bytes);
  if (!manifests.ok())
    return While("read manifest list " + snapshot.manifest_list, std::move(manifests).error());
  return manifests;
}

namespace {

void WriteOptionalBytes(avro::Encoder& e, const std::optional<std::string>& bytes) {
  e.WriteIndex(bytes ? 1 : 0);
  if (bytes) e.WriteBytes(*bytes);
}

void WriteSummaries(avro::Encoder& e, const TableMetadata& metadata, const ManifestFile& manifest) {
  const std::vector<PartitionFieldSummary>& summaries = manifest.partitions;
  const PartitionSpec* spec = metadata.FindSpec(manifest.spec_id);
  // Readers look a partition field up by its place: none at all means unknown, not an empty list.
  const bool known = spec != nullptr && summaries.size() == spec->fields.size();
  e.WriteIndex(known ? 1 : 0);
  if (!known) return;
  if (!summaries.empty()) e.WriteBlockCount(summaries.size());
  for (const PartitionFieldSummary& summary : summaries) {
    e.WriteBool(summary.contains_null);
    e.WriteIndex(summary.contains_nan ? 1 : 0);
    if (summary.contains_nan) e.WriteBool(*summary.contains_nan);
    WriteOptionalBytes(e, summary.lower_bound);
    WriteOptionalBytes(e, summary.upper_bound);
  }
  e.WriteEnd();
}

Status WriteLine(avro::Encoder& e, const TableMetadata& metadata, const ManifestFile& manifest) {
  const std::optional<int64_t> counts[] = {
      manifest.added_files_count, manifest.existing_files_count, manifest.deleted_files_count,
      manifest.added_rows_count,  manifest.existing_rows_count,  manifest.deleted_rows_count};
  e.WriteString(manifest.path);
  e.WriteLong(manifest.length);
  e.WriteInt(manifest.spec_id.value());
  e.WriteInt(static_cast<int32_t>(manifest.content));
  e.WriteLong(manifest.sequence_number.value());
  e.WriteLong(manifest.min_sequence_number.value());
  e.WriteLong(manifest.added_snapshot_id.value());
  for (const std::optional<int64_t>& count : counts) {
    if (!count) return BugError("a manifest without counts was to be listed: " + manifest.path);
    e.WriteLong(*count);
  }
  WriteSummaries(e, metadata, manifest);
  WriteOptionalBytes(e, manifest.key_metadata);
  if (metadata.format_version >= 3) {
    const bool has_row_id = manifest.first_row_id && manifest.content == ManifestContent::kData;
    e.WriteIndex(has_row_id ? 1 : 0);
    if (has_row_id) e.WriteLong(manifest.first_row_id->value());
  }
  return Status::Ok();
}

}  // namespace

Result<std::string> EncodeManifestList(const TableMetadata& metadata,
                                       const ManifestListHeader& header,
                                       const std::vector<ManifestFile>& manifests, Random& random) {
  CALVE_ASSIGN_OR_RETURN(const avro::Schema schema, ManifestListSchema(metadata.format_version));
  avro::FileWriterOptions options{.sync_marker = NewUuid(random)};
  options.metadata = {
      {"snapshot-id", std::to_string(header.snapshot_id.value())},
      {"parent-snapshot-id", header.parent_id ? std::to_string(header.parent_id->value()) : "null"},
      {"sequence-number", std::to_string(header.sequence_number.value())},
      {"format-version", std::to_string(metadata.format_version)},
  };
  if (header.first_row_id)
    options.metadata.emplace_back("first-row-id", std::to_string(header.first_row_id->value()));
  std::string bytes;
  CALVE_ASSIGN_OR_RETURN(
      avro::FileWriter writer,
      avro::FileWriter::Open(schema, avro::AppendTo(&bytes), std::move(options)));
  for (const ManifestFile& manifest : manifests) {
    CALVE_RETURN_IF_ERROR(WriteLine(writer.record(), metadata, manifest));
    CALVE_RETURN_IF_ERROR(writer.EndRecord());
  }
  CALVE_RETURN_IF_ERROR(writer.Close());
  return bytes;
}

}  // namespace calve::iceberg
