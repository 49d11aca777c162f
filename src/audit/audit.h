#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "audit/check.h"
#include "audit/contract.h"
#include "audit/registry.h"
#include "base/context.h"
#include "base/result.h"
#include "columnar/convert.h"
#include "engine/engine.h"

namespace calve::audit {

/// Read a contract file's tree, all faults at once. `name` is the table's, from the file's name.
Result<Contract> ParseContract(const config::Node& root, const std::string& name,
                               const Registry& registry);

/// The declaration of a contract file, for its JSON Schema and reference page.
std::shared_ptr<const config::AnyShape> ContractShape();

/// How one check came out.
struct Outcome {
  Check check;
  bool passed = true;
  int64_t rows_failed = 0;
  int64_t rows_total = 0;
  std::string message;  ///< "312 of 1,000 rows are NULL"
  /// A WHERE condition that shows the rows that fail, for the person who looks; empty when there is
  /// none.
  std::string where;
};

struct Report {
  std::vector<Outcome> outcomes;  ///< In the contract's order.
  int64_t rows = 0;               ///< Rows that were judged.
  bool failed() const;            ///< Whether a check of severity fail did not pass.
  int64_t warned() const;
};

/// A row that a quarantine check holds back.
struct RowVerdict {
  int64_t row;         ///< In the batch.
  size_t check_index;  ///< The first check that it fails, in RowChecks::checks().
};

/// Row checks of severity quarantine and warn over batches as they pass. For one thread; one per
/// split.
class RowChecks {
 public:
  virtual ~RowChecks() = default;
  virtual const std::vector<CompiledCheck>& checks() const = 0;
  /// Judge a batch: rows to quarantine, ascending; warnings are counted inside.
  virtual Result<std::vector<RowVerdict>> Judge(const Context& context,
                                                const columnar::Batch& batch) = 0;
  /// Why a row of the batch that was judged is held back, in one sentence: the value and what was
  /// expected.
  virtual std::string ReasonOf(const RowVerdict& verdict, const columnar::Batch& batch) const = 0;
  /// Outcomes so far, for the report; sums over splits are the caller's.
  virtual std::vector<Outcome> outcomes() const = 0;
};

/// Compile a contract's row checks for batches of `schema`. Null when it has none to judge as rows
/// pass.
Result<std::unique_ptr<RowChecks>> CompileRowChecks(const Context& context,
                                                    const Contract& contract,
                                                    const Registry& registry,
                                                    engine::Engine& engine,
                                                    const CheckInputs& inputs);

/// The table that a contract is going to be kept by, before there are rows.
struct PlannedScope {
  CheckInputs inputs;
  engine::TableResolver* resolver = nullptr;  ///< For the other tables that checks name.
  std::string catalog;                        ///< See AuditScope.
  /// The table's own name, where it is not there yet: checks may use it.
  std::vector<std::string> new_table;
};

/// See that every check of a contract can be run, so that what AuditTable would refuse is known
/// before a row is read: columns, types, SQL, other tables. Adds every fault.
Status CheckContract(const Context& context, const Contract& contract, const Registry& registry,
                     engine::Engine& engine, const PlannedScope& scope, config::Faults* faults);

/// What AuditTable judges.
struct AuditScope {
  engine::ResolvedTable table;  ///< The very snapshot.
  /// The rows that row checks judge: those of this load only, or the whole table. Aggregate and
  /// query checks always see the whole table.
  std::optional<engine::ResolvedTable> added;
  CheckInputs inputs;
  engine::TableResolver* resolver = nullptr;  ///< For the other tables that checks name.
  /// The judged table's catalog, by name: other tables are looked for there first. Empty: the
  /// resolver's default.
  std::string catalog;
};

/// Judge a snapshot by a contract: one aggregate scan over `added`, one over `table`, and one query
/// for each sql check. Judges, never writes. The outcome of a check that cannot run is an error,
/// not a pass.
Result<Report> AuditTable(const Context& context, const Contract& contract,
                          const Registry& registry, engine::Engine& engine,
                          const AuditScope& scope);

}  // namespace calve::audit
