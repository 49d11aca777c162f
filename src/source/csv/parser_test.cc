#include "source/csv/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace calve::source {
namespace {

using Rows = std::vector<std::vector<std::string>>;

/// Parse a text that arrives in two pieces, cut at `cut`, as a reader would.
Result<Rows> ParseCut(std::string_view text, size_t cut) {
  CsvParser parser({});
  Rows rows;
  std::string_view rest = text;
  size_t seen = cut;
  while (true) {
    const bool last = seen == text.size();
    const std::string_view have =
        rest.substr(0, seen - static_cast<size_t>(rest.data() - text.data()));
    CALVE_ASSIGN_OR_RETURN(const size_t used, parser.Parse(have, last, 100));
    for (const CsvRow& row : parser.rows()) {
      rows.emplace_back();
      for (size_t i = 0; i < row.field_count; ++i)
        rows.back().emplace_back(parser.field(row, i).text);
    }
    rest.remove_prefix(used);
    if (last) return rows;
    seen = text.size();
  }
}

TEST(CsvParserTest, EveryCutGivesTheSameRows) {
  const std::string text = "a,b\r\n\"x,\"\"y\"\"\nz\",2\r1,\n\n,\"\"\nlast,row";
  const Rows expected = {{"a", "b"}, {"x,\"y\"\nz", "2"}, {"1", ""}, {"", ""}, {"last", "row"}};
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const Result<Rows> rows = ParseCut(text, cut);
    ASSERT_TRUE(rows.ok()) << cut;
    EXPECT_EQ(*rows, expected) << "cut at " << cut;
  }
}

TEST(CsvParserTest, LinesAreCountedThroughQuotedBreaks) {
  CsvParser parser({});
  ASSERT_TRUE(parser.Parse("a\n\"1\n2\n3\"\nb\n", true, 100).ok());
  ASSERT_EQ(parser.rows().size(), 3U);
  EXPECT_EQ(parser.rows()[1].line, 2);
  EXPECT_EQ(parser.rows()[2].line, 5);
}

TEST(CsvParserTest, AQuoteThatNeverClosesIsAnErrorWithItsLine) {
  CsvParser parser({});
  const auto parsed = parser.Parse("a\n1\n\"open\nmore\n", true, 100);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().kind, ErrorKind::kData);
  EXPECT_EQ(parsed.error().message.substr(0, 16), "line 3, column 1");
}

TEST(CsvParserTest, FaultsOfARowAreNamed) {
  CsvParser parser({});
  ASSERT_TRUE(parser.Parse(std::string_view("\"a\"b,c\nx\0y,1\n", 13), true, 100).ok());
  ASSERT_EQ(parser.rows().size(), 2U);
  EXPECT_EQ(parser.rows()[0].fault, CsvRowFault::kTextAfterQuote);
  EXPECT_EQ(parser.rows()[1].fault, CsvRowFault::kNul);
}

}  // namespace
}  // namespace calve::source
