#include "audit/infer.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "config/yaml.h"

namespace calve::audit {
namespace {

using config::Node;
using engine::QuoteIdentifier;
using iceberg::TypeKind;

/// Fewer rows say nothing about values that are still to come.
constexpr int64_t kRowsForValues = 20;
constexpr int64_t kRowsForUnique = 100;
constexpr int64_t kFewValues = 20;
/// A value that stands in so many rows on average is one of a set, not a measure.
constexpr int64_t kRowsPerValue = 4;
constexpr size_t kValueBytesMax = 40;
constexpr size_t kPairsMax = 12;
/// What an approximate count may be off by.
constexpr double kApproximation = 0.7;
constexpr double kRangeMax = 1e15;
constexpr size_t kCommentColumn = 44;

bool IsInteger(const iceberg::Type& type) {
  return type.kind() == TypeKind::kInt || type.kind() == TypeKind::kLong;
}
bool IsNumber(const iceberg::Type& type) {
  return IsInteger(type) || type.kind() == TypeKind::kFloat || type.kind() == TypeKind::kDouble ||
         type.kind() == TypeKind::kDecimal;
}
bool IsName(const iceberg::Type& type) {
  return IsInteger(type) || type.kind() == TypeKind::kString || type.kind() == TypeKind::kUuid;
}
/// Whether a column of this type may stand in a key.
bool IsKeyPart(const iceberg::Type& type) {
  return IsName(type) || type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTimestamp ||
         type.kind() == TypeKind::kTimestampTz;
}
bool IsIdName(const std::string& name) {
  const std::string lower = ToLower(name);
  return lower == "id" || lower.ends_with("_id") || lower.ends_with("_key");
}

/// What the rows show of one column.
struct Seen {
  const iceberg::Field* field = nullptr;
  int64_t nulls = 0;
  int64_t values = 0;  ///< That are not NULL.
  int64_t distinct = -1;
  bool distinct_is_exact = false;
  std::optional<double> min;
  std::optional<double> max;
  std::string min_text;
  std::string max_text;
  std::vector<std::string> few;  ///< All its values, where they are few.
  bool unique = false;
};

/// The rows of `this` at a glance.
class Look {
 public:
  Look(const Context& context, engine::Engine& engine, const InferenceInput& input)
      : context_(context), engine_(engine), input_(input) {
    for (const iceberg::Field& field : input.fields) columns.push_back({.field = &field});
  }

  std::vector<Seen> columns;
  int64_t rows = 0;
  std::vector<std::string> key;

  Status Run() {
    CALVE_RETURN_IF_ERROR(CountAndBound());
    if (rows == 0) return Status::Ok();
    CALVE_RETURN_IF_ERROR(CountExactly());
    ChooseColumn(/*by_name=*/true);
    if (key.empty() && rows >= kRowsForValues) CALVE_RETURN_IF_ERROR(TryPairs());
    if (key.empty()) ChooseColumn(/*by_name=*/false);
    return Status::Ok();
  }

 private:
  /// The one row of a query of aggregates.
  Result<columnar::Batch> Aggregate(const std::vector<std::string>& expressions) {
    CALVE_ASSIGN_OR_RETURN(
        const auto stream,
        engine_.Query(context_, "SELECT " + Join(expressions, ", ") + " FROM this", input_.query));
    CALVE_ASSIGN_OR_RETURN(columnar::Batch row, stream->Next(context_));
    if (row == nullptr || row->num_rows() != 1) return BugError("an aggregate query gave no row");
    return row;
  }
  static int64_t NumberIn(const columnar::Batch& row, int column) {
    return static_cast<const arrow::Int64Array&>(*row->column(column)).Value(0);
  }
  static std::string TextIn(const columnar::Batch& row, int column) {
    const auto& array = static_cast<const arrow::StringArray&>(*row->column(column));
    return array.IsNull(0) ? std::string() : array.GetString(0);
  }

  Status CountAndBound() {
    std::vector<std::string> asked = {"count(*)"};
    for (const Seen& seen : columns) {
      const std::string name = QuoteIdentifier(seen.field->name);
      asked.push_back("count(" + name + ")");
      if (IsKeyPart(seen.field->type)) asked.push_back("approx_count_distinct(" + name + ")");
      if (!IsNumber(seen.field->type)) continue;
      asked.push_back("CAST(min(" + name + ") AS VARCHAR)");
      asked.push_back("CAST(max(" + name + ") AS VARCHAR)");
    }
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch row, Aggregate(asked));
    rows = NumberIn(row, 0);
    int next = 1;
    for (Seen& seen : columns) {
      seen.values = NumberIn(row, next++);
      seen.nulls = rows - seen.values;
      if (IsKeyPart(seen.field->type)) seen.distinct = NumberIn(row, next++);
      if (!IsNumber(seen.field->type)) continue;
      seen.min_text = TextIn(row, next++);
      seen.max_text = TextIn(row, next++);
      seen.min = Number(seen.min_text);
      seen.max = Number(seen.max_text);
    }
    return Status::Ok();
  }

