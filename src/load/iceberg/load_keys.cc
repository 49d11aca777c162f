#include "load/iceberg/load_keys.h"

#include <algorithm>
#include <compare>
#include <set>
#include <unordered_map>

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

Status LoadKeys::ForEachPart(const Context& context,
                             const std::function<Status(const KeySet& keys)>& use) {
  if (whole_.has_value()) return use(*whole_);
  return GoThrough(context, [&](const Part& part) { return use(part.keys); });
}

Status LoadKeys::GoThrough(const Context& context, const UsePart& use) {
  for (size_t number = 0; number < parts_; ++number) {
    Part part{.number = number, .keys = {}, .repeated = {}};
    CALVE_ASSIGN_OR_RETURN(const bool fits, Fill(context, &part));
    if (!fits) {
      if (parts_ == kPartsMax)
        return RefusedError("the keys of this load do not fit in memory; raise memory_limit");
      parts_ *= 2;
      number = static_cast<size_t>(-1);  // All over, in smaller parts.
      continue;
    }
    CALVE_RETURN_IF_ERROR(use(part));
    if (parts_ == 1) whole_ = std::move(part.keys);
  }
  return Status::Ok();
}

bool LoadKeys::IsIn(const Part& part, std::string_view key) const {
  return parts_ == 1 || PartOf(key, parts_) == part.number;
}

Status LoadKeys::Read(const Context& context, const iceberg::SchemaPtr& projection,
                      const UseRows& use) {
  const auto read = [&](const iceberg::TableMetadata& table, const iceberg::DataFilePtr& file,
                        size_t number, bool deletes) -> Status {
    iceberg::ScanTask task;
    task.file = file;
    CALVE_ASSIGN_OR_RETURN(const auto reader, reader::OpenTask(context, files_, table, task,
                                                               {.projection = projection,
                                                                .filter = Expression::True()}));
    while (true) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch rows, reader->Next(context));
      if (rows == nullptr) return Status::Ok();
      CALVE_RETURN_IF_ERROR(use(*rows, number, deletes));
    }
  };
  for (size_t i = 0; i < options_.files.size(); ++i)
    CALVE_RETURN_IF_ERROR(read(*options_.table, options_.files[i], i, false));
  for (size_t i = 0; i < options_.deletes.size(); ++i)
    CALVE_RETURN_IF_ERROR(read(*options_.deletes_table, options_.deletes[i], i, true));
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
Result<bool> LoadKeys::Fill(const Context& context, Part* part) {
  const KeyColumns& columns = options_.columns;
  const bool lists = IsListed();
  for (auto& values : listed_) values.clear();
  std::string key;
  bool fits = true;
  const auto fill = [&](const arrow::RecordBatch& rows, size_t, bool) -> Status {
    if (!fits) return Status::Ok();
    CALVE_RETURN_IF_ERROR(CheckNulls(rows));
    const reader::RowKeys row_keys = columns.KeysOf(rows);
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      row_keys.KeyOf(row, key);
      if (IsIn(*part, key) && !part->keys.Insert(key)) part->repeated.Insert(key);
    }
    for (size_t i = 0; lists && i < listed_.size(); ++i) {
      const iceberg::Type& type = columns.fields()[i].type;
      for (int64_t row = 0; row < rows.num_rows(); ++row)
        listed_[i].push_back(columnar::ValueAt(*rows.column(static_cast<int>(i)), row, type));
    }
    // What tells the latest of a repeated key takes a few times its bytes.
    fits = part->keys.bytes() + 4 * part->repeated.bytes() <= options_.bytes_max;
    return Status::Ok();
  };
  CALVE_RETURN_IF_ERROR(Read(context, columns.projection(), fill));
  return fits;
}

namespace {

/// Keys of rows of which none is the latest, for a message.
class Undecided {
 public:
  void Add(std::string text) {
    if (texts_.size() <= kExamplesMax) texts_.insert(std::move(text));
  }
  Status ToStatus(const KeyColumns& columns) const {
    if (texts_.empty()) return Status::Ok();
    std::vector<std::string> shown(texts_.begin(), texts_.end());
    const bool more = shown.size() > kExamplesMax;
    if (more) shown.resize(kExamplesMax);
    const std::string found = Join(shown, "; ") + (more ? "; and others" : "");
    if (columns.latest_by().empty()) {
      return DataError("expected each key (" + columns.names() +
                       ") once in a load, found several rows with " + found +
                       ": which of them holds is not known. Where a column tells the latest, name "
                       "it in the loader's latest_by; where rows of a later file replace those of "
                       "an earlier one, load each file by a run of its own, in their order");
    }
    std::vector<std::string> names;
    for (const iceberg::Field& field : columns.latest_by()) names.push_back(field.name);
    return DataError("expected one latest row of each key (" + columns.names() +
                     ") in a load, found several with the same " + Join(names, ", ") + " with " +
                     found +
                     ": add a column that tells them apart to the loader's latest_by, or "
                     "leave equal rows out by the transformer deduplicate");
  }

