#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <gtest/gtest.h>

#include "base/memory.h"
#include "columnar/arrow_status.h"
#include "columnar/row_text.h"
#include "engine/engine_for_test.h"
#include "transform/registry.h"

namespace calve::transform {
namespace {

class FixedOrigins : public columnar::Origins {
 public:
  std::string Describe(int64_t row) const override {
    return "in.csv line " + std::to_string(row + 2);
  }
};

/// What came out of a transform.
struct Out {
  std::vector<std::string> rows;
  std::vector<std::string> rejects;
  std::vector<std::string> origins;
  int64_t dropped = 0;
  std::pair<int64_t, int64_t> made_of;  ///< Rows taken, and rows made of them.
};

/// Every registered transform over a batch of id (long) and name (string).
class TransformTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(columnar::StartArrow().ok());
    RegisterParts(registry_);
  }

  static columnar::Batch BatchOf(const std::vector<std::optional<std::string>>& names) {
    arrow::Int64Builder id;
    arrow::StringBuilder name;
    for (size_t i = 0; i < names.size(); ++i) {
      EXPECT_TRUE(id.Append(static_cast<int64_t>(i) + 1).ok());
      EXPECT_TRUE((names[i].has_value() ? name.Append(*names[i]) : name.AppendNull()).ok());
    }
    return arrow::RecordBatch::Make(
        arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8())}),
        static_cast<int64_t>(names.size()),
        arrow::ArrayVector{id.Finish().ValueOrDie(), name.Finish().ValueOrDie()});
  }

  /// Make a transform from its options and apply it to a batch.
  Result<Out> Run(const std::string& type, const std::string& yaml, const columnar::Batch& rows) {
    CALVE_ASSIGN_OR_RETURN(const config::Node node, config::ParseYaml(yaml, "job.yaml"));
    CALVE_ASSIGN_OR_RETURN(
        const auto transform,
        registry_.Find(type)->make(*context_, node, rows->schema(), {.engine = engine_.get()}));
    columnar::TracedBatch batch;
    batch.rows = rows;
    batch.origins = std::make_shared<FixedOrigins>();
    batch.rows_read = rows->num_rows();
    CALVE_ASSIGN_OR_RETURN(batch, transform->Apply(*context_, std::move(batch)));
    EXPECT_TRUE(batch.rows->schema()->Equals(*transform->schema()));
    Out out{.rows = {},
            .rejects = {},
            .origins = {},
            .dropped = batch.rows_dropped,
            .made_of = {batch.rows_taken, batch.rows_made}};
    for (int64_t row = 0; row < batch.rows->num_rows(); ++row) {
      out.rows.push_back(columnar::RowAsJson(*batch.rows, row));
      out.origins.push_back(batch.OriginOf(row));
    }
    for (const columnar::Reject& reject : batch.rejects)
      out.rejects.push_back(reject.origin + ": " + reject.reason);
    EXPECT_EQ(static_cast<int64_t>(out.rows.size() + out.rejects.size()) + out.dropped,
              rows->num_rows() - batch.rows_taken + batch.rows_made);
    return out;
  }

  std::string ErrorOf(const std::string& type, const std::string& yaml) {
    const Result<Out> out = Run(type, yaml, BatchOf({"ada", "bo"}));
    return out.ok() ? "" : out.error().message;
  }

  using Texts = std::vector<std::string>;
  OwnedContext context_{7};
  Registry registry_;
  engine::TestEngine engine_;
};

TEST_F(TransformTest, MappingSelectsRenamesAndOrders) {
  const auto out = Run("column_mapping", "rename: {name: who}\norder: [who]", BatchOf({"ada"}));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(out->rows, Texts{R"({"who": "ada", "id": 1})"});
  const auto dropped = Run("column_mapping", "drop: [name]", BatchOf({"ada"}));
  EXPECT_EQ(dropped->rows, Texts{R"({"id": 1})"});
}

