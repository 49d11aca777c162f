#include "config/environment.h"

#include <gtest/gtest.h>

namespace calve::config {
namespace {

struct Filled {
  std::string text;
  std::string fault;
  std::string written;
};

Filled Fill(std::string_view text, Environment environment = {}) {
  Node node = Node::Scalar(std::string(text));
  Faults faults;
  FillIn(node, environment, faults);
  return {node.text(), faults.empty() ? "" : faults.Sorted()[0].Sentence(), node.written()};
}

Environment Some() {
  Environment environment{
      .variables = {
          {"USER", "ann"}, {"EMPTY", ""}, {"_X9", "u"}, {"DIR", "secrets"}, {"REF", "${USER}"}}};
  environment.read_file = [](const std::string& path) -> Result<std::string> {
    if (path == "secrets/token") return std::string("t0ken\n");
    if (path == "dos") return std::string("x\r\n");
    if (path == "lines") return std::string("a\nb\n\n");
    if (path == "binary") return std::string("\xff\xfe");
    if (path == "nul") return std::string("a\0b", 3);
    return NotFoundError("no such file");
  };
  return environment;
}

TEST(Environment, VariablesAreFilledInAnywhereInAText) {
  EXPECT_EQ(Fill("${USER}", Some()).text, "ann");
  EXPECT_EQ(Fill("http://${USER}:${_X9}@x", Some()).text, "http://ann:u@x");
  EXPECT_EQ(Fill("${EMPTY}", Some()).text, "");
  EXPECT_EQ(Fill("http://${USER}", Some()).written, "http://${USER}");
}

TEST(Environment, DefaultsStandForWhatIsMissingOrEmpty) {
  EXPECT_EQ(Fill("${NONE:-x y}", Some()).text, "x y");
  EXPECT_EQ(Fill("${NONE:-}", Some()).text, "");
  EXPECT_EQ(Fill("${EMPTY:-x}", Some()).text, "x");
  EXPECT_EQ(Fill("${USER:-x}", Some()).text, "ann");
  EXPECT_EQ(Fill("${NONE:-${USER}}!", Some()).text, "ann!");
  EXPECT_EQ(Fill("${NONE:-${ALSO:-a:-b}}c", Some()).text, "a:-bc");
  EXPECT_EQ(Fill("${USER:-${NONE}}", Some()).fault, "");
}

TEST(Environment, DollarsThatAreNoReferenceStay) {
  for (const char* text : {"$", "$USER", "a$", "{USER}", "$ {USER}", "^\\d+$", "$$", "$1"}) {
    EXPECT_EQ(Fill(text, Some()).text, text);
    EXPECT_EQ(Fill(text, Some()).fault, "");
  }
  EXPECT_EQ(Fill("$${USER} ${USER}", Some()).text, "${USER} ann");
  EXPECT_EQ(Fill("${NONE:-$${x} y}", Some()).text, "${x y}");
}

TEST(Environment, ValuesAreNotFilledInAgain) { EXPECT_EQ(Fill("${REF}", Some()).text, "${USER}"); }

TEST(Environment, FilesAreReadThroughTheCaller) {
  EXPECT_EQ(Fill("${file:secrets/token}", Some()).text, "t0ken");
  EXPECT_EQ(Fill("Bearer ${file:${DIR}/token}", Some()).text, "Bearer t0ken");
  EXPECT_EQ(Fill("${file:dos}", Some()).text, "x");
  EXPECT_EQ(Fill("${file:lines}", Some()).text, "a\nb\n");
  EXPECT_EQ(Fill("${file:none}", Some()).fault,
            "${file:none} can't be read: no such file; name a file that is there, relative to the "
            "project folder");
  EXPECT_EQ(Fill("${file:}", Some()).fault,
            "${file:} can't be read: no file is named; name a file that is there, relative to the "
            "project folder");
  EXPECT_EQ(Fill("${file:binary}", Some()).fault,
            "${file:binary} can't be read: it is no UTF-8 text; name a file that is there, "
            "relative to the project folder");
  EXPECT_EQ(Fill("${file:nul}", Some()).fault,
            "${file:nul} can't be read: it is no UTF-8 text; name a file that is there, relative "
            "to the project folder");
  EXPECT_EQ(Fill("${file:x}").fault,
            "${file:x} can't be read: no files can be read here; name a file that is there, "
            "relative to the project folder");
}

TEST(Environment, WhatCannotBeFilledInSaysWhatToDo) {
  EXPECT_EQ(Fill("${SALES_TOKEN}").fault,
            "${SALES_TOKEN} is not set; set it, or write ${SALES_TOKEN:-default}");
  EXPECT_EQ(Fill("${SALES_TOKEN").fault, "a ${ has no }; close it, or write $${ for a literal ${");
  EXPECT_EQ(Fill("${A:-${B}").fault, "a ${ has no }; close it, or write $${ for a literal ${");
  for (const char* text : {"${}", "${1A}", "${A B}", "${A-B}", "${ä}", "${A:B}"}) {
    EXPECT_EQ(Fill(text).fault, "'" + std::string(text) +
                                    "' names no variable; write ${NAME}, ${NAME:-default} or "
                                    "${file:path}; $${ is a literal ${");
  }
}

TEST(Environment, NestingHasALimit) {
  std::string text = "x";
  for (int i = 0; i < 1000; ++i) text = "${N:-" + text + "}";
  EXPECT_EQ(Fill(text).fault, "${...} is nested deeper than 8 levels; flatten it");
}

TEST(Environment, ValuesHaveALimitTogether) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "${BIG}";
  EXPECT_EQ(Fill(text, {.variables = {{"BIG", std::string(1'000'000, 'x')}}}).fault,
            "the values of all ${...} together have more than 16 MB; keep data in a data file and "
            "name it here");
}

TEST(Environment, EveryScalarOfATreeIsFilledInButNoKey) {
  Faults faults;
  Node node = ParseYaml("'${USER}': ['${USER}', {a: '${NONE}'}]\nb: ${ALSO}\n", "f", faults);
  FillIn(node, Some(), faults);
  EXPECT_EQ(node.entries()[0].key, "${USER}");
  EXPECT_EQ(node.entries()[0].value.items()[0].text(), "ann");
  EXPECT_EQ(faults.Render(),
            "f:1:28   ${NONE} is not set; set it, or write ${NONE:-default}\n"
            "f:2:4    ${ALSO} is not set; set it, or write ${ALSO:-default}\n"
            "2 faults, nothing was run.");
}

TEST(Environment, PrintingATreeLeavesReferencesAsWritten) {
  Faults faults;
  Node node = ParseYaml("token: ${USER}\n", "f", faults);
  FillIn(node, Some(), faults);
  EXPECT_EQ(ToYaml(node), "token: ${USER}\n");
}

using Variables = std::map<std::string, std::string>;

TEST(DotEnv, LinesGiveVariables) {
  Faults faults;
  EXPECT_EQ(ParseDotEnv("\xEF\xBB\xBF# comment\n\nA=1\n export B = two words  # comment\nC='lit $X "
                        "\\n #'\nD=\"a\\n\\\"b\\\"\\t\\\\\" # c\n"
                        "E=\nF=a#b\nG=x=y\r\nH=#c\nI=''\n",
                        ".env", faults),
            (Variables{{"A", "1"},
                       {"B", "two words"},
                       {"C", "lit $X \\n #"},
                       {"D", "a\n\"b\"\t\\"},
                       {"E", ""},
                       {"F", "a#b"},
                       {"G", "x=y"},
                       {"H", ""},
                       {"I", ""}}));
  EXPECT_EQ(faults.Render(), "");
}

TEST(DotEnv, BadLinesAreFaultsAndTheRestIsRead) {
  Faults faults;
  EXPECT_EQ(
      ParseDotEnv("A=1\nno equals\n1B=2\nC='open\nD=\"x\" y\n=5\nE=\xff\nF=6", ".env", faults),
      (Variables{{"A", "1"}, {"F", "6"}}));
  EXPECT_EQ(
      faults.Render("nothing was read"),
      ".env:2:1   expected NAME=value; write one variable a line; a comment begins with #\n"
      ".env:3:1   expected NAME=value; write one variable a line; a comment begins with #\n"
      ".env:4:1   the quote is never closed; close it on the same line; write \\n in double quotes "
      "for a line break\n"
      ".env:5:1   there is text after the closing quote; remove it, or begin a comment with #\n"
      ".env:6:1   expected NAME=value; write one variable a line; a comment begins with #\n"
      ".env:7:1   this line is no UTF-8 text; save the file as UTF-8\n"
      "6 faults, nothing was read.");
}

TEST(DotEnv, TheProcessWinsOverTheFile) {
  EXPECT_EQ(OverlayEnvironment({{"A", "process"}, {"EMPTY", ""}},
                               {{"A", "file"}, {"B", "file"}, {"EMPTY", "file"}}),
            (Variables{{"A", "process"}, {"B", "file"}, {"EMPTY", ""}}));
}

}  // namespace
}  // namespace calve::config
