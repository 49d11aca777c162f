#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "avro/codec.h"
#include "avro/schema.h"
#include "base/result.h"

namespace calve::avro {

/// What follows in a file, for files that are not read whole. Implemented by the caller.
class Input {
 public:
  virtual ~Input() = default;
  /// Read up to `size` bytes to `out`, at least one unless the file ended, and return how many.
  virtual Result<size_t> Read(char* out, size_t size) = 0;
};

struct FileReaderOptions {
  std::string name;                           ///< What errors call the file; "" for none.
  size_t header_bytes_max = 64 << 20;         ///< All metadata together, the schema included.
  size_t stored_block_bytes_max = 512 << 20;  ///< One block as it lies in the file.
  size_t block_bytes_max = 512 << 20;         ///< One block decompressed.
};

/// A block as it lies in the file, for decompressing on another thread.
struct StoredBlock {
  int64_t record_count = 0;
  int64_t offset = 0;  ///< Where the block begins in the file.
  std::string_view bytes;
};

/// A block's records, one after the other, decompressed.
struct Block {
  int64_t record_count = 0;
  int64_t offset = 0;
  std::string_view bytes;
};

/// Reads an object container file block by block. Threads: one.
///
///     CALVE_ASSIGN_OR_RETURN(FileReader reader, FileReader::Open(bytes));
///     while (true) {
///       CALVE_ASSIGN_OR_RETURN(std::optional<Block> block, reader.Next());
///       if (!block) break;
///       Decoder decoder(block->bytes);
///       for (int64_t i = 0; i < block->record_count; ++i) ...
///       CALVE_RETURN_IF_ERROR(decoder.Finish());
///     }
///
/// All errors are kData with file and offset, but kRefused for a codec that is not supported.
class FileReader {
 public:
  /// Open a file that is in memory and stays there.
  static Result<FileReader> Open(std::string_view file, FileReaderOptions options = {});
  /// Open a file that is read piece by piece.
  static Result<FileReader> Open(std::unique_ptr<Input> input, FileReaderOptions options = {});

  FileReader(FileReader&&) noexcept;
  FileReader& operator=(FileReader&&) noexcept;
  ~FileReader();

  /// The writer's schema.
  const Schema& schema() const { return *schema_; }
  CodecName codec() const { return codec_name_; }
  /// A metadata value, `avro.` ones included; null when absent. The last of equal keys counts.
  const std::string* FindMetadata(std::string_view key) const;
  const std::vector<std::pair<std::string, std::string>>& metadata() const { return metadata_; }
  const std::array<char, 16>& sync_marker() const { return sync_marker_; }

  /// Read and decompress the next block; empty at the end. Its bytes hold until the next call.
  Result<std::optional<Block>> Next();
  /// Read the next block as it lies; empty at the end. Its bytes hold until the next call, and for
  /// a file in memory as long as that. Decompress it with a Codec and check it with CheckBlock.
  Result<std::optional<StoredBlock>> NextStored();
  /// Fail when `block` cannot hold its number of records: counts are not to be trusted before.
  Status CheckBlock(const Block& block) const;

 private:
  class Window;
  explicit FileReader(std::unique_ptr<Window> window, FileReaderOptions options);
  Status ReadHeader();
  Status ReadMetadata();
  Error At(int64_t offset, std::string_view what) const;
  Result<int64_t> ReadCount(std::string_view what);
  Result<std::string> ReadHeaderText(size_t* budget);

  std::unique_ptr<Window> window_;
  FileReaderOptions options_;
  std::optional<Schema> schema_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  CodecName codec_name_ = CodecName::kNull;
  std::unique_ptr<Codec> codec_;
  std::array<char, 16> sync_marker_{};
};

}  // namespace calve::avro
