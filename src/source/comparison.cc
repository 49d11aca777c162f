#include "source/comparison.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>

#include "columnar/text_value.h"

namespace calve::source {
namespace {

constexpr int64_t kSecondMicros = 1'000'000;
constexpr int64_t kDayMicros = 86'400 * kSecondMicros;

std::string PrintDate(int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string PrintTimestamp(int64_t micros) {
  int64_t days = micros / kDayMicros;
  if (micros % kDayMicros < 0) --days;
  const int64_t rest = micros - days * kDayMicros;
  const int64_t seconds = rest / kSecondMicros;
  return PrintDate(days) + fmt::format(" {:02}:{:02}:{:02}.{:06}", seconds / 3600,
                                       seconds / 60 % 60, seconds % 60, rest % kSecondMicros);
}

}  // namespace

Result<std::string> ValueBefore(const TableColumn& column, Comparison comparison,
                                const std::string& text, const LookBack& back,
                                const std::function<std::string(const std::string&)>& literal) {
  const columnar::TextFormats plain;
  const bool is_zoned = comparison == Comparison::kTimestampTz;
  if (comparison == Comparison::kNumber && !back.is_time)
    return literal(text) + " - " + std::to_string(back.number);
  if (comparison == Comparison::kDate && back.is_time) {
    const auto days = columnar::ReadDate(text, plain);
    if (days.has_value())
      return literal(PrintDate(*days - (back.micros + kDayMicros - 1) / kDayMicros));
  }
  if ((comparison == Comparison::kTimestamp || is_zoned) && back.is_time) {
    const auto micros = columnar::ReadTimestamp(text, is_zoned, kSecondMicros, plain);
    if (micros.has_value())
      return literal(PrintTimestamp(*micros - back.micros) + (is_zoned ? "+00:00" : ""));
  }
  return ConfigError(
      "column " + column.name +
      (comparison == Comparison::kNumber ? " is a number: look_back is to be a number"
       : comparison == Comparison::kText ? " is a text and has no distances: leave out look_back"
                                         : " is a time: look_back is to be a time, such as 1h"));
}

Status CheckComparison(const Relation& relation, const TableColumn& column, Comparison comparison) {
  if (comparison != Comparison::kNone) return Status::Ok();
  return ConfigError(relation.name + ", column " + column.name + ": the type " +
                     column.type->ToString() +
                     " cannot be a cursor_column here; expected whole numbers, decimals, dates or "
                     "timestamps");
}

}  // namespace calve::source
