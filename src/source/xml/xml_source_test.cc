#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/random.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"
#include "source/xml_tokens.h"

namespace calve::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '"' ? "&quot;" : std::string(1, c);
  return escaped;
}

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  std::string text = "<?xml version=\"1.0\"?>\n<rows>\n";
  for (int64_t n = first; n < first + rows; ++n) {
    const ContractRow row = ContractRowAt(n);
    text += " <row><id>" + std::to_string(row.id) + "</id><price>" + row.PriceText() +
            "</price><day>" + row.DayText() + "</day><at>" + row.AtText() + "</at>" +
            (row.name.has_value() ? "<name>" + Escaped(*row.name) + "</name>" : "<name/>") +
            "</row>\n";
  }
  WriteText(folder + "/" + std::to_string(first) + ".xml", text + "</rows>\n");
}

BrokenInput Broken(std::string name, std::string text, std::vector<std::string> says) {
  const auto write = [text](const std::string& folder) { WriteText(folder + "/b.xml", text); };
  says.insert(says.begin(), "b.xml");
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(xml) {
  return {
      .options =
          [](const std::string& folder, int64_t) {
            return "source_path: " + folder +
                   "\nfile_pattern: \"*.xml\"\nrecord_path: rows/row\ntypes: {price: \"decimal(18, "
                   "2)\"}";
          },
      .write = WriteRows,
      .broken = {
          Broken("an element that is not closed", "<rows>\n<row><id>1</row></rows>",
                 {"line 2", "found the end of \"row\"", "expected that of \"id\""}),
          Broken("a file that was cut", "<rows>\n<row><price>1</price></row>\n<row><pri",
                 {"line 3", "cut off"}),
          Broken("entities that expand",
                 "<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><rows><row><price>&b;"
                 "</price></row></rows>",
                 {"line 1", "declares entities", "xmllint --noent"}),
          Broken("an entity that nobody knows", "<rows><row><price>&nbsp;</price></row></rows>",
                 {"line 1", "&nbsp;", "write the character itself"}),
          Broken("text", "id,name\n1,ada\n", {"line 1", "expected an element", "no XML document"}),
          Broken("an attribute without quotes", "<rows><row a=1><price>1</price></row></rows>",
                 {"line 1", "expected attributes such as name=\"value\""}),
          Broken("a value that does not fit",
                 "<rows><row><price>1</price></row>\n<row><price>x</price></row></rows>",
                 {"line 2", "column price"})}};
}

namespace {

class XmlSourceTest : public SourceTest {
 protected:
  Result<Rows> Xml(const std::string& text, const std::string& options,
                   const PlanOptions& plan = {}) {
    WriteText(folder_.At("a.xml"), text);
    return ReadRows("xml", "source_path: a.xml\n" + options, plan);
  }
};

TEST_F(XmlSourceTest, AttributesElementsAndListsBecomeColumns) {
  const auto rows = Xml(
      R"(<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE catalog SYSTEM "catalog.dtd">
<!-- <book/> in a comment is none -->
<c:catalog xmlns:c="http://example.com/c" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <book id="b1" sold="true"><title lang="en">A &amp; B</title><author>x</author><author>y</author>
    <price>12.50</price><note/></book>
  <other><book id="b9"/></other>
  <c:book id="b2" sold='false'><title>C<![CDATA[ <D> ]]>E</title><author>z</author>
    <price xsi:nil="true"/><note>&#8364;&#x41;</note></c:book>
</c:catalog>)",
      "record_path: catalog/book");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema,
            "_id: string, _sold: boolean, title: struct<_lang: string, _value: string>, author: "
            "list<string>, price: decimal(18, 2), note: string");
  EXPECT_THAT(
      rows->rows,
      ElementsAre(
          R"({"_id": "b1", "_sold": true, "title": {"_lang": "en", "_value": "A & B"}, "author": ["x", "y"], "price": 12.50, "note": null})",
          R"({"_id": "b2", "_sold": false, "title": {"_lang": null, "_value": "C <D> E"}, "author": ["z"], "price": null, "note": "€A"})"));
  EXPECT_THAT(rows->origins, ElementsAre("a.xml line 5", "a.xml line 8"));
}

TEST_F(XmlSourceTest, NamespacesTellElementsApartWhenTheyAreDeclared) {
  const std::string text =
      R"(<r xmlns:a="urn:a" xmlns:b="urn:b"><a:x><n>1</n></a:x><b:x><n>2</n></b:x>
    <x xmlns="urn:a"><n>3</n></x></r>)";
  const auto all = Xml(text, "record_path: x");
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_THAT(all->rows, testing::SizeIs(3));
  const auto some = Xml(text, "record_path: r/p:x\nnamespaces: {p: \"urn:a\"}");
  ASSERT_TRUE(some.ok()) << some.error().message;
  EXPECT_THAT(some->rows, ElementsAre(R"({"n": 1})", R"({"n": 3})"));
  EXPECT_THAT(Xml("<r><q:x/></r>", "record_path: x").error().message,
              HasSubstr("\"q\" is bound to no namespace"));
}

