#include "iceberg/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "iceberg/json.h"
#include "iceberg/must.h"

namespace calve::iceberg {
namespace {

using ::testing::HasSubstr;

constexpr const char* kVersion1 = R"json({
  "format-version": 1, "table-uuid": "5b2f4d6e-0000-4000-8000-000000000001", "location": "file:///lake/v1/",
  "last-updated-ms": 1700000000000, "last-column-id": 2,
  "schema": {"type": "struct", "fields": [
    {"id": 1, "name": "a", "required": true, "type": "long"},
    {"id": 2, "name": "b", "required": false, "type": "string"}]},
  "partition-spec": [{"name": "a", "transform": "identity", "source-id": 1},
                     {"name": "b_bucket", "transform": "bucket[4]", "source-id": 2}],
  "properties": {"owner": "ann"}, "current-snapshot-id": 11,
  "snapshots": [
    {"snapshot-id": 10, "timestamp-ms": 1699999990000, "manifests": ["file:///lake/v1/m1.avro"]},
    {"snapshot-id": 11, "parent-snapshot-id": 10, "timestamp-ms": 1699999999000,
     "summary": {"operation": "append", "added-records": "3"}, "manifest-list": "file:///lake/v1/s11.avro"}],
  "snapshot-log": [{"timestamp-ms": 1699999990000, "snapshot-id": 10},
                   {"timestamp-ms": 1699999999000, "snapshot-id": 11}],
  "a-key-of-tomorrow": {"x": [1, 2]}})json";

constexpr const char* kVersion2 = R"json({
  "format-version": 2, "table-uuid": "5b2f4d6e-0000-4000-8000-000000000002", "location": "s3://lake/v2",
  "last-sequence-number": 7, "last-updated-ms": 1700000000000, "last-column-id": 3, "current-schema-id": 1,
  "schemas": [
    {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "a", "required": true, "type": "int"}]},
    {"type": "struct", "schema-id": 1, "identifier-field-ids": [1], "fields": [
      {"id": 1, "name": "a", "required": true, "type": "long", "doc": "the key"},
      {"id": 2, "name": "ts", "required": false, "type": "timestamptz"},
      {"id": 3, "name": "price", "required": false, "type": "decimal(9, 2)"}]}],
  "default-spec-id": 1, "last-partition-id": 1001,
  "partition-specs": [{"spec-id": 0, "fields": []},
    {"spec-id": 1, "fields": [{"name": "ts_day", "transform": "day", "source-id": 2, "field-id": 1000}]}],
  "default-sort-order-id": 1,
  "sort-orders": [{"order-id": 0, "fields": []}, {"order-id": 1, "fields": [
    {"transform": "identity", "source-id": 1, "direction": "desc", "null-order": "nulls-last"}]}],
  "properties": {"write.format.default": "parquet"}, "current-snapshot-id": 21,
  "refs": {"main": {"snapshot-id": 21, "type": "branch", "min-snapshots-to-keep": 5, "max-snapshot-age-ms": 1000},
           "v1": {"snapshot-id": 20, "type": "tag", "max-ref-age-ms": 9000}},
  "snapshots": [
    {"sequence-number": 3, "snapshot-id": 20, "timestamp-ms": 1699999990000, "schema-id": 0,
     "summary": {"operation": "append"}, "manifest-list": "s3://lake/v2/metadata/s20.avro"},
    {"sequence-number": 7, "snapshot-id": 21, "parent-snapshot-id": 20, "timestamp-ms": 1699999999000,
     "schema-id": 1, "summary": {"operation": "overwrite", "total-records": "9"},
     "manifest-list": "s3://lake/v2/metadata/s21.avro"}],
  "statistics": [{"snapshot-id": 20, "statistics-path": "s3://lake/v2/metadata/stats.puffin",
     "file-size-in-bytes": 413, "file-footer-size-in-bytes": 42, "blob-metadata": [
       {"type": "apache-datasketches-theta-v1", "snapshot-id": 20, "sequence-number": 3, "fields": [1],
        "properties": {"ndv": "5"}}]}],
  "partition-statistics": [{"snapshot-id": 20, "statistics-path": "s3://lake/v2/metadata/p.parquet",
                            "file-size-in-bytes": 43}],
  "snapshot-log": [{"timestamp-ms": 1699999990000, "snapshot-id": 20},
                   {"timestamp-ms": 1699999999000, "snapshot-id": 21}],
  "metadata-log": [{"timestamp-ms": 1699999990000, "metadata-file": "s3://lake/v2/metadata/00000-x.metadata.json"}]})json";

