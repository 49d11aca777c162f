#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace calve::source::web_scraper {

/// An element, an attribute or a text of a page; good as long as its page. For one thread.
class HtmlNode {
 public:
  explicit HtmlNode(void* node) : node_(node) {}

  /// Of an element, in lower case; "" of anything else.
  std::string_view name() const;
  /// As the page has it, its entities decoded; nothing when it is not there.
  std::optional<std::string> Attribute(const std::string& name) const;
  /// What a person reads: blanks made one, a line break for <br> and between blocks, without
  /// scripts and styles.
  std::string Text() const;
  /// The element as HTML.
  std::string Markup() const;
  std::vector<HtmlNode> children() const;  ///< Elements only.

  void* handle() const { return node_; }

 private:
  void* node_;
};

/// One HTML page, as a tree. For one thread.
class HtmlPage {
 public:
  /// Read a page as browsers do, whatever it forgets to close. Fails with kData on one that nests
  /// deeper than 250 elements, or that cannot be read to its end.
  static Result<HtmlPage> Parse(std::string utf8);
  HtmlPage(HtmlPage&&) noexcept;
  HtmlPage& operator=(HtmlPage&&) noexcept;
  ~HtmlPage();

  /// What an XPath finds: nodes in the page's order, or a text, such as string(@href) gives.
  struct Found {
    std::vector<HtmlNode> nodes;
    std::optional<std::string> text;
  };
  /// Look below `from`, or in the whole page. Fails with kConfig on what is no XPath, with kData
  /// when finding takes too many steps.
  Result<Found> Find(const std::string& xpath, const HtmlNode* from = nullptr) const;

 private:
  struct State;
  explicit HtmlPage(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// See that a text is an XPath expression.
Status CheckXPath(const std::string& xpath);

}  // namespace calve::source::web_scraper
