#include <gtest/gtest.h>

#include "base/text.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  std::string text;
  for (int64_t n = first; n < first + rows; ++n) {
    const ContractRow row = ContractRowAt(n);
    text += "{\"id\": " + std::to_string(row.id) + ", \"price\": " + row.PriceText() +
            ", \"day\": \"" + row.DayText() + "\", \"at\": \"" + row.AtText() +
            "\", \"name\": " + (row.name.has_value() ? Quote(*row.name) : "null") + "}\n";
  }
  WriteText(folder + "/" + std::to_string(first) + ".jsonl", text);
}

BrokenInput Broken(std::string name, std::string text, std::vector<std::string> says) {
  const auto write = [text = std::move(text)](const std::string& folder) {
    WriteText(folder + "/bad.jsonl", text);
  };
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(json) {
  return {
      .options = [](const std::string& folder, int64_t) { return "source_path: " + folder + "/"; },
      .write = WriteRows,
      .broken = {
          Broken("a line that is cut", "{\"a\": 1}\n{\"a\": 2, \"b\n",
                 {"bad.jsonl line 2", "(character 12)", "one whole object a line"}),
          Broken("an array", "{\"a\": 1}\n[1, 2]\n",
                 {"bad.jsonl line 2", "not one JSON object", "one object a line"}),
          Broken("a key twice", "{\"a\": 1, \"a\": 2}\n", {"bad.jsonl line 1", "'a' stands twice"}),
          Broken("a lone surrogate", "{\"a\": \"x\"}\n{\"a\": \"\\ud800\"}\n",
                 {"bad.jsonl line 2", "column a", "surrogate"}),
      }};
}

namespace {

class JsonSourceTest : public SourceTest {
 protected:
  Result<Rows> Json(std::string_view text, const std::string& options = "") {
    WriteText(folder_.At("a.jsonl"), text);
    return ReadRows("json", "source_path: a.jsonl\n" + options);
  }
  std::string TypesOf(std::string_view text, const std::string& options = "") {
    const Result<Rows> rows = Json(text, options);
    return rows.ok() ? rows->schema : rows.error().message;
  }
};

TEST_F(JsonSourceTest, NumbersKeepEveryDigit) {
  EXPECT_EQ(TypesOf("{\"a\": 1}\n{\"a\": 2.50}\n"), "a: decimal(18, 2)");
  EXPECT_EQ(TypesOf("{\"a\": 9223372036854775808}\n"), "a: decimal(38, 0)");
  EXPECT_EQ(TypesOf("{\"a\": 123456789012345678901234567890123456789}\n"), "a: string");
  EXPECT_EQ(TypesOf("{\"a\": 9007199254740993}\n{\"a\": 1e3}\n"), "a: string");
  EXPECT_EQ(TypesOf("{\"a\": 1e3}\n"), "a: double");
  const auto rows = Json("{\"a\": 1e3}\n{\"a\": 123456789012345678901234567890123456789}\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows,
            (std::vector<std::string>{R"({"a": "1e3"})",
                                      R"({"a": "123456789012345678901234567890123456789"})"}));
}

TEST_F(JsonSourceTest, ADoubleIsSaid) {
  const auto rows = Json("{\"a\": 1.5}\n{\"a\": 1e3}\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->schema, "a: double");
  EXPECT_EQ(rows->notes,
            (std::vector<std::string>{"column a is double: 1e3 makes the column a double"}));
}

TEST_F(JsonSourceTest, WhatIsNoJsonIsNeverNull) {
  const auto rows = Json(
      "{\"a\": 1, \"b\": true, \"c\": \"x\"}\n"
      "{\"a\": nope, \"b\": true, \"c\": \"x\"}\n"
      "{\"a\": 1, \"b\": trueish, \"c\": \"x\"}\n"
      "{\"a\": 01, \"b\": true, \"c\": \"x\"}\n"
      "{\"a\": 1, \"b\": true, \"c\": bare}\n"
      "{\"a\": 1, \"b\": true, \"c\": 1abc}\n"
      "{\"a\": null, \"b\": null, \"c\": null}\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows.size(), 2U);
  ASSERT_EQ(rows->rejects.size(), 5U);
  for (size_t i = 0; i < 5; ++i)
    EXPECT_EQ(rows->rejects[i].substr(0, 14), "a.jsonl line " + std::to_string(i + 2));
}

/// Most numbers go a shorter way than the rest; each way gives the same.
TEST_F(JsonSourceTest, NumbersAreReadAlikeHoweverTheyAreWritten) {
  const std::string types = "types: {i: int, l: long, d: \"decimal(5, 2)\", w: \"decimal(38, 1)\"}";
  const auto value = [&](const std::string& name, const std::string& number) {
    std::string all;
    // In the middle, at the end of an object, before a blank, in a text.
    for (const std::string& line :
         {"{\"" + name + "\":" + number + ",\"x\":1}", "{\"x\":1,\"" + name + "\":" + number + "}",
          "{\"x\":1,\"" + name + "\":" + number + " }"}) {
      const auto rows = Json("{\"i\":0,\"l\":0,\"d\":0,\"w\":0,\"x\":0}\n" + line + "\n", types);
      if (!rows.ok()) return rows.error().message;
      if (rows->rows.size() != 2) return std::string("no row");
      std::string found = rows->rows[1];
      const size_t at = found.find("\"" + name + "\": ") + name.size() + 4;
      found = found.substr(at, found.find_first_of(",}", at) - at);
      if (!all.empty() && found != all) return all + " or " + found;
      all = found;
    }
    return all;
  };
  EXPECT_EQ(value("i", "-2147483648"), "-2147483648");
  EXPECT_EQ(value("i", "2147483648"), "no row");
  EXPECT_EQ(value("i", "1.5"), "no row");
  EXPECT_EQ(value("i", "-0"), "0");
  EXPECT_EQ(value("l", "999999999999999999"), "999999999999999999");
  EXPECT_EQ(value("l", "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(value("l", "9223372036854775808"), "no row");
  EXPECT_EQ(value("l", "007"), "no row");
  EXPECT_EQ(value("d", "1"), "1.00");
  EXPECT_EQ(value("d", "-0.5"), "-0.50");
  EXPECT_EQ(value("d", "999.99"), "999.99");
  EXPECT_EQ(value("d", "1000"), "no row");
  EXPECT_EQ(value("d", "1."), "no row");
  EXPECT_EQ(value("d", "-1000.00"), "no row");
  EXPECT_EQ(value("d", "1.005"), "no row");
  EXPECT_EQ(value("d", "12.3400"), "12.34");
  EXPECT_EQ(value("w", "1234567890123456789012345678901234567.8"),
            "1234567890123456789012345678901234567.8");
}

TEST_F(JsonSourceTest, KeysMayStandInAnyOrderAndBeWrittenInAnyWay) {
  const auto rows = Json(
      "{\"a\": 1, \"b\\\"c\": 2, \"d\": {\"e\": 3}}\n"
      "{\"d\":{\"e\":3},\"b\\\"c\":2,\"a\":1}\n"
      "{ \"\\u0061\" : 1 , \"b\\u0022c\":2,  \"d\"\t: { \"e\" :3 } }\n"
      "{\"a\": 1, \"d\": {}, \"b\\\"c\": 2, \"d\": {}}\n"
      "{\"a\": 1, \"a\": 1}\n"
      "{, \"a\": 1}\n"
      "{\"a\": 1 \"d\": {}}\n");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows, std::vector<std::string>(3, R"({"a": 1, "b\"c": 2, "d": {"e": 3}})"));
  ASSERT_EQ(rows->rejects.size(), 4U);
  EXPECT_NE(rows->rejects[0].find("'d' stands twice"), std::string::npos) << rows->rejects[0];
  EXPECT_NE(rows->rejects[1].find("'a' stands twice"), std::string::npos) << rows->rejects[1];
  const auto tricky = Json("{\"a\\\":1,\\\"b\":5}\n{\"a\":1,\"b\":2}\n");
  ASSERT_TRUE(tricky.ok()) << tricky.error().message;
  EXPECT_EQ(tricky->rows, (std::vector<std::string>{R"({"a\":1,\"b": 5, "a": null, "b": null})",
                                                    R"({"a\":1,\"b": null, "a": 1, "b": 2})"}));
}

TEST_F(JsonSourceTest, ValuesOfSeveralKindsAreKeptAsText) {
  const auto rows = Json("{\"a\": 1}\n{\"a\": \"x\"}\n{\"a\": {\"b\": [1, 2]}}\n{\"a\": false}\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows,
            (std::vector<std::string>{R"({"a": "1"})", R"({"a": "x"})",
                                      R"({"a": "{\"b\": [1, 2]}"})", R"({"a": "false"})"}));
  ASSERT_EQ(rows->notes.size(), 1U);
  EXPECT_NE(rows->notes[0].find("several kinds"), std::string::npos);
}

TEST_F(JsonSourceTest, NestedValuesKeepTheirTypes) {
  EXPECT_EQ(TypesOf("{\"o\": {\"id\": 1, \"tags\": [\"x\"], \"at\": \"2026-01-01\"}}\n"),
            "o: struct<id: long, tags: list<string>, at: date>");
}

TEST_F(JsonSourceTest, AnUnknownKeyBehindTheSampleIsHeldBack) {
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "{\"a\": 1, \"b\": \"xxxxxxxxxxxxxxxxxxxx\"}\n";
  text += "{\"a\": 1, \"new\": 5}\n";
  const auto rows = Json(text, "sample: 1kB\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->rows.size(), 60'000U);
  ASSERT_EQ(rows->rejects.size(), 1U);
  EXPECT_NE(rows->rejects[0].find("a.jsonl line 60,001: the key 'new'"), std::string::npos);
}

TEST_F(JsonSourceTest, NestingBeyondALimitIsKeptAsText) {
  std::string deep = "{\"a\": ";
  for (int i = 0; i < 2'000; ++i) deep += "[";
  for (int i = 0; i < 2'000; ++i) deep += "]";
  const auto rows = Json("{\"a\": null}\n" + deep + "}\n");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows.size(), 2U);
  EXPECT_NE(rows->schema.find("list<list<"), std::string::npos);
  ASSERT_EQ(rows->notes.size(), 1U);
  EXPECT_NE(rows->notes[0].find("nested deeper than 32 levels"), std::string::npos);
}

TEST_F(JsonSourceTest, ArraysAreReadElementByElement) {
  const auto rows = Json("\n[{\"a\": 1},\n {\"a\": 2, \"t\": \"],{\\\"\"}, 7,\n\n {\"a\": 3 4}]\n");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows,
            (std::vector<std::string>{R"({"a": 1, "t": null})", R"({"a": 2, "t": "],{\""})"}));
  ASSERT_EQ(rows->rejects.size(), 2U);
  EXPECT_EQ(rows->rejects[0].substr(0, 15), "a.jsonl line 3:");
  EXPECT_EQ(rows->rejects[1].substr(0, 15), "a.jsonl line 5:");
}

TEST_F(JsonSourceTest, AValueOverSeveralLinesIsRefusedBeforeARowIsRead) {
  const auto why = [&](const std::string& text) {
    const auto read = Json(text);
    return read.ok() ? std::to_string(read->rows.size()) + " rows read" : read.error().message;
  };
  EXPECT_EQ(why("\n{\n  \"count\": 2,\n  \"data\": {\"items\": [\n    {\"a\": 1},\n    {\"a\": 2}\n"
                "  ]}\n}\n"),
            "a.jsonl line 2: the value that begins here ends in line 8; JSON lines have one whole "
            "object a line: set records_path to where the array of records is (data.items), or "
            "write each object in one line, as jq -c does");
  EXPECT_NE(why("{\"a\":\n1}\n").find("ends in line 2"), std::string::npos);
  EXPECT_NE(
      why("{\"a\": 1}\n{\"b\": [\n{\"a\": 2}\n").find("line 2: the value that begins here goes"),
      std::string::npos);
  EXPECT_NE(why("{\"a\": {\"b\": 1}\n}\n").find("line 1: the value"), std::string::npos);
  EXPECT_NE(why("{\"a\": 1}\n]}\n").find("line 2: the line goes on with"), std::string::npos);
  EXPECT_NE(why("{\"a\": 1},\n{\"a\": 2}\n").find("line 1: a comma stands behind the value"),
            std::string::npos);
}

TEST_F(JsonSourceTest, AValueOverSeveralLinesIsRefusedWhereverBlocksEnd) {
  for (size_t padding = 1; padding < 140; padding += 3) {
    std::string text = "{\"a\": 1, \"t\": \"x\"}\n";
    while (text.size() < 4000) text += "{\"a\": 1, \"t\": \"" + std::string(padding, 'x') + "\"}\n";
    text += "{\"a\": {\"b\": 1}\n, \"t\": [\n";
    while (text.size() < 9000)
      text += "{\"a\": 2, \"t\": \"" + std::string(padding, 'y') + "\"}\n,\n";
    text += "{\"a\": 3, \"t\": \"z\"}\n]}\n";
    WriteText(folder_.At("a.jsonl"), text);
    const auto read = ReadRows("json", "source_path: a.jsonl\nsample: 1kB\n",
                               {.batch_bytes_max = ByteCount(4096)});
    ASSERT_FALSE(read.ok()) << padding;
    EXPECT_EQ(read.error().kind, ErrorKind::kData);
    EXPECT_NE(read.error().message.find("one whole object a line"), std::string::npos);
  }
}

TEST_F(JsonSourceTest, ALineThatIsCutIsNeverTakenForMore) {
  const std::string line = R"({"a": [1, {"b": 2}, [3]], "c": "x\"y", "d": {"e": true}})";
  int rejected = 0;
  for (size_t size = 1; size < line.size(); ++size) {
    const auto read = Json(line + "\n" + line.substr(0, size) + "\n" + line + "\n");
    if (!read.ok()) {  // The next line may go on with what this one has begun.
      EXPECT_NE(read.error().message.find("a.jsonl line 2: the value"), std::string::npos) << size;
      continue;
    }
    ++rejected;
    EXPECT_EQ(read->rows.size(), 2U) << size;
    ASSERT_EQ(read->rejects.size(), 1U) << size;
    EXPECT_EQ(read->rejects[0].substr(0, 15), "a.jsonl line 2:") << size;
  }
  EXPECT_GT(rejected, 35);
}

TEST_F(JsonSourceTest, AFileWithoutAnObjectIsNamed) {
  const auto why = [&](const std::string& text, const std::string& options = "") {
    const auto read = Json(text, options);
    if (read.ok()) return std::string("read");
    EXPECT_EQ(read.error().kind, ErrorKind::kData) << text;
    return read.error().message.substr(0, read.error().message.find(';'));
  };
  EXPECT_EQ(why(""), "a.jsonl is empty");
  for (const char* text : {"\xEF\xBB\xBF", "\n\n \r\n", "[]", "[\n]\n", "{}\n", "[{}, {}]"})
    EXPECT_EQ(why(text), "a.jsonl has no object that has a key") << text;
  EXPECT_EQ(why("\n", "records_path: a\n"), "a.jsonl has no object that has a key");
  EXPECT_EQ(why("{\"a\": []}", "records_path: a\n"), "a.jsonl has no object that has a key");
  EXPECT_EQ(why("null\n"), "a.jsonl line 1: the line is not one JSON object");
  EXPECT_EQ(why("\nid,name\n1,a\n"), "a.jsonl line 2: the line is not one JSON object");
}

TEST_F(JsonSourceTest, EmptyFilesBesideOthersGiveNoRows) {
  for (int i = 0; i < 40; ++i) WriteText(folder_.At(std::to_string(i) + ".jsonl"), "");
  const auto none = ReadRows("json", "source_path: .\nfile_pattern: \"*.jsonl\"\n");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().message.substr(0, 37), "0.jsonl and 39 more files are empty; ");
  const auto later =
      ReadRows("json", "source_path: .\nfile_pattern: \"*.jsonl\"\nincremental: true\n");
  ASSERT_TRUE(later.ok()) << later.error().message;
  EXPECT_EQ(later->notes,
            (std::vector<std::string>{
                "0.jsonl and 39 more files are empty: there is nothing to read yet"}));
  WriteText(folder_.At("z.jsonl"), "{\"a\": 1}\n");
  WriteText(folder_.At("y.jsonl"), "[]");
  const auto one = ReadRows("json", "source_path: .\nfile_pattern: \"*.jsonl\"\n");
  ASSERT_TRUE(one.ok()) << one.error().message;
  EXPECT_EQ(one->rows, (std::vector<std::string>{R"({"a": 1})"}));
}

TEST_F(JsonSourceTest, APathLeadsToTheRecords) {
  const std::string text =
      R"({"skip": {"items": ["]"]}, "data": {"n": 2, "items": [{"a": 1}, {"a": 2}], "x": 1}, "y": []})";
  const auto rows = Json(text, "records_path: data.items\n");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows, (std::vector<std::string>{R"({"a": 1})", R"({"a": 2})"}));
  const auto why = [&](const std::string& path, const std::string& in) {
    const auto read = Json(in, "records_path: " + path + "\n");
    return read.ok() ? std::string("read") : read.error().message;
  };
  EXPECT_NE(why("data.itms", text).find("only n, items, x; did you mean 'items'?"),
            std::string::npos);
  EXPECT_NE(why("data.n", text).find("expected ["), std::string::npos);
  EXPECT_NE(why("data", text).find("expected ["), std::string::npos);
  EXPECT_NE(why("data.items", R"({"data": {"items": [{"a": 1}, {"a")").find("cut off"),
            std::string::npos);
  EXPECT_NE(why("data.items", R"({"data": {"it)").find("ends before"), std::string::npos);
}

TEST_F(JsonSourceTest, AnArrayThatDoesNotEndOrIsNotAllIsAnError) {
  const auto why = [&](const std::string& text) {
    const auto read = Json(text);
    return read.ok() ? std::string("read") : read.error().message;
  };
  EXPECT_NE(why("[{\"a\": 1},\n{\"a\": 2}").find("cut off"), std::string::npos);
  EXPECT_NE(why("[{\"a\": 1}]\n[{\"a\": 2}]\n").find("follows the end"), std::string::npos);
}

TEST_F(JsonSourceTest, ALargeArrayComesInBlocks) {
  std::string text = "{\"items\": [";
  for (int i = 0; i < 20'000; ++i)
    text +=
        std::string(i == 0 ? "" : ",\n") + "{\"a\": " + std::to_string(i) + ", \"t\": \"x,]y\"}";
  text += "], \"count\": 20000}";
  WriteText(folder_.At("a.jsonl"), text);
  const auto read = ReadRows("json", "source_path: a.jsonl\nrecords_path: items\nsample: 1kB\n",
                             {.batch_bytes_max = ByteCount(5000)});
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->rows.size(), 20'000U);
  EXPECT_EQ(read->rows[19'999], R"({"a": 19999, "t": "x,]y"})");
  EXPECT_TRUE(read->rejects.empty());
}

}  // namespace
}  // namespace calve::source
