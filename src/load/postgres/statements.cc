#include "load/postgres/statements.h"

#include <algorithm>

#include "base/text.h"
#include "load/postgres/column_types.h"

namespace calve::load::postgres {
namespace {

std::string QuotedList(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  for (const std::string& name : names) quoted.push_back(QuoteIdentifier(name));
  return Join(quoted, ", ");
}

}  // namespace

Statements::Statements(const RelationName& table, const Target& target,
                       std::vector<std::string> written, std::vector<std::string> key)
    : table_(table.Quoted()), target_(target), written_(std::move(written)), key_(std::move(key)) {}

std::string Statements::Value(const std::string& column) const {
  const TargetColumn* known = target_.Find(column);
  const bool as_it_stands = known == nullptr || (known->exact && !known->holds_json);
  return "s." + QuoteIdentifier(column) + (as_it_stands ? "" : "::" + known->sql);
}

std::string Statements::Columns() const { return QuotedList(written_); }

std::string Statements::Values() const {
  std::vector<std::string> values;
  for (const std::string& column : written_) values.push_back(Value(column));
  return Join(values, ", ");
}

std::string Statements::SameKey() const {
  std::vector<std::string> same;
  for (const std::string& column : key_)
    same.push_back("t." + QuoteIdentifier(column) + " = " + Value(column));
  return Join(same, " AND ");
}

std::string Statements::Insert() const {
  return "INSERT INTO " + table_ + " (" + Columns() + ") SELECT " + Values() + " FROM " + kStaged +
         " s";
}

std::string Statements::Update() const {
  std::vector<std::string> set;
  for (const std::string& column : written_) {
    if (std::find(key_.begin(), key_.end(), column) != key_.end()) continue;
    set.push_back(QuoteIdentifier(column) + " = " + Value(column));
  }
  if (set.empty()) return "";
  return "UPDATE " + table_ + " t SET " + Join(set, ", ") + " FROM " + kStaged + " s WHERE " +
         SameKey();
}

std::string Statements::InsertNew() const {
  return Insert() + " WHERE NOT EXISTS (SELECT 1 FROM " + table_ + " t WHERE " + SameKey() + ")";
}

std::string Statements::RepeatedKeys() const {
  return "SELECT concat_ws(', ', " + QuotedList(key_) + "), count(*) FROM " + kStaged +
         " s GROUP BY " + QuotedList(key_) + " HAVING count(*) > 1 LIMIT 3";
}

std::string Statements::Added() const {
  std::vector<std::string> columns;
  for (const TargetColumn& column : target_.columns) {
    const bool is_written =
        std::find(written_.begin(), written_.end(), column.name) != written_.end();
    columns.push_back((is_written ? Value(column.name) : "NULL::" + column.sql) + " AS " +
                      QuoteIdentifier(column.name));
  }
  return "(SELECT " + Join(columns, ", ") + " FROM " + kStaged + " s) added";
}

Result<std::string> CreateTable(const std::string& quoted_name,
                                const std::vector<iceberg::Field>& fields,
                                const std::vector<std::string>& key) {
  std::vector<std::string> columns;
  for (const iceberg::Field& field : fields) {
    CALVE_ASSIGN_OR_RETURN(const ColumnType type, ColumnTypeOf(field.type));
    columns.push_back(QuoteIdentifier(field.name) + " " + type.sql +
                      (field.required ? " NOT NULL" : ""));
  }
  if (!key.empty()) columns.push_back("PRIMARY KEY (" + QuotedList(key) + ")");
  return "CREATE TABLE " + quoted_name + " (" + Join(columns, ", ") + ")";
}

Result<std::vector<std::string>> ChangeColumns(const RelationName& table, const Target& target,
                                               const std::vector<iceberg::Field>& planned) {
  std::vector<std::string> changes;
  for (const iceberg::Field& field : planned) {
    CALVE_ASSIGN_OR_RETURN(const ColumnType type, ColumnTypeOf(field.type));
    const TargetColumn* known = target.Find(field.name);
    const std::string column = QuoteIdentifier(field.name) + " ";
    if (known == nullptr) {
      changes.push_back("ADD COLUMN " + column + type.sql);
      continue;
    }
    if (!known->exact || type.form == Form::kJson) continue;
    CALVE_ASSIGN_OR_RETURN(const ColumnType before, ColumnTypeOf(known->type));
    if (before.sql != type.sql) changes.push_back("ALTER COLUMN " + column + "TYPE " + type.sql);
  }
  for (std::string& change : changes) change = "ALTER TABLE " + table.Quoted() + " " + change;
  return changes;
}

}  // namespace calve::load::postgres
