#include "columnar/exact_cast.h"

#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <bit>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/variant_array.h"
#include "columnar/variant_encode.h"

namespace calve::columnar {
namespace {

using arrow::internal::checked_cast;
using iceberg::TypeKind;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using TypePtr = std::shared_ptr<arrow::DataType>;

Error CannotBecome(const arrow::DataType& from, const iceberg::Type& type, const Place& place) {
  return DataError(fmt::format(
      "column {}: {} does not become {} exactly; convert it first, with type_conversion",
      place.FullName(), from.ToString(), type.ToString()));
}

Error DoesNotFit(const arrow::Array& array, int64_t index, const iceberg::Type& type,
                 const Place& place) {
  constexpr size_t kShownMax = 80;
  const auto scalar = array.GetScalar(index);
  std::string value = scalar.ok() ? (*scalar)->ToString() : "?";
  if (value.size() > kShownMax) value = value.substr(0, kShownMax) + "...";
  return DataError(fmt::format(
      "column {}, row {}: {} does not fit {} exactly", place.FullName(), place.RowOf(index),
      IsValidUtf8(value) ? value : "bytes that are not UTF-8", type.ToString()));
}

/// The first value that makes Arrow's cast fail, by halves.
int64_t FirstMisfit(const arrow::Array& array, const TypePtr& target) {
  int64_t good = 0;
  int64_t bad = array.length();
  while (bad - good > 1) {
    const int64_t middle = good + (bad - good) / 2;
    if (arrow::compute::Cast(*array.Slice(0, middle), target).ok()) {
      good = middle;
    } else {
      bad = middle;
    }
  }
  return good;
}

Result<ArrayPtr> CastByArrow(const ArrayPtr& array, const TypePtr& target,
                             const iceberg::Type& type, const Place& place) {
  arrow::Result<ArrayPtr> cast = arrow::compute::Cast(*array, target);
  if (cast.ok()) return *std::move(cast);
  if (cast.status().IsNotImplemented()) return CannotBecome(*array->type(), type, place);
  if (!cast.status().IsInvalid()) return StatusOf(cast).error();
  return DoesNotFit(*array, FirstMisfit(*array, target), type, place);
}

/// Arrow rounds doubles to floats without a word.
Result<ArrayPtr> NarrowToFloat(const ArrayPtr& array, const iceberg::Type& type,
                               const Place& place) {
  CALVE_ASSIGN_OR_RETURN(ArrayPtr floats, CastByArrow(array, arrow::float32(), type, place));
  const double* in = checked_cast<const arrow::DoubleArray&>(*array).raw_values();
  const float* out = checked_cast<const arrow::FloatArray&>(*floats).raw_values();
  for (int64_t i = 0; i < array->length(); ++i) {
    const bool same = static_cast<double>(out[i]) == in[i] || (in[i] != in[i] && out[i] != out[i]);
    if (!same && array->IsValid(i)) return DoesNotFit(*array, i, type, place);
  }
  return floats;
}

/// Arrow wants room for every value of the integer's type, so go by way of a decimal that has it.
Result<ArrayPtr> IntegerToDecimal(const ArrayPtr& array, const TypePtr& target,
                                  const iceberg::Type& type, const Place& place) {
  CALVE_ASSIGN_OR_RETURN(const ArrayPtr wide,
                         CastByArrow(array, arrow::decimal128(20, 0), type, place));
  return CastByArrow(wide, target, type, place);
}

Result<ArrayPtr> BinaryToFixed(const ArrayPtr& array, const TypePtr& target,
                               const iceberg::Type& type, const Place& place) {
  CALVE_ASSIGN_OR_RETURN(const ArrayPtr plain, CastByArrow(array, arrow::binary(), type, place));
  const auto& bytes = checked_cast<const arrow::BinaryArray&>(*plain);
  const int32_t width = checked_cast<const arrow::FixedSizeBinaryType&>(*target).byte_width();
  arrow::FixedSizeBinaryBuilder builder(target);
  CALVE_RETURN_IF_ERROR(builder.Reserve(bytes.length()));
  for (int64_t i = 0; i < bytes.length(); ++i) {
    if (bytes.IsNull(i)) {
      builder.UnsafeAppendNull();
    } else if (bytes.GetView(i).size() != static_cast<size_t>(width)) {
      return DoesNotFit(*array, i, type, place);
    } else {
      builder.UnsafeAppend(bytes.GetView(i));
    }
  }
  CALVE_ASSIGN_OR_RETURN(ArrayPtr fixed, builder.Finish());
  return fixed;
}

/// The JSON text at a place of a string array of any layout.
std::string_view TextAt(const arrow::Array& texts, int64_t i) {
  switch (texts.type_id()) {
    case arrow::Type::LARGE_STRING:
      return checked_cast<const arrow::LargeStringArray&>(texts).GetView(i);
    case arrow::Type::STRING_VIEW:
      return checked_cast<const arrow::StringViewArray&>(texts).GetView(i);
    default:
      return checked_cast<const arrow::StringArray&>(texts).GetView(i);
  }
}

Result<ArrayPtr> JsonToVariant(const ArrayPtr& texts, const TypePtr& target, const Place& place) {
  std::unique_ptr<arrow::ArrayBuilder> builder;
  CALVE_RETURN_IF_ERROR(arrow::MakeBuilder(arrow::default_memory_pool(), target, &builder));
  CALVE_RETURN_IF_ERROR(builder->Reserve(texts->length()));
  VariantEncoder encoder;
  for (int64_t i = 0; i < texts->length(); ++i) {
    if (texts->IsNull(i)) {
      CALVE_RETURN_IF_ERROR(builder->AppendNull());
      continue;
    }
    if (Status encoded = encoder.Encode(TextAt(*texts, i)); !encoded.ok()) {
      return DataError(fmt::format("column {}, row {}: a text is no variant: {}", place.FullName(),
                                   place.RowOf(i), encoded.error().message));
    }
    CALVE_RETURN_IF_ERROR(AppendEncoded(encoder, *builder));
  }
  CALVE_ASSIGN_OR_RETURN(ArrayPtr variants, builder->Finish());
  return variants;
}

bool IsStringOrBinary(arrow::Type::type id) {
  return arrow::is_base_binary_like(id) || arrow::is_binary_view_like(id);
}
bool IsNumber(arrow::Type::type id) { return arrow::is_integer(id) || arrow::is_floating(id); }
bool IsZoned(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         !checked_cast<const arrow::TimestampType&>(type).timezone().empty();
}

/// Whether values of an Arrow type may turn into a primitive: the same meaning in another width,
/// never another reading.
bool MayBecome(const arrow::DataType& from, TypeKind kind) {
  const arrow::Type::type id = from.id();
  switch (kind) {
    case TypeKind::kBoolean:
      return id == arrow::Type::BOOL;
    case TypeKind::kInt:
    case TypeKind::kLong:
      return IsNumber(id) || arrow::is_decimal(id);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return IsNumber(id);
    case TypeKind::kDecimal:
      return arrow::is_integer(id) || arrow::is_decimal(id);
    case TypeKind::kDate:
      return arrow::is_date(id);
    case TypeKind::kTime:
      return arrow::is_time(id);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNs:
      return arrow::is_date(id) || (id == arrow::Type::TIMESTAMP && !IsZoned(from));
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampTzNs:
      return IsZoned(from);
    case TypeKind::kString:
      return IsStringOrBinary(id);
    case TypeKind::kBinary:
    case TypeKind::kFixed:
    case TypeKind::kUuid:
      return IsStringOrBinary(id) || id == arrow::Type::FIXED_SIZE_BINARY;
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return false;
  }
  return false;
}

Result<ArrayPtr> CastPrimitive(const ArrayPtr& array, const TypePtr& target,
                               const iceberg::Type& type, const Place& place) {
  const arrow::DataType& from = *array->type();
  if (!MayBecome(from, type.kind())) return CannotBecome(from, type, place);
  if (type.kind() == TypeKind::kFloat && from.id() == arrow::Type::DOUBLE)
    return NarrowToFloat(array, type, place);
  if (type.kind() == TypeKind::kDecimal && arrow::is_integer(from.id())) {
    return IntegerToDecimal(array, target, type, place);
  }
  if (target->id() == arrow::Type::FIXED_SIZE_BINARY)
    return BinaryToFixed(array, target, type, place);
  return CastByArrow(array, target, type, place);
}

/// The validity of an array as a bitmap that starts at its first value; null when nothing is null.
Result<std::shared_ptr<arrow::Buffer>> Validity(const arrow::Array& array) {
  if (array.null_count() == 0 || array.null_bitmap() == nullptr)
    return std::shared_ptr<arrow::Buffer>();
  if (array.offset() == 0) return array.null_bitmap();
  auto bits = arrow::internal::CopyBitmap(arrow::default_memory_pool(), array.null_bitmap_data(),
                                          array.offset(), array.length());
  CALVE_RETURN_IF_ERROR(bits);
  return *std::move(bits);
}

Result<ArrayPtr> CastStruct(const ArrayPtr& array, const TypePtr& target, const iceberg::Type& type,
                            const Place& place) {
  if (array->type_id() != arrow::Type::STRUCT) return CannotBecome(*array->type(), type, place);
  const auto& rows = checked_cast<const arrow::StructArray&>(*array);
  arrow::ArrayVector children = rows.fields();
  if (rows.null_count() > 0) {
    CALVE_ASSIGN_OR_RETURN(children, rows.Flatten());
  }
  CALVE_ASSIGN_OR_RETURN(
      const arrow::ArrayVector columns,
      GatherFields(array->type()->fields(), children, type.fields(), array->length(), &place));
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, Validity(*array));
  std::vector<std::shared_ptr<arrow::ArrayData>> data;
  for (const ArrayPtr& column : columns) data.push_back(column->data());
  return arrow::MakeArray(arrow::ArrayData::Make(target, array->length(), {std::move(validity)},
                                                 std::move(data), array->null_count()));
}

/// Variants from their bytes, in whatever layout they lie, or from JSON texts.
Result<ArrayPtr> CastVariant(const ArrayPtr& array, const TypePtr& target,
                             const iceberg::Type& type, const Place& place) {
  const bool is_text = array->type_id() == arrow::Type::STRING ||
                       array->type_id() == arrow::Type::LARGE_STRING ||
                       array->type_id() == arrow::Type::STRING_VIEW;
  if (is_text) return JsonToVariant(array, target, place);
  const arrow::DataType& from = *array->type();
  const bool is_variant = from.id() == arrow::Type::STRUCT && from.num_fields() == 2 &&
                          from.field(0)->name() == "metadata" && from.field(1)->name() == "value";
  if (!is_variant) {
    return DataError(fmt::format("column {}: {} does not become {}; give its values as JSON texts",
                                 place.FullName(), from.ToString(), type.ToString()));
  }
  const auto& variants = checked_cast<const arrow::StructArray&>(*array);
  std::vector<std::shared_ptr<arrow::ArrayData>> bytes;
  for (int i = 0; i < 2; ++i) {
    const ArrayPtr& field = variants.field(i);
    if (!IsStringOrBinary(field->type_id())) return CannotBecome(from, type, place);
    CALVE_ASSIGN_OR_RETURN(const ArrayPtr cast, CastByArrow(field, arrow::binary(), type, place));
    for (int64_t row = 0; cast->null_count() > 0 && row < cast->length(); ++row) {
      if (variants.IsValid(row) && cast->IsNull(row)) {
        return DataError(fmt::format("column {}, row {}: a variant without its {}",
                                     place.FullName(), place.RowOf(row), from.field(i)->name()));
      }
    }
    bytes.push_back(cast->data());
  }
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, Validity(*array));
  return arrow::MakeArray(arrow::ArrayData::Make(target, array->length(), {std::move(validity)},
                                                 std::move(bytes), array->null_count()));
}

