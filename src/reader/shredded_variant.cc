#include "reader/shredded_variant.h"

#include <arrow/array/array_decimal.h>
#include <arrow/array/array_primitive.h>
#include <arrow/compute/cast.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/exact_cast.h"
#include "columnar/variant_build.h"

namespace calve::reader {
namespace {

using arrow::internal::checked_cast;
using columnar::AppendVariant;
using columnar::VariantPrimitive;
using ArrayPtr = std::shared_ptr<arrow::Array>;

/// Strings and bytes however the file's writer kept them, lists of every kind, and what lies behind
/// an extension type.
Result<ArrayPtr> Plain(ArrayPtr array) {
  const arrow::Type::type id = array->type_id();
  if (id == arrow::Type::EXTENSION)
    return Plain(checked_cast<const arrow::ExtensionArray&>(*array).storage());
  if (id != arrow::Type::LIST && id != arrow::Type::MAP &&
      (arrow::is_list(id) || arrow::is_list_view(id))) {
    CALVE_ASSIGN_OR_RETURN(array,
                           arrow::compute::Cast(*array, arrow::list(array->type()->field(0))));
    return array;
  }
  if (id == arrow::Type::DICTIONARY || arrow::is_large_binary_like(id) ||
      arrow::is_binary_view_like(id)) {
    CALVE_ASSIGN_OR_RETURN(const iceberg::Type type,
                           columnar::ToIcebergType(*array->type(), /*format_version=*/3));
    return columnar::CastExactly(array, type, {});
  }
  return array;
}

std::optional<VariantPrimitive> TimestampType(const arrow::TimestampType& type) {
  const bool zoned = !type.timezone().empty();
  if (type.unit() == arrow::TimeUnit::MICRO)
    return zoned ? VariantPrimitive::kTimestampTz : VariantPrimitive::kTimestamp;
  if (type.unit() == arrow::TimeUnit::NANO)
    return zoned ? VariantPrimitive::kTimestampTzNs : VariantPrimitive::kTimestampNs;
  return std::nullopt;
}

/// The type of shredded values; of booleans kTrue, of decimals kDecimal16. Nothing for a type that
/// values are not shredded as.
std::optional<VariantPrimitive> PrimitiveOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return VariantPrimitive::kTrue;
    case arrow::Type::INT8:
      return VariantPrimitive::kInt8;
    case arrow::Type::INT16:
      return VariantPrimitive::kInt16;
    case arrow::Type::INT32:
      return VariantPrimitive::kInt32;
    case arrow::Type::INT64:
      return VariantPrimitive::kInt64;
    case arrow::Type::FLOAT:
      return VariantPrimitive::kFloat;
    case arrow::Type::DOUBLE:
      return VariantPrimitive::kDouble;
    case arrow::Type::DECIMAL128:
      return VariantPrimitive::kDecimal16;
    case arrow::Type::DATE32:
      return VariantPrimitive::kDate;
    case arrow::Type::TIME64:
      if (checked_cast<const arrow::Time64Type&>(type).unit() != arrow::TimeUnit::MICRO) break;
      return VariantPrimitive::kTime;
    case arrow::Type::TIMESTAMP:
      return TimestampType(checked_cast<const arrow::TimestampType&>(type));
    case arrow::Type::BINARY:
      return VariantPrimitive::kBinary;
    case arrow::Type::STRING:
      return VariantPrimitive::kString;
    case arrow::Type::FIXED_SIZE_BINARY:
      if (checked_cast<const arrow::FixedSizeBinaryType&>(type).byte_width() != 16) break;
      return VariantPrimitive::kUuid;
    default:
      break;
  }
  return std::nullopt;
}

template <typename T>
bool Fits(const arrow::Decimal128& value) {
  return value >= arrow::Decimal128(std::numeric_limits<T>::min()) &&
         value <= arrow::Decimal128(std::numeric_limits<T>::max());
}

