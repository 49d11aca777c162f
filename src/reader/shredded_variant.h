#pragma once

#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "columnar/variant.h"

namespace calve::reader {

/// A group of `value` and `typed_value` as Parquet holds it, at any depth of a shredded variant
/// (Parquet spec, VariantShredding.md), over the rows of one batch. For one thread.
class ShreddedVariant {
 public:
  /// Fails with kData when the group is none, or `typed_value` has a type that the specification
  /// does not list.
  static Result<ShreddedVariant> Of(const arrow::StructArray& group);

  /// Append the encoded value of one row; false when it is missing. Fails with kData when the row
  /// is broken: it has a value twice, or a name that `names` does not know.
  Result<bool> Append(int64_t row, const columnar::VariantNames& names, std::string& out);

 private:
  struct Field;

  Status TakeTyped(std::shared_ptr<arrow::Array> typed);
  Status AppendArray(int64_t row, const columnar::VariantNames& names, std::string& out);
  Status AppendObject(int64_t row, const columnar::VariantNames& names, std::string& out);
  bool HasField(std::string_view name) const;

  std::shared_ptr<arrow::Array> group_;
  std::shared_ptr<arrow::BinaryArray> value_;  ///< Null when there is no such column.
  std::shared_ptr<arrow::Array> typed_;        ///< Null when there is no such column.
  columnar::VariantPrimitive primitive_{};     ///< Of values that are neither list nor object.
  std::vector<ShreddedVariant> element_;       ///< Of a list: its one element.
  std::vector<Field> fields_;                  ///< Of an object, by name.
};

struct ShreddedVariant::Field {
  std::string name;
  ShreddedVariant value;
  uint32_t likely_id = 0;  ///< The name's id in the metadata of the last row.
};

}  // namespace calve::reader
