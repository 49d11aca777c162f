#include <arrow/array.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

std::string InQuotes(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  std::string text = "id,price,day,at,name\n";
  for (int64_t n = first; n < first + rows; ++n) {
    const ContractRow row = ContractRowAt(n);
    text += std::to_string(row.id) + "," + row.PriceText() + "," + row.DayText() + "," +
            row.AtText() + "," + (row.name.has_value() ? InQuotes(*row.name) : "") + "\n";
  }
  WriteText(folder + "/" + std::to_string(first) + ".csv", text);
}

BrokenInput Broken(std::string name, std::string text, std::vector<std::string> says) {
  const auto write = [text = std::move(text)](const std::string& folder) {
    WriteText(folder + "/bad.csv", text);
  };
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(csv) {
  return {
      .options = [](const std::string& folder, int64_t) { return "source_path: " + folder + "/"; },
      .write = WriteRows,
      .broken = {
          Broken("a quote that does not close", "id,name\n1,a\n2,\"open\n",
                 {"bad.csv line 3", "column 2", "does not close", "close it"}),
          Broken("too many values", "id,name\n1,a,b\n",
                 {"bad.csv line 2", "3 values", "expected 2", "quote values"}),
          Broken("a header name twice", "id,ID\n1,2\n",
                 {"bad.csv line 1, column 2", "'ID' already", "rename"}),
          Broken("bytes that are no UTF-8", "id,name\n1,\xff\xfe\n",
                 {"bad.csv line 2", "column name", "no UTF-8", "set encoding"}),
      }};
}

namespace {

class CsvSourceTest : public SourceTest {
 protected:
  Result<Rows> Csv(std::string_view text, const std::string& options = "") {
    WriteText(folder_.At("a.csv"), text);
    return ReadRows("csv", "source_path: a.csv\n" + options);
  }
  std::string TypesOf(std::string_view text, const std::string& options = "") {
    const Result<Rows> rows = Csv(text, options);
    return rows.ok() ? rows->schema : rows.error().message;
  }
};

TEST_F(CsvSourceTest, MixedNumbersKeepEveryDigit) {
  EXPECT_EQ(TypesOf("a\n1\n2.50\n"), "a: decimal(18, 2)");
  EXPECT_EQ(TypesOf("a\n9223372036854775807\n-9223372036854775808\n"), "a: long");
  EXPECT_EQ(TypesOf("a\n1\n9223372036854775808\n"), "a: decimal(38, 0)");
  EXPECT_EQ(TypesOf("a\n123456789012345678901234567890123456789\n"), "a: string");
  EXPECT_EQ(TypesOf("a\n1.5\n1e3\n"), "a: double");
  // A double would round the first: the column is kept as text.
  EXPECT_EQ(TypesOf("a\n9007199254740993\n1e3\n"), "a: string");
  EXPECT_EQ(TypesOf("a\n1e3\n9007199254740993\n"), "a: string");
  EXPECT_EQ(TypesOf("a\n0.30000000000000004\n1e-7\n"), "a: double");
  EXPECT_EQ(TypesOf("a\n1e999\n"), "a: string");
  EXPECT_EQ(TypesOf("zip\n01234\n90210\n"), "zip: string");
  EXPECT_EQ(TypesOf("a\n-0\n0\n"), "a: long");
}

TEST_F(CsvSourceTest, DatesOfSeveralShapesStayText) {
  EXPECT_EQ(TypesOf("d\n2026-01-02\n02.01.2026\n"), "d: string");
  EXPECT_EQ(TypesOf("d\n2026-01-02\n2026-01-02T00:00:00\n"), "d: string");
  EXPECT_EQ(TypesOf("d\n2026-01-02T00:00:00\n2026-01-02T00:00:00Z\n"), "d: string");
  EXPECT_EQ(TypesOf("d\n2026-02-30\n"), "d: string");
  EXPECT_EQ(TypesOf("d\n25:00:00\n"), "d: string");
  EXPECT_EQ(TypesOf("b\ntrue\n0\n"), "b: string");
}

TEST_F(CsvSourceTest, WhatMadeAColumnTextIsSaid) {
  const auto rows = Csv("id,total\n1,10\n2,n/a\n");
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->notes.size(), 1U);
  EXPECT_EQ(rows->notes[0], "column total is string: 'n/a' is no long as those before (line 3)");
}

TEST_F(CsvSourceTest, AWrongValueBehindTheSampleIsHeldBackNotChanged) {
  std::string text = "id,v\n";
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + ",1.5\n";
  text += "200000,abc\n200001,2.555\n";
  const auto rows = Csv(text, "sample: 1kB\n");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows.size(), 200'000U);
  EXPECT_EQ(rows->rejects,
            (std::vector<std::string>{
                "a.csv line 200,002: column v: 'abc' is no decimal(18, 1); expected a "
                "number such as 12.50",
                "a.csv line 200,003: column v: '2.555' is no decimal(18, 1): it has more digits "
                "behind the point than it holds; give the column a wider type under types of the "
                "source"}));
}

TEST_F(CsvSourceTest, QuotedTextIsNeverNull) {
  const auto rows = Csv("a,b\n\"\",\n", "types: {a: string, b: string}\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows, (std::vector<std::string>{R"({"a": "", "b": null})"}));
}

TEST_F(CsvSourceTest, FilesWithOtherColumnsJoinByName) {
  WriteText(folder_.At("1.csv"), "a,b\n1,x\n");
  WriteText(folder_.At("2.csv"), "c,a\ntrue,2\n");
  const auto rows = ReadRows("csv", "source_path: .\nfile_pattern: \"*.csv\"\n");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows, (std::vector<std::string>{R"({"a": 1, "b": "x", "c": null})",
                                                  R"({"a": 2, "b": null, "c": true})"}));
}

TEST_F(CsvSourceTest, AFileWithoutAHeaderIsNamed) {
  for (const char* text : {"", "\xEF\xBB\xBF", "\n\r\n\n"}) {
    const auto rows = Csv(text);
    ASSERT_FALSE(rows.ok()) << text;
    EXPECT_EQ(rows.error().kind, ErrorKind::kData);
    EXPECT_EQ(
        rows.error().message,
        std::string(*text == '\0' ? "a.csv is empty" : "a.csv has no header") +
            "; expected a header, and rows below it: put them there, or leave out what is empty");
  }
  const auto later = Csv("\n", "incremental: true\n");
  ASSERT_TRUE(later.ok()) << later.error().message;
  EXPECT_EQ(later->notes,
            (std::vector<std::string>{"a.csv has no header: there is nothing to read yet"}));
}

TEST_F(CsvSourceTest, FilesWithoutRowsTeachNoTypes) {
  const auto header_only = Csv("id,name\n");
  ASSERT_TRUE(header_only.ok());
  EXPECT_EQ(header_only->notes, (std::vector<std::string>{"a.csv has a header and no rows"}));
  for (int i = 0; i < 40; ++i)
    WriteText(folder_.At(std::to_string(i) + ".csv"), i % 2 == 0 ? "" : "id,name\n");
  WriteText(folder_.At("a.csv"), "id,name\n1,x\n");
  const auto rows = ReadRows("csv", "source_path: .\nfile_pattern: \"*.csv\"\n");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema, "id: long, name: string");
  EXPECT_EQ(rows->rows, (std::vector<std::string>{R"({"id": 1, "name": "x"})"}));
  EXPECT_TRUE(rows->notes.empty());
}

