#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "io/postgres.h"
#include "load/load.h"
#include "load/postgres/book.h"
#include "load/postgres/options.h"
#include "load/postgres/target.h"
#include "load/registry.h"

namespace calve::load::postgres {

/// A load as it is planned, before anything is read or changed.
struct Planned {
  const PostgresOptions& options;
  config::Place place;  ///< Of the options.
  const Request& request;
  const Resources& resources;
  const RelationName& table;
  const Book& book;
  const Target* target = nullptr;  ///< Null: the table is not there.
};

/// Decide how incoming columns meet the table: structs and maps lie in jsonb, as do lists of them.
Result<SchemaPlan> MeetTable(const Planned& load, const arrow::Schema& incoming);

/// The key that rows are merged by; empty with other write modes. Fails with kConfig.
Result<std::vector<std::string>> KeyOf(const Planned& load, const iceberg::Schema& planned);

/// The table's columns as a check sees them: what lies in jsonb is text.
std::vector<iceberg::Field> JudgedFields(const Target* target,
                                         const std::vector<iceberg::Field>& planned);

/// See everything that would stop such a load later on: rights, columns that cannot be written, the
/// key, the contract's checks. All faults are one kConfig error. `written`: names of the columns
/// that the load has.
Status CheckPlan(const Context& context, io::PostgresDatabase& database, const Planned& load,
                 const SchemaPlan& plan, const std::vector<std::string>& written);

/// The rights on a table that is there which a load takes, as has_table_privilege names them.
std::vector<std::string> RightsFor(WriteMode mode);

}  // namespace calve::load::postgres
