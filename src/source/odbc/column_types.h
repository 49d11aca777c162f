#pragma once

#include <arrow/type.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "source/comparison.h"
#include "source/decimal_policy.h"
#include "source/odbc/connection.h"
#include "source/table_source.h"

namespace calve::source::odbc {

/// What the view knows of a column beside TableColumn.
struct NativeColumn {
  Binding binding;
  Comparison comparison = Comparison::kNone;
};

struct TypePolicy {
  /// For decimals with more than 38 digits; nothing: as text.
  std::optional<DecimalSize> numeric;
  std::map<std::string, std::string> types;  ///< Iceberg's names of types, by column; checked.
};

/// A column as it is to be read. `wanted` may be null. Fails with kConfig when its values cannot be
/// read as the type that `types` gives it.
Result<TableColumn> ChooseColumn(const Field& field, const TypePolicy& policy,
                                 const arrow::DataType* wanted, std::vector<std::string>* notes);

}  // namespace calve::source::odbc