TEST_F(TransformTest, RowsThatDifferTakeNoMoreMemoryThanARunHasForThem) {
  MemoryBudget budget(ByteCount(400));  // A quarter has room for two rows.
  Context narrow = *context_;
  narrow.memory = &budget;
  const columnar::Batch rows = BatchOf({"ada", "bo", "cy"});
  const auto node = config::ParseYaml("keys: [name]", "job.yaml");
  const auto transform = registry_.Find("deduplicate")->make(narrow, *node, rows->schema(), {});
  ASSERT_TRUE(transform.ok()) << transform.error().message;
  columnar::TracedBatch batch;
  batch.rows = rows->Slice(0, 2);
  EXPECT_TRUE((*transform)->Apply(narrow, batch).ok());
  batch.rows = rows->Slice(2, 1);
  const auto third = (*transform)->Apply(narrow, batch);
  ASSERT_FALSE(third.ok());
  EXPECT_NE(third.error().message.find("more than 2 rows that differ, as many as have room"),
            std::string::npos)
      << third.error().message;
}

TEST_F(TransformTest, MappingNamesWhatIsNotThere) {
  EXPECT_NE(ErrorOf("column_mapping", "select: [nmae]").find("did you mean 'name'"),
            std::string::npos);
  EXPECT_NE(ErrorOf("column_mapping", "rename: {id: name}").find("rename or drop one"),
            std::string::npos);
  EXPECT_NE(ErrorOf("column_mapping", "drop: [id, name]").find("keep at least one"),
            std::string::npos);
}

TEST_F(TransformTest, ConversionIsExactAndHoldsBackWhatDoesNotFit) {
  const auto out = Run("type_conversion", "types: {name: \"decimal(5, 2)\"}",
                       BatchOf({"1.50", " 2 ", "", std::nullopt, "x", "1.005"}));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(out->rows, (Texts{R"({"id": 1, "name": 1.50})", R"({"id": 2, "name": 2.00})",
                              R"({"id": 3, "name": null})", R"({"id": 4, "name": null})"}));
  ASSERT_EQ(out->rejects.size(), 2U);
  EXPECT_EQ(out->rejects[0],
            "in.csv line 6: column name: 'x' is no decimal(5, 2); expected a number such as 12.50");
  EXPECT_EQ(out->origins[3], "in.csv line 5");
}

TEST_F(TransformTest, NumbersThatAreMeantAsDatesBecomeDates) {
  arrow::Int64Builder days;
  ASSERT_TRUE(days.AppendValues({20260121, 20260230}).ok());
  const auto rows = arrow::RecordBatch::Make(arrow::schema({arrow::field("day", arrow::int64())}),
                                             2, arrow::ArrayVector{days.Finish().ValueOrDie()});
  const auto out = Run("type_conversion", "date_columns: [day]\ndate_formats: [\"%Y%m%d\"]", rows);
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(out->rows, Texts{R"({"day": "2026-01-21"})"});
  EXPECT_EQ(out->rejects.size(), 1U);
  // A number asked to be numeric stays; one asked for another exact type becomes it.
  EXPECT_EQ(Run("type_conversion", "numeric_columns: [day]", rows)->rows[0],
            R"({"day": 20260121})");
  EXPECT_EQ(Run("type_conversion", "types: {day: \"decimal(10, 1)\"}", rows)->rows[0],
            R"({"day": 20260121.0})");
  EXPECT_EQ(Run("type_conversion", "types: {day: string}", rows)->rows[0],
            R"({"day": "20260121"})");
}

TEST_F(TransformTest, ConversionRefusesWhatWouldBeAGuess) {
  const auto flags =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("flag", arrow::boolean())}), 0,
                               arrow::ArrayVector{arrow::BooleanBuilder().Finish().ValueOrDie()});
  const auto out = Run("type_conversion", "types: {flag: long}", flags);
  ASSERT_FALSE(out.ok());
  EXPECT_NE(out.error().message.find("column flag is boolean, which does not become long exactly"),
            std::string::npos);
  for (const char* yaml :
       {"date_formats: [\"%d.%m\"]", "decimal: \",,\"", "thousands: \".\"", "types: {name: int65}"})
    EXPECT_NE(ErrorOf("type_conversion", yaml).find("job.yaml:1:"), std::string::npos) << yaml;
}

TEST_F(TransformTest, ValidationHoldsBackRowsThatBreakARule) {
  const auto out =
      Run("validation", "required_columns: [name]\nrules: [{name: small, sql: \"id < 3\"}]",
          BatchOf({"ada", std::nullopt, "cy"}));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(out->rows, Texts{R"({"id": 1, "name": "ada"})"});
  EXPECT_EQ(out->rejects,
            (Texts{"in.csv line 3: the row breaks the rule required(name): \"name\" IS NOT NULL",
                   "in.csv line 4: the row breaks the rule small: id < 3"}));
}

