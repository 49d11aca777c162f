#include "source/web_scraper/web_options.h"

#include <algorithm>

#include "base/text.h"
#include "io/http.h"
#include "source/encoding.h"
#include "source/typing.h"
#include "source/web_address.h"
#include "source/web_scraper/css_selector.h"
#include "source/web_scraper/html_page.h"

namespace calve::source::web_scraper {
namespace {

bool IsAddress(const std::string& text) {
  return (text.starts_with("http://") || text.starts_with("https://")) && !OriginOf(text).empty();
}

template <typename Options>
void AddSelector(config::Shape<Options>& shape, const std::string& what,
                 const std::string& example) {
  shape.Optional("css", &Options::css, "A CSS selector of " + what + ".", {.example = example});
  shape.Optional("xpath", &Options::xpath, "An XPath of it, in place of css.");
  shape.AtMostOneOf({"css", "xpath"});
  shape.Check("css", [](const Options& o) {
    return o.css.empty() ? Status::Ok() : StatusOf(CssToXPath(o.css));
  });
  shape.Check("xpath", [](const Options& o) {
    return o.xpath.empty() ? Status::Ok() : CheckXPath(o.xpath);
  });
}

const config::Place& PlaceOf(const config::Node& node, const char* key) {
  const config::Node* found = node.Find(key);
  return found == nullptr ? node.place() : found->place();
}

void CheckFields(const WebOptions& o, const config::Node& node, config::Faults& faults) {
  if (o.records.has_value() && o.fields.empty())
    faults.Add(node.Find("records")->place(),
               "records needs fields, the columns that each of them has; name at least one");
  if (o.records.has_value() && o.records->empty())
    faults.Add(node.Find("records")->place(),
               "records names no elements; give css or xpath, such as css: \"li.offer\"");
  if (!o.fields.empty() && o.csv.has_value())
    faults.Add(node.Find("fields")->place(),
               "fields are looked for in the elements of records or the rows of a table, and csv "
               "has none; leave one out");
  for (size_t i = 0; i < o.fields.size(); ++i) {
    const auto& [name, field] = o.fields[i];
    if (!field.attribute.empty() && field.take == Taken::kHtml)
      faults.Add(node.Find("fields")->entries()[i].value.place(),
                 "an attribute has no HTML; leave out attribute or take");
  }
}

void CheckNextPage(const WebOptions& o, const config::Node& node, config::Faults& faults) {
  if (!o.next_page.has_value()) return;
  const config::Place& place = node.Find("next_page")->place();
  const NextPageOptions& next = *o.next_page;
  if (next.empty() == next.param.empty())
    faults.Add(place,
               "next_page needs one of css, xpath (the link to the next page) and param (the "
               "parameter that counts pages); give one");
  if (o.csv.has_value() && !next.empty())
    faults.Add(place, "a page of csv has no links; give param");
}

}  // namespace

std::string Selector::XPath() const {
  if (!xpath.empty()) return xpath;
  if (css.empty()) return "self::node()";
  const auto translated = CssToXPath(css);
  return translated.ok() ? *translated : "self::node()";
}

config::Names<Taken> NamesOf(Taken) {
  return {{"text", Taken::kText, "What a person reads."},
          {"html", Taken::kHtml, "The element as HTML."}};
}

config::Names<Robots> NamesOf(Robots) {
  return {{"obey", Robots::kObey, "Read only what it allows, not faster than it says."},
          {"ignore", Robots::kIgnore, "Do not ask for it. Only where the site's owner agrees."}};
}

config::Names<ColumnNames> NamesOf(ColumnNames) {
  return {{"as_is", ColumnNames::kAsIs, "As they stand in the header."},
          {"snake_case", ColumnNames::kSnakeCase,
           "In lower case, with _ in place of all that is no letter or digit."}};
}

config::Shape<Selector> Selector::Declaration() {
  config::Shape<Selector> shape("selector", "Elements of a page.");
  AddSelector(shape, "the elements", "li.offer");
  return shape;
}

config::Shape<TableOptions> TableOptions::Declaration() {
  config::Shape<TableOptions> shape("table", "A whole HTML table.");
  AddSelector(shape, "the table, or of several", "table.prices");
  shape.Optional("index", &TableOptions::index,
                 "Which of those that css or xpath finds, or of all tables of the page, from 1.",
                 {.min = 1, .max = 10'000});
  shape.Optional(
      "header_row", &TableOptions::header_row,
      "The row with the names of the columns, from 1; rows before it are left out. 0: "
      "there is none.",
      {.min = 0, .max = 1'000, .default_text = "the rows of <thead>, else the first row"});
  shape.Optional("columns", &TableOptions::columns,
                 "Names of the columns, in place of those in the table; needed where it has none.",
                 {.example = "[day, price]"});
  return shape;
}

config::Shape<FieldOptions> FieldOptions::Declaration() {
  config::Shape<FieldOptions> shape("field", "A column out of each record.");
  AddSelector(shape,
              "the element within the record; without one, and without xpath, the record's own",
              "h2");
  shape.Optional("attribute", &FieldOptions::attribute,
                 "Take this attribute. Links (href, src) are made whole.", {.example = "href"});
  shape.Optional("take", &FieldOptions::take, "What is taken where no attribute is.");
  shape.Optional("join", &FieldOptions::join,
                 "Take all that match, with this between them, in place of the first.",
                 {.example = "\", \""});
  return shape;
}

config::Shape<CsvOptions> CsvOptions::Declaration() {
  config::Shape<CsvOptions> shape("csv pages", "Pages that are delimited text with a header.");
  shape.Optional("delimiter", &CsvOptions::delimiter, "What stands between two values.",
                 {.example = "\";\""});
  shape.Optional("quote", &CsvOptions::quote,
                 "What stands around a value that holds delimiters; empty: nothing does.");
  shape.Check("quote", [](const CsvOptions& o) { return CheckOneCharacter(o.quote, "quote"); });
  shape.Check("delimiter", [](const CsvOptions& o) -> Status {
    const bool line_break = o.delimiter == '\n' || o.delimiter == '\r' || o.delimiter == '\0';
    if (!line_break && std::string(1, o.delimiter) != o.quote) return Status::Ok();
    return ConfigError(
        "expected a character that is no line break and not the quote, such as , or ;");
  });
  return shape;
}

config::Shape<NextPageOptions> NextPageOptions::Declaration() {
  config::Shape<NextPageOptions> shape("next_page", "How one page follows another.");
  AddSelector(shape, "the link to the next page; the last page has none", "\"a[rel=next]\"");
  shape.Optional(
      "param", &NextPageOptions::param,
      "The parameter that counts pages, where links are not followed. Pages end with one "
      "without records, or one that is not found.",
      {});
  shape.Optional("first_page", &NextPageOptions::first_page, "What param says for the first page.",
                 {.min = 0, .max = 1});
  shape.Optional("limit", &NextPageOptions::limit,
                 "Read no more pages than this from each address, and leave the others.",
                 {.min = 1, .max = 100'000, .default_text = "all; more than 100,000 are a fault"});
  return shape;
}

config::Shape<WebOptions> WebOptions::Declaration() {
  using Options = WebOptions;
  config::Shape<Options> shape("web_scraper source",
                               "Read tables or records out of web pages, page by page, as the "
                               "site's robots.txt allows, with "
                               "exact types guessed from the first pages.");
  shape.Optional("base_url", &Options::base_url, "The page, or where `urls` begin.",
                 {.example = "https://example.com/data"});
  shape.Optional("urls", &Options::urls,
                 "Several pages of one kind, read as one: whole addresses, or paths from base_url.",
                 {.example = "[prices/2025, prices/2026]"});
  shape.Optional("params", &Options::params, "Parameters of each address.",
                 {.example = "{lang: en}"});
  shape.Optional("headers", &Options::headers, "Headers of each request.",
                 {.example = "{Accept-Language: en}", .secret = true});
  shape.Optional("user_agent", &Options::user_agent,
                 "Who asks. Its first word is the name that robots.txt is read for.",
                 {.example = "\"example-loader/1.0 (data@example.com)\""});
  shape.Optional("robots", &Options::robots, "What the site's robots.txt counts for.");
  shape.Optional("requests_per_minute", &Options::requests_per_minute,
                 "Not more requests than this, evenly spaced, repeated ones included; 0: no limit. "
                 "A Crawl-delay in robots.txt makes it slower.",
                 {.min = 0, .max = 1'000'000});
  shape.Optional("tries_max", &Options::tries_max,
                 "How often a page is asked for when the site is out of reach or answers 429, 500, "
                 "502, 503 or 504; the waits between double.",
                 {.min = 1, .max = 100});
  shape.Optional("timeout", &Options::timeout, "How long one page may take.",
                 {.min = std::chrono::milliseconds(1)});
  shape.Optional("retry_after_max", &Options::retry_after_max,
                 "The longest Retry-After that is waited for; a longer one ends the run.");
  shape.Optional(
      "page_size_max", &Options::page_size_max,
      "A larger page is refused. Reading one takes up to thirty times its size in memory.",
      {.min = ByteCount(1'000), .max = ByteCount(256'000'000)});
  shape.Optional("encoding", &Options::encoding, "How the pages are encoded.",
                 {.example = "windows-1252",
                  .default_text = "by their byte order mark, the header Content-Type, <meta "
                                  "charset>, else utf-8"});
  shape.Optional("table", &Options::table, "A whole HTML table. The default: the page's first.",
                 {});
  shape.Optional("records", &Options::records, "The elements that are records.", {});
  shape.Optional("fields", &Options::fields,
                 "The columns of a record, by their names; of a table: columns beside its own, out "
                 "of each <tr>.",
                 {.example = "{link: {css: a, attribute: href}}"});
  shape.Optional("csv", &Options::csv, "The pages are delimited text, such as an export.", {});
  shape.AtMostOneOf({"table", "records", "csv"});
  shape.Optional("column_names", &Options::column_names,
                 "What columns of a table or of csv are called.", {.example = "snake_case"});
  shape.Optional("next_page", &Options::next_page, "How one page follows another.");
  shape.Include(CursorOptions::Declaration());
  shape.Optional(
      "newest_first", &Options::newest_first,
      "The pages have the newest records first: an incremental run reads no further than "
      "the first page without a new one.");
  shape.Include(TextFormatOptions::Declaration());
  shape.Optional("null_values", &Options::null_values, "Texts that mean NULL.",
                 {.example = "[\"\", \"-\", n/a]"});
  shape.Optional("types", &Options::types,
                 "Types of columns, in place of a guess: Iceberg's names.", {});
  shape.Optional("sample", &Options::sample, "How much of the pages is read to guess types.",
                 {.min = ByteCount(1'000), .max = ByteCount(64'000'000)});
  shape.Check("base_url", [](const Options& o) -> Status {
    if (o.base_url.empty() || IsAddress(o.base_url)) return Status::Ok();
    return ConfigError("'" + o.base_url + "' is no address; expected http:// or https://");
  });
  shape.Check("encoding", [](const Options& o) {
    return o.encoding.empty() ? Status::Ok() : CheckEncoding(o.encoding);
  });
  shape.Check("types", [](const Options& o) { return CheckTypes(o.types); });
  shape.Check("user_agent", [](const Options& o) -> Status {
    const char first = o.user_agent.empty() ? ' ' : o.user_agent.front();
    if ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z')) return Status::Ok();
    return ConfigError(
        "user_agent begins with a name, by which robots.txt knows who asks, such as "
        "example-loader/1.0");
  });
  shape.CheckNode([](const Options& o, const config::Node& node, config::Faults& faults) {
    if (o.base_url.empty() && o.urls.empty())
      faults.Add(node.place(), "a web_scraper source needs base_url or urls; give one");
    for (size_t i = 0; i < o.urls.size(); ++i) {
      const std::string whole = ResolveLink(o.base_url.empty() ? "x://" : o.base_url, o.urls[i]);
      if (IsAddress(whole)) continue;
      faults.Add(node.Find("urls")->items()[i].place(),
                 "'" + o.urls[i] +
                     "' is no address; expected http:// or https://, or a path and base_url");
    }
    CheckFields(o, node, faults);
    CheckNextPage(o, node, faults);
    if (o.newest_first && o.cursor_column.empty())
      faults.Add(PlaceOf(node, "newest_first"),
                 "newest_first goes with cursor_column; name the column that says how new a record "
                 "is");
  });
  return shape;
}

std::vector<std::string> WebOptions::Starts() const {
  std::vector<std::string> starts;
  for (const std::string& url : urls)
    starts.push_back(ResolveLink(base_url.empty() ? "x://" : base_url, url));
  if (urls.empty()) starts.push_back(base_url.substr(0, base_url.find('#')));
  for (std::string& start : starts) start = WithParams(start, {params.begin(), params.end()});
  return starts;
}

}  // namespace calve::source::web_scraper
