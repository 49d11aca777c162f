#include "source/json/json_records.h"

#include <gtest/gtest.h>

namespace calve::source {
namespace {

/// Where a block of JSON lines is cut that is not the last one.
size_t CutOf(std::string_view text) {
  JsonRowEnds ends({});
  const Result<RowEnds::Cut> cut = ends.Find(text, /*at_end=*/false);
  EXPECT_TRUE(cut.ok());
  return cut.ok() ? cut->end : 0;
}

TEST(JsonRowEndsTest, ABlockEndsBehindTheLastLineThatEndsAsAnObject) {
  EXPECT_EQ(CutOf("{\"a\":1}\n{\"a\":2}\n{\"a\""), 16U);
  EXPECT_EQ(CutOf("{\"a\":1}\n{\n\"a\":\n"), 8U);
  EXPECT_EQ(CutOf("{\"a\":1}\r\n \n"), 9U);
}

TEST(JsonRowEndsTest, ALineThatMayGoOnStaysWithTheNextInABlockWithoutObjects) {
  EXPECT_EQ(CutOf("x\ny\n{\n"), 4U);
  EXPECT_EQ(CutOf("x\ny\n{\n\n \"a"), 4U);
  EXPECT_EQ(CutOf("{\n\"a\": \"a long te"), 0U);
  EXPECT_EQ(CutOf("{\n\"a\":\n"), 7U);
}

}  // namespace
}  // namespace calve::source
