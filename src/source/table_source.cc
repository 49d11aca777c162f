#include "source/table_source.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "columnar/row_text.h"
#include "source/table_rows.h"

namespace calve::source {
namespace {

/// So many parts for each reader: the last ones end at about the same time.
constexpr int64_t kPartsPerReader = 4;

std::string SelectOf(const Relation& relation, const std::vector<std::string>& conditions) {
  std::vector<std::string> expressions;
  for (const TableColumn& column : relation.columns) expressions.push_back(column.expression);
  std::string sql = "SELECT " + Join(expressions, ", ") + " FROM " + relation.from;
  std::string_view before = " WHERE ";
  for (const std::string& condition : conditions) {
    if (condition.empty()) continue;
    sql += before;
    sql += "(" + condition + ")";
    before = " AND ";
  }
  return sql;
}

std::vector<std::string> NamesOf(const Relation& relation) {
  std::vector<std::string> names;
  for (const TableColumn& column : relation.columns) names.push_back(column.name);
  return names;
}

/// Keep the columns that were asked for, in that order.
Status SelectColumns(const std::vector<std::string>& asked, Relation* relation) {
  if (asked.empty()) return Status::Ok();
  std::vector<TableColumn> kept;
  for (const std::string& name : asked) {
    const TableColumn* column = relation->Find(name);
    if (column == nullptr) {
      return ConfigError(relation->name + " has no column '" + name + "'" +
                         DidYouMean(name, NamesOf(*relation)) +
                         "; name columns as the database does");
    }
    kept.push_back(*column);
  }
  relation->columns = std::move(kept);
  return Status::Ok();
}

/// The columns of all relations by name; one name has one type.
Result<std::shared_ptr<arrow::Schema>> CommonSchema(const std::vector<Relation>& relations) {
  arrow::FieldVector fields;
  for (const Relation& relation : relations) {
    for (const TableColumn& column : relation.columns) {
      const auto known = std::find_if(fields.begin(), fields.end(),
                                      [&](const auto& f) { return f->name() == column.name; });
      if (known == fields.end()) {
        fields.push_back(arrow::field(column.name, column.type));
      } else if (!(*known)->type()->Equals(*column.type)) {
        return DataError(relation.name + ", column " + column.name + ": the type is " +
                         column.type->ToString() + ", but " + (*known)->type()->ToString() +
                         " in the tables before; load tables of one kind by a job of its own");
      }
    }
  }
  return arrow::schema(std::move(fields));
}

std::string NameAll(const std::vector<Relation>& relations) {
  std::string names = relations.front().name;
  if (relations.size() > 1) {
    const auto more = static_cast<int64_t>(relations.size()) - 1;
    names += " and " + FormatCount(more) + (more == 1 ? " more table" : " more tables");
  }
  return names;
}

}  // namespace

const TableColumn* Relation::Find(const std::string& column) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const TableColumn& c) { return c.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

void RowsRead::KeepFirstOfRow() {
  std::stable_sort(misfits.begin(), misfits.end(),
                   [](const auto& a, const auto& b) { return a.row < b.row; });
  misfits.erase(std::unique(misfits.begin(), misfits.end(),
                            [](const auto& a, const auto& b) { return a.row == b.row; }),
                misfits.end());
}

/// What Plan works on.
struct TableSource::Planning {
  const PlanOptions& options;
  std::shared_ptr<DatabaseView> view;
  std::shared_ptr<const std::vector<Relation>> relations;
  std::optional<TablePositions> since;
  TablePositions reached;
  std::vector<std::string> news;  ///< For the summary.
  ReadPlan plan;

  /// Add a split of a relation; `seen`: rows to leave out, may be null.
  void Add(size_t relation, std::string label, ByteCount bytes,
           const std::vector<std::string>& conditions, std::shared_ptr<SeenRows> seen = nullptr,
           std::vector<std::string> seen_columns = {}) {
    const Relation& read = (*relations)[relation];
    plan.splits.push_back({.label = label,
                           .bytes = bytes,
                           .payload = std::make_shared<const TableSplit>(
                               TableSplit{.view = view,
                                          .relations = relations,
                                          .relation = relation,
                                          .label = label,
                                          .sql = SelectOf(read, conditions),
                                          .seen = std::move(seen),
                                          .seen_columns = std::move(seen_columns)})});
  }
};

Result<std::vector<Relation>> TableSource::Describe(const Context& context,
                                                    const PlanOptions& options, DatabaseView& view,
                                                    std::vector<std::string>* notes) {
  CALVE_ASSIGN_OR_RETURN(std::vector<Relation> relations, view.Relations(context, options_));
  if (relations.empty())
    return ConfigError("no table is named; name one by table, or a list of names or patterns");
  for (Relation& relation : relations) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_RETURN_IF_ERROR(view.Describe(context, options, &relation, notes));
    std::vector<std::string> names = NamesOf(relation);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) {
      return ConfigError(relation.name + " has several columns called '" + *twice +
                         "'; give each a name of its own in the query (AS)");
    }
    CALVE_RETURN_IF_ERROR(SelectColumns(options_.columns, &relation));
    if (relation.columns.empty())
      return DataError(relation.name + " has no column; expected a table with columns");
    // Rights and the condition are looked at before anything is read.
    const std::string met = options_.where.empty() ? "" : "(" + options_.where + ") AND ";
    CALVE_RETURN_IF_ERROR(
        view.Value(context, "SELECT 1 FROM " + relation.from + " WHERE " + met + "1 = 0"));
  }
  return relations;
}

