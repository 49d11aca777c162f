#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace calve::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Two commands, one with verbs, as calve has them.
class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() : app_("", "calve") {
    app_.add_option("-C,--project", text_, "The project folder");
    app_.add_flag("--json", flag_, "Print JSON");
    app_.add_subcommand("run", "Run a job")->add_option("JOB", text_);
    CLI::App* table = app_.add_subcommand("table", "Look at tables");
    table->add_subcommand("list", "All tables");
    CLI::App* tag = table->add_subcommand("tag", "Name a snapshot");
    tag->add_option("TABLE", text_);
    tag->add_option("TAG", text_);
    tag->add_option("--snapshot", text_, "Which");
    app_.add_subcommand("__complete", "")->group("");
  }

  std::vector<std::string> Texts(const std::vector<std::string>& words) {
    std::vector<std::string> texts;
    const ValuesOf values = [](const std::string& argument, const std::string& folder) {
      return std::vector<Candidate>{{argument + "1" + folder, ""}};
    };
    for (const Candidate& one : Complete(app_, words, values)) texts.push_back(one.text);
    return texts;
  }

  CLI::App app_;
  std::string text_;
  bool flag_ = false;
};

TEST_F(CompletionTest, CommandsAreOfferedAndHiddenOnesAreNot) {
  EXPECT_THAT(Texts({""}), ElementsAre("run", "table"));
  EXPECT_THAT(Texts({}), ElementsAre("run", "table"));
  EXPECT_THAT(Texts({"ta"}), ElementsAre("table"));
  EXPECT_THAT(Texts({"table", ""}), ElementsAre("list", "tag"));
}

TEST_F(CompletionTest, OptionsOfTheCommandAndOfThoseAbove) {
  EXPECT_THAT(Texts({"table", "tag", "--s"}), ElementsAre("--snapshot"));
  EXPECT_THAT(Texts({"table", "tag", "--j"}), ElementsAre("--json"));
}

TEST_F(CompletionTest, PositionalsAreCountedPastOptionsAndTheirValues) {
  EXPECT_THAT(Texts({"run", ""}), ElementsAre("JOB1"));
  EXPECT_THAT(Texts({"table", "tag", ""}), ElementsAre("TABLE1"));
  EXPECT_THAT(Texts({"table", "tag", "--snapshot", "7", "--json", "a.b", ""}), ElementsAre("TAG1"));
  EXPECT_THAT(Texts({"run", "one", ""}), IsEmpty());
}

TEST_F(CompletionTest, TheProjectFolderOfTheLineIsUsedAndItsValueIsLeftToTheShell) {
  EXPECT_THAT(Texts({"-C", "shop", "run", ""}), ElementsAre("JOB1shop"));
  EXPECT_THAT(Texts({"-C", ""}), IsEmpty());
}

TEST_F(CompletionTest, OnlyWhatBeginsWithTheWord) {
  EXPECT_THAT(Texts({"run", "J"}), ElementsAre("JOB1"));
  EXPECT_THAT(Texts({"run", "x"}), IsEmpty());
}

TEST(CompletionScript, KnowsThreeShells) {
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_THAT(CompletionScript(shell), ::testing::HasSubstr("calve __complete -- "));
  EXPECT_EQ(CompletionScript("tcsh"), "");
}

}  // namespace
}  // namespace calve::cli
