#include "iceberg/manifest_reader.h"

#include <fmt/format.h>

#include "avro/file_reader.h"
#include "iceberg/entry_decoder.h"
#include "iceberg/manifest_schema.h"

namespace calve::iceberg {
namespace {

/// Fills in what an entry leaves to its manifest (spec, Sequence Number Inheritance, First Row ID
/// Inheritance).
class Inheritance {
 public:
  Inheritance(const ManifestFile& manifest, bool has_sequence_numbers)
      : manifest_(manifest),
        has_sequence_numbers_(has_sequence_numbers),
        next_row_id_(manifest.first_row_id) {}

  /// Every entry passes here in the manifest's order, kept or not: row ids are counted up.
  Status Apply(RawEntry& entry) {
    CALVE_RETURN_IF_ERROR(ApplyRowId(entry));
    if (!entry.snapshot_id) entry.snapshot_id = manifest_.added_snapshot_id;
    CALVE_RETURN_IF_ERROR(ApplySequence(entry, entry.sequence_number));
    // The file's own number decides nothing: where old writers left it out it may stay away.
    const bool inherits =
        entry.status == EntryStatus::kAdded || manifest_.sequence_number == SequenceNumber(0);
    if (!entry.file_sequence_number && inherits)
      entry.file_sequence_number = manifest_.sequence_number;
    return Status::Ok();
  }

 private:
  Status ApplyRowId(RawEntry& entry) {
    // Without a first row id in the list the manifest predates v3: its files have no row ids,
    // whatever they say.
    if (!next_row_id_ || manifest_.content != ManifestContent::kData) {
      entry.first_row_id.reset();
    } else if (!entry.first_row_id && entry.status != EntryStatus::kDeleted) {
      entry.first_row_id = next_row_id_;
      int64_t next = 0;
      if (entry.record_count < 0 ||
          __builtin_add_overflow(next_row_id_->value(), entry.record_count, &next)) {
        return DataError(fmt::format("expected a number of rows with {}, found {}", entry.path,
                                     entry.record_count));
      }
      next_row_id_ = RowId(next);
    }
    return Status::Ok();
  }

  Status ApplySequence(const RawEntry& entry, std::optional<SequenceNumber>& number) const {
    if (number) return Status::Ok();
    if (entry.status == EntryStatus::kAdded || manifest_.sequence_number == SequenceNumber(0)) {
      number = manifest_.sequence_number;
    } else if (!has_sequence_numbers_) {
      number = SequenceNumber(0);
    } else if (entry.status == EntryStatus::kExisting) {
      return DataError(fmt::format(
          "expected a sequence number with the existing file {}, found none", entry.path));
    }
    return Status::Ok();
  }

  const ManifestFile& manifest_;
  bool has_sequence_numbers_;
  std::optional<RowId> next_row_id_;
};

ManifestEntry MakeEntry(const RawEntry& raw, DataFilePtr file) {
  return {.status = raw.status,
          .snapshot_id = raw.snapshot_id,
          .sequence_number = raw.sequence_number,
          .file_sequence_number = raw.file_sequence_number,
          .file = std::move(file)};
}

Status ScanBlock(const avro::Block& block, EntryDecoder& entries, Inheritance& inheritance,
                 const ManifestFile& manifest, ManifestScan& scan) {
  avro::Decoder decoder(block.bytes);
  RawEntry raw;
  for (int64_t i = 0; i < block.record_count; ++i) {
    const bool keep = entries.Read(decoder, block.bytes.data(), raw);
    if (!decoder.ok()) return decoder.status();
    if (raw.status != EntryStatus::kDeleted) ++scan.live_files;
    CALVE_RETURN_IF_ERROR(inheritance.Apply(raw));
    if (!keep) continue;
    CALVE_ASSIGN_OR_RETURN(DataFilePtr file, entries.MakeFile(raw, manifest.spec_id));
    scan.entries.push_back(MakeEntry(raw, std::move(file)));
  }
  return decoder.Finish();
}

Result<ManifestScan> ScanBytes(std::string_view bytes, const TableMetadata& metadata,
                               const ManifestFile& manifest, const EntryFilter& filter) {
  CALVE_ASSIGN_OR_RETURN(const PartitionSpec* spec, SpecOf(metadata, manifest));
  CALVE_ASSIGN_OR_RETURN(avro::FileReader reader, avro::FileReader::Open(bytes));
  CALVE_ASSIGN_OR_RETURN(
      EntryDecoder entries,
      EntryDecoder::Compile(reader.schema(), PartitionTypeOf(metadata, *spec), filter, *spec));
  Inheritance inheritance(manifest, entries.has_sequence_numbers());
  ManifestScan scan;
  scan.partition_type = entries.partition_type();
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const std::optional<avro::Block> block, reader.Next());
    if (!block) return scan;
    CALVE_RETURN_IF_ERROR(ScanBlock(*block, entries, inheritance, manifest, scan));
  }
}

}  // namespace

Result<const PartitionSpec*> SpecOf(const TableMetadata& metadata, const ManifestFile& manifest) {
  const PartitionSpec* spec = metadata.FindSpec(manifest.spec_id);
  if (spec == nullptr) {
    return DataError(fmt::format(
        "{}: expected a partition spec of the table, found spec {}, which it does not have",
        manifest.path, manifest.spec_id.value()));
  }
  return spec;
}

Result<ManifestScan> ScanManifest(const Context& context, Files& files,
                                  const TableMetadata& metadata, const ManifestFile& manifest,
                                  const EntryFilter& filter) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  if (manifest.key_metadata) {
    return RefusedError(manifest.path + " is encrypted; reading encrypted tables is not supported");
  }
  CALVE_ASSIGN_OR_RETURN(const std::string bytes,
                         files.Read(context, manifest.path, manifest.length));
  Result<ManifestScan> scan = ScanBytes(bytes, metadata, manifest, filter);
  if (!scan.ok()) return While("read manifest " + manifest.path, std::move(scan).error());
  return scan;
}

Result<std::vector<ManifestEntry>> ReadManifest(const Context& context, Files& files,
                                                const TableMetadata& metadata,
                                                const ManifestFile& manifest,
                                                const ReadManifestOptions& options) {
  const EntryFilter filter{.deleted_entries = options.deleted_entries, .metrics = options.metrics};
  CALVE_ASSIGN_OR_RETURN(ManifestScan scan,
                         ScanManifest(context, files, metadata, manifest, filter));
  return std::move(scan.entries);
}

}  // namespace calve::iceberg