/// A list array whose values are exactly those of its valid lists, one after the other from 0: what
/// lies between is no value.
struct DenseLists {
  std::shared_ptr<arrow::Buffer> offsets;
  ArrayPtr values;
};

Result<DenseLists> Densify(const arrow::ListArray& lists) {
  arrow::TypedBufferBuilder<int32_t> offsets;
  CALVE_RETURN_IF_ERROR(offsets.Reserve(lists.length() + 1));
  int32_t end = 0;
  offsets.UnsafeAppend(end);
  for (int64_t i = 0; i < lists.length(); ++i) {
    if (lists.IsValid(i)) end += lists.value_length(i);
    offsets.UnsafeAppend(end);
  }
  DenseLists dense;
  CALVE_ASSIGN_OR_RETURN(dense.offsets, offsets.Finish());
  CALVE_ASSIGN_OR_RETURN(dense.values, lists.Flatten());
  return dense;
}

template <typename Lists, typename Views>
Result<ArrayPtr> FromViews(const arrow::Array& array) {
  auto lists = Lists::FromListView(checked_cast<const Views&>(array), arrow::default_memory_pool());
  CALVE_RETURN_IF_ERROR(lists);
  return *std::move(lists);
}

/// Any list as a plain one: large, fixed-size and view lists differ in their offsets only. (Arrow's
/// own cast of views loses their values.)
Result<ArrayPtr> ToPlainList(const ArrayPtr& array, const iceberg::Type& type, const Place& place) {
  const arrow::Type::type id = array->type_id();
  if (id == arrow::Type::LIST) return array;
  if (id == arrow::Type::LIST_VIEW)
    return FromViews<arrow::ListArray, arrow::ListViewArray>(*array);
  if (id == arrow::Type::LARGE_LIST_VIEW) {
    CALVE_ASSIGN_OR_RETURN(const ArrayPtr large,
                           (FromViews<arrow::LargeListArray, arrow::LargeListViewArray>(*array)));
    return ToPlainList(large, type, place);
  }
  if (id != arrow::Type::LARGE_LIST && id != arrow::Type::FIXED_SIZE_LIST)
    return CannotBecome(*array->type(), type, place);
  return CastByArrow(array, arrow::list(array->type()->field(0)), type, place);
}

