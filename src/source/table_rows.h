#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "source/table_source.h"

namespace calve::source {

/// Some rows of a relation.
struct TableSplit {
  std::shared_ptr<DatabaseView> view;
  std::shared_ptr<const std::vector<Relation>> relations;
  size_t relation = 0;
  std::string label;
  std::string sql;
  std::shared_ptr<SeenRows> seen;         ///< Rows to leave out, each once; null: none.
  std::vector<std::string> seen_columns;  ///< Which `seen` is made of.
};

/// What tells the contents of rows apart, by those of `columns` that they have.
Result<std::vector<RowDigest>> DigestsOf(const RowsRead& read,
                                         const std::vector<std::string>& columns);

/// Read a split as batches of `schema`: rows with values that do not fit become rejects.
Result<std::unique_ptr<SplitReader>> OpenTableSplit(const Context& context,
                                                    std::shared_ptr<const TableSplit> split,
                                                    std::shared_ptr<arrow::Schema> schema,
                                                    const PlanOptions& options);

}  // namespace calve::source
