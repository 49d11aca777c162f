#include "engine/duckdb/types.h"

#include <fmt/format.h>

#include <algorithm>

namespace calve::engine {
namespace {

using duckdb::LogicalType;
using iceberg::TypeKind;

duckdb::hugeint_t ToHugeint(iceberg::Int128 value) {
  duckdb::hugeint_t result;
  result.lower = static_cast<uint64_t>(value);
  result.upper = static_cast<int64_t>(value >> 64);
  return result;
}

iceberg::Int128 FromHugeint(duckdb::hugeint_t value) {
  return (static_cast<iceberg::Int128>(value.upper) << 64) |
         static_cast<iceberg::Int128>(value.lower);
}

/// DuckDB keeps a uuid as a number whose order is that of the bytes: the top bit is flipped.
duckdb::hugeint_t ToDuckUuid(const iceberg::Uuid& uuid) {
  uint64_t upper = 0;
  uint64_t lower = 0;
  for (size_t i = 0; i < 8; ++i) {
    upper = upper << 8 | uuid[i];
    lower = lower << 8 | uuid[i + 8];
  }
  duckdb::hugeint_t result;
  result.upper = static_cast<int64_t>(upper ^ (uint64_t{1} << 63));
  result.lower = lower;
  return result;
}

iceberg::Uuid FromDuckUuid(duckdb::hugeint_t value) {
  const uint64_t upper = static_cast<uint64_t>(value.upper) ^ (uint64_t{1} << 63);
  iceberg::Uuid uuid;
  for (size_t i = 0; i < 8; ++i) {
    uuid[i] = static_cast<uint8_t>(upper >> (56 - 8 * i));
    uuid[i + 8] = static_cast<uint8_t>(value.lower >> (56 - 8 * i));
  }
  return uuid;
}

Result<LogicalType> ToNestedType(const iceberg::Type& type) {
  duckdb::child_list_t<LogicalType> children;
  for (const auto& field : type.fields()) {
    auto child = ToDuckType(field.type);
    if (!child.ok()) return While(field.name, std::move(child).error());
    children.emplace_back(field.name, std::move(*child));
  }
  if (type.kind() == TypeKind::kStruct) return LogicalType::STRUCT(std::move(children));
  if (type.kind() == TypeKind::kList) return LogicalType::LIST(children[0].second);
  return LogicalType::MAP(children[0].second, children[1].second);
}

}  // namespace

Result<LogicalType> ToDuckType(const iceberg::Type& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return LogicalType(LogicalType::BOOLEAN);
    case TypeKind::kInt:
      return LogicalType(LogicalType::INTEGER);
    case TypeKind::kLong:
      return LogicalType(LogicalType::BIGINT);
    case TypeKind::kFloat:
      return LogicalType(LogicalType::FLOAT);
    case TypeKind::kDouble:
      return LogicalType(LogicalType::DOUBLE);
    case TypeKind::kDecimal:
      return LogicalType::DECIMAL(static_cast<uint8_t>(type.precision()),
                                  static_cast<uint8_t>(type.scale()));
    case TypeKind::kDate:
      return LogicalType(LogicalType::DATE);
    case TypeKind::kTime:
      return LogicalType(LogicalType::TIME);
    case TypeKind::kTimestamp:
      return LogicalType(LogicalType::TIMESTAMP);
    case TypeKind::kTimestampTz:
      return LogicalType(LogicalType::TIMESTAMP_TZ);
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      return LogicalType(LogicalType::TIMESTAMP_NS);
    case TypeKind::kString:
      return LogicalType(LogicalType::VARCHAR);
    case TypeKind::kUuid:
      return LogicalType(LogicalType::UUID);
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return LogicalType(LogicalType::BLOB);
    case TypeKind::kUnknown:
      return LogicalType(LogicalType::SQLNULL);
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return ToNestedType(type);
    case TypeKind::kVariant:
      return LogicalType::JSON();
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
      break;
  }
  return RefusedError(fmt::format("columns of type {} cannot be read by SQL yet", type.ToString()));
}

bool ReadsExactly(const iceberg::Type& type) {
  if (type.kind() == TypeKind::kTimestampTzNs || type.kind() == TypeKind::kVariant) return false;
  return std::ranges::all_of(type.fields(),
                             [](const iceberg::Field& f) { return ReadsExactly(f.type); });
}