Status TableSource::Check(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const auto view, OpenView(context, 1));
  std::vector<std::string> notes;
  return StatusOf(Describe(context, {}, *view, &notes));
}

Result<std::vector<Stream>> TableSource::Discover(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const auto view, OpenView(context, 1));
  std::vector<std::string> notes;
  CALVE_ASSIGN_OR_RETURN(const auto relations, Describe(context, {}, *view, &notes));
  std::vector<Stream> streams;
  for (const Relation& relation : relations) {
    CALVE_ASSIGN_OR_RETURN(auto schema, CommonSchema({relation}));
    streams.push_back({.name = relation.name, .schema = std::move(schema)});
  }
  return streams;
}

Result<ReadPlan> TableSource::Plan(const Context& context, const PlanOptions& options) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  plan_options_ = options;
  Planning planning{.options = options,
                    .view = nullptr,
                    .relations = nullptr,
                    .since = {},
                    .reached = {.type = type_, .cursor = options_.cursor_column, .tables = {}},
                    .news = {},
                    .plan = {}};
  if (options_.incremental && options.since.has_value()) {
    CALVE_ASSIGN_OR_RETURN(planning.since,
                           TablePositions::Parse(*options.since, type_, options_.cursor_column));
    planning.reached.tables = planning.since->tables;
  }
  CALVE_ASSIGN_OR_RETURN(planning.view, OpenView(context, options.parallelism));
  CALVE_ASSIGN_OR_RETURN(auto relations,
                         Describe(context, options, *planning.view, &planning.plan.notes));
  CALVE_ASSIGN_OR_RETURN(planning.plan.schema, CommonSchema(relations));
  planning.relations = std::make_shared<const std::vector<Relation>>(std::move(relations));
  for (size_t i = 0; i < planning.relations->size(); ++i) {
    CALVE_RETURN_IF_ERROR(options_.incremental ? PlanIncrement(context, planning, i)
                                               : PlanWhole(context, planning, i));
  }
  ReadPlan plan = std::move(planning.plan);
  for (const Split& split : plan.splits) plan.bytes += split.bytes;
  plan.summary = NameAll(*planning.relations);
  if (plan.bytes.value() > 0) plan.summary += ", about " + FormatBytes(plan.bytes);
  if (!planning.news.empty()) plan.summary += ", " + Join(planning.news, ", ");
  plan.summary += "   " + shown();
  if (options_.incremental) plan.position = planning.reached.Print();
  return plan;
}

Status TableSource::PlanWhole(const Context& context, Planning& planning, size_t index) {
  const Relation& relation = (*planning.relations)[index];
  CALVE_ASSIGN_OR_RETURN(
      const auto parts,
      planning.view->Parts(context, relation, planning.options.parallelism * kPartsPerReader));
  const auto count = static_cast<int64_t>(parts.size());
  for (int64_t i = 0; i < count; ++i) {
    const std::string label =
        count == 1 ? relation.name
                   : relation.name + ", part " + FormatCount(i + 1) + " of " + FormatCount(count);
    planning.Add(index, label, ByteCount(relation.bytes.value() / count),
                 {options_.where, parts[static_cast<size_t>(i)]});
  }
  return Status::Ok();
}

Result<SeenRows> TableSource::Remember(const Context& context, Planning& planning,
                                       const Relation& relation, const std::string& from,
                                       const std::string& until) {
  const TableColumn& cursor = *relation.Find(options_.cursor_column);
  const std::string name = planning.view->QuoteName(cursor.name);
  const std::string sql =
      SelectOf(relation, {options_.where, name + " >= " + planning.view->Literal(cursor, from),
                          name + " <= " + planning.view->Literal(cursor, until)});
  CALVE_ASSIGN_OR_RETURN(const auto reader,
                         planning.view->Read(context, relation, sql, planning.options));
  SeenRows seen;
  while (true) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(const std::optional<RowsRead> read, reader->Next(context));
    if (!read.has_value()) return seen;
    CALVE_ASSIGN_OR_RETURN(const auto digests, DigestsOf(*read, NamesOf(relation)));
    for (const RowDigest& digest : digests) {
      Status added = seen.Add(digest);
      if (!added.ok()) return While(relation.name, std::move(added).error());
    }
  }
}

