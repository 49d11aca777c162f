#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "avro/decoder.h"
#include "avro/file_reader.h"
#include "avro/file_writer.h"
#include "avro/value.h"

namespace calve::avro {
namespace {

constexpr CodecName kCodecs[] = {CodecName::kNull, CodecName::kDeflate, CodecName::kSnappy,
                                 CodecName::kZstandard};
constexpr std::string_view kRow =
    R"({"type":"record","name":"row","fields":[{"name":"id","type":"long"},
       {"name":"name","type":["null","string"]},{"name":"tags","type":{"type":"array","items":"int"}}]})";

FileWriterOptions Options(CodecName codec, size_t block_bytes = 64'000) {
  FileWriterOptions options{.codec = codec, .block_bytes = block_bytes};
  for (size_t i = 0; i < options.sync_marker.size(); ++i) options.sync_marker[i] = 0xa0 + i;
  options.metadata = {{"format-version", "2"}, {"schema", "{}"}};
  return options;
}

void WriteRow(Encoder& encoder, int64_t id) {
  encoder.WriteLong(id);
  encoder.WriteIndex(id % 2);
  if (id % 2 == 1) encoder.WriteString("row " + std::to_string(id));
  if (id % 3 != 0) {
    encoder.WriteBlockCount(id % 3);
    for (int i = 0; i < id % 3; ++i) encoder.WriteInt(i);
  }
  encoder.WriteEnd();
}

std::string WrittenFile(CodecName codec, int64_t rows, size_t block_bytes = 64'000) {
  const Schema schema = std::move(Schema::Parse(kRow)).value();
  std::string file;
  Result<FileWriter> writer =
      FileWriter::Open(schema, AppendTo(&file), Options(codec, block_bytes));
  EXPECT_TRUE(writer.ok());
  for (int64_t id = 0; id < rows; ++id) {
    WriteRow(writer->record(), id);
    EXPECT_TRUE(writer->EndRecord().ok());
  }
  EXPECT_TRUE(writer->Close().ok());
  EXPECT_EQ(writer->record_count(), rows);
  EXPECT_EQ(writer->bytes_written(), static_cast<int64_t>(file.size()));
  return file;
}

/// Read a whole file of kRow and check its ids; the number of rows, or the error.
Result<int64_t> ReadRows(FileReader& reader) {
  int64_t rows = 0;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const std::optional<Block> block, reader.Next());
    if (!block) return rows;
    Decoder decoder(block->bytes);
    for (int64_t i = 0; i < block->record_count; ++i) {
      CALVE_ASSIGN_OR_RETURN(const Value row, ReadValue(reader.schema().root(), decoder));
      const auto* record = std::get_if<RecordValue>(&row.data);
      if (record == nullptr || record->fields[0] == Value(rows)) ++rows;
    }
    CALVE_RETURN_IF_ERROR(decoder.Finish());
  }
}

Result<int64_t> CountRows(std::string_view file) {
  CALVE_ASSIGN_OR_RETURN(FileReader reader, FileReader::Open(file));
  return ReadRows(reader);
}

/// Gives a file in pieces of random size.
class PiecewiseInput : public Input {
 public:
  PiecewiseInput(std::string file, uint64_t seed) : file_(std::move(file)), random_(seed) {}
  Result<size_t> Read(char* out, size_t size) override {
    const size_t piece = std::min({size, size_t{1} + random_() % 50, file_.size() - at_});
    file_.copy(out, piece, at_);
    at_ += piece;
    return piece;
  }

 private:
  std::string file_;
  size_t at_ = 0;
  std::mt19937_64 random_;
};

