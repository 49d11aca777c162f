#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/schema.h"
#include "load/postgres/options.h"
#include "load/postgres/target.h"

namespace calve::load::postgres {

/// Temporary tables of the load's own connection: rows to be loaded, and rows that are held back.
inline constexpr const char* kStaged = "pg_temp.calve_staged";
inline constexpr const char* kHeldBack = "pg_temp.calve_held_back";

/// What brings staged rows into their table. `written` are the columns that the load has.
class Statements {
 public:
  Statements(const RelationName& table, const Target& target, std::vector<std::string> written,
             std::vector<std::string> key);

  std::string Insert() const;
  /// With write_mode merge, in this order:
  std::string Update() const;  ///< Empty when the load has nothing but the key.
  std::string InsertNew() const;
  /// A query of the keys that more than one staged row has, and how many those are.
  std::string RepeatedKeys() const;
  /// A relation of the staged rows with all columns of the table.
  std::string Added() const;

 private:
  /// A staged value as its column takes it.
  std::string Value(const std::string& column) const;
  std::string Columns() const;
  std::string Values() const;
  std::string SameKey() const;

  const std::string table_;
  const Target& target_;
  const std::vector<std::string> written_;
  const std::vector<std::string> key_;
};

/// CREATE TABLE. `key` becomes the primary key; empty: none.
Result<std::string> CreateTable(const std::string& quoted_name,
                                const std::vector<iceberg::Field>& fields,
                                const std::vector<std::string>& key = {});
/// What makes the columns of a table those that are planned.
Result<std::vector<std::string>> ChangeColumns(const RelationName& table, const Target& target,
                                               const std::vector<iceberg::Field>& planned);

}  // namespace calve::load::postgres
