#include <gtest/gtest.h>

#include "avro/encoder.h"
#include "avro/file_writer.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

/// An object container file of records, each written by `write`.
std::string FileOf(const std::string& schema_json, int64_t rows,
                   const std::function<void(int64_t row, avro::Encoder& record)>& write,
                   avro::CodecName codec = avro::CodecName::kNull) {
  std::string bytes;
  const auto schema = avro::Schema::Parse(schema_json);
  EXPECT_TRUE(schema.ok()) << schema.error().message;
  auto file = avro::FileWriter::Open(*schema, avro::AppendTo(&bytes),
                                     {.codec = codec, .sync_marker = {1, 2, 3}});
  EXPECT_TRUE(file.ok());
  for (int64_t row = 0; row < rows; ++row) {
    write(row, file->record());
    EXPECT_TRUE(file->EndRecord().ok());
  }
  EXPECT_TRUE(file->Close().ok());
  return bytes;
}

/// A record schema of fields given as JSON.
std::string RecordOf(const std::string& fields) {
  return R"({"type": "record", "name": "row", "fields": [)" + fields + "]}";
}

std::string Whole(int64_t first, int64_t rows) {
  const std::string schema = RecordOf(R"(
      {"name": "id", "type": "long"},
      {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}},
      {"name": "day", "type": {"type": "int", "logicalType": "date"}},
      {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
      {"name": "name", "type": ["null", "string"]})");
  return FileOf(
      schema, rows,
      [first](int64_t n, avro::Encoder& record) {
        const ContractRow row = ContractRowAt(first + n);
        record.WriteLong(row.id);
        std::string digits;
        for (int shift = 56; shift >= 0; shift -= 8)
          digits += static_cast<char>(row.cents >> shift);
        record.WriteBytes(digits);
        record.WriteInt(row.day);
        record.WriteLong(row.micros);
        record.WriteIndex(row.name.has_value() ? 1 : 0);
        if (row.name.has_value()) record.WriteString(*row.name);
      },
      avro::CodecName::kDeflate);
}

BrokenInput Broken(std::string name, std::string bytes, std::vector<std::string> says) {
  const auto write = [bytes = std::move(bytes)](const std::string& folder) {
    WriteText(folder + "/bad.avro", bytes);
  };
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

std::string Flipped(std::string bytes, size_t at) {
  bytes[at] = static_cast<char>(bytes[at] ^ 0xFF);
  return bytes;
}

}  // namespace

SOURCE_FIXTURE(avro) {
  const std::string good = Whole(0, 100);
  return {
      .options = [](const std::string& folder, int64_t) { return "source_path: " + folder + "/"; },
      .write =
          [](const std::string& folder, int64_t first, int64_t rows) {
            WriteText(folder + "/" + std::to_string(first) + ".avro", Whole(first, rows));
          },
      .broken =
          {
              Broken("another format", "id,name\n1,a\n", {"bad.avro", "no readable Avro file"}),
              Broken("a file that was cut", good.substr(0, good.size() - 30),
                     {"bad.avro", "row 1", "write it again"}),
              Broken("a block that was overwritten", Flipped(good, good.size() - 40),
                     {"bad.avro", "block at offset 383", "write it again"}),
              Broken("a header that was overwritten", Flipped(good, 60),
                     {"bad.avro", "no readable Avro file"}),
          }};
}

