#include "source/excel/sheet_rows.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "base/text.h"

namespace calve::source::excel {
namespace {

constexpr size_t kRowBytesMax = 64 << 20;
/// A double has no more digits that count.
constexpr int kDigitsMax = 15;

std::optional<double> ReadNumber(std::string_view text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int DigitsOf(std::string_view number) {
  const size_t first = number.find_first_of("123456789");
  if (first == std::string_view::npos) return 0;
  return static_cast<int>(std::count_if(number.begin() + static_cast<ptrdiff_t>(first),
                                        number.end(), [](char c) { return c >= '0' && c <= '9'; }));
}

/// A number of rows or columns at the start of a text, taken off.
std::optional<int> TakeRow(std::string_view* text) {
  int row = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), row);
  if (failed != std::errc() || row < 1 || row > kRowsMax) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return row;
}

int TakeColumn(std::string_view* text) {
  const size_t size = std::min(text->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), text->size());
  const int column = ColumnOf(text->substr(0, size));
  text->remove_prefix(size);
  return column;
}

}  // namespace

Result<CellRange> CellRange::Parse(const std::string& text) {
  const auto wrong = [&] {
    return ConfigError("'" + text +
                       "' is no range of cells; expected one such as B3:F200, B3:F or B:F");
  };
  CellRange range;
  std::string_view rest = text;
  const bool has_columns = !rest.empty() && rest.front() >= 'A';
  if (has_columns && (range.first_column = TakeColumn(&rest)) == 0) return wrong();
  if (!rest.starts_with(':')) {
    const auto row = TakeRow(&rest);
    if (!row.has_value()) return wrong();
    range.first_row = *row;
  }
  if (!rest.starts_with(':')) return wrong();
  rest.remove_prefix(1);
  if (has_columns && (range.last_column = TakeColumn(&rest)) == 0) return wrong();
  if (!rest.empty()) {
    const auto row = TakeRow(&rest);
    if (!row.has_value() || !rest.empty()) return wrong();
    range.last_row = *row;
  } else if (!has_columns) {
    return wrong();
  }
  if (range.last_column < range.first_column || range.last_row < range.first_row) return wrong();
  return range;
}

Result<std::unique_ptr<SheetRows>> SheetRows::Open(std::shared_ptr<Workbook> book,
                                                   const Workbook::Sheet& sheet,
                                                   const Options& options) {
  std::unique_ptr<SheetRows> rows(new SheetRows(std::move(book), options));
  rows->sheet_ = sheet.name;
  CALVE_ASSIGN_OR_RETURN(rows->tokens_, rows->book_->OpenPart(sheet.part));
  CALVE_RETURN_IF_ERROR(rows->ReadHeader());
  return rows;
}

std::string SheetRows::PlaceOf(const Cell& cell) const {
  return LettersOf(cell.column) + std::to_string(row_);
}

bool SheetRows::IsNull(std::string_view text) const {
  return text.empty() || std::find(options_.null_values.begin(), options_.null_values.end(),
                                   text) != options_.null_values.end();
}

Status SheetRows::ReadHeader() {
  keys_.resize(kColumnsMax + 1);
  if (options_.header_row == 0) {
    for (int column = options_.range.first_column; column <= options_.range.last_column; ++column)
      keys_[static_cast<size_t>(column)] = Quote(LettersOf(column)) + ":";
    return Status::Ok();
  }
  const std::string place = book_->name() + " sheet " + Quote(sheet_);
  do {
    CALVE_ASSIGN_OR_RETURN(const bool more, ReadRow());
    if (!more) return Status::Ok();
  } while (options_.header_row.has_value() && row_ < *options_.header_row);
  if (options_.header_row.has_value() && row_ != *options_.header_row) {
    return DataError(place + ": row " + std::to_string(*options_.header_row) +
                     " is empty, expected the header; set header_row to the row that has it, or 0 "
                     "when there is none");
  }
  std::map<std::string, int, std::less<>> columns;
  for (const Cell& cell : cells_) {
    const std::string name(Trim(TextOf(cell)));
    if (name.empty()) continue;
    const auto [known, fresh] = columns.emplace(name, cell.column);
    if (!fresh) {
      return DataError(place + ": the columns " + LettersOf(known->second) + " and " +
                       LettersOf(cell.column) + " are both called " + Quote(name.substr(0, 60)) +
                       "; give each a name of its own, or leave one out by range");
    }
    keys_[static_cast<size_t>(cell.column)] = Quote(name) + ":";
  }
  return Status::Ok();
}

Result<bool> SheetRows::Next() { return ReadRow(); }

Result<bool> SheetRows::ReadRow() {
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto kind, tokens_->Next());
    if (kind == XmlTokens::Kind::kDone) return false;
    if (kind != XmlTokens::Kind::kStart || LocalName(tokens_->name()) != "row") continue;
    const std::string_view numbered = AttributeOf(*tokens_, "r");
    row_ = next_row_;
    if (!numbered.empty()) {
      const auto row = ParseInteger(numbered);
      if (!row.has_value() || *row < next_row_ || *row > kRowsMax) {
        return tokens_->Fault("expected the row " + FormatCount(next_row_) +
                              " or a later one, of " + FormatCount(kRowsMax) + " at most, found " +
                              Quote(numbered.substr(0, 20)) + "; save the workbook again");
      }
      row_ = static_cast<int>(*row);
    }
    next_row_ = row_ + 1;
    CALVE_RETURN_IF_ERROR(ReadCells());
    if (row_ > options_.range.last_row) return false;
    if (row_ >= options_.range.first_row && !cells_.empty()) return true;
  }
}

