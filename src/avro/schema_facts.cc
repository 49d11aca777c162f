#include "avro/schema_facts.h"

#include <algorithm>
#include <unordered_set>

namespace calve::avro {
namespace {

constexpr int64_t kEndless = int64_t{1}
                             << 40;  ///< Sums stop here, and what has no value stays here.
constexpr int32_t kVarintsMax = 1 << 20;

struct Facts {
  int64_t bytes_min = kEndless;
  int64_t bytes_exact = -1;
  int32_t varints_exact = -1;
};

/// List the node's children. They are the schema's own nodes, which their maker may change.
std::vector<Node*> Children(const Node& node) {
  std::vector<Node*> children;
  for (const Field& field : node.fields) children.push_back(const_cast<Node*>(field.type));
  for (const Node* branch : node.branches) children.push_back(const_cast<Node*>(branch));
  if (node.element != nullptr) children.push_back(const_cast<Node*>(node.element));
  return children;
}

/// List all nodes, children before parents but for cycles. Without recursion: chains may be long.
std::vector<Node*> ListChildrenFirst(Node* root) {
  struct Visit {
    Node* node;
    std::vector<Node*> children;
    size_t next = 0;
  };
  std::vector<Node*> order;
  std::unordered_set<const Node*> seen{root};
  std::vector<Visit> stack;
  stack.push_back({root, Children(*root)});
  while (!stack.empty()) {
    Visit& top = stack.back();
    if (top.next == top.children.size()) {
      order.push_back(top.node);
      stack.pop_back();
      continue;
    }
    Node* child = top.children[top.next++];
    if (seen.insert(child).second) stack.push_back({child, Children(*child)});
  }
  return order;
}

Facts FactsOfRecord(const Node& record) {
  Facts facts{0, 0, 0};
  for (const Field& field : record.fields) {
    const Node& type = *field.type;
    facts.bytes_min = std::min(kEndless, facts.bytes_min + type.bytes_min);
    if (facts.bytes_exact >= 0) {
      facts.bytes_exact =
          type.bytes_exact < 0 ? -1 : std::min(kEndless, facts.bytes_exact + type.bytes_exact);
    }
    if (facts.varints_exact >= 0) {
      facts.varints_exact = type.varints_exact < 0 ? -1 : facts.varints_exact + type.varints_exact;
      if (facts.varints_exact > kVarintsMax) facts.varints_exact = -1;
    }
  }
  return facts;
}

Facts FactsOfUnion(const Node& node) {
  Facts facts;
  for (const Node* branch : node.branches) {
    facts.bytes_min = std::min(facts.bytes_min, 1 + branch->bytes_min);
  }
  return facts;
}

Facts FactsOf(const Node& node) {
  switch (node.kind) {
    case Kind::kNull:
      return {0, 0, 0};
    case Kind::kBoolean:
      return {1, 1, 1};
    case Kind::kInt:
    case Kind::kLong:
    case Kind::kEnum:
      return {1, -1, 1};
    case Kind::kFloat:
      return {4, 4, -1};
    case Kind::kDouble:
      return {8, 8, -1};
    case Kind::kBytes:
    case Kind::kString:
    case Kind::kArray:
    case Kind::kMap:
      return {1, -1, -1};
    case Kind::kFixed:
      return {node.size_bytes, node.size_bytes, node.size_bytes == 0 ? 0 : -1};
    case Kind::kRecord:
      return FactsOfRecord(node);
    case Kind::kUnion:
      return FactsOfUnion(node);
  }
  return {};
}

}  // namespace

Status ComputeFacts(Node* root) {
  const std::vector<Node*> nodes = ListChildrenFirst(root);
  for (Node* node : nodes) {
    const Facts start;
    node->bytes_min = start.bytes_min;
    node->bytes_exact = start.bytes_exact;
    node->varints_exact = start.varints_exact;
  }
  // Cycles need more than one pass; facts only ever improve, so this ends.
  for (bool changed = true; changed;) {
    changed = false;
    for (Node* node : nodes) {
      const Facts facts = FactsOf(*node);
      changed |= facts.bytes_min != node->bytes_min || facts.bytes_exact != node->bytes_exact ||
                 facts.varints_exact != node->varints_exact;
      node->bytes_min = facts.bytes_min;
      node->bytes_exact = facts.bytes_exact;
      node->varints_exact = facts.varints_exact;
    }
  }
  for (const Node* node : nodes) {
    if (node->bytes_min < kEndless) continue;
    return DataError("Avro schema: expected types that have a value, found " +
                     (node->is_named() ? "'" + node->full_name() + "'"
                                       : "a " + std::string(ToString(node->kind))) +
                     " that contains itself without end; make the inner one optional");
  }
  return Status::Ok();
}

bool IsValidDecimal(const Node& node, Decimal decimal) {
  if (decimal.precision < 1 || decimal.scale < 0 || decimal.scale > decimal.precision) return false;
  if (node.kind == Kind::kBytes) return true;
  if (node.kind != Kind::kFixed) return false;
  // n bytes hold floor(log10(2^(8n-1) - 1)) digits, which is floor((8n-1) * log10(2)).
  const double digits = (8.0 * node.size_bytes - 1) * 0.30102999566398120;
  return decimal.precision <= digits;
}

}  // namespace calve::avro
