#include "source/postgresql/value_decoder.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "source/postgresql/numeric.h"
#include "source/postgresql/wire.h"

namespace calve::source::postgresql {
namespace {

constexpr int32_t kDaysTo2000 = 10'957;
constexpr int64_t kMicrosTo2000 = 946'684'800'000'000;

/// Make decoders of values of which the server sends no other than those that fit.
template <typename Builder, typename Read>
std::unique_ptr<ValueDecoder> Fixed(const std::shared_ptr<arrow::DataType>& type, Read read) {
  const auto say = [type](std::string_view value, std::string* text, std::string* reason) {
    if (type->id() == arrow::Type::TIME64 && value.size() == 8) {
      *text = "24:00:00";
      *reason = "'24:00:00' is a time in PostgreSQL only; read the column as text by a query";
      return;
    }
    *text = std::to_string(value.size()) + " bytes";
    *reason = "the server sent " + *text + " for a value of the type " + type->ToString() +
              "; see that it is a PostgreSQL server";
  };
  return MakeFixedDecoder<Builder>(type, std::move(read), say);
}

/// Dates and timestamps, in units of the builder; the least and the greatest number of the wire
/// stand for the infinities.
template <typename Builder, typename Number>
class DayDecoder : public ValueDecoder {
 public:
  DayDecoder(const std::shared_ptr<arrow::DataType>& type, Number to_2000, bool infinity_is_null)
      : builder_(type, arrow::default_memory_pool()),
        to_2000_(to_2000),
        infinity_is_null_(infinity_is_null) {}
  arrow::ArrayBuilder& builder() override { return builder_; }

  bool Append(std::string_view value) override {
    Number since_1970{};
    const auto since_2000 = ReadNumber<Number>(value);
    const bool finite = since_2000.has_value() && !IsInfinite(*since_2000);
    if (finite && !__builtin_add_overflow(*since_2000, to_2000_, &since_1970)) [[likely]] {
      builder_.UnsafeAppend(since_1970);
      return true;
    }
    builder_.UnsafeAppendNull();
    return infinity_is_null_ && since_2000.has_value() && !finite;
  }
  void Explain(std::string_view value, std::string* text, std::string* reason) const override {
    const auto since_2000 = ReadNumber<Number>(value);
    const std::string type = builder_.type()->id() == arrow::Type::DATE32 ? "date" : "timestamp";
    if (since_2000.has_value() && IsInfinite(*since_2000)) {
      *text = *since_2000 > 0 ? "infinity" : "-infinity";
      *reason = "'" + *text + "' is no " + type +
                " of a table; set infinity: as_null to read it as NULL, or leave such rows out by "
                "where";
      return;
    }
    *text = since_2000.has_value() ? std::to_string(*since_2000) + " since 2000" : "no value";
    *reason = "the " + type + " lies beyond what a table can hold; mend it in the database, or " +
              "leave such rows out by where";
  }

 private:
  static bool IsInfinite(Number since_2000) {
    return since_2000 == std::numeric_limits<Number>::max() ||
           since_2000 == std::numeric_limits<Number>::min();
  }

  Builder builder_;
  const Number to_2000_;
  const bool infinity_is_null_;
};

class NumericDecoder : public ValueDecoder {
 public:
  explicit NumericDecoder(const std::shared_ptr<arrow::DataType>& type)
      : builder_(type, arrow::default_memory_pool()), target_(DecimalOf(*type)) {}
  arrow::ArrayBuilder& builder() override { return builder_; }

  bool Append(std::string_view value) override {
    const auto unscaled = ReadNumeric(value, target_);
    if (!unscaled.has_value()) [[unlikely]] {
      builder_.UnsafeAppendNull();
      return false;
    }
    builder_.UnsafeAppend(
        arrow::Decimal128(static_cast<int64_t>(*unscaled >> 64), static_cast<uint64_t>(*unscaled)));
    return true;
  }
  void Explain(std::string_view value, std::string* text, std::string* reason) const override {
    *text = PrintNumeric(value);
    const std::string type =
        "decimal(" + std::to_string(target_.precision) + ", " + std::to_string(target_.scale) + ")";
    const bool is_number = !text->empty() && (text->back() >= '0' && text->back() <= '9');
    *reason = is_number
                  ? "'" + *text + "' has more digits than " + type +
                        " holds; set numeric to a wider decimal or to string"
                  : "'" + *text + "' is no " + type +
                        "; leave such rows out by where, or read the column as text by a query";
  }