  static std::optional<double> Number(const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !std::isfinite(value)) return std::nullopt;
    return value;
  }

  bool MayBeUnique(const Seen& seen) const {
    return IsName(seen.field->type) && seen.nulls == 0 && rows > 1 &&
           static_cast<double>(seen.distinct) >= kApproximation * static_cast<double>(rows);
  }
  static bool MayBeFew(const Seen& seen) {
    return IsName(seen.field->type) && seen.field->type.kind() != TypeKind::kUuid &&
           seen.values >= kRowsForValues &&
           static_cast<double>(seen.distinct) * kApproximation <= kFewValues;
  }

  /// Exact numbers where the approximate ones leave a column in the running.
  Status CountExactly() {
    std::vector<std::string> asked = {"count(*)"};
    for (const Seen& seen : columns) {
      const std::string name = QuoteIdentifier(seen.field->name);
      if (MayBeUnique(seen)) asked.push_back("count(DISTINCT " + name + ")");
      if (MayBeFew(seen))
        asked.push_back("CAST(list_sort(list(DISTINCT " + name + ") FILTER (WHERE " + name +
                        " IS NOT NULL)) AS VARCHAR[])");
    }
    if (asked.size() == 1) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch row, Aggregate(asked));
    int next = 1;
    for (Seen& seen : columns) {
      const bool few = MayBeFew(seen);
      if (MayBeUnique(seen)) {
        seen.distinct = NumberIn(row, next++);
        seen.distinct_is_exact = true;
        seen.unique = seen.distinct == rows;
      }
      if (few) TakeValues(row, next++, &seen);
    }
    return Status::Ok();
  }

  static void TakeValues(const columnar::Batch& row, int column, Seen* seen) {
    const auto& list = static_cast<const arrow::ListArray&>(*row->column(column));
    const auto values = std::static_pointer_cast<arrow::StringArray>(list.value_slice(0));
    seen->distinct = values->length();
    seen->distinct_is_exact = true;
    if (seen->distinct > kFewValues || seen->values < kRowsPerValue * seen->distinct) return;
    for (int64_t i = 0; i < values->length(); ++i) {
      seen->few.push_back(values->GetString(i));
      if (seen->few.back().size() <= kValueBytesMax) continue;
      seen->few.clear();
      return;
    }
  }

  /// The first unique column, or the first of those that are called like a key.
  void ChooseColumn(bool by_name) {
    for (const Seen& seen : columns) {
      if (!seen.unique || (by_name && !IsIdName(seen.field->name))) continue;
      key = {seen.field->name};
      return;
    }
  }

  /// Two columns that tell all rows apart, of which one is called like a key.
  Status TryPairs() {
    std::vector<const Seen*> parts;
    for (const Seen& seen : columns) {
      if (IsKeyPart(seen.field->type) && seen.nulls == 0 && seen.distinct > 1 && !seen.unique)
        parts.push_back(&seen);
    }
    std::stable_sort(parts.begin(), parts.end(), [](const Seen* a, const Seen* b) {
      return IsIdName(a->field->name) && !IsIdName(b->field->name);
    });
    std::vector<std::pair<const Seen*, const Seen*>> pairs;
    std::vector<std::string> asked = {"count(*)"};
    for (size_t i = 0; i < parts.size() && IsIdName(parts[i]->field->name); ++i) {
      for (size_t j = i + 1; j < parts.size() && pairs.size() < kPairsMax; ++j) {
        const double most =
            static_cast<double>(parts[i]->distinct) * static_cast<double>(parts[j]->distinct);
        if (most < kApproximation * static_cast<double>(rows)) continue;
        pairs.emplace_back(parts[i], parts[j]);
        asked.push_back("count(DISTINCT (" + QuoteIdentifier(parts[i]->field->name) + ", " +
                        QuoteIdentifier(parts[j]->field->name) + "))");
      }
    }
    if (pairs.empty()) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch row, Aggregate(asked));
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (NumberIn(row, static_cast<int>(i) + 1) != rows) continue;
      key = {pairs[i].first->field->name, pairs[i].second->field->name};
      return Status::Ok();
    }
    return Status::Ok();
  }

  const Context& context_;
  engine::Engine& engine_;
  const InferenceInput& input_;
};

