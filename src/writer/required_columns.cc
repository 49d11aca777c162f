#include "writer/required_columns.h"

#include <arrow/array/array_nested.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace calve::writer {
namespace {

using arrow::internal::checked_cast;
using iceberg::Type;
using iceberg::TypeKind;

/// An array within a batch, and how its values belong to those of the array that holds it.
struct Level {
  const arrow::Array& array;
  const Level* parent = nullptr;
  /// Of the parent's lists, over `array`; null for a struct's child.
  const int32_t* offsets = nullptr;

  /// The parent's value that holds value `i`; -1 when none does.
  int64_t Holder(int64_t i) const {
    if (offsets == nullptr) return i;
    const int64_t lists = parent->array.length();
    const int32_t* after = std::upper_bound(offsets, offsets + lists + 1, static_cast<int32_t>(i));
    return after == offsets || after == offsets + lists + 1 ? -1 : after - offsets - 1;
  }
  /// Whether value `i` belongs to the rows: everything above it is there.
  bool IsLive(int64_t i) const {
    if (parent == nullptr) return true;
    const int64_t holder = Holder(i);
    return holder >= 0 && parent->array.IsValid(holder) && parent->IsLive(holder);
  }
  int64_t RowOf(int64_t i) const { return parent == nullptr ? i : parent->RowOf(Holder(i)); }
};

Status CheckField(const iceberg::Field& field, const Level& level, const std::string& path);

Status CheckChildren(const Type& type, const Level& level, const std::string& path) {
  const auto check = [&](size_t child, const arrow::Array& values, const int32_t* offsets) {
    const iceberg::Field& field = type.fields()[child];
    return CheckField(field, {.array = values, .parent = &level, .offsets = offsets},
                      path + "." + field.name);
  };
  if (type.kind() == TypeKind::kStruct) {
    const auto& rows = checked_cast<const arrow::StructArray&>(level.array);
    for (size_t i = 0; i < type.fields().size(); ++i) {
      CALVE_RETURN_IF_ERROR(check(i, *rows.field(static_cast<int>(i)), nullptr));
    }
  } else if (type.kind() == TypeKind::kList) {
    const auto& lists = checked_cast<const arrow::ListArray&>(level.array);
    CALVE_RETURN_IF_ERROR(check(0, *lists.values(), lists.raw_value_offsets()));
  } else if (type.kind() == TypeKind::kMap) {
    const auto& maps = checked_cast<const arrow::MapArray&>(level.array);
    CALVE_RETURN_IF_ERROR(check(0, *maps.keys(), maps.raw_value_offsets()));
    CALVE_RETURN_IF_ERROR(check(1, *maps.items(), maps.raw_value_offsets()));
  }
  return Status::Ok();
}

Status CheckField(const iceberg::Field& field, const Level& level, const std::string& path) {
  if (field.required && level.array.null_count() > 0) {
    for (int64_t i = 0; i < level.array.length(); ++i) {
      if (level.array.IsNull(i) && level.IsLive(i)) {
        return DataError(
            fmt::format("column {}, row {}: the column is required, but the value is null", path,
                        level.RowOf(i)));
      }
    }
  }
  return field.type.is_nested() ? CheckChildren(field.type, level, path) : Status::Ok();
}

}  // namespace

Status CheckRequired(const iceberg::Schema& schema, const arrow::RecordBatch& rows) {
  for (size_t i = 0; i < schema.fields().size(); ++i) {
    const iceberg::Field& field = schema.fields()[i];
    CALVE_RETURN_IF_ERROR(
        CheckField(field, {.array = *rows.column(static_cast<int>(i))}, field.name));
  }
  return Status::Ok();
}

}  // namespace calve::writer
