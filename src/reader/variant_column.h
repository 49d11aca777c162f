#pragma once

#include <arrow/array/data.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace calve::reader {

/// Whether a column of a file may be a variant: a struct, of which AdaptVariant looks at the
/// fields.
bool HasVariantShape(const arrow::DataType& file);

/// Variants of a file in the form of columnar::ToArrowType: metadata and value. Shredded ones
/// (Parquet spec, VariantShredding.md), parts of which are columns of their own, are put together
/// again; a shredded field wins over one of its name in what is not shredded.
///
/// Works on whole array data, not on slices. What lies in a null struct stays as it is, which may
/// be no variant. Fails with kData naming the column when the fields are not those of a variant, or
/// a value is broken or there twice.
Result<std::shared_ptr<arrow::ArrayData>> AdaptVariant(
    const std::shared_ptr<arrow::ArrayData>& data, const std::string& path);

}  // namespace calve::reader