 private:
  std::set<std::string> texts_;
};

/// NULL is before all others.
std::strong_ordering CompareLatest(const std::vector<Value>& a, const std::vector<Value>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    const auto order = a[i].is_null() || b[i].is_null() ? b[i].is_null() <=> a[i].is_null()
                                                        : iceberg::Compare(a[i], b[i]);
    if (order != std::strong_ordering::equal) return order;
  }
  return std::strong_ordering::equal;
}

}  // namespace

Result<std::vector<rows::FileRows>> LoadKeys::FindOutdated(const Context& context) {
  std::vector<iceberg::PositionSet> outdated(options_.files.size());
  CALVE_RETURN_IF_ERROR(GoThrough(context, [&](const Part& part) {
    return part.repeated.size() == 0 ? Status::Ok() : Judge(context, part, &outdated);
  }));
  std::vector<rows::FileRows> found;
  for (size_t i = 0; i < outdated.size(); ++i) {
    if (outdated[i].empty()) continue;
    rows::FileRows& file = found.emplace_back();
    file.task.file = options_.files[i];
    file.gone = std::move(outdated[i]);
  }
  return found;
}

Status LoadKeys::Judge(const Context& context, const Part& part,
                       std::vector<iceberg::PositionSet>* outdated) {
  struct Row {
    std::vector<Value> latest;
    size_t file = 0;
    int64_t position = 0;
    bool deletes = false;
    bool is_rivalled = false;  ///< By another row that is as late.
  };
  const KeyColumns& columns = options_.columns;
  std::unordered_map<std::string, Row> latest;
  const auto drop = [&](const Row& row) {
    if (!row.deletes) (*outdated)[row.file].Add(row.position);
  };
  std::string key;
  const auto judge = [&](const arrow::RecordBatch& rows, size_t file, bool deletes) -> Status {
    const reader::RowKeys row_keys = columns.KeysOf(rows);
    for (int64_t i = 0; i < rows.num_rows(); ++i) {
      row_keys.KeyOf(i, key);
      if (!IsIn(part, key) || !part.repeated.Contains(key)) continue;
      Row row{.latest = columns.LatestOf(rows, i),
              .file = file,
              .position = KeyColumns::PositionOf(rows, i),
              .deletes = deletes};
      const auto [there, is_first] = latest.try_emplace(key, row);
      if (is_first) continue;
      const auto order = CompareLatest(row.latest, there->second.latest);
      if (order < 0) {
        drop(row);
      } else if (order > 0) {
        drop(there->second);
        there->second = std::move(row);
      } else if (!deletes || !there->second.deletes) {
        there->second.is_rivalled = true;
      }
    }
    return Status::Ok();
  };
  CALVE_ASSIGN_OR_RETURN(const iceberg::SchemaPtr projection, columns.LatestProjection());
  CALVE_RETURN_IF_ERROR(Read(context, projection, judge));
  Undecided undecided;
  const bool any_rivalled = std::any_of(latest.begin(), latest.end(),
                                        [](const auto& row) { return row.second.is_rivalled; });
  if (!any_rivalled) return Status::Ok();
  CALVE_RETURN_IF_ERROR(Read(context, columns.projection(),
                             [&](const arrow::RecordBatch& rows, size_t, bool) -> Status {
                               const reader::RowKeys row_keys = columns.KeysOf(rows);
                               for (int64_t i = 0; i < rows.num_rows(); ++i) {
                                 row_keys.KeyOf(i, key);
                                 const auto row = latest.find(key);
                                 if (row != latest.end() && row->second.is_rivalled)
                                   undecided.Add(columns.TextOf(rows, i));
                               }
                               return Status::Ok();
                             }));
  return undecided.ToStatus(columns);
}

bool LoadKeys::IsListed() const {
  int64_t rows = 0;
  for (const iceberg::DataFilePtr& file : options_.files) rows += file->record_count;
  for (const iceberg::DataFilePtr& file : options_.deletes) rows += file->record_count;
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
  std::vector<iceberg::DataFilePtr> files = options_.files;
  files.insert(files.end(), options_.deletes.begin(), options_.deletes.end());
  for (const iceberg::DataFilePtr& file : files) {
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
