#include "source/adbc/column_cast.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>

#include "columnar/arrow_status.h"
#include "columnar/row_text.h"
#include "columnar/text_column.h"
#include "source/value_check.h"

namespace calve::source::adbc {
namespace {

using Array = std::shared_ptr<arrow::Array>;
using Type = std::shared_ptr<arrow::DataType>;
using Misfits = std::vector<RowsRead::Misfit>;

constexpr int64_t kSecondNanos = 1'000'000'000;
constexpr int64_t kDaySeconds = 86'400;
/// Of the years 1 to 9999, which tables have.
constexpr int64_t kFirstDay = -719'162;
constexpr int64_t kLastDay = 2'932'896;

Type StorageOf(const Type& type) {
  if (type->id() != arrow::Type::EXTENSION) return type;
  return StorageOf(static_cast<const arrow::ExtensionType&>(*type).storage_type());
}

/// Values without the clothes that their types put on: extensions, dictionaries, views.
Result<Array> Plain(const Array& given) {
  switch (given->type_id()) {
    case arrow::Type::EXTENSION:
      return Plain(static_cast<const arrow::ExtensionArray&>(*given).storage());
    case arrow::Type::DICTIONARY: {
      const auto& type = static_cast<const arrow::DictionaryType&>(*given->type());
      CALVE_ASSIGN_OR_RETURN(const auto values, arrow::compute::Cast(*given, type.value_type()));
      return Plain(values);
    }
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return ValueOf(arrow::compute::Cast(*given, arrow::utf8()));
    default:
      return given;
  }
}

/// A stretch of time in ISO 8601: P1Y2M3DT4H5M6.5S.
struct Stretch {
  int64_t months = 0;
  int64_t days = 0;
  int64_t seconds = 0;
  int64_t nanos = 0;

  static Stretch Of(const arrow::Array& array, int64_t row);
  std::string Print() const;
};

Stretch Stretch::Of(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::INTERVAL_MONTHS:
      return {.months = static_cast<const arrow::MonthIntervalArray&>(array).Value(row)};
    case arrow::Type::INTERVAL_DAY_TIME: {
      const auto value = static_cast<const arrow::DayTimeIntervalArray&>(array).Value(row);
      return {.days = value.days,
              .seconds = value.milliseconds / 1000,
              .nanos = value.milliseconds % 1000 * 1'000'000};
    }
    case arrow::Type::INTERVAL_MONTH_DAY_NANO: {
      const auto value = static_cast<const arrow::MonthDayNanoIntervalArray&>(array).Value(row);
      return {.months = value.months,
              .days = value.days,
              .seconds = value.nanoseconds / kSecondNanos,
              .nanos = value.nanoseconds % kSecondNanos};
    }
    default: {
      const auto& durations = static_cast<const arrow::DurationArray&>(array);
      constexpr std::array<int64_t, 4> kPerSecond = {1, 1000, 1'000'000, kSecondNanos};
      const auto unit = static_cast<const arrow::DurationType&>(*array.type()).unit();
      const int64_t per_second = kPerSecond.at(static_cast<size_t>(unit));
      const int64_t value = durations.Value(row);
      return {.seconds = value / per_second,
              .nanos = value % per_second * (kSecondNanos / per_second)};
    }
  }
}

std::string Stretch::Print() const {
  std::string text = "P";
  const auto add = [&](int64_t number, char unit) {
    if (number != 0) text += std::to_string(number) + unit;
  };
  add(months / 12, 'Y');
  add(months % 12, 'M');
  add(days, 'D');
  if (seconds == 0 && nanos == 0) return text == "P" ? "PT0S" : text;
  text += 'T';
  add(seconds / 3600, 'H');
  add(seconds / 60 % 60, 'M');
  const int64_t rest = seconds % 60;
  if (rest == 0 && nanos == 0) return text;
  std::string fraction = nanos == 0 ? "" : fmt::format(".{:09}", std::abs(nanos));
  while (fraction.ends_with('0')) fraction.pop_back();
  const bool is_negative = rest < 0 || nanos < 0;
  return text + (is_negative ? "-" : "") + std::to_string(std::abs(rest)) + fraction + "S";
}

bool IsStretch(const arrow::Array& array) {
  return array.type_id() == arrow::Type::INTERVAL_MONTHS ||
         array.type_id() == arrow::Type::INTERVAL_DAY_TIME ||
         array.type_id() == arrow::Type::INTERVAL_MONTH_DAY_NANO ||
         array.type_id() == arrow::Type::DURATION;
}

Result<Array> PrintStretches(const arrow::Array& given) {
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < given.length(); ++row) {
    CALVE_RETURN_IF_ERROR(given.IsNull(row) ? builder.AppendNull()
                                            : builder.Append(Stretch::Of(given, row).Print()));
  }
  return ValueOf(builder.Finish());
}

Misfits::value_type MisfitOf(int64_t row, std::string text, std::string reason) {
  return {.row = row, .text = std::move(text), .reason = std::move(reason)};
}