TEST(FileTest, RecordsComeBackWithEveryCodec) {
  for (CodecName codec : kCodecs) {
    for (int64_t rows : {0, 1, 1000}) {
      for (size_t block_bytes : {1, 100, 64'000}) {
        const std::string file = WrittenFile(codec, rows, block_bytes);
        EXPECT_EQ(CountRows(file).value(), rows) << ToString(codec) << " " << block_bytes;
      }
    }
  }
}

TEST(FileTest, FilesAreReadInPieces) {
  for (CodecName codec : kCodecs) {
    const std::string file = WrittenFile(codec, 500, 300);
    Result<FileReader> reader = FileReader::Open(std::make_unique<PiecewiseInput>(file, 9));
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ(ReadRows(*reader).value(), 500);
  }
}

TEST(FileTest, MetadataComesBack) {
  const std::string file = WrittenFile(CodecName::kSnappy, 1);
  const Result<FileReader> reader = FileReader::Open(file);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(*reader->FindMetadata("format-version"), "2");
  EXPECT_EQ(*reader->FindMetadata("avro.codec"), "snappy");
  EXPECT_EQ(reader->FindMetadata("absent"), nullptr);
  EXPECT_EQ(reader->metadata().size(), 4U);
  EXPECT_EQ(reader->codec(), CodecName::kSnappy);
  EXPECT_EQ(static_cast<uint8_t>(reader->sync_marker()[15]), 0xaf);
  EXPECT_EQ(reader->schema().root().name, "row");
}

TEST(FileTest, StoredBlocksAreDecompressedElsewhere) {
  const std::string file = WrittenFile(CodecName::kDeflate, 1000, 500);
  Result<FileReader> reader = FileReader::Open(file);
  ASSERT_TRUE(reader.ok());
  const std::unique_ptr<Codec> codec = Codec::Make(reader->codec());
  int64_t rows = 0;
  while (std::optional<StoredBlock> stored = reader->NextStored().value()) {
    const std::string_view bytes = codec->Decompress(stored->bytes, 1 << 20).value();
    ASSERT_TRUE(reader->CheckBlock({stored->record_count, stored->offset, bytes}).ok());
    rows += stored->record_count;
  }
  EXPECT_EQ(rows, 1000);
}

TEST(FileTest, AbandonedRecordsAreNotWritten) {
  const Schema schema = std::move(Schema::Parse(kRow)).value();
  std::string file;
  Result<FileWriter> writer = FileWriter::Open(schema, AppendTo(&file), Options(CodecName::kNull));
  WriteRow(writer->record(), 0);
  ASSERT_TRUE(writer->EndRecord().ok());
  WriteRow(writer->record(), 77);
  EXPECT_FALSE(writer->Close().ok());
  writer->AbandonRecord();
  std::string encoded;
  Encoder encoder(&encoded);
  WriteRow(encoder, 1);
  ASSERT_TRUE(writer->Append(encoded).ok());
  ASSERT_TRUE(writer->Close().ok());
  EXPECT_EQ(CountRows(file).value(), 2);
}

TEST(FileTest, WriterRefusesReservedMetadataAndMissingSyncMarker) {
  const Schema schema = std::move(Schema::Parse("\"int\"")).value();
  std::string file;
  FileWriterOptions reserved = Options(CodecName::kNull);
  reserved.metadata.emplace_back("avro.codec", "x");
  EXPECT_FALSE(FileWriter::Open(schema, AppendTo(&file), reserved).ok());
  EXPECT_FALSE(FileWriter::Open(schema, AppendTo(&file), FileWriterOptions{}).ok());
}

TEST(FileTest, AFailingSinkIsReported) {
  const Schema schema = std::move(Schema::Parse("\"int\"")).value();
  const Sink full = [](std::string_view) { return Status(RefusedError("the disk is full")); };
  const Result<FileWriter> writer = FileWriter::Open(schema, full, Options(CodecName::kNull));
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error().kind, ErrorKind::kRefused);
}

TEST(FileTest, AFileCutAnywhereButBetweenBlocksIsAnError) {
  for (CodecName codec : kCodecs) {
    const std::string file = WrittenFile(codec, 20, 60);
    std::vector<size_t> boundaries;
    {
      FileReader reader = std::move(FileReader::Open(file)).value();
      while (std::optional<StoredBlock> block = reader.NextStored().value()) {
        boundaries.push_back(static_cast<size_t>(block->offset));
      }
    }
    ASSERT_GT(boundaries.size(), 2U);
    for (size_t size = 0; size < file.size(); ++size) {
      const bool whole_blocks =
          std::find(boundaries.begin(), boundaries.end(), size) != boundaries.end();
      EXPECT_EQ(CountRows(file.substr(0, size)).ok(), whole_blocks) << size;
    }
  }
}

