#include "avro/value.h"

#include <gtest/gtest.h>

#include "avro/random_schema.h"

namespace calve::avro {
namespace {

Result<Value> RoundTrip(const Node& node, const Value& value) {
  std::string bytes;
  Encoder encoder(&bytes);
  CALVE_RETURN_IF_ERROR(WriteValue(node, value, encoder));
  Decoder decoder(bytes);
  CALVE_ASSIGN_OR_RETURN(Value read, ReadValue(node, decoder));
  CALVE_RETURN_IF_ERROR(decoder.Finish());
  Decoder skipper(bytes);
  Skip(node, skipper);
  CALVE_RETURN_IF_ERROR(skipper.Finish());
  return read;
}

TEST(ValueTest, RandomValuesOfRandomSchemasComeBack) {
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    RandomSchema random(seed);
    const std::string json = random.NextSchema();
    const Result<Schema> schema = Schema::Parse(json);
    ASSERT_TRUE(schema.ok()) << seed << ": " << schema.error().message << "\n" << json;
    ASSERT_EQ(Schema::Parse(schema->ToJson())->ToJson(), schema->ToJson()) << seed;
    for (int i = 0; i < 5; ++i) {
      const Value value = random.NextValue(schema->root());
      const Result<Value> read = RoundTrip(schema->root(), value);
      ASSERT_TRUE(read.ok()) << seed << ": " << read.error().message << "\n" << json;
      ASSERT_EQ(*read, value) << seed << "\n" << json;
    }
  }
}

TEST(ValueTest, RandomValuesCutAtEveryByteAreErrors) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    RandomSchema random(seed);
    const Schema schema = std::move(Schema::Parse(random.NextSchema())).value();
    std::string bytes;
    Encoder encoder(&bytes);
    ASSERT_TRUE(WriteValue(schema.root(), random.NextValue(schema.root()), encoder).ok());
    for (size_t size = 0; size < bytes.size(); ++size) {
      // A copy of the exact size, so that a read beyond it is seen.
      const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
      Decoder decoder({cut.data(), cut.size()});
      ASSERT_FALSE(ReadValue(schema.root(), decoder).ok()) << seed << " cut at " << size;
      Decoder skipper({cut.data(), cut.size()});
      Skip(schema.root(), skipper);
      ASSERT_FALSE(skipper.ok()) << seed << " cut at " << size;
    }
  }
}

TEST(ValueTest, UnionsRememberTheirBranch) {
  const Schema schema = std::move(Schema::Parse(R"(["null","string","long"])")).value();
  const Value read = RoundTrip(schema.root(), Value(int64_t{5})).value();
  EXPECT_EQ(read.branch, 2);
  EXPECT_EQ(read.kind(), Kind::kLong);
  EXPECT_EQ(RoundTrip(schema.root(), Value())->branch, 0);
}

TEST(ValueTest, ValuesOfOtherTypesAreRefused) {
  const auto refused = [](std::string_view json, const Value& value) {
    const Schema schema = std::move(Schema::Parse(json)).value();
    std::string bytes;
    Encoder encoder(&bytes);
    return !WriteValue(schema.root(), value, encoder).ok();
  };
  EXPECT_TRUE(refused(R"("int")", Value(int64_t{1})));
  EXPECT_TRUE(refused(R"("string")", Value(BytesValue{"a"})));
  EXPECT_TRUE(refused(R"(["null","int"])", Value(1.0)));
  EXPECT_TRUE(refused(R"({"type":"fixed","name":"f","size":2})", Value(FixedValue{"abc"})));
  EXPECT_TRUE(refused(R"({"type":"enum","name":"e","symbols":["A"]})", Value(SymbolValue{"B"})));
  EXPECT_TRUE(refused(R"({"type":"array","items":"int"})", Value(ArrayValue{{Value(true)}})));
  EXPECT_TRUE(refused(R"({"type":"record","name":"r","fields":[{"name":"a","type":"int"}]})",
                      Value(RecordValue{})));
  Value beyond(int32_t{1});
  beyond.branch = 7;
  EXPECT_TRUE(refused(R"(["null","int"])", beyond));
}

