#include "iceberg/manifest_schema.h"

#include <fmt/format.h>

#include <map>

#include "iceberg/decimal.h"

namespace calve::iceberg {
namespace {

using avro::Kind;
using avro::Node;
using avro::SchemaBuilder;

/// Adds fields with Iceberg's ids to a record.
class RecordOf {
 public:
  RecordOf(SchemaBuilder& builder, std::string_view name)
      : builder_(builder), record_(builder.Record(name)) {}

  RecordOf& Required(int32_t id, std::string_view name, const Node* type) {
    SchemaBuilder::AddField(record_, name, type).attributes.SetInt("field-id", id);
    return *this;
  }
  RecordOf& Optional(int32_t id, std::string_view name, const Node* type) {
    avro::Field& field = SchemaBuilder::AddField(record_, name, builder_.Optional(type));
    field.default_json = "null";
    field.attributes.SetInt("field-id", id);
    return *this;
  }
  Node* record() const { return record_; }

 private:
  SchemaBuilder& builder_;
  Node* record_;
};

const Node* MapOf(SchemaBuilder& builder, int32_t key_id, int32_t value_id, const Node* value) {
  RecordOf entry(builder, fmt::format("k{}_v{}", key_id, value_id));
  entry.Required(key_id, "key", builder.Int()).Required(value_id, "value", value);
  Node* array = builder.Array(entry.record());
  array->logical_type = "map";
  return array;
}

const Node* ListOf(SchemaBuilder& builder, int32_t element_id, const Node* element) {
  Node* array = builder.Array(element);
  array->attributes.SetInt("element-id", element_id);
  return array;
}

/// Makes the Avro types of partition values; a named type that occurs twice is one node.
class PartitionNodes {
 public:
  explicit PartitionNodes(SchemaBuilder& builder) : builder_(builder) {}

  const Node* Of(const Type& type) {
    switch (type.kind()) {
      case TypeKind::kBoolean:
        return builder_.Boolean();
      case TypeKind::kInt:
        return builder_.Int();
      case TypeKind::kLong:
        return builder_.Long();
      case TypeKind::kFloat:
        return builder_.Float();
      case TypeKind::kDouble:
        return builder_.Double();
      case TypeKind::kDate:
        return builder_.Logical(Kind::kInt, "date");
      case TypeKind::kTime:
        return builder_.Logical(Kind::kLong, "time-micros");
      case TypeKind::kTimestamp:
        return Moment("timestamp-micros", false);
      case TypeKind::kTimestampTz:
        return Moment("timestamp-micros", true);
      case TypeKind::kTimestampNs:
        return Moment("timestamp-nanos", false);
      case TypeKind::kTimestampTzNs:
        return Moment("timestamp-nanos", true);
      case TypeKind::kString:
        return builder_.String();
      case TypeKind::kUuid:
        return Fixed("uuid_fixed", 16, [](Node* node) { node->logical_type = "uuid"; });
      case TypeKind::kFixed:
        return Fixed(fmt::format("fixed_{}", type.length()), static_cast<int32_t>(type.length()),
                     [](Node*) {});
      case TypeKind::kDecimal: {
        const auto width = static_cast<int32_t>(DecimalWidth(type.precision()));
        return Fixed(fmt::format("decimal_{}_{}", type.precision(), type.scale()), width,
                     [&](Node* node) {
                       SchemaBuilder::SetDecimal(
                           node, {.precision = type.precision(), .scale = type.scale()});
                     });
      }
      case TypeKind::kBinary:
        return builder_.Bytes();
      case TypeKind::kUnknown:
      case TypeKind::kVariant:
      case TypeKind::kGeometry:
      case TypeKind::kGeography:
      case TypeKind::kStruct:
      case TypeKind::kList:
      case TypeKind::kMap:
        break;
    }
    return nullptr;
  }

 private:
  const Node* Moment(std::string_view logical_type, bool utc) {
    Node* node = builder_.Logical(Kind::kLong, logical_type);
    node->attributes.SetBool("adjust-to-utc", utc);
    return node;
  }
  const Node* Fixed(const std::string& name, int32_t width, const auto& finish) {
    Node*& node = named_[name];
    if (node == nullptr) {
      node = builder_.Fixed(name, width);
      finish(node);
    }
    return node;
  }