Status TableSource::PlanIncrement(const Context& context, Planning& planning, size_t index) {
  const Relation& relation = (*planning.relations)[index];
  DatabaseView& view = *planning.view;
  const TableColumn* cursor = relation.Find(options_.cursor_column);
  if (cursor == nullptr) {
    return ConfigError(relation.name + " has no column '" + options_.cursor_column + "'" +
                       DidYouMean(options_.cursor_column, NamesOf(relation)) +
                       "; set cursor_column to the column that grows");
  }
  CALVE_RETURN_IF_ERROR(view.CheckCursor(relation, *cursor));
  const std::string name = view.QuoteName(cursor->name);
  const std::string met = options_.where.empty() ? "" : " AND (" + options_.where + ")";
  const auto literal = [&](const std::string& text) { return view.Literal(*cursor, text); };
  if (cursor->nullable) {
    CALVE_ASSIGN_OR_RETURN(const auto lacking,
                           view.Value(context, "SELECT 1 FROM " + relation.from + " WHERE " + name +
                                                   " IS NULL" + met + " LIMIT 1"));
    if (lacking.has_value()) {
      return DataError(relation.name + ", column " + cursor->name +
                       ": there are rows in which it is NULL, and an incremental job would never "
                       "read them; fill it, or leave them out by where: \"" +
                       cursor->name + " IS NOT NULL\"");
    }
  }
  const TablePosition* known = nullptr;
  if (planning.since.has_value()) {
    const auto found = planning.since->tables.find(relation.name);
    if (found != planning.since->tables.end()) known = &found->second;
  }
  const std::string beyond = known == nullptr ? "1 = 1" : name + " > " + literal(known->until);
  CALVE_ASSIGN_OR_RETURN(
      const auto greatest,
      view.Value(context, "SELECT " + view.TextOf(*cursor, "max(" + name + ")") + " FROM " +
                              relation.from + " WHERE " + beyond + met));
  if (!greatest.has_value() && known == nullptr) return Status::Ok();  // The table is empty.
  const std::string word = ToLower(greatest.value_or(""));
  if (word == "infinity" || word == "inf" || word == "nan") {
    return DataError(relation.name + ", column " + cursor->name + ": the greatest value is " +
                     *greatest + ", beyond which nothing comes; leave such rows out by where");
  }
  TablePosition reached;
  reached.until = greatest.has_value() ? *greatest : known->until;
  reached.columns = NamesOf(relation);
  const std::optional<LookBack> back = options_.ParsedLookBack();
  const auto before = [&](const std::string& text) -> Result<std::string> {
    if (!back.has_value()) return text;
    CALVE_ASSIGN_OR_RETURN(const std::string expression, view.Before(*cursor, text, *back));
    CALVE_ASSIGN_OR_RETURN(
        const auto value,
        view.Value(context, "SELECT " + view.TextOf(*cursor, expression) + view.FromNothing()));
    return value.value_or(text);
  };
  CALVE_ASSIGN_OR_RETURN(reached.from, before(reached.until));
  if (known != nullptr && !greatest.has_value()) {
    // What lies before the old start was not remembered.
    CALVE_ASSIGN_OR_RETURN(
        const auto later,
        view.Value(context, "SELECT CASE WHEN " + literal(known->from) + " > " +
                                literal(reached.from) + " THEN 1 END" + view.FromNothing()));
    if (later.has_value()) reached.from = known->from;
  }
  CALVE_ASSIGN_OR_RETURN(reached.seen,
                         Remember(context, planning, relation, reached.from, reached.until));
  const std::string up_to = name + " <= " + literal(reached.until);
  if (known == nullptr) {
    CALVE_ASSIGN_OR_RETURN(
        const auto parts,
        view.Parts(context, relation, planning.options.parallelism * kPartsPerReader));
    for (const std::string& part : parts) {
      planning.Add(index, relation.name,
                   ByteCount(relation.bytes.value() / static_cast<int64_t>(parts.size())),
                   {options_.where, part, up_to});
    }
  } else {
    TablePosition old = *known;
    const bool same = !greatest.has_value() && old.from == reached.from &&
                      old.columns == reached.columns && old.seen.Equals(reached.seen);
    if (!same) {
      for (const std::string& column : old.columns) {
        if (relation.Find(column) != nullptr) continue;
        planning.plan.notes.push_back(relation.name + " has lost the column " + column +
                                      ": its rows from " + cursor->name + " " + old.from + " to " +
                                      old.until + " cannot be told apart and are read again");
      }
      planning.Add(
          index, relation.name + ", late rows", ByteCount(0),
          {options_.where, name + " >= " + literal(old.from), name + " <= " + literal(old.until)},
          std::make_shared<SeenRows>(old.seen), old.columns);
    }
    if (greatest.has_value()) {
      planning.Add(index, relation.name, ByteCount(0),
                   {options_.where, name + " > " + literal(old.until), up_to});
    }
    planning.news.push_back(greatest.has_value()
                                ? cursor->name + " beyond " + old.until
                                : (same ? "nothing new" : "late rows") + std::string(" since ") +
                                      cursor->name + " " + old.until);
  }
  planning.reached.tables[relation.name] = std::move(reached);
  return Status::Ok();
}

Result<std::unique_ptr<SplitReader>> TableSource::Open(const Context& context, const ReadPlan& plan,
                                                       const Split& split) {
  const auto& part = std::any_cast<const std::shared_ptr<const TableSplit>&>(split.payload);
  return OpenTableSplit(context, part, plan.schema, plan_options_);
}

}  // namespace calve::source
