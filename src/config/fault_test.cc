#include "config/fault.h"

#include <gtest/gtest.h>

namespace calve::config {
namespace {

Place At(std::string file, int line, int column) {
  return {std::make_shared<const std::string>(std::move(file)), line, column};
}

TEST(Fault, LinesAreAlignedAndSortedByPlace) {
  Faults faults;
  faults.Add(At("b.yaml", 10, 2), "third", "do this");
  faults.Add(At("a.yaml", 1, 1), "fourth");
  faults.Add(At("b.yaml", 9, 12), "second");
  faults.Add(At("b.yaml", 9, 3), "first");
  EXPECT_EQ(faults.Render("nothing was run"),
            "b.yaml:9:3    first\n"
            "b.yaml:9:12   second\n"
            "b.yaml:10:2   third; do this\n"
            "a.yaml:1:1    fourth\n"
            "4 faults, nothing was run.");
}

TEST(Fault, WithoutPlacesThereIsNoMargin) {
  Faults faults;
  EXPECT_EQ(faults.Render(), "");
  EXPECT_TRUE(faults.ToStatus().ok());
  faults.Add({}, "bad");
  EXPECT_EQ(faults.Render("nothing was saved"), "bad\n1 fault, nothing was saved.");
}

TEST(Fault, PlacesLeaveOutWhatIsUnknown) {
  EXPECT_EQ(ToString(At("f", 3, 4)), "f:3:4");
  EXPECT_EQ(ToString(At("f", 0, 0)), "f");
  EXPECT_EQ(ToString(Place{nullptr, 3, 4}), "3:4");
  EXPECT_EQ(ToString(Place{}), "");
}

TEST(Fault, WarningsAreNoFaults) {
  Faults faults;
  faults.Warn({}, "older name");
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(faults.SortedWarnings().size(), 1u);
}

TEST(Fault, ManyFaultsAreCountedAndCut) {
  Faults faults;
  for (int i = 0; i < 5000; ++i) faults.Add(At("f", i + 1, 1), "bad");
  const std::string text = faults.Render();
  EXPECT_EQ(text.substr(text.size() - 63),
            "f:100:1   bad\n... and 4,900 more\n5,000 faults, nothing was run.");
  EXPECT_EQ(faults.Sorted().size(), 200u);
  EXPECT_TRUE(faults.is_full());
}

TEST(Fault, HiddenTextsNeverComeOut) {
  Faults faults;
  faults.Add({}, "got secret and secretive and sec", "write secret");
  faults.Hide("secret");
  faults.Hide("secretive");
  faults.Hide("sec");
  EXPECT_EQ(faults.Sorted()[0].Sentence(), "got *** and *** and sec; write ***");
}

TEST(Fault, AHiddenTextOfStarsEnds) {
  Faults faults;
  faults.Add({}, "*********");
  faults.Hide("****");
  EXPECT_EQ(faults.Sorted()[0].message, "*******");
}

TEST(Fault, QuotedTextsAreSafeForATerminal) {
  EXPECT_EQ(QuoteForMessage("a\x1b[31m\n\t\x7f\xC2\x9B"
                            "é"),
            "'a\\x1b[31m\\n\\t\\x7f\\x9bé'");
  EXPECT_EQ(QuoteForMessage(std::string(60, 'x')), "'" + std::string(60, 'x') + "'");
  EXPECT_EQ(QuoteForMessage(std::string(61, 'x')), "'" + std::string(60, 'x') + "...'");
  std::string umlauts;
  for (int i = 0; i < 61; ++i) umlauts += "ü";
  EXPECT_EQ(QuoteForMessage(umlauts), "'" + umlauts.substr(0, 120) + "...'");
}

}  // namespace
}  // namespace calve::config
