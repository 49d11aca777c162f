#include "avro/schema.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace calve::avro {
namespace {

Schema Parsed(std::string_view json) {
  Result<Schema> schema = Schema::Parse(json);
  EXPECT_TRUE(schema.ok()) << (schema.ok() ? "" : schema.error().message);
  return std::move(schema).value();
}

std::string Refusal(std::string_view json) {
  const Result<Schema> schema = Schema::Parse(json);
  EXPECT_FALSE(schema.ok()) << json;
  return schema.ok() ? "" : schema.error().message;
}

/// Equal as JSON, the order of members aside.
void ExpectPrintsAs(std::string_view json, std::string_view expected) {
  const std::string printed = Parsed(json).ToJson();
  EXPECT_EQ(nlohmann::json::parse(printed), nlohmann::json::parse(expected)) << printed;
  EXPECT_EQ(Parsed(printed).ToJson(), printed);
}

void ExpectKept(std::string_view json) { ExpectPrintsAs(json, json); }

TEST(SchemaTest, PrimitivesArePrintedBare) {
  for (const char* name :
       {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}) {
    const std::string bare = "\"" + std::string(name) + "\"";
    EXPECT_EQ(Parsed(bare).ToJson(), bare);
    EXPECT_EQ(Parsed("{\"type\":" + bare + "}").ToJson(), bare);
    EXPECT_EQ(Parsed(name).ToJson(), bare);
  }
}

TEST(SchemaTest, UnknownAttributesOfNodesAndFieldsAreKept) {
  ExpectKept(R"({"type":"record","name":"manifest_entry","doc":"an entry","fields":[
    {"name":"status","type":"int","field-id":0,"doc":"state","order":"ignore"},
    {"name":"a_x20b","type":["null",{"type":"long","logicalType":"timestamp-micros",
      "adjust-to-utc":true}],"default":null,"field-id":1,"iceberg-field-name":"a b"},
    {"name":"sizes","type":{"type":"array","logicalType":"map","items":{"type":"record",
      "name":"k117_v118","fields":[{"name":"key","type":"int","field-id":117},
      {"name":"value","type":"long","field-id":118}]},"element-id":7},"field-id":108},
    {"name":"tags","type":{"type":"map","values":"string","key-id":10,"value-id":11,
      "extra":{"deep":[1,2.5,null,"x"]}},"field-id":9},
    {"name":"s","type":{"type":"string","avro.java.string":"String"}}]})");
}

TEST(SchemaTest, AttributesAreReadAsWhatTheyAre) {
  const Schema schema = Parsed(
      R"({"type":"int","number":-7,"text":"a\"b","yes":true,"big":99999999999999999999,"list":[1]})");
  const Attributes& a = schema.root().attributes;
  EXPECT_EQ(a.GetInt("number"), -7);
  EXPECT_EQ(a.GetString("text"), "a\"b");
  EXPECT_EQ(a.GetBool("yes"), true);
  EXPECT_EQ(a.GetInt("text"), std::nullopt);
  EXPECT_EQ(a.GetInt("big"), std::nullopt);
  EXPECT_EQ(a.GetString("number"), std::nullopt);
  EXPECT_EQ(a.GetBool("number"), std::nullopt);
  EXPECT_EQ(*a.Find("list"), "[1]");
  EXPECT_EQ(a.Find("absent"), nullptr);
}

TEST(SchemaTest, NamedTypesAreDefinedOnceAndThenReferredTo) {
  ExpectKept(R"({"type":"record","name":"Pair","namespace":"org.a","fields":[
    {"name":"left","type":{"type":"fixed","name":"Hash","size":16}},
    {"name":"right","type":"Hash"},
    {"name":"colour","type":{"type":"enum","name":"Colour","namespace":"org.b",
      "symbols":["RED","GREEN"],"default":"RED","aliases":["org.b.Hue"]}},
    {"name":"other","type":"org.b.Colour"}]})");
}

