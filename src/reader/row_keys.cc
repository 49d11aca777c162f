#include "reader/row_keys.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/util/checked_cast.h>

#include <cmath>
#include <limits>
#include <string_view>

namespace calve::reader {
namespace {

using arrow::internal::checked_cast;

template <typename T>
void AppendRaw(T value, std::string& key) {
  key.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename ArrayType>
void AppendFloat(const arrow::Array& column, int64_t i, std::string& key) {
  auto value = checked_cast<const ArrayType&>(column).Value(i);
  if (std::isnan(value)) value = std::numeric_limits<decltype(value)>::quiet_NaN();
  AppendRaw(value, key);
}

void AppendFixed(const arrow::Array& column, int64_t i, std::string& key) {
  const int width = checked_cast<const arrow::FixedWidthType&>(*column.type()).bit_width() / 8;
  const auto* values = reinterpret_cast<const char*>(column.data()->buffers[1]->data());
  key.append(values + (column.offset() + i) * width, static_cast<size_t>(width));
}

void AppendValue(const arrow::Array& column, int64_t i, std::string& key) {
  switch (column.type_id()) {
    case arrow::Type::BOOL:
      key.push_back(checked_cast<const arrow::BooleanArray&>(column).Value(i) ? '\1' : '\0');
      break;
    case arrow::Type::FLOAT:
      AppendFloat<arrow::FloatArray>(column, i, key);
      break;
    case arrow::Type::DOUBLE:
      AppendFloat<arrow::DoubleArray>(column, i, key);
      break;
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      const std::string_view bytes = checked_cast<const arrow::BinaryArray&>(column).GetView(i);
      AppendRaw(static_cast<uint32_t>(bytes.size()), key);
      key.append(bytes);
      break;
    }
    default:
      AppendFixed(column, i, key);
  }
}

}  // namespace

void RowKeys::KeyOf(int64_t i, std::string& key) const {
  key.clear();
  for (const auto& column : columns_) {
    const bool is_null = column->IsNull(i);
    key.push_back(is_null ? '\0' : '\1');
    if (!is_null) AppendValue(*column, i, key);
  }
}

}  // namespace calve::reader
