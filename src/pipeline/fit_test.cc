#include "pipeline/fit.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <gtest/gtest.h>

namespace calve::pipeline {
namespace {

using columnar::TracedBatch;

class LineNumbers : public columnar::Origins {
 public:
  std::string Describe(int64_t row) const override { return "line " + std::to_string(row + 2); }
};

iceberg::SchemaPtr Target(iceberg::Type type) {
  return *iceberg::Schema::Make(
      iceberg::SchemaId(0), {{.id = iceberg::FieldId(1), .name = "n", .type = std::move(type)}});
}

TracedBatch Longs(const std::vector<int64_t>& values) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  TracedBatch batch;
  batch.rows = arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int64())}),
                                        static_cast<int64_t>(values.size()),
                                        {builder.Finish().ValueOrDie()});
  batch.origins = std::make_shared<LineNumbers>();
  return batch;
}

TEST(FitTest, RowsThatDoNotFitAreHeldBackWithTheirPlaceAndTheOthersStay) {
  std::vector<int64_t> values(1000, 7);
  values[0] = int64_t{1} << 40;
  values[499] = -(int64_t{1} << 40);
  values[999] = int64_t{1} << 31;
  const auto fitted = FitToTarget(Longs(values), *Target(iceberg::Type::Int()));
  ASSERT_TRUE(fitted.ok()) << fitted.error().message;
  EXPECT_EQ(fitted->rows->num_rows(), 997);
  EXPECT_EQ(fitted->rows->column(0)->type_id(), arrow::Type::INT32);
  ASSERT_EQ(fitted->rejects.size(), 3U);
  EXPECT_EQ(fitted->rejects[0].origin, "line 2");
  EXPECT_EQ(fitted->rejects[1].origin, "line 501");
  EXPECT_EQ(fitted->rejects[2].origin, "line 1001");
  EXPECT_NE(fitted->rejects[2].raw.find("2147483648"), std::string::npos);
  EXPECT_EQ(fitted->OriginOf(0), "line 3");
  EXPECT_EQ(fitted->OriginOf(996), "line 1000");
}

TEST(FitTest, WhereNoRowFitsTheBatchIsEmptyAndOfTheTargetsType) {
  const auto fitted =
      FitToTarget(Longs({int64_t{1} << 40, int64_t{1} << 41}), *Target(iceberg::Type::Int()));
  ASSERT_TRUE(fitted.ok());
  EXPECT_EQ(fitted->rows->num_rows(), 0);
  EXPECT_EQ(fitted->rows->schema()->field(0)->type()->id(), arrow::Type::INT32);
  EXPECT_EQ(fitted->rejects.size(), 2U);
}

TEST(FitTest, AColumnThatTheTargetLacksIsLeftOut) {
  TracedBatch batch = Longs({1, 2});
  arrow::StringBuilder texts;
  ASSERT_TRUE(texts.AppendValues({"a", "b"}).ok());
  batch.rows = *batch.rows->AddColumn(1, "extra", texts.Finish().ValueOrDie());
  const auto fitted = FitToTarget(std::move(batch), *Target(iceberg::Type::Long()));
  ASSERT_TRUE(fitted.ok());
  EXPECT_EQ(fitted->rows->num_columns(), 1);
  EXPECT_EQ(fitted->rows->num_rows(), 2);
  EXPECT_TRUE(fitted->rejects.empty());
}

}  // namespace
}  // namespace calve::pipeline
