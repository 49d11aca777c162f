#include "columnar/variant_json.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/builder.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/variant.h"
#include "iceberg/bytes.h"
#include "iceberg/calendar.h"
#include "iceberg/decimal.h"

namespace calve::columnar {
namespace {

using arrow::internal::checked_cast;
using iceberg::TypeKind;
using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;

static_assert(std::endian::native == std::endian::little, "variants are read as they lie");

template <typename T>
T Load(std::string_view bytes) {
  T value;
  bytes.copy(reinterpret_cast<char*>(&value), sizeof(value));
  return value;
}

template <typename T>
std::string FloatText(T value) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

template <typename T>
Result<std::string> DecimalText(std::string_view content) {
  const int scale = static_cast<uint8_t>(content.front());
  if (scale > kVariantScaleMax)
    return DataError(fmt::format("a broken variant: a decimal of scale {}", scale));
  return iceberg::DecimalToText({Load<T>(content.substr(1))}, scale);
}

Result<std::string> TextInQuotes(std::string_view text) {
  if (!IsValidUtf8(text)) return DataError("a broken variant: a string is not UTF-8");
  return Quote(text);
}

Result<std::string> TimeText(int64_t micros) {
  if (micros < 0 || micros >= iceberg::kSecondsPerDay * iceberg::kMicrosPerSecond)
    return DataError(fmt::format("a broken variant: {} microseconds are no time of day", micros));
  return Quote(iceberg::FormatTimeOfDay(micros, iceberg::kMicrosPerSecond));
}

std::string MomentText(std::string_view content, int64_t per_second, std::string_view zone) {
  return Quote(iceberg::FormatDateTime(Load<int64_t>(content), per_second) + std::string(zone));
}

/// `value` is a primitive of which VariantSize saw that all its bytes are there.
Result<std::string> PrimitiveText(std::string_view value) {
  constexpr size_t kLengthBytes = 4;
  const std::string_view content = value.substr(1);
  switch (static_cast<VariantPrimitive>(static_cast<uint8_t>(value.front()) >> 2)) {
    case VariantPrimitive::kNull:
      return std::string("null");
    case VariantPrimitive::kTrue:
      return std::string("true");
    case VariantPrimitive::kFalse:
      return std::string("false");
    case VariantPrimitive::kInt8:
      return std::to_string(Load<int8_t>(content));
    case VariantPrimitive::kInt16:
      return std::to_string(Load<int16_t>(content));
    case VariantPrimitive::kInt32:
      return std::to_string(Load<int32_t>(content));
    case VariantPrimitive::kInt64:
      return std::to_string(Load<int64_t>(content));
    case VariantPrimitive::kDouble:
      return FloatText(Load<double>(content));
    case VariantPrimitive::kDecimal4:
      return DecimalText<int32_t>(content);
    case VariantPrimitive::kDecimal8:
      return DecimalText<int64_t>(content);
    case VariantPrimitive::kDecimal16:
      return DecimalText<iceberg::Int128>(content);
    case VariantPrimitive::kDate:
      return Quote(iceberg::FormatDate(Load<int32_t>(content)));
    case VariantPrimitive::kTimestampTz:
      return MomentText(content, iceberg::kMicrosPerSecond, "+00:00");
    case VariantPrimitive::kTimestamp:
      return MomentText(content, iceberg::kMicrosPerSecond, "");
    case VariantPrimitive::kFloat:
      return FloatText(Load<float>(content));
    case VariantPrimitive::kBinary:
      return Quote(iceberg::ToBase64(content.substr(kLengthBytes)));
    case VariantPrimitive::kString:
      return TextInQuotes(content.substr(kLengthBytes));
    case VariantPrimitive::kTime:
      return TimeText(Load<int64_t>(content));
    case VariantPrimitive::kTimestampTzNs:
      return MomentText(content, iceberg::kNanosPerSecond, "+00:00");
    case VariantPrimitive::kTimestampNs:
      return MomentText(content, iceberg::kNanosPerSecond, "");
    case VariantPrimitive::kUuid: {
      iceberg::Uuid uuid;
      std::memcpy(uuid.data(), content.data(), uuid.size());
      return Quote(iceberg::ToText(iceberg::Type::UuidType(), iceberg::Value(uuid)));
    }
  }
  return BugError("a variant of no known type has a size");
}

/// The names of an object's fields, each of which it has once.
Result<std::vector<std::string_view>> NamesOf(const VariantItems& items,
                                              const VariantNames& names) {
  std::vector<std::string_view> found;
  found.reserve(items.size());
  for (uint32_t i = 0; i < items.size(); ++i) {
    CALVE_ASSIGN_OR_RETURN(found.emplace_back(), names.At(items.NameId(i)));
  }
  // Fields stand in order of their names, though writers differ in what order that is.
  if (std::adjacent_find(found.begin(), found.end(), std::greater_equal<>()) == found.end())
    return found;
  std::vector<std::string_view> sorted = found;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end()) return found;
  return DataError(
      fmt::format("a broken variant: an object has the field {} twice", Quote(*twice)));
}

/// Prints one variant.
class Printer {
 public:
  Printer(const VariantNames& names, size_t text_bytes_max)
      : names_(names), text_bytes_max_(text_bytes_max) {}