TEST_F(CsvSourceTest, AChangedFileIsReadAnewAndSaid) {
  WriteText(folder_.At("a.csv"), "id\n1\n");
  const auto node =
      config::ParseYaml("source_path: .\nfile_pattern: \"*.csv\"\nincremental: true", "job.yaml");
  ASSERT_TRUE(node.ok());
  const Resources resources{.files = &files_, .project_folder = folder_.path()};
  const auto source = registry_.Find("csv")->make(*node, resources);
  ASSERT_TRUE(source.ok());
  const auto first = (*source)->Plan(*context_, {});
  ASSERT_TRUE(first.ok());
  WriteText(folder_.At("a.csv"), "id\n1\n2\n");
  WriteText(folder_.At("b.csv"), "id\n3\n");
  const auto second = (*source)->Plan(*context_, {.since = first->position});
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->splits.size(), 2U);
  EXPECT_EQ(second->summary.substr(0, 36), "1 new file, 1 changed file read anew");
}

TEST_F(CsvSourceTest, OtherEncodingsAreRead) {
  const std::vector<std::string> expected = {R"({"a": "Zoë"})"};
  const auto read = [&](std::string_view text, const std::string& options) {
    const auto rows = Csv(text, options);
    return rows.ok() ? rows->rows : std::vector<std::string>{rows.error().message};
  };
  const std::vector<std::string> zoe = {"{\"a\": \"Zo\u00eb\"}"};
  EXPECT_EQ(read("a\nZo\xeb\n", "encoding: latin-1\n"), zoe);
  EXPECT_EQ(read("a\nZo\xeb\n", "encoding: windows-1252\n"), zoe);
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a\nZo\u00eb\n",
                 ""),
            zoe);
  // A byte order mark says UTF-16 by itself.
  EXPECT_EQ(read(std::string_view("\xff\xfe"
                                  "a\0\n\0Z\0o\0\xeb\0\n\0",
                                  14),
                 ""),
            zoe);
  EXPECT_EQ(read(std::string_view("\0a\0\n\0Z\0o\0\xeb", 10), "encoding: utf-16be\n"), zoe);
  const auto broken = Csv("a\nx\x80\n", "encoding: shift_jis\n");
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.error().message.find("are no shift_jis"), std::string::npos)
      << broken.error().message;
}

