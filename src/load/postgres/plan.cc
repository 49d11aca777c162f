#include "load/postgres/plan.h"

#include <algorithm>
#include <utility>

#include "audit/audit.h"
#include "base/text.h"
#include "columnar/convert.h"
#include "load/postgres/column_types.h"
#include "load/postgres/statements.h"
#include "load/schema_plan.h"

namespace calve::load::postgres {
namespace {

using iceberg::Field;
using iceberg::Type;

bool LiesInJson(const Type& type) {
  const auto column = ColumnTypeOf(type);
  return column.ok() && column->form == Form::kJson;
}

/// A contract that says nothing of the types of columns that lie in jsonb: whatever they are, they
/// fit.
audit::Contract WithoutNestedTypes(const audit::Contract& contract) {
  audit::Contract plain = contract;
  for (audit::ColumnPromise& column : plain.columns) {
    if (column.type.has_value() && LiesInJson(*column.type)) column.type.reset();
  }
  return plain;
}

const Field* FindField(const std::vector<Field>& fields, const std::string& name) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

/// Promise of the contract that a column is never NULL, for a new table.
void TakeRequired(const audit::Contract* contract, std::vector<Field>* fields) {
  if (contract == nullptr) return;
  for (Field& field : *fields) {
    for (const audit::ColumnPromise& column : contract->columns) {
      if (column.name == field.name && column.required) field.required = true;
    }
  }
}

Result<bool> Asks(const Context& context, io::PostgresDatabase& database, const std::string& sql,
                  const std::vector<std::string>& parameters = {}) {
  CALVE_ASSIGN_OR_RETURN(const auto rows, database.Query(context, sql, parameters));
  return !rows.empty() && rows[0][0] == "t";
}

/// Whether a relation can be made in the table's schema, or the schema itself.
Result<bool> MayMakeTables(const Context& context, io::PostgresDatabase& database,
                           const std::string& schema) {
  return Asks(context, database,
              "SELECT CASE WHEN pg_catalog.to_regnamespace(pg_catalog.quote_ident($1)) IS NULL "
              "THEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') "
              "ELSE pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace("
              "pg_catalog.quote_ident($1))::oid, 'CREATE') END",
              {schema});
}

Status CheckRights(const Context& context, io::PostgresDatabase& database, const Planned& load,
                   const SchemaPlan& plan, config::Faults* faults) {
  const auto fault = [&](const std::string& text) { faults->Add(load.place, text); };
  CALVE_ASSIGN_OR_RETURN(
      const bool read_only,
      Asks(context, database, "SELECT current_setting('transaction_read_only') = 'on'"));
  if (read_only)
    fault("the database " + database.shown() +
          " takes no writes: expected a primary server, found a standby or a read-only setting");
  CALVE_ASSIGN_OR_RETURN(const bool may_stage, Asks(context, database,
                                                    "SELECT pg_catalog.has_database_privilege("
                                                    "pg_catalog.current_database(), 'TEMPORARY')"));
  if (!may_stage)
    fault("rows wait in a temporary table, which " + database.shown() +
          " may not make; GRANT TEMPORARY ON DATABASE");
  CALVE_ASSIGN_OR_RETURN(const bool has_book, load.book.IsThere(context, database));
  CALVE_ASSIGN_OR_RETURN(const bool may_make, MayMakeTables(context, database, load.table.schema));
  if ((load.target == nullptr || !has_book) && !may_make)
    fault("the schema " + load.table.schema + " has no table " +
          (load.target == nullptr ? load.table.name : load.book.name().name) + ", and " +
          database.shown() + " may not make it; GRANT CREATE ON SCHEMA, or make it");
  if (load.target == nullptr) return Status::Ok();
  if (!load.target->refused.empty()) fault(load.target->refused);
  CALVE_ASSIGN_OR_RETURN(const auto changes,
                         ChangeColumns(load.table, *load.target, plan.schema->fields()));
  if (changes.empty()) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(
      const bool may_alter,
      Asks(context, database,
           "SELECT pg_catalog.pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class WHERE oid = "
           "pg_catalog.to_regclass($1)",
           {load.table.Quoted()}));
  if (!may_alter)
    fault("only the owner of " + load.table.ToString() + " can change its columns (" + changes[0] +
          "), which " + database.shown() + " is not; have its owner do it, or set on_new_column");
  return Status::Ok();
}

void CheckColumns(const Planned& load, const SchemaPlan& plan,
                  const std::vector<std::string>& written, config::Faults* faults) {
  for (const std::string& name : written) {
    const TargetColumn* known = load.target == nullptr ? nullptr : load.target->Find(name);
    if (known != nullptr && !known->refused.empty()) {
      faults->Add(load.place, "column " + name + " of " + load.table.ToString() + " " +
                                  known->refused +
                                  "; leave it out with a column_mapping transformer, or change the "
                                  "column");
    }
    if (name.size() > kNameBytesMax || name.empty()) {
      faults->Add(load.place, "expected names of columns of 1 to " + std::to_string(kNameBytesMax) +
                                  " bytes, found " + config::QuoteForMessage(name) +
                                  "; rename it with a column_mapping transformer");
    }
    const auto type = ColumnTypeOf(FindField(plan.schema->fields(), name)->type);
    if (!type.ok()) faults->Add(load.place, "column " + name + ": " + type.error().message);
  }
}

Status CheckContract(const Context& context, const Planned& load, const SchemaPlan& plan,
                     config::Faults* faults) {
  audit::PlannedScope scope;
  CALVE_ASSIGN_OR_RETURN(const auto judged,
                         iceberg::Schema::Make(iceberg::SchemaId(0),
                                               iceberg::AssignFreshIds(
                                                   JudgedFields(load.target, plan.schema->fields()),
                                                   iceberg::FieldId(0))
                                                   .first));
  CALVE_ASSIGN_OR_RETURN(scope.inputs.schema, columnar::ToArrowSchema(*judged));
  scope.inputs.now_ms = MillisSinceEpoch(context.clock->Now());
  scope.resolver = load.resources.resolver;
  scope.new_table = {load.table.schema, load.table.name};
  return audit::CheckContract(context, *load.request.contract, *load.request.checks,
                              *load.resources.engine, scope, faults);
}

}  // namespace

std::vector<std::string> RightsFor(WriteMode mode) {
  std::vector<std::string> rights = {"SELECT", "INSERT"};
  if (mode == WriteMode::kOverwrite) rights.push_back("DELETE");
  if (mode == WriteMode::kMerge) rights.push_back("UPDATE");
  return rights;
}

std::vector<Field> JudgedFields(const Target* target, const std::vector<Field>& planned) {
  std::vector<Field> judged = planned;
  for (Field& field : judged) {
    const TargetColumn* known = target == nullptr ? nullptr : target->Find(field.name);
    if (LiesInJson(field.type) ||
        (known != nullptr && field.type.is_nested() && !known->type.is_nested()))
      field.type = Type::String();
    field.required = false;
  }
  return judged;
}

Result<SchemaPlan> MeetTable(const Planned& load, const arrow::Schema& incoming) {
  constexpr int kFormatVersion = 2;  // Without types of Iceberg's version 3.
  CALVE_ASSIGN_OR_RETURN(const std::vector<Field> fields,
                         columnar::ToIcebergFields(incoming, kFormatVersion));
  std::vector<Field> met = fields;
  for (Field& field : met) {
    const TargetColumn* known = load.target == nullptr ? nullptr : load.target->Find(field.name);
    const bool into_text = known != nullptr && field.type.is_nested() && !known->type.is_nested();
    if (LiesInJson(field.type) || into_text) field.type = Type::String();
  }
  iceberg::SchemaPtr current;
  if (load.target != nullptr) {
    CALVE_ASSIGN_OR_RETURN(current,
                           iceberg::Schema::Make(iceberg::SchemaId(0), load.target->Fields()));
  }
  std::optional<audit::Contract> contract;
  if (load.request.contract != nullptr) contract = WithoutNestedTypes(*load.request.contract);
  CALVE_ASSIGN_OR_RETURN(SchemaPlan plan,
                         MeetSchemas({.table = load.table.ToString(),
                                      .current = current.get(),
                                      .contract = contract.has_value() ? &*contract : nullptr,
                                      .format_version = kFormatVersion},
                                     met));
  std::vector<Field> planned = plan.schema->fields();
  for (Field& field : planned) {
    const Field* as_it_comes = FindField(fields, field.name);
    if (as_it_comes != nullptr && as_it_comes->type.is_nested() && !field.type.is_nested())
      field.type = as_it_comes->type;
  }
  if (plan.new_table) TakeRequired(load.request.contract, &planned);
  CALVE_ASSIGN_OR_RETURN(
      plan.schema,
      iceberg::Schema::Make(iceberg::SchemaId(0),
                            iceberg::AssignFreshIds(planned, iceberg::FieldId(0)).first));
  return plan;
}

Result<std::vector<std::string>> KeyOf(const Planned& load, const iceberg::Schema& planned) {
  std::vector<std::string> key;
  if (load.options.write_mode != WriteMode::kMerge) return key;
  key = load.options.key;
  if (key.empty() && load.request.contract != nullptr) key = load.request.contract->key;
  if (key.empty()) {
    return ConfigError("write_mode: merge needs to know which rows of " + load.table.ToString() +
                       " are the same; name their columns in the loader's key, or in the "
                       "contract's");
  }
  for (const std::string& name : key) {
    const Field* field = FindField(planned.fields(), name);
    if (field == nullptr) {
      return ConfigError("key column '" + name + "' is no column of " + load.table.ToString() +
                         DidYouMean(name, planned.full_names()));
    }
    const iceberg::TypeKind kind = field->type.kind();
    if (field->type.is_nested() || kind == iceberg::TypeKind::kFloat ||
        kind == iceberg::TypeKind::kDouble) {
      return ConfigError("key column '" + name + "' is " + field->type.ToString() +
                         ", whose values cannot be told apart exactly; name another column");
    }
  }
  return key;
}

Status CheckPlan(const Context& context, io::PostgresDatabase& database, const Planned& load,
                 const SchemaPlan& plan, const std::vector<std::string>& written) {
  config::Faults faults;
  CheckColumns(load, plan, written, &faults);
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  CALVE_RETURN_IF_ERROR(CheckRights(context, database, load, plan, &faults));
  const auto key = KeyOf(load, *plan.schema);
  if (!key.ok()) faults.Add(load.place, key.error().message);
  for (const std::string& name : key.ok() ? *key : std::vector<std::string>()) {
    if (std::find(written.begin(), written.end(), name) != written.end()) continue;
    faults.Add(load.place, "key column '" + name + "' is not in the source: rows cannot be merged");
  }
  if (load.request.contract != nullptr)
    CALVE_RETURN_IF_ERROR(CheckContract(context, load, plan, &faults));
  return faults.ToStatus();
}

}  // namespace calve::load::postgres
