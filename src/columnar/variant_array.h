#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <memory>

#include "columnar/variant_encode.h"

namespace calve::columnar {

/// Whether a type is the one that ToArrowType gives a variant, or VariantExtensionType. A struct
/// that is a struct to Iceberg too has field ids, and so differs.
bool IsVariantType(const arrow::DataType& type);
/// Arrow's own type for variants, over the one that ToArrowType gives: so a column says what it is
/// where nothing else does.
std::shared_ptr<arrow::DataType> VariantExtensionType();

/// Append what was encoded to a builder of variants' type.
arrow::Status AppendEncoded(const VariantEncoder& variant, arrow::ArrayBuilder& builder);

}  // namespace calve::columnar
