#include <algorithm>

#include "avro/value.h"
#include "base/text.h"

namespace calve::avro {
namespace {

Error Misfit(const Node& node, const Value& value) {
  return DataError("expected a value of Avro type " + std::string(ToString(node.kind)) +
                   (node.is_named() ? " " + Quote(node.full_name()) : "") + ", found one of type " +
                   std::string(ToString(value.kind())));
}

/// Whether the value looks like one of the type's, without looking inside.
bool Fits(const Node& node, const Value& value) {
  if (node.kind != value.kind()) return false;
  if (node.kind == Kind::kFixed) {
    return value.get<FixedValue>().bytes.size() == static_cast<size_t>(node.size_bytes);
  }
  if (node.kind == Kind::kEnum) {
    return std::find(node.symbols.begin(), node.symbols.end(), value.get<SymbolValue>().symbol) !=
           node.symbols.end();
  }
  if (node.kind == Kind::kRecord) {
    return value.get<RecordValue>().fields.size() == node.fields.size();
  }
  return true;
}

Status WriteUnion(const Node& node, const Value& value, Encoder& encoder) {
  size_t branch = static_cast<size_t>(value.branch);
  if (value.branch < 0) {
    branch = 0;
    while (branch < node.branches.size() && !Fits(*node.branches[branch], value)) ++branch;
  }
  if (branch >= node.branches.size()) return Misfit(node, value);
  encoder.WriteIndex(branch);
  return WriteValue(*node.branches[branch], value, encoder);
}

Status WriteContainer(const Node& node, const Value& value, Encoder& encoder) {
  if (node.kind == Kind::kArray) {
    const std::vector<Value>& items = value.get<ArrayValue>().items;
    if (!items.empty()) encoder.WriteBlockCount(items.size());
    for (const Value& item : items) CALVE_RETURN_IF_ERROR(WriteValue(*node.element, item, encoder));
  } else {
    const auto& entries = value.get<MapValue>().entries;
    if (!entries.empty()) encoder.WriteBlockCount(entries.size());
    for (const auto& [key, item] : entries) {
      encoder.WriteString(key);
      CALVE_RETURN_IF_ERROR(WriteValue(*node.element, item, encoder));
    }
  }
  encoder.WriteEnd();
  return Status::Ok();
}

}  // namespace

Status WriteValue(const Node& node, const Value& value, Encoder& encoder) {
  if (node.kind == Kind::kUnion) return WriteUnion(node, value, encoder);
  if (!Fits(node, value)) return Misfit(node, value);
  switch (node.kind) {
    case Kind::kNull:
      break;
    case Kind::kBoolean:
      encoder.WriteBool(value.get<bool>());
      break;
    case Kind::kInt:
      encoder.WriteInt(value.get<int32_t>());
      break;
    case Kind::kLong:
      encoder.WriteLong(value.get<int64_t>());
      break;
    case Kind::kFloat:
      encoder.WriteFloat(value.get<float>());
      break;
    case Kind::kDouble:
      encoder.WriteDouble(value.get<double>());
      break;
    case Kind::kBytes:
      encoder.WriteBytes(value.get<BytesValue>().bytes);
      break;
    case Kind::kString:
      encoder.WriteString(value.get<std::string>());
      break;
    case Kind::kFixed:
      encoder.WriteFixed(value.get<FixedValue>().bytes);
      break;
    case Kind::kEnum: {
      const auto symbol =
          std::find(node.symbols.begin(), node.symbols.end(), value.get<SymbolValue>().symbol);
      encoder.WriteIndex(static_cast<size_t>(symbol - node.symbols.begin()));
      break;
    }
    case Kind::kRecord: {
      const std::vector<Value>& fields = value.get<RecordValue>().fields;
      for (size_t i = 0; i < fields.size(); ++i) {
        CALVE_RETURN_IF_ERROR(WriteValue(*node.fields[i].type, fields[i], encoder));
      }
      break;
    }
    case Kind::kArray:
    case Kind::kMap:
      return WriteContainer(node, value, encoder);
    case Kind::kUnion:
      break;
  }
  return Status::Ok();
}

}  // namespace calve::avro