Result<ArrayPtr> CastList(const ArrayPtr& array, const TypePtr& target, const iceberg::Type& type,
                          const Place& place) {
  if (array->type_id() == arrow::Type::MAP) return CannotBecome(*array->type(), type, place);
  CALVE_ASSIGN_OR_RETURN(const ArrayPtr plain, ToPlainList(array, type, place));
  const auto& lists = checked_cast<const arrow::ListArray&>(*plain);
  CALVE_ASSIGN_OR_RETURN(DenseLists dense, Densify(lists));
  const arrow::ListArray shape(plain->type(), plain->length(), dense.offsets, dense.values);
  const Place element{.parent = &place, .name = "element", .lists = &shape};
  CALVE_ASSIGN_OR_RETURN(const ArrayPtr values,
                         CastExactly(dense.values, type.fields()[0].type, element));
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, Validity(*plain));
  return arrow::MakeArray(arrow::ArrayData::Make(target, plain->length(),
                                                 {std::move(validity), dense.offsets},
                                                 {values->data()}, plain->null_count()));
}

Result<ArrayPtr> CastMap(const ArrayPtr& array, const TypePtr& target, const iceberg::Type& type,
                         const Place& place) {
  if (array->type_id() != arrow::Type::MAP) return CannotBecome(*array->type(), type, place);
  const auto& maps = checked_cast<const arrow::MapArray&>(*array);
  CALVE_ASSIGN_OR_RETURN(DenseLists dense, Densify(maps));
  const auto& entries = checked_cast<const arrow::StructArray&>(*dense.values);
  const arrow::ListArray shape(arrow::list(entries.type()), array->length(), dense.offsets,
                               dense.values);
  const Place keys{.parent = &place, .name = "key", .lists = &shape};
  const Place items{.parent = &place, .name = "value", .lists = &shape};
  CALVE_ASSIGN_OR_RETURN(const ArrayPtr key,
                         CastExactly(entries.field(0), type.fields()[0].type, keys));
  CALVE_ASSIGN_OR_RETURN(const ArrayPtr value,
                         CastExactly(entries.field(1), type.fields()[1].type, items));
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, Validity(*array));
  auto pairs = arrow::ArrayData::Make(target->field(0)->type(), entries.length(), {nullptr},
                                      {key->data(), value->data()}, 0);
  return arrow::MakeArray(arrow::ArrayData::Make(target, array->length(),
                                                 {std::move(validity), dense.offsets},
                                                 {std::move(pairs)}, array->null_count()));
}