TEST(SchemaTest, NamesTakeTheNamespaceAroundThem) {
  const Schema schema = Parsed(R"({"type":"record","name":"org.a.Outer","namespace":"ignored",
    "aliases":["Old","x.Older"],"fields":[
    {"name":"in","type":{"type":"record","name":"Inner","fields":[
      {"name":"up","type":["null","Outer"]}]}},
    {"name":"bare","type":{"type":"enum","name":"E","namespace":"","symbols":["A"]}},
    {"name":"again","type":"E"}]})");
  const Node& outer = schema.root();
  EXPECT_EQ(outer.full_name(), "org.a.Outer");
  EXPECT_EQ(outer.aliases, (std::vector<std::string>{"org.a.Old", "x.Older"}));
  EXPECT_EQ(outer.fields[0].type->full_name(), "org.a.Inner");
  EXPECT_EQ(outer.fields[0].type->fields[0].type->branches[1], &outer);
  EXPECT_EQ(outer.fields[1].type->full_name(), "E");
  EXPECT_EQ(outer.fields[2].type, outer.fields[1].type);
  EXPECT_EQ(Parsed(schema.ToJson()).ToJson(), schema.ToJson());
}

TEST(SchemaTest, NestedTypeObjectsKeepTheirAttributes) {
  ExpectPrintsAs(R"({"type":{"type":"bytes","a":1},"b":2})", R"({"type":"bytes","a":1,"b":2})");
  ExpectPrintsAs(R"({"type":["null","int"],"b":2})", R"({"type":["null","int"],"b":2})");
}

TEST(SchemaTest, DecimalsAreKnownOnlyWhenValid) {
  const auto decimal = [](std::string_view json) { return Parsed(json).root().decimal; };
  EXPECT_EQ(decimal(R"({"type":"bytes","logicalType":"decimal","precision":38,"scale":9})"),
            (Decimal{38, 9}));
  EXPECT_EQ(decimal(R"({"type":"bytes","logicalType":"decimal","precision":4})"), (Decimal{4, 0}));
  const std::string fixed = R"({"type":"fixed","name":"f","size":4,"logicalType":"decimal",)";
  EXPECT_EQ(decimal(fixed + R"("precision":9,"scale":2})"), (Decimal{9, 2}));
  EXPECT_EQ(decimal(fixed + R"("precision":10,"scale":2})"), std::nullopt);
  EXPECT_EQ(decimal(R"({"type":"bytes","logicalType":"decimal","precision":4,"scale":5})"),
            std::nullopt);
  EXPECT_EQ(decimal(R"({"type":"bytes","logicalType":"decimal"})"), std::nullopt);
  EXPECT_EQ(decimal(R"({"type":"int","logicalType":"decimal","precision":4})"), std::nullopt);
  ExpectKept(R"({"type":"bytes","logicalType":"decimal","precision":4,"scale":5})");
  ExpectKept(fixed + R"("precision":9,"scale":2})");
}

