#include "source/mysql/value_decoders.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "columnar/text_value.h"

namespace calve::source::mysql {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire is in the other order");

constexpr int64_t kSecondMicros = 1'000'000;
constexpr int64_t kDayMicros = 86'400 * kSecondMicros;

template <typename Number>
std::optional<Number> ReadNumber(std::string_view value) {
  Number number{};
  if (value.size() != sizeof(number)) [[unlikely]]
    return std::nullopt;
  std::memcpy(&number, value.data(), sizeof(number));
  return number;
}

void SayWrong(std::string_view value, const arrow::DataType& type, std::string* text,
              std::string* reason) {
  *text = std::to_string(value.size()) + " bytes";
  *reason = "the server sent " + *text + " for a value of the type " + type.ToString() +
            "; see that it is a server of MySQL or MariaDB";
}

/// Numbers that every value of their form fits.
template <typename Builder, typename Wire>
std::unique_ptr<ValueDecoder> Numbers(const std::shared_ptr<arrow::DataType>& type) {
  using Value = typename Builder::value_type;
  return MakeFixedDecoder<Builder>(
      type,
      [](std::string_view v) -> std::optional<Value> {
        const auto number = ReadNumber<Wire>(v);
        if (!number.has_value()) return std::nullopt;
        return static_cast<Value>(*number);
      },
      [type](std::string_view v, std::string* text, std::string* reason) {
        SayWrong(v, *type, text, reason);
      });
}

std::unique_ptr<ValueDecoder> UnsignedBigints(const std::shared_ptr<arrow::DataType>& type) {
  return MakeFixedDecoder<arrow::Decimal128Builder>(
      type,
      [](std::string_view v) -> std::optional<arrow::Decimal128> {
        const auto number = ReadNumber<uint64_t>(v);
        if (!number.has_value()) return std::nullopt;
        return arrow::Decimal128(0, *number);
      },
      [type](std::string_view v, std::string* text, std::string* reason) {
        SayWrong(v, *type, text, reason);
      });
}

std::unique_ptr<ValueDecoder> Booleans(const std::shared_ptr<arrow::DataType>& type) {
  return MakeFixedDecoder<arrow::BooleanBuilder>(
      type,
      [](std::string_view v) -> std::optional<bool> {
        if (v.size() != 1 || (v[0] != 0 && v[0] != 1)) return std::nullopt;
        return v[0] == 1;
      },
      [](std::string_view v, std::string* text, std::string* reason) {
        *text = std::to_string(v.empty() ? 0 : static_cast<int8_t>(v[0]));
        *reason = "'" + *text + "' is no boolean; set tinyint1: int to read numbers";
      });
}

/// Of up to 64 bits, the first ones first.
std::optional<uint64_t> ReadBits(std::string_view value) {
  if (value.size() > 8) return std::nullopt;
  uint64_t bits = 0;
  for (const char byte : value) bits = bits << 8 | static_cast<unsigned char>(byte);
  return bits;
}

template <typename Builder, typename Make>
std::unique_ptr<ValueDecoder> Bits(const std::shared_ptr<arrow::DataType>& type, Make make) {
  return MakeFixedDecoder<Builder>(
      type,
      [make](std::string_view v) {
        const auto bits = ReadBits(v);
        return bits.has_value() ? std::optional(make(*bits)) : std::nullopt;
      },
      [type](std::string_view v, std::string* text, std::string* reason) {
        SayWrong(v, *type, text, reason);
      });
}

/// A date with its time of day, as the server sends it: without what is zero at its end.
struct Moment {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  uint32_t micros = 0;

