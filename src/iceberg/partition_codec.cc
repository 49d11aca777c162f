#include "iceberg/partition_codec.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "iceberg/calendar.h"
#include "iceberg/decimal.h"
#include "iceberg/manifest_schema.h"

namespace calve::iceberg {
namespace {

using avro::Decoder;
using avro::Kind;
using avro::Node;

constexpr const char* kWrongType = "a partition value is not of its field's type";

Value ReadInt32(const Node& node, Decoder& d) {
  if (node.kind != Kind::kInt && node.kind != Kind::kLong) return d.Fail(kWrongType), Value();
  return Value(d.ReadInt());
}

/// Read a whole number of 64 bits; an int is promoted, a date becomes the moment at which it
/// begins.
Value ReadInt64(TypeKind kind, const Node& node, Decoder& d) {
  if (node.kind != Kind::kInt && node.kind != Kind::kLong) return d.Fail(kWrongType), Value();
  const int64_t number = d.ReadLong();
  if (node.logical_type != "date") return Value(number);
  if (kind == TypeKind::kTimestamp) return Value(number * kSecondsPerDay * kMicrosPerSecond);
  if (kind == TypeKind::kTimestampNs) return Value(number * kSecondsPerDay * kNanosPerSecond);
  return Value(number);
}

Value ReadFloat64(const Node& node, Decoder& d) {
  if (node.kind == Kind::kFloat) return Value(static_cast<double>(d.ReadFloat()));
  if (node.kind == Kind::kDouble) return Value(d.ReadDouble());
  return d.Fail(kWrongType), Value();
}

std::string_view ReadAnyBytes(const Node& node, Decoder& d) {
  if (node.kind == Kind::kFixed) return d.ReadFixed(static_cast<size_t>(node.size_bytes));
  if (node.kind == Kind::kBytes || node.kind == Kind::kString) return d.ReadBytes();
  return d.Fail(kWrongType), std::string_view();
}

Value ReadDecimal(const Node& node, Decoder& d) {
  const std::optional<Decimal> decimal = DecimalFromBytes(ReadAnyBytes(node, d));
  if (!decimal) return d.Fail(kWrongType), Value();
  return Value(*decimal);
}

Value ReadUuid(const Node& node, Decoder& d) {
  const std::string_view bytes = ReadAnyBytes(node, d);
  if (node.kind == Kind::kString) {
    Result<Value> parsed = ParseText(Type::UuidType(), bytes);
    if (parsed.ok()) return std::move(parsed).value();
  } else if (Uuid uuid; bytes.size() == uuid.size()) {
    std::memcpy(uuid.data(), bytes.data(), uuid.size());
    return Value(uuid);
  }
  return d.Fail(kWrongType), Value();
}

Value ReadValue(const Type& type, const Node& node, Decoder& d) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      if (node.kind != Kind::kBoolean) return d.Fail(kWrongType), Value();
      return Value(d.ReadBool());
    case TypeKind::kInt:
    case TypeKind::kDate:
      return ReadInt32(node, d);
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      return ReadInt64(type.kind(), node, d);
    case TypeKind::kFloat:
      if (node.kind != Kind::kFloat) return d.Fail(kWrongType), Value();
      return Value(d.ReadFloat());
    case TypeKind::kDouble:
      return ReadFloat64(node, d);
    case TypeKind::kDecimal:
      return ReadDecimal(node, d);
    case TypeKind::kUuid:
      return ReadUuid(node, d);
    case TypeKind::kString:
    case TypeKind::kBinary:
    case TypeKind::kFixed:
      return Value(std::string(ReadAnyBytes(node, d)));
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      break;
  }
  Skip(node, d);
  return {};
}

}  // namespace

PartitionReader::PartitionReader(const Node* record, const Type& type) {
  std::vector<avro::Want> wants;
  std::vector<std::string> names;
  names.reserve(type.fields().size());
  for (size_t i = 0; i < type.fields().size(); ++i) {
    names.push_back(AvroName(type.fields()[i].name));
    wants.push_back({type.fields()[i].id.value(), static_cast<int>(i), names.back()});
  }
  projection_ = avro::Projection::Of(record, wants);
  std::vector<Field> fields = type.fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    const Node* node = projection_.TypeOf(static_cast<int>(i));
    if (fields[i].type.kind() == TypeKind::kUnknown && node != nullptr)
      fields[i].type = TypeOfAvro(*node);
  }
  type_ = Type::Struct(std::move(fields));
}