 private:
  static DecimalSize DecimalOf(const arrow::DataType& type) {
    const auto& decimal = static_cast<const arrow::DecimalType&>(type);
    return {.precision = decimal.precision(), .scale = decimal.scale()};
  }
  arrow::Decimal128Builder builder_;
  const DecimalSize target_;
};

TextDecoder::Options TextOptions(const DecoderOptions& options, size_t skipped) {
  return {.skipped = skipped,
          .check = options.check_texts,
          .hint =
              "the database (SQL_ASCII) does not say in which encoding they are: read the column "
              "by a query with convert_from"};
}

std::unique_ptr<ValueDecoder> MakeUuids(const std::shared_ptr<arrow::DataType>& type) {
  const auto read = [](std::string_view value) -> std::optional<std::string_view> {
    if (value.size() != 16) return std::nullopt;
    return value;
  };
  const auto say = [](std::string_view value, std::string* text, std::string* reason) {
    *text = std::to_string(value.size()) + " bytes";
    *reason = "the server sent " + *text + " for a uuid; see that it is a PostgreSQL server";
  };
  return MakeUuidDecoder(type, read, say);
}

/// Arrays of one dimension, or of none where they are empty; where they begin to count is left out.
class ArrayDecoder : public ValueDecoder {
 public:
  ArrayDecoder(std::shared_ptr<arrow::DataType> type, std::unique_ptr<ValueDecoder> values)
      : type_(std::move(type)), values_(std::move(values)) {
    builder_ = std::make_unique<arrow::ListBuilder>(
        arrow::default_memory_pool(),
        std::shared_ptr<arrow::ArrayBuilder>(std::shared_ptr<void>(), &values_->builder()));
  }
  arrow::ArrayBuilder& builder() override { return *builder_; }

  bool Append(std::string_view value) override {
    const auto found = Header::Read(value);
    if (!found.has_value() || found->dimensions > 1) {
      Note(builder_->AppendNull());
      return false;
    }
    Note(builder_->Append());
    if (Status reserved = values_->Reserve(found->values); !reserved.ok()) {
      failed_ = std::move(reserved);
      return true;
    }
    bool fits = true;
    WireReader wire(found->rest);
    for (int32_t i = 0; i < found->values; ++i) {
      const auto item = wire.Value();
      if (!item.has_value()) return false;
      if (item->data() == nullptr) {
        values_->AppendNull();
      } else if (!values_->Append(*item) && fits) {
        misfit_ = *item;
        fits = false;
      }
    }
    return fits;
  }
  void Explain(std::string_view value, std::string* text, std::string* reason) const override {
    const auto found = Header::Read(value);
    *text = "an array";
    if (!found.has_value()) {
      *reason = "the server sent an array that is cut; see that it is a PostgreSQL server";
    } else if (found->dimensions > 1) {
      *text = "an array of " + std::to_string(found->dimensions) + " dimensions";
      *reason = *text + " is no list of values; read the column as text or JSON by a query " +
                "(to_jsonb), or leave such rows out by where";
    } else {
      values_->Explain(misfit_, text, reason);
      *text = "an array with " + *text;
    }
  }
  Result<std::shared_ptr<arrow::Array>> Finish() override {
    CALVE_RETURN_IF_ERROR(failed_);
    // The list's builder would finish the values as plain ones, without their own type.
    std::shared_ptr<arrow::Array> plain;
    CALVE_RETURN_IF_ERROR(builder_->Finish(&plain));
    const auto& lists = static_cast<const arrow::ListArray&>(*plain);
    auto values = lists.values();
    const auto& wanted = static_cast<const arrow::ListType&>(*type_).value_type();
    if (wanted->id() == arrow::Type::EXTENSION)
      values = arrow::ExtensionType::WrapArray(wanted, values);
    return std::make_shared<arrow::ListArray>(type_, lists.length(), lists.value_offsets(), values,
                                              lists.null_bitmap(), lists.null_count());
  }

 private:
  struct Header {
    int32_t dimensions = 0;
    int32_t values = 0;
    std::string_view rest;

