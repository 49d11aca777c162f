#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace calve::avro {

/// Avro's fourteen types (Avro spec 1.12, Schema Declaration).
enum class Kind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kRecord,
  kEnum,
  kArray,
  kMap,
  kUnion,
  kFixed,
};

/// Name a kind as schemas write it: "null", "record", ...
std::string_view ToString(Kind kind);

/// What a schema says beyond Avro's own words (`field-id`, `doc`, `order`, ...), in its order, as
/// JSON text.
///
/// Nothing is dropped: what was parsed is printed again.
class Attributes {
 public:
  using Entry = std::pair<std::string, std::string>;  ///< Name and JSON text of the value.

  /// Find a value's JSON text; null when the attribute is absent.
  const std::string* Find(std::string_view name) const;
  /// Read a value as an integer; empty when absent or of another type.
  std::optional<int64_t> GetInt(std::string_view name) const;
  /// Read a value as a text; empty when absent or of another type.
  std::optional<std::string> GetString(std::string_view name) const;
  /// Read a value as a boolean; empty when absent or of another type.
  std::optional<bool> GetBool(std::string_view name) const;

  /// Set a value, replacing one of the same name.
  void SetInt(std::string_view name, int64_t value);
  void SetString(std::string_view name, std::string_view value);
  void SetBool(std::string_view name, bool value);
  /// Set a value from JSON text, which must be valid: it is printed as it is.
  void SetJson(std::string_view name, std::string json);

  bool empty() const { return entries_.empty(); }
  std::span<const Entry> entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

struct Node;

/// One field of a record.
struct Field {
  std::string name;
  const Node* type = nullptr;
  std::optional<std::string>
      default_json;  ///< JSON text of the default, absent when there is none.
  std::vector<std::string> aliases;
  Attributes attributes;

  /// The Iceberg field id (attribute `field-id`); empty when absent or not a 32-bit integer.
  std::optional<int32_t> field_id() const;
};

/// A valid `decimal` logical type's parameters.
struct Decimal {
  int precision = 0;
  int scale = 0;
  bool operator==(const Decimal&) const = default;
};

/// One type of a schema. Nodes belong to their Schema and are reached by plain pointers, so that a
/// named type used twice is one node and a recursive type is a cycle.
struct Node {
  Kind kind = Kind::kNull;

  // Named types: record, enum, fixed.
  std::string name;  ///< Without namespace.
  std::string name_space;
  std::vector<std::string> aliases;  ///< Full names.

  std::vector<Field> fields;                ///< kRecord.
  std::vector<std::string> symbols;         ///< kEnum.
  std::optional<std::string> enum_default;  ///< kEnum.
  const Node* element = nullptr;            ///< kArray: the items. kMap: the values.
  std::vector<const Node*> branches;        ///< kUnion.
  int32_t size_bytes = 0;                   ///< kFixed.

  std::string logical_type;        ///< As written, whether it fits the kind or not; "" when absent.
  std::optional<Decimal> decimal;  ///< Set when logical_type is "decimal" and it is a valid one.
  Attributes attributes;

  // Facts about the encoding, computed when the schema is made.
  int64_t bytes_min = 0;       ///< No value takes fewer bytes.
  int64_t bytes_exact = -1;    ///< Every value takes so many; -1 when they differ.
  int32_t varints_exact = -1;  ///< Every value is so many varints and nothing else; -1 otherwise.

  bool is_named() const {
    return kind == Kind::kRecord || kind == Kind::kEnum || kind == Kind::kFixed;
  }
  /// The name with its namespace: "org.example.Point".
  std::string full_name() const { return name_space.empty() ? name : name_space + "." + name; }
  /// Find a record's field by name, or by the attribute `field-id`; null when absent.
  const Field* FindField(std::string_view field_name) const;
  const Field* FindFieldById(int32_t field_id) const;
  /// The branch that a union of null and one type holds beside null; null for any other node.
  const Node* OptionalOf() const;
};

/// A whole schema: owns its nodes. Immutable, move-only; moving keeps the nodes where they are.
/// Threads: any may read.
class Schema {
 public:
  /// Parse a schema's JSON, from a file header or a schema registry.
  ///
  /// Names are taken as they are, since writers exist that do not follow Avro's rule for names.
  /// Fails with kData: invalid JSON, unknown or repeated types, a union inside a union, more than
  /// kDepthMax levels, a record that contains itself without end.
  static Result<Schema> Parse(std::string_view json);

  Schema(Schema&&) = default;
  Schema& operator=(Schema&&) = default;

  const Node& root() const { return *root_; }

  /// Print as JSON: primitives bare ("int"), a named type whole where it first occurs and by name
  /// after that, all attributes kept.
  std::string ToJson() const;

  static constexpr int kDepthMax = 128;

 private:
  friend class SchemaBuilder;
  Schema() = default;

  std::vector<std::unique_ptr<Node>> nodes_;
  const Node* root_ = nullptr;
};

/// Makes a schema in code.
///
///     SchemaBuilder b;
///     Node* entry = b.Record("manifest_entry");
///     b.AddField(entry, "status", b.Int()).attributes.SetInt("field-id", 0);
///     CALVE_ASSIGN_OR_RETURN(Schema schema, std::move(b).Finish(entry));
class SchemaBuilder {
 public:
  SchemaBuilder() = default;

  /// Make a null, boolean, int, long, float, double, bytes or string.
  Node* Primitive(Kind kind);
  Node* Null() { return Primitive(Kind::kNull); }
  Node* Boolean() { return Primitive(Kind::kBoolean); }
  Node* Int() { return Primitive(Kind::kInt); }
  Node* Long() { return Primitive(Kind::kLong); }
  Node* Float() { return Primitive(Kind::kFloat); }
  Node* Double() { return Primitive(Kind::kDouble); }
  Node* Bytes() { return Primitive(Kind::kBytes); }
  Node* String() { return Primitive(Kind::kString); }
  /// Make a primitive with a logical type: Logical(Kind::kInt, "date").
  Node* Logical(Kind kind, std::string_view logical_type);
  Node* Record(std::string_view name);
  Node* Enum(std::string_view name, std::vector<std::string> symbols);
  Node* Fixed(std::string_view name, int32_t size_bytes);
  Node* Array(const Node* items);
  Node* Map(const Node* values);
  Node* Union(std::vector<const Node*> branches);
  /// Make the union of null and `type`; the field that uses it usually gets `default_json` "null".
  Node* Optional(const Node* type);
  /// Give a node of kFixed or kBytes the logical type decimal.
  static void SetDecimal(Node* node, Decimal decimal);

  /// Append a field. The reference holds until the next field is added to the same record.
  static Field& AddField(Node* record, std::string_view name, const Node* type);

  /// Check the schema and take it. Fails with kData as Schema::Parse does, and for names that break
  /// Avro's rule ([A-Za-z_][A-Za-z0-9_]*).
  Result<Schema> Finish(const Node* root) &&;

 private:
  friend class SchemaParser;
  Node* New(Kind kind);
  /// Compute the encoding facts of every node and hand over.
  Result<Schema> Take(const Node* root);

  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace calve::avro
