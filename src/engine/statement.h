#pragma once

#include <arrow/type.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace calve::engine {

/// What one statement of SQL does, and to which table.
struct Statement {
  enum class Kind {
    kQuery,   ///< Reads: SELECT and what reads like it. Nothing below is set.
    kInsert,  ///< From here to kMerge rows change: see Engine::Changes.
    kUpdate,
    kDelete,  ///< TRUNCATE too.
    kMerge,
    kCreateTable,
    kDropTable,
    kAlterTable,
    kRenameTable,
    kCreateNamespace,
    kDropNamespace,
  };
  Kind kind = Kind::kQuery;
  /// The table; of kCreateNamespace and kDropNamespace the namespace, in `parts`.
  TableReference target;
  /// IF EXISTS, IF NOT EXISTS: there is nothing to do where things are so already.
  bool if_needed = false;

  // kCreateTable:
  bool from_query = false;  ///< CREATE TABLE ... AS: Engine::Changes gives its rows.
  /// Not nullable where it says NOT NULL. From a query its columns.
  std::shared_ptr<arrow::Schema> columns;
  std::vector<std::string> primary_key;
  std::map<std::string, std::string> defaults;  ///< By column, as text.
  std::vector<std::string> partition_by;        ///< "day(ts)"
  std::vector<std::string> sort_by;             ///< "ts desc"
  std::map<std::string, std::string> properties;

  /// kAlterTable: sentences such as `add note string`, or `rename qty to quantity`; the types of
  /// `columns` stand in for those of DuckDB.
  struct Alteration {
    std::string before;  ///< "add note "
    /// The type that follows; null: none does.
    std::shared_ptr<arrow::DataType> type = nullptr;
    std::string after = {};  ///< " default 5", behind the type.
  };
  std::vector<Alteration> alterations;

  std::string new_name;  ///< kRenameTable: in the same namespace.
};

/// The rows of a table that a statement changes: those that go, and those that come.
struct RowChanges {
  std::unique_ptr<ResultStream> rows;

  // Places in the rows' schema; -1: there is no such column.
  int file = -1;      ///< utf8: the data file with the row that goes; null where none does.
  int position = -1;  ///< int64: the row's place in that file.
  int row_id = -1;    ///< int64: `_row_id` of the row that goes (Iceberg spec, Row Lineage).
  int comes = -1;     ///< bool: whether a row comes. Without it each does, if there are columns.
  /// Where the columns of the table begin, all of them in its order, or none: then no row comes.
  int columns = 0;
};

}  // namespace calve::engine
