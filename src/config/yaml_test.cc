#include "config/yaml.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace calve::config {
namespace {

std::string Repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

Node Parse(std::string_view text) {
  Result<Node> node = ParseYaml(text, "f.yaml");
  EXPECT_TRUE(node.ok()) << node.status().error().message;
  return node.ok() ? *node : Node();
}

/// All faults of a text, without the closing line.
std::string FaultsOf(std::string_view text) {
  Faults faults;
  (void)ParseYaml(text, "f.yaml", faults);
  std::string out;
  for (const Fault& fault : faults.Sorted())
    out += ToString(fault.place) + " " + fault.Sentence() + "\n";
  return out;
}

TEST(Yaml, KeepsTextKindPlaceAndOrder) {
  const Node root = Parse("b: 1\na:\n  - x\n  - 'y z'\n  - \"true\"\nc: {d: }\n");
  ASSERT_TRUE(root.is_mapping());
  ASSERT_EQ(root.entries().size(), 3u);
  EXPECT_EQ(root.entries()[0].key, "b");
  EXPECT_EQ(root.Find("b")->text(), "1");
  EXPECT_FALSE(root.Find("b")->quoted());
  EXPECT_EQ(ToString(root.Find("b")->place()), "f.yaml:1:4");
  EXPECT_EQ(ToString(root.entries()[1].key_place), "f.yaml:2:1");
  const Node& list = *root.Find("a");
  ASSERT_EQ(list.items().size(), 3u);
  EXPECT_EQ(list.items()[1].text(), "y z");
  EXPECT_TRUE(list.items()[1].quoted());
  EXPECT_EQ(ToString(list.items()[2].place()), "f.yaml:5:5");
  EXPECT_TRUE(root.Find("c")->Find("d")->is_null());
  EXPECT_EQ(root.Find("nothing"), nullptr);
}

TEST(Yaml, ColumnsCountCharactersNotBytes) {
  const Node root = Parse("größe: {ü: x, y: z}");
  EXPECT_EQ(root.Find("größe")->Find("y")->place().column, 18);
}

TEST(Yaml, NumbersBooleansAndDatesStayText) {
  const Node root = Parse("[0123, 1e3, yes, no, 2026-01-02, 12:30, 0x1F, .5, ~]");
  EXPECT_EQ(root.items()[0].text(), "0123");
  EXPECT_EQ(root.items()[2].text(), "yes");
  EXPECT_EQ(root.items()[4].text(), "2026-01-02");
  EXPECT_EQ(root.items()[5].text(), "12:30");
  EXPECT_TRUE(root.items()[8].is_null());
}

TEST(Yaml, CoreTypesFollowTheCoreSchemaOnly) {
  const auto type = [](std::string_view text) {
    return CoreTypeOf(Node::Scalar(std::string(text)));
  };
  for (const char* text : {"", "~", "null", "Null", "NULL"})
    EXPECT_EQ(type(text), CoreType::kNull) << text;
  for (const char* text : {"true", "False", "TRUE"}) EXPECT_EQ(type(text), CoreType::kBool) << text;
  for (const char* text : {"0", "-12", "+3", "0o17", "0xfF", "0123"})
    EXPECT_EQ(type(text), CoreType::kInteger) << text;
  for (const char* text : {"1.5", ".5", "5.", "-1e3", "1.5E-10", ".inf", "-.INF", ".nan"}) {
    EXPECT_EQ(type(text), CoreType::kFloat) << text;
  }
  for (const char* text : {"yes", "on", "tRUE", "1_000", "0b1", "1e", "e5", ".", "-", "+", "1.2.3",
                           "12:30", "-.nan", "1e1.5"}) {
    EXPECT_EQ(type(text), CoreType::kText) << text;
  }
  EXPECT_EQ(CoreTypeOf(Node::Scalar("5", /*quoted=*/true)), CoreType::kText);
}

TEST(Yaml, AliasesAreCopiedInPlace) {
  const Node root = Parse("a: &x {k: [1, 2]}\nb: *x\nc: &x z\nd: *x\n");
  EXPECT_TRUE(root.Find("b")->SameAs(*root.Find("a")));
  EXPECT_EQ(root.Find("d")->text(), "z");
}

TEST(Yaml, BlocksKeepAndFoldLines) {
  const Node root = Parse("a: |\n  x\n  y\nb: >-\n  x\n  y\n");
  EXPECT_EQ(root.Find("a")->text(), "x\ny\n");
  EXPECT_EQ(root.Find("b")->text(), "x y");
  EXPECT_TRUE(root.Find("b")->quoted());
}

TEST(Yaml, EmptyFilesAreNull) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "---\n...\n",
                           "%YAML 1.2\n---\n", "\xEF\xBB\xBF"}) {
    EXPECT_TRUE(Parse(text).is_null()) << text;
    EXPECT_EQ(Parse(text).place().file_name(), "f.yaml");
  }
}

