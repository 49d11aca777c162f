#include "iceberg/snapshot_json.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kOperationKey = "operation";
constexpr std::array kOperations = {Operation::kAppend, Operation::kReplace, Operation::kOverwrite,
                                    Operation::kDelete};

template <typename Id>
Result<Id> ReadId(const JsonObject& object, std::string_view key) {
  CALVE_ASSIGN_OR_RETURN(const int64_t id, object.Long(key));
  return Id(id);
}

template <typename Id>
Result<std::optional<Id>> ReadOptionalId(const JsonObject& object, std::string_view key) {
  CALVE_ASSIGN_OR_RETURN(const auto id, object.OptionalLong(key));
  if (!id) return std::optional<Id>();
  return std::optional(Id(*id));
}

/// Move the operation out of the summary.
void ReadOperation(Snapshot& snapshot) {
  if (snapshot.summary.empty()) return;
  const auto found = snapshot.summary.find(std::string(kOperationKey));
  if (found == snapshot.summary.end()) {
    snapshot.operation = Operation::kOverwrite;
    return;
  }
  for (const Operation operation : kOperations) {
    if (found->second != ToString(operation)) continue;
    snapshot.operation = operation;
    snapshot.summary.erase(found);
    return;
  }
}

Json TextMapToJson(const std::map<std::string, std::string>& values) {
  Json json = Json::object();
  for (const auto& [key, value] : values) json[key] = value;
  return json;
}

Result<BlobMetadata> ReadBlob(const JsonObject& object) {
  BlobMetadata blob;
  CALVE_ASSIGN_OR_RETURN(blob.type, object.Text("type"));
  CALVE_ASSIGN_OR_RETURN(blob.snapshot_id, object.GetSnapshotId("snapshot-id"));
  CALVE_ASSIGN_OR_RETURN(blob.sequence_number, ReadId<SequenceNumber>(object, "sequence-number"));
  CALVE_ASSIGN_OR_RETURN(const std::vector<int32_t> fields, object.IntList("fields"));
  for (const int32_t field : fields) blob.fields.emplace_back(field);
  CALVE_ASSIGN_OR_RETURN(blob.properties, object.TextMap("properties"));
  return blob;
}

Json BlobToJson(const BlobMetadata& blob) {
  Json json;
  json["type"] = blob.type;
  json["snapshot-id"] = blob.snapshot_id.value();
  json["sequence-number"] = blob.sequence_number.value();
  json["fields"] = Json::array();
  for (const FieldId field : blob.fields) json["fields"].push_back(field.value());
  if (!blob.properties.empty()) json["properties"] = TextMapToJson(blob.properties);
  return json;
}

Json SummaryToJson(const Snapshot& snapshot) {
  Json json = Json::object();
  if (snapshot.operation) json[kOperationKey] = ToString(*snapshot.operation);
  for (const auto& [key, value] : snapshot.summary) json[key] = value;
  return json;
}

}  // namespace

std::string_view ToString(Operation operation) {
  switch (operation) {
    case Operation::kAppend:
      return "append";
    case Operation::kReplace:
      return "replace";
    case Operation::kOverwrite:
      return "overwrite";
    case Operation::kDelete:
      return "delete";
  }
  return "overwrite";
}

Result<Snapshot> SnapshotFromJson(const JsonObject& object) {
  Snapshot snapshot;
  CALVE_ASSIGN_OR_RETURN(snapshot.id, object.GetSnapshotId("snapshot-id"));
  CALVE_ASSIGN_OR_RETURN(snapshot.parent_id, object.OptionalSnapshotId("parent-snapshot-id"));
  CALVE_ASSIGN_OR_RETURN(const auto sequence_number, object.OptionalLong("sequence-number"));
  snapshot.sequence_number = SequenceNumber(sequence_number.value_or(0));
  CALVE_ASSIGN_OR_RETURN(snapshot.timestamp_ms, object.Long("timestamp-ms"));
  CALVE_ASSIGN_OR_RETURN(snapshot.summary, object.TextMap("summary"));
  ReadOperation(snapshot);
  if (object.Find("manifest-list") != nullptr) {
    CALVE_ASSIGN_OR_RETURN(snapshot.manifest_list, object.Text("manifest-list"));
  } else if (object.Find("manifests") != nullptr) {
    CALVE_ASSIGN_OR_RETURN(snapshot.v1_manifests, object.TextList("manifests"));
  } else {
    return DataError(
        fmt::format("{}: expected a value, found none", object.PlaceOf("manifest-list")));
  }
  CALVE_ASSIGN_OR_RETURN(const auto schema_id, object.OptionalInt("schema-id"));
  if (schema_id) snapshot.schema_id = SchemaId(*schema_id);
  CALVE_ASSIGN_OR_RETURN(snapshot.first_row_id, ReadOptionalId<RowId>(object, "first-row-id"));
  CALVE_ASSIGN_OR_RETURN(snapshot.added_rows, object.OptionalLong("added-rows"));
  CALVE_ASSIGN_OR_RETURN(snapshot.key_id, object.OptionalText("key-id"));
  return snapshot;
}

Json SnapshotToJson(const Snapshot& snapshot) {
  Json json;
  if (snapshot.sequence_number.value() > 0)
    json["sequence-number"] = snapshot.sequence_number.value();
  json["snapshot-id"] = snapshot.id.value();
  if (snapshot.parent_id) json["parent-snapshot-id"] = snapshot.parent_id->value();
  json["timestamp-ms"] = snapshot.timestamp_ms;
  if (snapshot.operation || !snapshot.summary.empty()) json["summary"] = SummaryToJson(snapshot);
  if (!snapshot.manifest_list.empty()) {
    json["manifest-list"] = snapshot.manifest_list;
  } else {
    json["manifests"] = snapshot.v1_manifests;
  }
  if (snapshot.schema_id) json["schema-id"] = snapshot.schema_id->value();
  if (snapshot.first_row_id) json["first-row-id"] = snapshot.first_row_id->value();
  SetIf(json, "added-rows", snapshot.added_rows);
  SetIf(json, "key-id", snapshot.key_id);
  return json;
}

