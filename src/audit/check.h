#pragma once

#include <arrow/type.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "audit/contract.h"
#include "base/context.h"
#include "base/result.h"

namespace calve::audit {

/// A check as SQL: every kind compiles to one of these, and all of a contract share one scan.
struct CompiledCheck {
  enum class Scope {
    kRow,        ///< `sql` is a boolean expression over one row that is true where the row passes.
    kAggregate,  ///< `sql` is an aggregate expression over the rows giving the number of rows that
                 ///< fail (0 passes).
    kQuery,  ///< `sql` is a SELECT in which `this` is the table; each row it gives is a failure.
    kKeys,   ///< `columns` are a key; each that stands in more than one row is a failure.
  };
  Check check;
  Scope scope = Scope::kRow;
  std::string sql;
  bool null_passes = true;           ///< Rows: whether a null result passes.
  std::vector<std::string> columns;  ///< That it reads, as far as it names them.
  /// What shows the rows that fail; for row checks where that reads better than NOT (sql).
  std::string where;
  /// What a failure means, in a few words after the counts: "are NULL", "are not in EUR, USD".
  std::string failure;
  /// Rows: the column whose value is shown when a row fails; empty when there is no single one.
  std::string shown;
  std::string expected;  ///< Rows: what passes, after "expected": "a value from 0 to 100".
};

/// How many earlier loads are known at most.
inline constexpr int64_t kLoadsMax = 100;

/// What checks may know besides the rows.
struct CheckInputs {
  std::shared_ptr<arrow::Schema> schema;
  /// Rows of main before this load, for row-count change; negative: no earlier snapshot.
  int64_t rows_before = -1;
  /// Rows that this load writes; negative: no load is judged, but a table as it stands.
  int64_t rows_loaded = -1;
  /// Rows that each of the job's earlier loads wrote, newest first, at most kLoadsMax.
  std::vector<int64_t> rows_of_loads;
  int64_t now_ms = 0;
};

/// What a check of a kind finds fault with.
enum class Judges {
  kRows,  ///< Single rows: every severity is possible.
  kTable,  ///< The table as a whole: no row can be held back, so a severity of quarantine is refused.
};

struct CheckKind {
  std::string kind;               ///< "accepted_values"
  std::string meaning;            ///< One sentence.
  Judges judges = Judges::kRows;  ///< Which severities it has.
  config::Part part;              ///< Its options, the short forms already written out.
  /// Names a check from its options: "accepted_values(currency)".
  std::function<std::string(const config::Node& options)> name;
  /// Fails with kConfig naming a column that is not there, and the nearest ones.
  std::function<Result<CompiledCheck>(const Check& check, const CheckInputs& inputs)> compile;
};

}  // namespace calve::audit
