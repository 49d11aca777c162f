#include "columnar/keep_columns.h"

#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>

namespace calve::columnar {
namespace {

using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;

ArrayDataPtr Keep(const ArrayDataPtr& data, const iceberg::Type& type);

const iceberg::Field* FindByName(const std::vector<iceberg::Field>& fields,
                                 const std::string& name) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const iceberg::Field& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

ArrayDataPtr KeepInStruct(const ArrayDataPtr& data, const iceberg::Type& type) {
  ArrayDataPtr kept = data->Copy();
  kept->child_data.clear();
  arrow::FieldVector fields;
  for (int i = 0; i < data->type->num_fields(); ++i) {
    const auto& field = data->type->field(i);
    const iceberg::Field* wanted = FindByName(type.fields(), field->name());
    if (wanted == nullptr) continue;
    kept->child_data.push_back(Keep(data->child_data[static_cast<size_t>(i)], wanted->type));
    fields.push_back(field->WithType(kept->child_data.back()->type));
  }
  kept->type = arrow::struct_(std::move(fields));
  return kept;
}

ArrayDataPtr KeepInMap(const ArrayDataPtr& data, const iceberg::Type& type) {
  const auto& map = static_cast<const arrow::MapType&>(*data->type);
  ArrayDataPtr kept = data->Copy();
  ArrayDataPtr entries = data->child_data[0]->Copy();
  entries->child_data[1] = Keep(entries->child_data[1], type.fields()[1].type);
  const auto item = map.item_field()->WithType(entries->child_data[1]->type);
  kept->type = std::make_shared<arrow::MapType>(map.key_field(), item, map.keys_sorted());
  entries->type = kept->type->field(0)->type();
  kept->child_data[0] = std::move(entries);
  return kept;
}

ArrayDataPtr Keep(const ArrayDataPtr& data, const iceberg::Type& type) {
  const arrow::Type::type kind = data->type->id();
  if (type.kind() == iceberg::TypeKind::kStruct && kind == arrow::Type::STRUCT)
    return KeepInStruct(data, type);
  if (type.kind() == iceberg::TypeKind::kMap && kind == arrow::Type::MAP)
    return KeepInMap(data, type);
  const bool list = kind == arrow::Type::LIST || kind == arrow::Type::LARGE_LIST;
  if (type.kind() != iceberg::TypeKind::kList || !list) return data;
  ArrayDataPtr kept = data->Copy();
  kept->child_data[0] = Keep(data->child_data[0], type.fields()[0].type);
  const auto element = data->type->field(0)->WithType(kept->child_data[0]->type);
  kept->type = kind == arrow::Type::LIST ? arrow::list(element) : arrow::large_list(element);
  return kept;
}

}  // namespace

Batch KeepColumns(const Batch& batch, const iceberg::Schema& target) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (int i = 0; i < batch->num_columns(); ++i) {
    const iceberg::Field* wanted = FindByName(target.fields(), batch->column_name(i));
    if (wanted == nullptr) continue;
    columns.push_back(arrow::MakeArray(Keep(batch->column_data(i), wanted->type)));
    fields.push_back(batch->schema()->field(i)->WithType(columns.back()->type()));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch->num_rows(),
                                  std::move(columns));
}

}  // namespace calve::columnar
