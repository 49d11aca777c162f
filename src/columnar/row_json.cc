#include "columnar/row_json.h"

#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/text.h"

namespace calve::columnar {
namespace {

bool PrintsBare(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_decimal(type.id()) ||
         type.id() == arrow::Type::BOOL;
}

}  // namespace

std::string RowAsJson(const arrow::RecordBatch& batch, int64_t row) {
  std::string json = "{";
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (i > 0) json += ", ";
    json += Quote(batch.column_name(i)) + ": ";
    const auto& column = *batch.column(i);
    if (column.IsNull(row)) {
      json += "null";
      continue;
    }
    const auto scalar = column.GetScalar(row);
    const std::string text = scalar.ok() ? (*scalar)->ToString() : scalar.status().message();
    json += PrintsBare(*column.type()) ? text : Quote(text);
  }
  return json + "}";
}

}  // namespace calve::columnar
