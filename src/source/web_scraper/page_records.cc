#include "source/web_scraper/page_records.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/text.h"
#include "source/csv_parser.h"
#include "source/encoding.h"
#include "source/web_address.h"
#include "source/web_scraper/html_table.h"

namespace calve::source::web_scraper {
namespace {

constexpr size_t kMetaBytes = 1'024;  ///< Within which a page says how it is encoded.
constexpr size_t kPageRowsMax = 10'000'000;

class MemoryStream : public io::InputStream {
 public:
  explicit MemoryStream(std::string_view bytes) : left_(bytes) {}
  Result<size_t> Read(std::span<char> out) override {
    const size_t count = std::min(out.size(), left_.size());
    std::copy_n(left_.begin(), count, out.begin());
    left_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view left_;
};

/// What stands behind "charset=" in a header or a <meta>; "" when nothing does.
std::string CharsetIn(std::string_view text) {
  const std::string lower = ToLower(text);
  const size_t key = lower.find("charset");
  if (key == std::string::npos) return "";
  std::string_view rest = Trim(std::string_view(lower).substr(key + 7));
  if (!rest.starts_with('=')) return "";
  rest = Trim(rest.substr(1));
  while (rest.starts_with('"') || rest.starts_with('\'')) rest.remove_prefix(1);
  return std::string(rest.substr(0, rest.find_first_of("\"' ;/>\t\r\n")));
}

std::string CharsetOfMeta(std::string_view body) {
  const std::string head = ToLower(body.substr(0, kMetaBytes));
  for (size_t at = head.find("<meta"); at != std::string::npos; at = head.find("<meta", at + 1)) {
    const std::string charset =
        CharsetIn(std::string_view(head).substr(at, head.find('>', at) - at));
    // What can be read so far is no UTF-16.
    if (!charset.empty()) return charset.starts_with("utf-16") ? "utf-8" : charset;
  }
  return "";
}

/// The encoding that browsers take for a name: many pages say latin-1 and mean windows-1252.
std::string AsBrowsersDo(const std::string& charset) {
  for (const char* name : {"iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii"}) {
    if (charset == name) return "windows-1252";
  }
  return charset;
}

bool HasMark(std::string_view body) {
  return body.starts_with("\xEF\xBB\xBF") || body.starts_with("\xFF\xFE") ||
         body.starts_with("\xFE\xFF");
}

/// What a field takes out of one element.
std::optional<std::string> ValueOf(const HtmlNode& node, const FieldOptions& field,
                                   const std::string& base) {
  if (field.attribute.empty()) return field.take == Taken::kHtml ? node.Markup() : node.Text();
  auto value = node.Attribute(field.attribute);
  const bool is_link = field.attribute == "href" || field.attribute == "src";
  if (value.has_value() && is_link) value = ResolveLink(base, std::string(Trim(*value)));
  return value;
}

Result<std::optional<std::string>> FieldOf(const HtmlPage& page, const HtmlNode& record,
                                           const std::string& name, const FieldOptions& field,
                                           const std::string& base) {
  CALVE_ASSIGN_OR_RETURN(const HtmlPage::Found found, page.Find(field.XPath(), &record));
  if (found.text.has_value()) {
    if (field.attribute.empty()) return std::optional(*found.text);
    return ConfigError("field " + name + ": '" + field.xpath +
                       "' gives a text, which has no attributes; leave out attribute");
  }
  std::optional<std::string> value;
  for (const HtmlNode& node : found.nodes) {
    const auto one = ValueOf(node, field, base);
    if (!one.has_value()) continue;
    value = value.has_value() ? *value + *field.join + *one : *one;
    if (!field.join.has_value()) break;
  }
  return value;
}

/// Add the fields of each record's element as columns.
Status AddFields(const HtmlPage& html, const std::vector<HtmlNode>& nodes,
                 const WebOptions& options, const std::string& base, PageRecords* page) {
  for (const auto& [name, field] : options.fields) {
    if (std::find(page->columns.begin(), page->columns.end(), name) != page->columns.end())
      return DataError("the table has a column " + Quote(name) +
                       " already, as one of fields; give the field another name");
    page->columns.push_back(name);
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const auto& [name, field] : options.fields) {
      CALVE_ASSIGN_OR_RETURN(page->records[i].values.emplace_back(),
                             FieldOf(html, nodes[i], name, field, base));
    }
  }
  return Status::Ok();
}

/// "Publication date (UTC)" as publication_date_utc.
std::string InSnakeCase(const std::string& name) {
  std::string made;
  for (const char c : ToLower(name)) {
    const bool stays =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (stays) {
      made += c;
    } else if (!made.empty() && made.back() != '_') {
      made += '_';
    }
  }
  while (made.ends_with('_')) made.pop_back();
  return made;
}

/// Call the columns as the options say; fails with kData where two have one name.
Status NameColumns(const WebOptions& options, std::vector<std::string>* columns) {
  for (size_t i = 0; i < columns->size(); ++i) {
    std::string& name = (*columns)[i];
    if (options.column_names == ColumnNames::kSnakeCase) name = InSnakeCase(name);
    if (name.empty()) name = "column_" + std::to_string(i + 1);
    const auto end = columns->begin() + static_cast<ptrdiff_t>(i);
    if (std::find(columns->begin(), end, name) == end) continue;
    return DataError("the header names two columns " + Quote(name.substr(0, 60)) +
                     "; of a table, give columns or another header_row");
  }
  return Status::Ok();
}

Result<HtmlNode> FindTable(const HtmlPage& html, const TableOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const HtmlPage::Found found,
                         html.Find(options.empty() ? "//table" : options.XPath()));
  const auto index = static_cast<size_t>(options.index) - 1;
  if (index < found.nodes.size()) {
    if (found.nodes[index].name() == "table") return found.nodes[index];
    return DataError("'" + options.written() + "' finds a <" +
                     std::string(found.nodes[index].name()) +
                     ">, expected a <table>; name the table, or give records and fields");
  }
  CALVE_ASSIGN_OR_RETURN(const HtmlPage::Found all, html.Find("//table"));
  const auto count = static_cast<int64_t>(all.nodes.size());
  return NotFoundError(
      "the page has no table" + (options.empty() ? "" : " that '" + options.written() + "' finds") +
      (options.index > 1 ? " with index " + FormatCount(options.index) : "") + "; it has " +
      (count == 0 ? "none at all: where a script makes it, look for what the script asks for, and "
                    "read that by source api"
                  : FormatCount(count) + (count == 1 ? " table" : " tables") +
                        ": name one by css, xpath or index"));
}

Result<PageRecords> ReadRecords(const HtmlPage& html, const WebOptions& options,
                                const std::string& base) {
  std::vector<HtmlNode> nodes;
  PageRecords page;
  if (options.records.has_value()) {
    CALVE_ASSIGN_OR_RETURN(HtmlPage::Found found, html.Find(options.records->XPath()));
    nodes = std::move(found.nodes);
    page.records.resize(nodes.size());
    for (size_t i = 0; i < nodes.size(); ++i) page.records[i].number = static_cast<int64_t>(i) + 1;
  } else {
    const TableOptions table = options.table.value_or(TableOptions{});
    CALVE_ASSIGN_OR_RETURN(const HtmlNode node, FindTable(html, table));
    const auto bytes_max = static_cast<size_t>(4 * options.page_size_max.value());
    CALVE_ASSIGN_OR_RETURN(page, ReadTable(node, table, bytes_max, &nodes));
    CALVE_RETURN_IF_ERROR(NameColumns(options, &page.columns));
  }
  CALVE_RETURN_IF_ERROR(AddFields(html, nodes, options, base, &page));
  return page;
}

/// The address of the next page; "" when there is none.
Result<std::string> NextOf(const HtmlPage& html, const Selector& selector,
                           const std::string& base) {
  CALVE_ASSIGN_OR_RETURN(const HtmlPage::Found found, html.Find(selector.XPath()));
  std::string link = found.text.value_or("");
  if (!found.nodes.empty()) {
    const HtmlNode& node = found.nodes.front();
    // An XPath may name the attribute itself: //a[@rel="next"]/@href.
    link = node.name().empty() ? node.Text() : node.Attribute("href").value_or("");
    if (node.name() != "a" && node.name() != "link" && !node.name().empty() && link.empty()) {
      return DataError("'" + selector.written() + "' finds a <" + std::string(node.name()) +
                       "> without a link; name the <a> in or around it");
    }
  }
  link = std::string(Trim(link));
  if (ToLower(link).starts_with("javascript:"))
    return DataError(
        "the link to the next page runs a script, which is not run here; count pages by "
        "param, where the site knows one");
  return link.empty() || link.starts_with('#') ? "" : ResolveLink(base, link);
}

Result<PageRecords> ReadHtml(std::string text, const std::string& url, const WebOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const HtmlPage html, HtmlPage::Parse(std::move(text)));
  CALVE_ASSIGN_OR_RETURN(const HtmlPage::Found found, html.Find("string((//base/@href)[1])"));
  const std::string base = ResolveLink(url, std::string(Trim(found.text.value_or(""))));
  CALVE_ASSIGN_OR_RETURN(PageRecords page, ReadRecords(html, options, base));
  if (options.next_page.has_value() && !options.next_page->empty()) {
    CALVE_ASSIGN_OR_RETURN(page.next, NextOf(html, *options.next_page, base));
  }
  return page;
}

