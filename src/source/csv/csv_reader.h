#pragma once

#include <arrow/type.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/text_column.h"
#include "source/csv/csv_text.h"
#include "source/csv_parser.h"
#include "source/source.h"

namespace calve::source {

/// Batches of one file's rows in the plan's schema: of those that no other reader of the file has
/// taken.
class CsvReader : public SplitReader {
 public:
  /// `options` outlive it.
  static Result<std::unique_ptr<CsvReader>> Open(const Context& context, const CsvOptions& options,
                                                 std::shared_ptr<CsvText> text,
                                                 std::shared_ptr<arrow::Schema> schema,
                                                 const PlanOptions& plan);
  Result<std::optional<columnar::TracedBatch>> Next(const Context& context) override;

 private:
  CsvReader(const CsvOptions& options, std::shared_ptr<CsvText> text,
            std::shared_ptr<arrow::Schema> schema, const PlanOptions& plan);

  /// Rows of a batch, whose columns are being built.
  struct Building {
    columnar::TracedBatch batch;
    std::vector<int64_t> lines;  ///< Of the rows in the columns.
    std::vector<int64_t> bad;    ///< Rows in the columns that do not stay, ascending.
  };
  Result<size_t> Parse(const Context& context, size_t rows_max);
  Status AppendRows(Building* building);
  /// `rows` follow each other and have the right shape.
  Status AppendColumn(size_t column, std::span<const CsvRow> rows, Building* building);
  Status Finish(Building* building);
  std::string ShapeFault(const CsvRow& row) const;
  columnar::Reject MakeReject(const CsvRow& row, std::string column, std::string reason) const;

  const std::shared_ptr<CsvText> text_;
  const std::shared_ptr<arrow::Schema> schema_;
  const columnar::TextFormats formats_;
  const PlanOptions plan_;
  CsvParser parser_;
  TextBlock block_;
  std::string_view left_;  ///< Of the block, not parsed yet.
  std::vector<std::unique_ptr<columnar::TextColumn>> columns_;
  std::vector<ptrdiff_t> sources_;  ///< For each column, its place in the file; -1: not there.
  std::vector<int64_t> misfits_;
};

}  // namespace calve::source
