#pragma once

#include <arrow/array.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/type.h"

namespace calve::columnar {

/// Where an array lies within a batch, so that an error can name the column and the row. Lives on
/// the stack of a cast.
struct Place {
  const Place* parent = nullptr;
  std::string_view name = {};
  /// For what lies in a list or map: the lists, whose offsets tell the row of a value. Null when
  /// rows are the parent's.
  const arrow::ListArray* lists = nullptr;

  /// The full name of the column: `address.street`, `tags.element`.
  std::string FullName() const;
  /// The row of the batch that holds the value at `index` of this array.
  int64_t RowOf(int64_t index) const;
};

/// Cast an array to the exact Arrow type of an Iceberg type. A value that does not fit fails with
/// kData naming column, row and value.
Result<std::shared_ptr<arrow::Array>> CastExactly(const std::shared_ptr<arrow::Array>& array,
                                                  const iceberg::Type& type, const Place& place);

/// Gather the columns of `fields` from named arrays (a batch's, or a struct's): cast, in the
/// fields' order; absent ones become their write default or null. Fails with kData on an array that
/// no field asks for, a name that occurs twice, or a required field without array or default.
Result<arrow::ArrayVector> GatherFields(const arrow::FieldVector& found,
                                        const arrow::ArrayVector& arrays,
                                        const std::vector<iceberg::Field>& fields, int64_t length,
                                        const Place* parent);

}  // namespace calve::columnar
