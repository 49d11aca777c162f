#include "writer/file_shape.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>
#include <arrow/extension/uuid.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "columnar/variant_array.h"

namespace calve::writer {
namespace {

using iceberg::Type;
using iceberg::TypeKind;
using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;
using FieldPtr = std::shared_ptr<arrow::Field>;

/// The file's type for a field of a row, or null when the file leaves it out.
Result<FieldPtr> FileField(const FieldPtr& field, const Type& type, const std::string& path);

Result<FieldPtr> FileChild(const FieldPtr& field, const iceberg::Field& child,
                           const std::string& path) {
  return FileField(field, child.type, path + "." + child.name);
}

Result<arrow::FieldVector> FileChildren(const FieldPtr& field, const Type& type,
                                        const std::string& path) {
  arrow::FieldVector kept;
  for (size_t i = 0; i < type.fields().size(); ++i) {
    CALVE_ASSIGN_OR_RETURN(FieldPtr child, FileChild(field->type()->field(static_cast<int>(i)),
                                                     type.fields()[i], path));
    if (child != nullptr) kept.push_back(std::move(child));
  }
  if (kept.empty())
    return RefusedError(fmt::format("column {}: a struct without columns cannot be written", path));
  return kept;
}

Result<FieldPtr> FileElement(const FieldPtr& field, const iceberg::Field& child,
                             const std::string& path) {
  CALVE_ASSIGN_OR_RETURN(FieldPtr element, FileChild(field, child, path));
  if (element == nullptr) {
    return RefusedError(fmt::format(
        "column {}.{}: type unknown cannot be written within a list or map", path, child.name));
  }
  return element;
}

Result<FieldPtr> FileField(const FieldPtr& field, const Type& type, const std::string& path) {
  if (type.kind() == TypeKind::kUnknown) return FieldPtr();
  if (type.kind() == TypeKind::kVariant) return field->WithType(columnar::VariantExtensionType());
  if (type.kind() == TypeKind::kUuid) return field->WithType(arrow::extension::uuid());
  if (type.kind() == TypeKind::kStruct) {
    CALVE_ASSIGN_OR_RETURN(const arrow::FieldVector children, FileChildren(field, type, path));
    return field->WithType(arrow::struct_(children));
  }
  if (type.kind() == TypeKind::kList) {
    CALVE_ASSIGN_OR_RETURN(const FieldPtr element,
                           FileElement(field->type()->field(0), type.fields()[0], path));
    return field->WithType(arrow::list(element));
  }
  if (type.kind() == TypeKind::kMap) {
    const auto& map = static_cast<const arrow::MapType&>(*field->type());
    CALVE_ASSIGN_OR_RETURN(const FieldPtr key,
                           FileElement(map.key_field(), type.fields()[0], path));
    CALVE_ASSIGN_OR_RETURN(const FieldPtr value,
                           FileElement(map.item_field(), type.fields()[1], path));
    return field->WithType(std::make_shared<arrow::MapType>(key, value));
  }
  return field;
}

/// A value is required where what holds it is there: marks of nulls say nothing more, and Parquet's
/// writer refuses them.
void DropNullMarks(arrow::ArrayData& data) {
  data.buffers[0] = nullptr;
  data.null_count = 0;
}

/// The same buffers under the file's type; children that the file leaves out are dropped.
ArrayDataPtr ToFileData(const ArrayDataPtr& data, const std::shared_ptr<arrow::DataType>& target,
                        const iceberg::Field& field) {
  const Type& type = field.type;
  const bool has_empty_marks = field.required && data->GetNullCount() != 0;
  if (!type.is_nested() && !has_empty_marks && data->type->Equals(*target)) return data;
  ArrayDataPtr out = data->Copy();
  out->type = target;
  if (has_empty_marks) DropNullMarks(*out);
  if (type.kind() == TypeKind::kVariant) {
    for (ArrayDataPtr& bytes : out->child_data) {
      if (bytes->GetNullCount() == 0) continue;
      bytes = bytes->Copy();
      DropNullMarks(*bytes);
    }
  } else if (type.kind() == TypeKind::kStruct) {
    out->child_data.clear();
    int next = 0;
    for (size_t i = 0; i < type.fields().size(); ++i) {
      if (type.fields()[i].type.kind() == TypeKind::kUnknown) continue;
      out->child_data.push_back(
          ToFileData(data->child_data[i], target->field(next++)->type(), type.fields()[i]));
    }
  } else if (type.kind() == TypeKind::kList) {
    out->child_data[0] =
        ToFileData(data->child_data[0], target->field(0)->type(), type.fields()[0]);
  } else if (type.kind() == TypeKind::kMap) {
    const auto& map = static_cast<const arrow::MapType&>(*target);
    ArrayDataPtr pairs = data->child_data[0]->Copy();
    pairs->type = target->field(0)->type();
    pairs->child_data[0] = ToFileData(pairs->child_data[0], map.key_type(), type.fields()[0]);
    pairs->child_data[1] = ToFileData(pairs->child_data[1], map.item_type(), type.fields()[1]);
    out->child_data[0] = std::move(pairs);
  }
  return out;
}

}  // namespace

Result<FileShape> FileShape::Of(iceberg::SchemaPtr schema) {
  FileShape shape;
  CALVE_ASSIGN_OR_RETURN(shape.row_schema_, columnar::ToArrowSchema(*schema));
  arrow::FieldVector fields;
  for (size_t i = 0; i < schema->fields().size(); ++i) {
    const iceberg::Field& field = schema->fields()[i];
    CALVE_ASSIGN_OR_RETURN(FieldPtr kept, FileField(shape.row_schema_->field(static_cast<int>(i)),
                                                    field.type, field.name));
    if (kept == nullptr) continue;
    fields.push_back(std::move(kept));
    shape.columns_.push_back(static_cast<int>(i));
  }
  if (fields.empty())
    return RefusedError("the table has no column that a file could hold; add one first");
  shape.file_schema_ = arrow::schema(std::move(fields));
  shape.schema_ = std::move(schema);
  return shape;
}

columnar::Batch FileShape::ToFile(const columnar::Batch& rows) const {
  std::vector<ArrayDataPtr> columns;
  columns.reserve(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto column = static_cast<size_t>(columns_[i]);
    columns.push_back(ToFileData(rows->column_data(columns_[i]),
                                 file_schema_->field(static_cast<int>(i))->type(),
                                 schema_->fields()[column]));
  }
  return arrow::RecordBatch::Make(file_schema_, rows->num_rows(), std::move(columns));
}

}  // namespace calve::writer