TEST(ValueTest, TextThatIsNotUtf8IsAnError) {
  const Schema schema = std::move(Schema::Parse("\"string\"")).value();
  Decoder decoder("\2\xff");
  const Result<Value> read = ReadValue(schema.root(), decoder);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message.find("UTF-8"), std::string::npos);
}

TEST(ValueTest, ZeroByteRecordsInsideEachOtherAreBounded) {
  std::string json = R"({"type":"record","name":"r0","fields":[]})";
  for (int i = 1; i < 40; ++i) {
    const std::string inner = "r" + std::to_string(i - 1);
    json = R"({"type":"record","name":"r)" + std::to_string(i) +
           R"(","fields":[{"name":"a","type":)" + json + R"(},{"name":"b","type":")" + inner +
           "\"}]}";
  }
  const Schema schema = std::move(Schema::Parse(json)).value();
  Decoder decoder("");
  EXPECT_FALSE(ReadValue(schema.root(), decoder).ok());
  Decoder skipper("");
  Skip(schema.root(), skipper);
  EXPECT_TRUE(skipper.Finish().ok());
}

TEST(ValueTest, DefaultsAreReadFromJson) {
  const auto made = [](std::string_view schema_json, std::string_view json) {
    const Schema schema = std::move(Schema::Parse(schema_json)).value();
    return ValueFromJson(schema.root(), json).value();
  };
  EXPECT_EQ(made(R"("long")", "9223372036854775807"), Value(int64_t{INT64_MAX}));
  EXPECT_EQ(made(R"("double")", "3"), Value(3.0));
  EXPECT_EQ(made(R"("bytes")", R"("\u00ff\u0000a")"), Value(BytesValue{std::string("\xff\0a", 3)}));
  EXPECT_EQ(made(R"({"type":"map","values":"int"})", R"({"b":1,"a":2})"),
            Value(MapValue{{{"b", Value(1)}, {"a", Value(2)}}}));
  EXPECT_EQ(made(R"(["null","string"])", R"("x")").branch, 1);
  EXPECT_EQ(made(R"({"type":"record","name":"r","fields":[{"name":"a","type":"int","default":4},
                    {"name":"b","type":"string"}]})",
                 R"({"b":"x"})"),
            Value(RecordValue{{Value(4), Value(std::string("x"))}}));
}

TEST(ValueTest, DefaultsThatDoNotFitAreRefused) {
  const auto refused = [](std::string_view schema_json, std::string_view json) {
    const Schema schema = std::move(Schema::Parse(schema_json)).value();
    return !ValueFromJson(schema.root(), json).ok();
  };
  EXPECT_TRUE(refused(R"("int")", "2147483648"));
  EXPECT_TRUE(refused(R"("long")", "9223372036854775808"));
  EXPECT_TRUE(refused(R"("long")", "1.5"));
  EXPECT_TRUE(refused(R"("int")", "{"));
  EXPECT_TRUE(refused(R"("bytes")", R"("\u0100")"));
  EXPECT_TRUE(refused(R"({"type":"fixed","name":"f","size":2})", R"("abc")"));
  EXPECT_TRUE(refused(R"({"type":"enum","name":"e","symbols":["A"]})", R"("B")"));
  EXPECT_TRUE(refused(R"(["null","int"])", R"("x")"));
  EXPECT_TRUE(
      refused(R"({"type":"record","name":"r","fields":[{"name":"a","type":"int"}]})", "{}"));
  EXPECT_TRUE(refused(R"({"type":"record","name":"r","fields":[
                         {"name":"a","type":["r","null"],"default":{}}]})",
                      "{}"));
}

}  // namespace
}  // namespace calve::avro
