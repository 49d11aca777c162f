#include "avro/projection.h"

#include <gtest/gtest.h>

#include <map>

#include "avro/random_schema.h"

namespace calve::avro {
namespace {

constexpr std::string_view kEntry = R"({"type":"record","name":"manifest_entry","fields":[
  {"name":"status","type":"int","field-id":0},
  {"name":"snapshot_id","type":["null","long"],"field-id":1},
  {"name":"sequence_number","type":["long","null"],"field-id":3},
  {"name":"data_file","field-id":2,"type":{"type":"record","name":"r2","fields":[
    {"name":"content","type":"int","field-id":134},
    {"name":"file_path","type":"string","field-id":100},
    {"name":"partition","field-id":102,"type":{"type":"record","name":"r102","fields":[
      {"name":"day","type":["null","int"],"field-id":1000}]}},
    {"name":"sizes","field-id":108,"type":["null",{"type":"array","logicalType":"map","items":
      {"type":"record","name":"k117_v118","fields":[
        {"name":"key","type":"int","field-id":117},{"name":"value","type":"long","field-id":118}]}}]},
    {"name":"sort_order_id","type":["null","int"],"field-id":140}]}}]})";

enum Slot { kStatus, kSnapshot, kSequence, kFile, kPath, kSizes, kSortOrder, kAbsent };

std::string EncodedEntry() {
  std::string bytes;
  Encoder encoder(&bytes);
  encoder.WriteInt(2);
  encoder.WriteIndex(1);
  encoder.WriteLong(-5);
  encoder.WriteIndex(0);
  encoder.WriteLong(9);
  encoder.WriteInt(0);
  encoder.WriteString("s3://a/b.parquet");
  encoder.WriteIndex(1);
  encoder.WriteInt(19'000);
  encoder.WriteIndex(1);
  encoder.WriteBlockCount(2);
  for (int i = 1; i <= 2; ++i) {
    encoder.WriteInt(i);
    encoder.WriteLong(1000 * i);
  }
  encoder.WriteEnd();
  encoder.WriteIndex(0);
  return bytes;
}

TEST(ProjectionTest, WantedFieldsAreVisitedAndNullsAreNot) {
  const Schema schema = std::move(Schema::Parse(kEntry)).value();
  constexpr Want kEntryWants[] = {{2, kFile}, {1, kSnapshot}, {3, kSequence}, {77, kAbsent}};
  constexpr Want kFileWants[] = {{100, kPath}, {108, kSizes}, {140, kSortOrder}};
  const Projection entry = Projection::Of(&schema.root(), kEntryWants);
  const Projection file = Projection::Of(entry.TypeOf(kFile), kFileWants);
  EXPECT_TRUE(entry.Has(kSequence));
  EXPECT_FALSE(entry.Has(kAbsent));
  EXPECT_FALSE(entry.Has(kStatus));
  EXPECT_EQ(file.TypeOf(kSortOrder)->kind, Kind::kInt);

  std::map<int, int64_t> numbers;
  std::string path;
  const auto visit_file = [&](const Projection::Item& item, Decoder& decoder) {
    if (item.slot == kPath) path = decoder.ReadString();
    if (item.slot == kSortOrder) ADD_FAILURE() << "null was visited";
    if (item.slot != kSizes) return;
    decoder.ForEachItem(item.type->element->bytes_min, [&] {
      const int32_t key = decoder.ReadInt();
      numbers[100 + key] = decoder.ReadLong();
    });
  };
  const auto visit_entry = [&](const Projection::Item& item, Decoder& decoder) {
    if (item.slot == kFile) {
      file.Read(decoder, visit_file);
    } else {
      numbers[item.slot] = decoder.ReadLong();
    }
  };
  const std::string bytes = EncodedEntry();
  Decoder decoder(bytes);
  entry.Read(decoder, visit_entry);
  EXPECT_TRUE(decoder.Finish().ok());
  EXPECT_EQ(path, "s3://a/b.parquet");
  EXPECT_EQ(numbers,
            (std::map<int, int64_t>{{kSnapshot, -5}, {kSequence, 9}, {101, 1000}, {102, 2000}}));

  for (size_t size = 0; size < bytes.size(); ++size) {
    Decoder cut(std::string_view(bytes).substr(0, size));
    entry.Read(cut, visit_entry);
    EXPECT_FALSE(cut.ok()) << size;
  }
}

TEST(ProjectionTest, NamesServeOnlyWhereNoFieldHasAnId) {
  const Schema without =
      std::move(Schema::Parse(
                    R"({"type":"record","name":"r","fields":[{"name":"status","type":"int"}]})"))
          .value();
  constexpr Want kWants[] = {{0, kStatus, "status"}, {1, kSnapshot}};
  EXPECT_TRUE(Projection::Of(&without.root(), kWants).Has(kStatus));
  const Schema with =
      std::move(
          Schema::Parse(
              R"({"type":"record","name":"r","fields":[{"name":"status","type":"int","field-id":5}]})"))
          .value();
  EXPECT_FALSE(Projection::Of(&with.root(), kWants).Has(kStatus));
}

TEST(ProjectionTest, OptionalRecordsAreProjectedToo) {
  const Schema schema =
      std::move(
          Schema::Parse(
              R"(["null",{"type":"record","name":"r","fields":[{"name":"a","type":"int","field-id":5}]}])"))
          .value();
  constexpr Want kWants[] = {{5, kStatus}};
  EXPECT_TRUE(Projection::Of(&schema.root(), kWants).Has(kStatus));
  EXPECT_TRUE(Projection::Of(nullptr, kWants).empty());
}

TEST(ProjectionTest, AnySelectionOfFieldsEndsWhereTheRecordEnds) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    RandomSchema random(seed);
    const Schema schema = std::move(Schema::Parse(random.NextSchema())).value();
    if (schema.root().kind != Kind::kRecord) continue;
    const Value value = random.NextValue(schema.root());
    std::string bytes;
    Encoder encoder(&bytes);
    ASSERT_TRUE(WriteValue(schema.root(), value, encoder).ok());

    std::vector<Want> wants;
    for (int id = 1; id < 6; ++id) {
      if (random.Below(2) == 1) wants.push_back({id, id});
    }
    const Projection projection = Projection::Of(&schema.root(), wants);
    std::map<int, Value> seen;
    Decoder decoder(bytes);
    projection.Read(decoder, [&](const Projection::Item& item, Decoder& d) {
      seen[item.slot] = ReadValue(*item.type, d).value();
    });
    ASSERT_TRUE(decoder.Finish().ok()) << seed;
    for (size_t i = 0; i < schema.root().fields.size(); ++i) {
      const std::optional<int32_t> id = schema.root().fields[i].field_id();
      if (!id || !projection.Has(*id)) continue;
      ASSERT_EQ(seen[*id], value.get<RecordValue>().fields[i]) << seed;
    }
  }
}

}  // namespace
}  // namespace calve::avro