namespace {

class AvroSourceTest : public SourceTest {
 protected:
  /// One file with one record.
  Result<Rows> One(const std::string& fields,
                   const std::function<void(avro::Encoder& record)>& write) {
    WriteText(folder_.At("a.avro"),
              FileOf(RecordOf(fields), 1, [&](int64_t, avro::Encoder& record) { write(record); }));
    return ReadRows("avro", "source_path: a.avro");
  }
  /// One column `v` of a type, and one value.
  std::string Value(const std::string& type, const std::function<void(avro::Encoder&)>& write) {
    const auto rows = One(R"({"name": "v", "type": )" + type + "}", write);
    if (!rows.ok()) return rows.error().message;
    return rows->schema + " " + (rows->rows.empty() ? rows->rejects.front() : rows->rows.front());
  }
};

TEST_F(AvroSourceTest, LogicalTypesKeepTheirMeaning) {
  const auto write_long = [](int64_t value) {
    return [value](avro::Encoder& record) { record.WriteLong(value); };
  };
  EXPECT_EQ(Value(R"({"type": "int", "logicalType": "time-millis"})", write_long(3'723'004)),
            R"(v: time {"v": "01:02:03.004"})");
  EXPECT_EQ(Value(R"({"type": "long", "logicalType": "time-micros"})", write_long(3'723'000'004)),
            R"(v: time {"v": "01:02:03.000004"})");
  EXPECT_EQ(Value(R"({"type": "long", "logicalType": "timestamp-millis"})", write_long(-1)),
            R"(v: timestamptz {"v": "1969-12-31T23:59:59.999+00:00"})");
  EXPECT_EQ(Value(R"({"type": "long", "logicalType": "timestamp-nanos"})", write_long(1)),
            R"(v: timestamptz_ns {"v": "1970-01-01T00:00:00.000000001+00:00"})");
  EXPECT_EQ(Value(R"({"type": "long", "logicalType": "local-timestamp-millis"})", write_long(1)),
            R"(v: timestamp {"v": "1970-01-01T00:00:00.001"})");
  EXPECT_EQ(Value(R"({"type": "long", "logicalType": "local-timestamp-micros"})", write_long(1)),
            R"(v: timestamp {"v": "1970-01-01T00:00:00.000001"})");
  EXPECT_EQ(Value(R"({"type": "long", "logicalType": "local-timestamp-nanos"})", write_long(1)),
            R"(v: timestamp_ns {"v": "1970-01-01T00:00:00.000000001"})");
  EXPECT_EQ(Value(R"({"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": false})",
                  write_long(1)),
            R"(v: timestamp {"v": "1970-01-01T00:00:00.000001"})");
  // A logical type that does not go with its kind means nothing.
  EXPECT_EQ(Value(R"({"type": "long", "logicalType": "date"})", write_long(5)),
            R"(v: long {"v": 5})");
}

TEST_F(AvroSourceTest, DecimalsKeepEveryDigit) {
  const std::string type =
      R"({"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 3})";
  EXPECT_EQ(Value(type, [](avro::Encoder& record) { record.WriteBytes("\xff\x85"); }),
            R"(v: decimal(38, 3) {"v": -0.123})");
  // Longer than 16 bytes, by repeating the sign.
  EXPECT_EQ(
      Value(type, [](avro::Encoder& record) { record.WriteBytes(std::string(20, '\0') + "\x05"); }),
      R"(v: decimal(38, 3) {"v": 0.005})");
  EXPECT_NE(
      Value(type, [](avro::Encoder& record) { record.WriteBytes("\x01" + std::string(16, '\0')); })
          .find("a.avro row 1: column v: the decimal has more digits"),
      std::string::npos);
  EXPECT_NE(Value(type, [](avro::Encoder& record) { record.WriteBytes(""); })
                .find("a decimal without digits"),
            std::string::npos);
  EXPECT_EQ(Value(R"({"type": "fixed", "name": "d", "size": 2, "logicalType": "decimal",
                      "precision": 4, "scale": 1})",
                  [](avro::Encoder& record) { record.WriteFixed(std::string("\x01\x00", 2)); }),
            R"(v: decimal(4, 1) {"v": 25.6})");
  EXPECT_NE(Value(R"({"type": "bytes", "logicalType": "decimal", "precision": 39, "scale": 0})",
                  [](avro::Encoder& record) { record.WriteBytes("\x01"); })
                .find("a.avro: column v: a decimal of 39 digits"),
            std::string::npos);
}

TEST_F(AvroSourceTest, NamesAndBytesAreWhatTheyAre) {
  const auto uuid = Value(
      R"({"type": "string", "logicalType": "uuid"})",
      [](avro::Encoder& record) { record.WriteString("00112233-4455-6677-8899-aabbccddeeff"); });
  EXPECT_EQ(uuid.substr(0, 7), "v: uuid");
  EXPECT_NE(Value(R"({"type": "string", "logicalType": "uuid"})",
                  [](avro::Encoder& record) { record.WriteString("x"); })
                .find("'x' is no uuid"),
            std::string::npos);
  EXPECT_EQ(Value(R"({"type": "enum", "name": "e", "symbols": ["A", "B"]})",
                  [](avro::Encoder& record) { record.WriteIndex(1); }),
            R"(v: string {"v": "B"})");
  EXPECT_EQ(Value(R"({"type": "fixed", "name": "f", "size": 3})",
                  [](avro::Encoder& record) { record.WriteFixed("abc"); })
                .substr(0, 11),
            "v: fixed[3]");
  EXPECT_NE(Value(R"("string")", [](avro::Encoder& record) { record.WriteString("\xff"); })
                .find("a.avro row 1: column v: the text is no UTF-8"),
            std::string::npos);
}

