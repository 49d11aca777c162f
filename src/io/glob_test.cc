#include "io/glob.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "io/file_system_set.h"
#include "io/test_folder.h"

namespace calve::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

bool Matches(std::string_view pattern, std::string_view path) {
  auto parsed = GlobPattern::Parse(pattern);
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().message);
  return parsed.ok() && parsed->Matches(path);
}

TEST(GlobPattern, StarsAndQuestionMarksStayWithinAName) {
  EXPECT_TRUE(Matches("*.csv", "a.csv"));
  EXPECT_TRUE(Matches("*", "anything"));
  EXPECT_TRUE(Matches("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(Matches("a?c", "abc"));
  EXPECT_FALSE(Matches("*.csv", "d/a.csv"));
  EXPECT_FALSE(Matches("*.csv", "a.csv.gz"));
  EXPECT_FALSE(Matches("a?c", "ac"));
  EXPECT_FALSE(Matches("a*c", "ab/c"));
}

TEST(GlobPattern, TwoStarsMatchAnyNumberOfFolders) {
  EXPECT_TRUE(Matches("**/*.csv", "a.csv"));
  EXPECT_TRUE(Matches("**/*.csv", "x/y/z/a.csv"));
  EXPECT_TRUE(Matches("x/**/a.csv", "x/a.csv"));
  EXPECT_TRUE(Matches("x/**", "x/y/z"));
  EXPECT_TRUE(Matches("**/b/**/c", "a/b/b/c"));
  EXPECT_FALSE(Matches("x/**/a.csv", "y/x/a.csv"));
}

TEST(GlobPattern, SetsAndBraces) {
  EXPECT_TRUE(Matches("[a-c]x", "bx"));
  EXPECT_TRUE(Matches("[!a-c]x", "dx"));
  EXPECT_TRUE(Matches("[]x]", "]"));
  EXPECT_TRUE(Matches("[a-]", "-"));
  EXPECT_TRUE(Matches("{2024,2025}/*.{csv,csv.gz}", "2025/a.csv.gz"));
  EXPECT_TRUE(Matches("a{b,c{d,e}}f", "acef"));
  EXPECT_TRUE(Matches("a{,x}", "a"));
  EXPECT_FALSE(Matches("[a-c]x", "dx"));
  EXPECT_FALSE(Matches("{2024,2025}/*", "2026/x"));
}

TEST(GlobPattern, ABackslashTakesTheMeaningAway) {
  EXPECT_TRUE(Matches("a\\*b", "a*b"));
  EXPECT_FALSE(Matches("a\\*b", "axb"));
  EXPECT_TRUE(Matches("\\{x,y\\}", "{x,y}"));
}

TEST(GlobPattern, HiddenNamesMustBeAskedFor) {
  EXPECT_FALSE(Matches("*", ".hidden"));
  EXPECT_FALSE(Matches("**/x", ".git/x"));
  EXPECT_TRUE(Matches(".*", ".hidden"));
  EXPECT_FALSE(Matches("?hidden", ".hidden"));
}

TEST(GlobPattern, WrongPatternsAreRefusedWithTheReason) {
  const struct {
    std::string pattern;
    std::string reason;
  } cases[] = {{"", "nothing"},    {"../x", ".."},
               {"a/../x", ".."},   {"a//b", "empty"},
               {"/a", "empty"},    {"a/", "empty"},
               {"a**b", "alone"},  {"[ab", "not closed"},
               {"[a/b]", "slash"}, {"{a,b", "not closed"},
               {"a}b", "closes"},  {"a\\", "backslash"},
               {"{..,x}/y", ".."}, {std::string(5000, 'a'), "longer"}};
  for (const auto& each : cases) {
    auto parsed = GlobPattern::Parse(each.pattern);
    ASSERT_FALSE(parsed.ok()) << each.pattern;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kConfig);
    EXPECT_THAT(parsed.error().message, HasSubstr(each.reason));
  }
}

TEST(GlobPattern, BracesCannotGrowWithoutEnd) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "{a,b}";
  EXPECT_THAT(GlobPattern::Parse(pattern).error().message, HasSubstr("1,000"));
}

TEST(GlobPattern, ManyStarsTakeNoLongTime) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(Matches(pattern + "b", std::string(3000, 'a')));
  std::string folders;
  std::string stars;
  for (int i = 0; i < 200; ++i) {
    folders += "a/";
    stars += "**/a/";
  }
  EXPECT_FALSE(Matches(stars + "b", folders + "c"));
}

