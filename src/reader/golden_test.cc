#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/variant_json.h"
#include "iceberg/deletion_vector.h"
#include "iceberg/puffin.h"
#include "io/file_system_set.h"
#include "reader/reader.h"

namespace calve::reader {
namespace {

using iceberg::Field;
using iceberg::FieldId;

/// Other implementations' data files, below the folder that GOLDEN names: deletion vectors, Puffin
/// files and variants. Without it there is nothing to test.
class GoldenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("GOLDEN");
    if (folder == nullptr) GTEST_SKIP() << "GOLDEN names no folder";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) files_.push_back(entry.path().string());
    }
    std::sort(files_.begin(), files_.end());
    ASSERT_TRUE(columnar::StartArrow().ok());
  }

  /// Files whose path has `part` and ends with `end`; at least one.
  std::vector<std::string> Files(std::string_view part, std::string_view end) {
    std::vector<std::string> found;
    for (const std::string& file : files_) {
      if (file.find(part) != std::string::npos && file.ends_with(end)) found.push_back(file);
    }
    EXPECT_FALSE(found.empty()) << part << " " << end;
    return found;
  }

  static std::string Bytes(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  OwnedContext context_;

 private:
  std::vector<std::string> files_;
};

TEST_F(GoldenTest, DeletionVectorsAreReadAndWrittenBitForBit) {
  for (const std::string& file : Files("", "-position-index.bin")) {
    const std::string bytes = Bytes(file);
    const auto positions = iceberg::DecodeDeletionVector(bytes);
    ASSERT_TRUE(positions.ok()) << file << ": " << positions.error().message;
    EXPECT_EQ(iceberg::EncodeDeletionVector(*positions), bytes) << file;
  }
  for (const std::string& file : Files("/64map", ".bin")) {
    const std::string bytes = Bytes(file);
    const auto positions = iceberg::PositionSet::Deserialize(bytes);
    // Values beyond what Java's own deletion vectors take are refused, as there.
    if (!positions.ok()) {
      EXPECT_NE(file.find("highvals"), std::string::npos) << positions.error().message;
      continue;
    }
    // Roaring leaves it to the writer whether runs are packed, so that the set is what must agree.
    const auto again = iceberg::PositionSet::Deserialize(positions->Serialize());
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*again, *positions) << file;
  }
}

TEST_F(GoldenTest, PuffinFilesAreReadAndTheirVectorsWrittenBitForBit) {
  std::vector<std::string> files = Files("/puffin", "-puffin-uncompressed.bin");
  for (const char* end : {"-data-uncompressed.bin", "-data-compressed-zstd.bin", ".puffin"}) {
    for (std::string& file : Files("", end)) {
      // A table of DuckDB's has a vector with no Puffin file around it; the interop suite reads it.
      if (file.find("bare") == std::string::npos) files.push_back(std::move(file));
    }
  }
  for (const std::string& file : files) {
    const std::string bytes = Bytes(file);
    const auto footer = iceberg::ReadPuffinFooter(bytes);
    ASSERT_TRUE(footer.ok()) << file << ": " << footer.error().message;
    EXPECT_EQ(footer->blobs.empty(), file.find("/empty-") != std::string::npos) << file;
    for (const iceberg::PuffinBlob& blob : footer->blobs) {
      const auto content = iceberg::ReadPuffinBlob(bytes, blob);
      ASSERT_TRUE(content.ok()) << file << ": " << content.error().message;
      if (blob.type != iceberg::kDeletionVectorType) continue;
      const auto positions = iceberg::DecodeDeletionVector(*content);
      ASSERT_TRUE(positions.ok()) << file << ": " << positions.error().message;
      EXPECT_EQ(iceberg::EncodeDeletionVector(*positions), *content) << file;
      const std::string* cardinality =
          iceberg::FindProperty(blob.properties, iceberg::kCardinality);
      ASSERT_NE(cardinality, nullptr) << file;
      EXPECT_EQ(std::to_string(positions->Cardinality()), *cardinality) << file;
    }
  }
}

/// A variant's metadata and value stand one after the other.
std::string AsJson(const std::string& bytes) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes.at(i)); };
  const size_t width = (byte(0) >> 6) + 1U;
  const auto number = [&](size_t at) {
    size_t value = 0;
    for (size_t i = 0; i < width; ++i) value |= size_t{byte(at + i)} << (8 * i);
    return value;
  };
  const size_t names = number(1);
  const size_t metadata = 1 + width * (names + 2) + number(1 + width * (names + 1));
  const std::string_view whole = bytes;
  const auto json = columnar::VariantToJson(whole.substr(0, metadata), whole.substr(metadata));
  EXPECT_TRUE(json.ok()) << json.error().message;
  return json.ok() ? *json : "";
}

TEST_F(GoldenTest, ShreddedVariantsAreReadAsTheirValuesAndBrokenOnesRefused) {
  iceberg::TableMetadata metadata;
  metadata.specs = {{.id = iceberg::SpecId(0), .fields = {}}};
  const iceberg::SchemaPtr schema = *iceberg::Schema::Make(
      iceberg::SchemaId(0), {Field{.id = FieldId(2),
                                   .name = "var",
                                   .type = iceberg::Type::Of(iceberg::TypeKind::kVariant)}});
  metadata.schemas = {schema};
  io::FileSystemSet files;
  for (const std::string& path : Files("/shredded_variant/", ".parquet")) {
    auto file = std::make_shared<iceberg::DataFile>();
    file->path = "file://" + path;
    file->format = iceberg::FileFormat::kParquet;
    file->file_size_in_bytes = static_cast<int64_t>(std::filesystem::file_size(path));
    std::vector<std::string> rows;
    const auto read = [&]() -> Status {
      CALVE_ASSIGN_OR_RETURN(const auto reader, OpenTask(*context_, files, metadata, {.file = file},
                                                         {.projection = schema, .filter = {}}));
      while (true) {
        CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, reader->Next(*context_));
        if (batch == nullptr) return Status::Ok();
        CALVE_ASSIGN_OR_RETURN(const auto text, columnar::WithVariantText(batch, *schema));
        for (int64_t row = 0; row < text->num_rows(); ++row)
          rows.push_back(text->column(0)->GetScalar(row).ValueOrDie()->ToString());
      }
    };
    const Status done = read();
    const std::string stem = path.substr(0, path.size() - std::string(".parquet").size());
    std::vector<std::string> expected;
    bool is_broken = true;  // Of such a file no value is given.
    for (size_t row = 0; row < 4; ++row) {
      const std::string value = stem + "_row-" + std::to_string(row) + ".variant.bin";
      const bool is_there = std::filesystem::exists(value);
      expected.push_back(is_there ? AsJson(Bytes(value)) : "null");
      is_broken = is_broken && !is_there;
    }
    const bool is_invalid = is_broken || path.find("-INVALID") != std::string::npos;
    if (is_invalid && !done.ok()) {
      EXPECT_TRUE(done.error().kind == ErrorKind::kData || done.error().kind == ErrorKind::kRefused)
          << path << ": " << done.error().message;
      continue;
    }
    ASSERT_TRUE(done.ok()) << path << ": " << done.error().message;
    EXPECT_FALSE(is_broken) << path;
    expected.resize(rows.size());
    EXPECT_EQ(rows, expected) << path;
  }
}

}  // namespace
}  // namespace calve::reader
