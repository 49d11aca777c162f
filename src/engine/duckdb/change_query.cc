#include "engine/duckdb/change_query.h"

#include <duckdb/common/type_visitor.hpp>
#include <duckdb/parser/expression/case_expression.hpp>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/conjunction_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/default_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/expression/operator_expression.hpp>
#include <duckdb/parser/expression/star_expression.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/create_statement.hpp>
#include <duckdb/parser/statement/delete_statement.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/statement/merge_into_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/statement/update_statement.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>
#include <duckdb/parser/tableref/emptytableref.hpp>
#include <duckdb/parser/tableref/expressionlistref.hpp>
#include <duckdb/parser/tableref/joinref.hpp>
#include <duckdb/parser/tableref/subqueryref.hpp>

#include <algorithm>

#include "base/text.h"
#include "engine/duckdb/kept_variants.h"

namespace calve::engine {
namespace {

using duckdb::BinderException;
using duckdb::make_uniq;
using duckdb::MergeActionCondition;
using duckdb::MergeActionType;
using duckdb::SelectNode;
using Expression = duckdb::unique_ptr<duckdb::ParsedExpression>;
using TableRef = duckdb::unique_ptr<duckdb::TableRef>;

constexpr const char* kRows = "calve_rows";      ///< What is inserted.
constexpr const char* kSource = "calve_source";  ///< What is merged, where it has no name.
constexpr const char* kHere = "calve_here";      ///< Marks rows of the source in an outer join.
constexpr const char* kChange = "calve_change";  ///< What a merge does to a row; null: nothing.

Expression Column(const std::string& table, const std::string& name) {
  return make_uniq<duckdb::ColumnRefExpression>(name, table);
}

Expression Constant(duckdb::Value value) {
  return make_uniq<duckdb::ConstantExpression>(std::move(value));
}

Expression Cast(Expression value, const duckdb::LogicalType& type) {
  return make_uniq<duckdb::CastExpression>(type, std::move(value));
}

Expression IsNull(Expression value, bool is_null) {
  return make_uniq<duckdb::OperatorExpression>(is_null
                                                   ? duckdb::ExpressionType::OPERATOR_IS_NULL
                                                   : duckdb::ExpressionType::OPERATOR_IS_NOT_NULL,
                                               std::move(value));
}

Expression Named(Expression value, const std::string& name) {
  value->SetAlias(name);
  return value;
}

duckdb::unique_ptr<duckdb::SelectStatement> StatementOf(
    duckdb::unique_ptr<duckdb::QueryNode> node) {
  auto statement = make_uniq<duckdb::SelectStatement>();
  statement->node = std::move(node);
  return statement;
}

/// A query as a table; its columns are called c0, c1, ... where `columns` is not 0.
TableRef Subquery(duckdb::unique_ptr<duckdb::SelectStatement> query, const std::string& name,
                  size_t columns = 0) {
  auto table = make_uniq<duckdb::SubqueryRef>(std::move(query), name);
  for (size_t i = 0; i < columns; ++i) table->column_name_alias.push_back("c" + std::to_string(i));
  return table;
}

TableRef Cross(TableRef left, TableRef right) {
  auto join = make_uniq<duckdb::JoinRef>(duckdb::JoinRefType::CROSS);
  join->left = std::move(left);
  join->right = std::move(right);
  return join;
}

void AddNamedQueries(const duckdb::CommonTableExpressionMap& from, duckdb::QueryNode& node) {
  auto copy = from.Copy();
  for (auto& [name, query] : copy.map) {
    if (node.cte_map.map.find(name) == node.cte_map.map.end())
      node.cte_map.map.insert(name, std::move(query));
  }
}

void RefuseReturning(const duckdb::vector<Expression>& returning) {
  if (!returning.empty())
    throw BinderException(
        "RETURNING is not supported: rows are staged, audited and published; "
        "read them after that");
}

/// The last part of a table's name, also as a person spelled it with a branch: `ns.t@b`.
std::string LastPart(const std::string& name) {
  const std::string bare = name.substr(0, name.find('@'));
  std::string part = bare.substr(bare.rfind('.') + 1);
  std::erase(part, '"');
  return part;
}

std::string NameOf(const duckdb::TableRef& table) {
  if (!table.alias.empty()) return table.alias;
  if (table.type != duckdb::TableReferenceType::BASE_TABLE) return kSource;
  return LastPart(table.Cast<duckdb::BaseTableRef>().table_name);
}

class QueryMaker {
 public:
  using NamesOf =
      std::function<std::vector<std::string>(duckdb::unique_ptr<duckdb::SQLStatement> query)>;
  QueryMaker(const TargetColumns& target, const NamesOf& names_of)
      : target_(target), names_of_(names_of), alias_(target.name) {}