    static std::optional<Header> Read(std::string_view value) {
      WireReader wire(value);
      const auto dimensions = wire.Number<int32_t>();
      const auto has_nulls = wire.Number<int32_t>();
      const auto type = wire.Number<int32_t>();
      if (!dimensions || !has_nulls || !type || *dimensions < 0) return std::nullopt;
      if (*dimensions != 1) return Header{.dimensions = *dimensions, .values = 0, .rest = {}};
      const auto values = wire.Number<int32_t>();
      const auto first = wire.Number<int32_t>();
      // Each value takes at least the four bytes of its length.
      if (!values || !first || *values < 0 || static_cast<size_t>(*values) > wire.rest().size() / 4)
        return std::nullopt;
      return Header{.dimensions = 1, .values = *values, .rest = wire.rest()};
    }
  };

  const std::shared_ptr<arrow::DataType> type_;
  const std::unique_ptr<ValueDecoder> values_;
  std::unique_ptr<arrow::ListBuilder> builder_;
  std::string misfit_;  ///< The first value that did not fit, of the last array that did not.
};

}  // namespace

std::unique_ptr<ValueDecoder> MakeDecoder(Form form, const std::shared_ptr<arrow::DataType>& type,
                                          const DecoderOptions& options) {
  switch (form) {
    case Form::kBoolean:
      return Fixed<arrow::BooleanBuilder>(type, [](std::string_view v) -> std::optional<bool> {
        if (v.size() != 1) return std::nullopt;
        return v[0] != 0;
      });
    case Form::kInt2:
      return Fixed<arrow::Int32Builder>(type, [](std::string_view v) -> std::optional<int32_t> {
        return ReadNumber<int16_t>(v);
      });
    case Form::kInt4:
      return Fixed<arrow::Int32Builder>(type,
                                        [](std::string_view v) { return ReadNumber<int32_t>(v); });
    case Form::kInt8:
      return Fixed<arrow::Int64Builder>(type,
                                        [](std::string_view v) { return ReadNumber<int64_t>(v); });
    case Form::kUnsigned4:
      return Fixed<arrow::Int64Builder>(type, [](std::string_view v) -> std::optional<int64_t> {
        return ReadNumber<uint32_t>(v);
      });
    case Form::kFloat4:
      return Fixed<arrow::FloatBuilder>(type, [](std::string_view v) -> std::optional<float> {
        const auto bits = ReadNumber<uint32_t>(v);
        if (!bits.has_value()) return std::nullopt;
        return std::bit_cast<float>(*bits);
      });
    case Form::kFloat8:
      return Fixed<arrow::DoubleBuilder>(type, [](std::string_view v) -> std::optional<double> {
        const auto bits = ReadNumber<uint64_t>(v);
        if (!bits.has_value()) return std::nullopt;
        return std::bit_cast<double>(*bits);
      });
    case Form::kNumeric:
      return std::make_unique<NumericDecoder>(type);
    case Form::kMoney:
      return Fixed<arrow::Decimal128Builder>(
          type, [](std::string_view v) -> std::optional<arrow::Decimal128> {
            const auto unscaled = ReadNumber<int64_t>(v);
            if (!unscaled.has_value()) return std::nullopt;
            return arrow::Decimal128(*unscaled);
          });
    case Form::kDate:
      return std::make_unique<DayDecoder<arrow::Date32Builder, int32_t>>(type, kDaysTo2000,
                                                                         options.infinity_is_null);
    case Form::kTime:
      return Fixed<arrow::Time64Builder>(type, [](std::string_view v) -> std::optional<int64_t> {
        // 24:00:00 is a time in PostgreSQL, and none elsewhere.
        const auto micros = ReadNumber<int64_t>(v);
        if (!micros.has_value() || *micros >= 86'400'000'000) return std::nullopt;
        return micros;
      });
    case Form::kTimestamp:
      return std::make_unique<DayDecoder<arrow::TimestampBuilder, int64_t>>(
          type, kMicrosTo2000, options.infinity_is_null);
    case Form::kUuid:
      return MakeUuids(type);
    case Form::kText:
      return std::make_unique<TextDecoder>(TextOptions(options, 0));
    case Form::kBytes:
      return std::make_unique<BinaryDecoder>(BinaryDecoder::Options());
    case Form::kJsonb:
      return std::make_unique<TextDecoder>(TextOptions(options, 1));
  }
  return nullptr;
}

std::unique_ptr<ValueDecoder> MakeArrayDecoder(Form form,
                                               const std::shared_ptr<arrow::DataType>& list,
                                               const DecoderOptions& options) {
  const auto& type = static_cast<const arrow::ListType&>(*list).value_type();
  return std::make_unique<ArrayDecoder>(list, MakeDecoder(form, type, options));
}

}  // namespace calve::source::postgresql
