#include <algorithm>
#include <cassert>
#include <set>
#include <unordered_set>

#include "avro/schema.h"
#include "avro/schema_facts.h"

namespace calve::avro {
namespace {

bool IsAvroName(std::string_view name) {
  const auto is_start = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  if (name.empty() || !is_start(name[0])) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_start(c) || (c >= '0' && c <= '9'); });
}

bool IsAvroNamespace(std::string_view name_space) {
  while (true) {
    const size_t dot = name_space.find('.');
    if (!IsAvroName(name_space.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name_space.remove_prefix(dot + 1);
  }
}

/// Checks what a builder made; the parser checks what it reads by itself.
class Check {
 public:
  Status Run(const Node& node, int depth) {
    if (depth > Schema::kDepthMax) {
      return DataError("Avro schema: expected at most " + std::to_string(Schema::kDepthMax) +
                       " levels of types, found more");
    }
    if (!seen_.insert(&node).second) return Status::Ok();
    if (node.is_named()) CALVE_RETURN_IF_ERROR(CheckNamed(node));
    if (node.kind == Kind::kUnion) CALVE_RETURN_IF_ERROR(CheckUnion(node));
    std::set<std::string_view> names;
    for (const Field& field : node.fields) {
      if (!IsAvroName(field.name) || !names.insert(field.name).second) {
        return DataError(
            "Avro schema: expected unique names of letters, digits and _, found field '" +
            field.name + "' of record '" + node.full_name() + "'");
      }
      CALVE_RETURN_IF_ERROR(Run(*field.type, depth + 1));
    }
    for (const Node* branch : node.branches) CALVE_RETURN_IF_ERROR(Run(*branch, depth + 1));
    if (node.element != nullptr) CALVE_RETURN_IF_ERROR(Run(*node.element, depth + 1));
    return Status::Ok();
  }

 private:
  Status CheckNamed(const Node& node) {
    if (!IsAvroName(node.name) || (!node.name_space.empty() && !IsAvroNamespace(node.name_space))) {
      return DataError("Avro schema: expected a name of letters, digits and _, found type '" +
                       node.full_name() + "'");
    }
    if (!full_names_.insert(node.full_name()).second) {
      return DataError("Avro schema: expected each type once, found a second definition of '" +
                       node.full_name() + "'; use the same node twice instead");
    }
    std::set<std::string_view> symbols;
    for (const std::string& symbol : node.symbols) {
      if (!IsAvroName(symbol) || !symbols.insert(symbol).second) {
        return DataError("Avro schema: expected unique symbols of letters, digits and _, found '" +
                         symbol + "' in enum '" + node.full_name() + "'");
      }
    }
    return Status::Ok();
  }

  static Status CheckUnion(const Node& node) {
    std::set<std::string> kinds;
    for (const Node* branch : node.branches) {
      const std::string kind =
          branch->is_named() ? branch->full_name() : std::string(ToString(branch->kind));
      if (branch->kind == Kind::kUnion || !kinds.insert(kind).second) {
        return DataError("Avro schema: expected a union of different types, found " + kind +
                         " twice or a union inside it");
      }
    }
    if (node.branches.empty())
      return DataError("Avro schema: expected a union of types, found none");
    return Status::Ok();
  }

  std::unordered_set<const Node*> seen_;
  std::set<std::string> full_names_;
};

}  // namespace

Node* SchemaBuilder::New(Kind kind) {
  nodes_.push_back(std::make_unique<Node>());
  nodes_.back()->kind = kind;
  return nodes_.back().get();
}

Node* SchemaBuilder::Primitive(Kind kind) {
  assert(kind <= Kind::kString);
  return New(kind);
}

Node* SchemaBuilder::Logical(Kind kind, std::string_view logical_type) {
  Node* node = Primitive(kind);
  node->logical_type = logical_type;
  return node;
}

Node* SchemaBuilder::Record(std::string_view name) {
  Node* node = New(Kind::kRecord);
  node->name = name;
  return node;
}

Node* SchemaBuilder::Enum(std::string_view name, std::vector<std::string> symbols) {
  Node* node = New(Kind::kEnum);
  node->name = name;
  node->symbols = std::move(symbols);
  return node;
}

Node* SchemaBuilder::Fixed(std::string_view name, int32_t size_bytes) {
  Node* node = New(Kind::kFixed);
  node->name = name;
  node->size_bytes = size_bytes;
  return node;
}

Node* SchemaBuilder::Array(const Node* items) {
  Node* node = New(Kind::kArray);
  node->element = items;
  return node;
}

Node* SchemaBuilder::Map(const Node* values) {
  Node* node = New(Kind::kMap);
  node->element = values;
  return node;
}

Node* SchemaBuilder::Union(std::vector<const Node*> branches) {
  Node* node = New(Kind::kUnion);
  node->branches = std::move(branches);
  return node;
}

Node* SchemaBuilder::Optional(const Node* type) { return Union({Null(), type}); }

void SchemaBuilder::SetDecimal(Node* node, Decimal decimal) {
  assert(IsValidDecimal(*node, decimal));
  node->logical_type = "decimal";
  node->decimal = decimal;
}

Field& SchemaBuilder::AddField(Node* record, std::string_view name, const Node* type) {
  assert(record->kind == Kind::kRecord);
  Field& field = record->fields.emplace_back();
  field.name = name;
  field.type = type;
  return field;
}

Result<Schema> SchemaBuilder::Finish(const Node* root) && {
  CALVE_RETURN_IF_ERROR(Check().Run(*root, 1));
  return Take(root);
}

Result<Schema> SchemaBuilder::Take(const Node* root) {
  CALVE_RETURN_IF_ERROR(ComputeFacts(const_cast<Node*>(root)));
  Schema schema;
  schema.nodes_ = std::move(nodes_);
  schema.root_ = root;
  return schema;
}

}  // namespace calve::avro
