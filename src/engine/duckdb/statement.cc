#include "engine/duckdb/statement.h"

#include <duckdb/parser/constraints/not_null_constraint.hpp>
#include <duckdb/parser/constraints/unique_constraint.hpp>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/parsed_data/alter_table_info.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/parser/parsed_data/drop_info.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/alter_statement.hpp>
#include <duckdb/parser/statement/create_statement.hpp>
#include <duckdb/parser/statement/delete_statement.hpp>
#include <duckdb/parser/statement/drop_statement.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/statement/merge_into_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/statement/update_statement.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>
#include <duckdb/parser/tableref/emptytableref.hpp>

#include <algorithm>

#include "base/text.h"

namespace calve::engine {
namespace {

using duckdb::BinderException;
using Kind = Statement::Kind;
using ColumnsOf =
    std::function<std::shared_ptr<arrow::Schema>(duckdb::unique_ptr<duckdb::SQLStatement> query)>;

std::string TextOf(const duckdb::ParsedExpression& value) {
  if (value.GetExpressionClass() == duckdb::ExpressionClass::CONSTANT)
    return value.Cast<duckdb::ConstantExpression>().value.ToString();
  return value.ToString();
}

/// `day(ts)`, `bucket(16, id)` or `address.zip`, without the quotes that SQL has around names.
std::string KeyText(const duckdb::ParsedExpression& key) {
  if (key.GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
    std::string name;
    for (const auto& part : key.Cast<duckdb::ColumnRefExpression>().column_names)
      name += (name.empty() ? "" : ".") + part;
    return name;
  }
  if (key.GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return TextOf(key);
  const auto& call = key.Cast<duckdb::FunctionExpression>();
  std::string arguments;
  for (const auto& argument : call.children)
    arguments += (arguments.empty() ? "" : ", ") + KeyText(*argument);
  return call.function_name + "(" + arguments + ")";
}

class StatementReader {
 public:
  StatementReader(const SqlText& text, const StatementQueries& queries)
      : text_(text), queries_(queries) {}

  Statement Read(const duckdb::SQLStatement& statement) {
    switch (statement.type) {
      case duckdb::StatementType::SELECT_STATEMENT:
      case duckdb::StatementType::EXPLAIN_STATEMENT:
        return {};
      case duckdb::StatementType::INSERT_STATEMENT: {
        const auto& insert = statement.Cast<duckdb::InsertStatement>();
        return OfTable(Kind::kInsert, insert.catalog, insert.schema, insert.table);
      }
      case duckdb::StatementType::UPDATE_STATEMENT:
        return OfTable(Kind::kUpdate, *statement.Cast<duckdb::UpdateStatement>().table);
      case duckdb::StatementType::DELETE_STATEMENT:
        return OfTable(Kind::kDelete, *statement.Cast<duckdb::DeleteStatement>().table);
      case duckdb::StatementType::MERGE_INTO_STATEMENT:
        return OfTable(Kind::kMerge, *statement.Cast<duckdb::MergeIntoStatement>().target);
      case duckdb::StatementType::CREATE_STATEMENT:
        return Create(*statement.Cast<duckdb::CreateStatement>().info);
      case duckdb::StatementType::DROP_STATEMENT:
        return Drop(*statement.Cast<duckdb::DropStatement>().info);
      case duckdb::StatementType::ALTER_STATEMENT:
        return Alter(*statement.Cast<duckdb::AlterStatement>().info);
      default:
        throw BinderException(
            "expected a query, INSERT, UPDATE, DELETE, MERGE INTO, TRUNCATE, or CREATE, ALTER or "
            "DROP of a table or schema; found " +
            duckdb::StatementTypeToString(statement.type));
    }
  }

 private:
  TableReference ReferenceTo(const std::string& catalog, const std::string& schema,
                             const std::string& name) const {
    if (catalog.empty() && schema.empty()) {
      const auto spelled = text_.spelled().find(name);
      if (spelled != text_.spelled().end()) return spelled->second.reference;
    }
    TableReference reference;
    for (const std::string* part : {&catalog, &schema, &name}) {
      if (!part->empty()) reference.parts.push_back(*part);
    }
    return reference;
  }

  Statement OfTable(Kind kind, const std::string& catalog, const std::string& schema,
                    const std::string& name) const {
    Statement statement;
    statement.kind = kind;
    statement.target = ReferenceTo(catalog, schema, name);
    return statement;
  }

  Statement OfTable(Kind kind, const duckdb::TableRef& table) const {
    if (table.type != duckdb::TableReferenceType::BASE_TABLE)
      throw BinderException("expected the name of the table that is to be changed");
    const auto& named = table.Cast<duckdb::BaseTableRef>();
    return OfTable(kind, named.catalog_name, named.schema_name, named.table_name);
  }

  Statement Create(const duckdb::CreateInfo& info) const {
    const bool if_needed = info.on_conflict == duckdb::OnCreateConflict::IGNORE_ON_CONFLICT;
    if (info.on_conflict == duckdb::OnCreateConflict::REPLACE_ON_CONFLICT || info.temporary)
      throw BinderException(
          "expected CREATE or CREATE ... IF NOT EXISTS; found OR REPLACE, or "
          "TEMPORARY, which no lakehouse has: drop the table first");
    if (info.type == duckdb::CatalogType::SCHEMA_ENTRY) {
      Statement statement = OfTable(Kind::kCreateNamespace, info.catalog, info.schema, "");
      statement.if_needed = if_needed;
      return statement;
    }
    if (info.type != duckdb::CatalogType::TABLE_ENTRY)
      throw BinderException("expected CREATE TABLE or CREATE SCHEMA; found CREATE " +
                            duckdb::CatalogTypeToString(info.type));
    const auto& table = info.Cast<duckdb::CreateTableInfo>();
    Statement statement = OfTable(Kind::kCreateTable, table.catalog, table.schema, table.table);
    statement.if_needed = if_needed;
    for (const auto& key : table.partition_keys) statement.partition_by.push_back(KeyText(*key));
    for (const auto& key : table.sort_keys) statement.sort_by.push_back(KeyText(*key));
    for (const auto& [name, value] : table.options)
      statement.properties.emplace(name, TextOf(*value));
    statement.from_query = table.query != nullptr;
    statement.columns = statement.from_query ? queries_.columns_of(table.query->Copy())
                                             : Columns(table, &statement);
    return statement;
  }

  /// The types of columns: those of a row of NULLs, so that DuckDB's binder gives them.
  std::shared_ptr<arrow::Schema> Typed(
      const std::vector<std::pair<std::string, duckdb::LogicalType>>& columns) const {
    auto node = duckdb::make_uniq<duckdb::SelectNode>();
    node->from_table = duckdb::make_uniq<duckdb::EmptyTableRef>();
    for (const auto& [name, type] : columns) {
      auto value = duckdb::make_uniq<duckdb::CastExpression>(
          type, duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value()));
      value->SetAlias(name);
      node->select_list.push_back(std::move(value));
    }
    auto query = duckdb::make_uniq<duckdb::SelectStatement>();
    query->node = std::move(node);
    return queries_.columns_of(std::move(query));
  }

  /// A default as text; "null" for NULL.
  std::string DefaultOf(const duckdb::ParsedExpression& value) const {
    const duckdb::Value found = queries_.constant("(" + value.ToString() + ")");
    return found.IsNull() ? "null" : found.ToString();
  }

  static void RefuseComputed(const duckdb::ColumnDefinition& column) {
    if (column.Generated())
      throw BinderException("column " + column.Name() + ": computed columns are not supported");
  }

  std::shared_ptr<arrow::Schema> Columns(const duckdb::CreateTableInfo& table,
                                         Statement* statement) const {
    std::vector<std::string>* primary_key = &statement->primary_key;
    std::vector<std::pair<std::string, duckdb::LogicalType>> columns;
    for (const auto& column : table.columns.Logical()) {
      RefuseComputed(column);
      if (column.HasDefaultValue())
        statement->defaults[column.Name()] = DefaultOf(column.DefaultValue());
      columns.emplace_back(column.Name(), column.Type());
    }
    std::vector<bool> required(columns.size(), false);
    const auto require = [&](const std::string& name) {
      for (size_t i = 0; i < columns.size(); ++i)
        if (duckdb::StringUtil::CIEquals(columns[i].first, name)) required[i] = true;
    };
    for (const auto& constraint : table.constraints) {
      if (constraint->type == duckdb::ConstraintType::NOT_NULL) {
        required[constraint->Cast<duckdb::NotNullConstraint>().index.index] = true;
        continue;
      }
      const bool is_key = constraint->type == duckdb::ConstraintType::UNIQUE &&
                          constraint->Cast<duckdb::UniqueConstraint>().IsPrimaryKey();
      if (!is_key)
        throw BinderException("a table keeps no constraint but NOT NULL and PRIMARY KEY: put " +
                              constraint->ToString() + " into its contract, as a check");
      const auto& key = constraint->Cast<duckdb::UniqueConstraint>();
      if (key.HasIndex()) {
        primary_key->push_back(columns[key.GetIndex().index].first);
      } else {
        for (const auto& name : key.GetColumnNames()) primary_key->push_back(name);
      }
      for (const std::string& name : *primary_key) require(name);
    }
    const auto typed = Typed(columns);
    arrow::FieldVector fields = typed->fields();
    for (size_t i = 0; i < fields.size(); ++i) fields[i] = fields[i]->WithNullable(!required[i]);
    return arrow::schema(std::move(fields));
  }

  Statement Drop(const duckdb::DropInfo& info) const {
    const bool is_table = info.type == duckdb::CatalogType::TABLE_ENTRY;
    if (!is_table && info.type != duckdb::CatalogType::SCHEMA_ENTRY)
      throw BinderException("expected DROP TABLE or DROP SCHEMA; found DROP " +
                            duckdb::CatalogTypeToString(info.type));
    if (info.cascade)
      throw BinderException("CASCADE is not supported: drop the tables of the schema first");
    Statement statement = OfTable(is_table ? Kind::kDropTable : Kind::kDropNamespace, info.catalog,
                                  info.schema, info.name);
    statement.if_needed = info.if_not_found == duckdb::OnEntryNotFound::RETURN_NULL;
    return statement;
  }

  /// A name as a sentence has it.
  static std::string Word(const std::string& name) {
    return name.find(' ') == std::string::npos ? name : '"' + name + '"';
  }
  static std::string Word(const duckdb::vector<std::string>& path) {
    std::string name;
    for (const std::string& part : path) name += (name.empty() ? "" : ".") + part;
    return Word(name);
  }

  Statement Alter(const duckdb::AlterInfo& info) const {
    if (info.type != duckdb::AlterType::ALTER_TABLE)
      throw BinderException("expected ALTER TABLE; found ALTER " +
                            duckdb::CatalogTypeToString(info.GetCatalogType()));
    Statement statement = OfTable(Kind::kAlterTable, info.catalog, info.schema, info.name);
    statement.if_needed = info.if_not_found == duckdb::OnEntryNotFound::RETURN_NULL;
    const auto& table = info.Cast<duckdb::AlterTableInfo>();
    if (table.alter_table_type == duckdb::AlterTableType::RENAME_TABLE) {
      statement.kind = Kind::kRenameTable;
      statement.new_name = table.Cast<duckdb::RenameTableInfo>().new_table_name;
      return statement;
    }
    statement.alterations = Alterations(table);
    return statement;
  }

  std::vector<Statement::Alteration> Alterations(const duckdb::AlterTableInfo& info) const {
    using Type = duckdb::AlterTableType;
    switch (info.alter_table_type) {
      case Type::RENAME_COLUMN: {
        const auto& rename = info.Cast<duckdb::RenameColumnInfo>();
        return {{"rename " + Word(rename.old_name) + " to " + Word(rename.new_name)}};
      }
      case Type::RENAME_FIELD: {
        const auto& rename = info.Cast<duckdb::RenameFieldInfo>();
        return {{"rename " + Word(rename.column_path) + " to " + Word(rename.new_name)}};
      }
      case Type::ADD_COLUMN: {
        const auto& add = info.Cast<duckdb::AddColumnInfo>();
        if (add.if_column_not_exists) RefuseCondition();
        return {Added(Word(add.new_column.Name()), add.new_column)};
      }
      case Type::ADD_FIELD: {
        const auto& add = info.Cast<duckdb::AddFieldInfo>();
        if (add.if_field_not_exists) RefuseCondition();
        auto path = add.column_path;
        path.push_back(add.new_field.Name());
        return {Added(Word(path), add.new_field)};
      }
      case Type::REMOVE_COLUMN: {
        const auto& remove = info.Cast<duckdb::RemoveColumnInfo>();
        if (remove.if_column_exists) RefuseCondition();
        return {{"drop " + Word(remove.removed_column)}};
      }
      case Type::REMOVE_FIELD: {
        const auto& remove = info.Cast<duckdb::RemoveFieldInfo>();
        if (remove.if_column_exists) RefuseCondition();
        return {{"drop " + Word(remove.column_path)}};
      }
      case Type::ALTER_COLUMN_TYPE:
        return {Widened(info.Cast<duckdb::ChangeColumnTypeInfo>())};
      case Type::DROP_NOT_NULL:
        return {{"optional " + Word(info.Cast<duckdb::DropNotNullInfo>().column_name)}};
      case Type::SET_DEFAULT: {
        const auto& set = info.Cast<duckdb::SetDefaultInfo>();
        return {{"default " + Word(set.column_name) + " " +
                 (set.expression ? DefaultOf(*set.expression) : "null")}};
      }
      case Type::SET_PARTITIONED_BY: {
        std::string keys;
        for (const auto& key : info.Cast<duckdb::SetPartitionedByInfo>().partition_keys)
          keys += (keys.empty() ? "" : ", ") + KeyText(*key);
        return {{"partition by " + (keys.empty() ? "nothing" : keys)}};
      }
      case Type::SET_TABLE_OPTIONS: {
        std::vector<Statement::Alteration> sets;
        for (const auto& [name, value] : info.Cast<duckdb::SetTableOptionsInfo>().table_options)
          sets.push_back({"set " + name + " = " + TextOf(*value)});
        return sets;
      }
      default:
        throw BinderException(
            "ALTER TABLE adds, drops, renames and widens columns, sets "
            "defaults, drops NOT NULL, sets PARTITIONED BY and options, and renames the table; "
            "this form no Iceberg table can keep, or calve "
            "does not know it");
    }
  }

  [[noreturn]] static void RefuseCondition() {
    throw BinderException(
        "IF EXISTS and IF NOT EXISTS of a column are not supported: see which "
        "columns there are with calve table schema");
  }

  Statement::Alteration Added(const std::string& name,
                              const duckdb::ColumnDefinition& column) const {
    RefuseComputed(column);
    return {
        .before = "add " + name + " ",
        .type = Typed({{column.Name(), column.Type()}})->field(0)->type(),
        .after = column.HasDefaultValue() ? " default " + DefaultOf(column.DefaultValue()) : ""};
  }

  Statement::Alteration Widened(const duckdb::ChangeColumnTypeInfo& change) const {
    const bool converts =
        change.expression &&
        (change.expression->GetExpressionClass() != duckdb::ExpressionClass::CAST ||
         change.expression->Cast<duckdb::CastExpression>().child->GetExpressionClass() !=
             duckdb::ExpressionClass::COLUMN_REF);
    if (converts)
      throw BinderException(
          "USING is not supported: a column's type can only be widened, its "
          "values stay; UPDATE changes values");
    return {"widen " + Word(change.column_name) + " to ",
            Typed({{change.column_name, change.target_type}})->field(0)->type()};
  }

  const SqlText& text_;
  const StatementQueries& queries_;
};

}  // namespace

Statement ReadStatement(const duckdb::SQLStatement& statement, const SqlText& text,
                        const StatementQueries& queries) {
  return StatementReader(text, queries).Read(statement);
}

}  // namespace calve::engine
