#include "reader/avro_column.h"

#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <algorithm>

#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "reader/avro_leaf.h"

namespace calve::reader {
namespace {

using arrow::internal::checked_cast;
using avro::Kind;
using iceberg::Field;
using iceberg::MappedField;
using iceberg::TypeKind;

/// Maps whose keys are no strings are arrays of key-value records.
bool IsEntryArray(const avro::Node& node) {
  return node.kind == Kind::kArray && node.element->kind == Kind::kRecord &&
         node.element->fields.size() == 2;
}

bool SameShape(const avro::Node& node, TypeKind wanted) {
  if (wanted == TypeKind::kStruct || wanted == TypeKind::kVariant)
    return node.kind == Kind::kRecord;
  if (wanted == TypeKind::kList) return node.kind == Kind::kArray;
  return node.kind == Kind::kMap || IsEntryArray(node);
}

const MappedField* FindMapped(const std::vector<MappedField>& mapped, std::string_view name) {
  const auto found = std::find_if(mapped.begin(), mapped.end(), [&](const MappedField& field) {
    return std::find(field.names.begin(), field.names.end(), name) != field.names.end();
  });
  return found == mapped.end() ? nullptr : &*found;
}

/// The mapping below a name; null when the file has ids of its own.
const std::vector<MappedField>* Below(const std::vector<MappedField>* mapped,
                                      std::string_view name) {
  static const std::vector<MappedField> kNone;
  if (mapped == nullptr) return nullptr;
  const MappedField* found = FindMapped(*mapped, name);
  return found == nullptr ? &kNone : &found->fields;
}

std::optional<iceberg::FieldId> IdOf(const avro::Field& field,
                                     const std::vector<MappedField>* mapped) {
  if (mapped == nullptr) {
    const std::optional<int32_t> id = field.field_id();
    return id ? std::optional(iceberg::FieldId(*id)) : std::nullopt;
  }
  const MappedField* found = FindMapped(*mapped, field.name);
  return found == nullptr ? std::nullopt : found->field_id;
}

/// A variant's fields, as columnar::ToArrowType has them. Files give them no ids (Iceberg spec,
/// Avro data type mappings): they are found by name.
const std::vector<Field>& VariantFields() {
  static const std::vector<Field> kFields = {{.id = iceberg::FieldId(1),
                                              .name = "metadata",
                                              .type = iceberg::Type::Binary(),
                                              .required = true},
                                             {.id = iceberg::FieldId(2),
                                              .name = "value",
                                              .type = iceberg::Type::Binary(),
                                              .required = true}};
  return kFields;
}
const std::vector<MappedField>& VariantFieldNames() {
  static const std::vector<MappedField> kNames = {
      {.field_id = iceberg::FieldId(1), .names = {"metadata"}, .fields = {}},
      {.field_id = iceberg::FieldId(2), .names = {"value"}, .fields = {}}};
  return kNames;
}

Result<iceberg::Value> ValueOfAbsent(const Field& wanted, const Constants& constants,
                                     const std::string& path) {
  if (const auto at = constants.find(wanted.id); at != constants.end()) return at->second;
  if (wanted.initial_default) return *wanted.initial_default;
  if (!wanted.required) return iceberg::Value::Null();
  return DataError(
      fmt::format("column {} is required, but the file has no field with id {} and the column no "
                  "initial default",
                  path, wanted.id.value()));
}

}  // namespace

Result<AvroColumn> AvroColumn::Bind(const avro::Node& node, const iceberg::Type& type,
                                    const std::vector<MappedField>* mapped,
                                    const std::string& path) {
  AvroColumn column;
  column.node_ = &node;
  column.type_ = type;
  column.path_ = path;
  if (const avro::Node* value = node.OptionalOf(); value != nullptr) {
    column.node_ = value;
    column.null_branch_ = node.branches[0]->kind == Kind::kNull ? 0 : 1;
  }
  const avro::Node& value = *column.node_;
  const bool is_variant = type.kind() == TypeKind::kVariant;
  if (!type.is_nested() && !is_variant) {
    CALVE_RETURN_IF_ERROR(CheckAvroLeaf(value, type, path));
    return column;
  }
  if (!SameShape(value, type.kind())) {
    return DataError(fmt::format("column {}: the table has {}, but the file holds an Avro {}", path,
                                 type.ToString(), avro::ToString(value.kind)));
  }
  if (type.kind() == TypeKind::kStruct || is_variant) {
    CALVE_ASSIGN_OR_RETURN(
        AvroRow row, is_variant
                         ? AvroRow::Bind(value, VariantFields(), &VariantFieldNames(), {}, path)
                         : AvroRow::Bind(value, type.fields(), mapped, {}, path));
    column.row_ = std::make_shared<const AvroRow>(std::move(row));
    return column;
  }
  const auto bind = [&](const avro::Node& item, size_t child, std::string_view name) -> Status {
    CALVE_ASSIGN_OR_RETURN(
        column.items_.emplace_back(),
        Bind(item, type.fields()[child].type, Below(mapped, name), path + "." + std::string(name)));
    return Status::Ok();
  };
  if (type.kind() == TypeKind::kList) {
    CALVE_RETURN_IF_ERROR(bind(*value.element, 0, "element"));
  } else if (value.kind == Kind::kMap) {
    if (type.fields()[0].type.kind() != TypeKind::kString) {
      return DataError(fmt::format("column {}: the table has {}, but the file a map of strings",
                                   path, type.ToString()));
    }
    CALVE_RETURN_IF_ERROR(bind(*value.element, 1, "value"));
  } else {
    CALVE_RETURN_IF_ERROR(bind(*value.element->fields[0].type, 0, "key"));
    CALVE_RETURN_IF_ERROR(bind(*value.element->fields[1].type, 1, "value"));
  }
  return column;
}

Status AvroColumn::Append(avro::Decoder& decoder, arrow::ArrayBuilder& builder) const {
  if (null_branch_ >= 0 && decoder.ReadIndex(2) == static_cast<size_t>(null_branch_))
    return StatusOf(builder.AppendNull());
  return AppendValue(decoder, builder);
}

Status AvroColumn::AppendValue(avro::Decoder& decoder, arrow::ArrayBuilder& builder) const {
  switch (type_.kind()) {
    case TypeKind::kStruct:
    case TypeKind::kVariant:
      return row_->Append(decoder, checked_cast<arrow::StructBuilder&>(builder));
    case TypeKind::kList:
      return AppendItems(decoder, builder);
    case TypeKind::kMap:
      return AppendEntries(decoder, builder);
    default:
      return AppendAvroLeaf(*node_, type_, path_, decoder, builder);
  }
}

Status AvroColumn::AppendItems(avro::Decoder& decoder, arrow::ArrayBuilder& builder) const {
  auto& lists = checked_cast<arrow::ListBuilder&>(builder);
  CALVE_RETURN_IF_ERROR(lists.Append());
  Status status;
  decoder.ForEachItem(node_->element->bytes_min, [&] {
    status = items_[0].Append(decoder, *lists.value_builder());
    if (!status.ok()) decoder.Fail("a list could not be read");
  });
  return status;
}

Status AvroColumn::AppendEntries(avro::Decoder& decoder, arrow::ArrayBuilder& builder) const {
  auto& maps = checked_cast<arrow::MapBuilder&>(builder);
  CALVE_RETURN_IF_ERROR(maps.Append());
  const bool has_string_keys = node_->kind == Kind::kMap;
  const int64_t bytes_min = node_->element->bytes_min + (has_string_keys ? 1 : 0);
  const auto append_key = [&]() -> Status {
    if (!has_string_keys) return items_[0].Append(decoder, *maps.key_builder());
    return StatusOf(
        checked_cast<arrow::StringBuilder&>(*maps.key_builder()).Append(decoder.ReadString()));
  };
  Status status;
  decoder.ForEachItem(bytes_min, [&] {
    status = append_key();
    if (status.ok()) status = items_.back().Append(decoder, *maps.item_builder());
    if (!status.ok()) decoder.Fail("a map could not be read");
  });
  return status;
}

Result<AvroRow> AvroRow::Bind(const avro::Node& record, const std::vector<Field>& wanted,
                              const iceberg::NameMapping& mapping, const Constants& constants) {
  if (record.kind != Kind::kRecord) return DataError("expected a file of Avro records");
  const bool has_ids = std::any_of(record.fields.begin(), record.fields.end(),
                                   [](const avro::Field& f) { return f.field_id().has_value(); });
  return Bind(record, wanted, has_ids ? nullptr : &mapping.fields(), constants, "");
}

Result<AvroRow> AvroRow::Bind(const avro::Node& record, const std::vector<Field>& wanted,
                              const std::vector<MappedField>* mapped, const Constants& constants,
                              const std::string& path) {
  AvroRow row;
  const auto path_of = [&](const std::string& name) {
    return path.empty() ? name : path + "." + name;
  };
  std::vector<bool> found(wanted.size());
  for (const avro::Field& field : record.fields) {
    Step step{.node = field.type, .reader = {}};
    const std::optional<iceberg::FieldId> id = IdOf(field, mapped);
    const auto at = std::find_if(wanted.begin(), wanted.end(), [&](const Field& f) {
      return id == f.id && f.type.kind() != TypeKind::kUnknown;
    });
    if (at != wanted.end()) {
      step.column = static_cast<int>(at - wanted.begin());
      found[static_cast<size_t>(step.column)] = true;
      CALVE_ASSIGN_OR_RETURN(
          step.reader,
          AvroColumn::Bind(*field.type, at->type, Below(mapped, field.name), path_of(at->name)));
    }
    row.steps_.push_back(std::move(step));
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (found[i]) continue;
    CALVE_ASSIGN_OR_RETURN(iceberg::Value value,
                           ValueOfAbsent(wanted[i], constants, path_of(wanted[i].name)));
    row.constants_.push_back(
        {.column = static_cast<int>(i), .type = wanted[i].type, .value = std::move(value)});
  }
  return row;
}

Status AvroRow::Append(avro::Decoder& decoder, arrow::StructBuilder& builder) const {
  CALVE_RETURN_IF_ERROR(builder.Append());
  for (const Step& step : steps_) {
    if (step.column < 0) {
      avro::Skip(*step.node, decoder);
    } else {
      CALVE_RETURN_IF_ERROR(step.reader.Append(decoder, *builder.field_builder(step.column)));
    }
  }
  for (const Constant& constant : constants_) {
    CALVE_RETURN_IF_ERROR(columnar::AppendValue(*builder.field_builder(constant.column),
                                                constant.type, constant.value));
  }
  return Status::Ok();
}

}  // namespace calve::reader