constexpr const char* kVersion3 = R"json({
  "format-version": 3, "table-uuid": "5b2f4d6e-0000-4000-8000-000000000003", "location": "file:///lake/v3",
  "last-sequence-number": 1, "last-updated-ms": 1700000000000, "last-column-id": 4, "current-schema-id": 0,
  "schemas": [{"type": "struct", "schema-id": 0, "fields": [
      {"id": 1, "name": "a", "required": true, "type": "long", "initial-default": 34, "write-default": 35},
      {"id": 2, "name": "ts", "required": false, "type": "timestamptz_ns",
       "initial-default": "2017-11-16T22:31:08.123456789+00:00"},
      {"id": 3, "name": "v", "required": false, "type": "variant"},
      {"id": 4, "name": "g", "required": false, "type": "geography(srid:4326, karney)"}]}],
  "default-spec-id": 0, "last-partition-id": 999, "partition-specs": [{"spec-id": 0, "fields": []}],
  "default-sort-order-id": 0, "sort-orders": [{"order-id": 0, "fields": []}],
  "properties": {}, "current-snapshot-id": 31, "next-row-id": 120,
  "encryption-keys": [{"key-id": "k1", "encrypted-key-metadata": "c2VjcmV0", "encrypted-by-id": "master",
                       "properties": {"p": "q"}}],
  "refs": {"main": {"snapshot-id": 31, "type": "branch"}},
  "snapshots": [{"sequence-number": 1, "snapshot-id": 31, "timestamp-ms": 1699999999000, "schema-id": 0,
     "summary": {"operation": "append"}, "manifest-list": "file:///lake/v3/metadata/s31.avro",
     "first-row-id": 100, "added-rows": 20, "key-id": "k1"}],
  "statistics": [], "partition-statistics": [],
  "snapshot-log": [{"timestamp-ms": 1699999999000, "snapshot-id": 31}], "metadata-log": []})json";

/// A document with one key set to another value, or taken out.
std::string With(const char* document, const char* pointer, const char* value) {
  Json json = Must(ParseJson(document));
  json[Json::json_pointer(pointer)] = Must(ParseJson(value));
  return json.dump();
}
std::string Without(const char* document, const char* key) {
  Json json = Must(ParseJson(document));
  json.erase(key);
  return json.dump();
}

nlohmann::json Unordered(const std::string& text) { return nlohmann::json::parse(text); }

TEST(MetadataTest, WholeVersion2And3DocumentsAreWrittenAsTheyWereRead) {
  for (const char* document : {kVersion2, kVersion3}) {
    EXPECT_EQ(Unordered(SerializeTableMetadata(Must(ParseTableMetadata(document)))),
              Unordered(document));
  }
}

TEST(MetadataTest, Version1IsLifted) {
  const TableMetadata metadata = Must(ParseTableMetadata(kVersion1));
  EXPECT_EQ(metadata.location, "file:///lake/v1");
  EXPECT_EQ(metadata.schema()->id(), SchemaId(0));
  EXPECT_EQ(metadata.schema()->fields().size(), 2U);
  EXPECT_EQ(metadata.spec().id, SpecId(0));
  EXPECT_EQ(metadata.spec().fields[1].field_id, FieldId(1001));
  EXPECT_EQ(metadata.last_partition_id, FieldId(1001));
  EXPECT_EQ(metadata.sort_order(), SortOrder{});
  EXPECT_EQ(metadata.refs.at("main").snapshot_id, SnapshotId(11));
  EXPECT_EQ(metadata.snapshots[0].v1_manifests.size(), 1U);
  EXPECT_EQ(metadata.snapshots[0].operation, std::nullopt);
  EXPECT_EQ(metadata.snapshots[1].operation, Operation::kAppend);
  EXPECT_EQ(metadata.snapshots[1].summary.count("operation"), 0U);
  EXPECT_EQ(metadata.last_sequence_number, SequenceNumber(0));
}

TEST(MetadataTest, WrittenVersion1HasTheKeysThatOldReadersAskFor) {
  const std::string written = SerializeTableMetadata(Must(ParseTableMetadata(kVersion1)));
  const nlohmann::json json = Unordered(written);
  EXPECT_EQ(json["schema"]["fields"].size(), 2U);
  EXPECT_EQ(json["partition-spec"][1]["field-id"], 1001);
  EXPECT_FALSE(json.contains("last-sequence-number"));
  EXPECT_EQ(SerializeTableMetadata(Must(ParseTableMetadata(written))), written);
}