TEST_F(XmlSourceTest, ALaterListIsHeldBackUnlessItIsNamed) {
  std::string text = "<r>";
  for (int i = 0; i < 200; ++i) text += "<x><tag>a</tag></x>";
  text += "\n<x><tag>a</tag><tag>b</tag></x>\n<x><tag><b>c</b></tag></x></r>";
  const auto rows = Xml(text, "record_path: r/x\nsample: 1000");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rejects, ElementsAre(HasSubstr("line 2: 'tag' stands several times"),
                                         HasSubstr("line 3: 'tag' has attributes or elements")));
  const auto listed = Xml(text, "record_path: r/x\nsample: 1000\nlists: [tag]");
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  EXPECT_EQ(listed->schema, "tag: list<string>");
  EXPECT_EQ(listed->rows.back(), R"({"tag": ["a", "b"]})");
}

TEST_F(XmlSourceTest, NumbersStayTextsWhereNotAllAreNumbers) {
  const auto rows =
      Xml("<r><x><a>1</a><b>1.50</b></x><x><a>007</a><b>1e3</b></x></r>", "record_path: x");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre(R"({"a": "1", "b": 1.5})", R"({"a": "007", "b": 1000})"));
}

TEST_F(XmlSourceTest, TheDeclaredEncodingIsRead) {
  const auto rows =
      Xml("<?xml version='1.0' encoding='ISO-8859-1'?><r><x><a>\xE9</a></x></r>", "record_path: x");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre("{\"a\": \"é\"}"));
}

/// Gives a text a few bytes at a time.
class Dripping : public io::InputStream {
 public:
  Dripping(std::string text, size_t bytes) : text_(std::move(text)), bytes_(bytes) {}
  Result<size_t> Read(std::span<char> out) override {
    const size_t count = std::min({bytes_, out.size(), text_.size() - at_});
    std::memcpy(out.data(), text_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  const std::string text_;
  const size_t bytes_;
  size_t at_ = 0;
};

std::string TokensOf(const std::string& text, size_t bytes) {
  xml::XmlTokens tokens("a.xml", std::make_unique<Dripping>(text, bytes));
  std::string said;
  while (true) {
    const auto kind = tokens.Next();
    if (!kind.ok()) return said + "! " + kind.error().message;
    switch (*kind) {
      case xml::XmlTokens::Kind::kDone:
        return said;
      case xml::XmlTokens::Kind::kStart:
        said += "<" + std::string(tokens.name());
        for (const auto& attribute : tokens.attributes())
          said += " " + std::string(attribute.name) + "=" + std::string(attribute.value);
        break;
      case xml::XmlTokens::Kind::kEnd:
        said += ">" + std::string(tokens.name());
        break;
      case xml::XmlTokens::Kind::kText:
        said += "'" + std::string(tokens.text()) + "'";
        break;
    }
    said += "@" + std::to_string(tokens.line()) + "/" + std::to_string(tokens.depth()) + " ";
  }
}

TEST(XmlTokens, PiecesOfAnySizeSayTheSame) {
  const std::string text =
      "<?xml version='1.0'?>\n<!-- > -- -->\n<!DOCTYPE a [\n<!ELEMENT a ANY>]>\n<a b='1>2' c = "
      "\"x&#10;&lt;\">\r\nt<b/><![CDATA[]]]]><c\n>&amp;</c\n></a>\n";
  const std::string whole = TokensOf(text, text.size());
  EXPECT_THAT(whole, HasSubstr("<a b=1>2 c=x\n<@5/1 '\nt'@5/1 <b@6/2 >b@6/1 ']]'@6/1 <c@6/2"));
  for (size_t bytes = 1; bytes < 20; ++bytes) EXPECT_EQ(TokensOf(text, bytes), whole) << bytes;
}

TEST(XmlTokens, NoBytesBreakIt) {
  Random random(11);
  const std::string good = "<a b='1'><!-- c --><d>&amp;<![CDATA[e]]></d><f/></a>";
  constexpr std::string_view kBytes = "<>/!?&;'\"=[]- a\0\n\xC3";
  for (int i = 0; i < 3'000; ++i) {
    std::string text = good.substr(0, random.Below(good.size() + 1));
    for (int edits = 0; edits < 3 && !text.empty(); ++edits)
      text[random.Below(text.size())] = kBytes[random.Below(kBytes.size())];
    TokensOf(text, 7);
  }
}

}  // namespace
}  // namespace calve::source
