#include "reader/file_fields.h"

#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <charconv>

#include "columnar/convert.h"

namespace calve::reader {
namespace {

using iceberg::FieldId;
using iceberg::MappedField;

std::optional<FieldId> IdOf(const arrow::Field& field, const std::string& key) {
  if (field.metadata() == nullptr) return std::nullopt;
  const auto text = field.metadata()->Get(key);
  if (!text.ok()) return std::nullopt;
  int32_t id = 0;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), id);
  if (fault != std::errc() || end != text->data() + text->size() || id < 0) return std::nullopt;
  return FieldId(id);
}

FileField Make(const arrow::Field& field, const std::string& id_key) {
  return {.name = field.name(), .type = field.type(), .id = IdOf(field, id_key), .children = {}};
}

FileField FromParquet(const parquet::arrow::SchemaField& from) {
  FileField field = Make(*from.field, std::string(columnar::kFieldIdKey));
  field.leaf = from.column_index;
  // A map's entries are a level of their own in Parquet.
  const bool is_map = field.type->id() == arrow::Type::MAP && from.children.size() == 1;
  for (const auto& child : is_map ? from.children[0].children : from.children)
    field.children.push_back(FromParquet(child));
  return field;
}

FileField FromArrow(const arrow::Field& from, const std::string& id_key) {
  FileField field = Make(from, id_key);
  const bool is_map = field.type->id() == arrow::Type::MAP;
  const arrow::DataType& parent = is_map ? *field.type->field(0)->type() : *field.type;
  for (const auto& child : parent.fields()) field.children.push_back(FromArrow(*child, id_key));
  return field;
}

bool HasIds(const std::vector<FileField>& fields) {
  return std::any_of(fields.begin(), fields.end(),
                     [](const FileField& f) { return f.id || HasIds(f.children); });
}

void Assign(std::vector<FileField>& fields, const std::vector<MappedField>& mapped) {
  for (FileField& field : fields) {
    const auto found = std::find_if(mapped.begin(), mapped.end(), [&](const MappedField& m) {
      return std::find(m.names.begin(), m.names.end(), field.name) != m.names.end();
    });
    if (found == mapped.end()) continue;
    field.id = found->field_id;
    Assign(field.children, found->fields);
  }
}

/// Files name what is in lists and maps as their writers like; mappings have one name for each.
void NameNested(std::vector<FileField>& fields) {
  for (FileField& field : fields) {
    if (field.type->id() == arrow::Type::MAP && field.children.size() == 2) {
      field.children[0].name = "key";
      field.children[1].name = "value";
    } else if (field.type->id() != arrow::Type::STRUCT && field.children.size() == 1) {
      field.children[0].name = "element";
    }
    NameNested(field.children);
  }
}

}  // namespace

std::vector<FileField> FieldsOf(const parquet::arrow::SchemaManifest& manifest) {
  std::vector<FileField> fields;
  for (const auto& field : manifest.schema_fields) fields.push_back(FromParquet(field));
  return fields;
}

std::vector<FileField> FieldsOf(const arrow::Schema& schema, const std::string& id_key) {
  std::vector<FileField> fields;
  for (const auto& field : schema.fields()) fields.push_back(FromArrow(*field, id_key));
  return fields;
}

void ForgetIds(std::vector<FileField>& fields) {
  for (FileField& field : fields) {
    field.id.reset();
    ForgetIds(field.children);
  }
}

void ApplyNameMapping(std::vector<FileField>& fields, const iceberg::NameMapping& mapping) {
  if (HasIds(fields)) return;
  NameNested(fields);
  Assign(fields, mapping.fields());
}

}  // namespace calve::reader
