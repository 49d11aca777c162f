#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/text.h"
#include "iceberg/bytes.h"
#include "iceberg/decimal.h"
#include "iceberg/schema_json.h"

namespace calve::iceberg {
namespace {

Error WrongValue(const Type& type, const Json& json, const std::string& place) {
  return Unexpected(place, "a value of type " + type.ToString(), json);
}

template <typename T>
Result<Value> IntegerFromJson(const Type& type, const Json& json, const std::string& place) {
  if (!json.is_number_integer()) return WrongValue(type, json, place);
  if (json.is_number_unsigned() &&
      json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<T>::max())) {
    return WrongValue(type, json, place);
  }
  const auto number = json.get<int64_t>();
  if (number < std::numeric_limits<T>::min()) return WrongValue(type, json, place);
  return Value(static_cast<T>(number));
}

/// Text forms that JSON shares with ToText.
Result<Value> TextFromJson(const Type& type, const Json& json, const std::string& place) {
  if (!json.is_string()) return WrongValue(type, json, place);
  Result<Value> value = ParseText(type, json.get<std::string>());
  if (!value.ok()) return While(place, std::move(value).error());
  return value;
}

Result<Value> HexFromJson(const Type& type, const Json& json, const std::string& place) {
  if (!json.is_string()) return WrongValue(type, json, place);
  std::optional<std::string> bytes = FromHex(json.get<std::string>());
  if (!bytes ||
      (type.kind() == TypeKind::kFixed && static_cast<int64_t>(bytes->size()) != type.length())) {
    return WrongValue(type, json, place);
  }
  return Value(std::move(*bytes));
}

/// The double that prints as the shortest text of a float, so that 0.1f is written as 0.1.
double Widened(float value) { return std::strtod(fmt::format("{}", value).c_str(), nullptr); }

}  // namespace

Result<Value> ValueFromJson(const Type& type, const Json& json, const std::string& place) {
  if (json.is_null()) return Value::Null();
  switch (type.kind()) {
    case TypeKind::kBoolean:
      if (!json.is_boolean()) return WrongValue(type, json, place);
      return Value(json.get<bool>());
    case TypeKind::kInt:
      return IntegerFromJson<int32_t>(type, json, place);
    case TypeKind::kLong:
      return IntegerFromJson<int64_t>(type, json, place);
    case TypeKind::kFloat:
      // What rounds to infinity is not a float.
      if (!json.is_number() || std::isinf(static_cast<float>(json.get<double>()))) {
        return WrongValue(type, json, place);
      }
      return Value(static_cast<float>(json.get<double>()));
    case TypeKind::kDouble:
      if (!json.is_number()) return WrongValue(type, json, place);
      return Value(json.get<double>());
    case TypeKind::kDecimal:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
    case TypeKind::kString:
    case TypeKind::kUuid:
      return TextFromJson(type, json, place);
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return HexFromJson(type, json, place);
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      break;
  }
  return RefusedError(
      fmt::format("{}: a default for a column of type {} can only be null here, found {}", place,
                  type.ToString(), Describe(json)));
}

Json ValueToJson(const Type& type, const Value& value) {
  if (value.is_null()) return nullptr;
  if (const auto* x = value.get_if<bool>()) return *x;
  if (const auto* x = value.get_if<float>()) return Widened(*x);
  if (const auto* x = value.get_if<double>()) return *x;
  switch (type.kind()) {
    case TypeKind::kInt:
      return value.as<int32_t>();
    case TypeKind::kLong:
      return value.as<int64_t>();
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return ToHex(value.as<std::string>());
    default:
      return ToText(type, value);
  }
}

}  // namespace calve::iceberg
