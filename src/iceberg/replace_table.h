#pragma once

#include "base/result.h"
#include "iceberg/metadata.h"
#include "iceberg/update.h"

namespace calve::iceberg {

/// The change that gives a table without rows the columns, partitions and sort order that a new one
/// would get.
///
/// All field ids are fresh, so that who computed on the columns before meets a conflict. UUID and
/// location stay, properties are added, the format version never goes back. Fails as CreateTable
/// does.
Result<TableChange> ReplaceTable(const TableMetadata& base, const CreateTableOptions& options);

}  // namespace calve::iceberg
