#include "iceberg/puffin.h"

#include <gtest/gtest.h>
#include <lz4frame.h>

#include "iceberg/bytes.h"
#include "iceberg/deletion_vector.h"

namespace calve::iceberg {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kFirstBytes = "abcdefghi";
constexpr std::string_view kSecondBytes =
    "some blob \0 binary data \xf0\x9f\xa4\xaf that is not very very very very long, is it?"sv;

PuffinBlob Blob(std::string_view type, int32_t field, PuffinCodec codec = PuffinCodec::kNone) {
  return {.type = std::string(type),
          .fields = {FieldId(field)},
          .snapshot_id = SnapshotId(2),
          .sequence_number = SequenceNumber(1),
          .codec = codec};
}

std::string SampleFile(PuffinCodec codec = PuffinCodec::kNone) {
  PuffinWriter writer;
  EXPECT_TRUE(writer.Add(Blob("some-blob", 1, codec), kFirstBytes).ok());
  PuffinBlob second = Blob("some-other-blob", 2, codec);
  second.properties = {{"z", "1"}, {"a", "2"}};
  EXPECT_TRUE(writer.Add(second, kSecondBytes).ok());
  return std::move(writer).Finish({{"created-by", "Test 1234"}});
}

/// A file with the payload as its footer says, and no blobs.
std::string FileWithFooter(std::string_view payload, uint32_t flags = 0,
                           std::string_view blobs = "") {
  const auto number = [](uint32_t value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  return "PFA1" + std::string(blobs) + "PFA1" + std::string(payload) +
         number(static_cast<uint32_t>(payload.size())) + number(flags) + "PFA1";
}

TEST(PuffinTest, AnEmptyFileIsWhatJavaWrites) {
  const std::string file = PuffinWriter().Finish({});
  EXPECT_EQ(ToHex(file),
            "5046413150464131"
            "7b22626c6f6273223a5b5d7d"
            "0c000000"
            "00000000"
            "50464131");
  const Result<PuffinFooter> footer = ReadPuffinFooter(file);
  ASSERT_TRUE(footer.ok()) << footer.error().message;
  EXPECT_TRUE(footer->blobs.empty());
}

TEST(PuffinTest, BlobsComeBackWithTheirMetadata) {
  for (PuffinCodec codec : {PuffinCodec::kNone, PuffinCodec::kZstd}) {
    const std::string file = SampleFile(codec);
    const Result<PuffinFooter> footer = ReadPuffinFooter(file);
    ASSERT_TRUE(footer.ok()) << footer.error().message;
    EXPECT_EQ(*FindProperty(footer->properties, "created-by"), "Test 1234");
    ASSERT_EQ(footer->blobs.size(), 2U);
    const PuffinBlob& second = footer->blobs[1];
    EXPECT_EQ(second.type, "some-other-blob");
    EXPECT_EQ(second.fields, std::vector<FieldId>{FieldId(2)});
    EXPECT_EQ(second.snapshot_id, SnapshotId(2));
    EXPECT_EQ(second.sequence_number, SequenceNumber(1));
    EXPECT_EQ(second.codec, codec);
    EXPECT_EQ(second.properties, (PuffinProperties{{"z", "1"}, {"a", "2"}}));
    EXPECT_EQ(ReadPuffinBlob(file, footer->blobs[0]).value(), kFirstBytes);
    EXPECT_EQ(ReadPuffinBlob(file, second).value(), kSecondBytes);
  }
}

TEST(PuffinTest, MembersStandInTheOrderOfTheSpecification) {
  const std::string file = SampleFile();
  EXPECT_NE(
      file.find(R"({"blobs":[{"type":"some-blob","fields":[1],"snapshot-id":2,"sequence-number":1,)"
                R"("offset":4,"length":9},)"),
      std::string::npos);
  EXPECT_NE(
      file.find(R"("properties":{"z":"1","a":"2"}}],"properties":{"created-by":"Test 1234"}})"),
      std::string::npos);
}

TEST(PuffinTest, TheFooterIsReadFromTheEndOfTheFileAlone) {
  const std::string file = SampleFile();
  const std::string_view tail = std::string_view(file).substr(file.size() - kPuffinTailBytes);
  const int64_t footer_bytes = PuffinFooterBytes(tail).value();
  const std::string_view footer =
      std::string_view(file).substr(file.size() - static_cast<size_t>(footer_bytes));
  const Result<PuffinFooter> parsed = ParsePuffinFooter(footer, static_cast<int64_t>(file.size()));
  ASSERT_TRUE(parsed.ok());
  const PuffinBlob& blob = parsed->blobs[0];
  EXPECT_EQ(DecodePuffinBlob(blob, file.substr(4, 9)).value(), kFirstBytes);
  EXPECT_FALSE(DecodePuffinBlob(blob, file.substr(4, 8)).ok());
  EXPECT_FALSE(ParsePuffinFooter(footer.substr(1), static_cast<int64_t>(file.size())).ok());
  EXPECT_FALSE(ParsePuffinFooter(footer, static_cast<int64_t>(file.size()) - 1).ok());
}

TEST(PuffinTest, DeletionVectorsAreStoredAsTheSpecificationDemands) {
  PositionSet positions;
  for (int64_t position : {50, 150}) positions.Add(position);
  PuffinWriter writer;
  const std::string path = "s3://warehouse/db/table/data/file-002.parquet";
  const Result<PuffinBlob> blob = writer.Add(DeletionVectorBlob(path, positions.Cardinality()),
                                             EncodeDeletionVector(positions));
  ASSERT_TRUE(blob.ok());
  const std::string file = std::move(writer).Finish({});
  EXPECT_NE(
      file.find(
          R"({"type":"deletion-vector-v1","fields":[2147483645],"snapshot-id":-1,"sequence-number":-1,)"
          R"("offset":4,"length":44,"properties":{"referenced-data-file":")" +
          path + R"(","cardinality":"2"}})"),
      std::string::npos)
      << file;
  EXPECT_EQ(DecodeDeletionVector(
                file.substr(static_cast<size_t>(blob->offset), static_cast<size_t>(blob->length)))
                .value(),
            positions);
}

