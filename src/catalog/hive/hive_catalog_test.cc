#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/text.h"
#include "catalog/hive/hive_table.h"
#include "catalog/hive/metastore.h"
#include "catalog/registry.h"
#include "config/yaml.h"
#include "io/file_system_set.h"
#include "io/test_folder.h"

namespace calve::catalog {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using testing::HasSubstr;

TEST(HiveTypes, AreThoseOfIcebergsOwnHiveCatalog) {
  const Type row = Type::Struct({Field{.id = FieldId(2), .name = "a", .type = Type::Long()},
                                 Field{.id = FieldId(3), .name = "b", .type = Type::UuidType()}});
  EXPECT_EQ(HiveTypeOf(Type::Decimal(9, 2)), "decimal(9,2)");
  EXPECT_EQ(HiveTypeOf(Type::List(FieldId(4), row, true)), "array<struct<a:bigint,b:string>>");
  EXPECT_EQ(HiveTypeOf(Type::Map(FieldId(5), Type::Int(), FieldId(6), Type::Fixed(4), false)),
            "map<int,binary>");
  EXPECT_EQ(HiveTypeOf(Type::TimestampTz()), "timestamp with local time zone");
  EXPECT_EQ(HiveTypeOf(Type::Time()), "string");
}

TEST(HiveUris, AreReadOneOrSeveral) {
  const auto both = ParseMetastoreUris("thrift://a:1, thrift://b");
  ASSERT_TRUE(both.ok());
  EXPECT_EQ((*both)[0].host, "a");
  EXPECT_EQ((*both)[0].port, 1);
  EXPECT_EQ((*both)[1].port, 9083);
  for (const char* wrong : {"", "http://a:1", "thrift://a:x", "thrift://:9083", "a:1,"})
    EXPECT_FALSE(ParseMetastoreUris(wrong).ok()) << wrong;
}

TEST(HiveEntries, PointAtTheNewMetadataAndNameTheOld) {
  iceberg::CreateTableOptions options;
  options.location = "file:///t";
  options.uuid = "9c12d441-03fe-4693-9a96-a0705ddf69c1";
  options.fields = {Field{.id = FieldId(1), .name = "id", .type = Type::Long(), .doc = "why"}};
  options.properties = {{"owner", "me"}, {"gc.enabled", "false"}};
  const auto before = *iceberg::Apply(nullptr, *iceberg::CreateTable(options),
                                      {.now_ms = 1, .previous_location = ""});
  const auto after = *iceberg::Apply(
      &before,
      {.requirements = {},
       .updates = {iceberg::RemoveProperties({"owner"}), iceberg::SetProperties({{"a", "b"}})}},
      {.now_ms = 2, .previous_location = "file:///t/1.json"});
  hive_metastore::Table table = NewHiveTable({{"db"}, "t"}, before, "file:///t/1.json", 5'000);
  table.parameters["of others"] = "stays";
  EXPECT_TRUE(IsIcebergTable(table));
  EXPECT_EQ(table.tableType, "EXTERNAL_TABLE");
  EXPECT_EQ(table.parameters.at("external.table.purge"), "false");
  EXPECT_EQ(table.createTime, 5);
  PointHiveTable(table, before, after, "file:///t/2.json");
  EXPECT_EQ(ParameterOf(table, "metadata_location"), "file:///t/2.json");
  EXPECT_EQ(ParameterOf(table, "previous_metadata_location"), "file:///t/1.json");
  EXPECT_EQ(ParameterOf(table, "EXTERNAL"), "TRUE");
  EXPECT_EQ(ParameterOf(table, "table_type"), "ICEBERG");
  EXPECT_EQ(ParameterOf(table, "uuid"), options.uuid);
  EXPECT_EQ(ParameterOf(table, "of others"), "stays");
  EXPECT_EQ(ParameterOf(table, "a"), "b");
  EXPECT_FALSE(table.parameters.contains("owner"));
  ASSERT_EQ(table.sd.cols.size(), 1U);
  EXPECT_EQ(table.sd.cols[0].type, "bigint");
  EXPECT_EQ(table.sd.cols[0].comment, "why");
}

/// On the metastore that the test run started.
class OnMetastore : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("CALVE_TEST_HIVE") == nullptr) GTEST_SKIP() << "no metastore was started";
  }

  void TearDown() override {
    if (databases_.empty()) return;
    const auto connection = Metastore::Connect(*context_, addresses_);
    for (const std::string& database : databases_) {
      EXPECT_TRUE((*connection)
                      ->Change("clear", [&](auto& c) { c.drop_database(database, false, true); })
                      .ok());
    }
  }

  std::unique_ptr<Catalog> Make(const std::string& yaml) {
    Registry registry;
    RegisterParts(registry);
    config::Faults faults;
    const auto node = config::ParseYaml(
        std::string("uri: ") + std::getenv("CALVE_TEST_HIVE") + "\n" + yaml, "test", faults);
    auto made = registry.Make({.type = "hive", .node = node},
                              {.name = "hive",
                               .warehouse = "file://" + folder_.At("warehouse"),
                               .project_folder = folder_.path(),
                               .files = &files_});
    EXPECT_TRUE(made.ok());
    return std::move(*made);
  }

  TableName MakeTable(Catalog& catalog) {
    const TableName table{{"db_" + ToLower(NewRunId(context_->clock->Now(), *context_->random))},
                          "t"};
    EXPECT_TRUE(catalog.CreateNamespace(*context_, table.ns, {}).ok());
    databases_.push_back(table.ns.front());
    iceberg::CreateTableOptions options;
    options.location = *catalog.NewTableLocation(*context_, table);
    options.uuid = NewUuidString(*context_->random);
    options.fields = {Field{.id = FieldId(1), .name = "id", .type = Type::Long()}};
    EXPECT_TRUE(std::holds_alternative<Committed>(
        catalog.Commit(*context_, {{.table = table, .change = *iceberg::CreateTable(options)}})));
    return table;
  }

  CommitOutcome Set(Catalog& catalog, const TableName& table, const std::string& key) {
    return catalog.Commit(
        *context_,
        {{.table = table,
          .change = {.requirements = {}, .updates = {iceberg::SetProperties({{key, "1"}})}}}});
  }

  const std::vector<MetastoreAddress> addresses_ =
      std::getenv("CALVE_TEST_HIVE") == nullptr
          ? std::vector<MetastoreAddress>()
          : *ParseMetastoreUris(std::getenv("CALVE_TEST_HIVE"));
  std::vector<std::string> databases_;  ///< To be dropped in the end.
  io::TestFolder folder_;
  io::FileSystemSet files_;
  OwnedContext context_{std::make_unique<SystemClock>(), Random::FromEntropy().Next()};
};

