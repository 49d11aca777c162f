#include "statement/table_definition.h"

#include <map>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "columnar/convert.h"
#include "commit/new_table.h"
#include "iceberg/partition.h"
#include "iceberg/sort_text.h"
#include "iceberg/value.h"
#include "statement/row_change.h"
#include "statement/table_changes.h"
#include "writer/writer.h"

namespace calve::statement {
namespace {

using engine::Statement;
using Kind = Statement::Kind;
using Target = engine::CatalogResolver::Target;

/// Columns of a new table get their ids in order, as iceberg::CreateTable gives them.
Result<iceberg::CreateTableOptions> LayoutOf(const Statement& statement) {
  iceberg::CreateTableOptions create;
  create.properties = statement.properties;
  int64_t version = 2;
  if (const auto said = create.properties.find("format-version"); said != create.properties.end()) {
    version = ParseInteger(said->second).value_or(0);
    if (version != 2 && version != 3)
      return ConfigError("format-version: expected 2 or 3, found " + Quote(said->second));
  }
  create.properties["format-version"] = std::to_string(version);
  CALVE_ASSIGN_OR_RETURN(create.fields,
                         columnar::ToIcebergFields(*statement.columns, static_cast<int>(version)));
  CALVE_ASSIGN_OR_RETURN(const iceberg::SchemaPtr planned,
                         iceberg::Schema::Make(iceberg::SchemaId(0), create.fields));
  CALVE_RETURN_IF_ERROR(writer::CheckWritable(planned));
  for (iceberg::Field& field : create.fields) {
    const auto said = statement.defaults.find(field.name);
    if (said == statement.defaults.end() || said->second == "null") continue;
    if (version < 3) {
      return ConfigError("the default of column " + Quote(field.name) +
                         " needs format version 3; say WITH ('format-version' = '3')");
    }
    CALVE_ASSIGN_OR_RETURN(field.write_default, iceberg::ParseText(field.type, said->second));
  }
  for (const std::string& name : statement.primary_key) {
    const iceberg::Field* field = planned->FindByName(name);
    if (field == nullptr) {
      return ConfigError("PRIMARY KEY: the table has no column " + name +
                         DidYouMean(name, planned->full_names()));
    }
    create.identifier_field_ids.push_back(field->id);
  }
  CALVE_ASSIGN_OR_RETURN(
      create.partition_fields,
      iceberg::ParsePartitionFields(statement.partition_by, *planned, iceberg::FieldId(999)));
  CALVE_ASSIGN_OR_RETURN(create.sort_fields, iceberg::ParseSortFields(statement.sort_by, *planned));
  return create;
}

Result<bool> IsThere(const Context& context, const Target& target) {
  const auto loaded = target.catalog->LoadTable(context, target.table);
  if (loaded.ok()) return true;
  if (loaded.error().kind == ErrorKind::kNotFound) return false;
  return loaded.error();
}

Status Drop(const Context& context, const Target& target, const Resources& resources) {
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable table,
                         target.catalog->LoadTable(context, target.table));
  return commit::Committer(*target.catalog, *resources.load.files)
      .Drop(context, target.table, table, nullptr);
}

Result<bool> Alter(const Context& context, const Statement& statement, const Target& target,
                   const Resources& resources) {
  commit::Committer committer(*target.catalog, *resources.load.files);
  bool changed = false;
  CALVE_RETURN_IF_ERROR(committer.Update(
      context, target.table,
      [&](const iceberg::TableMetadata& base) -> Result<iceberg::TableChange> {
        std::vector<std::string> sentences;
        for (const Statement::Alteration& alteration : statement.alterations) {
          sentences.push_back(alteration.before);
          if (alteration.type == nullptr) continue;
          CALVE_ASSIGN_OR_RETURN(const iceberg::Type type,
                                 columnar::ToIcebergType(*alteration.type, base.format_version));
          sentences.back() += type.ToString() + alteration.after;
        }
        CALVE_ASSIGN_OR_RETURN(iceberg::TableChange change, ChangeTable(base, sentences));
        changed = !change.updates.empty();
        return change;
      }));
  return changed;
}

Status Rename(const Context& context, const Statement& statement, const Target& target) {
  catalog::TableName renamed = target.table;
  renamed.name = statement.new_name;
  return target.catalog->RenameTable(context, target.table, renamed);
}

Result<Outcome> ChangeNamespace(const Context& context, const Statement& statement,
                                const Resources& resources) {
  CALVE_ASSIGN_OR_RETURN(const auto target,
                         resources.resolver->NamespaceOf(statement.target.parts));
  const bool creates = statement.kind == Kind::kCreateNamespace;
  const Status done = creates ? target.catalog->CreateNamespace(context, target.ns, {})
                              : target.catalog->DropNamespace(context, target.ns);
  const ErrorKind already = creates ? ErrorKind::kAlreadyExists : ErrorKind::kNotFound;
  const bool is_so = !done.ok() && done.error().kind == already && statement.if_needed;
  if (!is_so) CALVE_RETURN_IF_ERROR(done);
  return Outcome{.kind = statement.kind, .target = catalog::ToString(target.ns), .changed = !is_so};
}

}  // namespace

