#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/schema.h"
#include "iceberg/type.h"
#include "io/postgres.h"
#include "load/postgres/options.h"

namespace calve::load::postgres {

/// A column of a table that is there.
struct TargetColumn {
  std::string name;
  iceberg::Type type;  ///< As a load sees it: string for what has no exact counterpart.
  std::string sql;     ///< Its type in SQL, by the name that has no length or precision.
  bool exact = true;   ///< Whether its values are those of `type` as they stand.
  bool holds_json = false;
  bool required = false;  ///< NOT NULL, and the database has nothing to put there.
  /// Why nothing can be written there; empty when it can.
  std::string refused;

  /// What gives its values as `type` in a SELECT.
  std::string Expression() const;
  bool operator==(const TargetColumn&) const = default;
};

/// A table as it stands in the database.
struct Target {
  std::vector<TargetColumn> columns;
  /// Why rows cannot be loaded into it (it is a view, rights are missing); empty when they can.
  std::string refused;

  const TargetColumn* Find(const std::string& name) const;
  /// The columns as a table of Iceberg's would have them.
  std::vector<iceberg::Field> Fields() const;
};

/// Look at a table; nothing when it is not there. `rights`: those that the load takes, as
/// has_table_privilege names them.
Result<std::optional<Target>> ReadTarget(const Context& context, io::PostgresDatabase& database,
                                         const RelationName& name,
                                         const std::vector<std::string>& rights);

}  // namespace calve::load::postgres
