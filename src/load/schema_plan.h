#pragma once

#include <arrow/type.h>

#include <memory>
#include <vector>

#include "audit/contract.h"
#include "base/result.h"
#include "iceberg/schema.h"
#include "load/load.h"

namespace calve::load {

/// How the columns of a source meet those of a table, under a contract's policies.
struct SchemaMeeting {
  std::string table;                         ///< For messages.
  const iceberg::Schema* current = nullptr;  ///< Null: a new table.
  const audit::Contract* contract =
      nullptr;  ///< Null: evolve new columns, quarantine type changes.
  int format_version = 2;
};

/// Decide; change nothing. Fails with kData naming every column that the contract or the format
/// refuses.
Result<SchemaPlan> MeetSchemas(const SchemaMeeting& meeting,
                               const std::vector<iceberg::Field>& incoming);

/// Columns as a source is asked for them: with exact types, and uuids as such, which are more than
/// their 16 bytes.
Result<std::shared_ptr<arrow::Schema>> WantedColumns(const std::vector<iceberg::Field>& fields);
/// The same of the columns whose types a contract names; null when there are none.
Result<std::shared_ptr<arrow::Schema>> PromisedSchema(const audit::Contract* contract);

}  // namespace calve::load