TEST(Yaml, AByteOrderMarkIsSkipped) {
  const Node root = Parse(
      "\xEF\xBB\xBF"
      "a: 1\n");
  EXPECT_EQ(root.Find("a")->place().column, 4);
}

TEST(Yaml, TheTagsOfTextListAndMappingChangeNothing) {
  const Node root = Parse("a: !!str 5\nb: !!seq [x]\nc: !!map {d: e}\nf: ! 7\n");
  EXPECT_TRUE(root.Find("a")->quoted());
  EXPECT_TRUE(root.Find("f")->quoted());
  EXPECT_EQ(root.Find("b")->items().size(), 1u);
}

TEST(Yaml, JsonIsRead) {
  const Node root = Parse(R"({"a":[1,true,null,"x\/yé"],"b":{"c":-1.5e3}})");
  EXPECT_EQ(root.Find("a")->items()[3].text(), "x/yé");
  EXPECT_EQ(root.Find("b")->Find("c")->text(), "-1.5e3");
}

TEST(Yaml, EveryDuplicateKeyIsAFault) {
  EXPECT_EQ(FaultsOf("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n"),
            "f.yaml:4:3 key 'c' is given twice, first in line 3; remove one\n"
            "f.yaml:5:1 key 'a' is given twice, first in line 1; remove one\n");
}

struct Hostile {
  std::string name;
  std::string text;
  std::string fault;  ///< What the first fault must say, with its place.
};

std::ostream& operator<<(std::ostream& out, const Hostile& h) { return out << h.name; }

class HostileYaml : public testing::TestWithParam<Hostile> {};

TEST_P(HostileYaml, IsRefusedWithPlaceAndReason) {
  const std::string faults = FaultsOf(GetParam().text);
  EXPECT_EQ(faults.substr(0, GetParam().fault.size()), GetParam().fault) << faults.substr(0, 400);
}

std::string AliasBomb() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += fmt::format("a{}: &a{} [{}]\n", i, i, Repeat(fmt::format("*a{},", i - 1), 10));
  }
  return text;
}

std::string AliasOfLongText() {
  std::string text = "a: &a " + Repeat("x", 1'000'000) + "\nb: [";
  for (int i = 0; i < 1000; ++i) text += "*a, ";
  return text + "]\n";
}

std::string DeepByAliases() {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 70; ++i) text += fmt::format("a{}: &a{} [*a{}]\n", i, i, i - 1);
  return text;
}

std::string NestedBlock(int levels) {
  std::string text;
  for (int i = 0; i < levels; ++i) text += std::string(static_cast<size_t>(i), ' ') + "k:\n";
  return text;
}

const std::string kDeep = " the file is nested deeper than 64 levels; flatten it\n";

