#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "audit/columns.h"
#include "audit/registry.h"
#include "base/text.h"
#include "base/time.h"
#include "engine/engine.h"

namespace calve::audit {
namespace {

using engine::QuoteIdentifier;
using engine::QuoteLiteral;

struct Unique {
  std::vector<std::string> columns;
  static config::Shape<Unique> Declaration() {
    config::Shape<Unique> shape("unique check",
                                "No two rows have the same values in these columns; rows with a "
                                "NULL among them are not compared.");
    shape.Required("columns", &Unique::columns, "The columns, together one key.",
                   {.example = "[store_id, date]"});
    return shape;
  }
};

/// Fewer loads have no usual size.
constexpr int64_t kLoadsForMedian = 3;

struct RowCountBounds {
  std::optional<int64_t> min;
  std::optional<int64_t> max;
  std::optional<config::Fraction> change_max;
  std::optional<config::Fraction> load_change_max;
  int64_t loads = 7;
  static config::Shape<RowCountBounds> Declaration() {
    config::Shape<RowCountBounds> shape("row_count check",
                                        "The table has a number of rows in a range.");
    shape.Optional("min", &RowCountBounds::min, "The least number of rows.", {.min = 0});
    shape.Optional("max", &RowCountBounds::max, "The greatest number of rows.", {.min = 0});
    shape.Optional("change_max", &RowCountBounds::change_max,
                   "By how much the number of rows may change from main's, as a share of it; not "
                   "judged at the first load.",
                   {.example = "0.5"});
    shape.Optional("load_change_max", &RowCountBounds::load_change_max,
                   "By how much the number of rows that a load writes may differ from the median "
                   "of the job's loads before it, as a share of that; not judged before there are "
                   "three, nor when no load is judged.",
                   {.example = "0.5"});
    shape.Optional("loads", &RowCountBounds::loads, "How many loads the median is of, at most.",
                   {.min = kLoadsForMedian, .max = kLoadsMax});
    shape.CheckNode([](const RowCountBounds& o, const config::Node& node, config::Faults& faults) {
      if (!o.min.has_value() && !o.max.has_value() && !o.change_max.has_value() &&
          !o.load_change_max.has_value())
        faults.Add(node.place(), "a row_count check needs min, max, change_max or load_change_max");
      if (o.min.value_or(0) > o.max.value_or(std::numeric_limits<int64_t>::max()))
        faults.Add(node.place(), "min is above max: no table could pass; swap them");
    });
    return shape;
  }
};

struct Freshness {
  std::string column;
  std::chrono::seconds age_max{0};
  static config::Shape<Freshness> Declaration() {
    config::Shape<Freshness> shape(
        "freshness check",
        "The newest value of a date or timestamp column is not older than a time.");
    shape.Required("column", &Freshness::column, "The column.", {.example = "date"});
    shape.Required("age_max", &Freshness::age_max, "The greatest age.", {.example = "2d"});
    return shape;
  }
};

struct SqlQuery {
  std::string name;
  std::string query;
  static config::Shape<SqlQuery> Declaration() {
    config::Shape<SqlQuery> shape("sql check", "A query gives no row. In it, `this` is the table.");
    shape.Required("name", &SqlQuery::name, "What the check is called.",
                   {.example = "revenue_adds_up"});
    shape.Required("query", &SqlQuery::query, "The query; each row that it gives is a failure.",
                   {.example = "SELECT store_id FROM this GROUP BY 1 HAVING sum(revenue) < 0"});
    return shape;
  }
};

template <typename Options>
CheckKind KindOf(
    std::string kind, std::string meaning, std::function<std::string(const Options&)> name,
    std::function<Status(const Options&, const CheckInputs&, CompiledCheck*)> compile) {
  return {
      .kind = kind,
      .meaning = std::move(meaning),
      .judges = Judges::kTable,
      .part = config::MakePart<Options>(kind),
      .name =
          [kind, name](const config::Node& node) {
            Result<Options> options = Options::Declaration().Parse(node);
            const std::string inner = options.ok() ? name(*options) : std::string();
            return inner.empty() ? kind : kind + "(" + inner + ")";
          },
      .compile = [compile](const Check& check, const CheckInputs& inputs) -> Result<CompiledCheck> {
        CALVE_ASSIGN_OR_RETURN(const Options options, Options::Declaration().Parse(check.options));
        CompiledCheck compiled;
        compiled.check = check;
        compiled.scope = CompiledCheck::Scope::kAggregate;
        CALVE_RETURN_IF_ERROR(compile(options, inputs, &compiled));
        CALVE_RETURN_IF_ERROR(RequireColumns(check, *inputs.schema, compiled.columns));
        return compiled;
      }};
}

Status CompileUnique(const Unique& options, const CheckInputs& inputs, CompiledCheck* compiled) {
  compiled->scope = CompiledCheck::Scope::kKeys;
  compiled->columns = options.columns;
  CALVE_RETURN_IF_ERROR(RequireColumns(compiled->check, *inputs.schema, options.columns));
  CALVE_RETURN_IF_ERROR(RequireValues(compiled->check, *inputs.schema, options.columns));
  compiled->failure = "keys stand in more than one row";
  return Status::Ok();
}

/// What is wrong with the size of this load, beside the job's loads before it; "" when it is usual
/// or nothing can be said.
std::string UnusualLoad(const RowCountBounds& options, const CheckInputs& inputs) {
  const auto known = static_cast<int64_t>(inputs.rows_of_loads.size());
  if (!options.load_change_max.has_value() || inputs.rows_loaded < 0 || known < kLoadsForMedian)
    return "";
  const int64_t count = std::min(known, options.loads);
  std::vector<int64_t> loads(inputs.rows_of_loads.begin(), inputs.rows_of_loads.begin() + count);
  std::sort(loads.begin(), loads.end());
  // Of an even number the upper of the two in the middle: a number of rows that one load had.
  const int64_t median = loads[loads.size() / 2];
  const int64_t off = std::abs(inputs.rows_loaded - median);
  const double share = options.load_change_max->value;
  if (static_cast<double>(off) <= share * static_cast<double>(median)) return "";
  std::string text = "this load has " + FormatCount(inputs.rows_loaded) + " rows, ";
  if (median > 0)
    text += std::to_string(
                std::llround(100.0 * static_cast<double>(off) / static_cast<double>(median))) +
            " % ";
  return text + (inputs.rows_loaded < median ? "below" : "above") + " the median of the last " +
         std::to_string(count) + " loads (" + FormatCount(median) + "), where " +
         std::to_string(std::llround(share * 100)) + " % is allowed";
}

Status CompileRowCount(const RowCountBounds& options, const CheckInputs& inputs,
                       CompiledCheck* compiled) {
  std::string fails;
  const auto fail_when = [&](const std::string& condition) {
    fails += (fails.empty() ? "" : " OR ") + condition;
  };
  if (options.min.has_value()) {
    fail_when("count(*) < " + std::to_string(*options.min));
    compiled->failure = "expected at least " + FormatCount(*options.min) + " rows";
  }
  if (options.max.has_value()) {
    fail_when("count(*) > " + std::to_string(*options.max));
    compiled->failure += std::string(compiled->failure.empty() ? "expected" : " and") +
                         " at most " + FormatCount(*options.max) + " rows";
  }
  if (options.change_max.has_value() && inputs.rows_before > 0) {
    const std::string before = std::to_string(inputs.rows_before);
    fail_when("abs(count(*) - " + before + ") > " + std::to_string(options.change_max->value) +
              " * " + before);
    compiled->failure += (compiled->failure.empty() ? "" : "; ") + std::string("main has ") +
                         FormatCount(inputs.rows_before) + " rows, which may change by at most " +
                         std::to_string(static_cast<int>(options.change_max->value * 100)) + " %";
  }
  if (const std::string unusual = UnusualLoad(options, inputs); !unusual.empty()) {
    fail_when("TRUE");
    compiled->failure += (compiled->failure.empty() ? "" : "; ") + unusual;
  }
  compiled->sql = fails.empty() ? "0" : "CASE WHEN " + fails + " THEN 1 ELSE 0 END";
  return Status::Ok();
}

Status CompileFreshness(const Freshness& options, const CheckInputs& inputs,
                        CompiledCheck* compiled) {
  compiled->columns = {options.column};
  const Timestamp oldest = TimestampFromMillis(inputs.now_ms) - options.age_max;
  const std::string newest = "max(" + QuoteIdentifier(options.column) + ")";
  CALVE_RETURN_IF_ERROR(RequireColumns(compiled->check, *inputs.schema, compiled->columns));
  CALVE_RETURN_IF_ERROR(RequireMoment(compiled->check, *inputs.schema, options.column));
  // A table of dates is fresh through the whole day on which the limit falls.
  const auto field = inputs.schema->GetFieldByName(options.column);
  const bool date = field != nullptr && field->type()->id() == arrow::Type::DATE32;
  const std::string text = FormatTimestamp(oldest);
  const std::string limit =
      date ? "DATE " + QuoteLiteral(text.substr(0, 10))
           : "TIMESTAMP " + QuoteLiteral(text.substr(0, 10) + " " + text.substr(11, 12));
  compiled->sql =
      "CASE WHEN " + newest + " IS NULL OR " + newest + " < " + limit + " THEN 1 ELSE 0 END";
  compiled->failure = "the newest " + options.column + " is older than " + text;
  return Status::Ok();
}

Status CompileQuery(const SqlQuery& options, const CheckInputs&, CompiledCheck* compiled) {
  compiled->scope = CompiledCheck::Scope::kQuery;
  compiled->sql = options.query;
  compiled->failure = "rows came from the query";
  return Status::Ok();
}

}  // namespace

CALVE_PART(unique) {
  registry.Add(KindOf<Unique>(
      "unique", "No key stands in two rows", [](const Unique& o) { return Join(o.columns, ", "); },
      CompileUnique));
}
CALVE_PART(row_count) {
  registry.Add(KindOf<RowCountBounds>(
      "row_count", "A number of rows, or a change of it, in a range",
      [](const RowCountBounds&) { return std::string(); }, CompileRowCount));
}
CALVE_PART(freshness) {
  registry.Add(KindOf<Freshness>(
      "freshness", "The newest row is not too old", [](const Freshness& o) { return o.column; },
      CompileFreshness));
}
CALVE_PART(sql) {
  registry.Add(KindOf<SqlQuery>(
      "sql", "A query that gives no row", [](const SqlQuery& o) { return o.name; }, CompileQuery));
}

}  // namespace calve::audit
