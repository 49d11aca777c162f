#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "io/http.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"
#include "source/web_address.h"
#include "source/web_scraper/css_selector.h"
#include "source/web_scraper/html_page.h"
#include "source/web_scraper/page_records.h"
#include "source/web_scraper/robots.h"

namespace calve::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kServer = "CALVE_TEST_SITE";

std::string SiteUrl() {
  const char* url = std::getenv(kServer);
  return url == nullptr ? "" : url;
}

std::string OtherSiteUrl() {
  const char* url = std::getenv("CALVE_TEST_OTHER_SITE");
  return url == nullptr ? "" : url;
}

std::string Ask(const std::string& method, const std::string& url, std::string body = {},
                io::HttpHeaders headers = {}) {
  OwnedContext context{7};
  const auto client = io::MakeHttpClient();
  const auto reply = client->Send(
      *context,
      {.method = method, .url = url, .headers = std::move(headers), .body = std::move(body)});
  EXPECT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_TRUE(reply.ok() && reply->ok()) << url;
  return reply.ok() ? reply->body : "";
}

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  std::string body;
  for (int64_t n = first; n < first + rows; ++n) {
    const ContractRow row = ContractRowAt(n);
    body += (body.empty() ? "[[" : ",[") + Quote(std::to_string(row.id)) + "," +
            Quote(row.PriceText()) + "," + Quote(row.DayText()) + "," + Quote(row.AtText()) + "," +
            (row.name.has_value() ? Quote(*row.name) : "null") + "]";
  }
  Ask("POST", SiteUrl() + "/_rows/" + TableOfFolder(folder), body.empty() ? "[]" : body + "]");
}

