#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "iceberg/json.h"
#include "iceberg/metadata.h"
#include "iceberg/metadata_rules.h"
#include "iceberg/partition_json.h"
#include "iceberg/schema_json.h"
#include "iceberg/snapshot_json.h"

namespace calve::iceberg {
namespace {

constexpr FieldId kNoPartitionFields{999};

/// Fail when a key that a version demands is missing.
Status RequireFrom(int version, const JsonObject& object, std::string_view key,
                   int format_version) {
  if (format_version < version || object.Find(key) != nullptr) return Status::Ok();
  return DataError(fmt::format("{}: expected a value, found none; format version {} needs it",
                               object.PlaceOf(key), format_version));
}

Result<int> ReadFormatVersion(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const int version, object.Int("format-version"));
  if (version < 1) {
    return DataError(
        fmt::format("format-version: expected 1 to {}, found {}", kFormatVersionMax, version));
  }
  if (version > kFormatVersionMax) {
    return RefusedError(
        fmt::format("format-version: this version reads tables of format 1 to {}, found {}; "
                    "use a newer version",
                    kFormatVersionMax, version));
  }
  return version;
}

/// Take v1's single `schema` as the current one.
Status ReadSingleSchema(const JsonObject& object, TableMetadata& metadata) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require("schema"));
  CALVE_ASSIGN_OR_RETURN(const JsonObject single, JsonObject::Of(*json, object.PlaceOf("schema")));
  CALVE_ASSIGN_OR_RETURN(SchemaPtr schema, SchemaFromJson(single));
  metadata.current_schema_id = schema->id();
  std::erase_if(metadata.schemas,
                [&](const SchemaPtr& other) { return other->id() == schema->id(); });
  metadata.schemas.push_back(std::move(schema));
  return Status::Ok();
}

Status ReadSchemas(const JsonObject& object, TableMetadata& metadata) {
  CALVE_RETURN_IF_ERROR(RequireFrom(2, object, "schemas", metadata.format_version));
  CALVE_RETURN_IF_ERROR(RequireFrom(2, object, "current-schema-id", metadata.format_version));
  CALVE_ASSIGN_OR_RETURN(metadata.schemas, object.Objects<SchemaPtr>("schemas", SchemaFromJson));
  CALVE_ASSIGN_OR_RETURN(const auto current, object.OptionalInt("current-schema-id"));
  const bool single = !current || metadata.schemas.empty();
  if (single && metadata.format_version == 1) return ReadSingleSchema(object, metadata);
  metadata.current_schema_id = SchemaId(*current);
  return Status::Ok();
}

FieldId HighestPartitionFieldId(const std::vector<PartitionSpec>& specs) {
  FieldId highest = kNoPartitionFields;
  for (const PartitionSpec& spec : specs) {
    for (const PartitionField& field : spec.fields) highest = std::max(highest, field.field_id);
  }
  return highest;
}

/// Find the default spec of v1 metadata that doesn't say: the newest of the specs with the fields
/// of the single `partition-spec`, else these fields as a spec of their own; without them the
/// newest spec.
Status ReadSingleSpec(const JsonObject& object, TableMetadata& metadata) {
  if (object.Find("partition-spec") == nullptr && !metadata.specs.empty()) {
    for (const PartitionSpec& spec : metadata.specs) {
      metadata.default_spec_id = std::max(metadata.default_spec_id, spec.id);
    }
    return Status::Ok();
  }
  PartitionSpec spec;
  CALVE_ASSIGN_OR_RETURN(spec.fields, PartitionFieldsFromJson(object, "partition-spec"));
  CountMissingFieldIds(spec.fields);
  for (const PartitionSpec& other : metadata.specs) {
    if (other.fields == spec.fields) metadata.default_spec_id = other.id;
    spec.id = std::max(spec.id, SpecId(other.id.value() + 1));
  }
  const PartitionSpec* same = metadata.FindSpec(metadata.default_spec_id);
  if (same != nullptr && same->fields == spec.fields) return Status::Ok();
  metadata.default_spec_id = spec.id;
  metadata.specs.push_back(std::move(spec));
  return Status::Ok();
}

Status ReadSpecs(const JsonObject& object, TableMetadata& metadata) {
  for (const std::string_view key : {"partition-specs", "default-spec-id", "last-partition-id"}) {
    CALVE_RETURN_IF_ERROR(RequireFrom(2, object, key, metadata.format_version));
  }
  CALVE_ASSIGN_OR_RETURN(metadata.specs,
                         object.Objects<PartitionSpec>("partition-specs", PartitionSpecFromJson));
  for (PartitionSpec& spec : metadata.specs) CountMissingFieldIds(spec.fields);
  CALVE_ASSIGN_OR_RETURN(const auto id, object.OptionalInt("default-spec-id"));
  const bool single = !id || metadata.specs.empty();
  if (single && metadata.format_version == 1) {
    CALVE_RETURN_IF_ERROR(ReadSingleSpec(object, metadata));
  } else {
    metadata.default_spec_id = SpecId(*id);
  }
  CALVE_ASSIGN_OR_RETURN(const auto last, object.OptionalInt("last-partition-id"));
  metadata.last_partition_id = last ? FieldId(*last) : HighestPartitionFieldId(metadata.specs);
  return Status::Ok();
}

