#include <gtest/gtest.h>

#include "base/text.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {

SOURCE_FIXTURE(inline) {
  return {
      .options =
          [](const std::string&, int64_t rows) {
            if (rows < 0) return std::string("rows:\n  - {id: 1}\n  - {id: x}\ntypes: {id: long}");
            std::string yaml = "rows: [";
            for (int64_t n = 0; n < rows; ++n) {
              const ContractRow row = ContractRowAt(n);
              yaml += "\n  {id: " + std::to_string(row.id) + ", price: " + row.PriceText() +
                      ", day: " + row.DayText() + ", at: \"" + row.AtText() +
                      "\", name: " + (row.name.has_value() ? Quote(*row.name) : "null") + "},";
            }
            return yaml + "]";
          },
      .write = [](const std::string&, int64_t, int64_t) {},
      .broken = {{.name = "a value that is not of its type",
                  .write = [](const std::string&) {},
                  .says = {"job.yaml:3:5", "column id", "'x' is no long"}}},
      .waivers = {{"ALargeInputTakesLittleMemory",
                   "the rows stand in the job file, which is at most 4 MB"},
                  {"ItGoesOnFromItsPosition", "the rows of a job file have no order to go on in"},
                  {"WhatAKilledProcessHadReadIsReadAgain",
                   "without incremental there is no position"},
                  {"APositionOfAnotherKindIsRefused", "without incremental there is no position"},
                  {"MissingInputIsNotFoundAndNamed", "the rows stand in the job file"}}};
}

namespace {

using InlineSourceTest = SourceTest;

TEST_F(InlineSourceTest, AColumnThatIsNotThereIsNull) {
  const auto rows = ReadRows("inline", "rows: [{id: 1, name: ada}, {id: 2}]");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->schema, "id: long, name: string");
  EXPECT_EQ(rows->rows, (std::vector<std::string>{R"({"id": 1, "name": "ada"})",
                                                  R"({"id": 2, "name": null})"}));
}

TEST_F(InlineSourceTest, RowsAndValuesHaveTheirPlace) {
  const auto rows = ReadRows("inline", "rows:\n  - 5\n  - {a: [1]}\n");
  ASSERT_FALSE(rows.ok());
  EXPECT_NE(rows.error().message.find("job.yaml:2:5"), std::string::npos);
  EXPECT_NE(rows.error().message.find("job.yaml:3:9"), std::string::npos);
}

}  // namespace
}  // namespace calve::source
