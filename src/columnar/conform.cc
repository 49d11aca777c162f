#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <unordered_map>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/exact_cast.h"

namespace calve::columnar {
namespace {

std::string NameOf(const Place* parent, std::string_view name) {
  return Place{.parent = parent, .name = name}.FullName();
}

Result<std::shared_ptr<arrow::Array>> Absent(const iceberg::Field& field, int64_t length,
                                             const Place* parent) {
  if (field.write_default) return Repeat(field.type, *field.write_default, length);
  if (field.required) {
    return DataError(
        fmt::format("column {} is required, but the rows have no such column and it has no default",
                    NameOf(parent, field.name)));
  }
  return Repeat(field.type, iceberg::Value::Null(), length);
}

/// Name the first column that nothing asks for: dropping it would lose values silently.
Status RefuseUnasked(const arrow::FieldVector& found, const std::vector<iceberg::Field>& fields,
                     const Place* parent) {
  std::vector<std::string> known;
  for (const iceberg::Field& field : fields) known.push_back(field.name);
  for (const auto& field : found) {
    if (std::find(known.begin(), known.end(), field->name()) == known.end()) {
      return DataError(
          fmt::format("column {} is not in the table's schema; add it there or drop it{}",
                      NameOf(parent, field->name()), DidYouMean(field->name(), known)));
    }
  }
  return Status::Ok();
}

}  // namespace

std::string Place::FullName() const {
  if (parent == nullptr) return std::string(name);
  return parent->FullName() + "." + std::string(name);
}

int64_t Place::RowOf(int64_t index) const {
  int64_t row = index;
  if (lists != nullptr) {
    const int32_t* begin = lists->raw_value_offsets();
    const int32_t* end = begin + lists->length() + 1;
    const int32_t position = begin[0] + static_cast<int32_t>(index);
    row = std::upper_bound(begin, end, position) - begin - 1;
  }
  return parent == nullptr ? row : parent->RowOf(row);
}

Result<arrow::ArrayVector> GatherFields(const arrow::FieldVector& found,
                                        const arrow::ArrayVector& arrays,
                                        const std::vector<iceberg::Field>& fields, int64_t length,
                                        const Place* parent) {
  std::unordered_map<std::string_view, size_t> by_name;
  for (size_t i = 0; i < found.size(); ++i) {
    if (!by_name.emplace(found[i]->name(), i).second) {
      return DataError(
          fmt::format("column {} occurs twice; rename one", NameOf(parent, found[i]->name())));
    }
  }
  arrow::ArrayVector columns;
  columns.reserve(fields.size());
  size_t used = 0;
  for (const iceberg::Field& field : fields) {
    const auto at = by_name.find(field.name);
    if (at == by_name.end()) {
      CALVE_ASSIGN_OR_RETURN(columns.emplace_back(), Absent(field, length, parent));
      continue;
    }
    ++used;
    const Place place{.parent = parent, .name = field.name};
    CALVE_ASSIGN_OR_RETURN(columns.emplace_back(),
                           CastExactly(arrays[at->second], field.type, place));
  }
  if (used != found.size()) CALVE_RETURN_IF_ERROR(RefuseUnasked(found, fields, parent));
  return columns;
}

Result<Batch> Conform(const Batch& batch, const iceberg::Schema& target) {
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Schema> schema, ToArrowSchema(target));
  CALVE_ASSIGN_OR_RETURN(arrow::ArrayVector columns,
                         GatherFields(batch->schema()->fields(), batch->columns(), target.fields(),
                                      batch->num_rows(), nullptr));
  return arrow::RecordBatch::Make(std::move(schema), batch->num_rows(), std::move(columns));
}

}  // namespace calve::columnar