  SchemaBuilder& builder_;
  std::map<std::string, Node*> named_;
};

const Node* PartitionRecord(SchemaBuilder& builder, const Type& partition_type) {
  RecordOf record(builder, "r102");
  PartitionNodes nodes(builder);
  std::map<std::string, int> taken;
  for (const Field& field : partition_type.fields()) {
    std::string name = AvroName(field.name);
    if (taken[name]++ > 0) name += fmt::format("_{}", field.id.value());
    const Node* type = nodes.Of(field.type);
    if (type == nullptr) {
      record.Required(field.id.value(), name, builder.Null());
    } else {
      record.Optional(field.id.value(), name, type);
    }
    if (name != field.name) {
      record.record()->fields.back().attributes.SetString("iceberg-field-name", field.name);
    }
  }
  return record.record();
}

const Node* DataFileRecord(SchemaBuilder& b, int format_version, const Type& partition_type) {
  RecordOf file(b, "r2");
  file.Required(134, "content", b.Int())
      .Required(100, "file_path", b.String())
      .Required(101, "file_format", b.String())
      .Required(102, "partition", PartitionRecord(b, partition_type))
      .Required(103, "record_count", b.Long())
      .Required(104, "file_size_in_bytes", b.Long())
      .Optional(108, "column_sizes", MapOf(b, 117, 118, b.Long()))
      .Optional(109, "value_counts", MapOf(b, 119, 120, b.Long()))
      .Optional(110, "null_value_counts", MapOf(b, 121, 122, b.Long()))
      .Optional(137, "nan_value_counts", MapOf(b, 138, 139, b.Long()))
      .Optional(125, "lower_bounds", MapOf(b, 126, 127, b.Bytes()))
      .Optional(128, "upper_bounds", MapOf(b, 129, 130, b.Bytes()))
      .Optional(131, "key_metadata", b.Bytes())
      .Optional(132, "split_offsets", ListOf(b, 133, b.Long()))
      .Optional(135, "equality_ids", ListOf(b, 136, b.Int()))
      .Optional(140, "sort_order_id", b.Int());
  if (format_version >= 3) file.Optional(142, "first_row_id", b.Long());
  file.Optional(143, "referenced_data_file", b.String());
  if (format_version >= 3) {
    file.Optional(144, "content_offset", b.Long()).Optional(145, "content_size_in_bytes", b.Long());
  }
  return file.record();
}

}  // namespace

Result<avro::Schema> ManifestEntrySchema(int format_version, const Type& partition_type) {
  SchemaBuilder b;
  RecordOf entry(b, "manifest_entry");
  entry.Required(0, "status", b.Int())
      .Optional(1, "snapshot_id", b.Long())
      .Optional(3, "sequence_number", b.Long())
      .Optional(4, "file_sequence_number", b.Long())
      .Required(2, "data_file", DataFileRecord(b, format_version, partition_type));
  return std::move(b).Finish(entry.record());
}

Result<avro::Schema> ManifestListSchema(int format_version) {
  SchemaBuilder b;
  RecordOf summary(b, "r508");
  summary.Required(509, "contains_null", b.Boolean())
      .Optional(518, "contains_nan", b.Boolean())
      .Optional(510, "lower_bound", b.Bytes())
      .Optional(511, "upper_bound", b.Bytes());
  RecordOf line(b, "manifest_file");
  line.Required(500, "manifest_path", b.String())
      .Required(501, "manifest_length", b.Long())
      .Required(502, "partition_spec_id", b.Int())
      .Required(517, "content", b.Int())
      .Required(515, "sequence_number", b.Long())
      .Required(516, "min_sequence_number", b.Long())
      .Required(503, "added_snapshot_id", b.Long())
      .Required(504, "added_files_count", b.Int())
      .Required(505, "existing_files_count", b.Int())
      .Required(506, "deleted_files_count", b.Int())
      .Required(512, "added_rows_count", b.Long())
      .Required(513, "existing_rows_count", b.Long())
      .Required(514, "deleted_rows_count", b.Long())
      .Optional(507, "partitions", ListOf(b, 508, summary.record()))
      .Optional(519, "key_metadata", b.Bytes());
  if (format_version >= 3) line.Optional(520, "first_row_id", b.Long());
  return std::move(b).Finish(line.record());
}

Type PartitionTypeOf(const TableMetadata& metadata, const PartitionSpec& spec) {
  std::vector<Field> fields;
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const PartitionField& field = spec.fields[i];
    const Schema* holder =
        metadata.schema()->FindById(field.source_id) != nullptr ? metadata.schema().get() : nullptr;
    for (auto it = metadata.schemas.rbegin(); holder == nullptr && it != metadata.schemas.rend();
         ++it) {
      if ((*it)->FindById(field.source_id) != nullptr) holder = it->get();
    }
    Type type;
    if (holder != nullptr && field.transform.kind() != Transform::Kind::kUnknown) {
      type = spec.PartitionType(*holder).fields()[i].type;
    }
    fields.push_back({.id = field.field_id, .name = field.name, .type = std::move(type)});
  }
  return Type::Struct(std::move(fields));
}

namespace {

Type TypeOfInt(const Node& node) {
  return node.logical_type == "date" ? Type::Date() : Type::Int();
}

Type TypeOfLong(const Node& node) {
  const bool utc = node.attributes.GetBool("adjust-to-utc").value_or(false);
  if (node.logical_type == "time-micros") return Type::Time();
  if (node.logical_type == "timestamp-micros") return utc ? Type::TimestampTz() : Type::Timestamp();
  if (node.logical_type == "timestamp-nanos") {
    return Type::Of(utc ? TypeKind::kTimestampTzNs : TypeKind::kTimestampNs);
  }
  return Type::Long();
}

}  // namespace

Type TypeOfAvro(const avro::Node& node) {
  if (node.OptionalOf() != nullptr) return TypeOfAvro(*node.OptionalOf());
  switch (node.kind) {
    case Kind::kBoolean:
      return Type::Boolean();
    case Kind::kInt:
      return TypeOfInt(node);
    case Kind::kLong:
      return TypeOfLong(node);
    case Kind::kFloat:
      return Type::Float();
    case Kind::kDouble:
      return Type::Double();
    case Kind::kString:
      return Type::String();
    case Kind::kBytes:
    case Kind::kFixed:
      if (node.decimal) return Type::Decimal(node.decimal->precision, node.decimal->scale);
      if (node.kind == Kind::kBytes) return Type::Binary();
      return node.logical_type == "uuid" ? Type::UuidType() : Type::Fixed(node.size_bytes);
    case Kind::kNull:
    case Kind::kRecord:
    case Kind::kEnum:
    case Kind::kArray:
    case Kind::kMap:
    case Kind::kUnion:
      break;
  }
  return {};
}

std::string AvroName(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (letter || (digit && !out.empty())) {
      out += c;
    } else if (digit) {
      out += '_';
      out += c;
    } else {
      out += fmt::format("_x{:X}", static_cast<unsigned char>(c));
    }
  }
  return out.empty() ? "_" : out;
}

}  // namespace calve::iceberg
