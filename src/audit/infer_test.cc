#include "audit/infer.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "audit/audit.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "config/yaml.h"
#include "engine/engine_for_test.h"

namespace calve::audit {
namespace {

/// Proposals over rows of id (long), `odd: name` (string) and share (double).
class InferTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(columnar::StartArrow().ok());
    RegisterParts(registry_);
  }

  /// Row i has the values of `make(i)`: id, text and share, each may be missing.
  struct Row {
    std::optional<int64_t> id;
    std::optional<std::string> text;
    std::optional<double> share;
  };
  std::string Propose(int64_t rows, const std::function<Row(int64_t)>& make) {
    arrow::Int64Builder id;
    arrow::StringBuilder text;
    arrow::DoubleBuilder share;
    for (int64_t i = 0; i < rows; ++i) {
      const Row row = make(i);
      EXPECT_TRUE((row.id ? id.Append(*row.id) : id.AppendNull()).ok());
      EXPECT_TRUE((row.text ? text.Append(*row.text) : text.AppendNull()).ok());
      EXPECT_TRUE((row.share ? share.Append(*row.share) : share.AppendNull()).ok());
    }
    const auto schema =
        arrow::schema({arrow::field("id", arrow::int64()), arrow::field("odd: name", arrow::utf8()),
                       arrow::field("share", arrow::float64())});
    engine::ArrowTable table{
        .schema = schema,
        .batches = {arrow::RecordBatch::Make(
            schema, rows,
            arrow::ArrayVector{id.Finish().ValueOrDie(), text.Finish().ValueOrDie(),
                               share.Finish().ValueOrDie()})}};
    InferenceInput input{.table = "d.t",
                         .rows_are = "rows of a test",
                         .fields = columnar::ToIcebergFields(*schema, 2).value(),
                         .query = {}};
    input.query.tables.emplace_back("this", std::move(table));
    const auto yaml = InferContract(*context_, *engine_, input);
    EXPECT_TRUE(yaml.ok()) << yaml.error().message;
    return yaml.ok() ? *yaml : std::string();
  }

  /// The names of the checks that the proposal holds, read back.
  std::vector<std::string> ChecksOf(const std::string& yaml) {
    std::vector<std::string> names;
    const auto node = config::ParseYaml(yaml, "c.yaml");
    EXPECT_TRUE(node.ok()) << yaml;
    if (!node.ok()) return names;
    const auto contract = ParseContract(*node, "d.t", registry_);
    EXPECT_TRUE(contract.ok()) << contract.error().message << "\n" << yaml;
    if (!contract.ok()) return names;
    for (const Check& check : contract->checks) names.push_back(check.name);
    return names;
  }

  OwnedContext context_{7};
  Registry registry_;
  engine::TestEngine engine_;
};

TEST_F(InferTest, WhatTheRowsShowComesBackAsChecks) {
  const std::string yaml = Propose(200, [](int64_t i) {
    return Row{
        .id = i, .text = i % 2 == 0 ? "yes" : "a: b", .share = 0.25 * static_cast<double>(i % 5)};
  });
  EXPECT_EQ(ChecksOf(yaml),
            (std::vector<std::string>{"not_null(odd: name)", "accepted_values(odd: name)",
                                      "not_null(share)", "range(share)", "not_null(id)",
                                      "unique(id)", "row_count"}));
  EXPECT_NE(yaml.find("max: 1 "), std::string::npos) << yaml;
  EXPECT_NE(yaml.find("0 of 200 rows are NULL"), std::string::npos) << yaml;
}

TEST_F(InferTest, ColumnsWithNullsAndValuesThatRepeatPromiseNothing) {
  const std::string yaml = Propose(200, [](int64_t i) {
    return Row{.id = i / 2,
               .text = i == 7 ? std::nullopt : std::optional("text " + std::to_string(i)),
               .share = i == 9 ? std::nullopt : std::optional(1e300)};
  });
  EXPECT_EQ(ChecksOf(yaml), (std::vector<std::string>{"not_null(id)", "row_count"})) << yaml;
}

TEST_F(InferTest, TextsThatLookLikeSomethingElseStayTexts) {
  const std::vector<std::string> odd = {"null", "12", "true", "", "${HOME}", "# no comment", "'"};
  const std::string yaml = Propose(70, [&](int64_t i) {
    return Row{.id = 1, .text = odd[static_cast<size_t>(i) % odd.size()], .share = std::nullopt};
  });
  const auto node = config::ParseYaml(yaml, "c.yaml");
  ASSERT_TRUE(node.ok()) << yaml;
  const config::Node* values = node->Find("columns")->Find("odd: name")->Find("accepted_values");
  ASSERT_NE(values, nullptr) << yaml;
  std::vector<std::string> read;
  for (const config::Node& value : values->items()) {
    EXPECT_FALSE(value.is_null());
    read.push_back(value.text());
  }
  EXPECT_EQ(read,
            (std::vector<std::string>{"", "# no comment", "$${HOME}", "'", "12", "null", "true"}));
}

TEST_F(InferTest, FewRowsShowTypesOnly) {
  const std::string yaml =
      Propose(5, [](int64_t) { return Row{.id = 1, .text = "a", .share = 0.5}; });
  EXPECT_EQ(ChecksOf(yaml), (std::vector<std::string>{"row_count"}));
  EXPECT_EQ(ChecksOf(Propose(0, [](int64_t) { return Row{}; })), std::vector<std::string>{});
}

}  // namespace
}  // namespace calve::audit