Status ReadSortOrders(const JsonObject& object, TableMetadata& metadata) {
  CALVE_RETURN_IF_ERROR(RequireFrom(2, object, "sort-orders", metadata.format_version));
  if (object.Find("sort-orders") == nullptr) {
    metadata.sort_orders.push_back(SortOrder{});
    return Status::Ok();
  }
  CALVE_ASSIGN_OR_RETURN(metadata.sort_orders,
                         object.Objects<SortOrder>("sort-orders", SortOrderFromJson));
  CALVE_ASSIGN_OR_RETURN(const int32_t id, object.Int("default-sort-order-id"));
  metadata.default_sort_order_id = SortOrderId(id);
  return Status::Ok();
}

Status ReadRefs(const JsonObject& object, TableMetadata& metadata) {
  // There is always a main branch where there is a current snapshot, written or not.
  if (metadata.current_snapshot_id) {
    metadata.refs[std::string(kMainBranch)].snapshot_id = *metadata.current_snapshot_id;
  }
  const Json* json = object.Find("refs");
  if (json == nullptr) return Status::Ok();
  if (!json->is_object()) return Unexpected(object.PlaceOf("refs"), "an object", *json);
  for (const auto& [name, value] : json->items()) {
    CALVE_ASSIGN_OR_RETURN(const JsonObject ref_object,
                           JsonObject::Of(value, object.PlaceOf("refs") + "." + name));
    CALVE_ASSIGN_OR_RETURN(metadata.refs[name], SnapshotRefFromJson(ref_object));
  }
  return Status::Ok();
}

Result<SnapshotLogEntry> ReadSnapshotLogEntry(const JsonObject& object) {
  SnapshotLogEntry entry;
  CALVE_ASSIGN_OR_RETURN(entry.timestamp_ms, object.Long("timestamp-ms"));
  CALVE_ASSIGN_OR_RETURN(entry.snapshot_id, object.GetSnapshotId("snapshot-id"));
  return entry;
}

Result<MetadataLogEntry> ReadMetadataLogEntry(const JsonObject& object) {
  MetadataLogEntry entry;
  CALVE_ASSIGN_OR_RETURN(entry.timestamp_ms, object.Long("timestamp-ms"));
  CALVE_ASSIGN_OR_RETURN(entry.metadata_file, object.Text("metadata-file"));
  return entry;
}

Status ReadSnapshots(const JsonObject& object, TableMetadata& metadata) {
  CALVE_ASSIGN_OR_RETURN(const auto current, object.OptionalSnapshotId("current-snapshot-id"));
  if (current != SnapshotId(-1)) metadata.current_snapshot_id = current;
  CALVE_ASSIGN_OR_RETURN(std::vector<Snapshot> snapshots,
                         object.Objects<Snapshot>("snapshots", SnapshotFromJson));
  for (Snapshot& snapshot : snapshots) metadata.snapshots.push_back(std::move(snapshot));
  CALVE_RETURN_IF_ERROR(ReadRefs(object, metadata));
  CALVE_ASSIGN_OR_RETURN(metadata.snapshot_log,
                         object.Objects<SnapshotLogEntry>("snapshot-log", ReadSnapshotLogEntry));
  CALVE_ASSIGN_OR_RETURN(metadata.metadata_log,
                         object.Objects<MetadataLogEntry>("metadata-log", ReadMetadataLogEntry));
  CALVE_ASSIGN_OR_RETURN(metadata.statistics,
                         object.Objects<StatisticsFile>("statistics", StatisticsFileFromJson));
  CALVE_ASSIGN_OR_RETURN(metadata.partition_statistics,
                         object.Objects<PartitionStatisticsFile>("partition-statistics",
                                                                 PartitionStatisticsFileFromJson));
  return Status::Ok();
}

Status ReadIdentity(const JsonObject& object, TableMetadata& metadata) {
  CALVE_ASSIGN_OR_RETURN(metadata.format_version, ReadFormatVersion(object));
  CALVE_RETURN_IF_ERROR(RequireFrom(2, object, "table-uuid", metadata.format_version));
  CALVE_ASSIGN_OR_RETURN(const auto uuid, object.OptionalText("table-uuid"));
  metadata.table_uuid = uuid.value_or("");
  if (metadata.format_version >= 2 && metadata.table_uuid.empty()) {
    return DataError("table-uuid: expected a UUID, found \"\"");
  }
  CALVE_ASSIGN_OR_RETURN(metadata.location, object.Text("location"));
  metadata.location = WithoutTrailingSlash(std::move(metadata.location));
  return Status::Ok();
}