/// The least of 1, 2, 5, 10, 20 ... (and 0.5, 0.2, 0.1 ...) that is not below `magnitude`.
std::string RoundOutward(double magnitude) {
  int exponent = static_cast<int>(std::floor(std::log10(magnitude)));
  const double lead = magnitude / std::pow(10, exponent);
  constexpr double kSlack = 1e-9;
  int digit = lead <= 1 + kSlack ? 1 : lead <= 2 + kSlack ? 2 : lead <= 5 + kSlack ? 5 : 10;
  if (digit == 10) {
    digit = 1;
    ++exponent;
  }
  if (exponent >= 0) return std::to_string(digit) + std::string(static_cast<size_t>(exponent), '0');
  return "0." + std::string(static_cast<size_t>(-exponent) - 1, '0') + std::to_string(digit);
}

std::string OutwardMin(double min) { return min >= 0 ? "0" : "-" + RoundOutward(-min); }
std::string OutwardMax(double max) { return max <= 0 ? "0" : RoundOutward(max); }

std::string Text(const std::string& text) { return ToFlowYaml(Node::Scalar(text, true)); }

/// Lines of YAML, each with what the rows show.
class Page {
 public:
  void Add(std::string line, const std::string& comment = {}) {
    if (!comment.empty()) {
      line.resize(std::max(line.size() + 2, kCommentColumn), ' ');
      line += "# " + comment;
    }
    text_ += line + "\n";
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

std::string ValueList(const Seen& seen) {
  const bool text = !IsInteger(seen.field->type);
  std::vector<Node> values;
  for (std::string value : seen.few) {
    // A ${ in a file would be filled in from the environment.
    for (size_t at = value.find("${"); at != std::string::npos; at = value.find("${", at + 3))
      value.insert(at, "$");
    values.push_back(Node::Scalar(std::move(value), text));
  }
  return ToFlowYaml(Node::Sequence(std::move(values)));
}

class Proposal {
 public:
  explicit Proposal(const Look& look) : look_(look), rows_(FormatCount(look.rows) + " rows") {}

  void AddColumn(const Seen& seen, Page* page) const {
    page->Add("  " + Text(seen.field->name) + ":");
    const std::string type = seen.field->type.ToString();
    if (iceberg::Type::Parse(type).ok()) page->Add("    type: " + Text(type));
    if (look_.rows < kRowsForValues) return;
    const bool in_key =
        std::find(look_.key.begin(), look_.key.end(), seen.field->name) != look_.key.end();
    if (seen.nulls == 0 && !in_key) page->Add("    required: true", "0 of " + rows_ + " are NULL");
    if (seen.unique && !in_key && look_.rows >= kRowsForUnique)
      page->Add("    unique: true", FormatCount(seen.distinct) + " values in " + rows_);
    if (AddValues(seen, page) || (!in_key && AddRange(seen, page)))
      page->Add("    severity: quarantine", "a row that fails is held back, the others load");
  }

  void AddKey(Page* page) const {
    if (look_.key.empty()) return;
    std::vector<Node> names;
    for (const std::string& name : look_.key) names.push_back(Node::Scalar(name, true));
    page->Add("key: " + ToFlowYaml(Node::Sequence(std::move(names))),
              "none is NULL and no two of " + rows_ + " have the same");
  }

 private:
  bool AddValues(const Seen& seen, Page* page) const {
    if (seen.few.empty() || seen.unique) return false;
    const std::string line = "    accepted_values: " + ValueList(seen);
    page->Add(line, FormatCount(seen.distinct) + (seen.distinct == 1 ? " value" : " values") +
                        " in " + FormatCount(seen.values) + " rows that are not NULL");
    return true;
  }

  static bool AddRange(const Seen& seen, Page* page) {
    if (!seen.min.has_value() || !seen.max.has_value() || seen.unique) return false;
    if (!seen.few.empty() || IsIdName(seen.field->name)) return false;
    if (std::max(std::abs(*seen.min), std::abs(*seen.max)) > kRangeMax) return false;
    page->Add("    min: " + OutwardMin(*seen.min), "the least is " + seen.min_text);
    page->Add("    max: " + OutwardMax(*seen.max), "the greatest is " + seen.max_text);
    return true;
  }

  const Look& look_;
  const std::string rows_;
};

}  // namespace

Result<std::string> InferContract(const Context& context, engine::Engine& engine,
                                  const InferenceInput& input) {
  Look look(context, engine, input);
  CALVE_RETURN_IF_ERROR(look.Run());
  const Proposal proposal(look);
  Page page;
  page.Add("# " + input.table + ", proposed from " + FormatCount(look.rows) +
           " rows: " + input.rows_are + ".");
  page.Add(
      look.rows < kRowsForValues
          ? "# So few rows show the types of the columns, and hardly what must hold."
          : "# The rows show what was so, not what must be: read each line before you keep it.");
  if (!look.columns.empty()) page.Add("columns:");
  for (const Seen& seen : look.columns) proposal.AddColumn(seen, &page);
  proposal.AddKey(&page);
  if (look.rows > 0) {
    page.Add("checks:");
    page.Add("  - row_count: {min: 1}", "the table is not empty");
  }
  return std::move(page).text();
}

}  // namespace calve::audit
