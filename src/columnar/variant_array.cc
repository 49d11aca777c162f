#include "columnar/variant_array.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/extension/parquet_variant.h>
#include <arrow/extension_type.h>
#include <arrow/util/checked_cast.h>

#include <string_view>

#include "columnar/convert.h"

namespace calve::columnar {

using arrow::internal::checked_cast;

bool IsVariantType(const arrow::DataType& type) {
  if (type.id() == arrow::Type::EXTENSION)
    return IsVariantType(*checked_cast<const arrow::ExtensionType&>(type).storage_type());
  if (type.id() != arrow::Type::STRUCT || type.num_fields() != 2) return false;
  const auto is_bytes = [](const arrow::Field& field, std::string_view name) {
    return field.name() == name && field.type()->id() == arrow::Type::BINARY && !field.nullable() &&
           !field.HasMetadata();
  };
  return is_bytes(*type.field(0), "metadata") && is_bytes(*type.field(1), "value");
}

std::shared_ptr<arrow::DataType> VariantExtensionType() {
  return arrow::extension::variant(
      ToArrowType(iceberg::Type::Of(iceberg::TypeKind::kVariant)).value());
}

arrow::Status AppendEncoded(const VariantEncoder& variant, arrow::ArrayBuilder& builder) {
  auto& structs = checked_cast<arrow::StructBuilder&>(builder);
  ARROW_RETURN_NOT_OK(structs.Append());
  ARROW_RETURN_NOT_OK(
      checked_cast<arrow::BinaryBuilder&>(*structs.field_builder(0)).Append(variant.metadata()));
  return checked_cast<arrow::BinaryBuilder&>(*structs.field_builder(1)).Append(variant.value());
}

}  // namespace calve::columnar
