#include "load/iceberg/load_keys.h"

#include <algorithm>

#include "base/text.h"
#include "columnar/convert.h"
#include "iceberg/scan.h"
#include "reader/reader.h"

namespace calve::load {
namespace {

using iceberg::Expression;
using iceberg::Value;

/// Up to here a load's keys are compared one by one with the bounds of files, instead of as a range.
constexpr int64_t kListedRowsMax = 1000;
constexpr size_t kPartsMax = 1 << 16;
constexpr size_t kExamplesMax = 5;

bool IsBefore(const Value& a, const Value& b) { return iceberg::Compare(a, b) < 0; }

/// By bits that KeySet does not begin with, so that each part spreads well in its set.
size_t PartOf(std::string_view key, size_t parts) {
  return (std::hash<std::string_view>()(key) >> 40) % parts;
}

}  // namespace

Status LoadKeys::Check(const Context& context) {
  return ForEachPart(context, [](const KeySet&) { return Status::Ok(); });
}

Status LoadKeys::ForEachPart(const Context& context,
                             const std::function<Status(const KeySet& keys)>& use) {
  if (whole_.has_value()) return use(*whole_);
  for (size_t part = 0; part < parts_; ++part) {
    KeySet keys;
    CALVE_ASSIGN_OR_RETURN(const bool fits, Fill(context, part, &keys));
    if (!fits) {
      if (parts_ == kPartsMax)
        return RefusedError("the keys of this load do not fit in memory; raise memory_limit");
      parts_ *= 2;
      part = static_cast<size_t>(-1);  // All over, in smaller parts.
      continue;
    }
    CALVE_RETURN_IF_ERROR(use(keys));
    if (parts_ == 1) whole_ = std::move(keys);
  }
  return Status::Ok();
}

Status LoadKeys::CheckNulls(const arrow::RecordBatch& rows) const {
  for (size_t i = 0; i < options_.columns.fields().size(); ++i) {
    const int64_t nulls = rows.column(static_cast<int>(i))->null_count();
    if (nulls == 0) continue;
    const std::string& name = options_.columns.fields()[i].name;
    return DataError("expected a value in key column " + name + " of every row, found NULL in " +
                     FormatCount(nulls) +
                     " of them or more: no row can be matched by it; to hold such rows back, put "
                     "not_null on " +
                     name + " in the contract, with severity quarantine");
  }
  return Status::Ok();
}

/// Read the keys of one part; false when they do not fit.
Result<bool> LoadKeys::Fill(const Context& context, size_t part, KeySet* keys) {
  std::string key;
  std::vector<std::string> repeated;
  const bool lists = IsListed();
  for (auto& values : listed_) values.clear();
  for (const iceberg::DataFilePtr& file : options_.files) {
    iceberg::ScanTask task;
    task.file = file;
    CALVE_ASSIGN_OR_RETURN(const auto reader,
                           reader::OpenTask(context, files_, *options_.table, task,
                                            {.projection = options_.columns.projection(),
                                             .filter = Expression::True()}));
    while (true) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch rows, reader->Next(context));
      if (rows == nullptr) break;
      CALVE_RETURN_IF_ERROR(CheckNulls(*rows));
      const reader::RowKeys row_keys = options_.columns.KeysOf(*rows);
      for (int64_t row = 0; row < rows->num_rows(); ++row) {
        row_keys.KeyOf(row, key);
        if (parts_ > 1 && PartOf(key, parts_) != part) continue;
        const bool is_new = keys->Insert(key);
        if (!is_new && repeated.size() <= kExamplesMax)
          repeated.push_back(options_.columns.TextOf(*rows, row));
      }
      for (size_t i = 0; lists && i < listed_.size(); ++i) {
        const iceberg::Type& type = options_.columns.fields()[i].type;
        for (int64_t row = 0; row < rows->num_rows(); ++row)
          listed_[i].push_back(columnar::ValueAt(*rows->column(static_cast<int>(i)), row, type));
      }
      if (keys->bytes() > options_.bytes_max) return false;
    }
  }
  if (repeated.empty()) return true;
  std::sort(repeated.begin(), repeated.end());
  repeated.erase(std::unique(repeated.begin(), repeated.end()), repeated.end());
  const bool more = repeated.size() > kExamplesMax;
  if (more) repeated.resize(kExamplesMax);
  return DataError(
      "expected each key (" + options_.columns.names() +
      ") once in a load, found several rows with " + Join(repeated, "; ") +
      (more ? "; and others" : "") +
      ": which of them holds is not known. Where rows of a later file replace those of "
      "an earlier one, load each file by a run of its own, in their order; within a "
      "file leave one row of each key");
}

bool LoadKeys::IsListed() const {
  int64_t rows = 0;
  for (const iceberg::DataFilePtr& file : options_.files) rows += file->record_count;
  return rows <= kListedRowsMax;
}

Expression LoadKeys::FilterFor(const iceberg::Schema& table) const {
  Expression filter;
  for (size_t i = 0; i < listed_.size(); ++i) {
    const iceberg::Field& column = options_.columns.fields()[i];
    const iceberg::Field* known = table.FindById(column.id);
    // Of a column that is new or widened, files say nothing that could be compared.
    if (known == nullptr || !(known->type == column.type)) continue;
    std::vector<Value> values = listed_[i];
    if (values.empty()) {
      filter = Expression::And(std::move(filter), RangeOf(column));
      continue;
    }
    std::sort(values.begin(), values.end(), IsBefore);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    filter = Expression::And(
        std::move(filter), Expression::Compare(Expression::Op::kIn, column.id, std::move(values)));
  }
  return filter;
}

/// From the least to the greatest value, as the files' bounds say.
Expression LoadKeys::RangeOf(const iceberg::Field& column) const {
  std::optional<Value> least;
  std::optional<Value> greatest;
  for (const iceberg::DataFilePtr& file : options_.files) {
    const std::string* lower = file->metrics.lower_bounds.Find(column.id);
    const std::string* upper = file->metrics.upper_bounds.Find(column.id);
    if (lower == nullptr || upper == nullptr) return Expression::True();
    Result<Value> from = iceberg::FromBytes(column.type, *lower);
    Result<Value> to = iceberg::FromBytes(column.type, *upper);
    if (!from.ok() || !to.ok()) return Expression::True();
    if (!least.has_value() || IsBefore(*from, *least)) least = std::move(*from);
    if (!greatest.has_value() || IsBefore(*greatest, *to)) greatest = std::move(*to);
  }
  if (!least.has_value()) return Expression::True();
  return Expression::And(
      Expression::Compare(Expression::Op::kGreaterOrEqual, column.id, {std::move(*least)}),
      Expression::Compare(Expression::Op::kLessOrEqual, column.id, {std::move(*greatest)}));
}

}  // namespace calve::load