TEST(PuffinTest, FootersAndBlobsInLz4AreRead) {
  const auto compressed = [](std::string_view bytes) {
    LZ4F_preferences_t preferences{};
    preferences.frameInfo.contentSize = bytes.size();
    std::string frame(LZ4F_compressFrameBound(bytes.size(), &preferences), '\0');
    frame.resize(
        LZ4F_compressFrame(frame.data(), frame.size(), bytes.data(), bytes.size(), &preferences));
    return frame;
  };
  const std::string bytes(100'000, 'x');
  const std::string blob = compressed(bytes);
  const std::string payload =
      R"({"blobs":[{"type":"t","fields":[],"snapshot-id":1,"sequence-number":1,"offset":4,"length":)" +
      std::to_string(blob.size()) + R"(,"compression-codec":"lz4"}]})";
  const std::string file = FileWithFooter(compressed(payload), 1, blob);
  const Result<PuffinFooter> footer = ReadPuffinFooter(file);
  ASSERT_TRUE(footer.ok()) << footer.error().message;
  EXPECT_EQ(ReadPuffinBlob(file, footer->blobs[0]).value(), bytes);
  EXPECT_EQ(ReadPuffinBlob(file, footer->blobs[0], {.blob_bytes_max = 100'000}).value(), bytes);
  EXPECT_FALSE(ReadPuffinBlob(file, footer->blobs[0], {.blob_bytes_max = 99'999}).ok());
  EXPECT_FALSE(ReadPuffinFooter(file, {.footer_bytes_max = 20}).ok());
  const std::string frame = compressed(payload);
  for (size_t size = 0; size < frame.size(); ++size) {
    EXPECT_FALSE(ReadPuffinFooter(FileWithFooter(frame.substr(0, size), 1, blob)).ok()) << size;
  }
  EXPECT_FALSE(ReadPuffinFooter(FileWithFooter(frame + "x", 1, blob)).ok());
  PuffinWriter writer;
  EXPECT_EQ(writer.Add(Blob("t", 1, PuffinCodec::kLz4), "x").error().kind, ErrorKind::kRefused);
}

TEST(PuffinTest, AFileCutAnywhereIsAnError) {
  const std::string file = SampleFile();
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(ReadPuffinFooter(file.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(ReadPuffinFooter(file + "x").ok());
}

TEST(PuffinTest, DamageAtAnyByteNeverCrashes) {
  for (PuffinCodec codec : {PuffinCodec::kNone, PuffinCodec::kZstd}) {
    const std::string file = SampleFile(codec);
    for (size_t at = 0; at < file.size(); ++at) {
      for (int bit : {0, 3, 7}) {
        std::string damaged = file;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        const Result<PuffinFooter> footer = ReadPuffinFooter(damaged);
        if (!footer.ok()) continue;
        for (const PuffinBlob& blob : footer->blobs) {
          const Result<std::string> bytes = ReadPuffinBlob(damaged, blob);
          if (!bytes.ok()) {
            EXPECT_FALSE(bytes.error().message.empty());
          }
        }
      }
    }
  }
}

TEST(PuffinTest, FootersThatMakeNoSenseAreRefused) {
  const auto refused = [](std::string_view payload, uint32_t flags = 0) {
    return !ReadPuffinFooter(FileWithFooter(payload, flags, "0123456789")).ok();
  };
  const auto blob = [](std::string_view offset, std::string_view length,
                       std::string_view more = "") {
    return R"({"blobs":[{"type":"t","fields":[1],"snapshot-id":1,"sequence-number":1,"offset":)" +
           std::string(offset) + R"(,"length":)" + std::string(length) + std::string(more) + "}]}";
  };
  EXPECT_FALSE(refused(blob("4", "10")));
  EXPECT_FALSE(refused(blob("14", "0")));
  EXPECT_TRUE(refused(blob("4", "11")));
  EXPECT_TRUE(refused(blob("3", "1")));
  EXPECT_TRUE(refused(blob("-4", "1")));
  EXPECT_TRUE(refused(blob("5", "-1")));
  EXPECT_TRUE(refused(blob("15", "0")));
  EXPECT_TRUE(refused(blob("9223372036854775807", "9223372036854775807")));
  EXPECT_FALSE(refused(blob("4", "10", R"(,"compression-codec":null)")));
  EXPECT_TRUE(refused(blob("4", "10", R"(,"compression-codec":"gzip")")));
  EXPECT_TRUE(refused(blob("4", "10", R"(,"properties":{"a":1})")));
  EXPECT_TRUE(refused(blob("4", "10", R"(,"properties":[])")));
  EXPECT_FALSE(refused(blob("4", "10", R"(,"later":{"than":"us"})")));
  EXPECT_FALSE(refused(R"({"blobs":[]})"));
  EXPECT_TRUE(refused(R"({"blobs":[]})", 1));
  EXPECT_TRUE(refused(R"({"blobs":[]})", 2));
  EXPECT_TRUE(refused(R"({"blobs":[]})", 0x01000000));
  EXPECT_TRUE(refused(R"({})"));
  EXPECT_TRUE(refused(R"({"blobs":{}})"));
  EXPECT_TRUE(refused(R"({"blobs":[1]})"));
  EXPECT_TRUE(refused("[]"));
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused(std::string(100'000, '[')));
}

}  // namespace
}  // namespace calve::iceberg
