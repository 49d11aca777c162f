#include "columnar/keep_columns.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

namespace calve::columnar {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;

std::shared_ptr<arrow::DataType> Pair(bool both) {
  arrow::FieldVector fields = {arrow::field("x", arrow::int32())};
  if (both) fields.push_back(arrow::field("extra", arrow::utf8()));
  return arrow::struct_(std::move(fields));
}

arrow::FieldVector Fields(bool both) {
  arrow::FieldVector fields = {arrow::field("id", arrow::int64()), arrow::field("s", Pair(both)),
                               arrow::field("l", arrow::list(Pair(both))),
                               arrow::field("big", arrow::large_list(Pair(both))),
                               arrow::field("m", arrow::map(arrow::utf8(), Pair(both)))};
  if (both) fields.insert(fields.begin() + 1, arrow::field("extra", arrow::int32()));
  return fields;
}

iceberg::SchemaPtr Target() {
  const auto pair = [](int id) {
    return Type::Struct({Field{.id = FieldId(id), .name = "x", .type = Type::Int()}});
  };
  return *iceberg::Schema::Make(
      iceberg::SchemaId(0),
      {Field{.id = FieldId(1), .name = "id", .type = Type::Long()},
       Field{.id = FieldId(2), .name = "s", .type = pair(3)},
       Field{.id = FieldId(4), .name = "l", .type = Type::List(FieldId(5), pair(6), false)},
       Field{.id = FieldId(7), .name = "big", .type = Type::List(FieldId(8), pair(9), false)},
       Field{.id = FieldId(10),
             .name = "m",
             .type = Type::Map(FieldId(11), Type::String(), FieldId(12), pair(13), false)}});
}

Batch FromJson(bool both, const std::string& json) {
  const auto rows =
      arrow::json::ArrayFromJSONString(arrow::struct_(Fields(both)), json).ValueOrDie();
  return arrow::RecordBatch::FromStructArray(rows).ValueOrDie();
}

TEST(KeepColumns, WhatTheTargetLacksIsLeftOutAtEveryDepth) {
  const Batch batch = FromJson(true, R"([
    {"id": 1, "extra": 1, "s": {"x": 1, "extra": "a"}, "l": [{"x": 2, "extra": "b"}, null],
     "big": [{"x": 3, "extra": "c"}], "m": [["k", {"x": 4, "extra": "d"}]]},
    {"id": 2, "extra": 2, "s": null, "l": null, "big": [], "m": null},
    {"id": 3, "extra": 3, "s": {"x": null, "extra": "e"}, "l": [], "big": null, "m": []}])");
  const Batch expected = FromJson(false, R"([
    {"id": 1, "s": {"x": 1}, "l": [{"x": 2}, null], "big": [{"x": 3}], "m": [["k", {"x": 4}]]},
    {"id": 2, "s": null, "l": null, "big": [], "m": null},
    {"id": 3, "s": {"x": null}, "l": [], "big": null, "m": []}])");
  const Batch kept = KeepColumns(batch, *Target());
  ASSERT_TRUE(kept->ValidateFull().ok()) << kept->ValidateFull().ToString();
  EXPECT_TRUE(kept->Equals(*expected)) << kept->ToString();
  for (int64_t row = 0; row < 3; ++row) {
    SCOPED_TRACE(row);
    const Batch slice = KeepColumns(batch->Slice(row, 1), *Target());
    ASSERT_TRUE(slice->ValidateFull().ok()) << slice->ValidateFull().ToString();
    EXPECT_TRUE(slice->Equals(*expected->Slice(row, 1))) << slice->ToString();
  }
}

}  // namespace
}  // namespace calve::columnar