  /// `value` begins with the value.
  Status Print(std::string_view value, int depth);
  std::string Finish() && { return std::move(out_); }

 private:
  Status PrintObject(const VariantItems& items, int depth);
  Status PrintArray(const VariantItems& items, int depth);
  Status Add(std::string_view text);

  const VariantNames& names_;
  const size_t text_bytes_max_;
  std::string out_;
};

Status Printer::Add(std::string_view text) {
  if (text.size() > text_bytes_max_ - out_.size()) {
    return DataError(fmt::format("a variant whose text is longer than {} bytes", text_bytes_max_));
  }
  out_ += text;
  return Status::Ok();
}

Status Printer::Print(std::string_view value, int depth) {
  CALVE_ASSIGN_OR_RETURN(const size_t size, VariantSize(value));
  const std::string_view exact = value.substr(0, size);
  switch (BasicTypeOf(exact)) {
    case VariantBasicType::kPrimitive: {
      CALVE_ASSIGN_OR_RETURN(const std::string text, PrimitiveText(exact));
      return Add(text);
    }
    case VariantBasicType::kShortString: {
      CALVE_ASSIGN_OR_RETURN(const std::string text, TextInQuotes(exact.substr(1)));
      return Add(text);
    }
    case VariantBasicType::kObject:
    case VariantBasicType::kArray:
      break;
  }
  if (depth == kVariantDepthMax) {
    return DataError(fmt::format("a variant with more than {} objects and arrays in each other",
                                 kVariantDepthMax));
  }
  CALVE_ASSIGN_OR_RETURN(const VariantItems items, VariantItems::Parse(exact));
  return BasicTypeOf(exact) == VariantBasicType::kObject ? PrintObject(items, depth)
                                                         : PrintArray(items, depth);
}

Status Printer::PrintArray(const VariantItems& items, int depth) {
  CALVE_RETURN_IF_ERROR(Add("["));
  for (uint32_t i = 0; i < items.size(); ++i) {
    if (i > 0) CALVE_RETURN_IF_ERROR(Add(","));
    CALVE_RETURN_IF_ERROR(Print(items.At(i), depth + 1));
  }
  return Add("]");
}

Status Printer::PrintObject(const VariantItems& items, int depth) {
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string_view> field_names, NamesOf(items, names_));
  CALVE_RETURN_IF_ERROR(Add("{"));
  for (uint32_t i = 0; i < items.size(); ++i) {
    if (i > 0) CALVE_RETURN_IF_ERROR(Add(","));
    CALVE_RETURN_IF_ERROR(Add(Quote(field_names[i])));
    CALVE_RETURN_IF_ERROR(Add(":"));
    CALVE_RETURN_IF_ERROR(Print(items.At(i), depth + 1));
  }
  return Add("}");
}

/// The array of texts of a variant's struct; `live` says which of them are there at all.
Result<ArrayDataPtr> TextsOf(const ArrayDataPtr& data, const std::vector<bool>& live) {
  const arrow::StructArray variants(data);
  const auto& metadata = checked_cast<const arrow::BinaryArray&>(*variants.field(0));
  const auto& values = checked_cast<const arrow::BinaryArray&>(*variants.field(1));
  arrow::LargeStringBuilder builder;
  CALVE_RETURN_IF_ERROR(builder.Reserve(variants.length()));
  for (int64_t i = 0; i < variants.length(); ++i) {
    if (!live[static_cast<size_t>(i)] || variants.IsNull(i)) {
      builder.UnsafeAppendNull();
      continue;
    }
    CALVE_ASSIGN_OR_RETURN(const std::string text,
                           VariantToJson(metadata.GetView(i), values.GetView(i)));
    CALVE_RETURN_IF_ERROR(builder.Append(text));
  }
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> texts, builder.Finish());
  return texts->data();
}