  ChangeQuery Insert(duckdb::InsertStatement& insert) {
    RefuseReturning(insert.returning_list);
    if (insert.on_conflict_info)
      throw BinderException(
          "ON CONFLICT needs a unique index, which Iceberg tables do not have; "
          "use MERGE INTO");
    if (insert.default_values) {
      auto node = make_uniq<SelectNode>();
      node->from_table = make_uniq<duckdb::EmptyTableRef>();
      for (size_t i = 0; i < Count(); ++i) node->select_list.push_back(DefaultOf(i));
      return Rows(std::move(node));
    }
    auto& query = *insert.select_statement;
    AddNamedQueries(insert.cte_map, *query.node);
    std::vector<size_t> places;
    for (const std::string& name : insert.columns) places.push_back(PlaceOf(name));
    CheckEachOnce(places);
    if (insert.columns.empty() &&
        insert.column_order == duckdb::InsertColumnOrder::INSERT_BY_POSITION)
      for (size_t i = 0; i < Count(); ++i) places.push_back(i);
    FillDefaults(insert, places);
    const std::vector<std::string> given = names_of_(query.Copy());
    if (insert.column_order == duckdb::InsertColumnOrder::INSERT_BY_NAME) {
      places.clear();
      for (const std::string& name : given) places.push_back(PlaceOf(name));
      CheckEachOnce(places);
    }
    return Select(query, places, given.size());
  }

  ChangeQuery CreateAs(duckdb::CreateTableInfo& create) {
    std::vector<size_t> places;
    for (size_t i = 0; i < Count(); ++i) places.push_back(i);
    return Select(*create.query, places, Count());
  }

  ChangeQuery Delete(duckdb::DeleteStatement& remove) {
    RefuseReturning(remove.returning_list);
    auto node = make_uniq<SelectNode>();
    node->from_table = Target(*remove.table);
    for (TableRef& other : remove.using_clauses)
      node->from_table = Cross(std::move(node->from_table), std::move(other));
    node->where_clause = std::move(remove.condition);
    AddNamedQueries(remove.cte_map, *node);
    node->select_list.push_back(Column(alias_, "_file"));
    node->select_list.push_back(Column(alias_, "_pos"));
    return {.statement = StatementOf(std::move(node)), .names_rows = true, .has_columns = false};
  }

  ChangeQuery Update(duckdb::UpdateStatement& update) {
    RefuseReturning(update.returning_list);
    auto node = make_uniq<SelectNode>();
    node->from_table = Target(*update.table);
    if (update.from_table)
      node->from_table = Cross(std::move(node->from_table), std::move(update.from_table));
    node->where_clause = std::move(update.set_info->condition);
    AddNamedQueries(update.cte_map, *node);
    NameRows(*node);
    for (Expression& value : Assigned(*update.set_info))
      node->select_list.push_back(std::move(value));
    return {.statement = StatementOf(std::move(node)), .names_rows = true};
  }