Result<PageRecords> ReadCsv(const std::string& text, const WebOptions& options) {
  PageRecords page;
  CsvParser parser({.delimiter = options.csv->delimiter,
                    .quote = options.csv->quote.empty() ? '\0' : options.csv->quote[0],
                    .null_values = options.null_values});
  CALVE_ASSIGN_OR_RETURN([[maybe_unused]] const size_t used, parser.Parse(text, kPageRowsMax));
  for (const CsvRow& row : parser.rows()) {
    const columnar::TextValue* values = parser.values(row);
    if (page.columns.empty()) {
      for (uint32_t i = 0; i < row.field_count; ++i)
        page.columns.emplace_back(Trim(values[i].text));
      // Some exports end each line with a delimiter.
      if (page.columns.size() > 1 && page.columns.back().empty()) page.columns.pop_back();
      CALVE_RETURN_IF_ERROR(NameColumns(options, &page.columns));
      continue;
    }
    PageRecords::Record record{.number = row.line, .values = {}, .fault = {}};
    uint32_t count = row.field_count;
    if (count == page.columns.size() + 1 && values[count - 1].text.empty()) --count;
    for (uint32_t i = 0; i < count; ++i) {
      auto& value = record.values.emplace_back();
      if (!values[i].null) value = std::string(values[i].text);
    }
    if (row.fault != CsvRowFault::kNone) {
      record.fault = row.fault == CsvRowFault::kNul ? "the row holds a NUL byte"
                                                    : "text stands behind a closing quote";
    } else if (count != page.columns.size()) {
      record.fault = "the row has " + FormatCount(count) + (count == 1 ? " value" : " values") +
                     ", expected " + FormatCount(static_cast<int64_t>(page.columns.size())) +
                     " as the header has";
    }
    page.records.push_back(std::move(record));
  }
  return page;
}

}  // namespace