/// Which values below a struct are there: those of its rows that are.
std::vector<bool> LiveFields(const arrow::Array& structs, const std::vector<bool>& live) {
  // Children keep the offsets of what holds them.
  const int64_t offset = structs.offset();
  std::vector<bool> below(static_cast<size_t>(offset + structs.length()));
  for (int64_t i = 0; i < structs.length(); ++i)
    below[static_cast<size_t>(offset + i)] = live[static_cast<size_t>(i)] && structs.IsValid(i);
  return below;
}

/// Which values below a list (or map) are there.
std::vector<bool> LiveItems(const arrow::ListArray& lists, const std::vector<bool>& live) {
  std::vector<bool> below(static_cast<size_t>(lists.values()->length()));
  for (int64_t i = 0; i < lists.length(); ++i) {
    if (!live[static_cast<size_t>(i)] || lists.IsNull(i)) continue;
    std::fill(below.begin() + lists.value_offset(i), below.begin() + lists.value_offset(i + 1),
              true);
  }
  return below;
}

/// A value within a null struct or list may be anything: `live` says, for each value of `data`,
/// whether all that holds it is there.
Result<ArrayDataPtr> WithText(const iceberg::Type& type, const ArrayDataPtr& data,
                              const std::vector<bool>& live) {
  if (type.kind() == TypeKind::kVariant) return TextsOf(data, live);
  if (!HoldsVariant(type)) return data;
  const std::shared_ptr<arrow::Array> array = arrow::MakeArray(data);
  ArrayDataPtr out = data->Copy();
  if (type.kind() == TypeKind::kList || type.kind() == TypeKind::kMap) {
    const auto& lists = checked_cast<const arrow::ListArray&>(*array);
    // The entries of a map are a struct of its key and value.
    const iceberg::Type item = type.kind() == TypeKind::kList
                                   ? type.fields()[0].type
                                   : iceberg::Type::Struct(type.fields());
    CALVE_ASSIGN_OR_RETURN(out->child_data[0],
                           WithText(item, data->child_data[0], LiveItems(lists, live)));
    const auto items = data->type->field(0)->WithType(out->child_data[0]->type);
    if (type.kind() == TypeKind::kList) {
      out->type = arrow::list(items);
    } else {
      out->type = std::make_shared<arrow::MapType>(items);
    }
    return out;
  }
  const std::vector<bool> below = LiveFields(*array, live);
  arrow::FieldVector fields = data->type->fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    CALVE_ASSIGN_OR_RETURN(out->child_data[i],
                           WithText(type.fields()[i].type, data->child_data[i], below));
    fields[i] = fields[i]->WithType(out->child_data[i]->type);
  }
  out->type = arrow::struct_(fields);
  return out;
}

}  // namespace

Result<std::string> VariantToJson(std::string_view metadata, std::string_view value,
                                  size_t text_bytes_max) {
  CALVE_ASSIGN_OR_RETURN(const VariantNames names, VariantNames::Parse(metadata));
  Printer printer(names, text_bytes_max);
  CALVE_RETURN_IF_ERROR(printer.Print(value, 0));
  return std::move(printer).Finish();
}

bool HoldsVariant(const iceberg::Type& type) {
  return type.kind() == TypeKind::kVariant ||
         std::any_of(type.fields().begin(), type.fields().end(),
                     [](const iceberg::Field& field) { return HoldsVariant(field.type); });
}

Result<Batch> WithVariantText(const Batch& rows, const iceberg::Schema& schema) {
  if (!HoldsVariant(schema.as_struct())) return rows;
  const std::vector<bool> live(static_cast<size_t>(rows->num_rows()), true);
  std::vector<ArrayDataPtr> columns;
  arrow::FieldVector fields = rows->schema()->fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    auto column = WithText(schema.fields()[i].type, rows->column_data(static_cast<int>(i)), live);
    if (!column.ok()) return While("column " + fields[i]->name(), std::move(column).error());
    fields[i] = fields[i]->WithType((*column)->type);
    columns.push_back(*std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows->num_rows(),
                                  std::move(columns));
}

}  // namespace calve::columnar
