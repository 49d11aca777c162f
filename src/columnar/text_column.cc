#include "columnar/text_column.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/extension/uuid.h>
#include <arrow/extension_type.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/variant_array.h"
#include "columnar/variant_encode.h"

namespace calve::columnar {
namespace {

arrow::Decimal128 ToArrowDecimal(iceberg::Int128 value) {
  return {static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value)};
}

/// A column whose texts are read one by one by `Read`, a callable giving an optional value for the
/// builder.
template <typename Builder, typename Read>
class Column : public TextColumn {
 public:
  Column(std::unique_ptr<Builder> builder, Read read)
      : builder_(std::move(builder)), read_(std::move(read)) {}

  Status Append(TextValues values, std::vector<int64_t>* misfits) override {
    CALVE_RETURN_IF_ERROR(builder_->Reserve(static_cast<int64_t>(values.size())));
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i].null) {
        builder_->UnsafeAppendNull();
        continue;
      }
      const auto value = read_(values[i].text);
      if (value.has_value()) {
        builder_->UnsafeAppend(*value);
      } else {
        builder_->UnsafeAppendNull();
        misfits->push_back(static_cast<int64_t>(i));
      }
    }
    return Status::Ok();
  }

  Result<std::shared_ptr<arrow::Array>> Finish() override {
    CALVE_ASSIGN_OR_RETURN(auto array, builder_->Finish());
    return array;
  }

 private:
  std::unique_ptr<Builder> builder_;
  Read read_;
};

/// Texts as they are; only what is no UTF-8 does not fit.
class StringColumn : public TextColumn {
 public:
  Status Append(TextValues values, std::vector<int64_t>* misfits) override {
    int64_t bytes = 0;
    for (size_t i = 0; i < values.size(); ++i) bytes += static_cast<int64_t>(values[i].text.size());
    CALVE_RETURN_IF_ERROR(builder_.Reserve(static_cast<int64_t>(values.size())));
    CALVE_RETURN_IF_ERROR(builder_.ReserveData(bytes));
    for (size_t i = 0; i < values.size(); ++i) {
      const std::string_view text = values[i].text;
      if (values[i].null) {
        builder_.UnsafeAppendNull();
      } else if (IsValidUtf8(text)) {
        builder_.UnsafeAppend(text.data(), static_cast<int32_t>(text.size()));
      } else {
        builder_.UnsafeAppendNull();
        misfits->push_back(static_cast<int64_t>(i));
      }
    }
    return Status::Ok();
  }

  Result<std::shared_ptr<arrow::Array>> Finish() override {
    CALVE_ASSIGN_OR_RETURN(auto array, builder_.Finish());
    return array;
  }

 private:
  arrow::StringBuilder builder_;
};

/// JSON texts as variants.
class VariantColumn : public TextColumn {
 public:
  explicit VariantColumn(std::unique_ptr<arrow::ArrayBuilder> builder)
      : builder_(std::move(builder)) {}

  Status Append(TextValues values, std::vector<int64_t>* misfits) override {
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i].null && encoder_.Encode(values[i].text).ok()) {
        CALVE_RETURN_IF_ERROR(AppendEncoded(encoder_, *builder_));
        continue;
      }
      CALVE_RETURN_IF_ERROR(builder_->AppendNull());
      if (!values[i].null) misfits->push_back(static_cast<int64_t>(i));
    }
    return Status::Ok();
  }

  Result<std::shared_ptr<arrow::Array>> Finish() override {
    CALVE_ASSIGN_OR_RETURN(auto array, builder_->Finish());
    return array;
  }

 private:
  VariantEncoder encoder_;
  std::unique_ptr<arrow::ArrayBuilder> builder_;
};

