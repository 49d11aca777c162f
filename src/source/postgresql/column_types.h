#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "io/postgres.h"
#include "source/postgresql/numeric.h"
#include "source/postgresql/value_decoder.h"
#include "source/table_source.h"

namespace calve::source::postgresql {

/// What is asked of types that have no exact counterpart.
struct TypePolicy {
  /// For numeric without precision, or with more than 38 digits; nothing: as text.
  std::optional<DecimalSize> numeric;
  DecoderOptions decoding;
};

/// What the view knows of a column beside TableColumn.
struct NativeColumn {
  uint32_t type = 0;  ///< The oid behind all domains; of an array its elements'.
  bool is_array = false;
  Form form = Form::kText;
  std::string type_name;  ///< In SQL.
};

/// Looks up types of one database. For one thread.
class ColumnTypes {
 public:
  explicit ColumnTypes(TypePolicy policy) : policy_(policy) {}

  /// The columns of a query as they are to be selected. `wanted` may be null.
  Result<std::vector<TableColumn>> Choose(const Context& context, io::PostgresDatabase& database,
                                          const std::vector<io::PostgresDatabase::Column>& columns,
                                          const arrow::Schema* wanted,
                                          std::vector<std::string>* notes);

 private:
  struct Type {
    char kind = 'b';  ///< pg_type.typtype
    uint32_t base = 0;
    int32_t base_modifier = -1;
    uint32_t element = 0;
    std::string name;
  };
  Status Learn(const Context& context, io::PostgresDatabase& database,
               const std::vector<uint32_t>& types);
  TableColumn ChooseOne(const io::PostgresDatabase::Column& column, const arrow::DataType* wanted,
                        std::vector<std::string>* notes) const;

  const TypePolicy policy_;
  std::map<uint32_t, Type> types_;
  int money_scale_ = 2;
};

/// "name", with quotes doubled.
std::string QuoteIdentifier(const std::string& name);
/// 'text', with quotes doubled; with E before it where it has backslashes.
std::string QuoteLiteral(const std::string& text);

}  // namespace calve::source::postgresql