TEST_F(OnMetastore, WithoutALockAMetastoreThatComparesNothingIsRefused) {
  const auto catalog = Make("lock: false\n");
  const TableName table = MakeTable(*catalog);
  const CommitOutcome outcome = Set(*catalog, table, "a");
  // Hive 4 compares: then the commit is in.
  if (std::holds_alternative<Committed>(outcome)) return;
  ASSERT_TRUE(std::holds_alternative<Refused>(outcome))
      << (std::holds_alternative<Unknown>(outcome) ? std::get<Unknown>(outcome).reason : "");
  const auto refused = std::get<Refused>(outcome);
  EXPECT_THAT(refused.error.message, HasSubstr("set lock: true"));
  EXPECT_FALSE(catalog->LoadTable(*context_, table)->metadata->properties.contains("a"));
  EXPECT_EQ(catalog->ListTables(*context_, table.ns)->size(), 1U);
}

TEST_F(OnMetastore, ALockThatAnotherHoldsIsWaitedForNotLongerThanSaid) {
  const auto catalog = Make("lock_timeout: 300ms\n");
  const TableName table = MakeTable(*catalog);
  auto connection = Metastore::Connect(*context_, addresses_);
  ASSERT_TRUE(connection.ok());
  auto held = MetastoreLock::Take(*context_, addresses_, **connection, table.ns.front(), table.name,
                                  std::chrono::milliseconds(1000));
  ASSERT_TRUE(held.ok());
  const CommitOutcome outcome = Set(*catalog, table, "a");
  EXPECT_EQ(std::get<Refused>(outcome).error.kind, ErrorKind::kTransient);
  held->reset();
  EXPECT_TRUE(std::holds_alternative<Committed>(Set(*catalog, table, "a")));
}

TEST_F(OnMetastore, ATableOfHivesOwnIsNotTakenForOurs) {
  const auto catalog = Make("");
  const TableName table = MakeTable(*catalog);
  auto connection = Metastore::Connect(*context_, addresses_);
  hive_metastore::Table own;
  own.dbName = table.ns.front();
  own.tableName = "own";
  own.tableType = "EXTERNAL_TABLE";
  own.sd.location = "file://" + folder_.At("own");
  own.parameters = {{"EXTERNAL", "TRUE"}};
  ASSERT_TRUE((*connection)->Change("make it", [&](auto& c) { c.create_table(own); }).ok());
  const auto loaded = catalog->LoadTable(*context_, {table.ns, "own"});
  EXPECT_EQ(loaded.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(*catalog->ListTables(*context_, table.ns), std::vector<TableName>{table});
}

TEST(HiveCatalogs, AMetastoreThatIsNotThereIsTransient) {
  OwnedContext context;
  const auto none = Metastore::Connect(*context, {{.host = "127.0.0.1", .port = 1}});
  EXPECT_EQ(none.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(none.error().message, HasSubstr("127.0.0.1:1"));
}

}  // namespace
}  // namespace calve::catalog
