#include "iceberg/view.h"

#include <gtest/gtest.h>

#include "iceberg/must.h"

namespace calve::iceberg {
namespace {

constexpr const char* kUuid = "fa6506c3-7681-40c8-86dc-e36561f83385";

SchemaPtr Columns(const std::string& name) {
  return Must(
      Schema::Make(SchemaId(7), {Field{.id = FieldId(1), .name = name, .type = Type::Long()}}));
}

ViewVersion Version(const std::string& sql, const std::string& dialect = "spark") {
  ViewVersion version;
  version.id = 1;
  version.timestamp_ms = 100;
  version.summary = {{"engine-name", "Spark"}};
  version.representations = {{.sql = sql, .dialect = dialect}};
  version.default_namespace = {"sales"};
  return version;
}

ViewMetadata Made() {
  const ViewChange change = CreateView({.location = "file:///w/sales/daily/",
                                        .uuid = kUuid,
                                        .schema = Columns("n"),
                                        .version = Version("SELECT 1"),
                                        .properties = {{"comment", "each day"}}});
  EXPECT_TRUE(change.creates());
  return Must(ApplyView(nullptr, change, 50));
}

ViewChange Replace(const ViewVersion& version, const std::string& column = "n") {
  ViewVersion fresh = version;
  fresh.schema_id = SchemaId(-1);
  return {.requirements = {ViewRequirement{kUuid}},
          .updates = {view_update::AddSchema{Columns(column)}, view_update::AddVersion{fresh},
                      view_update::SetCurrentVersion{}}};
}

ViewMetadata Replaced(const ViewMetadata& base, const std::string& sql) {
  return Must(ApplyView(&base, Replace(Version(sql)), 200));
}

TEST(View, AMadeViewHoldsWhatItWasMadeOf) {
  const ViewMetadata view = Made();
  EXPECT_EQ(view.uuid, kUuid);
  EXPECT_EQ(view.location, "file:///w/sales/daily");
  EXPECT_EQ(view.current_version().schema_id, SchemaId(0));
  EXPECT_EQ(*view.SqlFor("SPARK"), "SELECT 1");
  EXPECT_EQ(view.SqlFor("trino"), nullptr);
  EXPECT_EQ(view.properties.at("comment"), "each day");
  EXPECT_EQ(view.version_log, (std::vector<ViewLogEntry>{{.timestamp_ms = 100, .version_id = 1}}));
}

TEST(View, MetadataIsReadAsItWasWritten) {
  ViewMetadata view = Replaced(Made(), "SELECT 2");
  view.versions.back().default_catalog = "prod";
  const std::string json = SerializeViewMetadata(view);
  const ViewMetadata read = Must(ParseViewMetadata(json));
  EXPECT_EQ(SerializeViewMetadata(read), json);
  EXPECT_EQ(read.versions, view.versions);
  EXPECT_EQ(read.version_log, view.version_log);
  EXPECT_EQ(read.current_version().default_catalog, "prod");
}

TEST(View, TheSpecificationsExampleIsRead) {
  const ViewMetadata view = Must(ParseViewMetadata(R"({
    "view-uuid": "fa6506c3-7681-40c8-86dc-e36561f83385", "format-version": 1,
    "location": "s3://bucket/warehouse/default.db/event_agg", "current-version-id": 1,
    "properties": {"comment": "Daily event counts"},
    "versions": [{"version-id": 1, "timestamp-ms": 1573518431292, "schema-id": 1,
      "default-catalog": "prod", "default-namespace": ["default"],
      "summary": {"engine-name": "Spark", "engine-version": "3.3.2"},
      "representations": [{"type": "sql", "sql": "SELECT 1", "dialect": "spark"},
                          {"type": "ir", "plan": "x"}]}],
    "schemas": [{"schema-id": 1, "type": "struct", "fields": [
      {"id": 1, "name": "event_count", "required": false, "type": "int"}]}],
    "version-log": [{"timestamp-ms": 1573518431292, "version-id": 1}]})"));
  EXPECT_EQ(view.current_version().representations.size(), 2u);
  EXPECT_EQ(*view.SqlFor("spark"), "SELECT 1");
}

TEST(View, BrokenMetadataIsRefusedByName) {
  const std::string good = SerializeViewMetadata(Made());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return MessageOf(ParseViewMetadata(text));
  };
  EXPECT_NE(with("\"format-version\":1", "\"format-version\":2").find("newer version"),
            std::string::npos);
  EXPECT_NE(with("\"current-version-id\":1", "\"current-version-id\":4").find("current-version-id"),
            std::string::npos);
  EXPECT_NE(with("\"schema-id\":0,\"summary\"", "\"schema-id\":9,\"summary\"").find("schema 9"),
            std::string::npos);
  EXPECT_NE(with("\"version-log\"", "\"other-log\"").find("version-log"), std::string::npos);
}

TEST(View, AnEqualVersionAndAnEqualSchemaAreTakenAgain) {
  const ViewMetadata first = Made();
  const ViewMetadata second = Replaced(first, "SELECT 2");
  EXPECT_EQ(second.schemas.size(), 1u);
  EXPECT_EQ(second.current_version_id, 2);
  ViewVersion again = Version("SELECT 1");
  again.id = 17;
  again.timestamp_ms = 999;
  const ViewMetadata third = Must(ApplyView(&second, Replace(again), 300));
  EXPECT_EQ(third.versions.size(), 2u);
  EXPECT_EQ(third.current_version_id, 1);
  // A version that was there before is current since the change, not since it was made.
  EXPECT_EQ(third.version_log.back(), (ViewLogEntry{.timestamp_ms = 300, .version_id = 1}));
}

TEST(View, ANewSchemaGetsTheNextId) {
  const ViewMetadata base = Made();
  const ViewMetadata view = Must(ApplyView(&base, Replace(Version("SELECT 2"), "other"), 200));
  EXPECT_EQ(view.schemas.size(), 2u);
  EXPECT_EQ(view.current_version().schema_id, SchemaId(1));
}

TEST(View, OldVersionsFallAwayAndTheLogWithThem) {
  ViewMetadata view = Made();
  view.properties["version.history.num-entries"] = "2";
  for (const char* sql : {"SELECT 2", "SELECT 3", "SELECT 4"}) view = Replaced(view, sql);
  ASSERT_EQ(view.versions.size(), 2u);
  EXPECT_EQ(view.versions.front().id, 3);
  EXPECT_EQ(view.version_log.size(), 2u);
  view.properties["version.history.num-entries"] = "0";
  EXPECT_EQ(ApplyView(&view, Replace(Version("SELECT 5")), 1).error().kind, ErrorKind::kData);
}

TEST(View, ADialectIsLostOnlyWhereThatIsAllowed) {
  const ViewMetadata base = Made();
  ViewChange change = Replace(Version("SELECT 2", "trino"));
  const auto refused = ApplyView(&base, change, 200);
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_NE(refused.error().message.find("dialect spark"), std::string::npos);
  change.updates.insert(change.updates.begin(),
                        view_update::SetProperties{{{"replace.drop-dialect.allowed", "true"}}});
  EXPECT_TRUE(ApplyView(&base, change, 200).ok());
}

TEST(View, AVersionHasADialectOnce) {
  const ViewMetadata base = Made();
  ViewVersion version = Version("SELECT 2");
  version.representations.push_back({.sql = "SELECT 3", .dialect = "Spark"});
  EXPECT_EQ(ApplyView(&base, Replace(version), 200).error().kind, ErrorKind::kData);
}

TEST(View, RequirementsTellWhatIsWrong) {
  const ViewMetadata base = Made();
  const ViewChange create = CreateView({.location = "file:///w",
                                        .uuid = "u",
                                        .schema = Columns("n"),
                                        .version = Version("SELECT 1"),
                                        .properties = {}});
  EXPECT_EQ(ApplyView(&base, create, 1).error().kind, ErrorKind::kAlreadyExists);
  ViewChange replace = Replace(Version("SELECT 2"));
  EXPECT_EQ(ApplyView(nullptr, replace, 1).error().kind, ErrorKind::kNotFound);
  replace.requirements = {ViewRequirement{"another"}};
  EXPECT_EQ(ApplyView(&base, replace, 1).error().kind, ErrorKind::kConflict);
}

TEST(View, MinusOneNeedsSomethingAddedBefore) {
  const ViewMetadata base = Made();
  ViewVersion version = Version("SELECT 2");
  version.schema_id = SchemaId(-1);
  const auto apply = [&](ViewUpdate update) {
    return ApplyView(&base, {.requirements = {}, .updates = {std::move(update)}}, 1);
  };
  EXPECT_EQ(apply(view_update::AddVersion{version}).error().kind, ErrorKind::kData);
  EXPECT_EQ(apply(view_update::SetCurrentVersion{}).error().kind, ErrorKind::kData);
  EXPECT_EQ(apply(view_update::SetCurrentVersion{5}).error().kind, ErrorKind::kData);
  EXPECT_EQ(apply(view_update::AssignUuid{"another"}).error().kind, ErrorKind::kData);
  EXPECT_EQ(apply(view_update::UpgradeFormatVersion{2}).error().kind, ErrorKind::kData);
}

TEST(View, UpdatesAndRequirementsGoThroughJson) {
  const std::vector<ViewUpdate> updates = {view_update::AssignUuid{kUuid},
                                           view_update::UpgradeFormatVersion{1},
                                           view_update::AddSchema{Columns("n")},
                                           view_update::SetLocation{"file:///w"},
                                           view_update::SetProperties{{{"a", "b"}}},
                                           view_update::RemoveProperties{{"a"}},
                                           view_update::AddVersion{Version("SELECT 1")},
                                           view_update::SetCurrentVersion{}};
  for (const ViewUpdate& update : updates) {
    const std::string json = SerializeViewUpdate(update);
    const ViewUpdate read = Must(ParseViewUpdate(json));
    EXPECT_EQ(read.index(), update.index());
    EXPECT_EQ(SerializeViewUpdate(read), json);
  }
  EXPECT_NE(
      MessageOf(ParseViewUpdate(R"({"action":"add-view-versions"})")).find("add-view-version"),
      std::string::npos);
  EXPECT_EQ(Must(ParseViewRequirement(SerializeViewRequirement({kUuid}))).uuid, kUuid);
  EXPECT_EQ(Must(ParseViewRequirement(R"({"type":"assert-create"})")).uuid, std::nullopt);
  EXPECT_FALSE(ParseViewRequirement(R"({"type":"assert-current-schema-id"})").ok());
}

}  // namespace
}  // namespace calve::iceberg
