#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace calve::source::excel {

/// What a number stands for where a format shows it.
enum class CellForm { kNumber, kDate, kTime, kDateTime };

/// By the number of a format that Excel has by itself.
CellForm FormOfBuiltIn(int format);
/// By a format's code, such as "yyyy\-mm\-dd hh:mm". Stretches of time ("[h]:mm") are numbers.
CellForm FormOfCode(std::string_view code);

/// From which day a workbook counts.
enum class Epoch { k1900, k1904 };

/// A number of days as ISO 8601, to the millisecond: a date where the form is one and the day is
/// whole, a time of day where the form is one and it is less than a day, else a timestamp. Nothing
/// when no calendar has the day.
std::optional<std::string> MomentText(double days, CellForm form, Epoch epoch);

/// The column of letters, from 1; 0 when they are none, or beyond the last one (XFD).
int ColumnOf(std::string_view letters);
std::string LettersOf(int column);

constexpr int kColumnsMax = 16'384;
constexpr int kRowsMax = 1'048'576;

}  // namespace calve::source::excel