/// Take off what only says how values are stored: dictionaries, run ends, extension types.
Result<ArrayPtr> Plain(const ArrayPtr& array) {
  switch (array->type_id()) {
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = checked_cast<const arrow::DictionaryArray&>(*array);
      auto taken = arrow::compute::Take(*dictionary.dictionary(), *dictionary.indices());
      CALVE_RETURN_IF_ERROR(taken);
      return Plain(*taken);
    }
    case arrow::Type::RUN_END_ENCODED: {
      auto decoded = arrow::compute::RunEndDecode(array);
      CALVE_RETURN_IF_ERROR(decoded);
      return Plain(decoded->make_array());
    }
    case arrow::Type::EXTENSION:
      return Plain(checked_cast<const arrow::ExtensionArray&>(*array).storage());
    default:
      return array;
  }
}

}  // namespace

Result<ArrayPtr> CastExactly(const ArrayPtr& array, const iceberg::Type& type, const Place& place) {
  CALVE_ASSIGN_OR_RETURN(const TypePtr target, ToArrowType(type));
  if (array->type()->Equals(*target, /*check_metadata=*/true)) return array;
  CALVE_ASSIGN_OR_RETURN(const ArrayPtr plain, Plain(array));
  if (plain->null_count() == plain->length()) {
    CALVE_ASSIGN_OR_RETURN(ArrayPtr nulls, arrow::MakeArrayOfNull(target, plain->length()));
    return nulls;
  }
  if (plain->type()->Equals(*target, /*check_metadata=*/true)) return plain;
  if (type.kind() == TypeKind::kVariant) return CastVariant(plain, target, type, place);
  if (type.kind() == TypeKind::kStruct) return CastStruct(plain, target, type, place);
  if (type.kind() == TypeKind::kList) return CastList(plain, target, type, place);
  if (type.kind() == TypeKind::kMap) return CastMap(plain, target, type, place);
  return CastPrimitive(plain, target, type, place);
}

}  // namespace calve::columnar
