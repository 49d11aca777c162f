#include "writer/column_path.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>

#include "columnar/arrow_status.h"

namespace calve::writer {
namespace {

using arrow::internal::checked_cast;
using ArrayPtr = std::shared_ptr<arrow::Array>;

}  // namespace

std::vector<int> ColumnPath(const iceberg::Schema& schema, iceberg::FieldId id) {
  std::vector<int> path;
  const std::vector<iceberg::Field>* fields = &schema.fields();
  for (const iceberg::FieldId step : schema.PathTo(id)) {
    const auto at = std::find_if(fields->begin(), fields->end(),
                                 [&](const iceberg::Field& f) { return f.id == step; });
    path.push_back(static_cast<int>(at - fields->begin()));
    fields = &at->type.fields();
  }
  return path;
}

Result<ArrayPtr> ColumnAt(const arrow::RecordBatch& batch, const std::vector<int>& path) {
  if (path.empty()) {
    CALVE_ASSIGN_OR_RETURN(ArrayPtr nulls, arrow::MakeArrayOfNull(arrow::null(), batch.num_rows()));
    return nulls;
  }
  ArrayPtr column = batch.column(path.front());
  for (size_t i = 1; i < path.size(); ++i) {
    CALVE_ASSIGN_OR_RETURN(
        column, checked_cast<const arrow::StructArray&>(*column).GetFlattenedField(path[i]));
  }
  return column;
}

}  // namespace calve::writer
