#include <gtest/gtest.h>

#include "config/yaml.h"

namespace calve::config {
namespace {

std::string FaultsOf(std::string_view text, const YamlLimits& limits = {}) {
  Faults faults;
  (void)ParseJson(text, "body", faults, limits);
  return faults.Render("stopped");
}

TEST(Json, BecomesTheSameTreeAsYaml) {
  Faults faults;
  const Node node = ParseJson(
      R"({"a": [1, -2.50, true, null, "5", "\ud83d\ude00"], "b": {}, "c": []})", "body", faults);
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(ToFlowYaml(node),
            "{a: [1, -2.50, true, null, \"5\", \"\xF0\x9F\x98\x80\"], b: {}, c: []}");
  EXPECT_EQ(ToString(node.Find("a")->place()), "body");
}

TEST(Json, FaultsNameThePlaceOfTheSyntaxError) {
  EXPECT_EQ(FaultsOf("{\"a\": 1,\n \"b\": }"),
            "body:2:7   this is no JSON; check the commas, quotes and brackets before it\n1 fault, "
            "stopped.");
  for (const char* text : {"", "{", "[1,]", "nul", "\"a", "{a: 1}", "\xFF", "[1] 2", "\"\\ud800\"",
                           "01", "\"\t\"", "NaN"}) {
    EXPECT_NE(FaultsOf(text).find("this is no JSON"), std::string::npos) << text;
  }
}

TEST(Json, DuplicateKeysAreFaults) {
  EXPECT_EQ(FaultsOf(R"({"a": 1, "b": {"a": 2}, "a": 3})"),
            "body   key 'a' is given twice; remove one\n1 fault, stopped.");
}

TEST(Json, AnEmptyKeyIsAFaultAsInYaml) {
  EXPECT_EQ(FaultsOf(R"({"": 1})"),
            "body   a key is empty; write a name before the colon\n1 fault, stopped.");
}

TEST(Json, NulIsRefused) {
  EXPECT_EQ(FaultsOf(R"({"a\u0000": "b\u0000"})"),
            "body   a text can't hold the character NUL; remove the escape\nbody   a text can't "
            "hold the character NUL; remove the "
            "escape\n2 faults, stopped.");
}

TEST(Json, LimitsHold) {
  EXPECT_EQ(FaultsOf(std::string(1'000'000, '[')),
            "body   the JSON is nested deeper than 64 levels; flatten it\n1 fault, stopped.");
  EXPECT_EQ(FaultsOf("[1, 2, 3]", {.nodes_max = 3}),
            "body   the JSON has more than 3 values or 17 MB of text; keep data in a data file and "
            "name it here\n1 fault, stopped.");
  EXPECT_EQ(FaultsOf("[1, 2, 3]", {.bytes_max = 5}),
            "body   the JSON has 9 B, and 5 B is the most; keep data in a data file and name it "
            "here\n1 fault, stopped.");
}

}  // namespace
}  // namespace calve::config
