#include "load/schema_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calve::load {
namespace {

using audit::DriftPolicy;
using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Field Column(int id, std::string name, Type type) {
  return {.id = FieldId(id), .name = std::move(name), .type = std::move(type)};
}

/// An order with lines: a list of structs, and a map of structs.
std::vector<Field> Order(const std::vector<Field>& line, const std::vector<Field>& tag) {
  return {Column(1, "id", Type::Long()),
          Column(2, "lines", Type::List(FieldId(3), Type::Struct(line), false)),
          Column(4, "tags",
                 Type::Map(FieldId(5), Type::String(), FieldId(6), Type::Struct(tag), false))};
}

const std::vector<Field> kLine = {Column(10, "sku", Type::String()),
                                  Column(11, "qty", Type::Int())};
const std::vector<Field> kTag = {Column(20, "weight", Type::Float())};

class SchemaPlanTest : public ::testing::Test {
 protected:
  Result<SchemaPlan> Meet(const std::vector<Field>& incoming) const {
    const auto current = *iceberg::Schema::Make(iceberg::SchemaId(0), Order(kLine, kTag));
    return MeetSchemas({.table = "shop.orders", .current = current.get(), .contract = &contract_},
                       incoming);
  }

  /// The steps as `kind column to`.
  static std::vector<std::string> StepsOf(const SchemaPlan& plan) {
    std::vector<std::string> steps;
    for (const SchemaPlan::Step& step : plan.steps) {
      const char* kinds[] = {"add", "widen", "leave out", "reject", "gone"};
      steps.push_back(std::string(kinds[static_cast<int>(step.kind)]) + " " + step.column + " " +
                      step.to);
    }
    return steps;
  }

  audit::Contract contract_;
};

TEST_F(SchemaPlanTest, ColumnsNewInsideStructsListsAndMapsAreAdded) {
  const auto plan = Meet(Order({kLine[0], Column(12, "note", Type::String()), kLine[1]},
                               {kTag[0], Column(21, "since", Type::Date())}));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_THAT(StepsOf(*plan),
              ElementsAre("add lines.element.note string", "add tags.value.since date"));
  EXPECT_NE(plan->schema->FindByName("lines.element.note"), nullptr);
  EXPECT_NE(plan->schema->FindByName("tags.value.since"), nullptr);
}

TEST_F(SchemaPlanTest, AColumnThatASourceLacksInsideAStructStays) {
  const auto plan = Meet(Order({kLine[1]}, kTag));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_TRUE(plan->steps.empty());
  EXPECT_NE(plan->schema->FindByName("lines.element.sku"), nullptr);
}

TEST_F(SchemaPlanTest, ColumnsThatASourceNoLongerHasAreNamedAndStay) {
  std::vector<Field> incoming = Order(kLine, kTag);
  incoming.erase(incoming.begin() + 1, incoming.end());
  const auto plan = Meet(incoming);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_THAT(StepsOf(*plan), ElementsAre("gone lines, tags "));
  EXPECT_NE(plan->schema->FindByName("lines"), nullptr);
}

TEST_F(SchemaPlanTest, TypesInsideStructsWidenWhenTheContractSaysEvolve) {
  contract_.on_type_change = DriftPolicy::kEvolve;
  const auto plan = Meet(Order({kLine[0], Column(11, "qty", Type::Long())}, kTag));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_THAT(StepsOf(*plan), ElementsAre("widen lines.element.qty long"));
  EXPECT_EQ(plan->schema->FindByName("lines.element.qty")->type, Type::Long());
}

TEST_F(SchemaPlanTest, WiderTypesInsideStructsAreRejectedRowByRowOtherwise) {
  const auto plan = Meet(Order({kLine[0], Column(11, "qty", Type::Long())}, kTag));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_THAT(StepsOf(*plan), ElementsAre("reject lines.element.qty long"));
  EXPECT_EQ(plan->schema->FindByName("lines.element.qty")->type, Type::Int());
}

TEST_F(SchemaPlanTest, ColumnsNewInsideStructsAreLeftOutUnderQuarantine) {
  contract_.on_new_column = DriftPolicy::kQuarantine;
  const auto plan = Meet(Order({kLine[0], Column(12, "note", Type::String())}, kTag));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_THAT(StepsOf(*plan), ElementsAre("leave out lines.element.note string"));
  EXPECT_EQ(plan->schema->FindByName("lines.element.note"), nullptr);
}

TEST_F(SchemaPlanTest, AFrozenSchemaNamesEveryNestedColumn) {
  contract_.on_new_column = DriftPolicy::kFreeze;
  contract_.on_type_change = DriftPolicy::kFreeze;
  const auto plan =
      Meet(Order({kLine[0], Column(11, "qty", Type::Long()), Column(12, "note", Type::String())},
                 {Column(20, "weight", Type::Double())}));
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().kind, ErrorKind::kData);
  EXPECT_THAT(plan.error().message, HasSubstr("'lines.element.qty' is long"));
  EXPECT_THAT(plan.error().message, HasSubstr("'lines.element.note' is new"));
  EXPECT_THAT(plan.error().message, HasSubstr("'tags.value.weight' is double"));
}

TEST_F(SchemaPlanTest, TheKeyOfAMapNeverChanges) {
  contract_.on_type_change = DriftPolicy::kEvolve;
  std::vector<Field> incoming = Order(kLine, kTag);
  incoming[2].type = Type::Map(FieldId(5), Type::Long(), FieldId(6), Type::Struct(kTag), false);
  const auto plan = Meet(incoming);
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().message, HasSubstr("'tags.key' is long in the source and string"));
}

TEST_F(SchemaPlanTest, AStructThatBecomesANumberIsRefused) {
  std::vector<Field> incoming = Order(kLine, kTag);
  incoming[1].type = Type::Long();
  const auto plan = Meet(incoming);
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().message, HasSubstr("'lines' is long in the source"));
}

TEST_F(SchemaPlanTest, RowsWithoutAnyColumnOfTheTableAreOfSomethingElse) {
  const auto plan = Meet({Column(1, "id;lines;tags", Type::String())});
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().message,
              HasSubstr("no column of shop.orders: expected 'id', 'lines', 'tags', found "
                        "'id;lines;tags'"));
  EXPECT_THAT(plan.error().message, HasSubstr("delimiter"));
}

}  // namespace
}  // namespace calve::load
