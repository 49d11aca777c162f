#include "avro/resolve.h"

#include <gtest/gtest.h>

#include "avro/random_schema.h"

namespace calve::avro {
namespace {

Result<Value> Resolved(std::string_view writer_json, const Value& value,
                       std::string_view reader_json, MatchFields match = MatchFields::kByName) {
  CALVE_ASSIGN_OR_RETURN(const Schema writer, Schema::Parse(writer_json));
  CALVE_ASSIGN_OR_RETURN(const Schema reader, Schema::Parse(reader_json));
  std::string bytes;
  Encoder encoder(&bytes);
  CALVE_RETURN_IF_ERROR(WriteValue(writer.root(), value, encoder));
  CALVE_ASSIGN_OR_RETURN(const Resolver resolver,
                         Resolver::Compile(writer.root(), reader.root(), match));
  Decoder decoder(bytes);
  CALVE_ASSIGN_OR_RETURN(Value read, resolver.Read(decoder));
  CALVE_RETURN_IF_ERROR(decoder.Finish());
  return read;
}

std::string Refusal(const Result<Value>& value) { return value.ok() ? "" : value.error().message; }

Value Text(const char* text) { return std::string(text); }
Value Record(std::vector<Value> fields) { return RecordValue{std::move(fields)}; }

std::string RecordOf(std::string_view fields, std::string_view name = "r") {
  return R"({"type":"record","name":")" + std::string(name) + R"(","fields":[)" +
         std::string(fields) + "]}";
}

TEST(ResolveTest, ScalarsArePromoted) {
  EXPECT_EQ(Resolved(R"("int")", Value(7), R"("int")").value(), Value(7));
  EXPECT_EQ(Resolved(R"("int")", Value(7), R"("long")").value(), Value(int64_t{7}));
  EXPECT_EQ(Resolved(R"("int")", Value(7), R"("float")").value(), Value(7.0F));
  EXPECT_EQ(Resolved(R"("int")", Value(7), R"("double")").value(), Value(7.0));
  EXPECT_EQ(Resolved(R"("long")", Value(int64_t{7}), R"("float")").value(), Value(7.0F));
  EXPECT_EQ(Resolved(R"("long")", Value(int64_t{7}), R"("double")").value(), Value(7.0));
  EXPECT_EQ(Resolved(R"("float")", Value(1.5F), R"("double")").value(), Value(1.5));
  EXPECT_EQ(Resolved(R"("string")", Text("a"), R"("bytes")").value(), Value(BytesValue{"a"}));
  EXPECT_EQ(Resolved(R"("bytes")", Value(BytesValue{"a"}), R"("string")").value(), Text("a"));
  EXPECT_NE(Refusal(Resolved(R"("bytes")", Value(BytesValue{"\xff"}), R"("string")")).find("UTF-8"),
            std::string::npos);
}

TEST(ResolveTest, OtherPairsOfScalarsAreRefused) {
  EXPECT_EQ(Refusal(Resolved(R"("long")", Value(int64_t{7}), R"("int")")),
            "expected int or what can be read as it, found long in the writer's schema");
  EXPECT_FALSE(Resolved(R"("double")", Value(1.0), R"("float")").ok());
  EXPECT_FALSE(Resolved(R"("float")", Value(1.0F), R"("long")").ok());
  EXPECT_FALSE(Resolved(R"("boolean")", Value(true), R"("int")").ok());
  EXPECT_FALSE(Resolved(R"("string")", Text("1"), R"("int")").ok());
  EXPECT_FALSE(Resolved(R"("int")", Value(1), R"({"type":"array","items":"int"})").ok());
}

TEST(ResolveTest, FieldsAreMatchedByNameAndAlias) {
  const std::string writer = RecordOf(
      R"({"name":"a","type":"int"},{"name":"gone","type":{"type":"map","values":"string"}},
         {"name":"old","type":"string"})");
  const std::string reader = RecordOf(
      R"({"name":"fresh","type":"string","default":"d"},{"name":"now","type":"string","aliases":["old"]},
         {"name":"a","type":"long"})");
  const Value row = Record({Value(5), Value(MapValue{{{"k", Text("v")}}}), Text("x")});
  EXPECT_EQ(Resolved(writer, row, reader).value(),
            Record({Text("d"), Text("x"), Value(int64_t{5})}));
}

TEST(ResolveTest, AFieldWithoutSourceAndDefaultIsRefusedWithItsName) {
  const Result<Value> read = Resolved(RecordOf(R"({"name":"a","type":"int"})"), Record({Value(5)}),
                                      RecordOf(R"({"name":"b","type":["null","int"]})"));
  EXPECT_NE(Refusal(read).find("field \"b\" of \"r\""), std::string::npos) << Refusal(read);
}

TEST(ResolveTest, RecordNamesMustAgreeUnlessAliased) {
  const std::string field = R"({"name":"a","type":"int"})";
  EXPECT_FALSE(Resolved(RecordOf(field, "x"), Record({Value(5)}), RecordOf(field, "y")).ok());
  EXPECT_TRUE(Resolved(RecordOf(field, "s.x"), Record({Value(5)}), RecordOf(field, "t.x")).ok());
  EXPECT_TRUE(Resolved(RecordOf(field, "s.x"), Record({Value(5)}),
                       R"({"type":"record","name":"y","aliases":["s.x"],"fields":[)" + field + "]}")
                  .ok());
}

TEST(ResolveTest, FieldIdsMatchWhateverTheNames) {
  const std::string writer = RecordOf(
      R"({"name":"a","type":"int","field-id":1},{"name":"b","type":["null","string"],"field-id":2},
         {"name":"c","field-id":3,"type":{"type":"array","element-id":4,"items":)" +
          RecordOf(
              R"({"name":"x","type":"float","field-id":5},{"name":"y","type":"int","field-id":6})",
              "r3") +
          "}}",
      "written");
  const std::string reader = RecordOf(
      R"({"name":"list","field-id":3,"type":["null",{"type":"array","element-id":4,"items":)" +
          RecordOf(R"({"name":"a","type":"double","field-id":5})", "other") +
          R"(}]},{"name":"b","type":["null","long"],"field-id":1},
          {"name":"a","type":["null","int"],"field-id":99},
          {"name":"d","type":"int","field-id":98,"default":7},
          {"name":"e","type":["null","string"],"field-id":2})",
      "table");
  const Value row =
      Record({Value(5), Text("t"), Value(ArrayValue{{Record({Value(0.5F), Value(1)})}})});
  EXPECT_EQ(Resolved(writer, row, reader, MatchFields::kByFieldId).value(),
            Record({Value(ArrayValue{{Record({Value(0.5)})}}), Value(int64_t{5}), Value(), Value(7),
                    Text("t")}));
  EXPECT_FALSE(Resolved(writer, row, RecordOf(R"({"name":"a","type":"int","field-id":99})"),
                        MatchFields::kByFieldId)
                   .ok());
}

TEST(ResolveTest, TwoFieldsCannotReadOneFieldOfTheWriter) {
  const std::string writer = RecordOf(R"({"name":"a","type":"int","field-id":1})");
  EXPECT_FALSE(Resolved(writer, Record({Value(5)}),
                        RecordOf(R"({"name":"a","type":"int","field-id":1},
                                    {"name":"b","type":"int","field-id":1})"),
                        MatchFields::kByFieldId)
                   .ok());
  EXPECT_FALSE(Resolved(writer, Record({Value(5)}), RecordOf(R"({"name":"a","type":"int"},
                                    {"name":"b","type":"int","aliases":["a"]})"))
                   .ok());
}

TEST(ResolveTest, UnionsAreResolvedAtEachValue) {
  EXPECT_EQ(Resolved(R"(["null","int"])", Value(4), R"("long")").value(), Value(int64_t{4}));
  EXPECT_NE(Refusal(Resolved(R"(["null","int"])", Value(), R"("long")")).find("found null"),
            std::string::npos);
  const Value wrapped = Resolved(R"("int")", Value(4), R"(["null","double","long"])").value();
  EXPECT_EQ(wrapped, Value(4.0));
  EXPECT_EQ(wrapped.branch, 1);
  const Value exact = Resolved(R"("int")", Value(4), R"(["null","double","int"])").value();
  EXPECT_EQ(exact, Value(4));
  EXPECT_EQ(exact.branch, 2);
  EXPECT_EQ(Resolved(R"(["int","null"])", Value(), R"(["null","int"])")->branch, 0);
  EXPECT_FALSE(Resolved(R"(["int","null"])", Value(1), R"(["string","boolean"])").ok());
  const std::string field = R"({"name":"a","type":"int"})";
  const Value second = Resolved(RecordOf(field, "y"), Record({Value(5)}),
                                "[" + RecordOf(field, "x") + "," + RecordOf(field, "y") + "]")
                           .value();
  EXPECT_EQ(second.branch, 1);
}

TEST(ResolveTest, EnumsTakeTheReadersDefault) {
  const std::string writer = R"({"type":"enum","name":"e","symbols":["A","B"]})";
  const Value b = SymbolValue{"B"};
  EXPECT_EQ(Resolved(writer, b, R"({"type":"enum","name":"e","symbols":["B","C"]})").value(), b);
  EXPECT_EQ(
      Resolved(writer, b, R"({"type":"enum","name":"e","symbols":["C"],"default":"C"})").value(),
      Value(SymbolValue{"C"}));
  EXPECT_NE(
      Refusal(Resolved(writer, b, R"({"type":"enum","name":"e","symbols":["C"]})")).find("symbol"),
      std::string::npos);
}

TEST(ResolveTest, DecimalsKeepTheirScale) {
  const auto fixed = [](int size, int precision, int scale) {
    return R"({"type":"fixed","name":"d)" + std::to_string(size) + R"(","size":)" +
           std::to_string(size) + R"(,"logicalType":"decimal","precision":)" +
           std::to_string(precision) + R"(,"scale":)" + std::to_string(scale) + "}";
  };
  const Value minus = FixedValue{std::string("\xff\x85", 2)};
  EXPECT_EQ(Resolved(fixed(2, 4, 2), minus, fixed(4, 9, 2)).value(),
            Value(FixedValue{std::string("\xff\xff\xff\x85", 4)}));
  EXPECT_EQ(Resolved(fixed(2, 4, 2), minus,
                     R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})")
                .value(),
            Value(BytesValue{std::string("\xff\x85", 2)}));
  EXPECT_NE(Refusal(Resolved(fixed(2, 4, 2), minus, fixed(4, 9, 3))).find("decimal(4,2)"),
            std::string::npos);
  EXPECT_FALSE(Resolved(fixed(4, 9, 2), Value(FixedValue{"\1\2\3\4"}), fixed(2, 4, 2)).ok());
  const std::string bytes = R"({"type":"bytes","logicalType":"decimal","precision":4,"scale":2})";
  EXPECT_EQ(
      Resolved(bytes, Value(BytesValue{std::string("\0\0\x7f\1", 4)}), fixed(2, 4, 2)).value(),
      Value(FixedValue{"\x7f\1"}));
  EXPECT_FALSE(
      Resolved(bytes, Value(BytesValue{std::string("\0\0\x85\1", 4)}), fixed(2, 4, 2)).ok());
  EXPECT_FALSE(Resolved(R"({"type":"fixed","name":"f","size":2})", Value(FixedValue{"ab"}),
                        R"({"type":"fixed","name":"f","size":3})")
                   .ok());
}

TEST(ResolveTest, RecursiveRecordsResolve) {
  const std::string writer =
      RecordOf(R"({"name":"v","type":"int"},{"name":"next","type":["null","r"]})");
  const std::string reader =
      RecordOf(R"({"name":"next","type":["null","r"]},{"name":"v","type":"long"})");
  const Value list = Record({Value(1), Record({Value(2), Value()})});
  EXPECT_EQ(Resolved(writer, list, reader).value(),
            Record({Record({Value(), Value(int64_t{2})}), Value(int64_t{1})}));
  const std::string misfit =
      RecordOf(R"({"name":"next","type":["null","r"]},{"name":"v","type":"string"})");
  EXPECT_FALSE(Resolved(writer, list, misfit).ok());
}

TEST(ResolveTest, AnySchemaReadsItselfUnchanged) {
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    RandomSchema random(seed);
    const std::string json = random.NextSchema();
    const Schema schema = std::move(Schema::Parse(json)).value();
    const Value value = random.NextValue(schema.root());
    for (MatchFields match : {MatchFields::kByName, MatchFields::kByFieldId}) {
      if (match == MatchFields::kByFieldId && json.find("\"next\"") != std::string::npos) continue;
      const Result<Value> read = Resolved(json, value, json, match);
      ASSERT_TRUE(read.ok()) << seed << ": " << read.error().message << "\n" << json;
      ASSERT_EQ(*read, value) << seed << "\n" << json;
    }
  }
}

}  // namespace
}  // namespace calve::avro