Status ReadCounters(const JsonObject& object, TableMetadata& metadata) {
  if (metadata.format_version >= 2) {
    CALVE_ASSIGN_OR_RETURN(const int64_t last, object.Long("last-sequence-number"));
    metadata.last_sequence_number = SequenceNumber(last);
  }
  CALVE_ASSIGN_OR_RETURN(metadata.last_updated_ms, object.Long("last-updated-ms"));
  CALVE_ASSIGN_OR_RETURN(const int32_t last_column, object.Int("last-column-id"));
  metadata.last_column_id = FieldId(last_column);
  // A table that never had a snapshot has given no row id away, though its writer forgot to say so.
  const Json* snapshots = object.Find("snapshots");
  const bool had_rows = snapshots != nullptr && !snapshots->empty();
  if (metadata.format_version >= 3 && (had_rows || object.Has("next-row-id"))) {
    CALVE_ASSIGN_OR_RETURN(const int64_t next_row, object.Long("next-row-id"));
    if (next_row < 0)
      return DataError(fmt::format("next-row-id: expected 0 or more, found {}", next_row));
    metadata.next_row_id = RowId(next_row);
  }
  return Status::Ok();
}

template <typename List, typename ToJson>
Json ListToJson(const List& list, ToJson to_json) {
  Json json = Json::array();
  for (const auto& item : list) json.push_back(to_json(item));
  return json;
}

void WriteSchemas(const TableMetadata& metadata, Json& json) {
  if (metadata.format_version == 1) json["schema"] = SchemaToJson(*metadata.schema());
  json["current-schema-id"] = metadata.current_schema_id.value();
  json["schemas"] =
      ListToJson(metadata.schemas, [](const SchemaPtr& schema) { return SchemaToJson(*schema); });
}

void WriteSpecs(const TableMetadata& metadata, Json& json) {
  if (metadata.format_version == 1) json["partition-spec"] = PartitionFieldsToJson(metadata.spec());
  json["default-spec-id"] = metadata.default_spec_id.value();
  json["partition-specs"] = ListToJson(metadata.specs, PartitionSpecToJson);
  json["last-partition-id"] = metadata.last_partition_id.value();
}

Json RefsToJson(const TableMetadata& metadata) {
  Json json = Json::object();
  for (const auto& [name, ref] : metadata.refs) SnapshotRefToJson(ref, json[name]);
  return json;
}

/// The JSON text of an object, written key by key. What is long goes into it as text, since a tree
/// of it would cost many times as much.
class ObjectText {
 public:
  /// Write all keys of a tree.
  void AddAll(const Json& json) {
    if (json.empty()) return;
    const std::string text = DumpJson(json);
    Separate();
    text_.append(text, 1, text.size() - 2);
  }
  void Add(std::string_view key, const Json& json) { Key(key) += DumpJson(json); }
  /// Write a list of `count` elements, each of them appended by `append(std::string&, size_t)`.
  template <typename Append>
  void AddList(std::string_view key, size_t count, const Append& append) {
    std::string& text = Key(key);
    text += '[';
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) text += ',';
      append(text, i);
    }
    text += ']';
  }
  void Reserve(size_t bytes) { text_.reserve(bytes); }
  std::string Take() && {
    text_ += '}';
    return std::move(text_);
  }

 private:
  void Separate() {
    if (text_.size() > 1) text_ += ',';
  }
  std::string& Key(std::string_view key) {
    Separate();
    return text_.append("\"").append(key).append("\":");
  }
  std::string text_ = "{";
};

/// Append a string as JSON; what needs escapes is rare in a path.
void AppendText(std::string& out, const std::string& value) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  if (plain) {
    out.append("\"").append(value).append("\"");
  } else {
    out += DumpJson(Json(value));
  }
}

void WriteSnapshots(const TableMetadata& metadata, ObjectText& out) {
  Json json = Json::object();
  if (metadata.current_snapshot_id) {
    json["current-snapshot-id"] = metadata.current_snapshot_id->value();
  } else if (metadata.format_version < 3) {
    json["current-snapshot-id"] = -1;  // What Java's readers of v1 and v2 know as none.
  }
  if (metadata.format_version >= 3) json["next-row-id"] = metadata.next_row_id.value();
  if (!metadata.encryption_keys.empty()) {
    json["encryption-keys"] = ListToJson(metadata.encryption_keys, EncryptedKeyToJson);
  }
  json["refs"] = RefsToJson(metadata);
  out.AddAll(json);
  out.AddList("snapshots", metadata.snapshots.size(),
              [&](std::string& text, size_t i) { text += metadata.snapshots.JsonOf(i); });
}

