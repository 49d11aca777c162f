#include "source/table_rows.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/row_text.h"
#include "source/file_rows.h"

namespace calve::source {
namespace {

using columnar::Batch;
using columnar::TracedBatch;
using Misfit = RowsRead::Misfit;

/// A row as JSON by some of its columns; a value that did not fit as the database prints it.
std::string PrintRow(const arrow::RecordBatch& rows, const std::vector<int>& columns, int64_t row,
                     const Misfit* misfit) {
  std::string text = "{";
  for (const int column : columns) {
    const bool is_misfit = misfit != nullptr && misfit->column == static_cast<size_t>(column);
    if (text.size() > 1) text += ", ";
    text += Quote(rows.column_name(column)) + ": ";
    text += is_misfit ? Quote(misfit->text) : columnar::CellJson(*rows.column(column), row);
  }
  return text + "}";
}

std::vector<int> AllColumns(const arrow::RecordBatch& rows) {
  std::vector<int> columns(static_cast<size_t>(rows.num_columns()));
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<int>(i);
  return columns;
}

/// Rows of a table by their key, or by how far the reader had come.
class TableOrigins : public columnar::Origins {
 public:
  TableOrigins(std::shared_ptr<const TableSplit> split, Batch key, std::vector<int64_t> numbers)
      : split_(std::move(split)), key_(std::move(key)), numbers_(std::move(numbers)) {}

  std::string Describe(int64_t row) const override {
    if (key_->num_columns() == 0)
      return split_->label + ", row " + FormatCount(numbers_[static_cast<size_t>(row)]);
    std::string place = (*split_->relations)[split_->relation].name + " where ";
    for (int i = 0; i < key_->num_columns(); ++i) {
      if (i > 0) place += " and ";
      place += key_->column_name(i) + " = " + columnar::CellText(*key_->column(i), row);
    }
    return place;
  }

 private:
  const std::shared_ptr<const TableSplit> split_;
  const Batch key_;
  const std::vector<int64_t> numbers_;  ///< Only without a key.
};

class TableReader : public SplitReader {
 public:
  TableReader(std::shared_ptr<const TableSplit> split, std::shared_ptr<arrow::Schema> schema,
              std::unique_ptr<RowReader> rows)
      : split_(std::move(split)), schema_(std::move(schema)), rows_(std::move(rows)) {
    if (split_->seen != nullptr) seen_ = *split_->seen;
  }

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    while (true) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const std::optional<RowsRead> read, rows_->Next(context));
      if (!read.has_value()) return std::optional<TracedBatch>();
      CALVE_ASSIGN_OR_RETURN(TracedBatch batch, Trace(*read));
      first_number_ += read->rows->num_rows();
      if (batch.rows_read > 0) return std::optional<TracedBatch>(std::move(batch));
    }
  }

 private:
  Result<TracedBatch> Trace(const RowsRead& read) {
    TracedBatch batch;
    batch.bytes_read = read.bytes;
    const int64_t rows = read.rows->num_rows();
    Batch kept_rows = read.rows;
    std::vector<int64_t> kept;
    if (split_->seen != nullptr || !read.misfits.empty()) {
      CALVE_RETURN_IF_ERROR(SetAside(read, &kept, &batch.rejects));
      CALVE_ASSIGN_OR_RETURN(kept_rows, columnar::TakeRows(read.rows, kept));
    } else if (!has_key()) {
      for (int64_t row = 0; row < rows; ++row) kept.push_back(row);
    }
    for (int64_t& row : kept) row += first_number_ + 1;
    batch.origins = std::make_shared<TableOrigins>(
        split_, KeysOf(*kept_rows), has_key() ? std::vector<int64_t>() : std::move(kept));
    batch.rows_read = kept_rows->num_rows() + static_cast<int64_t>(batch.rejects.size());
    CALVE_ASSIGN_OR_RETURN(batch.rows, ArrangeRows(*kept_rows, schema_));
    return batch;
  }

  /// Part the rows into those that stay, those that were seen before, and those that do not fit.
  Status SetAside(const RowsRead& read, std::vector<int64_t>* kept,
                  std::vector<columnar::Reject>* rejects) {
    std::vector<RowDigest> digests;
    if (split_->seen != nullptr) {
      CALVE_ASSIGN_OR_RETURN(digests, DigestsOf(read, split_->seen_columns));
    }
    size_t next = 0;
    for (int64_t row = 0; row < read.rows->num_rows(); ++row) {
      const Misfit* misfit = nullptr;
      if (next < read.misfits.size() && read.misfits[next].row == row)
        misfit = &read.misfits[next++];
      if (!digests.empty() && seen_.Take(digests[static_cast<size_t>(row)])) continue;
      if (misfit == nullptr) {
        kept->push_back(row);
        continue;
      }
      const std::string& column = read.rows->column_name(static_cast<int>(misfit->column));
      const TableOrigins origins(split_, KeysOf(*read.rows->Slice(row, 1)),
                                 {first_number_ + row + 1});
      rejects->push_back({.origin = origins.Describe(0),
                          .column = column,
                          .reason = "column " + column + ": " + misfit->reason,
                          .raw = PrintRow(*read.rows, AllColumns(*read.rows), row, misfit)});
    }
    return Status::Ok();
  }

  const Relation& relation() const { return (*split_->relations)[split_->relation]; }

  bool has_key() const {
    const auto& key = relation().key;
    return !key.empty() && std::all_of(key.begin(), key.end(), [&](const std::string& column) {
      return relation().Find(column) != nullptr;
    });
  }

  Batch KeysOf(const arrow::RecordBatch& rows) const {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    if (has_key()) {
      for (const std::string& column : relation().key) {
        fields.push_back(rows.schema()->GetFieldByName(column));
        arrays.push_back(rows.GetColumnByName(column));
      }
    }
    return arrow::RecordBatch::Make(arrow::schema(fields), rows.num_rows(), std::move(arrays));
  }

  const std::shared_ptr<const TableSplit> split_;  // Outlives rows_, which reads its relation.
  const std::shared_ptr<arrow::Schema> schema_;
  const std::unique_ptr<RowReader> rows_;
  SeenRows seen_;
  int64_t first_number_ = 0;
};

}  // namespace

Result<std::vector<RowDigest>> DigestsOf(const RowsRead& read,
                                         const std::vector<std::string>& columns) {
  std::vector<int> places;
  for (const std::string& column : columns) {
    const int place = read.rows->schema()->GetFieldIndex(column);
    if (place >= 0) places.push_back(place);
  }
  std::vector<RowDigest> digests;
  size_t next = 0;
  for (int64_t row = 0; row < read.rows->num_rows(); ++row) {
    const bool fits = next == read.misfits.size() || read.misfits[next].row != row;
    digests.push_back(
        DigestOf(PrintRow(*read.rows, places, row, fits ? nullptr : &read.misfits[next++])));
  }
  return digests;
}

Result<std::unique_ptr<SplitReader>> OpenTableSplit(const Context& context,
                                                    std::shared_ptr<const TableSplit> split,
                                                    std::shared_ptr<arrow::Schema> schema,
                                                    const PlanOptions& options) {
  const Relation& relation = (*split->relations)[split->relation];
  CALVE_ASSIGN_OR_RETURN(auto rows, split->view->Read(context, relation, split->sql, options));
  return std::make_unique<TableReader>(std::move(split), std::move(schema), std::move(rows));
}

}  // namespace calve::source
