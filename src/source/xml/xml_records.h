#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "source/xml/xml_shape.h"
#include "source/xml_tokens.h"

namespace calve::source::xml {

/// Which elements are records.
struct XmlRecordPath {
  struct Step {
    std::string name;                ///< Without prefix.
    std::optional<std::string> uri;  ///< Of its namespace; nothing: any.
  };
  std::vector<Step> steps;
  bool is_anywhere = false;  ///< The one step may stand at any depth.
};

/// Takes the records of an XML document one by one, each as the text of a JSON object: attributes
/// and elements are its keys, what stands several times is an array. Numbers and booleans stand
/// bare, as they are written. For one thread.
class XmlRecords {
 public:
  /// Attributes have this before their names.
  static constexpr std::string_view kAttributePrefix = "_";
  /// The key of the text of an element that has attributes or elements as well.
  static constexpr std::string_view kValueName = "_value";

  /// `file` names the document, for messages; `path` outlives it.
  XmlRecords(std::string file, std::unique_ptr<io::InputStream> stream, const XmlRecordPath& path)
      : tokens_(std::move(file), std::move(stream)), path_(path) {}

  /// Read the next record; false at the end of the document.
  Result<bool> Next();
  /// The line on which it begins.
  int64_t line() const { return line_; }
  int64_t bytes_read() const { return tokens_.bytes_read(); }
  /// Let a shape have what the record has. Fails with kData when it has too many places.
  Status Teach(XmlShape* shape);
  /// The record as JSON, good until the next call, and why it does not fit the shape; "" when it
  /// does.
  std::string_view Print(const XmlShape& shape, std::string* misfit);

 private:
  struct Node {
    std::string_view name;  ///< In names_.
    int parent = -1;
    int first_child = -1;
    int last_child = -1;
    int next = -1;
    size_t text = 0;  ///< In texts_.
    size_t text_size = 0;
    bool is_null = false;  ///< As xsi:nil says.
    bool is_printed = false;
  };
  struct Binding {
    std::string prefix;
    std::string uri;
    size_t depth = 0;
  };

  void Bind();
  Result<std::string_view> UriOf(std::string_view name);
  Result<bool> IsRecord();
  Status ReadRecord();
  int AddNode(int parent, std::string_view name);
  Status AddAttributes(int node);
  void AddText(int node, std::string_view text);
  /// Forget what the elements that have ended have bound.
  void Unbind();
  Status Teach(int node, XmlPlace& place, XmlShape* shape);
  void PrintNode(int node, const XmlPlace* place, const XmlShape& shape, std::string* misfit);
  void PrintFields(int node, const XmlPlace* place, const XmlShape& shape, std::string* misfit);
  void PrintList(int first, const XmlPlace& place, const XmlShape& shape, std::string* misfit);
  void PrintText(std::string_view text);
  void PrintKey(std::string_view key);
  std::string_view TextOf(const Node& node) const {
    return std::string_view(texts_).substr(node.text, node.text_size);
  }

  XmlTokens tokens_;
  const XmlRecordPath& path_;
  std::vector<Binding> bindings_;
  std::vector<std::string> outer_;  ///< The names of the open elements around the record.
  std::vector<std::string> outer_uris_;
  int64_t line_ = 0;
  std::vector<Node> nodes_;
  std::string texts_;
  using Names = std::map<std::string, std::unique_ptr<std::string>, std::less<>>;
  static std::string_view Keep(Names& names, std::string_view prefix, std::string_view name);
  Names names_;            ///< Of elements.
  Names attribute_names_;  ///< With their prefix, by names without.
  std::string json_;
  std::vector<uint64_t> stamps_;  ///< By place: the object in which it was printed last.
  uint64_t stamp_ = 0;
};

}  // namespace calve::source::xml
