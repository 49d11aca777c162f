#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/fault.h"

namespace calve::config {

/// One value of a configuration file, with its place: a scalar, a sequence or a mapping.
///
/// A scalar keeps its text as written; whether `5` is a number or a text is decided by the option
/// that reads it, never by YAML. A mapping keeps the order of its keys. A plain value type: copying
/// copies the whole tree.
class Node {
 public:
  enum class Kind { kScalar, kSequence, kMapping };
  struct Entry;

  /// Make a null: an unquoted scalar without text.
  Node();
  Node(const Node&);
  Node(Node&&) noexcept;
  Node& operator=(const Node&);
  Node& operator=(Node&&) noexcept;
  ~Node();
  static Node Scalar(std::string text, bool quoted = false);
  static Node Sequence(std::vector<Node> items = {});
  static Node Mapping();

  Kind kind() const { return kind_; }
  bool is_scalar() const { return kind_ == Kind::kScalar; }
  bool is_sequence() const { return kind_ == Kind::kSequence; }
  bool is_mapping() const { return kind_ == Kind::kMapping; }
  /// Whether this is an unquoted scalar that says nothing: empty, ~ or null. An option takes it as
  /// not given.
  bool is_null() const;
  /// Whether a scalar was in quotes or a block (| or >), so that it is text whatever it looks like.
  bool quoted() const { return quoted_; }
  const Place& place() const { return place_; }

  /// A scalar's text with ${...} filled in; "" for others.
  const std::string& text() const { return text_; }
  /// A scalar's text as the file has it, with ${...} left as written. The one to print.
  const std::string& written() const { return written_.has_value() ? *written_ : text_; }
  /// Whether a part of the text came from the environment or another file.
  bool filled() const { return written_.has_value(); }
  /// Whether a fault was added about this value already, so that nobody need complain again.
  bool is_broken() const { return broken_; }

  const std::vector<Node>& items() const { return items_; }
  std::vector<Node>& items() { return items_; }
  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<Entry>& entries() { return entries_; }

  /// A mapping's value by key; null when there is none or this is no mapping.
  const Node* Find(std::string_view key) const;
  Node* Find(std::string_view key);
  /// Set a mapping's value, in place of the one that is there.
  void Set(std::string_view key, Node value);
  /// Remove a key; false when it is not there.
  bool Remove(std::string_view key);

  void set_place(Place place) { place_ = std::move(place); }
  /// Give a scalar the text that its ${...} stand for, keeping what was written.
  void Fill(std::string text);
  void MarkBroken() { broken_ = true; }

  /// Whether both say the same: kind, text, quoting, order. Places do not count.
  bool SameAs(const Node& other) const;

 private:
  Kind kind_ = Kind::kScalar;
  bool quoted_ = false;
  bool broken_ = false;
  Place place_;
  std::string text_;
  std::optional<std::string> written_;
  std::vector<Node> items_;
  std::vector<Entry> entries_;
};

/// One key of a mapping and its value.
struct Node::Entry {
  std::string key;
  Place key_place;
  Node value;
};

inline Node::Node() = default;
inline Node::Node(const Node&) = default;
inline Node::Node(Node&&) noexcept = default;
inline Node& Node::operator=(const Node&) = default;
inline Node& Node::operator=(Node&&) noexcept = default;
inline Node::~Node() = default;

/// What a scalar is by the core schema of YAML 1.2, for free-form data (such as inline rows) that
/// no option declares.
enum class CoreType { kNull, kBool, kInteger, kFloat, kText };
CoreType CoreTypeOf(const Node& scalar);

/// What a file may cost. Whatever it says, parsing stays within these.
struct YamlLimits {
  size_t bytes_max = size_t{4} << 20;
  int depth_max = 64;
  size_t nodes_max = 200'000;  ///< Counted after aliases are filled in.
  size_t expanded_bytes_max =
      size_t{16} << 20;  ///< Text of all scalars and keys, after aliases are filled in.
};

/// Read one YAML 1.2 document into a tree whose places name `file`.
///
/// Every fault is added to `faults`: all duplicate keys and tags, and the first syntax error. The
/// tree is what could be read: after a syntax error its root is broken, and a shape that reads it
/// adds nothing. An empty file is a null. Anchors and aliases are copied in place; tags other than
/// !!str, !!seq, !!map, merge keys (<<), several documents, NUL bytes and bytes that are no UTF-8
/// are faults.
Node ParseYaml(std::string_view text, std::string_view file, Faults& faults,
               const YamlLimits& limits = {});
/// The same, with all faults as one error.
Result<Node> ParseYaml(std::string_view text, std::string_view file, const YamlLimits& limits = {});

/// Read a JSON text into the same tree, within the same limits; what a JSON string holds is quoted.
/// For what comes by an API: the places name `origin` alone, but for a syntax error's.
Node ParseJson(std::string_view text, std::string_view origin, Faults& faults,
               const YamlLimits& limits = {});

/// Print a tree as YAML that reads back as the same, with ${...} as written: block style, `indent`
/// spaces at the left.
std::string ToYaml(const Node& node, int indent = 0);
/// Print a tree on one line, in flow style: {type: csv, columns: [a, b]}.
std::string ToFlowYaml(const Node& node);

}  // namespace calve::config