TEST(MetadataTest, Version1WithListsButWithoutTheirDefaultsFallsBack) {
  const std::string schemas =
      With(kVersion1, "/schemas", R"([{"type": "struct", "schema-id": 5, "fields": []}])");
  EXPECT_EQ(Must(ParseTableMetadata(schemas)).schemas.size(), 2U);
  EXPECT_EQ(Must(ParseTableMetadata(schemas)).schema()->fields().size(), 2U);
  const char* specs = R"([{"spec-id": 1, "fields": [
      {"name": "a", "transform": "identity", "source-id": 1, "field-id": 1000}]},
      {"spec-id": 2, "fields": []}])";
  const std::string kept = With(kVersion1, "/partition-specs", specs);
  EXPECT_EQ(Must(ParseTableMetadata(kept)).spec().fields.size(), 2U);
  EXPECT_EQ(Must(ParseTableMetadata(kept)).default_spec_id, SpecId(3));
  EXPECT_EQ(Must(ParseTableMetadata(Without(kept.c_str(), "partition-spec"))).default_spec_id,
            SpecId(2));
}

TEST(MetadataTest, MinusOneIsNoCurrentSnapshot) {
  for (const char* none : {"-1", "null"}) {
    std::string document = Without(With(kVersion2, "/current-snapshot-id", none).c_str(), "refs");
    const TableMetadata metadata = Must(ParseTableMetadata(document));
    EXPECT_EQ(metadata.current_snapshot_id, std::nullopt);
    EXPECT_TRUE(metadata.refs.empty());
    EXPECT_EQ(Unordered(SerializeTableMetadata(metadata))["current-snapshot-id"], -1);
  }
  const std::string third =
      Without(With(kVersion3, "/current-snapshot-id", "null").c_str(), "refs");
  // The catalogs' OpenAPI document has no null for it.
  EXPECT_FALSE(Unordered(SerializeTableMetadata(Must(ParseTableMetadata(third))))
                   .contains("current-snapshot-id"));
}

class MissingKey : public ::testing::TestWithParam<std::pair<int, const char*>> {};

TEST_P(MissingKey, IsRefusedByName) {
  const auto& [version, key] = GetParam();
  const char* document = version == 1 ? kVersion1 : version == 2 ? kVersion2 : kVersion3;
  const auto result = ParseTableMetadata(Without(document, key));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kData);
  EXPECT_THAT(result.error().message, HasSubstr(std::string(key) + ": expected"));
}

INSTANTIATE_TEST_SUITE_P(
    Metadata, MissingKey,
    ::testing::Values(std::pair(1, "format-version"), std::pair(1, "location"),
                      std::pair(1, "last-updated-ms"), std::pair(1, "last-column-id"),
                      std::pair(1, "schema"), std::pair(1, "partition-spec"),
                      std::pair(2, "table-uuid"), std::pair(2, "last-sequence-number"),
                      std::pair(2, "schemas"), std::pair(2, "current-schema-id"),
                      std::pair(2, "partition-specs"), std::pair(2, "default-spec-id"),
                      std::pair(2, "last-partition-id"), std::pair(2, "sort-orders"),
                      std::pair(2, "default-sort-order-id"), std::pair(3, "next-row-id")));

TEST(MetadataTest, MainIsThereWhereTheCurrentSnapshotIs) {
  EXPECT_EQ(Must(ParseTableMetadata(With(kVersion2, "/refs", "{}"))).refs.at("main").snapshot_id,
            SnapshotId(21));
  EXPECT_EQ(Must(ParseTableMetadata(With(kVersion2, "/refs", "null"))).refs.at("main").snapshot_id,
            SnapshotId(21));
}

TEST(MetadataTest, ATableWithoutSnapshotsNeedsNoNextRowId) {
  Json json = Must(ParseJson(kVersion3));
  for (const char* key :
       {"snapshots", "snapshot-log", "refs", "current-snapshot-id", "next-row-id"})
    json.erase(key);
  EXPECT_EQ(Must(ParseTableMetadata(json.dump())).next_row_id, RowId(0));
}