/// In the width that the specification has for the column's precision, if the value fits.
void AppendDecimal(const arrow::Decimal128Array& array, int64_t row, std::string& out) {
  const auto& type = checked_cast<const arrow::Decimal128Type&>(*array.type());
  const arrow::Decimal128 value(array.GetValue(row));
  const bool is_4 = type.precision() <= 9 && Fits<int32_t>(value);
  const bool is_8 = type.precision() <= 18 && Fits<int64_t>(value);
  const size_t width = is_4 ? 4 : is_8 ? 8 : 16;
  std::string content(1, static_cast<char>(type.scale()));
  // Little-endian, so that the first bytes are the least.
  content.append(reinterpret_cast<const char*>(array.GetValue(row)), width);
  AppendVariant(is_4   ? VariantPrimitive::kDecimal4
                : is_8 ? VariantPrimitive::kDecimal8
                       : VariantPrimitive::kDecimal16,
                content, out);
}

/// Append one value of an array of the type that PrimitiveOf gave for it.
void AppendPrimitive(const arrow::Array& array, VariantPrimitive type, int64_t row,
                     std::string& out) {
  switch (array.type_id()) {
    case arrow::Type::BOOL: {
      const bool value = checked_cast<const arrow::BooleanArray&>(array).Value(row);
      return AppendVariant(value ? VariantPrimitive::kTrue : VariantPrimitive::kFalse, "", out);
    }
    case arrow::Type::STRING:
      return columnar::AppendVariantString(
          checked_cast<const arrow::StringArray&>(array).GetView(row), out);
    case arrow::Type::BINARY:
      return columnar::AppendVariantBinary(
          checked_cast<const arrow::BinaryArray&>(array).GetView(row), out);
    case arrow::Type::DECIMAL128:
      return AppendDecimal(checked_cast<const arrow::Decimal128Array&>(array), row, out);
    default: {
      // All others lie in Arrow as they do in a variant.
      const auto width = static_cast<size_t>(array.type()->byte_width());
      const auto* values = reinterpret_cast<const char*>(array.data()->buffers[1]->data());
      const size_t at = static_cast<size_t>(array.offset() + row) * width;
      return AppendVariant(type, std::string_view(values + at, width), out);
    }
  }
}

Result<ShreddedVariant> OfGroup(const ArrayPtr& group, std::string_view name) {
  if (group->type_id() != arrow::Type::STRUCT) {
    return DataError(fmt::format("expected {} to be a group of value and typed_value, found {}",
                                 name, group->type()->ToString()));
  }
  return ShreddedVariant::Of(checked_cast<const arrow::StructArray&>(*group));
}

}  // namespace

Result<ShreddedVariant> ShreddedVariant::Of(const arrow::StructArray& group) {
  ShreddedVariant shredded;
  shredded.group_ = arrow::MakeArray(group.data());
  const ArrayPtr value = group.GetFieldByName("value");
  const ArrayPtr typed = group.GetFieldByName("typed_value");
  if (value == nullptr && typed == nullptr) {
    return DataError(fmt::format("expected a group of value and typed_value, found {}",
                                 group.type()->ToString()));
  }
  if (value != nullptr) {
    CALVE_ASSIGN_OR_RETURN(const ArrayPtr bytes,
                           columnar::CastExactly(value, iceberg::Type::Binary(), {}));
    shredded.value_ = std::static_pointer_cast<arrow::BinaryArray>(bytes);
  }
  if (typed != nullptr) CALVE_RETURN_IF_ERROR(shredded.TakeTyped(typed));
  return shredded;
}

Status ShreddedVariant::TakeTyped(ArrayPtr typed) {
  CALVE_ASSIGN_OR_RETURN(typed_, Plain(std::move(typed)));
  if (typed_->type_id() == arrow::Type::LIST) {
    const auto& lists = checked_cast<const arrow::ListArray&>(*typed_);
    CALVE_ASSIGN_OR_RETURN(element_.emplace_back(), OfGroup(lists.values(), "an element"));
    return Status::Ok();
  }
  if (typed_->type_id() == arrow::Type::STRUCT) {
    const auto& object = checked_cast<const arrow::StructArray&>(*typed_);
    for (int i = 0; i < object.num_fields(); ++i) {
      const std::string& name = object.type()->field(i)->name();
      CALVE_ASSIGN_OR_RETURN(ShreddedVariant field, OfGroup(object.field(i), Quote(name)));
      fields_.push_back({.name = name, .value = std::move(field)});
    }
    std::sort(fields_.begin(), fields_.end(),
              [](const Field& a, const Field& b) { return a.name < b.name; });
    return Status::Ok();
  }
  const std::optional<VariantPrimitive> primitive = PrimitiveOf(*typed_->type());
  if (primitive) {
    primitive_ = *primitive;
    return Status::Ok();
  }
  return DataError(fmt::format("values of variants are not shredded as {}; the file is broken",
                               typed_->type()->ToString()));
}

