#include <algorithm>
#include <charconv>

#include "config/yaml.h"

namespace calve::config {

Node Node::Scalar(std::string text, bool quoted) {
  Node node;
  node.text_ = std::move(text);
  node.quoted_ = quoted;
  return node;
}

Node Node::Sequence(std::vector<Node> items) {
  Node node;
  node.kind_ = Kind::kSequence;
  node.items_ = std::move(items);
  return node;
}

Node Node::Mapping() {
  Node node;
  node.kind_ = Kind::kMapping;
  return node;
}

bool Node::is_null() const {
  if (kind_ != Kind::kScalar || quoted_) return false;
  if (text_.empty()) return true;
  if (filled()) return false;  // What a variable holds is text, also when it is "null".
  return text_ == "~" || text_ == "null" || text_ == "Null" || text_ == "NULL";
}

const Node* Node::Find(std::string_view key) const {
  for (const Entry& entry : entries_) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Node* Node::Find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).Find(key)); }

void Node::Set(std::string_view key, Node value) {
  if (Node* old = Find(key)) {
    *old = std::move(value);
    return;
  }
  const Place place = value.place();
  entries_.push_back({std::string(key), place, std::move(value)});
}

bool Node::Remove(std::string_view key) {
  return std::erase_if(entries_, [&](const Entry& entry) { return entry.key == key; }) > 0;
}

void Node::Fill(std::string text) {
  if (!written_.has_value()) written_ = std::move(text_);
  text_ = std::move(text);
}

bool Node::SameAs(const Node& other) const {
  if (is_null() || other.is_null()) return is_null() && other.is_null();
  if (kind_ != other.kind_ || text_ != other.text_) return false;
  if (quoted_ != other.quoted_ && CoreTypeOf(*this) != CoreTypeOf(other)) return false;
  const auto same_item = [](const Node& a, const Node& b) { return a.SameAs(b); };
  const auto same_entry = [](const Entry& a, const Entry& b) {
    return a.key == b.key && a.value.SameAs(b.value);
  };
  return std::equal(items_.begin(), items_.end(), other.items_.begin(), other.items_.end(),
                    same_item) &&
         std::equal(entries_.begin(), entries_.end(), other.entries_.begin(), other.entries_.end(),
                    same_entry);
}

namespace {

bool AllOf(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

/// YAML 1.2, 10.3.2: [-+]?[0-9]+ | 0o[0-7]+ | 0x[0-9a-fA-F]+
bool IsCoreInteger(std::string_view text) {
  if (text.starts_with("0o")) return AllOf(text.substr(2), "01234567");
  if (text.starts_with("0x")) return AllOf(text.substr(2), "0123456789abcdefABCDEF");
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return AllOf(text, "0123456789");
}

/// YAML 1.2, 10.3.2: [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and the names of infinity
/// and not-a-number.
bool IsCoreFloat(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".INF") return true;
  const size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view exponent = text.substr(e + 1);
    if (exponent.starts_with('-') || exponent.starts_with('+')) exponent.remove_prefix(1);
    if (!AllOf(exponent, "0123456789")) return false;
    text = text.substr(0, e);
  }
  const size_t point = text.find('.');
  if (point == std::string_view::npos) return AllOf(text, "0123456789");
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = text.substr(point + 1);
  if (whole.empty()) return AllOf(part, "0123456789");
  return AllOf(whole, "0123456789") && (part.empty() || AllOf(part, "0123456789"));
}

}  // namespace

CoreType CoreTypeOf(const Node& scalar) {
  if (!scalar.is_scalar() || scalar.quoted()) return CoreType::kText;
  if (scalar.is_null()) return CoreType::kNull;
  const std::string_view text = scalar.text();
  for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (text == word) return CoreType::kBool;
  }
  if (IsCoreInteger(text)) return CoreType::kInteger;
  if (IsCoreFloat(text)) return CoreType::kFloat;
  return CoreType::kText;
}

}  // namespace calve::config