Result<Outcome> CreateTable(const Context& context, const std::string& sql,
                            const Statement& statement, const std::string& run,
                            const Resources& resources, load::Observer* observer) {
  CALVE_ASSIGN_OR_RETURN(const Target target, resources.resolver->TargetOf(statement.target.parts));
  Outcome outcome{.kind = statement.kind, .target = target.table.ToString()};
  CALVE_ASSIGN_OR_RETURN(const bool is_there, IsThere(context, target));
  if (is_there && !statement.if_needed) {
    return AlreadyExistsError("table " + outcome.target +
                              " is there already; say CREATE TABLE IF "
                              "NOT EXISTS to leave it as it is, or DROP TABLE first");
  }
  outcome.changed = !is_there;
  if (is_there) return outcome;
  commit::Committer committer(*target.catalog, *resources.load.files);
  const auto options = [&](const std::string& location) -> Result<iceberg::CreateTableOptions> {
    CALVE_ASSIGN_OR_RETURN(iceberg::CreateTableOptions create, LayoutOf(statement));
    create.location = location;
    create.uuid = NewUuidString(*context.random);
    return create;
  };
  CALVE_ASSIGN_OR_RETURN(const auto new_table,
                         committer.PlanTable(context, target.table, nullptr, options));
  if (statement.from_query) {
    CALVE_ASSIGN_OR_RETURN(
        outcome, ChangeRows(context, sql, statement, new_table, run, resources, observer));
    if (outcome.changed) return outcome;
    outcome.changed = true;  // a query without rows: the table comes alone
  }
  CALVE_RETURN_IF_ERROR(committer.CreateTable(context, target.table, *new_table));
  return outcome;
}

Result<Outcome> ChangeDefinition(const Context& context, const Statement& statement,
                                 const Resources& resources) {
  if (statement.kind == Kind::kCreateNamespace || statement.kind == Kind::kDropNamespace)
    return ChangeNamespace(context, statement, resources);
  CALVE_ASSIGN_OR_RETURN(const Target target, resources.resolver->TargetOf(statement.target.parts));
  Outcome outcome{.kind = statement.kind, .target = target.table.ToString()};
  if (statement.if_needed) {
    CALVE_ASSIGN_OR_RETURN(outcome.changed, IsThere(context, target));
    if (!outcome.changed) return outcome;
  } else {
    // So that a name that is not there is answered with those that are.
    CALVE_RETURN_IF_ERROR(resources.resolver->Load(context, statement.target.parts));
  }
  switch (statement.kind) {
    case Kind::kDropTable:
      CALVE_RETURN_IF_ERROR(Drop(context, target, resources));
      return outcome;
    case Kind::kRenameTable:
      CALVE_RETURN_IF_ERROR(Rename(context, statement, target));
      return outcome;
    default:
      CALVE_ASSIGN_OR_RETURN(outcome.changed, Alter(context, statement, target, resources));
      return outcome;
  }
}

}  // namespace calve::statement