  ChangeQuery Merge(duckdb::MergeIntoStatement& merge) {
    RefuseReturning(merge.returning_list);
    is_merge_ = true;
    TableRef target = Target(*merge.target);
    source_ = NameOf(*merge.source);
    if (duckdb::StringUtil::CIEquals(source_, alias_))
      throw BinderException("the table and what is merged into it are both called " + alias_ +
                            ": give one of them another name with AS");
    auto joined = make_uniq<SelectNode>();
    joined->from_table = Join(merge, std::move(target));
    NameRows(*joined);
    joined->select_list.push_back(Named(ChangeOf(merge), kChange));

    auto node = make_uniq<SelectNode>();
    const std::vector<std::string> rows{"_file", "_pos", kRowIdColumn};
    for (size_t i = 0; i < rows.size() - (target_.has_row_ids ? 0 : 1); ++i)
      node->select_list.push_back(Column(kRows, rows[i]));
    node->select_list.push_back(FieldOfChange("comes"));
    for (size_t i = 0; i < Count(); ++i)
      node->select_list.push_back(FieldOfChange("c" + std::to_string(i)));
    node->from_table = Subquery(StatementOf(std::move(joined)), kRows);
    node->where_clause = IsNull(Column(kRows, kChange), false);
    AddNamedQueries(merge.cte_map, *node);
    return {.statement = StatementOf(std::move(node)), .names_rows = true, .says_comes = true};
  }

 private:
  size_t Count() const { return target_.names.size(); }

  size_t PlaceOf(const std::string& column) const {
    for (size_t i = 0; i < Count(); ++i) {
      if (duckdb::StringUtil::CIEquals(target_.names[i], column)) return i;
    }
    throw BinderException("table " + target_.name + " has no column " + column +
                          DidYouMean(column, target_.names));
  }

  void CheckEachOnce(std::vector<size_t> places) const {
    std::ranges::sort(places);
    const auto twice = std::ranges::adjacent_find(places);
    if (twice != places.end())
      throw BinderException("column " + target_.names[*twice] + " is given two values");
  }

  /// A value in the type of a column. DuckDB casts a VARIANT that is NULL to the JSON null, which is
  /// no NULL.
  Expression CastTo(size_t place, Expression value) const {
    const duckdb::LogicalType& type = target_.types[place];
    if (!type.IsJSONType()) return Cast(std::move(value), type);
    auto choice = make_uniq<duckdb::CaseExpression>();
    duckdb::CaseCheck is_null;
    is_null.when_expr = IsNull(value->Copy(), true);
    is_null.then_expr = Cast(Constant(duckdb::Value()), type);
    choice->case_checks.push_back(std::move(is_null));
    choice->else_expr = Cast(std::move(value), type);
    return choice;
  }

  Expression DefaultOf(size_t place) const {
    return Either(place, Cast(Constant(target_.defaults[place]), target_.types[place]), nullptr);
  }

  /// The value for a column, which may be DEFAULT.
  Expression ValueFor(size_t place, Expression value) const {
    if (value->GetExpressionType() == duckdb::ExpressionType::VALUE_DEFAULT)
      return DefaultOf(place);
    return Either(place, CastTo(place, std::move(value)), nullptr);
  }

  void FillDefaults(duckdb::InsertStatement& insert, const std::vector<size_t>& places) const {
    if (!insert.GetValuesList()) return;
    auto& from = *insert.select_statement->node->Cast<SelectNode>().from_table;
    for (auto& row : from.Cast<duckdb::ExpressionListRef>().values) {
      for (size_t i = 0; i < row.size() && i < places.size(); ++i) {
        if (row[i]->GetExpressionType() == duckdb::ExpressionType::VALUE_DEFAULT)
          row[i] = DefaultOf(places[i]);
      }
    }
  }

  static ChangeQuery Rows(duckdb::unique_ptr<duckdb::QueryNode> node) {
    return {.statement = StatementOf(std::move(node))};
  }