  static std::optional<Moment> Read(std::string_view value) {
    Moment moment;
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(value[i]); };
    if (value.size() != 0 && value.size() != 4 && value.size() != 7 && value.size() != 11)
      return std::nullopt;
    if (value.size() >= 4) {
      moment.year = byte(0) | byte(1) << 8;
      moment.month = byte(2);
      moment.day = byte(3);
    }
    if (value.size() >= 7) {
      moment.hour = byte(4);
      moment.minute = byte(5);
      moment.second = byte(6);
    }
    if (value.size() == 11) std::memcpy(&moment.micros, value.data() + 7, 4);
    return moment;
  }
  bool HasZero() const { return year == 0 || month == 0 || day == 0; }
  std::chrono::year_month_day Date() const {
    return {std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  }
  int64_t Days() const { return std::chrono::sys_days(Date()).time_since_epoch().count(); }
  int64_t Micros() const {
    return Days() * kDayMicros + (hour * 3600 + minute * 60 + second) * kSecondMicros + micros;
  }
  std::string Print(bool with_time) const {
    std::string text = fmt::format("{:04}-{:02}-{:02}", year, month, day);
    if (with_time) text += fmt::format(" {:02}:{:02}:{:02}", hour, minute, second);
    if (micros > 0) text += fmt::format(".{:06}", micros);
    return text;
  }
};

template <typename Builder>
class MomentDecoder : public ValueDecoder {
 public:
  MomentDecoder(const std::shared_ptr<arrow::DataType>& type, bool zero_is_null)
      : builder_(type, arrow::default_memory_pool()), zero_is_null_(zero_is_null) {}
  arrow::ArrayBuilder& builder() override { return builder_; }

  bool Append(std::string_view value) override {
    const auto moment = Moment::Read(value);
    if (moment.has_value() && !moment->HasZero() && moment->Date().ok()) [[likely]] {
      if constexpr (kIsDate) {
        builder_.UnsafeAppend(static_cast<int32_t>(moment->Days()));
      } else {
        builder_.UnsafeAppend(moment->Micros());
      }
      return true;
    }
    builder_.UnsafeAppendNull();
    return zero_is_null_ && moment.has_value() && moment->HasZero();
  }
  void Explain(std::string_view value, std::string* text, std::string* reason) const override {
    const auto moment = Moment::Read(value);
    if (!moment.has_value()) return SayWrong(value, *builder_.type(), text, reason);
    *text = moment->Print(!kIsDate);
    *reason = "'" + *text + "' is no " + (kIsDate ? "date" : "timestamp") + " of a table; " +
              (moment->HasZero() ? "set zero_dates: as_null to read it as NULL, or leave such rows "
                                   "out by where"
                                 : "mend it in the database, or leave such rows out by where");
  }

 private:
  static constexpr bool kIsDate = std::is_same_v<Builder, arrow::Date32Builder>;
  Builder builder_;
  const bool zero_is_null_;
};

/// A stretch of time, as the server sends it: without what is zero at its end.
struct Stretch {
  bool negative = false;
  uint32_t days = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  uint32_t micros = 0;

  static std::optional<Stretch> Read(std::string_view value) {
    Stretch stretch;
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(value[i]); };
    if (value.empty()) return stretch;
    if (value.size() != 8 && value.size() != 12) return std::nullopt;
    stretch.negative = byte(0) != 0;
    std::memcpy(&stretch.days, value.data() + 1, 4);
    stretch.hour = byte(5);
    stretch.minute = byte(6);
    stretch.second = byte(7);
    if (value.size() == 12) std::memcpy(&stretch.micros, value.data() + 8, 4);
    return stretch;
  }
  int64_t Micros() const {
    const int64_t seconds =
        (int64_t{days} * 24 + hour) * 3600 + int64_t{minute} * 60 + int64_t{second};
    const int64_t all = seconds * kSecondMicros + micros;
    return negative ? -all : all;
  }
  std::string Print(unsigned decimals) const {
    std::string text =
        fmt::format("{}{:02}:{:02}:{:02}", negative ? "-" : "", days * 24 + hour, minute, second);
    if (decimals > 0 && decimals <= 6)
      text += "." + fmt::format("{:06}", micros).substr(0, decimals);
    return text;
  }
};

template <typename Builder>
std::unique_ptr<ValueDecoder> Times(const std::shared_ptr<arrow::DataType>& type,
                                    unsigned decimals) {
  constexpr bool kIsTime = std::is_same_v<Builder, arrow::Time64Builder>;
  return MakeFixedDecoder<Builder>(
      type,
      [](std::string_view v) -> std::optional<int64_t> {
        const auto stretch = Stretch::Read(v);
        if (!stretch.has_value()) return std::nullopt;
        const int64_t micros = stretch->Micros();
        if (kIsTime && (micros < 0 || micros >= kDayMicros)) return std::nullopt;
        return micros;
      },
      [type, decimals](std::string_view v, std::string* text, std::string* reason) {
        const auto stretch = Stretch::Read(v);
        if (!stretch.has_value()) return SayWrong(v, *type, text, reason);
        *text = stretch->Print(decimals);
        *reason = "'" + *text +
                  "' is no time of a day; set time: microseconds or time: string to read such "
                  "stretches";
      });
}

