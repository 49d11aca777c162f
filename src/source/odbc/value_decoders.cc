#include "source/odbc/value_decoders.h"

#include <fmt/format.h>
#include <sql.h>
#include <sqlext.h>

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "columnar/text_value.h"

namespace calve::source::odbc {
namespace {

constexpr int64_t kSecondMicros = 1'000'000;
constexpr int64_t kDayMicros = 86'400 * kSecondMicros;
constexpr const char* kMend = "mend it in the database, or leave such rows out by where";

template <typename Value>
Value Read(std::string_view bytes) {
  Value value{};
  std::memcpy(&value, bytes.data(), std::min(sizeof(value), bytes.size()));
  return value;
}

/// Numbers that every value of their form fits.
template <typename Builder, typename Wire>
std::unique_ptr<ValueDecoder> Numbers(const std::shared_ptr<arrow::DataType>& type) {
  using Value = typename Builder::value_type;
  return MakeFixedDecoder<Builder>(
      type,
      [](std::string_view v) -> std::optional<Value> { return static_cast<Value>(Read<Wire>(v)); },
      [](std::string_view, std::string*, std::string*) {});
}

/// Values that are read out of their text by `read`.
template <typename Builder, typename Function>
std::unique_ptr<ValueDecoder> Texts(const std::shared_ptr<arrow::DataType>& type, Function read,
                                    std::string what) {
  return MakeFixedDecoder<Builder>(
      type, std::move(read),
      [what = std::move(what)](std::string_view v, std::string* text, std::string* reason) {
        *text = v;
        *reason = fmt::format("'{}' is no {}; {}", v, what, kMend);
      });
}

std::optional<int64_t> DaysOf(int year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || year < 1 || year > 9999) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::unique_ptr<ValueDecoder> Dates(const std::shared_ptr<arrow::DataType>& type) {
  return MakeFixedDecoder<arrow::Date32Builder>(
      type,
      [](std::string_view v) -> std::optional<int32_t> {
        const auto date = Read<SQL_DATE_STRUCT>(v);
        const auto days = DaysOf(date.year, date.month, date.day);
        return days.has_value() ? std::optional(static_cast<int32_t>(*days)) : std::nullopt;
      },
      [](std::string_view v, std::string* text, std::string* reason) {
        const auto date = Read<SQL_DATE_STRUCT>(v);
        *text = fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
        *reason = fmt::format("'{}' is no date of a table; {}", *text, kMend);
      });
}

std::optional<int64_t> MicrosOf(const SQL_TIMESTAMP_STRUCT& at) {
  const auto days = DaysOf(at.year, at.month, at.day);
  if (!days.has_value() || at.fraction % 1000 != 0 || at.hour > 23 || at.minute > 59 ||
      at.second > 59) {
    return std::nullopt;
  }
  return *days * kDayMicros + (at.hour * 3600 + at.minute * 60 + at.second) * kSecondMicros +
         at.fraction / 1000;
}

std::unique_ptr<ValueDecoder> Timestamps(const std::shared_ptr<arrow::DataType>& type) {
  return MakeFixedDecoder<arrow::TimestampBuilder>(
      type, [](std::string_view v) { return MicrosOf(Read<SQL_TIMESTAMP_STRUCT>(v)); },
      [](std::string_view v, std::string* text, std::string* reason) {
        const auto at = Read<SQL_TIMESTAMP_STRUCT>(v);
        *text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:09}", at.year, at.month, at.day,
                            at.hour, at.minute, at.second, at.fraction);
        *reason = at.fraction % 1000 != 0
                      ? fmt::format("'{}' is finer than microseconds; cast it in a query", *text)
                      : fmt::format("'{}' is no timestamp of a table; {}", *text, kMend);
      });
}

std::unique_ptr<ValueDecoder> Zoned(const std::shared_ptr<arrow::DataType>& type) {
  return Texts<arrow::TimestampBuilder>(
      type,
      [](std::string_view v) -> std::optional<int64_t> {
        // 2026-11-22 10:15:30.1234560 +02:00
        static const columnar::TextFormats plain;
        std::string text(v);
        if (const size_t zone = text.rfind(' '); zone > 10 && zone != std::string::npos)
          text.erase(zone, 1);
        return columnar::ReadTimestamp(text, true, kSecondMicros, plain);
      },
      "timestamp with a zone in microseconds");
}

/// The guid's parts in the order in which a uuid is written.
std::unique_ptr<ValueDecoder> Uuids(const std::shared_ptr<arrow::DataType>& type) {
  return MakeUuidDecoder(
      type,
      [](std::string_view v) -> std::optional<std::array<char, 16>> {
        const auto guid = Read<SQLGUID>(v);
        const std::array<unsigned, 8> head = {guid.Data1 >> 24,
                                              guid.Data1 >> 16,
                                              guid.Data1 >> 8,
                                              guid.Data1,
                                              static_cast<unsigned>(guid.Data2) >> 8,
                                              guid.Data2,
                                              static_cast<unsigned>(guid.Data3) >> 8,
                                              guid.Data3};
        std::array<char, 16> bytes{};
        for (size_t i = 0; i < head.size(); ++i) bytes[i] = static_cast<char>(head[i] & 0xFF);
        std::memcpy(bytes.data() + head.size(), guid.Data4, sizeof(guid.Data4));
        return bytes;
      },
      [](std::string_view, std::string*, std::string*) {});
}

}  // namespace

std::unique_ptr<ValueDecoder> MakeDecoder(Form form, const std::shared_ptr<arrow::DataType>& type) {
  switch (form) {
    case Form::kBoolean:
      return MakeFixedDecoder<arrow::BooleanBuilder>(
          type, [](std::string_view v) { return std::optional(Read<unsigned char>(v) != 0); },
          [](std::string_view, std::string*, std::string*) {});
    case Form::kInt:
      return Numbers<arrow::Int32Builder, SQLINTEGER>(type);
    case Form::kLong:
      return Numbers<arrow::Int64Builder, int64_t>(type);
    case Form::kUnsignedLong:
      return MakeFixedDecoder<arrow::Decimal128Builder>(
          type,
          [](std::string_view v) { return std::optional(arrow::Decimal128(0, Read<uint64_t>(v))); },
          [](std::string_view, std::string*, std::string*) {});
    case Form::kFloat:
      return Numbers<arrow::FloatBuilder, float>(type);
    case Form::kDouble:
      return Numbers<arrow::DoubleBuilder, double>(type);
    case Form::kDecimal:
      return MakeDecimalDecoder(type, "give the column a type by types, or set numeric to string");
    case Form::kDate:
      return Dates(type);
    case Form::kTime:
      return Texts<arrow::Time64Builder>(
          type, [](std::string_view v) { return columnar::ReadTime(v, kSecondMicros); },
          "time of a day in microseconds");
    case Form::kTimestamp:
      return Timestamps(type);
    case Form::kZoned:
      return Zoned(type);
    case Form::kUuid:
      return Uuids(type);
    case Form::kText:
      return std::make_unique<TextDecoder>(
          TextDecoder::Options{.check = true, .hint = "mend it, or read the column as bytes"});
    case Form::kBytes:
      return std::make_unique<BinaryDecoder>(BinaryDecoder::Options{});
  }
  return nullptr;
}

}  // namespace calve::source::odbc
