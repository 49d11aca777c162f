#include "avro/value.h"

#include "base/text.h"

namespace calve::avro {
namespace {

Value ReadAny(const Node& node, Decoder& decoder);

Value ReadRecord(const Node& node, Decoder& decoder) {
  RecordValue record;
  record.fields.reserve(node.fields.size());
  for (const Field& field : node.fields) {
    record.fields.push_back(ReadAny(*field.type, decoder));
    if (!decoder.ok()) break;
  }
  return record;
}

Value ReadArray(const Node& node, Decoder& decoder) {
  ArrayValue array;
  decoder.ForEachItem(node.element->bytes_min,
                      [&] { array.items.push_back(ReadAny(*node.element, decoder)); });
  return array;
}

Value ReadMap(const Node& node, Decoder& decoder) {
  MapValue map;
  decoder.ForEachItem(node.element->bytes_min + 1, [&] {
    std::string key(decoder.ReadString());
    if (!IsValidUtf8(key)) decoder.Fail("a map's key is not valid UTF-8");
    map.entries.emplace_back(std::move(key), ReadAny(*node.element, decoder));
  });
  return map;
}

Value ReadUnion(const Node& node, Decoder& decoder) {
  const size_t branch = decoder.ReadIndex(node.branches.size());
  Value value = ReadAny(*node.branches[branch], decoder);
  value.branch = static_cast<int32_t>(branch);
  return value;
}

Value ReadNested(const Node& node, Decoder& decoder) {
  if (node.bytes_min == 0 && !decoder.ChargeZeroBytes(1)) return {};
  if (!decoder.Enter()) return {};
  Value value;
  switch (node.kind) {
    case Kind::kRecord:
      value = ReadRecord(node, decoder);
      break;
    case Kind::kArray:
      value = ReadArray(node, decoder);
      break;
    case Kind::kMap:
      value = ReadMap(node, decoder);
      break;
    default:
      value = ReadUnion(node, decoder);
      break;
  }
  decoder.Leave();
  return value;
}

Value ReadAny(const Node& node, Decoder& decoder) {
  switch (node.kind) {
    case Kind::kNull:
      return {};
    case Kind::kBoolean:
      return decoder.ReadBool();
    case Kind::kInt:
      return decoder.ReadInt();
    case Kind::kLong:
      return decoder.ReadLong();
    case Kind::kFloat:
      return decoder.ReadFloat();
    case Kind::kDouble:
      return decoder.ReadDouble();
    case Kind::kBytes:
      return BytesValue{std::string(decoder.ReadBytes())};
    case Kind::kEnum:
      return SymbolValue{node.symbols[decoder.ReadIndex(node.symbols.size())]};
    case Kind::kFixed:
      return FixedValue{std::string(decoder.ReadFixed(static_cast<size_t>(node.size_bytes)))};
    case Kind::kString: {
      std::string text(decoder.ReadString());
      if (!IsValidUtf8(text)) decoder.Fail("a string is not valid UTF-8");
      return text;
    }
    case Kind::kRecord:
    case Kind::kArray:
    case Kind::kMap:
    case Kind::kUnion:
      return ReadNested(node, decoder);
  }
  return {};
}

}  // namespace

bool RecordValue::operator==(const RecordValue& other) const { return fields == other.fields; }
bool ArrayValue::operator==(const ArrayValue& other) const { return items == other.items; }
bool MapValue::operator==(const MapValue& other) const { return entries == other.entries; }

Kind Value::kind() const {
  // The alternatives stand in the order of Kind, which has kUnion before kFixed.
  const auto kind = static_cast<Kind>(data.index());
  return kind == Kind::kUnion ? Kind::kFixed : kind;
}

Result<Value> ReadValue(const Node& node, Decoder& decoder) {
  Value value = ReadAny(node, decoder);
  CALVE_RETURN_IF_ERROR(decoder.status());
  return value;
}

}  // namespace calve::avro