class GlobFiles : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    root_ = GetParam() ? folder_.path() : "memory://m/data";
    for (const std::string name :
         {"2024/a.csv", "2024/b.csv.gz", "2024/deep/c.csv", "2025/a.csv", "2025/x.json", "top.csv",
          ".hidden/a.csv", "we[ir]d/a.csv", "100%25/a.csv"}) {
      ASSERT_TRUE(set_.WriteFile(*context_, root_ + "/" + name, "x").ok());
    }
  }

  std::vector<std::string> Found(const std::string& pattern) {
    auto files = Glob(*context_, set_, root_, pattern);
    if (!files.ok()) return {"error: " + files.error().message};
    std::vector<std::string> names;
    for (const FileInfo& info : *files) names.push_back(info.uri.substr(root_.size() + 1));
    return names;
  }

  TestFolder folder_;
  OwnedContext context_;
  FileSystemSet set_;
  std::string root_;
};

INSTANTIATE_TEST_SUITE_P(Places, GlobFiles, testing::Bool(),
                         [](const auto& place) { return place.param ? "local" : "memory"; });

TEST_P(GlobFiles, FindsWhatMatches) {
  EXPECT_THAT(Found("*.csv"), ElementsAre("top.csv"));
  EXPECT_THAT(Found("20*/*.csv"), ElementsAre("2024/a.csv", "2025/a.csv"));
  EXPECT_THAT(Found("**/*.csv"), ElementsAre("100%25/a.csv", "2024/a.csv", "2024/deep/c.csv",
                                             "2025/a.csv", "top.csv", "we[ir]d/a.csv"));
  EXPECT_THAT(Found("2024/**"), ElementsAre("2024/a.csv", "2024/b.csv.gz", "2024/deep/c.csv"));
  EXPECT_THAT(Found("{2024,2025}/*.{json,csv.gz}"), ElementsAre("2024/b.csv.gz", "2025/x.json"));
  EXPECT_THAT(Found("we\\[ir\\]d/*"), ElementsAre("we[ir]d/a.csv"));
  EXPECT_THAT(Found("100%25/*"), ElementsAre("100%25/a.csv"));
  EXPECT_THAT(Found("2026/*"), IsEmpty());
}

TEST_P(GlobFiles, AnAddressIsAFileAFolderOrAPattern) {
  const auto count = [&](const std::string& uri, std::string_view pattern = "") {
    auto files = FindFiles(*context_, set_, uri, pattern);
    return files.ok() ? static_cast<int>(files->size()) : -1;
  };
  EXPECT_EQ(count(root_ + "/top.csv"), 1);
  EXPECT_EQ(count(root_ + "/2024"), 2);
  EXPECT_EQ(count(root_ + "/2024/", "**/*.csv"), 2);
  EXPECT_EQ(count(root_ + "/*/a.csv"), 4);
  EXPECT_EQ(count(root_ + "/20*", "*.csv"), 2);
  EXPECT_EQ(count(root_ + "/we[ir]d/a.csv"), 1);
  EXPECT_EQ(count(root_ + "/2024/*.xml"), 0);
  auto missing = FindFiles(*context_, set_, root_ + "/nothing.csv");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(FindFiles(*context_, set_, "s3://*/x").error().kind, ErrorKind::kConfig);
}

TEST_P(GlobFiles, TooManyFilesAreRefused) {
  auto files = Glob(*context_, set_, root_, "**/*.csv", {.files_max = 3});
  ASSERT_FALSE(files.ok());
  EXPECT_EQ(files.error().kind, ErrorKind::kRefused);
}

TEST(GlobFilesLocal, CirclesOfLinksEnd) {
  TestFolder folder;
  OwnedContext context;
  FileSystemSet set;
  ASSERT_TRUE(set.WriteFile(*context, folder.At("a/f"), "x").ok());
  std::filesystem::create_directory_symlink(folder.path(), folder.At("a/circle"));
  EXPECT_EQ(Glob(*context, set, folder.path(), "**/f")->size(), 1U);
  EXPECT_EQ(Glob(*context, set, folder.path(), "*/*/*/f")->size(),
            1U);  // by name it may be entered
  EXPECT_EQ(Glob(*context, set, folder.At("missing"), "*").error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace calve::io
