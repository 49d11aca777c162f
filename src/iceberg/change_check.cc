#include "iceberg/change_check.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "iceberg/manifest_schema.h"
#include "iceberg/partition_codec.h"

namespace calve::iceberg {
namespace {

/// Checks that files fit the specs that they name.
class PartitionCheck {
 public:
  explicit PartitionCheck(const TableMetadata& base) : base_(base) {}

  Status Check(const DataFile& file) {
    const auto known = types_.find(file.spec_id);
    if (known == types_.end()) {
      CALVE_RETURN_IF_ERROR(Learn(file));
      return Check(file);
    }
    scratch_.clear();
    avro::Encoder encoder(&scratch_);
    Status status = WritePartition(encoder, known->second, file.partition);
    if (!status.ok()) return While("add " + file.path, std::move(status).error());
    return Status::Ok();
  }

 private:
  Status Learn(const DataFile& file) {
    const PartitionSpec* spec = base_.FindSpec(file.spec_id);
    if (spec == nullptr) {
      return BugError(fmt::format("{} is of partition spec {}, which the table does not have",
                                  file.path, file.spec_id.value()));
    }
    for (const PartitionField& field : spec->fields) {
      if (field.transform.kind() == Transform::Kind::kUnknown) {
        return RefusedError(fmt::format(
            "the partition field {} has the transform {}, which this version cannot write",
            field.name, field.transform.ToString()));
      }
    }
    types_.emplace(file.spec_id, PartitionTypeOf(base_, *spec));
    return Status::Ok();
  }

  const TableMetadata& base_;
  std::map<SpecId, Type> types_;
  std::string scratch_;
};

Status CheckDeletes(const TableMetadata& base, const DataFile& file) {
  const bool vector = file.is_deletion_vector();
  if (file.content == FileContent::kData)
    return BugError("a data file was to be added as deletes: " + file.path);
  if (vector && base.format_version < 3) {
    return ConflictError(
        "a deletion vector was to be added to a table of version 2, which takes position delete "
        "files");
  }
  if (!vector && file.content == FileContent::kPositionDeletes && base.format_version >= 3) {
    return ConflictError(
        "position deletes were to be added to a table of version 3, which takes deletion vectors: "
        "write "
        "the deletes again");
  }
  if (vector &&
      (!file.referenced_data_file || !file.content_offset || !file.content_size_in_bytes)) {
    return BugError("a deletion vector was to be added without its data file, offset and size: " +
                    file.path);
  }
  if (file.content == FileContent::kEqualityDeletes && file.equality_ids.empty()) {
    return BugError("equality deletes were to be added without field ids: " + file.path);
  }
  return Status::Ok();
}

}  // namespace

Status CheckChange(const TableMetadata& base, const SnapshotChange& change) {
  if (base.format_version < 2) {
    return RefusedError(fmt::format(
        "the table at {} has format version 1, which is only read; upgrade it to version 2",
        base.location));
  }
  PartitionCheck partitions(base);
  std::set<std::string_view> paths;
  for (const DataFilePtr& file : change.added_data_files) {
    if (file->content != FileContent::kData)
      return BugError("deletes were to be added as a data file: " + file->path);
    if (!paths.insert(file->path).second)
      return BugError("a file was to be added twice: " + file->path);
    CALVE_RETURN_IF_ERROR(partitions.Check(*file));
  }
  std::set<std::pair<std::string_view, int64_t>> places;
  std::set<std::string_view> vector_targets;
  for (const DataFilePtr& file : change.added_delete_files) {
    CALVE_RETURN_IF_ERROR(CheckDeletes(base, *file));
    CALVE_RETURN_IF_ERROR(partitions.Check(*file));
    if (!places.emplace(file->path, file->content_offset.value_or(0)).second) {
      return BugError("a file of deletes was to be added twice: " + file->path);
    }
    if (file->is_deletion_vector() && !vector_targets.insert(*file->referenced_data_file).second) {
      return BugError("two deletion vectors were to be added for " + *file->referenced_data_file);
    }
  }
  return Status::Ok();
}

}  // namespace calve::iceberg
