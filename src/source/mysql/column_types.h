#pragma once

#include <arrow/type.h>

#include <optional>
#include <string>
#include <vector>

#include "source/decimal_policy.h"
#include "source/mysql/connection.h"
#include "source/mysql/value_decoders.h"
#include "source/table_source.h"

namespace calve::source::mysql {

/// What is asked of types that have no exact counterpart.
struct TypePolicy {
  /// For decimals with more than 38 digits; nothing: as text.
  std::optional<DecimalSize> numeric;
  bool tinyint1_is_boolean = false;
  DecoderOptions decoding;
};

/// How values of a column are put in an order and in SQL.
enum class Comparison { kNone, kNumber, kReal, kDate, kTimestamp, kText };

/// What the view knows of a column beside TableColumn.
struct NativeColumn {
  Field field;
  Form form = Form::kText;
  Comparison comparison = Comparison::kNone;
};

/// A column as it is to be read. `wanted` may be null.
TableColumn ChooseColumn(const Field& field, const TypePolicy& policy,
                         const arrow::DataType* wanted, std::vector<std::string>* notes);

/// `name`, with backticks doubled.
std::string QuoteIdentifier(const std::string& name);
/// A text in SQL, whatever is in it and however the server reads backslashes.
std::string QuoteText(const std::string& text);

}  // namespace calve::source::mysql
