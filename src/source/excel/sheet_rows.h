#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/excel/workbook.h"
#include "source/record_reader.h"

namespace calve::source::excel {

/// A rectangle of cells, both ends included.
struct CellRange {
  int first_column = 1;
  int last_column = kColumnsMax;
  int first_row = 1;
  int last_row = kRowsMax;

  /// "B3:F200", "B3:F", "B:F" or "3:200". Fails with kConfig.
  static Result<CellRange> Parse(const std::string& text);
  bool HasColumn(int column) const { return column >= first_column && column <= last_column; }
};

/// The rows of one sheet that have values, each as JSON by the names above its columns. For one
/// thread.
class SheetRows : public RecordStream {
 public:
  struct Options {
    CellRange range;
    std::optional<int> header_row;  ///< 0: there is none; nothing: the first with values.
    std::vector<std::string> null_values;
  };

  /// `book` has loaded its texts. `options` outlive it. Reads up to the header.
  static Result<std::unique_ptr<SheetRows>> Open(std::shared_ptr<Workbook> book,
                                                 const Workbook::Sheet& sheet,
                                                 const Options& options);

  Result<bool> Next() override;
  std::string_view Print(std::string* misfit) override;
  int64_t number() const override { return row_; }
  int64_t bytes_read() const override { return tokens_->bytes_read(); }

 private:
  enum class CellKind { kNumber, kText, kBoolean, kError, kMoment };
  struct Cell {
    int column = 0;
    CellKind kind = CellKind::kText;
    size_t style = 0;
    size_t text = 0;  ///< In texts_.
    size_t text_size = 0;
  };

  SheetRows(std::shared_ptr<Workbook> book, const Options& options)
      : book_(std::move(book)), options_(options) {}
  /// Go to the next row of the range that has values; false at the end.
  Result<bool> ReadRow();
  Status ReadCells();
  Status ReadCell();
  Status TakeValue(std::string_view type, size_t style, std::string value, int column);
  Status ReadHeader();
  void PrintCell(const Cell& cell, std::string* misfit);
  std::string PlaceOf(const Cell& cell) const;
  bool IsNull(std::string_view text) const;
  std::string_view TextOf(const Cell& cell) const {
    return std::string_view(texts_).substr(cell.text, cell.text_size);
  }

  const std::shared_ptr<Workbook> book_;
  const Options& options_;
  std::unique_ptr<XmlTokens> tokens_;
  std::string sheet_;
  int row_ = 0;
  int next_row_ = 1;
  int next_column_ = 1;
  std::vector<Cell> cells_;
  std::string texts_;
  std::vector<std::string> keys_;  ///< By column: `"name":`, or "" where there is none.
  std::string json_;
};

}  // namespace calve::source::excel
