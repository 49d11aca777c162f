#include "reader/avro_leaf.h"

#include <fmt/format.h>

#include "base/text.h"
#include "columnar/convert.h"
#include "iceberg/value.h"

namespace calve::reader {
namespace {

using avro::Kind;
using iceberg::Type;
using iceberg::TypeKind;
using iceberg::Value;

bool IsBytes(Kind kind) {
  return kind == Kind::kBytes || kind == Kind::kString || kind == Kind::kFixed;
}
bool IsInteger(Kind kind) { return kind == Kind::kInt || kind == Kind::kLong; }

bool Fits(const avro::Node& node, const Type& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return node.kind == Kind::kBoolean;
    case TypeKind::kInt:
    case TypeKind::kDate:
      return node.kind == Kind::kInt;
    case TypeKind::kLong:
    case TypeKind::kTime:
      return IsInteger(node.kind);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      return node.kind == Kind::kLong || (node.kind == Kind::kInt && node.logical_type == "date");
    case TypeKind::kFloat:
      return node.kind == Kind::kFloat;
    case TypeKind::kDouble:
      return node.kind == Kind::kFloat || node.kind == Kind::kDouble;
    case TypeKind::kDecimal:
      return node.decimal && node.decimal->scale == type.scale() &&
             node.decimal->precision <= type.precision();
    case TypeKind::kString:
      return node.kind == Kind::kString || node.kind == Kind::kBytes || node.kind == Kind::kEnum;
    case TypeKind::kBinary:
      return IsBytes(node.kind);
    case TypeKind::kFixed:
      return node.kind == Kind::kFixed && node.size_bytes == type.length();
    case TypeKind::kUuid:
      return node.kind == Kind::kString || (node.kind == Kind::kFixed && node.size_bytes == 16);
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

/// Units in a day of what the logical type counts; microseconds when it does not say.
int64_t UnitsPerDay(const avro::Node& node) {
  constexpr int64_t kDayMillis = 86'400'000;
  if (node.logical_type == "date") return 1;
  if (node.logical_type.ends_with("-millis")) return kDayMillis;
  if (node.logical_type.ends_with("-nanos")) return kDayMillis * 1'000'000;
  return kDayMillis * 1'000;
}

Result<Value> MomentOf(int64_t raw, const avro::Node& node, const Type& type,
                       const std::string& path) {
  const bool is_nanos =
      type.kind() == TypeKind::kTimestampNs || type.kind() == TypeKind::kTimestampTzNs;
  const int64_t from = UnitsPerDay(node);
  const int64_t to = int64_t{86'400} * (is_nanos ? 1'000'000'000 : 1'000'000);
  if (from > to) return Value(raw / (from / to) - (raw % (from / to) < 0));
  int64_t scaled = 0;
  if (__builtin_mul_overflow(raw, to / from, &scaled)) {
    return DataError(
        fmt::format("column {}: the file holds a time that {} cannot hold", path, type.ToString()));
  }
  return Value(scaled);
}

Result<Value> DecimalOf(std::string_view bytes, const std::string& path) {
  if (bytes.size() > sizeof(iceberg::Int128))
    return DataError(fmt::format("column {}: a decimal of {} bytes", path, bytes.size()));
  unsigned __int128 bits =
      !bytes.empty() && (bytes[0] & 0x80) != 0 ? ~static_cast<unsigned __int128>(0) : 0;
  for (const char byte : bytes) bits = (bits << 8) | static_cast<uint8_t>(byte);
  return Value(iceberg::Decimal{static_cast<iceberg::Int128>(bits)});
}

std::string_view ReadRawBytes(const avro::Node& node, avro::Decoder& decoder) {
  return node.kind == Kind::kFixed ? decoder.ReadFixed(static_cast<size_t>(node.size_bytes))
                                   : decoder.ReadBytes();
}

Result<Value> StringOf(const avro::Node& node, const std::string& path, avro::Decoder& decoder) {
  if (node.kind == Kind::kEnum) {
    const size_t symbol = decoder.ReadIndex(node.symbols.size());
    return Value(symbol < node.symbols.size() ? node.symbols[symbol] : std::string());
  }
  const std::string_view text = decoder.ReadString();
  if (!IsValidUtf8(text)) return DataError(fmt::format("column {}: a string is not UTF-8", path));
  return Value(std::string(text));
}

Result<Value> UuidOf(const avro::Node& node, const Type& type, avro::Decoder& decoder) {
  const std::string_view bytes = ReadRawBytes(node, decoder);
  if (node.kind == Kind::kString) return iceberg::ParseText(type, bytes);
  iceberg::Uuid uuid{};
  if (bytes.size() == uuid.size()) std::copy(bytes.begin(), bytes.end(), uuid.begin());
  return Value(uuid);
}

Result<Value> Read(const avro::Node& node, const Type& type, const std::string& path,
                   avro::Decoder& decoder) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return Value(decoder.ReadBool());
    case TypeKind::kInt:
    case TypeKind::kDate:
      return Value(decoder.ReadInt());
    case TypeKind::kLong:
      return Value(decoder.ReadLong());
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      return MomentOf(decoder.ReadLong(), node, type, path);
    case TypeKind::kFloat:
      return Value(decoder.ReadFloat());
    case TypeKind::kDouble:
      return Value(node.kind == Kind::kFloat ? static_cast<double>(decoder.ReadFloat())
                                             : decoder.ReadDouble());
    case TypeKind::kDecimal:
      return DecimalOf(ReadRawBytes(node, decoder), path);
    case TypeKind::kString:
      return StringOf(node, path, decoder);
    case TypeKind::kUuid:
      return UuidOf(node, type, decoder);
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return Value(std::string(ReadRawBytes(node, decoder)));
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      break;
  }
  return BugError("an Avro leaf of a type that has none");
}

}  // namespace

Status CheckAvroLeaf(const avro::Node& node, const Type& type, const std::string& path) {
  if (Fits(node, type)) return Status::Ok();
  return DataError(fmt::format("column {}: the table has {}, but the file holds an Avro {}{}", path,
                               type.ToString(), avro::ToString(node.kind),
                               node.logical_type.empty() ? "" : " (" + node.logical_type + ")"));
}

Status AppendAvroLeaf(const avro::Node& node, const Type& type, const std::string& path,
                      avro::Decoder& decoder, arrow::ArrayBuilder& builder) {
  CALVE_ASSIGN_OR_RETURN(const Value value, Read(node, type, path, decoder));
  // Past a fault the value is nothing, and the caller stops.
  CALVE_RETURN_IF_ERROR(decoder.status());
  return columnar::AppendValue(builder, type, value);
}

}  // namespace calve::reader
