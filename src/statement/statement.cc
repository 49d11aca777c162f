#include "statement/statement.h"

#include "statement/row_change.h"
#include "statement/table_definition.h"

namespace calve::statement {

Result<Outcome> Run(const Context& context, const std::string& sql,
                    const engine::Statement& statement, const std::string& run,
                    const Resources& resources, load::Observer* observer) {
  using Kind = engine::Statement::Kind;
  switch (statement.kind) {
    case Kind::kQuery:
      return BugError("a query changes nothing");
    case Kind::kInsert:
    case Kind::kUpdate:
    case Kind::kDelete:
    case Kind::kMerge:
      return ChangeRows(context, sql, statement, nullptr, run, resources, observer);
    case Kind::kCreateTable:
      return CreateTable(context, sql, statement, run, resources, observer);
    case Kind::kDropTable:
    case Kind::kAlterTable:
    case Kind::kRenameTable:
    case Kind::kCreateNamespace:
    case Kind::kDropNamespace:
      return ChangeDefinition(context, statement, resources);
  }
  return BugError("a statement of a kind that is not known");
}

}  // namespace calve::statement
