#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "audit/columns.h"
#include "audit/registry.h"
#include "base/text.h"
#include "engine/engine.h"

namespace calve::audit {
namespace {

using engine::QuoteIdentifier;
using engine::QuoteLiteral;

/// Make a kind whose options are a struct with a Declaration(), a Name() and a Compile().
template <typename Options>
CheckKind MakeKind(std::string kind, std::string meaning) {
  return {.kind = kind,
          .meaning = std::move(meaning),
          .judges = Judges::kRows,
          .part = config::MakePart<Options>(kind),
          .name =
              [kind](const config::Node& node) {
                Result<Options> options = Options::Declaration().Parse(node);
                return options.ok() ? kind + "(" + options->Name() + ")" : kind;
              },
          .compile = [](const Check& check, const CheckInputs& inputs) -> Result<CompiledCheck> {
            CALVE_ASSIGN_OR_RETURN(const Options options,
                                   Options::Declaration().Parse(check.options));
            CompiledCheck compiled;
            compiled.check = check;
            compiled.columns = options.Columns();
            CALVE_RETURN_IF_ERROR(RequireColumns(check, *inputs.schema, compiled.columns));
            CALVE_RETURN_IF_ERROR(options.Compile(inputs, &compiled));
            return compiled;
          }};
}

/// not_null: [a, b]
struct NotNull {
  std::vector<std::string> columns;
  static config::Shape<NotNull> Declaration() {
    config::Shape<NotNull> shape("not_null check", "No row has NULL in any of these columns.");
    shape.Required("columns", &NotNull::columns, "The columns.", {.example = "[email]"});
    return shape;
  }
  std::string Name() const { return Join(columns, ", "); }
  std::vector<std::string> Columns() const { return columns; }
  Status Compile(const CheckInputs&, CompiledCheck* compiled) const {
    for (const std::string& column : columns)
      compiled->sql +=
          (compiled->sql.empty() ? "" : " AND ") + QuoteIdentifier(column) + " IS NOT NULL";
    for (const std::string& column : columns)
      compiled->where += (compiled->where.empty() ? "" : " OR ") + ShownName(column) + " IS NULL";
    compiled->null_passes = false;
    compiled->failure = "are NULL";
    compiled->expected = "a value";
    return Status::Ok();
  }
};

/// "0 to 100", "at least 0", "at most 100".
std::string Bounds(const std::string& min, const std::string& max) {
  if (max.empty()) return "at least " + min;
  return min.empty() ? "at most " + max : min + " to " + max;
}

/// Options of the checks that look at one column.
struct OneColumn {
  std::string column;
  std::string Name() const { return column; }
  std::vector<std::string> Columns() const { return {column}; }
  std::string sql_name() const { return QuoteIdentifier(column); }
};

/// Of a longer list of accepted values a message says the first ones.
constexpr size_t kValuesShownMax = 10;

struct AcceptedValues : OneColumn {
  std::vector<config::Node> values;
  static config::Shape<AcceptedValues> Declaration() {
    config::Shape<AcceptedValues> shape("accepted_values check",
                                        "Every value of the column is one of these; NULL passes.");
    shape.Required("column", &AcceptedValues::column, "The column.", {.example = "currency"});
    shape.Required("values", &AcceptedValues::values, "The values.", {.example = "[EUR, USD]"});
    shape.Check("values", [](const AcceptedValues& o) -> Status {
      if (!o.values.empty()) return Status::Ok();
      return ConfigError("values is empty: no row could pass; name at least one value");
    });
    return shape;
  }
  Status Compile(const CheckInputs& inputs, CompiledCheck* compiled) const {
    for (const config::Node& value : values)
      CALVE_RETURN_IF_ERROR(RequireComparable(compiled->check, *inputs.schema, column, value));
    std::string list;
    std::vector<std::string> texts;
    for (const config::Node& value : values) {
      list += (list.empty() ? "" : ", ") + SqlValue(value);
      texts.push_back(value.text());
    }
    if (texts.size() > kValuesShownMax) {
      texts.resize(kValuesShownMax);
      texts.push_back("... (" + FormatCount(static_cast<int64_t>(values.size())) + " values)");
    }
    compiled->sql = sql_name() + " IN (" + list + ")";
    compiled->failure = "are not in " + Join(texts, ", ");
    compiled->expected = (values.size() == 1 ? "" : "one of ") + Join(texts, ", ");
    compiled->shown = column;
    return Status::Ok();
  }
};

struct Range : OneColumn {
  std::optional<config::Node> min;
  std::optional<config::Node> max;
  static config::Shape<Range> Declaration() {
    config::Shape<Range> shape(
        "range check",
        "Every value of the column lies in a range, its ends included; NULL passes.");
    shape.Required("column", &Range::column, "The column.", {.example = "amount"});
    shape.Optional("min", &Range::min, "The least value.", {.example = "0"});
    shape.Optional("max", &Range::max, "The greatest value.", {.example = "100"});
    shape.CheckNode([](const Range& o, const config::Node& node, config::Faults& faults) {
      if (!o.min.has_value() && !o.max.has_value())
        faults.Add(node.place(), "a range check needs min, max or both");
      if (o.min.has_value() && o.max.has_value() && IsAbove(*o.min, *o.max))
        faults.Add(o.min->place(), "min is above max: no row could pass; swap them");
    });
    return shape;
  }
  Status Compile(const CheckInputs& inputs, CompiledCheck* compiled) const {
    for (const std::optional<config::Node>& end : {min, max}) {
      if (!end.has_value()) continue;
      CALVE_RETURN_IF_ERROR(RequireComparable(compiled->check, *inputs.schema, column, *end));
    }
    if (min.has_value()) compiled->sql = sql_name() + " >= " + SqlValue(*min);
    if (max.has_value())
      compiled->sql +=
          (compiled->sql.empty() ? "" : " AND ") + sql_name() + " <= " + SqlValue(*max);
    compiled->failure = "are";
    if (min.has_value()) compiled->failure += " below " + min->text();
    if (max.has_value())
      compiled->failure += std::string(min.has_value() ? " or" : "") + " above " + max->text();
    compiled->expected =
        Bounds(min.has_value() ? min->text() : "", max.has_value() ? max->text() : "");
    compiled->shown = column;
    return Status::Ok();
  }
};

struct Regex : OneColumn {
  std::string pattern;
  static config::Shape<Regex> Declaration() {
    config::Shape<Regex> shape(
        "regex check",
        "Every value of the column matches a pattern as a whole (RE2 syntax); NULL passes.");
    shape.Required("column", &Regex::column, "The column.", {.example = "email"});
    shape.Required("pattern", &Regex::pattern, "The pattern.", {.example = "\"[A-Z]{3}-[0-9]+\""});
    return shape;
  }
  Status Compile(const CheckInputs& inputs, CompiledCheck* compiled) const {
    CALVE_RETURN_IF_ERROR(RequireText(compiled->check, *inputs.schema, column));
    compiled->sql = "regexp_full_match(" + sql_name() + ", " + QuoteLiteral(pattern) + ")";
    compiled->failure = "do not match " + pattern;
    compiled->expected = "a match of " + pattern;
    compiled->shown = column;
    return Status::Ok();
  }
};

struct Length : OneColumn {
  std::optional<int64_t> min;
  std::optional<int64_t> max;
  static config::Shape<Length> Declaration() {
    config::Shape<Length> shape(
        "length check",
        "Every text of the column has a number of characters in a range; NULL passes.");
    shape.Required("column", &Length::column, "The column.", {.example = "country"});
    shape.Optional("min", &Length::min, "The least number of characters.",
                   {.example = "2", .min = 0});
    shape.Optional("max", &Length::max, "The greatest number of characters.",
                   {.example = "2", .min = 0});
    shape.CheckNode([](const Length& o, const config::Node& node, config::Faults& faults) {
      if (!o.min.has_value() && !o.max.has_value())
        faults.Add(node.place(), "a length check needs min, max or both");
      if (o.min.value_or(0) > o.max.value_or(std::numeric_limits<int64_t>::max()))
        faults.Add(node.place(), "min is above max: no row could pass; swap them");
    });
    return shape;
  }
  Status Compile(const CheckInputs& inputs, CompiledCheck* compiled) const {
    CALVE_RETURN_IF_ERROR(RequireText(compiled->check, *inputs.schema, column));
    const std::string length = "length(" + sql_name() + ")";
    if (min.has_value()) compiled->sql = length + " >= " + std::to_string(*min);
    if (max.has_value())
      compiled->sql +=
          (compiled->sql.empty() ? "" : " AND ") + length + " <= " + std::to_string(*max);
    compiled->expected = Bounds(min.has_value() ? std::to_string(*min) : "",
                                max.has_value() ? std::to_string(*max) : "") +
                         " characters";
    compiled->failure = "do not have " + compiled->expected;
    compiled->shown = column;
    return Status::Ok();
  }
};

/// Any SQL condition over one row.
struct Condition {
  std::string name;
  std::string sql;
  static config::Shape<Condition> Declaration() {
    config::Shape<Condition> shape("condition check",
                                   "A SQL condition is true for every row; NULL passes.");
    shape.Optional("name", &Condition::name, "What the check is called.",
                   {.default_text = "the condition itself"});
    shape.Required("sql", &Condition::sql, "The condition.",
                   {.example = "\"shipped_at >= ordered_at\""});
    return shape;
  }
  std::string Name() const { return name.empty() ? sql : name; }
  std::vector<std::string> Columns() const { return {}; }
  Status Compile(const CheckInputs&, CompiledCheck* compiled) const {
    compiled->sql = "(" + sql + ")";
    compiled->failure = "do not fulfil " + sql;
    compiled->expected = sql;
    return Status::Ok();
  }
};

}  // namespace

CALVE_PART(not_null) { registry.Add(MakeKind<NotNull>("not_null", "No NULL in these columns")); }
CALVE_PART(accepted_values) {
  registry.Add(MakeKind<AcceptedValues>("accepted_values", "Only these values"));
}
CALVE_PART(range) {
  registry.Add(MakeKind<Range>("range", "Values between a least and a greatest one"));
}
CALVE_PART(regex) { registry.Add(MakeKind<Regex>("regex", "Texts that match a pattern")); }
CALVE_PART(length) { registry.Add(MakeKind<Length>("length", "Texts of a length")); }
CALVE_PART(condition) {
  registry.Add(MakeKind<Condition>("condition", "A SQL condition on every row"));
}

}  // namespace calve::audit