TEST_F(TransformTest, ARuleThatIsNoConditionIsRefused) {
  EXPECT_NE(ErrorOf("validation", "rules: [{name: r, sql: name}]").find("r is no condition"),
            std::string::npos);
  EXPECT_NE(ErrorOf("sql", "where: id").find("where is no condition"), std::string::npos);
}

TEST_F(TransformTest, ExpressionsReplaceAddAndFilter) {
  const auto out = Run("sql", "columns: {name: upper(name), twice: id * 2}\nwhere: \"id <> 2\"",
                       BatchOf({"ada", "bo", std::nullopt}));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(out->rows, (Texts{R"({"id": 1, "name": "ADA", "twice": 2})",
                              R"({"id": 3, "name": null, "twice": 6})"}));
  EXPECT_EQ(out->dropped, 1);
  EXPECT_EQ(out->origins[1], "in.csv line 4");
  // What is neither true nor false does not go on, and is counted.
  EXPECT_EQ(Run("sql", "where: \"name = 'x'\"", BatchOf({std::nullopt}))->dropped, 1);
}

TEST_F(TransformTest, ARowThatAnExpressionFailsOnIsHeldBackAlone) {
  std::vector<std::optional<std::string>> names(100, "5");
  names[17] = "x";
  names[99] = "y";
  const auto out = Run("sql", "columns: {n: id + name::INT}", BatchOf(names));
  ASSERT_TRUE(out.ok()) << out.error().message;
  ASSERT_EQ(out->rows.size(), 98U);
  ASSERT_EQ(out->rejects.size(), 2U);
  EXPECT_NE(out->rejects[0].find("in.csv line 19: expression \"id + name::INT\": "),
            std::string::npos)
      << out->rejects[0];
  EXPECT_NE(out->rejects[1].find("in.csv line 101: "), std::string::npos);
  for (int64_t i = 0; i < 98; ++i) {
    const int64_t id = i < 17 ? i + 1 : i + 2;
    EXPECT_EQ(out->rows[static_cast<size_t>(i)],
              "{\"id\": " + std::to_string(id) +
                  ", \"name\": \"5\", \"n\": " + std::to_string(id + 5) + "}");
  }
}

TEST_F(TransformTest, ASelectMakesRows) {
  const auto out =
      Run("sql", "select: \"SELECT id, unnest([1, 2]) AS n FROM batch\"", BatchOf({"ada"}));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(out->rows.size(), 2U);
  EXPECT_EQ(out->made_of, (std::pair<int64_t, int64_t>(1, 2)));
  EXPECT_NE(ErrorOf("sql", "select: \"SELECT id, id FROM batch\"").find("two columns named 'id'"),
            std::string::npos);
}

TEST_F(TransformTest, ASelectThatLeavesRowsOutSaysHowMany) {
  const auto out =
      Run("sql", "select: \"SELECT id FROM batch WHERE id = 2\"", BatchOf({"ada", "bo", "cy"}));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(out->rows, Texts{R"({"id": 2})"});
  EXPECT_EQ(out->made_of, (std::pair<int64_t, int64_t>(3, 1)));
}

TEST(RemadeRows, OfSeveralTransformsAreCountedOverAll) {
  columnar::TracedBatch batch;
  batch.CountRemade(10, 4);
  batch.rows_dropped = 1;
  batch.CountRemade(3, 6);
  EXPECT_EQ(batch.rows_taken, 10);
  EXPECT_EQ(batch.rows_made, 7);  // 6 rows and the one left out between.
}

TEST_F(TransformTest, BaseIsConversionThenMappingThenValidation) {
  const auto out = Run(
      "base", "types: {name: long}\nrename: {name: n}\nrules: [{name: even, sql: \"n % 2 = 0\"}]",
      BatchOf({"4", "5", "x"}));
  ASSERT_TRUE(out.ok()) << out.error().message;
  EXPECT_EQ(out->rows, Texts{R"({"id": 1, "n": 4})"});
  EXPECT_EQ(out->rejects.size(), 2U);
}

}  // namespace
}  // namespace calve::transform