void WriteLogs(const TableMetadata& metadata, ObjectText& out) {
  out.AddList("snapshot-log", metadata.snapshot_log.size(), [&](std::string& text, size_t i) {
    const SnapshotLogEntry& entry = metadata.snapshot_log[i];
    fmt::format_to(std::back_inserter(text), R"({{"timestamp-ms":{},"snapshot-id":{}}})",
                   entry.timestamp_ms, entry.snapshot_id.value());
  });
  out.AddList("metadata-log", metadata.metadata_log.size(), [&](std::string& text, size_t i) {
    const MetadataLogEntry& entry = metadata.metadata_log[i];
    fmt::format_to(std::back_inserter(text), R"({{"timestamp-ms":{},"metadata-file":)",
                   entry.timestamp_ms);
    AppendText(text, entry.metadata_file);
    text += '}';
  });
}

/// About as many bytes as the lists of the metadata take.
size_t ListBytes(const TableMetadata& metadata) {
  size_t bytes = 8192 + metadata.snapshot_log.size() * 70 + metadata.metadata_log.size() * 240;
  for (size_t i = 0; i < metadata.snapshots.size(); ++i)
    bytes += metadata.snapshots.JsonOf(i).size() + 1;
  return bytes;
}

}  // namespace

Result<TableMetadata> ParseTableMetadata(std::string_view json) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(json));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(document, ""));
  TableMetadata metadata;
  CALVE_RETURN_IF_ERROR(ReadIdentity(object, metadata));
  CALVE_RETURN_IF_ERROR(ReadCounters(object, metadata));
  CALVE_RETURN_IF_ERROR(ReadSchemas(object, metadata));
  CALVE_RETURN_IF_ERROR(ReadSpecs(object, metadata));
  CALVE_RETURN_IF_ERROR(ReadSortOrders(object, metadata));
  CALVE_ASSIGN_OR_RETURN(metadata.properties, object.TextMap("properties"));
  CALVE_ASSIGN_OR_RETURN(metadata.encryption_keys,
                         object.Objects<EncryptedKey>("encryption-keys", EncryptedKeyFromJson));
  CALVE_RETURN_IF_ERROR(ReadSnapshots(object, metadata));
  CALVE_RETURN_IF_ERROR(CheckMetadata(metadata));
  return metadata;
}

std::string SerializeTableMetadata(const TableMetadata& metadata) {
  Json json;
  json["format-version"] = metadata.format_version;
  if (!metadata.table_uuid.empty()) json["table-uuid"] = metadata.table_uuid;
  json["location"] = metadata.location;
  if (metadata.format_version >= 2)
    json["last-sequence-number"] = metadata.last_sequence_number.value();
  json["last-updated-ms"] = metadata.last_updated_ms;
  json["last-column-id"] = metadata.last_column_id.value();
  WriteSchemas(metadata, json);
  WriteSpecs(metadata, json);
  json["default-sort-order-id"] = metadata.default_sort_order_id.value();
  json["sort-orders"] = ListToJson(metadata.sort_orders, SortOrderToJson);
  json["properties"] = metadata.properties;
  ObjectText out;
  out.Reserve(ListBytes(metadata));
  out.AddAll(json);
  WriteSnapshots(metadata, out);
  out.Add("statistics", ListToJson(metadata.statistics, StatisticsFileToJson));
  out.Add("partition-statistics",
          ListToJson(metadata.partition_statistics, PartitionStatisticsFileToJson));
  WriteLogs(metadata, out);
  return std::move(out).Take();
}

std::string SerializeSchema(const Schema& schema) { return DumpJson(SchemaToJson(schema)); }

Result<SchemaPtr> ParseSchema(std::string_view json) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(json));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(document, ""));
  return SchemaFromJson(object);
}

std::string SerializePartitionFields(const PartitionSpec& spec) {
  return DumpJson(PartitionFieldsToJson(spec));
}

Result<PartitionSpec> ParsePartitionSpec(std::string_view json) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(json));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(document, ""));
  CALVE_ASSIGN_OR_RETURN(PartitionSpec spec, PartitionSpecFromJson(object));
  CountMissingFieldIds(spec.fields);
  return spec;
}

std::string SerializePartitionSpec(const PartitionSpec& spec) {
  return DumpJson(PartitionSpecToJson(spec));
}

Result<SortOrder> ParseSortOrder(std::string_view json) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(json));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(document, ""));
  return SortOrderFromJson(object);
}

std::string SerializeSortOrder(const SortOrder& order) { return DumpJson(SortOrderToJson(order)); }

}  // namespace calve::iceberg