Result<std::string> PageText(std::string body, std::string_view content_type,
                             const std::string& encoding) {
  std::string charset = encoding;
  if (charset.empty() && HasMark(body)) charset = "utf-8";
  if (charset.empty()) charset = AsBrowsersDo(CharsetIn(content_type));
  if (charset.empty()) charset = AsBrowsersDo(CharsetOfMeta(body));
  if (charset.empty()) charset = "utf-8";
  if (!CheckEncoding(charset).ok())
    return DataError("the page says that its encoding is " + Quote(charset.substr(0, 40)) +
                     ", which is not known; set encoding to the one that it has");
  CALVE_ASSIGN_OR_RETURN(const auto stream, AsUtf8(std::make_unique<MemoryStream>(body), charset));
  std::string text;
  std::vector<char> buffer(64 << 10);
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const size_t size, stream->Read(buffer));
    if (size == 0) break;
    text.append(buffer.data(), size);
  }
  if (IsValidUtf8(text)) return text;
  return DataError("the page is no text in " + charset + "; set encoding to the one that it has");
}

Result<PageRecords> ReadPage(std::string text, const std::string& url, const WebOptions& options) {
  if (options.csv.has_value()) return ReadCsv(text, options);
  CALVE_ASSIGN_OR_RETURN(PageRecords page, ReadHtml(std::move(text), url, options));
  for (PageRecords::Record& record : page.records) {
    for (auto& value : record.values) {
      const auto& nulls = options.null_values;
      if (value.has_value() && std::find(nulls.begin(), nulls.end(), *value) != nulls.end())
        value.reset();
    }
  }
  return page;
}

}  // namespace calve::source::web_scraper
