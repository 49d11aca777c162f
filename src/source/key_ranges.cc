#include "source/key_ranges.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "base/text.h"

namespace calve::source {
namespace {

/// A range of 64 bits is halved this often until one key is left, for each of several dense places.
constexpr int kHalvingsMax = 256;
/// A reader more is worth a connection from so many keys on.
constexpr int64_t kKeysPerPart = 10'000;

int64_t RowsOf(const std::vector<KeyRange>& ranges) {
  return std::accumulate(ranges.begin(), ranges.end(), int64_t{0},
                         [](int64_t rows, const KeyRange& range) { return rows + range.rows; });
}

/// Whether values of a column are whole numbers, so that each lies in one of several ranges.
bool IsWhole(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DECIMAL128)
    return static_cast<const arrow::DecimalType&>(type).scale() == 0;
  return type.id() == arrow::Type::INT32 || type.id() == arrow::Type::INT64;
}

/// See that a column's values are whole numbers, and that the database compares them as such.
Status CheckKey(const DatabaseView& view, const Relation& relation, const std::string& column) {
  const TableColumn* found = relation.Find(column);
  if (found == nullptr) {
    std::vector<std::string> names;
    for (const TableColumn& other : relation.columns) names.push_back(other.name);
    return ConfigError("chunk_column: " + relation.name + " has no column '" + column + "'" +
                       DidYouMean(column, names) + "; name one of those that are read");
  }
  const bool compares = view.CheckCursor(relation, *found).ok() && view.Literal(*found, "1") == "1";
  if (IsWhole(*found->type) && compares) return Status::Ok();
  return ConfigError("chunk_column: " + relation.name + ", column " + column + " has the type " +
                     found->type->ToString() + "; expected a column of whole numbers");
}

}  // namespace

Result<std::vector<KeyRange>> PartKeys(
    KeyRange all, int64_t parts, const std::function<Result<int64_t>(Key first, Key last)>& count) {
  if (parts <= 1 || all.first >= all.last) return std::vector<KeyRange>{all};
  CALVE_ASSIGN_OR_RETURN(all.rows, count(all.first, all.last));
  std::vector<KeyRange> ranges = {all};
  int64_t enough = std::max<int64_t>(1, all.rows / parts);
  for (int i = 0; i < kHalvingsMax; ++i) {
    // What a halving finds to be empty is not to be shared out.
    enough = std::clamp<int64_t>(RowsOf(ranges) / parts, 1, enough);
    const auto largest =
        std::max_element(ranges.begin(), ranges.end(),
                         [](const KeyRange& a, const KeyRange& b) { return a.rows < b.rows; });
    if (largest->rows <= enough + enough / 2 || largest->first == largest->last) break;
    const Key middle = largest->first + (largest->last - largest->first) / 2;
    KeyRange upper{.first = middle + 1, .last = largest->last};
    largest->last = middle;
    CALVE_ASSIGN_OR_RETURN(largest->rows, count(largest->first, largest->last));
    CALVE_ASSIGN_OR_RETURN(upper.rows, count(upper.first, upper.last));
    ranges.insert(largest + 1, upper);
  }
  // Neighbours that hold little are read as one.
  std::vector<KeyRange> merged;
  for (const KeyRange& range : ranges) {
    if (!merged.empty() && merged.back().rows + range.rows <= enough) {
      merged.back().last = range.last;
      merged.back().rows += range.rows;
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

std::vector<std::string> ConditionsOf(const std::vector<KeyRange>& ranges, const std::string& key) {
  std::vector<std::string> conditions;
  for (size_t i = 0; i < ranges.size(); ++i) {
    std::string condition;
    if (i > 0) condition = key + " >= " + PrintKey(ranges[i].first);
    if (i + 1 < ranges.size())
      condition += (i > 0 ? " AND " : "") + key + " <= " + PrintKey(ranges[i].last);
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

Result<std::vector<std::string>> PartByColumn(const Context& context, DatabaseView& view,
                                              const Relation& relation, const std::string& column,
                                              int64_t parts_max) {
  CALVE_RETURN_IF_ERROR(CheckKey(view, relation, column));
  const std::string key = view.QuoteName(column);
  const auto end = [&](const std::string& which, const std::string& where) {
    return view.Value(context, "SELECT " + which + "(" + key + ") FROM " + relation.from + where);
  };
  CALVE_ASSIGN_OR_RETURN(const auto least, end("min", ""));
  CALVE_ASSIGN_OR_RETURN(const auto greatest, end("max", ""));
  if (!least.has_value() || !greatest.has_value()) {
    CALVE_ASSIGN_OR_RETURN(const auto any,
                           view.Value(context, "SELECT 1 FROM " + relation.from + " LIMIT 1"));
    return any.has_value() ? std::vector<std::string>{""} : std::vector<std::string>();
  }
  // Between the first and the last key of a range as many rows are expected as there is room for;
  // the database finds both in an index without counting.
  const auto count = [&](Key first, Key last) -> Result<int64_t> {
    const std::string where =
        " WHERE " + key + " BETWEEN " + PrintKey(first) + " AND " + PrintKey(last);
    CALVE_ASSIGN_OR_RETURN(const auto from, end("min", where));
    CALVE_ASSIGN_OR_RETURN(const auto to, end("max", where));
    if (!from.has_value() || !to.has_value()) return 0;
    const Key room = ParseKey(*to) - ParseKey(*from) + 1;
    constexpr Key kMax = std::numeric_limits<int64_t>::max() / 1024;  // Their sum fits, too.
    return static_cast<int64_t>(std::clamp<Key>(room, 0, kMax));
  };
  const KeyRange all{.first = ParseKey(*least), .last = ParseKey(*greatest)};
  constexpr Key kFar = Key{1} << 125;  // Beyond it their distance is no Key.
  if (all.first < -kFar || all.last > kFar) return std::vector<std::string>{""};
  const auto parts = static_cast<int64_t>(
      std::clamp<Key>((all.last - all.first) / kKeysPerPart, 1, std::max<int64_t>(1, parts_max)));
  CALVE_ASSIGN_OR_RETURN(const auto ranges, PartKeys(all, parts, count));
  std::vector<std::string> conditions = ConditionsOf(ranges, key);
  if (conditions.size() > 1 && relation.Find(column)->nullable)
    conditions.front() += " OR " + key + " IS NULL";
  return conditions;
}

Key ParseKey(const std::string& text) {
  Key key = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') key = key * 10 + (c - '0');
  }
  return text.starts_with('-') ? -key : key;
}

std::string PrintKey(Key key) {
  if (key == 0) return "0";
  std::string digits;
  for (Key rest = key < 0 ? -key : key; rest > 0; rest /= 10)
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  if (key < 0) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace calve::source