TEST(MetadataTest, VersionsBeyondThisOneAreRefusedCleanly) {
  EXPECT_EQ(ParseTableMetadata(With(kVersion3, "/format-version", "4")).error().kind,
            ErrorKind::kRefused);
  EXPECT_THAT(MessageOf(ParseTableMetadata(R"({"format-version": 4})")),
              HasSubstr("use a newer version"));
  EXPECT_EQ(ParseTableMetadata(With(kVersion3, "/format-version", "0")).error().kind,
            ErrorKind::kData);
}

TEST(MetadataTest, WhatDoesNotFitTogetherIsRefused) {
  const auto fault = [](const char* document, const char* pointer, const char* value) {
    return MessageOf(ParseTableMetadata(With(document, pointer, value)));
  };
  EXPECT_THAT(fault(kVersion2, "/current-schema-id", "9"), HasSubstr("current-schema-id"));
  EXPECT_THAT(fault(kVersion2, "/default-spec-id", "9"), HasSubstr("default-spec-id"));
  EXPECT_THAT(fault(kVersion2, "/default-sort-order-id", "9"), HasSubstr("default-sort-order-id"));
  EXPECT_THAT(fault(kVersion2, "/current-snapshot-id", "20"), HasSubstr("refs.main"));
  EXPECT_THAT(fault(kVersion2, "/refs/main/snapshot-id", "99"), HasSubstr("refs.main"));
  EXPECT_THAT(fault(kVersion2, "/refs/main/type", "\"tag\""),
              HasSubstr("refs.main: expected a branch"));
  EXPECT_THAT(fault(kVersion2, "/last-sequence-number", "6"), HasSubstr("snapshot 21"));
  EXPECT_THAT(fault(kVersion2, "/snapshots/0/snapshot-id", "21"), HasSubstr("snapshot-id once"));
  EXPECT_THAT(fault(kVersion2, "/schemas/0/schema-id", "1"), HasSubstr("schema-id once"));
  EXPECT_THAT(fault(kVersion2, "/snapshots/0/manifest-list", "null"),
              HasSubstr("snapshots[0].manifest-list"));
  EXPECT_THAT(fault(kVersion2, "/snapshots/1/timestamp-ms", "\"now\""),
              HasSubstr("snapshots[1].timestamp-ms"));
  EXPECT_THAT(fault(kVersion2, "/properties", "[]"), HasSubstr("properties"));
  EXPECT_THAT(fault(kVersion2, "/properties/x", "1"), HasSubstr("properties.x: expected a string"));
  EXPECT_THAT(fault(kVersion2, "/refs", "[]"), HasSubstr("refs"));
  EXPECT_THAT(fault(kVersion3, "/next-row-id", "-1"), HasSubstr("next-row-id"));
  EXPECT_THAT(fault(kVersion2, "/table-uuid", "\"\""), HasSubstr("table-uuid"));
  EXPECT_THAT(fault(kVersion2, "/schemas/0/schema-id", "2147483647"),
              HasSubstr("smaller schema-id"));
  EXPECT_THAT(fault(kVersion2, "/last-column-id", "2147483647"), HasSubstr("last-column-id"));
  EXPECT_THAT(MessageOf(ParseTableMetadata("")), HasSubstr("expected JSON"));
  EXPECT_THAT(MessageOf(ParseTableMetadata("[1]")), HasSubstr("the document: expected an object"));
}

TEST(MetadataTest, SummariesKeepWhatTheyDoNotExplain) {
  const TableMetadata bare = Must(
      ParseTableMetadata(With(kVersion2, "/snapshots/0/summary", R"({"added-records": "1"})")));
  EXPECT_EQ(bare.snapshots[0].operation, Operation::kOverwrite);
  const TableMetadata odd =
      Must(ParseTableMetadata(With(kVersion2, "/snapshots/0/summary/operation", "\"merge\"")));
  EXPECT_EQ(odd.snapshots[0].operation, std::nullopt);
  EXPECT_EQ(Unordered(SerializeTableMetadata(odd))["snapshots"][0]["summary"]["operation"],
            "merge");
}

TEST(MetadataTest, SnapshotIdsOfTheUnsignedRangeKeepTheirBits) {
  const std::string document = With(kVersion2, "/snapshots/0/snapshot-id", "9876543210123456789");
  const std::string refs = With(document.c_str(), "/refs/v1/snapshot-id", "9876543210123456789");
  const TableMetadata metadata = Must(ParseTableMetadata(refs));
  EXPECT_EQ(metadata.FindRef("v1")->id.value(), static_cast<int64_t>(9876543210123456789U));
}