class TimeTextDecoder : public ValueDecoder {
 public:
  explicit TimeTextDecoder(unsigned decimals) : decimals_(decimals) {}
  arrow::ArrayBuilder& builder() override { return builder_; }
  bool Append(std::string_view value) override {
    const auto stretch = Stretch::Read(value);
    if (!stretch.has_value()) {
      Note(builder_.AppendNull());
      return false;
    }
    Note(builder_.Append(stretch->Print(decimals_)));
    return true;
  }
  void Explain(std::string_view value, std::string* text, std::string* reason) const override {
    SayWrong(value, *builder_.type(), text, reason);
  }

 private:
  arrow::StringBuilder builder_;
  const unsigned decimals_;
};

std::unique_ptr<ValueDecoder> Uuids(const std::shared_ptr<arrow::DataType>& type) {
  return MakeUuidDecoder(
      type, [](std::string_view v) { return columnar::ReadUuid(v); },
      [](std::string_view v, std::string* text, std::string* reason) {
        *text = v;
        *reason = "'" + *text + "' is no uuid; read the column as text by a query";
      });
}

std::unique_ptr<ValueDecoder> MakeTimes(const std::shared_ptr<arrow::DataType>& type,
                                        const DecoderOptions& options) {
  switch (options.time) {
    case TimeAs::kTime:
      return Times<arrow::Time64Builder>(type, options.decimals);
    case TimeAs::kMicroseconds:
      return Times<arrow::Int64Builder>(type, options.decimals);
    case TimeAs::kString:
      return std::make_unique<TimeTextDecoder>(options.decimals);
  }
  return nullptr;
}

std::unique_ptr<ValueDecoder> MakeBits(const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::BOOL)
    return Bits<arrow::BooleanBuilder>(type, [](uint64_t bits) { return bits != 0; });
  if (type->id() == arrow::Type::INT64)
    return Bits<arrow::Int64Builder>(type,
                                     [](uint64_t bits) { return static_cast<int64_t>(bits); });
  return Bits<arrow::Decimal128Builder>(type,
                                        [](uint64_t bits) { return arrow::Decimal128(0, bits); });
}

}  // namespace

std::unique_ptr<ValueDecoder> MakeDecoder(Form form, const std::shared_ptr<arrow::DataType>& type,
                                          const DecoderOptions& options) {
  const bool zero_is_null = options.zero_dates == ZeroDates::kNull;
  switch (form) {
    case Form::kTiny:
      return Numbers<arrow::Int32Builder, int8_t>(type);
    case Form::kUnsignedTiny:
      return Numbers<arrow::Int32Builder, uint8_t>(type);
    case Form::kShort:
      return Numbers<arrow::Int32Builder, int16_t>(type);
    case Form::kUnsignedShort:
      return Numbers<arrow::Int32Builder, uint16_t>(type);
    case Form::kInt:
      return Numbers<arrow::Int32Builder, int32_t>(type);
    case Form::kUnsignedInt:
      return Numbers<arrow::Int64Builder, uint32_t>(type);
    case Form::kBigint:
      return Numbers<arrow::Int64Builder, int64_t>(type);
    case Form::kUnsignedBigint:
      return UnsignedBigints(type);
    case Form::kBoolean:
      return Booleans(type);
    case Form::kFloat:
      return Numbers<arrow::FloatBuilder, float>(type);
    case Form::kDouble:
      return Numbers<arrow::DoubleBuilder, double>(type);
    case Form::kDecimal:
      return MakeDecimalDecoder(type, "set numeric to a wider decimal or to string");
    case Form::kDate:
      return std::make_unique<MomentDecoder<arrow::Date32Builder>>(type, zero_is_null);
    case Form::kDateTime:
      return std::make_unique<MomentDecoder<arrow::TimestampBuilder>>(type, zero_is_null);
    case Form::kTime:
      return MakeTimes(type, options);
    case Form::kBit:
      return MakeBits(type);
    case Form::kUuid:
      return Uuids(type);
    case Form::kText:
      return std::make_unique<TextDecoder>(TextDecoder::Options{
          .check = true, .hint = "mend the value in the database, or read it by a query with HEX"});
    case Form::kBytes:
      return std::make_unique<BinaryDecoder>(BinaryDecoder::Options());
  }
  return nullptr;
}

}  // namespace calve::source::mysql
