#include <string>
#include <vector>

#include "audit/columns.h"
#include "audit/registry.h"
#include "base/text.h"
#include "engine/engine.h"

namespace calve::audit {
namespace {

using engine::QuoteIdentifier;

/// A table as SQL names it, each level quoted where that is needed.
std::string TableInSql(const std::string& table) {
  std::string sql;
  for (const std::string& level : Split(table, '.')) {
    if (!sql.empty()) sql += '.';
    sql += ShownName(level);
  }
  return sql;
}

struct ForeignKey {
  std::vector<std::string> columns;
  std::string table;
  std::vector<std::string> references;

  static config::Shape<ForeignKey> Declaration() {
    config::Shape<ForeignKey> shape(
        "foreign_key check",
        "The values of the columns stand in columns of another table; rows with a NULL among them "
        "are not compared.");
    shape.Required("columns", &ForeignKey::columns, "The columns, together one key.",
                   {.example = "[customer_id]"});
    shape.Required("table", &ForeignKey::table,
                   "The table that has the values; `this` is the judged table itself.",
                   {.example = "sales.customers"});
    shape.Optional("references", &ForeignKey::references, "Its columns, in the order of `columns`.",
                   {.example = "[id]", .default_text = "the same names"});
    shape.Check("columns", [](const ForeignKey& o) -> Status {
      if (!o.columns.empty()) return Status::Ok();
      return ConfigError("columns is empty: nothing would be compared; name at least one column");
    });
    shape.Check("references", [](const ForeignKey& o) -> Status {
      if (o.references.empty() || o.references.size() == o.columns.size()) return Status::Ok();
      return ConfigError("references names " + std::to_string(o.references.size()) +
                         " columns and columns " + std::to_string(o.columns.size()) +
                         "; name as many, in the same order");
    });
    return shape;
  }

  std::string Name() const {
    const std::string own = Join(columns, ", ");
    const bool same = references.empty() || references == columns;
    return own + " in " + table + (same ? "" : "(" + Join(references, ", ") + ")");
  }

  const std::vector<std::string>& Referenced() const {
    return references.empty() ? columns : references;
  }

  /// One anti-join: a hash join, which the engine spills when its memory is short.
  std::string Query() const {
    std::string on;
    std::string known;
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string own = "checked." + QuoteIdentifier(columns[i]);
      if (i > 0) on += " AND ";
      if (i > 0) known += " AND ";
      on += own + " = referenced." + QuoteIdentifier(Referenced()[i]);
      known += own + " IS NOT NULL";
    }
    return "SELECT 1 FROM this AS checked ANTI JOIN " + TableInSql(table) + " AS referenced ON " +
           on + " WHERE " + known;
  }

  /// What shows the rows that fail, as a person would ask for them. A NULL in the list of a NOT IN
  /// would hide them all.
  std::string Where() const {
    const auto shown = [](const std::vector<std::string>& names) {
      std::string list;
      for (const std::string& name : names) list += (list.empty() ? "" : ", ") + ShownName(name);
      return names.size() == 1 ? list : "(" + list + ")";
    };
    std::string known;
    for (const std::string& name : Referenced())
      known += (known.empty() ? "" : " AND ") + ShownName(name) + " IS NOT NULL";
    std::string where = shown(columns) + " NOT IN (SELECT " + shown(Referenced()) + " FROM " +
                        TableInSql(table) + " WHERE " + known + ")";
    if (columns.size() == 1) return where;
    for (const std::string& name : columns) where += " AND " + ShownName(name) + " IS NOT NULL";
    return where;
  }
};

Result<CompiledCheck> Compile(const Check& check, const CheckInputs& inputs) {
  CALVE_ASSIGN_OR_RETURN(const ForeignKey options, ForeignKey::Declaration().Parse(check.options));
  CALVE_RETURN_IF_ERROR(RequireColumns(check, *inputs.schema, options.columns));
  CALVE_RETURN_IF_ERROR(RequireValues(check, *inputs.schema, options.columns));
  CompiledCheck compiled;
  compiled.check = check;
  compiled.scope = CompiledCheck::Scope::kQuery;
  compiled.columns = options.columns;
  compiled.sql = options.Query();
  // With `this` the person's query would have no such table.
  if (options.table != "this") compiled.where = options.Where();
  compiled.failure = "rows have a " + Join(options.columns, ", ") + " that " + options.table + "(" +
                     Join(options.Referenced(), ", ") + ") does not have";
  return compiled;
}

}  // namespace

CALVE_PART(foreign_key) {
  registry.Add({.kind = "foreign_key",
                .meaning = "Values that stand in another table",
                .judges = Judges::kTable,
                .part = config::MakePart<ForeignKey>("foreign_key"),
                .name =
                    [](const config::Node& node) {
                      Result<ForeignKey> options = ForeignKey::Declaration().Parse(node);
                      return options.ok() ? "foreign_key(" + options->Name() + ")"
                                          : std::string("foreign_key");
                    },
                .compile = Compile});
}

}  // namespace calve::audit
