#pragma once

#include <string>

#include "base/result.h"
#include "catalog/catalog.h"
#include "iceberg/metadata.h"
#include "iceberg/update.h"

namespace calve::commit {

/// A table as the first change of its rows will make it, together with those rows.
struct NewTable {
  iceberg::TableChange change;  ///< Makes the table, or gives one without rows another layout.
  /// As it will be, for who writes files of it before it is there. The location of the metadata is
  /// that of the table whose layout is replaced; empty where there is no table.
  catalog::LoadedTable draft;

  /// Whether `there`, the table whose layout is replaced, has this one already.
  bool IsAlready(const iceberg::TableMetadata& there) const;

  /// See that files written for the draft are right in a table that another writer has made or
  /// changed meanwhile. Fails with kConflict: plan again.
  Status CheckServes(const catalog::TableName& table, const iceberg::TableMetadata& now) const;
};

/// The table that `staged` has on a branch of the catalog's own, to come into main as it was made
/// there, without rows.
Result<NewTable> TableOfBranch(const iceberg::TableMetadata& staged, int64_t now_ms);

/// The property of a table that holds nothing but rows staged by its first load: the schema that
/// this load has inferred. Gone with the first publish.
inline constexpr std::string_view kFirstSchema = "calve.first-schema-id";

/// Whether nothing is left of the first load but the columns that it inferred: its branch was
/// discarded. The next load may make the table anew.
bool IsUnborn(const iceberg::TableMetadata& metadata);

}  // namespace calve::commit