  /// The i-th column of a query goes to places[i]; the table's other columns have their defaults.
  ChangeQuery Select(duckdb::SelectStatement& query, const std::vector<size_t>& places,
                     size_t given) const {
    if (given != places.size()) {
      throw BinderException("expected " + FormatCount(static_cast<int64_t>(places.size())) +
                            " values a row for table " + target_.name + ", found " +
                            FormatCount(static_cast<int64_t>(given)));
    }
    auto node = make_uniq<SelectNode>();
    for (size_t i = 0; i < Count(); ++i) {
      const auto from = std::ranges::find(places, i);
      node->select_list.push_back(
          from == places.end()
              ? DefaultOf(i)
              : CastTo(i, Column(kRows, "c" + std::to_string(from - places.begin()))));
    }
    auto copy = query.Copy();
    node->from_table = Subquery(
        duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(std::move(copy)),
        kRows, given);
    return Rows(std::move(node));
  }

  /// The table that is changed, where a statement names it.
  TableRef Target(const duckdb::TableRef& stated) {
    if (stated.type != duckdb::TableReferenceType::BASE_TABLE)
      throw BinderException("expected the name of the table that is to be changed");
    const auto& named = stated.Cast<duckdb::BaseTableRef>();
    if (!named.column_name_alias.empty() || named.at_clause)
      throw BinderException("the table that is changed takes a name of its own, nothing else");
    if (!named.alias.empty()) alias_ = named.alias;
    auto table = make_uniq<duckdb::BaseTableRef>();
    table->table_name = kTargetTable;
    table->alias = alias_;
    return table;
  }

  void NameRows(SelectNode& node) const {
    node.select_list.push_back(Column(alias_, "_file"));
    node.select_list.push_back(Column(alias_, "_pos"));
    if (target_.has_row_ids) node.select_list.push_back(Column(alias_, kRowIdColumn));
  }

  /// The row after SET: every column of the table.
  std::vector<Expression> Assigned(duckdb::UpdateSetInfo& set) const {
    std::vector<Expression> row(Count());
    for (size_t i = 0; i < set.columns.size(); ++i) {
      const size_t place = PlaceOf(set.columns[i]);
      if (row[place])
        throw BinderException("column " + target_.names[place] + " is given two values");
      row[place] = ValueFor(place, std::move(set.expressions[i]));
    }
    for (size_t i = 0; i < Count(); ++i) {
      if (!row[i]) row[i] = Kept(i);
    }
    return row;
  }

  /// The value that a row has. Of a variant SQL sees the JSON, which does not say its types: what is
  /// kept are its bytes.
  Expression Kept(size_t place) const {
    const duckdb::LogicalType& type = target_.types[place];
    if (type.IsJSONType()) return Either(place, nullptr, Column(alias_, KeptVariantName(place)));
    if (duckdb::TypeVisitor::Contains(
            type, [](const duckdb::LogicalType& part) { return part.IsJSONType(); }))
      throw duckdb::NotImplementedException(
          "column " + target_.names[place] + " of " + target_.name +
          " has variants in another type, which SQL sees as JSON, without their types, so that a "
          "statement cannot keep them: give the column a value too (SET " +
          target_.names[place] + " = ...), or change the rows by a merge of a job");
    return Column(alias_, target_.names[place]);
  }

  /// A value for a column. Of a merge, in which a variant is JSON in one row and bytes in another, a
  /// struct of both: one is null.
  Expression Either(size_t place, Expression json, Expression bytes) const {
    if (!is_merge_ || !target_.types[place].IsJSONType())
      return json ? std::move(json) : std::move(bytes);
    const auto of_bytes = duckdb::LogicalType::STRUCT(
        {{"metadata", duckdb::LogicalType::BLOB}, {"value", duckdb::LogicalType::BLOB}});
    if (!json) json = Cast(Constant(duckdb::Value()), target_.types[place]);
    if (!bytes) bytes = Cast(Constant(duckdb::Value()), of_bytes);
    duckdb::vector<Expression> fields;
    fields.push_back(Named(std::move(json), "json"));
    fields.push_back(Named(std::move(bytes), "bytes"));
    return make_uniq<duckdb::FunctionExpression>("struct_pack", std::move(fields));
  }

