#include "source/csv_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/random.h"
#include "base/text.h"

namespace calve::source {
namespace {

/// A text in memory, given out in small pieces.
class Pieces : public io::InputStream {
 public:
  Pieces(std::string text, size_t piece) : text_(std::move(text)), piece_(piece) {}
  Result<size_t> Read(std::span<char> out) override {
    const size_t count = std::min({out.size(), piece_, text_.size() - at_});
    std::copy_n(text_.begin() + static_cast<ptrdiff_t>(at_), count, out.begin());
    at_ += count;
    return count;
  }

 private:
  const std::string text_;
  const size_t piece_;
  size_t at_ = 0;
};

/// Rows as "line: values", or what is wrong.
std::vector<std::string> Shown(CsvParser& parser, std::string_view text) {
  std::vector<std::string> rows;
  const Result<size_t> used = parser.Parse(text, 1000);
  for (const CsvRow& row : parser.rows()) {
    std::string shown = std::to_string(row.line) + ":";
    for (size_t i = 0; i < row.field_count; ++i) shown += " " + Quote(parser.values(row)[i].text);
    rows.push_back(shown + (row.fault == CsvRowFault::kNone ? "" : " fault"));
  }
  if (!used.ok()) rows.push_back(used.error().message);
  return rows;
}

std::vector<std::string> ReadWhole(const std::string& text) {
  CsvParser parser({});
  return Shown(parser, text);
}

std::vector<std::string> ReadInBlocks(const std::string& text, size_t block_bytes, size_t piece) {
  const OwnedContext context(1);
  const auto open = [&](const Context&) -> Result<std::unique_ptr<io::InputStream>> {
    return std::make_unique<Pieces>(text, piece);
  };
  TextBlocks blocks("a.csv", open, std::make_unique<CsvRowEnds>(CsvDialect{}), block_bytes);
  CsvParser parser({});
  TextBlock block;
  std::vector<std::string> rows;
  while (true) {
    const Result<bool> more = blocks.Next(*context, &block);
    if (!more.ok()) return {more.error().message};
    if (!*more) return rows;
    parser.StartAt(block.first_line());
    for (std::string& row : Shown(parser, block.text())) rows.push_back(std::move(row));
  }
}

TEST(CsvParserTest, RowsAndValuesAreTakenApart) {
  EXPECT_EQ(ReadWhole("a,b\r\n\"x,\"\"y\"\"\nz\",2\r1,\n\n,\"\"\nlast,row"),
            (std::vector<std::string>{R"(1: "a" "b")", R"(2: "x,\"y\"\nz" "2")", R"(4: "1" "")",
                                      R"(6: "" "")", R"(7: "last" "row")"}));
}

TEST(CsvParserTest, BlocksOfAnySizeGiveTheRowsOfTheWhole) {
  Random random(11);
  const std::string_view pieces[] = {"a",    "\"",   ",",  "\n",       "\r",
                                     "\r\n", "\"\"", "bc", "\"x\ny\"", ",\""};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const uint64_t length = random.Below(40);
    for (uint64_t i = 0; i < length; ++i) text += pieces[random.Below(std::size(pieces))];
    const std::vector<std::string> whole = ReadWhole(text);
    for (const size_t block_bytes : {1, 2, 3, 7, 1000}) {
      ASSERT_EQ(ReadInBlocks(text, block_bytes, 1 + random.Below(5)), whole)
          << Quote(text) << " in blocks of " << block_bytes;
    }
  }
}

TEST(CsvParserTest, LinesAreCountedThroughQuotedBreaks) {
  CsvParser parser({});
  ASSERT_TRUE(parser.Parse("a\n\"1\n2\n3\"\nb\n", 100).ok());
  ASSERT_EQ(parser.rows().size(), 3U);
  EXPECT_EQ(parser.rows()[1].line, 2);
  EXPECT_EQ(parser.rows()[2].line, 5);
}

TEST(CsvParserTest, AQuoteThatNeverClosesIsAnErrorWithItsLine) {
  CsvParser parser({});
  const auto parsed = parser.Parse("a\n1\n\"open\nmore\n", 100);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().kind, ErrorKind::kData);
  EXPECT_EQ(parsed.error().message.substr(0, 16), "line 3, column 1");
}

TEST(CsvParserTest, FaultsOfARowAreNamed) {
  CsvParser parser({});
  ASSERT_TRUE(parser.Parse(std::string_view("\"a\"b,c\nx\0y,1\n", 13), 100).ok());
  ASSERT_EQ(parser.rows().size(), 2U);
  EXPECT_EQ(parser.rows()[0].fault, CsvRowFault::kTextAfterQuote);
  EXPECT_EQ(parser.rows()[1].fault, CsvRowFault::kNul);
}

}  // namespace
}  // namespace calve::source