const std::string& SnapshotList::JsonOf(size_t index) const {
  Shared& shared = *snapshots_[index];
  std::call_once(shared.printed, [&] { shared.json = DumpJson(SnapshotToJson(shared.snapshot)); });
  return shared.json;
}

Result<SnapshotRef> SnapshotRefFromJson(const JsonObject& object) {
  SnapshotRef ref;
  CALVE_ASSIGN_OR_RETURN(ref.snapshot_id, object.GetSnapshotId("snapshot-id"));
  CALVE_ASSIGN_OR_RETURN(const std::string kind, object.Text("type"));
  const std::string lower = ToLower(kind);
  if (lower != "branch" && lower != "tag") {
    return DataError(
        fmt::format("{}: expected branch or tag, found {}", object.PlaceOf("type"), Quote(kind)));
  }
  ref.kind = lower == "tag" ? SnapshotRef::Kind::kTag : SnapshotRef::Kind::kBranch;
  CALVE_ASSIGN_OR_RETURN(ref.min_snapshots_to_keep, object.OptionalLong("min-snapshots-to-keep"));
  CALVE_ASSIGN_OR_RETURN(ref.max_snapshot_age_ms, object.OptionalLong("max-snapshot-age-ms"));
  CALVE_ASSIGN_OR_RETURN(ref.max_ref_age_ms, object.OptionalLong("max-ref-age-ms"));
  return ref;
}

void SnapshotRefToJson(const SnapshotRef& ref, Json& json) {
  json["snapshot-id"] = ref.snapshot_id.value();
  json["type"] = ref.kind == SnapshotRef::Kind::kTag ? "tag" : "branch";
  SetIf(json, "min-snapshots-to-keep", ref.min_snapshots_to_keep);
  SetIf(json, "max-snapshot-age-ms", ref.max_snapshot_age_ms);
  SetIf(json, "max-ref-age-ms", ref.max_ref_age_ms);
}

Result<StatisticsFile> StatisticsFileFromJson(const JsonObject& object) {
  StatisticsFile file;
  CALVE_ASSIGN_OR_RETURN(file.snapshot_id, object.GetSnapshotId("snapshot-id"));
  CALVE_ASSIGN_OR_RETURN(file.path, object.Text("statistics-path"));
  CALVE_ASSIGN_OR_RETURN(file.file_size_in_bytes, object.Long("file-size-in-bytes"));
  CALVE_ASSIGN_OR_RETURN(file.file_footer_size_in_bytes, object.Long("file-footer-size-in-bytes"));
  CALVE_ASSIGN_OR_RETURN(file.key_metadata, object.OptionalText("key-metadata"));
  CALVE_RETURN_IF_ERROR(object.Require("blob-metadata"));
  CALVE_ASSIGN_OR_RETURN(file.blobs, object.Objects<BlobMetadata>("blob-metadata", ReadBlob));
  return file;
}

Json StatisticsFileToJson(const StatisticsFile& file) {
  Json json;
  json["snapshot-id"] = file.snapshot_id.value();
  json["statistics-path"] = file.path;
  json["file-size-in-bytes"] = file.file_size_in_bytes;
  json["file-footer-size-in-bytes"] = file.file_footer_size_in_bytes;
  SetIf(json, "key-metadata", file.key_metadata);
  json["blob-metadata"] = Json::array();
  for (const BlobMetadata& blob : file.blobs) json["blob-metadata"].push_back(BlobToJson(blob));
  return json;
}

Result<PartitionStatisticsFile> PartitionStatisticsFileFromJson(const JsonObject& object) {
  PartitionStatisticsFile file;
  CALVE_ASSIGN_OR_RETURN(file.snapshot_id, object.GetSnapshotId("snapshot-id"));
  CALVE_ASSIGN_OR_RETURN(file.path, object.Text("statistics-path"));
  CALVE_ASSIGN_OR_RETURN(file.file_size_in_bytes, object.Long("file-size-in-bytes"));
  return file;
}

Json PartitionStatisticsFileToJson(const PartitionStatisticsFile& file) {
  Json json;
  json["snapshot-id"] = file.snapshot_id.value();
  json["statistics-path"] = file.path;
  json["file-size-in-bytes"] = file.file_size_in_bytes;
  return json;
}

Result<EncryptedKey> EncryptedKeyFromJson(const JsonObject& object) {
  EncryptedKey key;
  CALVE_ASSIGN_OR_RETURN(key.key_id, object.Text("key-id"));
  CALVE_ASSIGN_OR_RETURN(key.encrypted_key_metadata, object.Text("encrypted-key-metadata"));
  CALVE_ASSIGN_OR_RETURN(key.encrypted_by_id, object.OptionalText("encrypted-by-id"));
  CALVE_ASSIGN_OR_RETURN(key.properties, object.TextMap("properties"));
  return key;
}

Json EncryptedKeyToJson(const EncryptedKey& key) {
  Json json;
  json["key-id"] = key.key_id;
  json["encrypted-key-metadata"] = key.encrypted_key_metadata;
  SetIf(json, "encrypted-by-id", key.encrypted_by_id);
  if (!key.properties.empty()) json["properties"] = TextMapToJson(key.properties);
  return json;
}

}  // namespace calve::iceberg
