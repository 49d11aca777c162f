#include <gmock/gmock.h>

#include "engine/duckdb/test_table.h"
#include "engine/duckdb/testing.h"

namespace calve::engine {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using iceberg::TypeKind;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Field Column(int id, std::string name, Type type) {
  return {.id = FieldId(id), .name = std::move(name), .type = std::move(type)};
}

const Type kVariant = Type::Of(TypeKind::kVariant);

/// In Arrow's JSON a variant is its bytes as text: metadata without names, then a value.
std::string Row(int n, const std::string& value) {
  return R"({"n": )" + std::to_string(n) +
         R"(, "v": {"metadata": "\u0001\u0000\u0000", "value": ")" + value + R"("}})";
}
const std::string kArray = R"(\u0003\u0002\u0000\u0002\u0003\f\u0001\u0000)";

class VariantSqlTest : public EngineTest {
 protected:
  TestTable& Make(const TestTable::Options& options) {
    table_ = std::make_unique<TestTable>(*context_, files_, "memory://lake/t", options);
    resolver_.Add("t", *table_);
    return *table_;
  }
  TestTable& Numbered() {
    return Make({.fields = {Column(1, "n", Type::Int()), Column(2, "v", kVariant)},
                 .properties = {{"format-version", "3"}}});
  }
  std::vector<std::string> Ask(const std::string& sql) {
    return Rows(sql, {.resolver = &resolver_});
  }

  TestResolver resolver_;
  std::unique_ptr<TestTable> table_;
};

TEST_F(VariantSqlTest, VariantsAreJson) {
  TestTable& table = Numbered();
  table.Append({table.Write("[" + Row(1, kArray) + R"(, {"n": 2}, )" + Row(3, R"(\u0000)") + ", " +
                            Row(4, R"(\tok)") + "]")});
  EXPECT_THAT(Ask("SELECT * FROM t ORDER BY n"),
              ElementsAre("1|[1,null]", "2|NULL", "3|null", R"(4|"ok")"));
  EXPECT_THAT(Ask("SELECT typeof(v), v->>'$[0]' FROM t WHERE n = 1"), ElementsAre("JSON|1"));
  EXPECT_EQ(SchemaOf("SELECT v FROM t", {.resolver = &resolver_})->field(0)->type()->ToString(),
            "string");
}

TEST_F(VariantSqlTest, FiltersOnVariantsLoseNoRow) {
  TestTable& table = Numbered();
  table.Append({table.Write("[" + Row(1, kArray) + R"(, {"n": 2}, )" + Row(3, R"(\u0000)") + "]")});
  table.Append({table.Write(R"([{"n": 4}])")});
  EXPECT_THAT(Ask("SELECT n FROM t WHERE v IS NULL ORDER BY n"), ElementsAre("2", "4"));
  EXPECT_THAT(Ask("SELECT n FROM t WHERE v IS NOT NULL ORDER BY n"), ElementsAre("1", "3"));
  EXPECT_THAT(Ask("SELECT n FROM t WHERE v = '[1,null]'"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT n FROM t WHERE v::VARCHAR IN ('null', 'x')"), ElementsAre("3"));
  EXPECT_THAT(Ask("SELECT count(*), count(v), min(n) FROM t"), ElementsAre("4|2|1"));
  EXPECT_THAT(Ask("SELECT n FROM t WHERE n > 1 AND v IS NOT NULL"), ElementsAre("3"));
}

TEST_F(VariantSqlTest, DeletedRowsOfTablesWithVariantsAreGone) {
  TestTable& table = Numbered();
  const auto file =
      table.Write("[" + Row(1, kArray) + ", " + Row(2, R"(\u0004)") + ", " + Row(3, R"(\b)") + "]");
  table.Append({file});
  table.Delete({table.WriteDeletionVector(*file, {1})});
  table.Delete({table.WriteEqualityDeletes({"n"}, R"([{"n": 3}])")});
  EXPECT_THAT(Ask("SELECT * FROM t"), ElementsAre("1|[1,null]"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT _pos FROM t"), ElementsAre("0"));
}

TEST_F(VariantSqlTest, VariantsInOtherTypesAreJsonToo) {
  TestTable& table =
      Make({.fields = {Column(1, "s", Type::Struct({Column(2, "v", kVariant)})),
                       Column(3, "l", Type::List(FieldId(4), kVariant, false)),
                       Column(5, "m",
                              Type::Map(FieldId(6), Type::String(), FieldId(7), kVariant, false))},
            .properties = {{"format-version", "3"}}});
  const std::string one = R"({"metadata": "\u0001\u0000\u0000", "value": "\f\u0001"})";
  table.Append({table.Write(R"([{"s": {"v": )" + one + R"(}, "l": [)" + one + ", null, " + one +
                            R"(], "m": [["k", )" + one + R"(]]}, {}])")});
  EXPECT_THAT(Ask("SELECT s.v, l[1], l[2], len(l), m['k'] FROM t"),
              ElementsAre("1|1|NULL|3|1", "NULL|NULL|NULL|NULL|NULL"));
  EXPECT_THAT(Ask("SELECT typeof(s), typeof(l), typeof(m) FROM t LIMIT 1"),
              ElementsAre("STRUCT(v JSON)|JSON[]|MAP(VARCHAR, JSON)"));
}

TEST_F(VariantSqlTest, DuckDbsOwnVariantsAreVariants) {
  const auto schema = SchemaOf("SELECT 1::VARIANT AS v");
  // A NULL is no variant that is null.
  EXPECT_THAT(Rows("SELECT NULL::VARIANT"), ElementsAre("NULL"));
  EXPECT_EQ(columnar::ToIcebergType(*schema->field(0)->type(), 3)->ToString(), "variant");
}

TEST_F(VariantSqlTest, AnAddedVariantIsNullInOlderFiles) {
  TestTable& table =
      Make({.fields = {Column(1, "n", Type::Int())}, .properties = {{"format-version", "3"}}});
  table.Append({table.Write(R"([{"n": 1}])")});
  auto update = table.Evolve();
  ASSERT_TRUE(update.AddColumn("", Column(0, "v", kVariant)).ok());
  table.Change(*update.Build());
  table.Append({table.Write("[" + Row(2, R"(\u0004)") + "]")});
  EXPECT_THAT(Ask("SELECT * FROM t ORDER BY n"), ElementsAre("1|NULL", "2|true"));
}

TEST_F(VariantSqlTest, ABrokenVariantNamesFileAndColumn) {
  TestTable& table = Numbered();
  table.Append({table.Write("[" + Row(1, R"(\u0014)") + "]")});
  EXPECT_THAT(
      ErrorOf("SELECT v FROM t", {.resolver = &resolver_}),
      AllOf(HasSubstr("data: read memory://lake/t/data/0.parquet: column v: a broken variant"),
            HasSubstr("takes 5 bytes, and 1 are left")));
  EXPECT_THAT(Ask("SELECT n FROM t"), ElementsAre("1"));
}

}  // namespace
}  // namespace calve::engine