  TableRef Join(duckdb::MergeIntoStatement& merge, TableRef target) {
    const bool keeps_target =
        merge.actions.contains(MergeActionCondition::WHEN_NOT_MATCHED_BY_SOURCE);
    const bool keeps_source =
        merge.actions.contains(MergeActionCondition::WHEN_NOT_MATCHED_BY_TARGET);
    auto all = make_uniq<SelectNode>();
    all->select_list.push_back(make_uniq<duckdb::StarExpression>());
    all->from_table = std::move(merge.source);
    auto names = make_uniq<duckdb::SelectStatement>();
    names->node = all->Copy();
    AddNamedQueries(merge.cte_map, *names->node);
    source_columns_ = names_of_(std::move(names));
    all->select_list.push_back(Named(Constant(duckdb::Value::BOOLEAN(true)), kHere));
    auto join = make_uniq<duckdb::JoinRef>();
    join->type = keeps_target && keeps_source ? duckdb::JoinType::OUTER
                 : keeps_target               ? duckdb::JoinType::LEFT
                 : keeps_source               ? duckdb::JoinType::RIGHT
                                              : duckdb::JoinType::INNER;
    join->left = std::move(target);
    join->right = Subquery(StatementOf(std::move(all)), source_);
    join->condition = std::move(merge.join_condition);
    for (auto& column : merge.using_columns) join->using_columns.push_back(column);
    return join;
  }

  /// What a merge does to a row of the join: one CASE, so that each condition is judged once.
  Expression ChangeOf(duckdb::MergeIntoStatement& merge) {
    auto choice = make_uniq<duckdb::CaseExpression>();
    for (auto& [when, actions] : merge.actions) {
      for (auto& action : actions) {
        duckdb::CaseCheck check;
        check.when_expr = WhenTrue(when, std::move(action->condition));
        check.then_expr = ActionOf(*action);
        choice->case_checks.push_back(std::move(check));
      }
    }
    choice->else_expr = Constant(duckdb::Value());
    return choice;
  }

  Expression WhenTrue(MergeActionCondition when, Expression condition) const {
    const bool in_target = when != MergeActionCondition::WHEN_NOT_MATCHED_BY_TARGET;
    const bool in_source = when != MergeActionCondition::WHEN_NOT_MATCHED_BY_SOURCE;
    duckdb::vector<Expression> all;
    all.push_back(IsNull(Column(alias_, "_file"), !in_target));
    all.push_back(IsNull(Column(source_, kHere), !in_source));
    if (condition) all.push_back(std::move(condition));
    return make_uniq<duckdb::ConjunctionExpression>(duckdb::ExpressionType::CONJUNCTION_AND,
                                                    std::move(all));
  }

  Expression ActionOf(duckdb::MergeIntoAction& action) const {
    switch (action.action_type) {
      case MergeActionType::MERGE_UPDATE:
        return Row(true, action.update_info ? Assigned(*action.update_info) : AllOfSource(action));
      case MergeActionType::MERGE_INSERT:
        return Row(true, Inserted(action));
      case MergeActionType::MERGE_DELETE: {
        std::vector<Expression> nulls;
        for (size_t i = 0; i < Count(); ++i)
          nulls.push_back(Either(i, Cast(Constant(duckdb::Value()), target_.types[i]), nullptr));
        return Row(false, std::move(nulls));
      }
      case MergeActionType::MERGE_DO_NOTHING:
        return Constant(duckdb::Value());
      case MergeActionType::MERGE_ERROR: {
        duckdb::vector<Expression> text;
        text.push_back(action.expressions.empty()
                           ? Constant(duckdb::Value("a row meets a WHEN ... THEN ERROR"))
                           : Cast(std::move(action.expressions[0]), duckdb::LogicalType::VARCHAR));
        return make_uniq<duckdb::FunctionExpression>("error", std::move(text));
      }
    }
    throw BinderException("a merge of a kind that is not known");
  }

