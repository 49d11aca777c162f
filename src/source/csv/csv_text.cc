#include "source/csv/csv_text.h"

#include <nlohmann/json.hpp>

#include <map>
#include <utility>

#include "base/text.h"

namespace calve::source {

CsvText::CsvText(const CsvOptions& options, const Resources& resources, io::FileInfo info,
                 size_t block_bytes)
    : options_(options),
      places_(PlacesOf(resources, info)),
      blocks_(ShortName(info.uri), OpenText(resources, options, options.encoding, info),
              std::make_unique<CsvRowEnds>(options.dialect()), block_bytes) {}

Status CsvText::Open(const Context& context) {
  std::lock_guard lock(mutex_);
  if (opened_.has_value()) return *opened_;
  if (options_.header || options_.columns.empty()) {
    opened_ = ReadHeader(context);
  } else {
    columns_ = options_.columns;
    opened_ = CheckNames();
  }
  return *opened_;
}

Result<bool> CsvText::Next(const Context& context, TextBlock* block) {
  {
    std::lock_guard lock(mutex_);
    if (first_.has_value()) {
      *block = *std::exchange(first_, std::nullopt);
      return true;
    }
  }
  return blocks_.Next(context, block);
}

/// Without a header the first row tells how many columns there are, and stays to be read.
Status CsvText::ReadHeader(const Context& context) {
  CsvParser parser(options_.dialect());
  TextBlock block;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const bool more, blocks_.Next(context, &block));
    if (!more) return Status::Ok();  // An empty file has no columns and no rows.
    parser.StartAt(block.first_line());
    const Result<size_t> used = parser.Parse(block.text(), 1);
    if (!used.ok()) return Error{used.error().kind, name() + " " + used.error().message};
    if (parser.rows().empty()) continue;
    const CsvRow& row = parser.rows().front();
    for (size_t i = 0; i < row.field_count; ++i) {
      columns_.push_back(options_.header ? std::string(Trim(parser.values(row)[i].text))
                                         : "column_" + std::to_string(i + 1));
    }
    if (options_.header) block.Skip(*used, parser.line() - block.first_line());
    first_ = std::move(block);
    return CheckNames();
  }
}

std::string HeldColumns(const std::vector<std::string>& columns) {
  return nlohmann::json(columns).dump();
}

Result<std::vector<std::string>> ParseHeldColumns(const std::string& text) {
  const nlohmann::json names = nlohmann::json::parse(text, nullptr, false);
  std::vector<std::string> columns;
  for (const nlohmann::json& name : names) {
    if (name.is_string()) columns.push_back(name.get<std::string>());
  }
  if (names.is_array() && !columns.empty() && columns.size() == names.size()) return columns;
  return DataError(
      "expected the names of a file's columns as a JSON array beside a held row, found " +
      (text.empty() ? "nothing" : text));
}

Status CsvText::CheckNames() const {
  constexpr size_t kColumnsMax = 20'000;
  if (columns_.size() > kColumnsMax) {
    return DataError(name() + " line 1: the header has " +
                     FormatCount(static_cast<int64_t>(columns_.size())) +
                     " columns, of 20,000 at most; see that delimiter is the file's, and quote "
                     "values that hold it");
  }
  std::map<std::string, size_t> places;
  std::string faults;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string& column = columns_[i];
    const std::string place = name() + " line 1, column " + std::to_string(i + 1) + ": ";
    if (!IsValidUtf8(column) || column.find('\0') != std::string::npos) {
      faults += place +
                "the name is no UTF-8 text; if the file has another encoding, set encoding for "
                "the source\n";
    } else if (column.empty()) {
      faults +=
          place +
          "the header has no name here; name it in the file, or set header: false and columns\n";
    } else if (const auto [first, fresh] = places.emplace(ToLower(column), i); !fresh) {
      faults += place + "the header has '" + column + "' already in column " +
                std::to_string(first->second + 1) +
                "; rename one in the file, or set header: false and columns\n";
    }
  }
  if (faults.empty()) return Status::Ok();
  faults.pop_back();
  return DataError(faults);
}

}  // namespace calve::source
