#include "source/excel/cell_format.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/text.h"
#include "base/time.h"

namespace calve::source::excel {
namespace {

constexpr double kMillisPerDay = 86'400'000;
constexpr int64_t kMillisInDay = 86'400'000;
/// Days from the epochs to 1970-01-01. Excel's 1900 has a 29th of February, as day 60.
constexpr int64_t kDaysFrom1900 = 25'569;
constexpr int64_t kDaysFrom1904 = 24'107;
constexpr int64_t kLeapDay = 60;
constexpr double kDaysMax = 2'958'466;  ///< 10000-01-01

}  // namespace

CellForm FormOfBuiltIn(int format) {
  if (format == 22) return CellForm::kDateTime;
  if ((format >= 18 && format <= 21) || format == 45 || format == 47) return CellForm::kTime;
  const bool is_date = (format >= 14 && format <= 17) || (format >= 27 && format <= 36) ||
                       (format >= 50 && format <= 58);
  return is_date ? CellForm::kDate : CellForm::kNumber;
}

CellForm FormOfCode(std::string_view code) {
  bool has_date = false;
  bool has_time = false;
  bool has_month = false;
  for (size_t at = 0; at < code.size() && code[at] != ';'; ++at) {
    const char c = code[at];
    if (c == '\\' || c == '_' || c == '*') {
      ++at;
    } else if (c == '"') {
      at = std::min(code.find('"', at + 1), code.size());
    } else if (c == '[') {
      const size_t end = std::min(code.find(']', at), code.size());
      const std::string inside = ToLower(code.substr(at + 1, end - at - 1));
      const bool is_stretch =
          !inside.empty() && inside.find_first_not_of(inside.front()) == std::string::npos &&
          std::string_view("hms").find(inside.front()) != std::string_view::npos;
      if (is_stretch) return CellForm::kNumber;
      at = end;
    } else {
      const char lower = ToLower(std::string_view(&c, 1)).front();
      has_date = has_date || lower == 'y' || lower == 'd';
      has_time = has_time || lower == 'h' || lower == 's';
      has_month = has_month || lower == 'm';
    }
  }
  has_date = has_date || (has_month && !has_time);
  if (has_date) return has_time ? CellForm::kDateTime : CellForm::kDate;
  return has_time ? CellForm::kTime : CellForm::kNumber;
}

std::optional<std::string> MomentText(double days, CellForm form, Epoch epoch) {
  if (!std::isfinite(days) || days < 0 || days >= kDaysMax) return std::nullopt;
  const int64_t millis = std::llround(days * kMillisPerDay);
  int64_t day = millis / kMillisInDay;
  const int64_t in_day = millis % kMillisInDay;
  if (form == CellForm::kTime && day == 0) {
    const std::string text = FormatTimestamp(TimestampFromMillis(in_day));
    return text.substr(11, in_day % 1000 == 0 ? 8 : 12);
  }
  if (epoch == Epoch::k1900) {
    if (day == kLeapDay || day == 0) return std::nullopt;
    day -= kDaysFrom1900 - (day < kLeapDay ? 1 : 0);
  } else {
    day -= kDaysFrom1904;
  }
  const std::string text = FormatTimestamp(TimestampFromMillis(day * kMillisInDay + in_day));
  if (form == CellForm::kDate && in_day == 0) return text.substr(0, 10);
  return text.substr(0, in_day % 1000 == 0 ? 19 : 23);
}

int ColumnOf(std::string_view letters) {
  int column = 0;
  for (const char c : letters) {
    if (c < 'A' || c > 'Z') return 0;
    column = column * 26 + (c - 'A' + 1);
    if (column > kColumnsMax) return 0;
  }
  return column;
}

std::string LettersOf(int column) {
  std::string letters;
  for (; column > 0; column = (column - 1) / 26)
    letters.insert(letters.begin(), static_cast<char>('A' + (column - 1) % 26));
  return letters;
}

}  // namespace calve::source::excel