INSTANTIATE_TEST_SUITE_P(
    Files, HostileYaml,
    testing::Values(
        Hostile{"FlowListsDeep", Repeat("[", 1'000'000), "f.yaml:1:65" + kDeep},
        Hostile{"FlowMappingsDeep", Repeat("{a: ", 500'000), "f.yaml:1:254" + kDeep},
        Hostile{"FlowPairsDeep", Repeat("[a: ", 500'000), "f.yaml:1:126" + kDeep},
        Hostile{"MixedDeep", Repeat("[{a: ", 500'000), "f.yaml:1:158" + kDeep},
        Hostile{"BlockListsDeep", Repeat("- ", 1'000'000), "f.yaml:1:129" + kDeep},
        Hostile{"BlockMappingsDeep", NestedBlock(2000), "f.yaml:64:64" + kDeep},
        Hostile{"KeysDeep", Repeat("? ", 1'000'000), "f.yaml:1:129" + kDeep},
        Hostile{"DeepThroughAliases", DeepByAliases(), "f.yaml:63:12" + kDeep},
        Hostile{
            "AliasBomb", AliasBomb(),
            "f.yaml:5:5 the file has more than 200,000 values, aliases filled in; keep data in"},
        Hostile{"AliasesOfLongText", AliasOfLongText(), "f.yaml:2:"},
        Hostile{"AliasOfItself", "a: &a [*a]",
                "f.yaml:1:8 *a refers to no &a before it; an alias starts with *; put a text"},
        Hostile{"AliasOfNothing", "a: *x\nb: *y",
                "f.yaml:1:4 *x refers to no &x before it; an alias starts with *; put a text that "
                "begins with * in quotes\nf.yaml:2:4 *y refers to no"},
        Hostile{"AliasWithoutName", "a: * x",
                "f.yaml:1:5 this is no YAML: did not find expected alphabetic"},
        Hostile{"AnchorWithoutName", "a: & x",
                "f.yaml:1:5 this is no YAML: did not find expected alphabetic"},
        Hostile{"ManyValues", "[" + Repeat("1,", 250'000) + "]",
                "f.yaml:1:400000 the file has more than 200,000 values"},
        Hostile{"TooLong", "a: " + Repeat("x", 5'000'000),
                "f.yaml the file has 5.0 MB, and 4.2 MB is the most; keep data in a data file"},
        Hostile{"LongUnclosedQuote", "a: \"" + Repeat("x", 4'000'000),
                "f.yaml:1:4 the quote that opens here is never closed; close it"},
        Hostile{"NulByte", std::string("a: x\0y", 6),
                "f.yaml:1:5 control character 0x00 can't stand in YAML; remove it, or write \\x00"},
        Hostile{"BellByte", "a: 1\nb: \x07",
                "f.yaml:2:4 control character 0x07 can't stand in YAML; remove it, or write \\x07 "
                "inside"},
        Hostile{"DeleteByte", "a: \x7F", "f.yaml:1:4 control character 0x7f can't stand"},
        Hostile{"EscapeSequence", "\x1B[31mred: 1",
                "f.yaml:1:1 control character 0x1b can't stand"},
        Hostile{"C1Control", "a: \xC2\x9B",
                "f.yaml:1:4 control characters are not allowed; remove the character"},
        Hostile{"NonCharacter", "a: \xEF\xBF\xBF",
                "f.yaml:1:4 control characters are not allowed; remove the character"},
        Hostile{"Latin1", "a: caf\xE9\nb: 1",
                "f.yaml:1:7 byte 0xe9 is not UTF-8; save the file as UTF-8"},
        Hostile{"LoneContinuation", "ü: \x80", "f.yaml:1:4 byte 0x80 is not UTF-8"},
        Hostile{"Overlong", "a: \xC0\xAF", "f.yaml:1:4 byte 0xc0 is not UTF-8"},
        Hostile{"Surrogate", "a: \xED\xA0\x80", "f.yaml:1:4 byte 0xed is not UTF-8"},
        Hostile{"BeyondUnicode", "a: \xF4\x90\x80\x80", "f.yaml:1:4 byte 0xf4 is not UTF-8"},
        Hostile{"CutCharacter", "a: x\xE2\x82", "f.yaml:1:5 byte 0xe2 is not UTF-8"},
        Hostile{"BadByteFarIn", Repeat("- é\n", 100'000) + "- \xFF\n",
                "f.yaml:100001:3 byte 0xff is not UTF-8"},
        Hostile{"Utf16Little",
                std::string("\xFF\xFE"
                            "a\0:\0 \0b\0",
                            10),
                "f.yaml:1:1 the file is UTF-16; save it as UTF-8"},
        Hostile{"Utf16Big", std::string("\xFE\xFF\0a\0:\0 \0b", 10),
                "f.yaml:1:1 the file is UTF-16; save it as UTF-8"},
        Hostile{"Utf16WithoutMark", std::string("a\0:\0 \0b\0", 8),
                "f.yaml:1:2 control character 0x00"},
        Hostile{"TabIndent", "a:\n\tb: 1", "f.yaml:2:1 a tab can't indent YAML; use spaces\n"},
        Hostile{"TabAtStart", "\ta: b", "f.yaml:1:1 a tab can't indent YAML; use spaces\n"},
        Hostile{"TabBeforeKey", "a:\n  b: 1\n\tc: 2",
                "f.yaml:3:1 a tab can't indent YAML; use spaces\n"},
        Hostile{
            "SecondDocument", "a: 1\n---\nb: 2",
            "f.yaml:2:1 a second document begins here; write one document a file, without ---\n"},
        Hostile{"ManyDocuments", Repeat("---\n", 300'000),
                "f.yaml:2:1 a second document begins here"},
        Hostile{"DocumentsWithEnds", Repeat("--- a\n...\n", 100'000),
                "f.yaml:3:1 a second document begins here"},
        Hostile{"UnclosedDoubleQuote", "a: 1\nb: \"x\nc: 2\n",
                "f.yaml:2:4 the quote that opens here is never closed; close it, or double a '"},
        Hostile{"UnclosedSingleQuote", "b: 'it's\nc: 2\n",
                "f.yaml:1:8 expected a key, or the end of the mapping that begins in line 1"},
        Hostile{"UnclosedList", "a: [1, 2\nb: 3\n",
                "f.yaml:2:2 expected , or ']' in the list that opens in line 1; close it, or put"},
        Hostile{"UnclosedMapping", "a: {b: 1\n",
                "f.yaml:2:1 expected , or '}' in the mapping that opens in line 1; close it"},
        Hostile{"ClosedTwice", "a: [1]]\n", "f.yaml:1:7 expected a key, or the end of the mapping"},
        Hostile{"WrongBracket", "a: [1}\n",
                "f.yaml:1:6 expected , or ']' in the list that opens in line 1"},
        Hostile{
            "BareVariableInFlow", "a: {b: ${X}}\n",
            "f.yaml:1:9 expected , or '}' in the mapping that opens in line 1; inside {} and [] "
            "put \"${...}\" in quotes\n"},
        Hostile{
            "ColonInText", "a: b: c\n",
            "f.yaml:1:5 a colon is not expected here; put a text with ': ' in quotes, or check"},
        Hostile{"WrongIndent", "a: 1\n  b: 2\n", "f.yaml:2:4 a colon is not expected here"},
        Hostile{"LessIndent", "a:\n    b: 1\n  c: 2\n",
                "f.yaml:3:3 expected a key, or the end of the mapping that begins in line 1"},
        Hostile{"ListInText", "a: - b\n",
                "f.yaml:1:4 a list item is not expected here; put '- ' on a line of its own"},
        Hostile{"KeyAfterList", "- a\nb: 1\n",
                "f.yaml:2:1 expected '- ', or the end of the list that begins in line 1; check"},
        Hostile{"MissingColon", "a: 1\nb\nc: 2\n",
                "f.yaml:2:1 expected a colon after this key; write key: value\n"},
        Hostile{"AtSign", "a: @x\n", "f.yaml:1:4 a text can't begin with @; put it in quotes\n"},
        Hostile{"Backtick", "ä: `x\n", "f.yaml:1:4 a text can't begin with `; put it in quotes\n"},
        Hostile{"Percent", "a: %x\n", "f.yaml:1:4 a text can't begin with %; put it in quotes\n"},
        Hostile{"RegexInDoubleQuotes", "a: \"\\d+\"\n",
                "f.yaml:1:5 unknown escape in double quotes; write \\\\ for a backslash, or use "
                "single"},
        Hostile{"BadHexEscape", "a: \"\\xZZ\"\n",
                "f.yaml:1:7 this is no YAML: did not find expected hexdecimal number"},
        Hostile{"SurrogateEscape", "a: \"\\uD800\"\n",
                "f.yaml:1:7 this is no YAML: found invalid Unicode character escape code"},
        Hostile{"NulEscape", "a: \"x\\0y\"\n",
                "f.yaml:1:4 a text can't hold the character NUL; remove the escape\n"},
        Hostile{"NulEscapeInKey", "\"x\\0\": y\n",
                "f.yaml:1:1 a text can't hold the character NUL; remove the escape\n"},
        Hostile{"BinaryTag", "a: !!binary aGk=\n",
                "f.yaml:1:4 tag '!!binary' is not understood; remove it, or put a text that begins "
                "with ! in"},
        Hostile{"PythonTag", "a: !!python/object/apply:os.system ['true']\n",
                "f.yaml:1:4 tag '!!python/object/apply:os.system' is not"},
        Hostile{"LocalTag", "a: !include x.yaml\n", "f.yaml:1:4 tag '!include' is not understood"},
        Hostile{"NumberTag", "a: !!int 5\n", "f.yaml:1:4 tag '!!int' is not understood"},
        Hostile{"TagOfAList", "a: !!str [x]\n", "f.yaml:1:4 tag '!!str' is not understood"},
        Hostile{"UnknownTagHandle", "a: !x!y z\n",
                "f.yaml:1:4 this is no YAML: found undefined tag handle"},
        Hostile{"ManyTagDirectives", Repeat("%TAG !a! tag:x:\n", 200'000) + "--- a",
                "f.yaml:1:1 %TAG is not supported; remove it"},
        Hostile{"TagDirectivesAfterEnd", "a: 1\n...\n" + Repeat("%TAG !a! tag:x:\n", 200'000),
                "f.yaml:3:1 %TAG is not supported"},
        Hostile{"OldVersion", "%YAML 2.0\n---\na: 1\n",
                "f.yaml:1:1 this is no YAML: found incompatible YAML document"},
        Hostile{"DirectiveAlone", "%YAML 1.2\na: 1\n",
                "f.yaml:2:1 this is no YAML: did not find expected <document start>"},
        Hostile{"MergeKey", "a: &a {x: 1}\nb: {<<: *a}\n",
                "f.yaml:2:5 merge keys (<<) are no part of YAML 1.2; write the keys out, or use a"},
        Hostile{"ListAsKey", "? [a, b]\n: c\n",
                "f.yaml:1:3 a list can't be a key; put ${...} and other texts"},
        Hostile{"MappingAsKey", "{a: 1}: b\n", "f.yaml:1:1 a mapping can't be a key"},
        Hostile{"EmptyKey", "'': x\n",
                "f.yaml:1:1 a key is empty; write a name before the colon\n"},
        Hostile{"ValueWithoutKey", ": x\n", "f.yaml:1:1 expected a key, or the end of the mapping"},
        Hostile{"NullKeyInFlow", "a: {: x}\n",
                "f.yaml:1:5 expected a value here; check for a doubled comma"},
        Hostile{"DuplicateByAlias", "&k a: 1\n*k : 2\n",
                "f.yaml:2:1 key 'a' is given twice, first in line 1; remove one\n"},
        Hostile{"ManyDuplicates", Repeat("a: 1\n", 50'000),
                "f.yaml:2:1 key 'a' is given twice, first in line 1; remove one\n"},
        Hostile{"LongKey", Repeat("k", 2000) + ": 1\n", "f.yaml:1:"},
        Hostile{"BlockIndicator", "a: |9999999999\n x\n",
                "f.yaml:1:6 this is no YAML: did not find expected comment or line break"},
        Hostile{"BlockWithoutIndent", "a: |\nx\n", "f.yaml:2:1 expected a colon after this key"},
        Hostile{"OnlyBang", Repeat("!", 1'000'000), "f.yaml:1:"},
        Hostile{"OnlyPercent", Repeat("%", 1'000'000), "f.yaml:1:2 this is no YAML:"},
        Hostile{"OnlyAmpersand", Repeat("&", 1'000'000), "f.yaml:1:2 this is no YAML:"},
        Hostile{"OnlyBackticks", Repeat("`", 1'000'000), "f.yaml:1:1 a text can't begin with `"},
        Hostile{"OnlyCommas", "[" + Repeat(",", 1'000'000), "f.yaml:1:2 expected a value here"},
        Hostile{"UnknownDirectives", Repeat("%FOO x\n", 300'000) + "--- a",
                "f.yaml:1:5 this is no YAML: found unknown directive"},
        Hostile{"EscapesOnly", "\"" + Repeat("\\", 1'000'001),
                "f.yaml:1:1000002 unknown escape in double quotes"}),
    [](const auto& info) { return info.param.name; });

/// Large but allowed files must be read, in time.
struct Large {
  std::string name;
  std::string text;
};
std::ostream& operator<<(std::ostream& out, const Large& l) { return out << l.name; }

class LargeYaml : public testing::TestWithParam<Large> {};

TEST_P(LargeYaml, IsRead) { EXPECT_EQ(FaultsOf(GetParam().text), ""); }

std::string ManyKeys() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += fmt::format("k{}: 1\n", i);
  return text;
}

std::string ManyAnchors() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += fmt::format("- &a{} x\n", i);
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    Files, LargeYaml,
    testing::Values(Large{"Keys", ManyKeys()}, Large{"Anchors", ManyAnchors()},
                    Large{"Scalar", "a: " + Repeat("x", 4'000'000)},
                    Large{"Comment", Repeat("#", 4'000'000)},
                    Large{"CommentLines", Repeat("#x\n", 300'000)},
                    Large{"BlankLines", Repeat("\n", 1'000'000)},
                    Large{"CarriageReturns", Repeat("\r", 1'000'000)},
                    Large{"FoldedBlanks", "a: >\n" + Repeat(" \n", 300'000)},
                    Large{"FoldedLines", "a: b" + Repeat("\n b", 300'000)},
                    Large{"Indent", "a:\n" + Repeat(" ", 1'000'000) + "b"},
                    Large{"Escapes", "\"" + Repeat("\\U0001F600", 300'000) + "\""},
                    Large{"SingleKeysInFlow", "{" +
                                                  [] {
                                                    std::string keys;
                                                    for (int i = 0; i < 20'000; ++i)
                                                      keys += fmt::format("k{},", i);
                                                    return keys;
                                                  }() +
                                                  "}"},
                    Large{"DepthOf64", Repeat("[", 64) + Repeat("]", 64)}),
    [](const auto& info) { return info.param.name; });

TEST(Yaml, LimitsAreTheCallers) {
  Faults faults;
  (void)ParseYaml("[1, 2, 3]", "f", faults, {.nodes_max = 3});
  EXPECT_EQ(faults.Render("stopped"),
            "f:1:8   the file has more than 3 values, aliases filled in; keep data in a data file "
            "and name "
            "it here\n1 fault, stopped.");
}

TEST(YamlPrint, BlockStyleReadsBackAsTheSame) {
  for (const char* text : {
           "a: 1\nb: 'true'\nc: [x, {y: z}]\nd:\n  e: |\n    SELECT 1\n    FROM t\n  f: "
           "\"\\ta\\x07\\u0085\\u2028\\ufeff\"\n",
           "- - a\n  - b\n- {}\n- []\n- ''\n- ~\n-\n- '- x'\n- 'a: b'\n- 'x #y'\n- '#'\n- -5\n- "
           "'-'\n- '${A}'\n- s3://x/y\n",
           "'key: with colon': 1\n'<<': x\n'1': y\n? "
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n: {b: c}\n",
           "x: \"line one\\n\\n\"\ny: \" lead\\nb\"\nz: \"\\nq\"\nw: \"a\\nb\"\n",
           "just text",
           "[]",
       }) {
    const Node node = Parse(text);
    const std::string printed = ToYaml(node);
    EXPECT_TRUE(Parse(printed).SameAs(node)) << printed;
    const std::string flow = ToFlowYaml(node);
    EXPECT_TRUE(Parse(flow).SameAs(node)) << flow;
  }
}

TEST(YamlPrint, LooksAsAPersonWritesIt) {
  const Node node = Parse(
      "type: csv\nsource_path: s3://a/b\nkeys: ['a', 'b c', '1', true]\nsql: |\n  SELECT 1\n  FROM "
      "t\nempty: {}\n");
  EXPECT_EQ(ToYaml(node),
            "type: csv\nsource_path: s3://a/b\nkeys:\n  - a\n  - b c\n  - \"1\"\n  - true\nsql: "
            "|\n  SELECT 1\n  FROM t\nempty: {}\n");
  EXPECT_EQ(ToFlowYaml(*node.Find("keys")), "[a, b c, \"1\", true]");
}

TEST(Node, SetReplacesAndRemoveRemoves) {
  Node node = Node::Mapping();
  node.Set("a", Node::Scalar("1"));
  node.Set("a", Node::Scalar("2"));
  node.Set("b", Node::Scalar("3"));
  EXPECT_EQ(ToFlowYaml(node), "{a: 2, b: 3}");
  EXPECT_TRUE(node.Remove("a"));
  EXPECT_FALSE(node.Remove("a"));
  EXPECT_EQ(ToFlowYaml(node), "{b: 3}");
}

}  // namespace
}  // namespace calve::config