duckdb::Value ToDuckValue(const iceberg::Type& type, const iceberg::Value& value) {
  using duckdb::Value;
  auto target = ToDuckType(type);
  if (value.is_null() || !target.ok())
    return Value(target.ok() ? *target : LogicalType(LogicalType::SQLNULL));
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return Value::BOOLEAN(value.as<bool>());
    case TypeKind::kInt:
      return Value::INTEGER(value.as<int32_t>());
    case TypeKind::kLong:
      return Value::BIGINT(value.as<int64_t>());
    case TypeKind::kFloat:
      return Value::FLOAT(value.as<float>());
    case TypeKind::kDouble:
      return Value::DOUBLE(value.as<double>());
    case TypeKind::kDecimal: {
      const auto unscaled = value.as<iceberg::Decimal>().unscaled;
      const auto width = static_cast<uint8_t>(type.precision());
      const auto scale = static_cast<uint8_t>(type.scale());
      switch (target->InternalType()) {
        case duckdb::PhysicalType::INT16:
          return Value::DECIMAL(static_cast<int16_t>(unscaled), width, scale);
        case duckdb::PhysicalType::INT32:
          return Value::DECIMAL(static_cast<int32_t>(unscaled), width, scale);
        case duckdb::PhysicalType::INT64:
          return Value::DECIMAL(static_cast<int64_t>(unscaled), width, scale);
        default:
          return Value::DECIMAL(ToHugeint(unscaled), width, scale);
      }
    }
    case TypeKind::kDate:
      return Value::DATE(duckdb::date_t(value.as<int32_t>()));
    case TypeKind::kTime:
      return Value::TIME(duckdb::dtime_t(value.as<int64_t>()));
    case TypeKind::kTimestamp:
      return Value::TIMESTAMP(duckdb::timestamp_t(value.as<int64_t>()));
    case TypeKind::kTimestampTz:
      return Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(value.as<int64_t>()));
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      return Value::TIMESTAMPNS(duckdb::timestamp_ns_t(value.as<int64_t>()));
    case TypeKind::kString:
      return Value(value.as<std::string>());
    case TypeKind::kUuid:
      return Value::UUID(ToDuckUuid(value.as<iceberg::Uuid>()));
    case TypeKind::kFixed:
    case TypeKind::kBinary: {
      const auto& bytes = value.as<std::string>();
      return Value::BLOB(reinterpret_cast<duckdb::const_data_ptr_t>(bytes.data()), bytes.size());
    }
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      break;
  }
  return Value(*target);
}

std::optional<iceberg::Value> FromDuckValue(const iceberg::Type& type,
                                            const duckdb::Value& constant) {
  using iceberg::Value;
  auto target = ToDuckType(type);
  if (!target.ok() || constant.IsNull() || type.kind() == TypeKind::kTimestampTzNs)
    return std::nullopt;
  duckdb::Value value = constant;
  if (constant.type() != *target) {
    // Only what comes back unchanged is the same value.
    duckdb::Value back;
    std::string error;
    if (!constant.DefaultTryCastAs(*target, value, &error, true) || value.IsNull())
      return std::nullopt;
    if (!value.DefaultTryCastAs(constant.type(), back, &error, true) || back != constant)
      return std::nullopt;
  }
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return Value(value.GetValueUnsafe<bool>());
    case TypeKind::kInt:
      return Value(value.GetValueUnsafe<int32_t>());
    case TypeKind::kLong:
      return Value(value.GetValueUnsafe<int64_t>());
    case TypeKind::kFloat:
      return Value(value.GetValueUnsafe<float>());
    case TypeKind::kDouble:
      return Value(value.GetValueUnsafe<double>());
    case TypeKind::kDecimal: {
      iceberg::Decimal decimal;
      switch (target->InternalType()) {
        case duckdb::PhysicalType::INT16:
          decimal.unscaled = value.GetValueUnsafe<int16_t>();
          break;
        case duckdb::PhysicalType::INT32:
          decimal.unscaled = value.GetValueUnsafe<int32_t>();
          break;
        case duckdb::PhysicalType::INT64:
          decimal.unscaled = value.GetValueUnsafe<int64_t>();
          break;
        default:
          decimal.unscaled = FromHugeint(value.GetValueUnsafe<duckdb::hugeint_t>());
          break;
      }
      return Value(decimal);
    }
    case TypeKind::kDate:
      if (!duckdb::Value::IsFinite(value.GetValueUnsafe<duckdb::date_t>())) return std::nullopt;
      return Value(value.GetValueUnsafe<duckdb::date_t>().days);
    case TypeKind::kTime:
      return Value(value.GetValueUnsafe<duckdb::dtime_t>().micros);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
      if (!duckdb::Value::IsFinite(value.GetValueUnsafe<duckdb::timestamp_t>()))
        return std::nullopt;
      return Value(value.GetValueUnsafe<duckdb::timestamp_t>().value);
    case TypeKind::kString:
      return Value(std::string(duckdb::StringValue::Get(value)));
    case TypeKind::kBinary:
    case TypeKind::kFixed:
      return Value(std::string(duckdb::StringValue::Get(value)));
    case TypeKind::kUuid:
      return Value(FromDuckUuid(value.GetValueUnsafe<duckdb::hugeint_t>()));
    case TypeKind::kTimestampTzNs:
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      break;
  }
  return std::nullopt;
}

Result<duckdb::MultiFileColumnDefinition> ToDuckColumn(const iceberg::Field& field) {
  auto type = ToDuckType(field.type);
  if (!type.ok()) return While(field.name, std::move(type).error());
  duckdb::MultiFileColumnDefinition column(field.name, *type);
  column.identifier = duckdb::Value::INTEGER(field.id.value());
  duckdb::Value initial(*type);
  if (field.initial_default) initial = ToDuckValue(field.type, *field.initial_default);
  column.default_expression = duckdb::make_uniq<duckdb::ConstantExpression>(initial);
  for (const auto& child : field.type.fields()) {
    CALVE_ASSIGN_OR_RETURN(auto definition, ToDuckColumn(child));
    // DuckDB's Parquet reader names the element of a list so.
    if (field.type.kind() == TypeKind::kList) definition.name = "list";
    column.children.push_back(std::move(definition));
  }
  return column;
}

}  // namespace calve::engine