/// A column whose values lie in another type, which says less of their meaning.
class MeaningColumn : public TextColumn {
 public:
  MeaningColumn(std::shared_ptr<arrow::DataType> type, std::unique_ptr<TextColumn> storage)
      : type_(std::move(type)), storage_(std::move(storage)) {}
  Status Append(TextValues values, std::vector<int64_t>* misfits) override {
    return storage_->Append(values, misfits);
  }
  Result<std::shared_ptr<arrow::Array>> Finish() override {
    CALVE_ASSIGN_OR_RETURN(auto array, storage_->Finish());
    return arrow::ExtensionType::WrapArray(type_, std::move(array));
  }

 private:
  const std::shared_ptr<arrow::DataType> type_;
  const std::unique_ptr<TextColumn> storage_;
};

template <typename Builder, typename Read>
std::unique_ptr<TextColumn> MakeColumn(const std::shared_ptr<arrow::DataType>& type, Read read) {
  return std::make_unique<Column<Builder, Read>>(
      std::make_unique<Builder>(type, arrow::default_memory_pool()), std::move(read));
}

template <typename Builder, typename T>
std::unique_ptr<TextColumn> MakeIntegers(const std::shared_ptr<arrow::DataType>& type,
                                         const TextFormats& formats) {
  return MakeColumn<Builder>(type, [formats](std::string_view text) -> std::optional<T> {
    const auto value = ReadInteger(text, formats);
    if (!value.has_value() || *value < std::numeric_limits<T>::min() ||
        *value > std::numeric_limits<T>::max())
      return std::nullopt;
    return static_cast<T>(*value);
  });
}

int64_t PerSecond(arrow::TimeUnit::type unit) {
  return unit == arrow::TimeUnit::NANO ? 1'000'000'000 : 1'000'000;
}

std::unique_ptr<TextColumn> MakeUuids(const std::shared_ptr<arrow::DataType>& type) {
  return MakeColumn<arrow::FixedSizeBinaryBuilder>(
      type,
      [kept = iceberg::Uuid{}](std::string_view text) mutable -> std::optional<const uint8_t*> {
        const auto uuid = ReadUuid(text);
        if (!uuid.has_value()) return std::nullopt;
        kept = *uuid;
        return kept.data();
      });
}

Error NoTextColumn(const arrow::DataType& type) {
  return RefusedError("a text source cannot give values of type " + type.ToString() +
                      "; read the column as string and convert it");
}

}  // namespace

Result<std::shared_ptr<arrow::DataType>> TextType(const iceberg::Type& type) {
  if (type.kind() == iceberg::TypeKind::kUuid) return arrow::extension::uuid();
  if (type.kind() == iceberg::TypeKind::kVariant) return VariantExtensionType();
  return ToArrowType(type);
}