Result<bool> ShreddedVariant::Append(int64_t row, const columnar::VariantNames& names,
                                     std::string& out) {
  if (group_->IsNull(row)) return false;
  const bool has_value = value_ != nullptr && value_->IsValid(row);
  if (typed_ == nullptr || typed_->IsNull(row)) {
    if (!has_value) return false;
    const std::string_view value = value_->GetView(row);
    CALVE_ASSIGN_OR_RETURN(const size_t size, columnar::VariantSize(value));
    out += value.substr(0, size);
    return true;
  }
  if (typed_->type_id() == arrow::Type::STRUCT) {
    CALVE_RETURN_IF_ERROR(AppendObject(row, names, out));
    return true;
  }
  if (has_value)
    return DataError("a broken variant: a shredded value has one that is not shredded beside it");
  if (typed_->type_id() == arrow::Type::LIST) {
    CALVE_RETURN_IF_ERROR(AppendArray(row, names, out));
  } else {
    AppendPrimitive(*typed_, primitive_, row, out);
  }
  return true;
}

Status ShreddedVariant::AppendArray(int64_t row, const columnar::VariantNames& names,
                                    std::string& out) {
  const auto& lists = checked_cast<const arrow::ListArray&>(*typed_);
  std::vector<std::string> items;
  for (int64_t i = lists.value_offset(row); i < lists.value_offset(row + 1); ++i) {
    CALVE_ASSIGN_OR_RETURN(const bool is_there,
                           element_.front().Append(i, names, items.emplace_back()));
    if (!is_there) items.back().push_back('\0');  // arrays have no gaps: a variant's null
  }
  return columnar::AppendVariantArray(items, out);
}

bool ShreddedVariant::HasField(std::string_view name) const {
  const auto at =
      std::lower_bound(fields_.begin(), fields_.end(), name,
                       [](const Field& field, std::string_view n) { return field.name < n; });
  return at != fields_.end() && at->name == name;
}

Status ShreddedVariant::AppendObject(int64_t row, const columnar::VariantNames& names,
                                     std::string& out) {
  std::vector<columnar::VariantField> object;
  for (Field& field : fields_) {
    std::string value;
    CALVE_ASSIGN_OR_RETURN(const bool is_there, field.value.Append(row, names, value));
    if (!is_there) continue;
    const std::optional<uint32_t> id = names.Find(field.name, field.likely_id);
    if (!id) {
      return DataError(fmt::format("a broken variant: its metadata lacks the name {} of a field",
                                   Quote(field.name)));
    }
    field.likely_id = *id;
    object.push_back({.name = field.name, .id = *id, .value = std::move(value)});
  }
  if (value_ != nullptr && value_->IsValid(row)) {
    const std::string_view rest = value_->GetView(row);
    if (rest.empty() || columnar::BasicTypeOf(rest) != columnar::VariantBasicType::kObject)
      return DataError("a broken variant: beside shredded fields stands what is no object");
    CALVE_ASSIGN_OR_RETURN(const auto items, columnar::VariantItems::Parse(rest));
    for (uint32_t i = 0; i < items.size(); ++i) {
      CALVE_ASSIGN_OR_RETURN(const std::string_view name, names.At(items.NameId(i)));
      if (HasField(name)) continue;
      object.push_back({.name = name, .id = items.NameId(i), .value = std::string(items.At(i))});
    }
  }
  return columnar::AppendVariantObject(std::move(object), out);
}

}  // namespace calve::reader