/// Values out of their texts.
Result<Array> ReadTexts(const arrow::StringArray& texts, const Type& type, Misfits* misfits) {
  const columnar::TextFormats plain;
  std::vector<columnar::TextValue> values;
  values.reserve(static_cast<size_t>(texts.length()));
  for (int64_t row = 0; row < texts.length(); ++row)
    values.push_back({.text = texts.GetView(row), .null = texts.IsNull(row)});
  CALVE_ASSIGN_OR_RETURN(const auto column, columnar::MakeTextColumn(type, plain));
  std::vector<int64_t> wrong;
  CALVE_RETURN_IF_ERROR(column->Append(values, &wrong));
  for (const int64_t row : wrong) {
    const std::string_view text = values[static_cast<size_t>(row)].text;
    misfits->push_back(
        MisfitOf(row, std::string(text), columnar::MisfitReason(text, *type, plain)));
  }
  return column->Finish();
}

/// What is wrong with one value that Arrow has cast; "" when nothing is.
std::string FaultOf(const arrow::Array& values, int64_t row) {
  if (values.IsNull(row)) return "";
  const auto check_day = [](int64_t day, const char* what) {
    return day >= kFirstDay && day <= kLastDay
               ? std::string()
               : fmt::format("it is no {} of a table, which has the years 1 to 9999", what);
  };
  if (values.type_id() == arrow::Type::DATE32)
    return check_day(static_cast<const arrow::Date32Array&>(values).Value(row), "date");
  if (values.type_id() == arrow::Type::TIMESTAMP) {
    const auto unit = static_cast<const arrow::TimestampType&>(*values.type()).unit();
    if (unit != arrow::TimeUnit::MICRO) return "";
    const int64_t micros = static_cast<const arrow::TimestampArray&>(values).Value(row);
    const std::chrono::microseconds since(micros);
    return check_day(std::chrono::floor<std::chrono::days>(since).count(), "timestamp");
  }
  const char* fault = FaultOfValues(*values.Slice(row, 1));
  return fault == nullptr ? "" : fault;
}

/// Whether values may be wrong that Arrow takes for good.
bool MayBeWrong(const arrow::Array& values) {
  if (values.type_id() == arrow::Type::DATE32 || values.type_id() == arrow::Type::TIMESTAMP) {
    for (int64_t row = 0; row < values.length(); ++row)
      if (!FaultOf(values, row).empty()) return true;
    return false;
  }
  return FaultOfValues(values) != nullptr;
}

/// A value for a person, even one that cannot be printed.
std::string TextOf(const arrow::Array& values, int64_t row) {
  if (FaultOfValues(*values.Slice(row, 1)) != nullptr) return "a value that is no text in UTF-8";
  const auto scalar = values.GetScalar(row);
  return scalar.ok() ? (*scalar)->ToString() : "a value that cannot be printed";
}

/// Values one by one: those that do not fit become null.
Result<Array> CastEach(const Array& given, const Type& type, Misfits* misfits) {
  arrow::ArrayVector parts;
  for (int64_t row = 0; row < given->length(); ++row) {
    const Array value = given->Slice(row, 1);
    auto cast = arrow::compute::Cast(*value, type);
    std::string fault = cast.ok() ? FaultOf(**cast, 0) : std::string(cast.status().message());
    if (fault.empty()) {
      parts.push_back(*std::move(cast));
      continue;
    }
    const std::string text = TextOf(*given, row);
    misfits->push_back(MisfitOf(
        row, text,
        fmt::format("'{}' is no {}: {}; mend it in the database, leave such rows out by where, or "
                    "give the column another type by types",
                    text, type->ToString(), fault)));
    CALVE_ASSIGN_OR_RETURN(auto null, arrow::MakeArrayOfNull(type, 1));
    parts.push_back(std::move(null));
  }
  return ValueOf(arrow::Concatenate(parts));
}

}  // namespace

Result<Array> CastColumn(const Array& given, const Type& type, Misfits* misfits) {
  const Type target = StorageOf(type);
  CALVE_ASSIGN_OR_RETURN(Array plain, Plain(given));
  if (IsStretch(*plain)) {
    CALVE_ASSIGN_OR_RETURN(plain, PrintStretches(*plain));
  }
  Array values = plain;
  if (plain->type_id() == arrow::Type::STRING && target->id() != arrow::Type::STRING) {
    // A text that is no UTF-8 is no value either, and is named by its bytes.
    CALVE_ASSIGN_OR_RETURN(
        values, ReadTexts(static_cast<const arrow::StringArray&>(*plain), type, misfits));
    return values;
  }
  if (!plain->type()->Equals(*target)) {
    auto cast = arrow::compute::Cast(*plain, target);
    values = cast.ok() ? *std::move(cast) : nullptr;
  }
  if (plain->length() > 0 && (values == nullptr || MayBeWrong(*values))) {
    CALVE_ASSIGN_OR_RETURN(values, CastEach(plain, target, misfits));
  }
  if (values == nullptr) {
    CALVE_ASSIGN_OR_RETURN(values, arrow::MakeArrayOfNull(target, 0));
  }
  if (type->id() != arrow::Type::EXTENSION) return values;
  return arrow::ExtensionType::WrapArray(type, values);
}

}  // namespace calve::source::adbc