Result<std::unique_ptr<TextColumn>> MakeTextColumn(const std::shared_ptr<arrow::DataType>& type,
                                                   const TextFormats& formats) {
  switch (type->id()) {
    case arrow::Type::BOOL:
      return MakeColumn<arrow::BooleanBuilder>(
          type, [](std::string_view text) { return ReadBoolean(text); });
    case arrow::Type::INT32:
      return MakeIntegers<arrow::Int32Builder, int32_t>(type, formats);
    case arrow::Type::INT64:
      return MakeIntegers<arrow::Int64Builder, int64_t>(type, formats);
    case arrow::Type::FLOAT:
      return MakeColumn<arrow::FloatBuilder>(
          type, [formats](std::string_view text) -> std::optional<float> {
            const auto value = ReadDouble(text, formats);
            if (!value.has_value()) return std::nullopt;
            return static_cast<float>(*value);
          });
    case arrow::Type::DOUBLE:
      return MakeColumn<arrow::DoubleBuilder>(
          type, [formats](std::string_view text) { return ReadDouble(text, formats); });
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type);
      return MakeColumn<arrow::Decimal128Builder>(
          type,
          [formats, precision = decimal.precision(),
           scale = decimal.scale()](std::string_view text) -> std::optional<arrow::Decimal128> {
            const auto value = ReadDecimal(text, precision, scale, formats);
            if (!value.has_value()) return std::nullopt;
            return ToArrowDecimal(*value);
          });
    }
    case arrow::Type::DATE32:
      return MakeColumn<arrow::Date32Builder>(
          type, [formats](std::string_view text) { return ReadDate(text, formats); });
    case arrow::Type::TIME64: {
      const int64_t unit = PerSecond(static_cast<const arrow::Time64Type&>(*type).unit());
      return MakeColumn<arrow::Time64Builder>(
          type, [unit](std::string_view text) { return ReadTime(text, unit); });
    }
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(*type);
      return MakeColumn<arrow::TimestampBuilder>(
          type,
          [formats, zoned = !timestamp.timezone().empty(), unit = PerSecond(timestamp.unit())](
              std::string_view text) { return ReadTimestamp(text, zoned, unit, formats); });
    }
    case arrow::Type::STRING:
      return std::make_unique<StringColumn>();
    case arrow::Type::EXTENSION: {
      const auto& extension = static_cast<const arrow::ExtensionType&>(*type);
      CALVE_ASSIGN_OR_RETURN(auto storage, MakeTextColumn(extension.storage_type(), formats));
      return std::make_unique<MeaningColumn>(type, std::move(storage));
    }
    case arrow::Type::FIXED_SIZE_BINARY:
      if (static_cast<const arrow::FixedSizeBinaryType&>(*type).byte_width() == 16)
        return MakeUuids(type);
      return NoTextColumn(*type);
    case arrow::Type::STRUCT:
      if (IsVariantType(*type)) {
        std::unique_ptr<arrow::ArrayBuilder> builder;
        CALVE_RETURN_IF_ERROR(arrow::MakeBuilder(arrow::default_memory_pool(), type, &builder));
        return std::make_unique<VariantColumn>(std::move(builder));
      }
      return NoTextColumn(*type);
    default:
      return NoTextColumn(*type);
  }
}

namespace {

/// A text as messages show it: cut where it is long, control characters escaped.
std::string Shown(std::string_view text) {
  std::string cut(text.substr(0, 60));
  while (!cut.empty() && !IsValidUtf8(cut)) cut.pop_back();
  std::string shown;
  for (const char c : cut) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    const std::string quoted = control ? Quote(std::string(1, c)) : std::string(1, c);
    shown += control && quoted.size() > 3 ? quoted.substr(1, quoted.size() - 2) : quoted;
  }
  return shown;
}

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_decimal(type.id()) || arrow::is_floating(type.id()) ||
         arrow::is_integer(type.id());
}

/// Whether digits stand where `shape` has 0, and its other characters where it has them.
bool HasShape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == '0' ? !digit : text[i] != shape[i]) return false;
  }
  return true;
}

/// Why a number that is one does not fit its type; "" when that is not the reason.
std::string NumberReason(std::string_view text, const arrow::DataType& type,
                         const TextFormats& formats) {
  const char* wider = "; give the column a wider type under types of the source";
  const size_t point = std::min(text.find(formats.decimal), text.size());
  const size_t scale = point == text.size() ? 0 : text.size() - point - 1;
  if (arrow::is_floating(type.id()) && scale == 0 && ReadDecimal(text, 38, 0, formats).has_value())
    return " would be rounded; make the column a decimal under types of the source";
  if (scale > 38 || !ReadDecimal(text, 38, static_cast<int>(scale), formats).has_value()) return "";
  if (arrow::is_integer(type.id()))
    return scale == 0 ? std::string(" is beyond its range") + wider : "";
  if (!arrow::is_decimal(type.id())) return "";
  const auto& decimal = static_cast<const arrow::DecimalType&>(type);
  const bool fraction =
      static_cast<int>(scale) > decimal.scale() &&
      text.substr(point + 1 + static_cast<size_t>(decimal.scale())).find_first_not_of('0') !=
          std::string_view::npos;
  return std::string(" has more digits ") + (fraction ? "behind" : "before") +
         " the point than it holds" + wider;
}

