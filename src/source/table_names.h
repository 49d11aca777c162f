#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "source/table_source.h"

namespace calve::source {

/// A table or view as a driver lists it.
struct TableName {
  std::string catalog;
  std::string schema;
  std::string name;
};

/// What a view that goes by the names of a driver knows of a relation beside Relation.
struct NamedRelation {
  TableName table;    ///< Without a name for a query.
  std::string query;  ///< Empty for a table.
};

/// A query without what ends it, so that it can stand within another one.
std::string PlainQuery(const std::string& query);
/// The relation of a plain query, without columns.
Relation RelationOfQuery(const std::string& plain_query);

/// The tables of a list that the options name, as DatabaseView::Relations gives them; each holds a
/// NamedRelation. `schema` is where tables are that are named without one; "": anywhere. `shown` is
/// the database, for errors: kNotFound for a name that none has, kConfig for one that several have.
Result<std::vector<Relation>> FindTables(const std::vector<TableName>& tables,
                                         const TableOptions& options, const std::string& schema,
                                         const DatabaseView& view, const std::string& shown);

}  // namespace calve::source