PartitionValues PartitionReader::Read(Decoder& decoder) const {
  PartitionValues values(type_.fields().size());
  projection_.Read(decoder, [&](const avro::Projection::Item& item, Decoder& d) {
    if (item.type->kind == Kind::kNull) return;
    const auto place = static_cast<size_t>(item.slot);
    values[place] = ReadValue(type_.fields()[place].type, *item.type, d);
  });
  return values;
}

namespace {

struct ValueWriter {
  avro::Encoder& e;
  const Type& type;

  bool operator()(std::monostate) const { return false; }
  bool operator()(bool v) const { return e.WriteBool(v), type.kind() == TypeKind::kBoolean; }
  bool operator()(int32_t v) const {
    e.WriteInt(v);
    return type.kind() == TypeKind::kInt || type.kind() == TypeKind::kDate;
  }
  bool operator()(int64_t v) const {
    e.WriteLong(v);
    return type.kind() == TypeKind::kLong ||
           (type.kind() >= TypeKind::kTime && type.kind() <= TypeKind::kTimestampTzNs);
  }
  bool operator()(float v) const {
    e.WriteFloat(std::isnan(v) ? std::bit_cast<float>(0x7fc00000U) : v);
    return type.kind() == TypeKind::kFloat;
  }
  bool operator()(double v) const {
    e.WriteDouble(std::isnan(v) ? std::bit_cast<double>(0x7ff8000000000000ULL) : v);
    return type.kind() == TypeKind::kDouble;
  }
  bool operator()(const Decimal& v) const {
    if (type.kind() != TypeKind::kDecimal || !FitsPrecision(v, type.precision())) return false;
    e.WriteFixed(DecimalToFixedBytes(v, DecimalWidth(type.precision())));
    return true;
  }
  bool operator()(const std::string& v) const {
    if (type.kind() == TypeKind::kFixed) {
      e.WriteFixed(v);
      return static_cast<int64_t>(v.size()) == type.length();
    }
    e.WriteBytes(v);
    return type.kind() == TypeKind::kString || type.kind() == TypeKind::kBinary;
  }
  bool operator()(const Uuid& v) const {
    e.WriteFixed({reinterpret_cast<const char*>(v.data()), v.size()});
    return type.kind() == TypeKind::kUuid;
  }
};

}  // namespace

Status WritePartition(avro::Encoder& encoder, const Type& type, const PartitionValues& values) {
  const std::vector<Field>& fields = type.fields();
  if (values.size() != fields.size()) {
    return BugError(
        fmt::format("expected {} partition values, found {}", fields.size(), values.size()));
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].type.kind() == TypeKind::kUnknown) {
      if (!values[i].is_null())
        return BugError("expected null for the partition field " + fields[i].name);
      continue;
    }
    encoder.WriteIndex(values[i].is_null() ? 0 : 1);
    if (values[i].is_null()) continue;
    if (!std::visit(ValueWriter{encoder, fields[i].type}, values[i].storage())) {
      return BugError(fmt::format("the value of the partition field {} is not a {}", fields[i].name,
                                  fields[i].type.ToString()));
    }
  }
  return Status::Ok();
}

namespace {

struct KeyWriter {
  avro::Encoder& e;

  void operator()(std::monostate) const {}
  void operator()(bool v) const { e.WriteBool(v); }
  void operator()(int32_t v) const { e.WriteInt(v); }
  void operator()(int64_t v) const { e.WriteLong(v); }
  void operator()(float v) const {
    e.WriteFloat(std::isnan(v) ? std::bit_cast<float>(0x7fc00000U) : v);
  }
  void operator()(double v) const {
    e.WriteDouble(std::isnan(v) ? std::bit_cast<double>(0x7ff8000000000000ULL) : v);
  }
  void operator()(const Decimal& v) const { e.WriteBytes(DecimalToBytes(v)); }
  void operator()(const std::string& v) const { e.WriteBytes(v); }
  void operator()(const Uuid& v) const {
    e.WriteFixed({reinterpret_cast<const char*>(v.data()), v.size()});
  }
};

}  // namespace

std::string PartitionKey(SpecId spec_id, const PartitionValues& values) {
  std::string key;
  avro::Encoder encoder(&key);
  encoder.WriteInt(spec_id.value());
  for (const Value& value : values) {
    encoder.WriteBool(!value.is_null());
    std::visit(KeyWriter{encoder}, value.storage());
  }
  return key;
}

}  // namespace calve::iceberg
