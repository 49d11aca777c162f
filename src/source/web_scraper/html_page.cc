#include "source/web_scraper/html_page.h"

#include <libxml/HTMLparser.h>
#include <libxml/HTMLtree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/text.h"

namespace calve::source::web_scraper {
namespace {

/// Steps of one search; half a minute of a processor, about.
constexpr unsigned long kXPathStepsMax = 200'000'000;

struct FreeDocument {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};
struct FreeParser {
  void operator()(htmlParserCtxt* parser) const { htmlFreeParserCtxt(parser); }
};
struct FreeContext {
  void operator()(xmlXPathContext* context) const { xmlXPathFreeContext(context); }
};
struct FreeExpression {
  void operator()(xmlXPathCompExpr* expression) const { xmlXPathFreeCompExpr(expression); }
};
struct FreeObject {
  void operator()(xmlXPathObject* object) const { xmlXPathFreeObject(object); }
};
struct FreeText {
  void operator()(xmlChar* text) const { xmlFree(text); }
};
struct FreeBuffer {
  void operator()(xmlBuffer* buffer) const { xmlBufferFree(buffer); }
};
using Expression = std::unique_ptr<xmlXPathCompExpr, FreeExpression>;
using XmlText = std::unique_ptr<xmlChar, FreeText>;

xmlNode* NodeOf(void* handle) { return static_cast<xmlNode*>(handle); }

const xmlChar* Chars(const std::string& text) {
  return reinterpret_cast<const xmlChar*>(text.c_str());  // NOLINT(*-reinterpret-cast)
}

std::string_view View(const xmlChar* text) {
  return text == nullptr ? std::string_view()
                         : std::string_view(reinterpret_cast<const char*>(text));  // NOLINT
}

void IgnoreError(void*, xmlErrorPtr) {}

std::string MessageOf(const xmlError& error) {
  std::string message(Trim(error.message == nullptr ? "" : error.message));
  return message.empty() ? "unknown" : ToLower(message.substr(0, 1)) + message.substr(1);
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsUnread(std::string_view name) {
  return IsOneOf(name, {"script", "style", "template", "noscript", "head"});
}

bool IsBlock(std::string_view name) {
  return IsOneOf(
      name, {"address", "article", "aside", "blockquote", "dd",  "div", "dl", "dt",  "fieldset",
             "figure",  "footer",  "form",  "h1",         "h2",  "h3",  "h4", "h5",  "h6",
             "header",  "hr",      "li",    "main",       "nav", "ol",  "p",  "pre", "section",
             "table",   "tbody",   "tfoot", "thead",      "tr",  "ul"});
}

/// Gathers texts as a browser shows them.
class ShownText {
 public:
  void Add(const xmlNode* node) {
    switch (node->type) {
      case XML_TEXT_NODE:
      case XML_CDATA_SECTION_NODE:
        return AddText(View(node->content));
      case XML_ELEMENT_NODE:
        break;
      case XML_ATTRIBUTE_NODE:
      case XML_HTML_DOCUMENT_NODE:
        return AddChildren(node);
      default:
        return;
    }
    const std::string_view name = View(node->name);
    if (IsUnread(name)) return;
    if (name == "br") ++breaks_;
    if (name == "td" || name == "th") is_blank_ = true;
    const bool is_block = IsBlock(name);
    is_block_ = is_block_ || is_block;
    AddChildren(node);
    is_block_ = is_block_ || is_block;
  }

  std::string Take() && { return std::move(text_); }

 private:
  // The parser lets nothing nest deeper than the stack bears.
  void AddChildren(const xmlNode* node) {
    for (const xmlNode* child = node->children; child != nullptr; child = child->next) Add(child);
  }

  void AddText(std::string_view text) {
    while (!text.empty()) {
      const bool is_wide = text.starts_with("\xC2\xA0");  // A blank that does not break.
      if (is_wide || std::string_view(" \t\n\r\f").find(text.front()) != std::string_view::npos) {
        is_blank_ = true;
        text.remove_prefix(is_wide ? 2 : 1);
        continue;
      }
      Separate();
      text_ += text.front();
      text.remove_prefix(1);
    }
  }

  void Separate() {
    const int lines = std::max(breaks_, is_block_ ? 1 : 0);
    if (!text_.empty() && lines > 0) {
      text_.append(static_cast<size_t>(lines), '\n');
    } else if (!text_.empty() && is_blank_) {
      text_ += ' ';
    }
    breaks_ = 0;
    is_block_ = false;
    is_blank_ = false;
  }

  std::string text_;
  int breaks_ = 0;         ///< Before what comes next.
  bool is_block_ = false;  ///< It stands in another block.
  bool is_blank_ = false;  ///< Blanks stand before it.
};

/// Compile an expression; fails with kConfig.
Result<Expression> Compile(xmlXPathContext* context, const std::string& xpath) {
  context->error = IgnoreError;
  xmlResetError(&context->lastError);
  Expression expression(xmlXPathCtxtCompile(context, Chars(xpath)));
  if (expression != nullptr) return expression;
  return ConfigError("'" + xpath + "' is no XPath: " + MessageOf(context->lastError));
}

}  // namespace

std::string_view HtmlNode::name() const {
  const xmlNode* node = NodeOf(node_);
  return node->type == XML_ELEMENT_NODE ? View(node->name) : std::string_view();
}

std::optional<std::string> HtmlNode::Attribute(const std::string& name) const {
  xmlNode* node = NodeOf(node_);
  if (node->type != XML_ELEMENT_NODE || xmlHasProp(node, Chars(name)) == nullptr)
    return std::nullopt;
  const XmlText value(xmlGetProp(node, Chars(name)));
  return std::string(View(value.get()));
}

std::string HtmlNode::Text() const {
  ShownText text;
  text.Add(NodeOf(node_));
  return std::move(text).Take();
}

std::string HtmlNode::Markup() const {
  xmlNode* node = NodeOf(node_);
  if (node->type != XML_ELEMENT_NODE) return Text();
  const std::unique_ptr<xmlBuffer, FreeBuffer> buffer(xmlBufferCreate());
  if (buffer == nullptr) return "";
  xmlOutputBuffer* output = xmlOutputBufferCreateBuffer(buffer.get(), nullptr);
  if (output == nullptr) return "";
  htmlNodeDumpFormatOutput(output, node->doc, node, "UTF-8", /*format=*/0);
  xmlOutputBufferClose(output);
  return std::string(View(xmlBufferContent(buffer.get())));
}

std::vector<HtmlNode> HtmlNode::children() const {
  std::vector<HtmlNode> children;
  for (xmlNode* child = NodeOf(node_)->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) children.emplace_back(child);
  }
  return children;
}

struct HtmlPage::State {
  std::unique_ptr<xmlDoc, FreeDocument> document;
  std::unique_ptr<xmlXPathContext, FreeContext> context;
  std::map<std::string, Expression> expressions;
};

HtmlPage::HtmlPage(std::unique_ptr<State> state) : state_(std::move(state)) {}
HtmlPage::HtmlPage(HtmlPage&&) noexcept = default;
HtmlPage& HtmlPage::operator=(HtmlPage&&) noexcept = default;
HtmlPage::~HtmlPage() = default;

Result<HtmlPage> HtmlPage::Parse(std::string utf8) {
  // The parser would take one for the end of the page.
  std::erase(utf8, '\0');
  if (Trim(utf8).empty()) utf8 = "<html></html>";
  const std::unique_ptr<htmlParserCtxt, FreeParser> parser(htmlNewParserCtxt());
  if (parser == nullptr) return RefusedError("there is no memory for the page");
  auto state = std::make_unique<State>();
  state->document.reset(
      htmlCtxtReadMemory(parser.get(), utf8.data(), static_cast<int>(utf8.size()), nullptr, "UTF-8",
                         HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                             HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC | HTML_PARSE_COMPACT));
  // What is merely wrong is mended; after this the parser has given up.
  if (state->document == nullptr || parser->disableSAX != 0) {
    return DataError("the page cannot be read to its end: " + MessageOf(parser->lastError) +
                     "; it is damaged, or not made for browsers");
  }
  state->context.reset(xmlXPathNewContext(state->document.get()));
  if (state->context == nullptr) return RefusedError("there is no memory for the page");
  state->context->error = IgnoreError;
  return HtmlPage(std::move(state));
}

Result<HtmlPage::Found> HtmlPage::Find(const std::string& xpath, const HtmlNode* from) const {
  xmlXPathContext* context = state_->context.get();
  auto known = state_->expressions.find(xpath);
  if (known == state_->expressions.end()) {
    CALVE_ASSIGN_OR_RETURN(Expression compiled, Compile(context, xpath));
    known = state_->expressions.emplace(xpath, std::move(compiled)).first;
  }
  context->node = from == nullptr ? reinterpret_cast<xmlNode*>(state_->document.get())  // NOLINT
                                  : NodeOf(from->handle());
  context->opLimit = kXPathStepsMax;
  context->opCount = 0;
  const std::unique_ptr<xmlXPathObject, FreeObject> object(
      xmlXPathCompiledEval(known->second.get(), context));
  if (object == nullptr) {
    return DataError("'" + xpath + "' cannot be found in the page: " +
                     MessageOf(context->lastError) + "; write a simpler selector");
  }
  Found found;
  if (object->type == XPATH_NODESET) {
    const xmlNodeSet* nodes = object->nodesetval;
    for (int i = 0; nodes != nullptr && i < nodes->nodeNr; ++i)
      found.nodes.emplace_back(nodes->nodeTab[i]);
    return found;
  }
  const XmlText text(xmlXPathCastToString(object.get()));
  found.text = std::string(View(text.get()));
  return found;
}

Status CheckXPath(const std::string& xpath) {
  const std::unique_ptr<xmlXPathContext, FreeContext> context(xmlXPathNewContext(nullptr));
  if (context == nullptr) return RefusedError("there is no memory for an XPath");
  return StatusOf(Compile(context.get(), xpath));
}

}  // namespace calve::source::web_scraper
