#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "columnar/text_column.h"
#include "source/text_blocks.h"

namespace calve::source {

struct CsvDialect {
  char delimiter = ',';
  char quote = '"';                             ///< 0: none.
  std::vector<std::string> null_values = {""};  ///< Texts that mean NULL outside quotes.
  bool trim = false;                            ///< Take blanks off values that have no quotes.
};

/// What is wrong with the shape of a row.
enum class CsvRowFault {
  kNone,
  kTextAfterQuote,  ///< "abc"def
  kNul,
};

struct CsvRow {
  int64_t line = 0;  ///< The line on which it starts, from 1.
  std::string_view raw;
  uint32_t first_field = 0;
  uint32_t field_count = 0;
  CsvRowFault fault = CsvRowFault::kNone;
};

/// Cuts a stretch of a CSV file into rows and values (RFC 4180; rows end with LF, CRLF or CR; a
/// doubled quote inside quotes is one). For one thread.
///
/// Blank lines are no rows. Views point into what was given to Parse, and are good until the next
/// call.
class CsvParser {
 public:
  explicit CsvParser(CsvDialect dialect);

  /// Say on which line the text that comes next begins.
  void StartAt(int64_t line) { line_ = line; }
  /// Parse at most `rows_max` rows from the start of `data`, which holds whole rows; return the
  /// bytes consumed. Fails with kData when a quote is still open at the end.
  Result<size_t> Parse(std::string_view data, size_t rows_max);

  const std::vector<CsvRow>& rows() const { return rows_; }
  /// The values of a row, quotes taken off. Rows that follow each other have theirs so too.
  const columnar::TextValue* values(const CsvRow& row) const {
    return fields_.data() + row.first_field;
  }
  /// The line of the next row.
  int64_t line() const { return line_; }

 private:
  /// False when a quote does not close.
  bool ParseRow(std::string_view data, size_t* at);
  bool ParseQuoted(std::string_view data, size_t* at, CsvRow* row);
  std::string_view Unescape(std::string_view quoted);
  columnar::TextValue Plain(std::string_view text) const;

  const CsvDialect dialect_;
  uint64_t null_lengths_ = 0;  ///< A bit for each length of a null value; the last: 63 and more.
  int64_t line_ = 1;
  size_t open_column_ = 0;  ///< Where the quote that does not close opens.
  std::vector<CsvRow> rows_;
  std::vector<columnar::TextValue> fields_;
  std::deque<std::string> unescaped_;  ///< A deque: views into its strings survive its growth.
  size_t unescaped_used_ = 0;
};

/// Where rows of CSV end: with a line break that is in no quotes, exactly as CsvParser sees it.
class CsvRowEnds : public RowEnds {
 public:
  explicit CsvRowEnds(CsvDialect dialect) : dialect_(std::move(dialect)) {}
  Result<Cut> Find(std::string_view text, bool at_end) override;

 private:
  Cut FindAmongQuotes(std::string_view text) const;
  const CsvDialect dialect_;
};

}  // namespace calve::source