Status SheetRows::ReadCells() {
  cells_.clear();
  texts_.clear();
  next_column_ = 1;
  const size_t depth = tokens_->depth();
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto kind, tokens_->Next());
    if (kind == XmlTokens::Kind::kEnd && tokens_->depth() < depth) return Status::Ok();
    if (kind == XmlTokens::Kind::kStart && LocalName(tokens_->name()) == "c")
      CALVE_RETURN_IF_ERROR(ReadCell());
    if (texts_.size() > kRowBytesMax)
      return tokens_->Fault("the row is larger than " +
                            FormatBytes(ByteCount(static_cast<int64_t>(kRowBytesMax))) +
                            ", which no row of a table is");
  }
}

Status SheetRows::ReadCell() {
  const std::string_view place = AttributeOf(*tokens_, "r");
  int column = next_column_;
  if (!place.empty()) {
    std::string_view rest = place;
    column = TakeColumn(&rest);
    if (column < next_column_ || ParseInteger(rest) != row_) {
      return tokens_->Fault("expected a cell of row " + std::to_string(row_) + " from column " +
                            LettersOf(std::min(next_column_, kColumnsMax)) + " to XFD, found " +
                            Quote(place.substr(0, 20)) + "; save the workbook again");
    }
  } else if (column > kColumnsMax) {
    return tokens_->Fault("row " + std::to_string(row_) + " goes on beyond column XFD");
  }
  next_column_ = column + 1;
  const std::string type(AttributeOf(*tokens_, "t"));
  const auto style = static_cast<size_t>(
      std::max<int64_t>(0, ParseInteger(AttributeOf(*tokens_, "s")).value_or(0)));
  const size_t depth = tokens_->depth();
  std::string value;
  bool in_value = false;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto kind, tokens_->Next());
    if (kind == XmlTokens::Kind::kText) {
      if (in_value) value += tokens_->text();
      continue;
    }
    if (kind == XmlTokens::Kind::kEnd && tokens_->depth() < depth) break;
    const std::string_view name = LocalName(tokens_->name());
    if (name == "v" || name == "t") in_value = kind == XmlTokens::Kind::kStart;
  }
  if (!options_.range.HasColumn(column) || value.empty()) return Status::Ok();
  return TakeValue(type, style, std::move(value), column);
}

Status SheetRows::TakeValue(std::string_view type, size_t style, std::string value, int column) {
  Cell cell{.column = column, .kind = CellKind::kNumber, .style = style, .text = texts_.size()};
  if (type == "s") {
    const auto index = ParseInteger(value);
    if (!index.has_value() || *index < 0 || static_cast<size_t>(*index) >= book_->texts()) {
      return tokens_->Fault("cell " + LettersOf(column) + std::to_string(row_) +
                            " names a text that the workbook does not have; save it again");
    }
    value = book_->Text(static_cast<size_t>(*index));
    cell.kind = CellKind::kText;
  } else if (type == "str" || type == "inlineStr") {
    cell.kind = CellKind::kText;
  } else if (type == "b") {
    cell.kind = CellKind::kBoolean;
    value = value == "1" || value == "true" ? "true" : "false";
  } else if (type == "e") {
    cell.kind = CellKind::kError;
  } else if (type == "d") {
    cell.kind = CellKind::kMoment;
  }
  if (IsNull(value)) return Status::Ok();
  texts_ += value;
  cell.text_size = value.size();
  cells_.push_back(cell);
  return Status::Ok();
}

std::string_view SheetRows::Print(std::string* misfit) {
  json_ = "{";
  for (const Cell& cell : cells_) {
    const std::string& key = keys_[static_cast<size_t>(cell.column)];
    if (key.empty()) {
      if (misfit->empty()) {
        *misfit = "cell " + PlaceOf(cell) +
                  " has a value, and its column has no name in the header; name it there, or leave "
                  "it out by range";
      }
      continue;
    }
    if (json_.size() > 1) json_ += ',';
    json_ += key;
    PrintCell(cell, misfit);
  }
  json_ += '}';
  return json_;
}

void SheetRows::PrintCell(const Cell& cell, std::string* misfit) {
  const std::string_view text = TextOf(cell);
  const auto odd = [&](const std::string& what) {
    if (misfit->empty()) *misfit = "cell " + PlaceOf(cell) + " " + what;
    json_ += Quote(text);
  };
  switch (cell.kind) {
    case CellKind::kText:
    case CellKind::kMoment:
      json_ += Quote(text);
      return;
    case CellKind::kBoolean:
      json_ += text;
      return;
    case CellKind::kError:
      odd("holds the error " + std::string(text.substr(0, 40)) +
          "; mend the sheet, or name the error in null_values");
      return;
    case CellKind::kNumber:
      break;
  }
  const auto number = ReadNumber(text);
  if (!number.has_value()) {
    odd("holds no number: " + Quote(text.substr(0, 40)) + "; save the workbook again");
    return;
  }
  const CellForm form = book_->FormOf(cell.style);
  if (form != CellForm::kNumber) {
    const auto moment = MomentText(*number, form, book_->epoch());
    if (moment.has_value()) {
      json_ += Quote(*moment);
    } else {
      odd("is shown as a date, and no calendar has its day " + std::string(text.substr(0, 40)) +
          "; mend the sheet, or its format");
    }
    return;
  }
  const size_t first = text.find_first_of("0123456789.");
  if (first != 0 && !(first == 1 && text.front() == '-')) {
    odd("holds no number: " + Quote(text.substr(0, 40)) + "; save the workbook again");
    return;
  }
  json_ += text;
  // More digits than a double has are what is left of a computation, not of a decimal.
  const bool is_plain = text.find_first_of("eE") == std::string_view::npos;
  if (is_plain && text.find('.') != std::string_view::npos && DigitsOf(text) > kDigitsMax)
    json_ += "e0";
}

}  // namespace calve::source::excel
