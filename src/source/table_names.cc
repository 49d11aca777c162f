#include "source/table_names.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace calve::source {
namespace {

/// The part of a table's name that parts it from others: its schema, or its catalog where there are
/// no schemas.
const std::string& PlaceOf(const TableName& table) {
  return table.schema.empty() ? table.catalog : table.schema;
}

Relation RelationOf(const TableName& table, const DatabaseView& view) {
  const std::string& place = PlaceOf(table);
  return {.name = place.empty() ? table.name : place + "." + table.name,
          .from = (place.empty() ? "" : view.QuoteName(place) + ".") + view.QuoteName(table.name),
          .columns = {},
          .key = {},
          .native = NamedRelation{.table = table, .query = {}}};
}

}  // namespace

std::string PlainQuery(const std::string& query) {
  std::string plain(Trim(query));
  while (plain.ends_with(';')) plain.pop_back();
  return plain;
}

Relation RelationOfQuery(const std::string& plain_query) {
  // The line break ends a comment at the end of the query. Not every database takes AS here.
  return {.name = "query", .from = "(" + plain_query + "\n) calve_query", .columns = {}, .key = {}};
}

Result<std::vector<Relation>> FindTables(const std::vector<TableName>& tables,
                                         const TableOptions& options, const std::string& schema,
                                         const DatabaseView& view, const std::string& shown) {
  std::vector<Relation> relations;
  for (const std::string& pattern : options.Patterns()) {
    const size_t dot = pattern.find('.');
    const std::string place = dot == std::string::npos ? schema : pattern.substr(0, dot);
    const std::string name = dot == std::string::npos ? pattern : pattern.substr(dot + 1);
    std::vector<std::string> names;
    std::vector<Relation> found;
    for (const TableName& table : tables) {
      names.push_back(table.name);
      if (!place.empty() && PlaceOf(table) != place) continue;
      if (IsPattern(name) ? !MatchesName(table.name, name) : table.name != name) continue;
      found.push_back(RelationOf(table, view));
    }
    if (found.empty()) {
      return NotFoundError(shown + " has no table or view '" + pattern + "' that the user may see" +
                           DidYouMean(name, names) +
                           "; name it as the database does, with its schema where that is needed");
    }
    if (found.size() > 1 && !IsPattern(name)) {
      return ConfigError("'" + pattern + "' is several tables: " + found[0].name + ", " +
                         found[1].name + "; set schema, or name it with its schema");
    }
    for (Relation& relation : found) {
      const bool known = std::any_of(relations.begin(), relations.end(),
                                     [&](const Relation& r) { return r.name == relation.name; });
      if (!known) relations.push_back(std::move(relation));
    }
  }
  return relations;
}

}  // namespace calve::source