  static Expression Row(bool comes, std::vector<Expression> columns) {
    duckdb::vector<Expression> fields;
    fields.push_back(Named(Constant(duckdb::Value::BOOLEAN(comes)), "comes"));
    for (size_t i = 0; i < columns.size(); ++i)
      fields.push_back(Named(std::move(columns[i]), "c" + std::to_string(i)));
    return make_uniq<duckdb::FunctionExpression>("struct_pack", std::move(fields));
  }

  static Expression FieldOfChange(const std::string& name) {
    duckdb::vector<Expression> parts;
    parts.push_back(Column(kRows, kChange));
    parts.push_back(Constant(duckdb::Value(name)));
    return make_uniq<duckdb::FunctionExpression>("struct_extract", std::move(parts));
  }

  std::vector<Expression> Inserted(duckdb::MergeIntoAction& action) const {
    if (!action.default_values && action.expressions.empty()) return AllOfSource(action);
    std::vector<size_t> places;
    for (const std::string& name : action.insert_columns) places.push_back(PlaceOf(name));
    CheckEachOnce(places);
    if (places.empty()) {
      for (size_t i = 0; i < Count(); ++i) places.push_back(i);
    }
    std::vector<Expression> row(Count());
    if (!action.default_values) {
      if (action.expressions.size() != places.size()) {
        throw BinderException("expected " + FormatCount(static_cast<int64_t>(places.size())) +
                              " values to insert into table " + target_.name + ", found " +
                              FormatCount(static_cast<int64_t>(action.expressions.size())));
      }
      for (size_t i = 0; i < places.size(); ++i)
        row[places[i]] = ValueFor(places[i], std::move(action.expressions[i]));
    }
    for (size_t i = 0; i < Count(); ++i) {
      if (!row[i]) row[i] = DefaultOf(i);
    }
    return row;
  }

  /// UPDATE SET * and INSERT *: the source's columns by their names.
  std::vector<Expression> AllOfSource(const duckdb::MergeIntoAction& action) const {
    std::vector<Expression> row(Count());
    for (const std::string& name : source_columns_) {
      const size_t place = PlaceOf(name);
      if (row[place])
        throw BinderException("column " + target_.names[place] + " is given two values");
      row[place] = Either(place, CastTo(place, Column(source_, name)), nullptr);
    }
    const bool inserts = action.action_type == MergeActionType::MERGE_INSERT;
    for (size_t i = 0; i < Count(); ++i) {
      if (!row[i]) row[i] = inserts ? DefaultOf(i) : Kept(i);
    }
    return row;
  }

  const TargetColumns& target_;
  const NamesOf& names_of_;
  std::string alias_;   ///< Of the target.
  std::string source_;  ///< Of what is merged.
  bool is_merge_ = false;
  std::vector<std::string> source_columns_;
};

}  // namespace

ChangeQuery MakeChangeQuery(
    duckdb::SQLStatement& statement, const TargetColumns& target,
    const std::function<std::vector<std::string>(duckdb::unique_ptr<duckdb::SQLStatement> query)>&
        names_of) {
  QueryMaker maker(target, names_of);
  switch (statement.type) {
    case duckdb::StatementType::INSERT_STATEMENT:
      return maker.Insert(statement.Cast<duckdb::InsertStatement>());
    case duckdb::StatementType::UPDATE_STATEMENT:
      return maker.Update(statement.Cast<duckdb::UpdateStatement>());
    case duckdb::StatementType::DELETE_STATEMENT:
      return maker.Delete(statement.Cast<duckdb::DeleteStatement>());
    case duckdb::StatementType::MERGE_INTO_STATEMENT:
      return maker.Merge(statement.Cast<duckdb::MergeIntoStatement>());
    case duckdb::StatementType::CREATE_STATEMENT: {
      auto& create =
          statement.Cast<duckdb::CreateStatement>().info->Cast<duckdb::CreateTableInfo>();
      return maker.CreateAs(create);
    }
    default:
      throw BinderException("expected a statement that changes rows");
  }
}

}  // namespace calve::engine