TEST(SchemaTest, FaultsAreRefusedWithTheirPlace) {
  EXPECT_NE(Refusal("{").find("expected JSON"), std::string::npos);
  EXPECT_NE(Refusal(R"("strin")").find("did you mean 'string'"), std::string::npos)
      << Refusal(R"("strin")");
  EXPECT_NE(
      Refusal(R"({"type":"record","name":"r","fields":[{"name":"f","type":"x"}]})").find("at r.f:"),
      std::string::npos);
  for (
      const char* json :
      {R"(7)",
       R"({})",
       R"([])",
       R"(["int","int"])",
       R"(["int",["null"]])",
       R"({"type":"array"})",
       R"({"type":"map","items":"int"})",
       R"({"type":"record","name":"r"})",
       R"({"type":"record","fields":[]})",
       R"({"type":"record","name":"int","fields":[]})",
       R"({"type":"record","name":"","fields":[]})",
       R"({"type":"fixed","name":"f"})",
       R"({"type":"fixed","name":"f","size":-1})",
       R"({"type":"fixed","name":"f","size":4e9})",
       R"({"type":"fixed","name":"f","size":4294967296})",
       R"({"type":"enum","name":"e"})",
       R"({"type":"enum","name":"e","symbols":[]})",
       R"({"type":"enum","name":"e","symbols":["A","A"]})",
       R"({"type":"enum","name":"e","symbols":["A"],"default":"B"})",
       R"({"type":"enum","name":"e","symbols":[1]})",
       R"({"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]})",
       R"({"type":"record","name":"r","fields":[{"name":"a"}]})",
       R"({"type":"record","name":"r","fields":[{"type":"int"}]})",
       R"({"type":"record","name":"r","fields":{"name":"a","type":"int"}})",
       R"({"type":"record","name":"r","fields":[{"name":"a","type":
            {"type":"fixed","name":"r","size":1}}]})"}) {
    EXPECT_FALSE(Refusal(json).empty()) << json;
  }
}

TEST(SchemaTest, RecordsWithoutEndAreRefused) {
  EXPECT_NE(Refusal(R"({"type":"record","name":"r","fields":[{"name":"a","type":"r"}]})")
                .find("contains itself without end"),
            std::string::npos);
  EXPECT_FALSE(
      Refusal(R"({"type":"record","name":"r","fields":[{"name":"a","type":["r"]}]})").empty());
  Parsed(R"({"type":"record","name":"r","fields":[{"name":"a","type":["null","r"]}]})");
  Parsed(
      R"({"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":"r"}}]})");
}