TEST(MetadataTest, FindsSnapshotsByRefAndTime) {
  const TableMetadata metadata = Must(ParseTableMetadata(kVersion2));
  EXPECT_EQ(metadata.FindRef("v1")->id, SnapshotId(20));
  EXPECT_EQ(metadata.FindRef("main")->id, SnapshotId(21));
  EXPECT_EQ(metadata.FindRef("nothing"), nullptr);
  EXPECT_EQ(metadata.current_snapshot()->id, SnapshotId(21));
  EXPECT_EQ(metadata.SnapshotAsOf(1699999989999), nullptr);
  EXPECT_EQ(metadata.SnapshotAsOf(1699999990000)->id, SnapshotId(20));
  EXPECT_EQ(metadata.SnapshotAsOf(1800000000000)->id, SnapshotId(21));
  EXPECT_EQ(metadata.SchemaOf(metadata.snapshots[0])->id(), SchemaId(0));
  EXPECT_EQ(metadata.Property("write.format.default", "avro"), "parquet");
  EXPECT_EQ(metadata.Property("nothing", "fallback"), "fallback");
  EXPECT_EQ(metadata.FindSnapshot(SnapshotId(99)), nullptr);
  EXPECT_EQ(metadata.FindSpec(SpecId(9)), nullptr);
  EXPECT_EQ(metadata.FindSchema(SchemaId(9)), nullptr);
}

TEST(MetadataTest, OddPathsInTheLogsAreWrittenAsJsonAndReadBack) {
  TableMetadata metadata = Must(ParseTableMetadata(kVersion2));
  for (const char* path : {"s3://b/\"quoted\"", "s3://b/back\\slash", "s3://b/\u00fcber", "a\nb"})
    metadata.metadata_log.push_back({.timestamp_ms = 1, .metadata_file = path});
  const std::string text = SerializeTableMetadata(metadata);
  EXPECT_EQ(DumpJson(Must(ParseJson(text))), text);
  EXPECT_EQ(Must(ParseTableMetadata(text)).metadata_log, metadata.metadata_log);
}

TEST(SnapshotListTest, ACopySharesItsSnapshotsAndChangesByItself) {
  TableMetadata metadata = Must(ParseTableMetadata(kVersion2));
  SnapshotList copy = metadata.snapshots;
  EXPECT_EQ(&copy[0], &metadata.snapshots[0]);
  const SnapshotId first = copy[0].id;
  copy.RemoveIf([&](const Snapshot& snapshot) { return snapshot.id == first; });
  EXPECT_EQ(copy.size() + 1, metadata.snapshots.size());
  EXPECT_FALSE(copy == metadata.snapshots);
  EXPECT_NE(metadata.FindSnapshot(first), nullptr);
}

TEST(MetadataFileTest, GzipGoesBothWays) {
  const std::string packed = CompressMetadata(kVersion2);
  EXPECT_LT(packed.size(), std::string(kVersion2).size());
  EXPECT_EQ(Must(DecompressMetadata(packed)), kVersion2);
  EXPECT_EQ(Must(DecompressMetadata(kVersion2)), kVersion2);
  EXPECT_EQ(Must(DecompressMetadata("")), "");
}

TEST(MetadataFileTest, BrokenGzipIsRefusedAtEveryCut) {
  const std::string packed = CompressMetadata(kVersion3);
  for (size_t size = 2; size < packed.size(); ++size) {
    const auto result = DecompressMetadata(packed.substr(0, size));
    ASSERT_FALSE(result.ok()) << size;
    ASSERT_EQ(result.error().kind, ErrorKind::kData);
  }
  EXPECT_FALSE(DecompressMetadata("\x28\xb5\x2f\xfd junk").ok());
}

TEST(MetadataFileTest, NamesCountOn) {
  EXPECT_EQ(NextMetadataFileName("", "u", false), "00000-u.metadata.json");
  EXPECT_EQ(NextMetadataFileName("s3://b/t/metadata/00006-x.metadata.json", "u", true),
            "00007-u.gz.metadata.json");
  EXPECT_EQ(NextMetadataFileName("/t/v41.metadata.json", "u", false), "00042-u.metadata.json");
  EXPECT_EQ(NextMetadataFileName("123456-x.metadata.json", "u", false), "123457-u.metadata.json");
  EXPECT_EQ(NextMetadataFileName("strange.json", "u", false), "00000-u.metadata.json");
}

}  // namespace
}  // namespace calve::iceberg
