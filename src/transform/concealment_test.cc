#include "transform/concealment.h"

#include <gtest/gtest.h>

namespace calve::transform {
namespace {

/// Hides email; id and born are shown.
Concealment HidesEmail() {
  return Concealment({"email"}, arrow::schema({arrow::field("id", arrow::int64()),
                                               arrow::field("email", arrow::utf8()),
                                               arrow::field("born", arrow::date32())}));
}

columnar::Reject Hidden(columnar::Reject reject) {
  reject.form = columnar::RowForm::kText;
  reject.columns = "a header";
  reject.source_row = 7;
  HidesEmail().Hide(&reject);
  EXPECT_EQ(reject.form, columnar::RowForm::kShown);
  EXPECT_EQ(reject.columns, "");
  EXPECT_EQ(reject.source_row, -1);
  return reject;
}

TEST(Concealment, ARowInJsonShowsTheOtherFields) {
  const auto row = Hidden({.origin = "a.jsonl line 3",
                           .column = "born",
                           .reason = "'soon' is no date",
                           .raw = R"({"id": 1, "email": "ada@example.org", "born": "soon"})"});
  EXPECT_EQ(row.raw, R"({"id":1,"email":"***","born":"soon"})");
  EXPECT_EQ(row.reason, "'soon' is no date");
  EXPECT_EQ(row.origin, "a.jsonl line 3");
}

TEST(Concealment, ARowWhoseFieldsAreNotKnownShowsNothing) {
  for (const std::string raw : {"1,ada@example.org,soon", R"({"id": 1, "mail": "ada@example.org"})",
                                R"(["ada@example.org"])", R"({"email": "ada@example.org")"})
    EXPECT_EQ(Hidden({.raw = raw}).raw, "***") << raw;
}

TEST(Concealment, AReasonThatQuotesQuotesNothing) {
  for (const std::string column : {"email", "mail", ""}) {
    EXPECT_EQ(Hidden({.column = column,
                      .reason = "'o'brien@example.org' is no long, nor is 'x'; mend it"})
                  .reason,
              "'***'; mend it");
  }
}

TEST(Concealment, AKeyIsToldOnlyWhereItIsAColumnThatShows) {
  const auto origin = [](const std::string& text) { return Hidden({.origin = text}).origin; };
  EXPECT_EQ(origin("shop.users where id = 7"), "shop.users where id = 7");
  EXPECT_EQ(origin("shop.users where email = ada@example.org"),
            "shop.users, a row whose key is masked");
  EXPECT_EQ(origin("shop.users where id = 7 and email = ada@example.org"),
            "shop.users, a row whose key is masked");
  EXPECT_EQ(origin("shop.users where mail = ada@example.org"),
            "shop.users, a row whose key is masked");
}

TEST(Concealment, NotesAreKeptThatTellOfOtherColumnsOnly) {
  EXPECT_TRUE(HidesEmail().IsToldBy("email is string: 'ada@example.org' in line 7"));
  EXPECT_TRUE(HidesEmail().IsToldBy("mail is string: 'ada@example.org' in line 7"));
  EXPECT_FALSE(HidesEmail().IsToldBy("born is string: 'soon' in line 7"));
}

}  // namespace
}  // namespace calve::transform
