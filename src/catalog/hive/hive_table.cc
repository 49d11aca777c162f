#include "catalog/hive/hive_table.h"

#include "base/text.h"
#include "iceberg/snapshot.h"

namespace calve::catalog {
namespace {

namespace hms = hive_metastore;

constexpr const char* kLocation = "metadata_location";
constexpr const char* kPrevious = "previous_metadata_location";
constexpr size_t kValueBytesMax = 4000;  // what every metastore's database takes

/// Hive knows this property by another name.
std::string HiveKey(const std::string& key) {
  return key == "gc.enabled" ? "external.table.purge" : key;
}

void SetStorage(hms::Table& table, const iceberg::TableMetadata& metadata) {
  hms::StorageDescriptor& sd = table.sd;
  sd.cols.clear();
  for (const iceberg::Field& field : metadata.schema()->fields()) {
    hms::FieldSchema column;
    column.name = field.name;
    column.type = HiveTypeOf(field.type);
    column.comment = field.doc.value_or("");
    sd.cols.push_back(std::move(column));
  }
  sd.location = metadata.location;
  const bool for_hive = ToLower(metadata.Property("engine.hive.enabled", "false")) == "true";
  const std::string handler = "org.apache.iceberg.mr.hive.HiveIceberg";
  sd.inputFormat = for_hive ? handler + "InputFormat" : "org.apache.hadoop.mapred.FileInputFormat";
  sd.outputFormat =
      for_hive ? handler + "OutputFormat" : "org.apache.hadoop.mapred.FileOutputFormat";
  sd.serdeInfo.serializationLib =
      for_hive ? handler + "SerDe" : "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
  if (for_hive) {
    table.parameters["storage_handler"] = handler + "StorageHandler";
  } else {
    table.parameters.erase("storage_handler");
  }
}

void SetParameters(hms::Table& table, const iceberg::TableMetadata& metadata,
                   const std::string& location) {
  auto& parameters = table.parameters;
  for (const auto& [key, value] : metadata.properties) {
    if (value.size() <= kValueBytesMax) parameters[HiveKey(key)] = value;
  }
  parameters["EXTERNAL"] = "TRUE";
  parameters["table_type"] = "ICEBERG";
  parameters["uuid"] = metadata.table_uuid;
  parameters[kLocation] = location;
  // Hive would count the files in the folder, whichever snapshot they are of.
  parameters.erase("COLUMN_STATS_ACCURATE");
  const iceberg::Snapshot* now = metadata.current_snapshot();
  if (now == nullptr) return;
  const auto show = [&](const char* shown, const char* key) {
    const auto total = now->summary.find(key);
    if (total != now->summary.end()) parameters[shown] = total->second;
  };
  show("numFiles", "total-data-files");
  show("numRows", "total-records");
  show("totalSize", "total-files-size");
}

}  // namespace

std::string HiveTypeOf(const iceberg::Type& type) {
  using iceberg::TypeKind;
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kInt:
      return "int";
    case TypeKind::kLong:
      return "bigint";
    case TypeKind::kFloat:
      return "float";
    case TypeKind::kDouble:
      return "double";
    case TypeKind::kDecimal:
      return "decimal(" + std::to_string(type.precision()) + "," + std::to_string(type.scale()) +
             ")";
    case TypeKind::kDate:
      return "date";
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNs:
      return "timestamp";
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampTzNs:
      return "timestamp with local time zone";
    case TypeKind::kTime:
    case TypeKind::kString:
    case TypeKind::kUuid:
    case TypeKind::kUnknown:
      return "string";
    case TypeKind::kFixed:
    case TypeKind::kBinary:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
      return "binary";
    case TypeKind::kStruct: {
      std::string fields;
      for (const iceberg::Field& field : type.fields())
        fields += (fields.empty() ? "" : ",") + field.name + ":" + HiveTypeOf(field.type);
      return "struct<" + fields + ">";
    }
    case TypeKind::kList:
      return "array<" + HiveTypeOf(type.fields()[0].type) + ">";
    case TypeKind::kMap:
      return "map<" + HiveTypeOf(type.fields()[0].type) + "," + HiveTypeOf(type.fields()[1].type) +
             ">";
  }
  return "string";
}

std::string ParameterOf(const hms::Table& table, const std::string& key) {
  const auto found = table.parameters.find(key);
  return found == table.parameters.end() ? "" : found->second;
}

bool IsIcebergTable(const hms::Table& table) {
  return ToLower(ParameterOf(table, "table_type")) == "iceberg" &&
         table.tableType != "VIRTUAL_VIEW";
}

hms::Table NewHiveTable(const TableName& name, const iceberg::TableMetadata& metadata,
                        const std::string& location, int64_t now_ms) {
  hms::Table table;
  table.dbName = name.ns.front();
  table.tableName = name.name;
  table.owner = metadata.Property("hive.metastore.table.owner", "calve");
  table.createTime = static_cast<int32_t>(now_ms / 1000);
  table.lastAccessTime = table.createTime;
  table.retention = 2147483647;
  table.tableType = "EXTERNAL_TABLE";
  SetStorage(table, metadata);
  SetParameters(table, metadata, location);
  return table;
}

void PointHiveTable(hms::Table& table, const iceberg::TableMetadata& base,
                    const iceberg::TableMetadata& metadata, const std::string& location) {
  for (const auto& [key, value] : base.properties) {
    if (!metadata.properties.contains(key)) table.parameters.erase(HiveKey(key));
  }
  table.parameters[kPrevious] = ParameterOf(table, kLocation);
  SetStorage(table, metadata);
  SetParameters(table, metadata, location);
}

}  // namespace calve::catalog