TEST(SchemaTest, DeepNestingIsRefused) {
  const auto nested = [](size_t levels) {
    std::string json;
    for (size_t i = 0; i < levels; ++i) json += R"({"type":"array","items":)";
    return json + "\"int\"" + std::string(levels, '}');
  };
  Parsed(nested(Schema::kDepthMax - 1));
  EXPECT_NE(Refusal(nested(Schema::kDepthMax)).find("levels"), std::string::npos);
  EXPECT_NE(Refusal(nested(100'000)).find("levels"), std::string::npos);
  EXPECT_FALSE(Refusal(std::string(1'000'000, '[')).empty());
}

TEST(SchemaTest, LongChainsOfRecordsAreNoTrouble) {
  std::string fields;
  for (int i = 0; i < 20'000; ++i) {
    const std::string inner = i == 0 ? "int" : "r" + std::to_string(i - 1);
    fields += std::string(i == 0 ? "" : ",") + R"({"name":"f)" + std::to_string(i) +
              R"(","type":{"type":"record","name":"r)" + std::to_string(i) +
              R"(","fields":[{"name":"a","type":")" + inner + "\"}]}}";
  }
  const Schema schema = Parsed(R"({"type":"record","name":"top","fields":[)" + fields + "]}");
  EXPECT_EQ(schema.root().bytes_min, 20'000);
  EXPECT_EQ(schema.root().varints_exact, 20'000);
}

TEST(SchemaTest, EncodingFactsFollowTheTypes) {
  const Schema schema = Parsed(R"({"type":"record","name":"r","fields":[
    {"name":"kv","type":{"type":"record","name":"k","fields":[
      {"name":"k","type":"int"},{"name":"v","type":"long"}]}},
    {"name":"xy","type":{"type":"record","name":"p","fields":[
      {"name":"x","type":"double"},{"name":"y","type":"float"},{"name":"b","type":"boolean"}]}},
    {"name":"o","type":["null","r"]},
    {"name":"n","type":"null"}]})");
  const std::vector<Field>& fields = schema.root().fields;
  EXPECT_EQ(fields[0].type->bytes_min, 2);
  EXPECT_EQ(fields[0].type->bytes_exact, -1);
  EXPECT_EQ(fields[0].type->varints_exact, 2);
  EXPECT_EQ(fields[1].type->bytes_min, 13);
  EXPECT_EQ(fields[1].type->bytes_exact, 13);
  EXPECT_EQ(fields[1].type->varints_exact, -1);
  EXPECT_EQ(fields[2].type->bytes_min, 1);
  EXPECT_EQ(fields[3].type->bytes_min, 0);
  EXPECT_EQ(schema.root().bytes_min, 16);
}

TEST(SchemaTest, BuilderMakesWhatTheParserReads) {
  SchemaBuilder b;
  Node* entry = b.Record("manifest_entry");
  SchemaBuilder::AddField(entry, "status", b.Int()).attributes.SetInt("field-id", 0);
  Field& id = SchemaBuilder::AddField(entry, "snapshot_id", b.Optional(b.Long()));
  id.default_json = "null";
  id.attributes.SetInt("field-id", 1);
  Node* price = b.Fixed("decimal_9_2", 4);
  SchemaBuilder::SetDecimal(price, {9, 2});
  SchemaBuilder::AddField(entry, "price", price).attributes.SetString("doc", "in \"EUR\"");
  Node* list = b.Array(b.Logical(Kind::kInt, "date"));
  list->attributes.SetInt("element-id", 5);
  SchemaBuilder::AddField(entry, "days", list);
  const Result<Schema> schema = std::move(b).Finish(entry);
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(schema->ToJson(),
            R"({"type":"record","name":"manifest_entry","fields":[)"
            R"({"name":"status","type":"int","field-id":0},)"
            R"({"name":"snapshot_id","type":["null","long"],"default":null,"field-id":1},)"
            R"({"name":"price","type":{"type":"fixed","name":"decimal_9_2","size":4,)"
            R"("logicalType":"decimal","precision":9,"scale":2},"doc":"in \"EUR\""},)"
            R"({"name":"days","type":{"type":"array","items":{"type":"int","logicalType":"date"},)"
            R"("element-id":5}}]})");
  EXPECT_EQ(schema->root().FindFieldById(1)->name, "snapshot_id");
  EXPECT_EQ(schema->root().FindField("days")->type->element->logical_type, "date");
  EXPECT_EQ(schema->root().FindFieldById(7), nullptr);
}

TEST(SchemaTest, BuilderRefusesWhatAvroForbids) {
  const auto refused = [](auto&& make) {
    SchemaBuilder b;
    const Node* root = make(b);
    return !std::move(b).Finish(root).ok();
  };
  EXPECT_TRUE(refused([](SchemaBuilder& b) { return b.Record("a b"); }));
  EXPECT_TRUE(refused([](SchemaBuilder& b) { return b.Union({}); }));
  EXPECT_TRUE(refused([](SchemaBuilder& b) { return b.Union({b.Int(), b.Int()}); }));
  EXPECT_TRUE(refused([](SchemaBuilder& b) { return b.Union({b.Int(), b.Union({b.Null()})}); }));
  EXPECT_TRUE(refused([](SchemaBuilder& b) { return b.Enum("e", {"A", "A"}); }));
  EXPECT_TRUE(
      refused([](SchemaBuilder& b) { return b.Union({b.Fixed("f", 1), b.Fixed("f", 2)}); }));
  EXPECT_TRUE(refused([](SchemaBuilder& b) {
    Node* record = b.Record("r");
    SchemaBuilder::AddField(record, "1x", b.Int());
    return record;
  }));
  EXPECT_TRUE(refused([](SchemaBuilder& b) {
    Node* record = b.Record("r");
    SchemaBuilder::AddField(record, "self", record);
    return record;
  }));
  EXPECT_FALSE(refused([](SchemaBuilder& b) { return b.Union({b.Null(), b.Fixed("f", 1)}); }));
}

}  // namespace
}  // namespace calve::avro