/// Input of the contract's that lies at the table's page.
BrokenInput Broken(std::string name, std::string body, std::vector<std::string> says) {
  const auto write = [body](const std::string& folder) {
    Ask("PUT", SiteUrl() + "/_page/broken/" + TableOfFolder(folder), body);
  };
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(web_scraper) {
  return {
      .options =
          [](const std::string& folder, int64_t rows) {
            if (rows < 0) {
              return "base_url: " + SiteUrl() + "/broken/" + TableOfFolder(folder) +
                     "\nrequests_per_minute: 0\ntypes: {id: long}";
            }
            if (std::filesystem::is_directory(folder)) WriteRows(folder, 0, 0);
            return "base_url: " + SiteUrl() + "/rows/" + TableOfFolder(folder) +
                   "\nrequests_per_minute: 0\nnext_page: {css: a.next}\ncursor_column: id";
          },
      .write = WriteRows,
      .broken = {Broken("a text in a number", "<table><tr><th>id<tr><td>1<tr><td>many</table>",
                        {"record 3", "column id", "'many'", "/broken/"}),
                 Broken("a row with too few cells",
                        "<table><tr><th>id<th>a<tr><td>1<td>2<tr><td>3</table>",
                        {"record 3", "1 cell, expected 2"}),
                 Broken("a page without table", "<html><p>Sign in</p></html>",
                        {"/broken/", "no table", "none at all", "source api"}),
                 Broken("two columns of one name", "<table><tr><th>id<th>id<tr><td>1<td>2</table>",
                        {"two columns \"id\"", "header_row"}),
                 Broken("bytes that are no text", "<table><tr><th>id<tr><td>\xFF\xFE\xFA</table>",
                        {"no text in utf-8", "set encoding"}),
                 Broken("a page that nests without end",
                        [] {
                          std::string deep = "<table><tr><th>id<tr><td>";
                          for (int i = 0; i < 100'000; ++i) deep += "<div>";
                          return deep + "1</table>";
                        }(),
                        {"cannot be read to its end", "depth"})},
      .server = kServer};
}

namespace web_scraper {
namespace {

HtmlPage PageOf(std::string text) {
  auto page = HtmlPage::Parse(std::move(text));
  EXPECT_TRUE(page.ok()) << page.error().message;
  return std::move(*page);
}

std::vector<std::string> TextsOf(const HtmlPage& page, const std::string& xpath) {
  const auto found = page.Find(xpath);
  EXPECT_TRUE(found.ok()) << found.error().message;
  std::vector<std::string> texts;
  if (!found.ok()) return texts;
  if (found->text.has_value()) return {*found->text};
  for (const HtmlNode& node : found->nodes) texts.push_back(node.Text());
  return texts;
}

WebOptions OptionsOf(const std::string& yaml) {
  const auto node = config::ParseYaml("base_url: http://a/b/c?d=1\n" + yaml, "job.yaml");
  EXPECT_TRUE(node.ok()) << node.error().message;
  auto options = WebOptions::Declaration().Parse(*node);
  EXPECT_TRUE(options.ok()) << options.error().message;
  return options.ok() ? std::move(*options) : WebOptions{};
}

/// The records of a page as texts: "a|b|NULL", with a fault in brackets.
std::vector<std::string> ReadAs(const std::string& html, const std::string& yaml) {
  const auto page = ReadPage(html, "http://a/b/c?d=1", OptionsOf(yaml));
  if (!page.ok()) return {page.error().message};
  std::vector<std::string> rows = {Join(page->columns, "|")};
  for (const PageRecords::Record& record : page->records) {
    std::vector<std::string> values;
    for (const auto& value : record.values) values.push_back(value.value_or("NULL"));
    rows.push_back(Join(values, "|") + (record.fault.empty() ? "" : " [" + record.fault + "]"));
  }
  if (!page->next.empty()) rows.push_back("next " + page->next);
  return rows;
}

TEST(WebAddresses, LinksAreResolvedAsBrowsersDo) {
  const std::string from = "http://a/b/c/d?q#f";
  EXPECT_EQ(ResolveLink(from, "g"), "http://a/b/c/g");
  EXPECT_EQ(ResolveLink(from, "./g?y#z"), "http://a/b/c/g?y");
  EXPECT_EQ(ResolveLink(from, "../../../g"), "http://a/g");
  EXPECT_EQ(ResolveLink(from, "../."), "http://a/b/");
  EXPECT_EQ(ResolveLink(from, "/g/../h"), "http://a/h");
  EXPECT_EQ(ResolveLink(from, "//h/g"), "http://h/g");
  EXPECT_EQ(ResolveLink(from, "?y"), "http://a/b/c/d?y");
  EXPECT_EQ(ResolveLink(from, ""), "http://a/b/c/d?q");
  EXPECT_EQ(ResolveLink(from, "https://h"), "https://h");
  EXPECT_EQ(ResolveLink("http://a", "g/"), "http://a/g/");
  EXPECT_EQ(ResolveLink("http://a?x=/y/z", "g"), "http://a/g");
}

TEST(CssSelectors, FindWhatTheySay) {
  const HtmlPage page = PageOf(R"(
      <div id="one" class="a b"><p>1</p><p class="x y">2</p><span lang="en-GB">3</span></div>
      <div class="b"><p data-k="it's">4</p><ul><li>5<li>6<li>7<li></ul></div>)");
  const auto find = [&](const std::string& css) -> std::vector<std::string> {
    const auto xpath = CssToXPath(css);
    return xpath.ok() ? TextsOf(page, *xpath) : std::vector<std::string>{xpath.error().message};
  };
  EXPECT_THAT(find("p"), ElementsAre("1", "2", "4"));
  EXPECT_THAT(find("DIV > P"), ElementsAre("1", "2", "4"));
  EXPECT_THAT(find("#one p"), ElementsAre("1", "2"));
  EXPECT_THAT(find(".b.a > .y"), ElementsAre("2"));
  EXPECT_THAT(find("p + span, li:first-child"), ElementsAre("3", "5"));
  EXPECT_THAT(find("p ~ span"), ElementsAre("3"));
  EXPECT_THAT(find("p + p"), ElementsAre("2"));
  EXPECT_THAT(find("[lang|=en]"), ElementsAre("3"));
  EXPECT_THAT(find("[lang^='en']"), ElementsAre("3"));
  EXPECT_THAT(find("[lang$=GB]"), ElementsAre("3"));
  EXPECT_THAT(find("[lang*=\"-\"]"), ElementsAre("3"));
  EXPECT_THAT(find("[class~=x]"), ElementsAre("2"));
  EXPECT_THAT(find("[class^='']"), IsEmpty());
  EXPECT_THAT(find("[data-k=\"it's\"]"), ElementsAre("4"));
  EXPECT_THAT(find("li:nth-child(2n+1)"), ElementsAre("5", "7"));
  EXPECT_THAT(find("li:nth-child(-n + 2)"), ElementsAre("5", "6"));
  EXPECT_THAT(find("li:nth-child(even):not(:empty)"), ElementsAre("6"));
  EXPECT_THAT(find("li:nth-child(3)"), ElementsAre("7"));
  EXPECT_THAT(find("p:nth-of-type(2)"), ElementsAre("2"));
  EXPECT_THAT(find("p:last-of-type"), ElementsAre("2", "4"));
  EXPECT_THAT(find("li:last-child"), ElementsAre(""));
  EXPECT_THAT(find("div:has(ul) > p"), ElementsAre("4"));
  EXPECT_THAT(find("p:not(.x, [data-k])"), ElementsAre("1"));
  EXPECT_THAT(find("li:contains('6')"), ElementsAre("6"));
  EXPECT_THAT(find("p:only-child"), IsEmpty());
}

TEST(CssSelectors, WhatIsNoneIsRefusedWithItsPlace) {
  const auto refuse = [](const std::string& css) { return CssToXPath(css).error().message; };
  EXPECT_THAT(refuse(""), HasSubstr("no text"));
  EXPECT_THAT(refuse("a >"), HasSubstr("at character 4, where it ends"));
  EXPECT_THAT(refuse("a[b"), HasSubstr("at character 4, where it ends"));
  EXPECT_THAT(refuse("a:hover"), HasSubstr(":hover is none that is known"));
  EXPECT_THAT(refuse("a:nth-child(x)"), HasSubstr("2n+1"));
  EXPECT_THAT(refuse("a)"), HasSubstr("found ')'"));
  EXPECT_THAT(refuse("a, , b"), HasSubstr("expected an element"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "a:has(";
  EXPECT_THAT(refuse(deep), HasSubstr("fewer selectors"));
}

TEST(HtmlPages, TextIsWhatAPersonReads) {
  const HtmlPage page = PageOf(
      "<p id=a> two\n <b>words</b>&nbsp;\xC3\xA9 &euro; &amp;<br>next<script>no</script></p>"
      "<div id=b><p>one</p><p>two</p>three</div><td id=c>x");
  EXPECT_THAT(TextsOf(page, "//*[@id='a']"),
              ElementsAre("two words \xC3\xA9 \xE2\x82\xAC &\nnext"));
  EXPECT_THAT(TextsOf(page, "//*[@id='b']"), ElementsAre("one\ntwo\nthree"));
  EXPECT_THAT(TextsOf(page, "string(//p/@id)"), ElementsAre("a"));
  EXPECT_THAT(TextsOf(PageOf(""), "//p"), IsEmpty());
  // What a NUL byte follows is read, too.
  EXPECT_THAT(TextsOf(PageOf(std::string("<p>a\0b</p><p>c", 14)), "//p"), ElementsAre("ab", "c"));
}

TEST(HtmlPages, CostlySearchesEnd) {
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += "<b></b>";
  const HtmlPage page = PageOf(text);
  const auto found = page.Find("//b[count(//b[count(//b) > 1]) > 1]");
  ASSERT_FALSE(found.ok());
  EXPECT_THAT(found.error().message, HasSubstr("write a simpler selector"));
  EXPECT_THAT(CheckXPath("//a[").error().message, HasSubstr("is no XPath"));
}

TEST(HtmlTables, SpansAreRepeated) {
  EXPECT_THAT(ReadAs("<table><tr><th>a<th>b<th>c"
                     "<tr><td rowspan=2>1<td colspan=2>2"
                     "<tr><td>3<td>4"
                     "<tr><td>5<td rowspan=0>6<td>7"
                     "<tr><td>8<td>9</table>",
                     ""),
              ElementsAre("a|b|c", "1|2|2", "1|3|4", "5|6|7", "8|6|9"));
}

TEST(HtmlTables, TheHeaderMayHaveSeveralRows) {
  const std::string html =
      "<table><caption>x</caption><thead><tr><th rowspan=2>day<th "
      "colspan=2>price<tr><th>low<th>high"
      "</thead><tbody><tr><td>1<td>2<td>3<tr><td colspan=3>no more<tr></tbody>"
      "<tfoot><tr><td>all<td>2<td>3</tfoot></table>";
  EXPECT_THAT(ReadAs(html, ""), ElementsAre("day|price low|price high", "1|2|3"));
  EXPECT_THAT(ReadAs(html, "table: {columns: [d, l, h]}"), ElementsAre("d|l|h", "1|2|3"));
  EXPECT_THAT(ReadAs(html, "table: {header_row: 2}"), ElementsAre("day|low|high", "1|2|3"));
  EXPECT_THAT(
      ReadAs(html, "table: {header_row: 0}"),
      ElementsAre("column_1|column_2|column_3", "day|price|price", "day|low|high", "1|2|3"));
  EXPECT_THAT(ReadAs(html, "table: {columns: [d, l]}")[0],
              HasSubstr("has 3 columns, and columns names 2"));
  EXPECT_THAT(ReadAs(html, "table: {header_row: 9}")[0], HasSubstr("header_row says that row 9"));
}

TEST(HtmlTables, TheRightOneIsTakenAndTablesWithinItAreText) {
  const std::string html =
      "<table><tr><th>no<tr><td>1</table><div id=x><table class=t><tr><th>yes<th>n"
      "<tr><td><a href='../d?i=2'>two</a><td><table><tr><td>in</table>"
      "<tr><th>yes<th>n<tr><td>-<td></table></div><a rel=next href='?d=2#x'>more</a>";
  EXPECT_THAT(ReadAs(html, "table: {index: 2}\nnull_values: [\"\", \"-\"]"),
              ElementsAre("yes|n", "two|in", "NULL|NULL"));
  EXPECT_THAT(
      ReadAs(html,
             "table: {css: \"#x table\"}\nfields: {link: {css: a, attribute: href}}\n"
             "next_page: {css: \"a[rel=next]\"}"),
      ElementsAre("yes|n|link", "two|in|http://a/d?i=2", "-|NULL|NULL", "next http://a/b/c?d=2"));
  EXPECT_THAT(ReadAs(html, "table: {xpath: \"//table[@class='u']\"}")[0],
              HasSubstr("no table that '//table[@class='u']' finds; it has 3 tables"));
  EXPECT_THAT(ReadAs(html, "table: {css: div}")[0], HasSubstr("finds a <div>, expected a <table>"));
}

TEST(HtmlTables, SpansCannotMakeAPageLargerThanItMayBe) {
  std::string html = "<table><tr>";
  for (int i = 0; i < 1'000; ++i) html += "<th>" + std::to_string(i);
  const std::string value(10'000, 'x');
  for (int i = 0; i < 100; ++i) html += "<tr><td colspan=999>" + value + "<td>1";
  EXPECT_THAT(ReadAs(html, "")[0], HasSubstr("raise page_size_max"));
  EXPECT_THAT(ReadAs("<table><tr><td colspan=900>1<td colspan=900>2", "")[0],
              HasSubstr("more than 1,000 columns"));
}

TEST(WebRecords, FieldsAreFoundInEachRecord) {
  EXPECT_THAT(
      ReadAs("<base href='/base/'><ul><li class=o><h2>A</h2><i>x</i><i>y</i><a href=1>"
             "<li class=o data-id=7><h2>B <b>c</b></h2></ul><a href='javascript:x()'>",
             "records: {css: li.o}\nfields:\n  title: {css: h2}\n  tags: {css: i, join: +}\n"
             "  link: {css: a, attribute: href}\n  id: {attribute: data-id}\n"
             "  raw: {css: \"h2\", take: html}\n  n: {xpath: count(i)}\n"),
      ElementsAre("title|tags|link|id|raw|n", "A|x+y|http://a/base/1|NULL|<h2>A</h2>|2",
                  "B c|NULL|NULL|7|<h2>B <b>c</b></h2>|0"));
  EXPECT_THAT(ReadAs("<p>x<p>y<a rel=next href=2>",
                     "records: {xpath: //p}\nfields: {t: {}}\n"
                     "next_page: {xpath: \"//a[@rel='next']/@href\"}"),
              ElementsAre("t", "x", "y", "next http://a/b/2"));
  EXPECT_THAT(ReadAs("<p>x<a href='javascript:x()'>",
                     "records: {css: p}\nfields: {t: {}}\n"
                     "next_page: {css: a}")[0],
              HasSubstr("runs a script"));
}

TEST(WebRecords, CsvIsReadAsItStands) {
  EXPECT_THAT(ReadAs("a;b;\n1;\"x;\"\"y\";\n;\"\";\n1;2;3;4\n", "csv: {delimiter: ;}"),
              ElementsAre("a|b", "1|x;\"y", "NULL|",
                          "1|2|3|4 [the row has 4 values, expected 2 as "
                          "the header has]"));
}

TEST(WebRecords, CsvMayHaveQuotesOfItsOwn) {
  EXPECT_THAT(ReadAs("a,b\n'1,2',\"3\n", "csv: {quote: \"'\"}"), ElementsAre("a|b", "1,2|\"3"));
  EXPECT_THAT(ReadAs("a,b\n'1,2'\n", "csv: {quote: \"\"}"), ElementsAre("a|b", "'1|2'"));
}

TEST(WebRecords, ColumnsHaveTheNamesThatAreWanted) {
  EXPECT_THAT(ReadAs(" Publication date ;LEI-code;\xC3\x84nd. (%)\n1;2;3\n",
                     "csv: {delimiter: ;}\ncolumn_names: snake_case"),
              ElementsAre("publication_date|lei_code|\xC3\x84nd", "1|2|3"));
  EXPECT_THAT(ReadAs("<table><tr><th>A-b<th>a b", "column_names: snake_case")[0],
              HasSubstr("two columns \"a_b\""));
  EXPECT_THAT(ReadAs("a,a\n", "csv: {}")[0], HasSubstr("two columns \"a\""));
}

TEST(WebPages, TheEncodingIsFoundAsBrowsersDo) {
  const auto read = [](std::string body, std::string_view type, const std::string& encoding) {
    const auto text = PageText(std::move(body), type, encoding);
    return text.ok() ? *text : text.error().message;
  };
  EXPECT_EQ(read("\xE9", "text/html; charset=ISO-8859-1", ""), "\xC3\xA9");
  EXPECT_EQ(read("\x80", "text/html; charset=\"latin1\"", ""), "\xE2\x82\xAC");
  EXPECT_EQ(read("\xC3\xA9", "text/html", ""), "\xC3\xA9");
  EXPECT_EQ(read("\xE9", "text/html", "windows-1252"), "\xC3\xA9");
  EXPECT_EQ(read("\xE9", "text/html; charset=utf-8", "latin-1"), "\xC3\xA9");
  EXPECT_EQ(read(std::string("\xFF\xFE\xE9\0", 4), "text/html; charset=latin1", ""), "\xC3\xA9");
  EXPECT_EQ(read("\xEF\xBB\xBFx", "text/csv; charset=windows-1252", ""), "x");
  EXPECT_EQ(read("<META CHARSET='windows-1252'>\xE9", "text/html", ""),
            "<META CHARSET='windows-1252'>\xC3\xA9");
  EXPECT_EQ(read("<meta content=\"text/html; charset=utf-16\">\xC3\xA9", "", ""),
            "<meta content=\"text/html; charset=utf-16\">\xC3\xA9");
  EXPECT_THAT(read("\xE9", "", ""), HasSubstr("no text in utf-8; set encoding"));
  EXPECT_THAT(read("x", "text/html; charset=klingon", ""),
              HasSubstr("\"klingon\", which is not known"));
}

TEST(WebPages, WhateverComesIsReadOrRefused) {
  const std::string good =
      "<!DOCTYPE html><html><head><meta charset=utf-8><base "
      "href='/x'></head><body><table><thead><tr>"
      "<th rowspan=2 colspan=3>a<th>&auml;<tr><th>c</thead><tr><td rowspan=0>1<td "
      "colspan=2>2&#x1F600;"
      "<td><![CDATA[x]]><!-- y --><a href='?p=2'>n</a><script>if (a < b) "
      "{}</script></table></body>";
  const WebOptions table = OptionsOf("next_page: {css: a}\nfields: {l: {css: a, attribute: href}}");
  const WebOptions records =
      OptionsOf("records: {css: td}\nfields: {t: {take: html}, n: {xpath: ..}}");
  const WebOptions csv = OptionsOf("csv: {delimiter: =}");
  const auto read = [&](const std::string& body) {
    for (const WebOptions* options : {&table, &records, &csv}) {
      auto text = PageText(body, "", "");
      if (!text.ok()) text = PageText(body, "", "latin-1");
      ASSERT_TRUE(text.ok()) << text.error().message;
      const auto page = ReadPage(*text, "http://a/b", *options);
      if (!page.ok()) {
        EXPECT_FALSE(page.error().message.empty());
        continue;
      }
      for (const PageRecords::Record& record : page->records)
        EXPECT_TRUE(record.values.size() == page->columns.size() || !record.fault.empty());
    }
  };
  for (size_t size = 0; size < good.size(); ++size) read(good.substr(0, size));
  constexpr uint64_t kSeed = 20'261'123;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Random random(kSeed);
  for (int round = 0; round < 500; ++round) {
    std::string bad = good;
    for (uint64_t changes = 1 + random.Below(20); changes > 0; --changes) {
      const size_t at = random.Below(bad.size());
      if (random.Below(2) == 0) {
        bad[at] = static_cast<char>(random.Below(256));
      } else {
        bad.insert(at, good.substr(random.Below(good.size()), random.Below(40)));
      }
    }
    read(bad);
  }
}

std::string JudgedAs(const RobotsRules& rules, const std::string& path) {
  return rules.Forbids(path).value_or("allowed");
}

TEST(RobotsTxt, TheLongestRuleOfTheReadersGroupsDecides) {
  const std::string text =
      "\xEF\xBB\xBF# a comment\nUser-agent: *\nDisallow: /\n\n"
      "user-agent: other\nUSER-AGENT: Calve/2.0 # both\nDisallow: /private\r\nAllow: "
      "/private/open\r"
      "Sitemap: http://a/s.xml\nDisallow: /*.pdf$\nDisallow: /tie\nAllow: /tie\nDisallow:\n"
      "Crawl-delay: 2.5\nUser-agent: third\nDisallow: /third\n\nUser-agent: calve\nDisallow: "
      "/%7ehome/\xC3\xA4?q=\n";
  const RobotsRules rules = RobotsRules::Parse(text, "calve");
  EXPECT_EQ(JudgedAs(rules, "/"), "allowed");
  EXPECT_EQ(JudgedAs(rules, "/privately"), "Disallow: /private");
  EXPECT_EQ(JudgedAs(rules, "/private/opened?x"), "allowed");
  EXPECT_EQ(JudgedAs(rules, "/a/b.pdf"), "Disallow: /*.pdf$");
  EXPECT_EQ(JudgedAs(rules, "/a/b.pdf?x"), "allowed");
  EXPECT_EQ(JudgedAs(rules, "/tie"), "allowed");
  EXPECT_EQ(JudgedAs(rules, "/third"), "allowed");
  EXPECT_EQ(JudgedAs(rules, "/~home/%c3%a4?q=1"), "Disallow: /%7ehome/\xC3\xA4?q=");
  EXPECT_EQ(rules.crawl_delay(), std::chrono::milliseconds(2500));
  EXPECT_EQ(JudgedAs(RobotsRules::Parse(text, "nobody"), "/x"), "Disallow: /");
  EXPECT_EQ(JudgedAs(RobotsRules::Parse(text, "nobody"), "/robots.txt"), "allowed");
  EXPECT_EQ(JudgedAs(RobotsRules::Parse("Disallow: /", "calve"), "/x"), "allowed");
  EXPECT_EQ(JudgedAs(RobotsRules::Parse("<html>no</html>", "calve"), "/x"), "allowed");
  EXPECT_EQ(ProductToken("Mozilla/5.0 (X11)"), "Mozilla");
}

TEST(RobotsTxt, ManyStarsTakeNoTime) {
  std::string pattern = "/";
  for (int i = 0; i < 1'000; ++i) pattern += "*a";
  const RobotsRules rules =
      RobotsRules::Parse("User-agent: *\nDisallow: " + pattern + "b", "calve");
  EXPECT_EQ(JudgedAs(rules, "/" + std::string(10'000, 'a')), "allowed");
}

class WebSourceTest : public SourceTest {
 protected:
  void SetUp() override {
    SourceTest::SetUp();
    if (SiteUrl().empty()) GTEST_SKIP() << "needs the server of tests/services/site.sh";
    name_ = TableOfFolder(folder_.path());
  }

  void Put(const std::string& path, const std::string& body, io::HttpHeaders headers = {},
           const std::string& site = SiteUrl()) {
    Ask("PUT", site + "/_page/" + path, body, std::move(headers));
  }
  /// robots.txt of the other site is one test's at a time.
  void PutRobots(const std::string& text) { Put("robots.txt", text, {}, OtherSiteUrl()); }
  void TearDown() override {
    if (!OtherSiteUrl().empty()) Ask("DELETE", OtherSiteUrl() + "/_page/robots.txt");
  }

  /// The requests of a path so far: their milliseconds and the rest.
  static std::vector<std::pair<int64_t, std::string>> Requests(
      const std::string& path, const std::string& site = SiteUrl()) {
    std::vector<std::pair<int64_t, std::string>> requests;
    for (const std::string& line : calve::Split(Ask("GET", site + "/_requests/" + path), '\n')) {
      const size_t tab = line.find('\t');
      if (tab != std::string::npos)
        requests.emplace_back(*ParseInteger(line.substr(0, tab)), line.substr(tab + 1));
    }
    return requests;
  }

  Result<Rows> ReadSite(const std::string& options, const std::string& site = SiteUrl()) {
    return ReadRows("web_scraper", "base_url: " + site + "/" + name_ +
                                       "/\nrequests_per_minute: 0\ntries_max: 2\n" + options);
  }

  /// Read on from a position, and move it.
  Result<Rows> ReadOn(const std::string& options, std::optional<Position>* position) {
    CALVE_ASSIGN_OR_RETURN(
        const config::Node node,
        config::ParseYaml("base_url: " + SiteUrl() + "/" + name_ +
                              "/\nrequests_per_minute: 0\nincremental: true\n" + options,
                          "job.yaml"));
    CALVE_ASSIGN_OR_RETURN(const auto source,
                           registry_.Find("web_scraper")->make(node, {.files = &files_}));
    PlanOptions plan_options{.since = *position};
    CALVE_ASSIGN_OR_RETURN(const ReadPlan plan, source->Plan(*context_, plan_options));
    Rows rows;
    for (const Split& split : plan.splits) {
      CALVE_ASSIGN_OR_RETURN(const auto reader, source->Open(*context_, plan, split));
      while (true) {
        CALVE_ASSIGN_OR_RETURN(const auto batch, reader->Next(*context_));
        if (!batch.has_value()) break;
        for (int64_t row = 0; row < batch->rows->num_rows(); ++row)
          rows.rows.push_back(columnar::RowAsJson(*batch->rows, row));
      }
    }
    rows.notes = {plan.summary.substr(0, plan.summary.find("   "))};
    if (plan.position_when_read) {
      CALVE_ASSIGN_OR_RETURN(*position, plan.position_when_read());
    } else {
      *position = plan.position;
    }
    return rows;
  }

  std::string name_;
};

std::string TableOf(const std::string& header, const std::vector<std::string>& rows,
                    const std::string& after = "") {
  std::string html = "<table><tr><th>" + header;
  for (const std::string& row : rows) html += "<tr><td>" + row;
  return html + "</table>" + after;
}

TEST_F(WebSourceTest, LinksAreFollowedToTheLastPage) {
  Put(name_ + "/", TableOf("a", {"1", "2"}, "<a href='p2'>next</a>"));
  Put(name_ + "/p2", TableOf("a", {"3"}, "<a href='#'>next</a>"));
  const auto rows = ReadSite("next_page: {css: a}");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre(R"({"a": 1})", R"({"a": 2})", R"({"a": 3})"));
  EXPECT_THAT(rows->origins[2], HasSubstr("/ page 2 record 2"));
  EXPECT_THAT(ReadSite("next_page: {css: a, limit: 1}")->rows, SizeIs(2));
}

TEST_F(WebSourceTest, PagesAreCountedUntilOneIsEmptyOrMissing) {
  Put(name_ + "/?q=x&p=0", TableOf("a", {"1"}));
  Put(name_ + "/?q=x&p=1", TableOf("a", {"2"}));
  EXPECT_THAT(ReadSite("params: {q: x}\nnext_page: {param: p, first_page: 0}")->rows, SizeIs(2));
  Put(name_ + "/?q=x&p=2", "<p>no results</p>");
  EXPECT_THAT(ReadSite("params: {q: x}\nnext_page: {param: p, first_page: 0}")->rows, SizeIs(2));
  Put(name_ + "/?q=x&p=2", TableOf("a", {}));
  EXPECT_THAT(ReadSite("params: {q: x}\nnext_page: {param: p, first_page: 0}")->rows, SizeIs(2));
  Put(name_ + "/?q=x&p=2", TableOf("a", {"2"}));
  EXPECT_THAT(ReadSite("params: {q: x}\nnext_page: {param: p, first_page: 0}").error().message,
              HasSubstr("same records as the page before"));
}

TEST_F(WebSourceTest, CirclesAndOtherSitesAreRefused) {
  Put(name_ + "/", TableOf("a", {"1"}, "<a href='p2'>next</a>"));
  Put(name_ + "/p2", TableOf("a", {"2"}, "<a href='.'>next</a>"));
  EXPECT_THAT(ReadSite("next_page: {css: a}").error().message, HasSubstr("pages go in a circle"));
  Put(name_ + "/p2", TableOf("a", {"2"}, "<a href='http://example.invalid/'>next</a>"));
  EXPECT_THAT(ReadSite("next_page: {css: a}").error().message,
              HasSubstr("said to be at http://example.invalid"));
}

TEST_F(WebSourceTest, LinksOfASiteThatARedirectLeadsToAreFollowed) {
  const std::string other = OtherSiteUrl();
  Put(name_ + "/", TableOf("a", {"1"}, "<a href='p2'>next</a>"), {}, other);
  Put(name_ + "/p2", TableOf("a", {"2"}), {}, other);
  const auto rows = ReadRows("web_scraper", "base_url: " + SiteUrl() + "/away/" + name_ +
                                                "/\nrequests_per_minute: 0\nnext_page: {css: a}\n");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, SizeIs(2));
}

TEST_F(WebSourceTest, APositionHoldsNoParametersOfAddresses) {
  std::optional<Position> position;
  Put(name_ + "/?token=s3cr3t", TableOf("a", {"1"}));
  EXPECT_THAT(ReadOn("params: {token: s3cr3t}\ncursor_column: a", &position)->rows, SizeIs(1));
  EXPECT_THAT(position->state + position->ledger, HasSubstr(name_));
  EXPECT_EQ((position->state + position->ledger).find("s3cr3t"), std::string::npos);
}

TEST_F(WebSourceTest, RobotsTxtIsObeyedAlsoBehindRedirects) {
  PutRobots("User-agent: calve\nDisallow: /" + name_ + "/p2\nUser-agent: *\nDisallow: /\n");
  const std::string other = OtherSiteUrl();
  Put(name_ + "/", TableOf("a", {"1"}, "<a href='p2'>next</a>"), {}, other);
  Put(name_ + "/p2", TableOf("a", {"2"}), {}, other);
  EXPECT_THAT(ReadSite("", other)->rows, SizeIs(1));
  const auto refused = ReadSite("next_page: {css: a}", other);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(refused.error().message, HasSubstr("page 2"));
  EXPECT_THAT(refused.error().message,
              HasSubstr("/robots.txt says \"Disallow: /" + name_ + "/p2\" to calve"));
  EXPECT_THAT(ReadSite("next_page: {css: a}\nrobots: ignore", other)->rows, SizeIs(2));
  EXPECT_FALSE(ReadSite("user_agent: example/1.0", other).ok());
  const auto away = ReadRows(
      "web_scraper", "base_url: " + SiteUrl() + "/away/" + name_ + "/p2\nrequests_per_minute: 0\n");
  EXPECT_THAT(away.error().message, HasSubstr(other + "/robots.txt says"));
  EXPECT_THAT(Requests(name_ + "/p2", other), SizeIs(1));
}

TEST_F(WebSourceTest, RequestsKeepToTheirPaceOverReadersAndRepeats) {
  for (int i = 0; i < 3; ++i) Put(name_ + "/" + std::to_string(i), TableOf("a", {"1"}));
  const std::string urls = "urls: [\"/faulty-3/" + name_ + "/0\", \"/faulty-3/" + name_ +
                           "/1\", \"/faulty-3/" + name_ + "/2\"]\n";
  const auto rows = ReadRows("web_scraper", "base_url: " + SiteUrl() + "\n" + urls +
                                                "requests_per_minute: 600\ntries_max: 20\n");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, SizeIs(3));
  const auto requests = Requests("faulty-3/" + name_);
  EXPECT_GE(requests.size(), 3U);
  for (size_t i = 1; i < requests.size(); ++i)
    EXPECT_GE(requests[i].first - requests[i - 1].first, 80) << i;
}

TEST_F(WebSourceTest, ReadersSideBySideShareOnePace) {
  std::string urls;
  for (int i = 0; i < 3; ++i) {
    const std::string at = name_ + "/" + std::to_string(i);
    Put(at, TableOf("a", std::vector<std::string>(300, "12"),
                    "<a href='" + std::to_string(i) + "b'>n</a>"));
    Put(at + "b", TableOf("a", {"1"}));
    urls += (i == 0 ? "/" : ", /") + at;
  }
  const auto node = config::ParseYaml("base_url: " + SiteUrl() + "\nurls: [" + urls +
                                          "]\nnext_page: {css: a}\nrequests_per_minute: 600\n"
                                          "sample: 1kB\n",
                                      "job.yaml");
  ASSERT_TRUE(node.ok()) << node.error().message;
  const auto source = registry_.Find("web_scraper")->make(*node, {.files = &files_});
  ASSERT_TRUE(source.ok()) << source.error().message;
  const auto plan = (*source)->Plan(*context_, {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  ASSERT_THAT(plan->splits, SizeIs(3));
  std::vector<int64_t> rows(3);
  {
    std::vector<std::jthread> readers;
    for (size_t i = 0; i < 3; ++i) {
      readers.emplace_back([&, i] {
        const auto reader = (*source)->Open(*context_, *plan, plan->splits[i]);
        while (true) {
          const auto batch = (*reader)->Next(*context_);
          if (!batch.ok() || !batch->has_value()) return;
          rows[i] += (*batch)->rows_read;
        }
      });
    }
  }
  EXPECT_THAT(rows, ElementsAre(301, 301, 301));
  const auto requests = Requests(name_);
  ASSERT_THAT(requests, SizeIs(6));
  for (size_t i = 1; i < requests.size(); ++i)
    EXPECT_GE(requests[i].first - requests[i - 1].first, 80) << i;
}

TEST_F(WebSourceTest, NothingIsReadWhileRobotsTxtCannotBeHad) {
  const std::string other = OtherSiteUrl();
  Put(name_ + "/", TableOf("a", {"1"}), {}, other);
  Put("robots.txt", "", {{"X-Header-X-Status", "503"}}, other);
  const auto refused = ReadSite("", other);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(refused.error().message, HasSubstr("/robots.txt was answered with status 503"));
  EXPECT_THAT(refused.error().message, HasSubstr("nothing may"));
  EXPECT_THAT(Requests(name_, other), IsEmpty());
  // A site that answers that it has none, or gives it to nobody, allows all.
  Put("robots.txt", "User-agent: *\nDisallow: /", {{"X-Header-X-Status", "401"}}, other);
  EXPECT_THAT(ReadSite("", other)->rows, SizeIs(1));
}

TEST_F(WebSourceTest, RequestsAreAsTheOptionsSay) {
  const auto read = [&](const std::string& word, const std::string& options) {
    return ReadRows("web_scraper", "base_url: " + SiteUrl() + "/" + word + "/" + name_ +
                                       "/\nrequests_per_minute: 0\ntries_max: 2\n" + options);
  };
  Put(name_ + "/", TableOf("a", {"1"}));
  EXPECT_THAT(read("keyed", "").error().message, HasSubstr("status 401"));
  EXPECT_THAT(read("keyed", "headers: {X-Key: letmein}\nuser_agent: example/2.0 (x)")->rows,
              SizeIs(1));
  EXPECT_THAT(Requests("keyed/" + name_).back().second, HasSubstr("example/2.0 (x)\t200"));
  EXPECT_THAT(read("slow", "timeout: 50ms\nrobots: ignore").error().message,
              HasSubstr("site is well"));
  EXPECT_THAT(read("slow", "timeout: 10s")->rows, SizeIs(1));
  EXPECT_THAT(read("busy", "retry_after_max: 100ms").error().message, HasSubstr("\"1\""));
  Put(name_ + "/more/", TableOf("a", {"1"}));
  const auto patient =
      ReadRows("web_scraper", "base_url: " + SiteUrl() + "/busy/" + name_ +
                                  "/more/\nrequests_per_minute: 0\ntries_max: 2\n");
  ASSERT_TRUE(patient.ok()) << patient.error().message;
  const auto requests = Requests("busy/" + name_ + "/more");
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_GE(requests[1].first - requests[0].first, 1'000);
}

TEST_F(WebSourceTest, ACrawlDelayMakesItSlowerAndIsSaid) {
  PutRobots("User-agent: *\nCrawl-delay: 0.2\n");
  const std::string other = OtherSiteUrl();
  Put(name_ + "/", TableOf("a", {"1"}, "<a href='p2'>next</a>"), {}, other);
  Put(name_ + "/p2", TableOf("a", {"2"}), {}, other);
  const auto rows = ReadSite("next_page: {css: a}", other);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->notes,
              ElementsAre(other + "/robots.txt asks for 0.200 s between two requests"));
  const auto requests = Requests(name_, other);
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_GE(requests[1].first - requests[0].first, 180);
}

TEST_F(WebSourceTest, PagesThatHaveNotChangedAreNotLoadedAgain) {
  for (const char* place : {"", "dated/"}) {
    const std::string at = place + name_ + "/";
    const std::string options = "urls: [/" + at + "]\nnext_page: {css: a}\n";
    std::optional<Position> position;
    Put(at, TableOf("a", {"1"}, "<a href='p2'>next</a>"));
    Put(at + "p2", TableOf("a", {"2"}));
    EXPECT_THAT(ReadOn(options, &position)->rows, SizeIs(2));
    const auto nothing = ReadOn(options, &position);
    ASSERT_TRUE(nothing.ok()) << nothing.error().message;
    EXPECT_THAT(nothing->rows, IsEmpty());
    EXPECT_THAT(nothing->notes, ElementsAre("2 pages (2 as before), nothing new"));
    EXPECT_THAT(Requests(at + "p2").back().second, HasSubstr("304"));
    // The second page is known by the link that the first, which was not sent again, had.
    Put(at + "p2", TableOf("a", {"2", "3"}));
    EXPECT_THAT(ReadOn(options, &position)->rows, SizeIs(2));
    EXPECT_THAT(ReadOn(options, &position)->rows, IsEmpty());
  }
}

TEST_F(WebSourceTest, PagesWithoutValidatorsAreKnownByTheirRecords) {
  std::optional<Position> position;
  Put(name_ + "/", TableOf("a", {"1"}, "<!-- 1 -->"), {{"X-Header-X-Silent", "1"}});
  EXPECT_THAT(ReadOn("", &position)->rows, SizeIs(1));
  Put(name_ + "/", TableOf("a", {"1"}, "<!-- 2 -->"), {{"X-Header-X-Silent", "1"}});
  EXPECT_THAT(ReadOn("", &position)->rows, IsEmpty());
  Put(name_ + "/", TableOf("a", {"1", "2"}), {{"X-Header-X-Silent", "1"}});
  EXPECT_THAT(ReadOn("", &position)->rows, SizeIs(2));
}

TEST_F(WebSourceTest, NewestFirstStopsWhereNothingIsNew) {
  const std::string options =
      "next_page: {css: a}\ncursor_column: day\ndate_formats: [\"%d.%m.%Y\"]\nnewest_first: true\n";
  std::optional<Position> position;
  Put(name_ + "/", TableOf("day", {"02.11.2026"}, "<a href='p2'>next</a>"));
  Put(name_ + "/p2", TableOf("day", {"31.10.2026"}, "<a href='p3'>next</a>"));
  Put(name_ + "/p3", TableOf("day", {"30.10.2026"}));
  EXPECT_THAT(ReadOn(options, &position)->rows, SizeIs(3));
  const size_t before = Requests(name_ + "/p3").size();
  Put(name_ + "/", TableOf("day", {"03.11.2026", "02.11.2026"}, "<a href='p2'>next</a>"));
  EXPECT_THAT(ReadOn(options, &position)->rows, ElementsAre(R"({"day": "2026-11-03"})"));
  EXPECT_EQ(Requests(name_ + "/p3").size(), before);
}

TEST_F(WebSourceTest, TheCursorIsSentWithItsStretch) {
  const std::string options =
      "cursor_column: day\ndate_formats: [\"%d.%m.%Y\"]\ncursor_param: from\n"
      "cursor_format: date\ncursor_start: \"2026-11-01\"\nlook_back: 2d\nparams: {from: x, a: "
      "\"1\"}\n";
  std::optional<Position> position;
  Put(name_ + "/?a=1&from=2026-11-01", TableOf("day", {"04.11.2026", "05.11.2026"}));
  const auto first = ReadOn(options, &position);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_THAT(first->rows, SizeIs(2));
  Put(name_ + "/?a=1&from=2026-11-03", TableOf("day", {"04.11.2026", "03.11.2026", "05.11.2026"}));
  const auto second = ReadOn(options, &position);
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_THAT(second->rows, ElementsAre(R"({"day": "2026-11-03"})"));
}

TEST_F(WebSourceTest, ABusySiteIsToldOf) {
  const auto limited = ReadRows("web_scraper", "base_url: " + SiteUrl() +
                                                   "/limited/x\ntries_max: 2\n"
                                                   "requests_per_minute: 0\n");
  EXPECT_THAT(limited.error().message, HasSubstr("asked again after \"3600\""));
  const auto large = [&] {
    Put(name_ + "/", TableOf("a", {std::string(5'000, 'x')}));
    return ReadSite("page_size_max: 1kB");
  }();
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().kind, ErrorKind::kRefused);
}

TEST_F(WebSourceTest, ColumnsThatTheFirstPagesDidNotHaveHoldTheirRecordsBack) {
  std::vector<std::string> many(500, "12");
  Put(name_ + "/", TableOf("a", many, "<a href='p2'>next</a>"));
  Put(name_ + "/p2", TableOf("a<th>b", {"1<td>2"}));
  const auto rows = ReadSite("next_page: {css: a}\nsample: 1kB");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, SizeIs(500));
  ASSERT_THAT(rows->rejects, SizeIs(1));
  EXPECT_THAT(rows->rejects[0], HasSubstr("a column \"b\", which the first pages did not have"));
  EXPECT_EQ(rows->rejected[0].raw, R"({"a":"1","b":"2"})");
}

}  // namespace
}  // namespace web_scraper
}  // namespace calve::source