TEST_F(CsvSourceTest, AHeaderThatIsABlockByItselfIsFollowedByTheRows) {
  WriteText(folder_.At("a.csv"), "id,note\n1,\"" + std::string(20'000, 'x') + "\"\n2,y\n");
  const auto rows = ReadRows("csv", "source_path: a.csv\n", {.batch_bytes_max = ByteCount(5'000)});
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows.size(), 2U);
}

TEST_F(CsvSourceTest, ALargeFileIsReadBySeveralAndEveryRowOnce) {
  std::string text = "id,name\n";
  int64_t rows = 0;
  while (text.size() < (64U << 20)) {
    text += std::to_string(rows++) + ",\"a \"\"quoted\"\"\ntext, on two lines, as long as it is";
    text += std::string(400, 'x') + "\"\n";
  }
  WriteText(folder_.At("a.csv"), text);
  const auto node = config::ParseYaml("source_path: a.csv", "job.yaml");
  const Resources resources{.files = &files_, .project_folder = folder_.path()};
  const auto source = registry_.Find("csv")->make(*node, resources);
  ASSERT_TRUE(source.ok());
  const auto plan = (*source)->Plan(*context_, {.parallelism = 3});
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->splits.size(), 2U);
  std::vector<int64_t> seen(static_cast<size_t>(rows));
  std::mutex mutex;
  {
    std::vector<std::jthread> readers;
    for (const Split& split : plan->splits) {
      readers.emplace_back([&] {
        const auto reader = (*source)->Open(*context_, *plan, split);
        while (true) {
          auto batch = (*reader)->Next(*context_);
          if (!batch->has_value()) return;
          const auto& ids = static_cast<const arrow::Int64Array&>(*(*batch)->rows->column(0));
          std::lock_guard lock(mutex);
          for (int64_t i = 0; i < ids.length(); ++i) ++seen[static_cast<size_t>(ids.Value(i))];
          EXPECT_EQ((*batch)->OriginOf(0), "a.csv line " + FormatCount(2 + 2 * ids.Value(0)));
        }
      });
    }
  }
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int64_t times) { return times == 1; }));
}

TEST_F(CsvSourceTest, OptionsThatContradictEachOtherAreRefused) {
  for (const char* options :
       {"delimiter: '\"'\n", "decimal: \".\"\nthousands: \".\"\n", "delimiter: \"\\n\"\n",
        "date_formats: [\"%d.%m\"]\n", "date_formats: [\"%Q\"]\n",
        "timestamp_formats: [\"%Y-%m-%d\"]\n", "types: {a: decimal(39, 2)}\n", "encoding: ebcdic\n",
        "columns: [a]\n", "sample: 1\n"}) {
    const auto rows = Csv("a\n1\n", options);
    ASSERT_FALSE(rows.ok()) << options;
    EXPECT_EQ(rows.error().kind, ErrorKind::kConfig) << options;
    EXPECT_NE(rows.error().message.find("job.yaml:"), std::string::npos) << rows.error().message;
  }
}

}  // namespace
}  // namespace calve::source
