#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "avro/value.h"

namespace calve::avro {

/// Makes random schemas and values of them, for tests; the same seed makes the same.
class RandomSchema {
 public:
  explicit RandomSchema(uint64_t seed) : random_(seed) {}

  /// Make a schema's JSON: all kinds, nested, named types used again, recursion.
  std::string NextSchema() { return Type(0, false); }

  /// Make a value of the type.
  Value NextValue(const Node& node, int depth = 0) {
    switch (node.kind) {
      case Kind::kNull:
        return {};
      case Kind::kBoolean:
        return Below(2) == 1;
      case Kind::kInt:
        return static_cast<int32_t>(random_() >> (32 + Below(32)));
      case Kind::kLong:
        return static_cast<int64_t>(random_() >> Below(64));
      case Kind::kFloat:
        return static_cast<float>(Below(1'000'000)) / 7.0F;
      case Kind::kDouble:
        return static_cast<double>(Below(1'000'000)) / -7.0;
      case Kind::kBytes:
        return BytesValue{Bytes(Below(20))};
      case Kind::kString:
        return Text();
      case Kind::kEnum:
        return SymbolValue{node.symbols[Below(node.symbols.size())]};
      case Kind::kFixed:
        return FixedValue{Bytes(static_cast<size_t>(node.size_bytes))};
      case Kind::kRecord: {
        RecordValue record;
        for (const Field& field : node.fields) {
          record.fields.push_back(NextValue(*field.type, depth + 1));
        }
        return record;
      }
      case Kind::kArray: {
        ArrayValue array;
        for (size_t i = Count(depth); i != 0; --i) {
          array.items.push_back(NextValue(*node.element, depth + 1));
        }
        return array;
      }
      case Kind::kMap: {
        MapValue map;
        for (size_t i = Count(depth); i != 0; --i) {
          std::string key = Text();
          map.entries.emplace_back(std::move(key), NextValue(*node.element, depth + 1));
        }
        return map;
      }
      case Kind::kUnion: {
        // Deep down the first branch is taken, which is null wherever a record may come again.
        const size_t branch = depth > 6 ? 0 : Below(node.branches.size());
        Value value = NextValue(*node.branches[branch], depth + 1);
        value.branch = static_cast<int32_t>(branch);
        return value;
      }
    }
    return {};
  }

  uint64_t Below(uint64_t bound) { return random_() % bound; }

 private:
  size_t Count(int depth) { return depth > 6 ? 0 : Below(4); }

  std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

  std::string Text() {
    static constexpr std::string_view kPieces[] = {
        "a", "Z", " ", "\"", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x84"};
    std::string text;
    for (size_t i = Below(8); i != 0; --i) text += kPieces[Below(7)];
    return text;
  }

  std::string Primitive() {
    static constexpr std::string_view kNames[] = {"null",  "boolean", "int",   "long",
                                                  "float", "double",  "bytes", "string"};
    const std::string name = "\"" + std::string(kNames[Below(8)]) + "\"";
    if (Below(4) != 0) return name;
    return "{\"type\":" + name + ",\"x-" + std::to_string(Below(9)) + "\":[1,{\"a\":null}]}";
  }

  std::string Type(int depth, bool in_union) {
    const uint64_t choice = Below(depth > 4 ? 10 : 18);
    if (choice < 8) return Primitive();
    if (choice == 8 && named_ != 0 && !in_union)
      return "\"t" + std::to_string(Below(named_)) + "\"";
    if (choice == 9) return Fixed();
    if (choice == 10) return Enum();
    if (choice < 13)
      return "{\"type\":\"array\",\"items\":" + Type(depth + 1, false) + ",\"element-id\":3}";
    if (choice == 13) return "{\"type\":\"map\",\"values\":" + Type(depth + 1, false) + "}";
    if (choice < 16 && !in_union) return Union(depth);
    return Record(depth);
  }

  /// A name for a type that is whole once its text is done: types in the making are not in reach.
  std::string Named(std::string_view kind, std::string_view rest) {
    return "{\"type\":\"" + std::string(kind) + "\",\"name\":\"t" + std::to_string(named_++) +
           "\"," + std::string(rest) + "}";
  }
  std::string Fixed() { return Named("fixed", "\"size\":" + std::to_string(Below(9))); }
  std::string Enum() { return Named("enum", "\"symbols\":[\"A\",\"B\",\"C\"],\"default\":\"B\""); }

  std::string Record(int depth) {
    const std::string self = "self" + std::to_string(records_++);
    std::string fields;
    for (size_t i = Below(6); i != 0; --i) {
      fields += "{\"name\":\"f" + std::to_string(i) + "\",\"type\":" + Type(depth + 1, false) +
                ",\"field-id\":" + std::to_string(i) + "},";
    }
    fields += "{\"name\":\"next\",\"type\":[\"null\",\"" + self + "\"],\"default\":null}";
    return "{\"type\":\"record\",\"name\":\"" + self + "\",\"fields\":[" + fields + "]}";
  }

  std::string Union(int depth) {
    std::string branches = "\"null\"";
    if (Below(2) == 1) branches += ",\"int\"";
    if (Below(3) == 1) branches += ",\"string\"";
    if (Below(3) == 1) branches += "," + Fixed();
    if (Below(2) == 1) branches += "," + Record(depth + 1);
    if (Below(3) == 1) branches += ",{\"type\":\"array\",\"items\":" + Type(depth + 1, false) + "}";
    return "[" + branches + "]";
  }

  std::mt19937_64 random_;
  uint64_t named_ = 0;
  uint64_t records_ = 0;
};

}  // namespace calve::avro
