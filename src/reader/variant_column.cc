#include "reader/variant_column.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/exact_cast.h"
#include "columnar/variant.h"
#include "reader/shredded_variant.h"

namespace calve::reader {
namespace {

using arrow::internal::checked_cast;
using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;

ArrayDataPtr WithoutExtension(const ArrayDataPtr& data) {
  if (data->type->id() != arrow::Type::EXTENSION) return data;
  ArrayDataPtr storage = data->Copy();
  storage->type = checked_cast<const arrow::ExtensionType&>(*data->type).storage_type();
  return storage;
}

/// The place of a field; -1 when there is none.
int IndexOf(const arrow::DataType& group, const std::string& name) {
  return checked_cast<const arrow::StructType&>(group).GetFieldIndex(name);
}

Result<std::shared_ptr<arrow::Array>> BinaryField(const ArrayDataPtr& group, int index) {
  return columnar::CastExactly(arrow::MakeArray(group->child_data[static_cast<size_t>(index)]),
                               iceberg::Type::Binary(), {});
}

/// Build metadata and value row by row.
Result<ArrayDataPtr> Rebuild(const arrow::StructArray& group,
                             const std::shared_ptr<arrow::DataType>& target) {
  CALVE_ASSIGN_OR_RETURN(
      const std::shared_ptr<arrow::Array> metadata,
      columnar::CastExactly(group.GetFieldByName("metadata"), iceberg::Type::Binary(), {}));
  CALVE_ASSIGN_OR_RETURN(ShreddedVariant shredded, ShreddedVariant::Of(group));
  CALVE_ASSIGN_OR_RETURN(const std::unique_ptr<arrow::ArrayBuilder> made,
                         arrow::MakeBuilder(target));
  auto& builder = checked_cast<arrow::StructBuilder&>(*made);
  auto& metadata_out = checked_cast<arrow::BinaryBuilder&>(*builder.field_builder(0));
  auto& value_out = checked_cast<arrow::BinaryBuilder&>(*builder.field_builder(1));
  std::string value;
  for (int64_t row = 0; row < group.length(); ++row) {
    if (group.IsNull(row)) {
      CALVE_RETURN_IF_ERROR(builder.AppendNull());
      continue;
    }
    const std::string_view bytes =
        metadata->IsNull(row) ? std::string_view()
                              : checked_cast<const arrow::BinaryArray&>(*metadata).GetView(row);
    value.clear();
    // Metadata is never empty but where something that holds the variant is null.
    if (!bytes.empty()) {
      CALVE_ASSIGN_OR_RETURN(const auto names, columnar::VariantNames::Parse(bytes));
      CALVE_ASSIGN_OR_RETURN(const bool is_there, shredded.Append(row, names, value));
      if (!is_there) value.push_back('\0');  // a variant's null
    }
    CALVE_RETURN_IF_ERROR(builder.Append());
    CALVE_RETURN_IF_ERROR(metadata_out.Append(bytes));
    CALVE_RETURN_IF_ERROR(value_out.Append(value));
  }
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> rows, builder.Finish());
  return rows->data();
}

Result<ArrayDataPtr> Adapt(const ArrayDataPtr& data) {
  const ArrayDataPtr group = WithoutExtension(data);
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::DataType> target,
                         columnar::ToArrowType(iceberg::Type::Of(iceberg::TypeKind::kVariant)));
  const int metadata = IndexOf(*group->type, "metadata");
  const int value = IndexOf(*group->type, "value");
  const int typed_value = IndexOf(*group->type, "typed_value");
  if (metadata < 0 || (value < 0 && typed_value < 0)) {
    return DataError(
        fmt::format("the table has a variant, but the file holds {}", group->type->ToString()));
  }
  if (typed_value < 0) {
    CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> values, BinaryField(group, value));
    if (values->null_count() == 0) {
      CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> names,
                             BinaryField(group, metadata));
      ArrayDataPtr out = group->Copy();
      out->type = target;
      out->child_data = {names->data(), values->data()};
      return out;
    }
  }
  return Rebuild(arrow::StructArray(group), target);
}

}  // namespace

bool HasVariantShape(const arrow::DataType& file) {
  if (file.id() != arrow::Type::EXTENSION) return file.id() == arrow::Type::STRUCT;
  return HasVariantShape(*checked_cast<const arrow::ExtensionType&>(file).storage_type());
}

Result<ArrayDataPtr> AdaptVariant(const ArrayDataPtr& data, const std::string& path) {
  auto adapted = Adapt(data);
  if (!adapted.ok()) return While("column " + path, std::move(adapted).error());
  return adapted;
}

}  // namespace calve::reader
