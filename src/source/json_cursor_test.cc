#include "source/json_cursor.h"

#include <gtest/gtest.h>

#include <vector>

namespace calve::source {
namespace {

/// The fault of a text as one value, or "".
std::string FaultOf(std::string_view text) {
  JsonCursor cursor(text);
  cursor.TakeRaw();
  cursor.Finish();
  return cursor.fault();
}

std::string TextOf(std::string_view text) {
  JsonCursor cursor(text);
  const std::string value(cursor.TakeString());
  return cursor.ok() ? value : cursor.fault();
}

TEST(JsonCursorTest, ValuesOfAllKindsAreTakenAsTheyStand) {
  for (const char* text :
       {"null", "true", "false", "0", "-0", "-12.50e+3", "1E9", "\"\"", "\"a\\\"b\"", "{}", "[]",
        "[1, [2, {\"a\": [ ]}], \"x\"]", "{\"a\" : {\"b\":1 , \"c\" : null}}"}) {
    JsonCursor cursor(text);
    EXPECT_EQ(cursor.TakeRaw(), text);
    cursor.Finish();
    EXPECT_EQ(cursor.fault(), "") << text;
  }
}

TEST(JsonCursorTest, WhatIsNoJsonIsAFault) {
  for (const char* text : {"",
                           "nul",
                           "nulll",
                           "True",
                           "01",
                           "+1",
                           "1.",
                           ".5",
                           "1e",
                           "0x1",
                           "NaN",
                           "-",
                           "--1",
                           "1 2",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "[1",
                           "]",
                           "{\"a\"}",
                           "{a:1}",
                           "{\"a\":}",
                           "{,}",
                           "{\"a\":1,}",
                           "{\"a\":1",
                           "{\"a\":1]",
                           "[1}",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "'a'",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\"",
                           "\"a\nb\"",
                           "\"\xff\"",
                           "{\"a\" 1}",
                           "\"\\"}) {
    EXPECT_NE(FaultOf(text), "") << text;
  }
}

TEST(JsonCursorTest, FaultsNameTheCharacter) {
  EXPECT_EQ(FaultOf("{\"ö\": nope}"),
            "'nope' is no JSON value (character 7); a text stands in double quotes, a number is "
            "written as -1, 0.5 or 1e3");
  EXPECT_EQ(FaultOf("{\"a\": 1 \"b\": 2}"),
            ", or } is expected, found \"\\\"b\\\": 2}\" (character 9); JSON lines have one whole "
            "object a line");
  EXPECT_EQ(FaultOf("[1, 2"),
            "the line ends where , or ] is expected (character 6); JSON lines have one whole "
            "object a line");
}

TEST(JsonCursorTest, EscapesAreResolved) {
  EXPECT_EQ(TextOf(R"("a\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00z")"), "a\"\\/\b\f\n\r\té€😀z");
  EXPECT_EQ(TextOf("\"a text longer than one vector of sixteen bytes, with \\u0041 in it\""),
            "a text longer than one vector of sixteen bytes, with A in it");
}

TEST(JsonCursorTest, ObjectsAreWalkedKeyByKey) {
  JsonCursor cursor(R"( {"a": 1, "b": {"c": []}, "d\u0065": "x"} )");
  std::vector<std::string> keys;
  std::string_view key;
  cursor.EnterObject();
  while (cursor.NextKey(&key)) {
    keys.emplace_back(key);
    cursor.TakeRaw();
  }
  cursor.Finish();
  EXPECT_EQ(cursor.fault(), "");
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "b", "de"}));
}

TEST(JsonCursorTest, DeepNestingTakesNoStack) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_EQ(FaultOf(deep), "");
  EXPECT_NE(FaultOf(std::string_view(deep).substr(1)), "");
}

}  // namespace
}  // namespace calve::source