TEST_F(AvroSourceTest, UnionsLoseNothing) {
  EXPECT_EQ(Value(R"(["int", "null"])", [](avro::Encoder& record) { record.WriteIndex(1); }),
            R"(v: int {"v": null})");
  EXPECT_EQ(Value(R"(["null", "int", "long"])",
                  [](avro::Encoder& record) {
                    record.WriteIndex(1);
                    record.WriteInt(7);
                  }),
            R"(v: long {"v": 7})");
  EXPECT_EQ(Value(R"(["float", "double"])",
                  [](avro::Encoder& record) {
                    record.WriteIndex(0);
                    record.WriteFloat(0.5F);
                  }),
            R"(v: double {"v": 0.5})");
  const auto several = Value(R"(["null", "long", "string"])", [](avro::Encoder& record) {
    record.WriteIndex(2);
    record.WriteString("x");
  });
  EXPECT_NE(several.find("v: struct<"), std::string::npos) << several;
  EXPECT_NE(several.find("long"), std::string::npos);
  EXPECT_NE(several.find("x"), std::string::npos);
}

TEST_F(AvroSourceTest, RecordsArraysAndMapsNest) {
  const auto nested = One(
      R"({"name": "o", "type": {"type": "record", "name": "o", "fields": [
            {"name": "tags", "type": {"type": "array", "items": "string"}},
            {"name": "counts", "type": {"type": "map", "values": ["null", "long"]}}]}})",
      [](avro::Encoder& record) {
        record.WriteBlockCount(2);
        record.WriteString("a");
        record.WriteString("b");
        record.WriteEnd();
        record.WriteBlockCount(1);
        record.WriteString("k");
        record.WriteIndex(1);
        record.WriteLong(5);
        record.WriteEnd();
      });
  ASSERT_TRUE(nested.ok()) << nested.error().message;
  EXPECT_NE(nested->schema.find("list<string>"), std::string::npos) << nested->schema;
  EXPECT_NE(nested->schema.find("map<string, long>"), std::string::npos) << nested->schema;
  EXPECT_EQ(nested->rows.size(), 1U);
}

TEST_F(AvroSourceTest, ARecordWithoutFieldsIsNull) {
  EXPECT_EQ(Value(R"({"type": "record", "name": "none", "fields": []})", [](avro::Encoder&) {}),
            R"(v: string {"v": null})");
}

TEST_F(AvroSourceTest, WhatNoTableHoldsIsRefusedByColumn) {
  const auto tree = One(
      R"({"name": "t", "type": {"type": "record", "name": "node", "fields": [
            {"name": "next", "type": ["null", "node"]}]}})",
      [](avro::Encoder& record) { record.WriteIndex(0); });
  ASSERT_FALSE(tree.ok());
  EXPECT_EQ(tree.error().kind, ErrorKind::kData);
  EXPECT_NE(tree.error().message.find("a.avro: column t.next: record node contains itself"),
            std::string::npos)
      << tree.error().message;
  WriteText(folder_.At("a.avro"),
            FileOf(R"("long")", 1, [](int64_t, avro::Encoder& record) { record.WriteLong(1); }));
  const auto values = ReadRows("avro", "source_path: a.avro");
  ASSERT_FALSE(values.ok());
  EXPECT_NE(values.error().message.find("a.avro holds values of Avro's type long"),
            std::string::npos);
}

TEST_F(AvroSourceTest, FilesJoinByNameAndOtherTypesAreRefused) {
  const auto write = [](int64_t, avro::Encoder& record) { record.WriteInt(1); };
  WriteText(folder_.At("1.avro"), FileOf(RecordOf(R"({"name": "a", "type": "int"})"), 1, write));
  WriteText(folder_.At("2.avro"), FileOf(RecordOf(R"({"name": "b", "type": "int"})"), 1, write));
  const auto rows = ReadRows("avro", "source_path: .\nfile_pattern: \"*.avro\"");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows,
            (std::vector<std::string>{R"({"a": 1, "b": null})", R"({"a": null, "b": 1})"}));
  WriteText(folder_.At("3.avro"), FileOf(RecordOf(R"({"name": "b", "type": "long"})"), 1, write));
  const auto other = ReadRows("avro", "source_path: .\nfile_pattern: \"*.avro\"");
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.error().message.find("3.avro, column b: the type is int64, but int32"),
            std::string::npos);
}

}  // namespace
}  // namespace calve::source
