#include "load/iceberg/row_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calve::load {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using ::testing::HasSubstr;

config::Node Read(const std::string& yaml) {
  const auto node = config::ParseYaml(yaml, "job.yaml");
  return node.ok() ? *node : config::Node();
}

iceberg::SchemaPtr Sales() {
  return *iceberg::Schema::Make(
      iceberg::SchemaId(0),
      {Field{.id = FieldId(1), .name = "day", .type = Type::Date()},
       Field{.id = FieldId(2), .name = "region", .type = Type::String()},
       Field{.id = FieldId(3), .name = "amount", .type = Type::Decimal(9, 2)},
       Field{.id = FieldId(4),
             .name = "shop",
             .type = Type::Struct({Field{.id = FieldId(5), .name = "id", .type = Type::Int()}})}});
}

std::string FilterOf(const std::string& yaml) {
  const auto filter = MakeRowFilter(Read(yaml), *Sales());
  return filter.ok() ? filter->ToString(*Sales()) : "error: " + filter.error().message;
}

std::string FaultsOf(const std::string& yaml) {
  config::Faults faults;
  CheckRowFilter(Read(yaml), faults);
  return faults.Render();
}

TEST(RowFilter, AValueAListNullAndARangeDescribeRows) {
  EXPECT_EQ(FilterOf("{day: 2026-11-21}"), "day = '2026-11-21'");
  EXPECT_EQ(FilterOf("{region: [EU, US]}"), "region in ('EU', 'US')");
  EXPECT_EQ(FilterOf("{region: null}"), "region is null");
  EXPECT_EQ(FilterOf("{region: [EU, null]}"), "region in ('EU') or region is null");
  EXPECT_EQ(FilterOf("{amount: {min: 1.50, below: 3}}"), "amount >= 1.50 and amount < 3.00");
  EXPECT_EQ(FilterOf("{shop.id: {max: -1}}"), "shop.id <= -1");
}

TEST(RowFilter, ColumnsHoldTogether) {
  EXPECT_EQ(FilterOf("{day: 2026-11-21, region: EU}"), "day = '2026-11-21' and region = 'EU'");
}

TEST(RowFilter, WhatTheTableCannotAnswerIsRefusedByPlace) {
  EXPECT_THAT(FilterOf("{regoin: EU}"), HasSubstr("job.yaml:1:2: where names 'regoin'"));
  EXPECT_THAT(FilterOf("{regoin: EU}"), HasSubstr("region"));
  EXPECT_THAT(FilterOf("{shop: 1}"), HasSubstr("no plain column"));
  EXPECT_THAT(FilterOf("{day: yesterday}"), HasSubstr("column 'day'"));
}

TEST(RowFilter, ShapesThatDescribeNoRowAreFaults) {
  EXPECT_EQ(FaultsOf("{day: 2026-11-21, region: [EU, null], amount: {min: 1}}"), "");
  EXPECT_THAT(FaultsOf("day = 1"), HasSubstr("a mapping of columns"));
  EXPECT_THAT(FaultsOf("{}"), HasSubstr("a mapping of columns"));
  EXPECT_THAT(FaultsOf("{day: []}"), HasSubstr("an empty list"));
  EXPECT_THAT(FaultsOf("{day: {}}"), HasSubstr("no bound"));
  EXPECT_THAT(FaultsOf("{day: {from: 1}}"), HasSubstr("'from' is no bound"));
  EXPECT_THAT(FaultsOf("{day: {min: [1]}}"), HasSubstr("a bound is a single value"));
  EXPECT_THAT(FaultsOf("{day: [[1]]}"), HasSubstr("holds single values"));
}

}  // namespace
}  // namespace calve::load
