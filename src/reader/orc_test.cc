#include <arrow/adapters/orc/adapter.h>
#include <arrow/array/array_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "columnar/arrow_status.h"
#include "io/memory.h"
#include "reader/file_batches.h"
#include "reader/orc_booleans.h"
#include "reader/orc_integers.h"
#include "reader/orc_layout.h"
#include "reader/orc_timestamps.h"

namespace calve::reader {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using iceberg::TypeKind;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kFirst = -62'135'596'800 * kSecond;     ///< 0001-01-01
constexpr int64_t kLast = 253'402'300'800 * kSecond - 1;  ///< 9999-12-31 23:59:59.999999

OrcStream Plain(std::string_view bytes) { return {std::string(bytes), OrcCompression{}}; }
std::string BytesOf(std::initializer_list<uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

struct Encoded {
  OrcRuns runs;
  OrcSign sign;
  std::string bytes;
  std::vector<int64_t> values;
};

/// The examples of the specification, and what it says without one.
std::vector<Encoded> EncodedIntegers() {
  constexpr auto kUnsigned = OrcSign::kUnsigned;
  constexpr auto kSigned = OrcSign::kSigned;
  std::vector<int64_t> falling(100);
  std::iota(falling.rbegin(), falling.rend(), 1);
  return {
      {OrcRuns::kVersion1, kUnsigned, BytesOf({0x61, 0x00, 0x07}), std::vector<int64_t>(100, 7)},
      {OrcRuns::kVersion1, kUnsigned, BytesOf({0x61, 0xff, 0x64}), falling},
      {OrcRuns::kVersion1, kUnsigned, BytesOf({0xfb, 2, 3, 6, 7, 11}), {2, 3, 6, 7, 11}},
      {OrcRuns::kVersion1, kSigned, BytesOf({0xfd, 1, 2, 0xac, 0x02}), {-1, 1, 150}},
      {OrcRuns::kVersion1, kSigned, BytesOf({0x00, 0x02, 0x03}), {-2, 0, 2}},
      {OrcRuns::kVersion2, kUnsigned, BytesOf({0x0a, 0x27, 0x10}), std::vector<int64_t>(5, 10'000)},
      {OrcRuns::kVersion2, kSigned, BytesOf({0x00, 0x01}), {-1, -1, -1}},
      {OrcRuns::kVersion2,
       kUnsigned,
       BytesOf({0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef}),
       {23713, 43806, 57005, 48879}},
      {OrcRuns::kVersion2, kUnsigned, BytesOf({0x40, 0x02, 0xa0}), {1, 0, 1}},
      {OrcRuns::kVersion2,
       kUnsigned,
       BytesOf({0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70,
                0x28, 0x32, 0x3c, 0x46, 0x50, 0x5a, 0x64, 0x6e, 0x78, 0x82,
                0x8c, 0x96, 0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8}),
       {2030, 2000, 2020, 1'000'000, 2040, 2050, 2060, 2070, 2080, 2090,
        2100, 2110, 2120, 2130,      2140, 2150, 2160, 2170, 2180, 2190}},
      // A base of -5 in one byte, values of 8 bits, no patches.
      {OrcRuns::kVersion2, kSigned, BytesOf({0x8e, 0x01, 0x00, 0x00, 0x85, 0x00, 0x06}), {-5, 1}},
      {OrcRuns::kVersion2,
       kUnsigned,
       BytesOf({0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46}),
       {2, 3, 5, 7, 11, 13, 17, 19, 23, 29}},
      // Signed from -1 on, always 3 less; and first 1 less, then 2.
      {OrcRuns::kVersion2, kSigned, BytesOf({0xc0, 0x03, 0x01, 0x05}), {-1, -4, -7, -10}},
      {OrcRuns::kVersion2, kSigned, BytesOf({0xc6, 0x02, 0x00, 0x01, 0x20}), {0, -1, -3}},
  };
}

TEST(OrcIntegersTest, RunsDecodeAsTheSpecificationSays) {
  for (const Encoded& encoded : EncodedIntegers()) {
    OrcIntegers integers(Plain(encoded.bytes), encoded.runs, encoded.sign);
    std::vector<int64_t> got(encoded.values.size());
    const Status status = integers.Read(got);
    ASSERT_TRUE(status.ok()) << status.error().message;
    EXPECT_EQ(got, encoded.values);
    EXPECT_FALSE(integers.Read(std::span(got).first(1)).ok());
  }
}

TEST(OrcIntegersTest, RunsFollowEachOtherHoweverTheyAreRead) {
  std::string bytes;
  std::vector<int64_t> expected;
  for (const Encoded& encoded : EncodedIntegers()) {
    if (encoded.runs != OrcRuns::kVersion2 || encoded.sign != OrcSign::kUnsigned) continue;
    bytes += encoded.bytes;
    expected.insert(expected.end(), encoded.values.begin(), encoded.values.end());
  }
  OrcIntegers integers(Plain(bytes), OrcRuns::kVersion2, OrcSign::kUnsigned);
  std::vector<int64_t> got(expected.size());
  for (size_t i = 0; i < got.size(); i += 3)
    ASSERT_TRUE(integers.Read(std::span(got).subspan(i, std::min<size_t>(3, got.size() - i))).ok());
  EXPECT_EQ(got, expected);
}

TEST(OrcIntegersTest, CutRunsAreErrors) {
  for (const Encoded& encoded : EncodedIntegers()) {
    for (size_t size = 0; size < encoded.bytes.size(); ++size) {
      const std::string cut = encoded.bytes.substr(0, size);
      OrcIntegers integers(Plain(cut), encoded.runs, encoded.sign);
      std::vector<int64_t> got(encoded.values.size());
      const Status status = integers.Read(got);
      ASSERT_FALSE(status.ok()) << size;
      EXPECT_EQ(status.error().kind, ErrorKind::kData);
    }
  }
}

TEST(OrcIntegersTest, NonsenseIsAnError) {
  const std::string wide_varint = BytesOf({0xff}) + std::string(10, '\xff') + "\x01";
  std::vector<int64_t> one(1);
  EXPECT_FALSE(
      OrcIntegers(Plain(wide_varint), OrcRuns::kVersion1, OrcSign::kSigned).Read(one).ok());
  // Two values; a patch for the fourth, a patch of values of 64 bits, and a patch of 64 bits itself.
  for (const std::string& bytes :
       {BytesOf({0x8e, 0x01, 0x00, 0x41, 0, 0, 0, 0xe0, 0, 0}),
        BytesOf({0xbe, 0x00, 0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
        BytesOf({0x8e, 0x00, 0x1f, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})}) {
    EXPECT_FALSE(OrcIntegers(Plain(bytes), OrcRuns::kVersion2, OrcSign::kUnsigned).Read(one).ok());
  }
}

/// Chunks of `size` bytes each, stored as they are and deflated in turn.
std::string InChunks(std::string_view bytes, size_t size, const OrcCompression& compression) {
  std::string chunks;
  for (bool is_original = true; !bytes.empty(); is_original = !is_original) {
    std::string chunk(bytes.substr(0, size));
    bytes.remove_prefix(chunk.size());
    if (!is_original) {
      std::string deflated(100, ' ');
      const int64_t length = compression.codec
                                 ->Compress(static_cast<int64_t>(chunk.size()),
                                            reinterpret_cast<const uint8_t*>(chunk.data()), 100,
                                            reinterpret_cast<uint8_t*>(deflated.data()))
                                 .ValueOrDie();
      chunk = deflated.substr(0, static_cast<size_t>(length));
    }
    const size_t header = chunk.size() << 1 | static_cast<size_t>(is_original);
    chunks += BytesOf({static_cast<uint8_t>(header), static_cast<uint8_t>(header >> 8), 0}) + chunk;
  }
  return chunks;
}

TEST(OrcStreamTest, RunsGoOnInTheNextChunk) {
  const auto compression = OrcCompression::Of({.compression = 1, .chunk_bytes_max = 7});
  ASSERT_TRUE(compression.ok() && *compression);
  for (const Encoded& encoded : EncodedIntegers()) {
    for (size_t size = 1; size <= 7; ++size) {
      const std::string chunks = InChunks(encoded.bytes, size, **compression);
      OrcIntegers integers({chunks, **compression}, encoded.runs, encoded.sign);
      std::vector<int64_t> got(encoded.values.size());
      const Status status = integers.Read(got);
      ASSERT_TRUE(status.ok()) << status.error().message;
      EXPECT_EQ(got, encoded.values);
    }
  }
}

TEST(OrcStreamTest, BrokenChunksAreErrors) {
  const auto compression = OrcCompression::Of({.compression = 1, .chunk_bytes_max = 100});
  ASSERT_TRUE(compression.ok() && *compression);
  for (const std::string& stored : {BytesOf({0x03, 0x00}), BytesOf({0x07, 0x00, 0x00, 1, 2}),
                                    BytesOf({0x04, 0x00, 0x00, 0xff, 0xff})}) {
    OrcStream stream(stored, **compression);
    EXPECT_EQ(stream.Next(), 0);
    ASSERT_FALSE(stream.status().ok());
    EXPECT_EQ(stream.status().error().kind, ErrorKind::kData);
  }
  OrcStream footer(InChunks(std::string(60, 'x'), 30, **compression), **compression);
  EXPECT_FALSE(footer.ReadRest(59).ok());
  // A deflated chunk of more bytes than the file promises.
  OrcStream large(InChunks(std::string(202, 'x'), 101, **compression), **compression);
  EXPECT_FALSE(large.ReadRest(1'000).ok());
  EXPECT_FALSE(OrcCompression::Of({.compression = 1, .chunk_bytes_max = 1 << 24}).ok());
}

TEST(OrcBooleansTest, BitsDecodeAsTheSpecificationSays) {
  const auto read = [](const std::string& bytes, size_t count) {
    OrcBooleans booleans(Plain(bytes));
    std::vector<uint8_t> values(count);
    EXPECT_TRUE(booleans.Read(values).ok());
    std::vector<uint8_t> more(1);
    EXPECT_FALSE(booleans.Read(more).ok());
    return values;
  };
  EXPECT_EQ(read(BytesOf({0xff, 0x80}), 8), (std::vector<uint8_t>{1, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(read(BytesOf({0x61, 0x00}), 800), std::vector<uint8_t>(800, 0));
  EXPECT_EQ(read(BytesOf({0xfe, 0x44, 0x45}), 16),
            (std::vector<uint8_t>{0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1}));
  EXPECT_EQ(read(BytesOf({0x00, 0xff, 0xff, 0x00}), 32), [] {
    std::vector<uint8_t> values(32, 1);
    std::fill(values.begin() + 24, values.end(), 0);
    return values;
  }());
}

TEST(OrcLayoutTest, StreamsOutsideOfTheirStripeAreRefused) {
  const OrcStripe stripe = {.offset = 3, .footer_offset = 13, .footer_length = 9, .rows = 1};
  const auto footer = [](uint8_t length) { return BytesOf({0x0a, 6, 8, 1, 16, 2, 24, length}); };
  const auto whole = ParseOrcStripeFooter(footer(10), stripe);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  const auto* stream = whole->Find(2, OrcStreamKind::kData);
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->offset, 3);
  EXPECT_EQ(stream->length, 10);
  EXPECT_EQ(whole->Find(1, OrcStreamKind::kData), nullptr);
  EXPECT_FALSE(ParseOrcStripeFooter(footer(11), stripe).ok());
  EXPECT_FALSE(ParseOrcStripeFooter(footer(10).substr(0, 5), stripe).ok());
}

TEST(OrcLayoutTest, UtcHasManyNames) {
  for (const char* zone : {"UTC", "GMT", "Etc/UTC", "Etc/GMT", "Zulu", "Etc/Universal"})
    EXPECT_TRUE(IsUtc(zone)) << zone;
  for (const char* zone : {"", "Etc/", "Europe/London", "GMT+1", "utc+1"})
    EXPECT_FALSE(IsUtc(zone)) << zone;
}

struct WriterOptions {
  arrow::Compression::type compression = arrow::Compression::UNCOMPRESSED;
  arrow::adapters::orc::FileVersion version{0, 12};
  int64_t stripe_bytes = 64 << 20;
};

std::string WriteOrc(const arrow::RecordBatch& rows, const WriterOptions& options) {
  arrow::adapters::orc::WriteOptions to;
  to.batch_size = 512;
  to.compression = options.compression;
  to.file_version = options.version;
  to.stripe_size = options.stripe_bytes;
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto orc = arrow::adapters::orc::ORCFileWriter::Open(sink.get(), to).ValueOrDie();
  const arrow::Status written = orc->Write(rows);
  EXPECT_TRUE(written.ok()) << written.ToString();
  EXPECT_TRUE(orc->Close().ok());
  return sink->Finish().ValueOrDie()->ToString();
}

int64_t StripesOf(const std::string& bytes) {
  const auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  return arrow::adapters::orc::ORCFileReader::Open(file, arrow::default_memory_pool())
      .ValueOrDie()
      ->NumberOfStripes();
}

Field Wanted(int id, TypeKind kind) {
  return {.id = FieldId(id), .name = "c" + std::to_string(id), .type = Type::Of(kind)};
}

/// Read wanted fields of a file, whose columns have ids 1, 2, ... in order.
Result<columnar::Batch> ReadOrc(const std::string& bytes, std::vector<Field> wanted,
                                int64_t batch_rows_max = 1000) {
  const OwnedContext context;
  io::MemoryFileSystem files;
  CALVE_ASSIGN_OR_RETURN(const ByteCount size, files.WriteFile(*context, "memory://t/f", bytes));
  EXPECT_EQ(size.value(), static_cast<int64_t>(bytes.size()));
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<io::InputFile> input,
                         files.OpenInput(*context, "memory://t/f"));
  FileOptions options;
  options.wanted = std::move(wanted);
  options.batch_rows_max = batch_rows_max;
  CALVE_ASSIGN_OR_RETURN(const auto batches, OpenOrc(std::move(input), std::move(options)));
  arrow::RecordBatchVector rows;
  int64_t position = 0;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto batch, batches->Next(*context));
    if (!batch) break;
    CALVE_RETURN_IF_ERROR(batch->rows->ValidateFull());
    EXPECT_EQ(batch->first_position, position);
    EXPECT_LE(batch->rows->num_rows(), batch_rows_max);
    position += batch->rows->num_rows();
    rows.push_back(batch->rows);
  }
  if (rows.empty()) return DataError("no rows");
  CALVE_ASSIGN_OR_RETURN(columnar::Batch all, arrow::ConcatenateRecordBatches(rows));
  return all;
}

using Moments = std::vector<std::optional<int64_t>>;

std::shared_ptr<arrow::Array> ArrayOf(const Moments& moments,
                                      const std::shared_ptr<arrow::DataType>& type) {
  arrow::TimestampBuilder builder(type, arrow::default_memory_pool());
  for (const auto& moment : moments) EXPECT_TRUE(builder.AppendOrNull(moment).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> BatchOf(const arrow::ArrayVector& columns) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string id = std::to_string(i + 1);
    fields.push_back(arrow::field("c" + id, columns[i]->type(), true,
                                  arrow::key_value_metadata({"iceberg.id"}, {id})));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), columns[0]->length(), columns);
}

std::shared_ptr<arrow::DataType> Micros() { return arrow::timestamp(arrow::TimeUnit::MICRO); }
std::shared_ptr<arrow::DataType> MicrosUtc() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

/// Rows in which every kind of run occurs: sequences, repetitions, small numbers among large ones,
/// numbers all over the years 1 to 9999; nulls in runs and here and there.
Moments EveryRun(size_t rows, uint32_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](int64_t limit) { return static_cast<int64_t>(random() % limit); };
  Moments moments = {kFirst, kLast, kFirst + 1, -kSecond, -kSecond - 1, 0, 1, std::nullopt};
  while (moments.size() < rows) {
    const int64_t start = kFirst + below(kLast - kFirst);
    const int64_t step = (below(2'000) - 1'000) * kSecond;
    const int64_t kind = below(6);
    for (int64_t i = 0, count = 1 + below(700); i < count && moments.size() < rows; ++i) {
      if (kind == 0) moments.emplace_back(start / 2 + i * step);
      if (kind == 1) moments.emplace_back(start);
      if (kind == 2) moments.emplace_back(kFirst + below(kLast - kFirst));
      if (kind == 3) moments.emplace_back(below(100) < 3 ? kLast - i : below(1'000'000) * 1'000);
      if (kind == 4) moments.emplace_back(std::nullopt);
      if (kind == 5) moments.push_back(i % 3 == 0 ? Moments::value_type() : start / 3 + i);
    }
  }
  return moments;
}

class OrcTimestampsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(columnar::StartArrow().ok()); }
};

TEST_F(OrcTimestampsTest, MomentsOfAllYearsAreReadAsWrittenInEveryCodec) {
  constexpr size_t kRows = 60'000;
  constexpr uint32_t kSeed = 7;
  const auto far = ArrayOf(EveryRun(kRows, kSeed), Micros());
  const auto instants = ArrayOf(EveryRun(kRows, kSeed + 1), MicrosUtc());
  arrow::Int64Builder numbers;
  for (size_t i = 0; i < kRows; ++i) ASSERT_TRUE(numbers.Append(static_cast<int64_t>(i)).ok());
  const auto batch = BatchOf({far, numbers.Finish().ValueOrDie(), instants});
  using arrow::Compression;
  for (const auto compression : {Compression::UNCOMPRESSED, Compression::GZIP, Compression::SNAPPY,
                                 Compression::LZ4, Compression::ZSTD}) {
    for (const int minor : {11, 12}) {
      const std::string bytes = WriteOrc(
          *batch, {.compression = compression, .version = {0, minor}, .stripe_bytes = 20'000});
      ASSERT_GT(StripesOf(bytes), 2);
      const auto read =
          ReadOrc(bytes, {Wanted(3, TypeKind::kTimestampTz), Wanted(2, TypeKind::kLong),
                          Wanted(1, TypeKind::kTimestamp)});
      ASSERT_TRUE(read.ok()) << read.error().message;
      EXPECT_TRUE((*read)->column(0)->Equals(instants)) << "seed " << kSeed;
      EXPECT_TRUE((*read)->column(1)->Equals(batch->column(1)));
      EXPECT_TRUE((*read)->column(2)->Equals(far)) << "seed " << kSeed;
      const auto alone = ReadOrc(bytes, {Wanted(1, TypeKind::kTimestamp)}, 777);
      ASSERT_TRUE(alone.ok()) << alone.error().message;
      EXPECT_TRUE((*alone)->column(0)->Equals(far));
    }
  }
}

/// Nanoseconds of both sides of 1970 with zeros at the end, from none to nine.
Moments NearNanos(uint32_t seed) {
  std::mt19937_64 random(seed);
  Moments moments;
  for (int i = 0; i < 5'000; ++i) {
    int64_t nanos = static_cast<int64_t>(random() >> (random() % 3)) / 2;
    for (uint64_t shorter = random() % 10; shorter > 0; --shorter) nanos /= 10;
    int64_t zeros = 1;
    while (zeros < 1'000'000'000 && random() % 4 != 0) zeros *= 10;
    moments.emplace_back(nanos / zeros * zeros);
  }
  return moments;
}

TEST_F(OrcTimestampsTest, NearMomentsAreThoseThatArrowReadsInNanoseconds) {
  constexpr uint32_t kSeed = 11;
  const Moments moments = NearNanos(kSeed);
  Moments micros;
  const std::string bytes =
      WriteOrc(*BatchOf({ArrayOf(moments, arrow::timestamp(arrow::TimeUnit::NANO))}), {});
  const auto by_arrow = ReadOrc(bytes, {Wanted(1, TypeKind::kTimestampNs)});
  ASSERT_TRUE(by_arrow.ok()) << by_arrow.error().message;
  const auto& nanos = static_cast<const arrow::TimestampArray&>(*(*by_arrow)->column(0));
  for (int64_t i = 0; i < nanos.length(); ++i)
    micros.emplace_back(nanos.Value(i) / 1'000 - (nanos.Value(i) % 1'000 < 0));
  const auto read = ReadOrc(bytes, {Wanted(1, TypeKind::kTimestamp)});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_TRUE((*read)->column(0)->Equals(ArrayOf(micros, Micros()))) << "seed " << kSeed;
}

/// Seconds and nanoseconds as a writer stores them, run length encoding version 1.
std::string Literals(const std::vector<uint64_t>& values) {
  std::string bytes(1, static_cast<char>(-static_cast<int>(values.size())));
  for (uint64_t value : values) {
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
    bytes += static_cast<char>(value);
  }
  return bytes;
}

Result<std::shared_ptr<arrow::Array>> ReadStored(const std::vector<int64_t>& seconds,
                                                 const std::vector<int64_t>& nanos) {
  std::vector<uint64_t> folded;
  for (const int64_t second : seconds) {
    const auto from_2015 = static_cast<uint64_t>(second) - 1'420'070'400;
    folded.push_back(from_2015 << 1 ^ (0 - (from_2015 >> 63)));
  }
  const std::string data = Literals(folded);
  const std::string secondary = Literals({nanos.begin(), nanos.end()});
  const OwnedContext context;
  io::MemoryFileSystem files;
  CALVE_RETURN_IF_ERROR(files.WriteFile(*context, "memory://t/f", data + secondary));
  CALVE_ASSIGN_OR_RETURN(const auto file, files.OpenInput(*context, "memory://t/f"));
  const auto data_bytes = static_cast<int64_t>(data.size());
  const OrcStripeFooter footer = {
      .streams = {{.kind = 1, .column = 1, .offset = 0, .length = data_bytes},
                  {.kind = 5,
                   .column = 1,
                   .offset = data_bytes,
                   .length = static_cast<int64_t>(secondary.size())}},
      .encodings = {0, 0},
      .writer_zone = "UTC"};
  CALVE_ASSIGN_OR_RETURN(OrcTimestamps column, OrcTimestamps::Open(*file, footer, 1, {}));
  return column.Read(static_cast<int64_t>(seconds.size()));
}

TEST_F(OrcTimestampsTest, SecondsMeetNanosecondsAsEachWriterPartsThem) {
  constexpr int64_t kHalfSecond = 5 << 3 | 7;
  // The specification's two examples; then moments before 1970 by ORC's Java: half a second is
  // rounded up, half a millisecond is not, and in the last second the sign is lost; then by Arrow.
  const auto read = ReadStored({0, 0, -2, -2, 0, 0, -2}, {0x0a, 0x0c, kHalfSecond, 5 << 3 | 4,
                                                          kHalfSecond, -(5 << 3) | 7, -(1 << 3)});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_TRUE((*read)->Equals(
      ArrayOf({1, 100, -2'500'000, -1'999'500, 500'000, -500'000, -2'000'001}, Micros())))
      << (*read)->ToString();
}

TEST_F(OrcTimestampsTest, ImpossibleMomentsAreRefused) {
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / kSecond;
  EXPECT_TRUE(ReadStored({kSecondsMax}, {0}).ok());
  for (const auto& [second, nanos] :
       std::vector<std::pair<int64_t, int64_t>>{{kSecondsMax, 999'999'999LL << 3},
                                                {kSecondsMax + 1, 0},
                                                {std::numeric_limits<int64_t>::min(), 0},
                                                {0, 1'000'000'000LL << 3},
                                                {0, 99 << 3 | 7},
                                                {0, std::numeric_limits<int64_t>::min()}}) {
    const auto read = ReadStored({second}, {nanos});
    ASSERT_FALSE(read.ok()) << second << " " << nanos;
    EXPECT_EQ(read.error().kind, ErrorKind::kData);
  }
}

/// The same stripes, as a writer in another zone would have made them.
TEST_F(OrcTimestampsTest, StripesOfOtherZonesAreArrowsAndInstantsAreNot) {
  constexpr int64_t kSummer2020 = 1'593'561'600 * kSecond;
  const auto written = [](int64_t moment) {
    std::string bytes =
        WriteOrc(*BatchOf({ArrayOf({moment}, Micros()), ArrayOf({kLast}, MicrosUtc())}), {});
    const size_t zone = bytes.rfind(std::string("\x1a\x03GMT"));
    EXPECT_NE(zone, std::string::npos);
    return bytes.replace(zone + 2, 3, "CET");
  };
  const std::vector<Field> both = {Wanted(1, TypeKind::kTimestamp),
                                   Wanted(2, TypeKind::kTimestampTz)};
  const auto near = ReadOrc(written(kSummer2020), both);
  ASSERT_TRUE(near.ok()) << near.error().message;
  EXPECT_TRUE((*near)->column(0)->Equals(ArrayOf({kSummer2020 + 3600 * kSecond}, Micros())))
      << (*near)->ToString();
  EXPECT_TRUE((*near)->column(1)->Equals(ArrayOf({kLast}, MicrosUtc())));
  const auto far = ReadOrc(written(kLast), both);
  ASSERT_FALSE(far.ok());
  EXPECT_EQ(far.error().kind, ErrorKind::kData);
  EXPECT_NE(far.error().message.find("CET"), std::string::npos) << far.error().message;
  EXPECT_TRUE(ReadOrc(written(kLast), {both[1]}).ok());
}

TEST_F(OrcTimestampsTest, OnlyWantedColumnsAreDecoded) {
  const auto batch = BatchOf({ArrayOf({kLast}, Micros()), ArrayOf({5}, Micros())});
  const auto read = ReadOrc(WriteOrc(*batch, {}), {Wanted(2, TypeKind::kTimestamp)});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_TRUE((*read)->column(0)->Equals(batch->column(1)));
  // Nanoseconds of this column leave 64 bits.
  const auto nanos = ReadOrc(WriteOrc(*batch, {}), {Wanted(1, TypeKind::kTimestampNs)});
  ASSERT_FALSE(nanos.ok());
  EXPECT_EQ(nanos.error().kind, ErrorKind::kData);
}

/// Damage is an error or other values, never a crash; sanitizers watch.
TEST_F(OrcTimestampsTest, DamagedFilesNeverCrash) {
  constexpr uint32_t kSeed = 3;
  const auto batch = BatchOf(
      {ArrayOf(EveryRun(100, kSeed), Micros()), ArrayOf(EveryRun(100, kSeed + 1), MicrosUtc())});
  for (const auto compression : {arrow::Compression::UNCOMPRESSED, arrow::Compression::GZIP,
                                 arrow::Compression::LZ4, arrow::Compression::ZSTD}) {
    const std::string bytes = WriteOrc(*batch, {.compression = compression});
    int failed = 0;
    for (size_t at = 0; at < bytes.size(); ++at) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
      const auto read =
          ReadOrc(damaged, {Wanted(1, TypeKind::kTimestamp), Wanted(2, TypeKind::kTimestampTz)});
      failed += !read.ok();
      if (read.ok()) {
        EXPECT_EQ((*read)->num_columns(), 2);
      }
    }
    EXPECT_GT(failed, 10);
  }
}

}  // namespace
}  // namespace calve::reader