TEST(FileTest, DamageAtAnyByteNeverCrashes) {
  for (CodecName codec : kCodecs) {
    const std::string file = WrittenFile(codec, 4);
    for (size_t at = 0; at < file.size(); ++at) {
      for (int bit : {1, 2, 16, 128, 255}) {
        std::string damaged = file;
        damaged[at] = static_cast<char>(damaged[at] ^ bit);
        const Result<int64_t> rows = CountRows(damaged);
        if (!rows.ok()) {
          EXPECT_FALSE(rows.error().message.empty());
        }
      }
    }
  }
}

TEST(FileTest, ErrorsNameTheFileAndTheByte) {
  const std::string file = WrittenFile(CodecName::kNull, 4);
  const Result<FileReader> other = FileReader::Open(std::string_view("PAR1"), {.name = "a.avro"});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().message,
            "a.avro at byte 0: expected an Avro object container file, which begins with Obj1");
  std::string damaged = file;
  damaged.back() ^= 1;
  FileReader reader = std::move(FileReader::Open(damaged, {.name = "a.avro"})).value();
  const Result<std::optional<Block>> block = reader.Next();
  ASSERT_FALSE(block.ok());
  EXPECT_TRUE(block.error().message.starts_with("a.avro at byte ")) << block.error().message;
  EXPECT_NE(block.error().message.find("sync marker"), std::string::npos);
}

TEST(FileTest, HostileSizesAreRefusedBeforeMemoryIsTaken) {
  const auto refused = [](std::string_view tail, std::string_view head = "") {
    std::string file = "Obj\1";
    Encoder encoder(&file);
    if (head.empty()) {
      encoder.WriteBlockCount(1);
      encoder.WriteString("avro.schema");
      encoder.WriteString("\"null\"");
      encoder.WriteEnd();
      file.append(16, 's');
    }
    file += std::string(head) + std::string(tail);
    return !CountRows(file).ok();
  };
  const auto number = [](int64_t value) {
    std::string bytes;
    Encoder(&bytes).WriteLong(value);
    return bytes;
  };
  const std::string sync(16, 's');
  EXPECT_FALSE(refused(number(3) + number(0) + sync));
  EXPECT_TRUE(refused(number(INT64_MAX) + number(0) + sync));
  EXPECT_TRUE(refused(number(-1) + number(0) + sync));
  EXPECT_TRUE(refused(number(1) + number(INT64_MAX)));
  EXPECT_TRUE(refused(number(1) + number(-5)));
  EXPECT_TRUE(refused(number(1) + number(400'000'000)));
  EXPECT_TRUE(refused("", number(INT64_MIN) + number(5)));
  EXPECT_TRUE(refused("", number(INT64_MAX)));
  EXPECT_TRUE(refused("", number(1) + number(INT64_MAX)));
  EXPECT_TRUE(refused("", number(1) + number(-1)));
  std::string endless;
  for (int i = 0; i < 2'000'000; ++i) endless += number(1) + std::string(2, '\0');
  EXPECT_TRUE(refused("", endless));
}

TEST(FileTest, UnsupportedCodecsAreRefusedByName) {
  std::string file = WrittenFile(CodecName::kSnappy, 1);
  file.replace(file.find("\x0csnappy"), 7,
               "\x0a"
               "bzip2");
  const Result<FileReader> reader = FileReader::Open(file);
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().kind, ErrorKind::kData);
}

TEST(FileTest, FileWithoutCodecIsNotCompressed) {
  std::string file = "Obj\1";
  Encoder encoder(&file);
  encoder.WriteLong(-1);  // A block of one entry that tells its size.
  encoder.WriteLong(18);
  encoder.WriteString("avro.schema");
  encoder.WriteString("\"int\"");
  encoder.WriteEnd();
  file.append(16, 's');
  encoder.WriteLong(2);
  encoder.WriteLong(2);
  file += "\2\4" + std::string(16, 's');
  Result<FileReader> reader = FileReader::Open(file);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  const std::optional<Block> block = reader->Next().value();
  ASSERT_TRUE(block);
  EXPECT_EQ(block->record_count, 2);
  EXPECT_EQ(block->bytes, "\2\4");
  EXPECT_FALSE(reader->Next().value());
}

}  // namespace
}  // namespace calve::avro