/// Why a date or time of ISO's shape is none; "" when that is not the reason.
std::string MomentReason(std::string_view text, const arrow::DataType& type,
                         const TextFormats& formats) {
  constexpr const char* kDay = "0000-00-00";
  if (type.id() == arrow::Type::TIME64) {
    return HasShape(text, "00:00")
               ? ": hours go to 23, minutes and seconds to 59, six digits follow "
                 "the seconds"
               : "; expected a time such as 08:15:00";
  }
  const bool own_formats = type.id() == arrow::Type::DATE32 ? !formats.date_formats.empty()
                                                            : !formats.timestamp_formats.empty();
  if (own_formats || !HasShape(text, kDay)) return "";
  if (!ReadDate(text.substr(0, 10), {}).has_value()) return ": there is no such day";
  if (type.id() == arrow::Type::DATE32)
    return text.size() > 10 ? ": a time of day follows the date; make the column a timestamp under "
                              "types of the source"
                            : "";
  const bool zoned = !static_cast<const arrow::TimestampType&>(type).timezone().empty();
  if (ReadTimestamp(text, !zoned, PerSecond(static_cast<const arrow::TimestampType&>(type).unit()),
                    {})
          .has_value())
    return zoned ? ": it has no zone; write Z or +01:00 behind it"
                 : ": it has a zone, and the column none; make it timestamptz under types of the "
                   "source";
  if (ReadTimestamp(text, zoned, 1'000'000'000, {}).has_value())
    return ": its fraction of a second is finer than the column holds";
  return "; expected a timestamp such as 2026-11-21T08:15:00.123456" +
         std::string(zoned ? "Z" : "");
}

}  // namespace

std::string MisfitReason(std::string_view text, const arrow::DataType& type,
                         const TextFormats& formats) {
  if (!IsValidUtf8(text))
    return "the bytes are no UTF-8; if the file has another encoding, set encoding for the source";
  const std::string shown = Shown(text) + (text.size() > 60 ? "..." : "");
  if (IsVariantType(type)) {
    VariantEncoder encoder;
    const Status encoded = encoder.Encode(text);
    return "'" + shown + "' is no variant" +
           (text.empty()
                ? "; if an empty text means NULL here, add \"\" to null_values of the source"
            : encoded.ok() ? ""
                           : ": " + encoded.error().message);
  }
  const Result<iceberg::Type> iceberg_type = ToIcebergType(type, 3);
  const bool uuid = type.id() == arrow::Type::EXTENSION ||
                    (type.id() == arrow::Type::FIXED_SIZE_BINARY &&
                     static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width() == 16);
  const std::string type_name = uuid                ? "uuid"
                                : iceberg_type.ok() ? iceberg_type->ToString()
                                                    : type.ToString();
  std::string reason = "'" + shown + "' is no " + type_name;
  if (text.empty())
    return reason + "; if an empty text means NULL here, add \"\" to null_values of the source";
  if (text != Trim(text))
    return reason + "; there are blanks around it: set trim: true for the source";
  if (IsNumber(type)) {
    const std::string why = NumberReason(text, type, formats);
    if (!why.empty()) return reason + ": it" + why;
    if (formats.decimal == '.' && text.find(',') != std::string_view::npos)
      return reason + "; if commas are decimal here, set decimal: ',' for the source";
    return reason + (arrow::is_integer(type.id())   ? "; expected a whole number such as 1250"
                     : arrow::is_decimal(type.id()) ? "; expected a number such as 12.50"
                                                    : "; expected a number such as 12.5 or 1e300");
  }
  if (type.id() == arrow::Type::BOOL) return reason + "; expected true or false";
  if (uuid) return reason + "; expected 32 hexadecimal digits in groups of 8-4-4-4-12";
  if (arrow::is_base_binary_like(type.id()) || type.id() == arrow::Type::FIXED_SIZE_BINARY)
    return reason + "; expected bytes in base64";
  if (!arrow::is_temporal(type.id())) return reason;
  const std::string why = MomentReason(text, type, formats);
  return reason + (why.empty() ? "; if dates are written so here, name the format: date_formats, "
                                 "timestamp_formats of the source"
                               : why);
}

void TypeGuess::SeeNumber(std::string_view text) {
  const unsigned numbers = kInteger | kDecimal | kDouble;
  std::string_view digits = text;
  if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
  const bool code = digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9';
  if (code || text.starts_with('+')) return Drop(numbers);
  if ((left_ & kInteger) != 0 && !ReadInteger(text, formats_).has_value()) Drop(kInteger);
  if ((left_ & kDouble) != 0 && !IsExactDouble(text, formats_)) Drop(kDouble);
  const size_t point = digits.find(formats_.decimal);
  const auto whole = static_cast<int>(std::count_if(
      digits.begin(), digits.begin() + static_cast<ptrdiff_t>(std::min(point, digits.size())),
      [](char c) { return c >= '0' && c <= '9'; }));
  const auto scale =
      point == std::string_view::npos ? 0 : static_cast<int>(digits.size() - point - 1);
  if (scale <= 38 && ReadDecimal(text, 38, scale, formats_).has_value()) {
    whole_digits_max_ = std::max(whole_digits_max_, whole);
    scale_max_ = std::max(scale_max_, scale);
    if (whole_digits_max_ + scale_max_ <= 38) return;
  }
  const bool had_decimal = (left_ & kDecimal) != 0;
  Drop(kDecimal);
  // More digits than an exact type holds make a text, never a rounded number; an exponent says
  // that the writer means a double.
  if (text.find_first_of("eEnN") == std::string_view::npos) {
    if (had_decimal && ReadDouble(text, formats_).has_value())
      surprise_ = Shown(text) + " has more digits than a decimal holds";
    return Drop(numbers);
  }
  if (had_decimal && (left_ & kDouble) != 0) surprise_ = Shown(text) + " makes the column a double";
}

void TypeGuess::See(std::string_view text) {
  ++values_;
  if (left_ == 0) return;
  const unsigned left_before = left_;
  if ((left_ & kBoolean) != 0 && !ReadBoolean(text).has_value()) Drop(kBoolean);
  if ((left_ & (kInteger | kDecimal | kDouble)) != 0) SeeNumber(text);
  if ((left_ & kDate) != 0 && !ReadDate(text, formats_).has_value()) Drop(kDate);
  if ((left_ & kTime) != 0 && !ReadTime(text, 1'000'000).has_value()) Drop(kTime);
  if ((left_ & kTimestamp) != 0 && !ReadTimestamp(text, false, 1'000'000, formats_).has_value())
    Drop(kTimestamp);
  if ((left_ & kTimestampTz) != 0 && !ReadTimestamp(text, true, 1'000'000, formats_).has_value())
    Drop(kTimestampTz);
  if (left_ != 0 || values_ == 1) return;
  left_ = left_before;
  const Result<iceberg::Type> before = ToIcebergType(*type(), 3);
  left_ = 0;
  surprise_ =
      "'" + Shown(text) + "' is no " + (before.ok() ? before->ToString() : "") + " as those before";
}

std::shared_ptr<arrow::DataType> TypeGuess::type() const {
  if (values_ == 0) return arrow::utf8();
  if ((left_ & kBoolean) != 0) return arrow::boolean();
  if ((left_ & kInteger) != 0) return arrow::int64();
  if ((left_ & kDecimal) != 0) {
    // Room for larger values than those seen: 18 digits where they fit well, else all 38.
    const bool fits_18 = whole_digits_max_ + scale_max_ <= 16;
    return arrow::decimal128(fits_18 ? 18 : 38, scale_max_);
  }
  if ((left_ & kDouble) != 0) return arrow::float64();
  if ((left_ & kDate) != 0) return arrow::date32();
  if ((left_ & kTime) != 0) return arrow::time64(arrow::TimeUnit::MICRO);
  if ((left_ & kTimestamp) != 0) return arrow::timestamp(arrow::TimeUnit::MICRO);
  if ((left_ & kTimestampTz) != 0) return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  return arrow::utf8();
}

}  // namespace calve::columnar
