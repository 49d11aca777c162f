#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "avro/codec.h"
#include "avro/encoder.h"
#include "avro/schema.h"
#include "base/result.h"

namespace calve::avro {

/// Takes the file's bytes in order.
using Sink = std::function<Status(std::string_view bytes)>;

struct FileWriterOptions {
  CodecName codec = CodecName::kDeflate;
  std::optional<int> level;     ///< As Codec::Make.
  size_t block_bytes = 64'000;  ///< A block is closed once it holds so much before compression.
  std::array<uint8_t, 16> sync_marker{};  ///< Random: NewUuid(random). Must not be all zero.
  /// Metadata beside `avro.schema` and `avro.codec`; keys that begin with `avro.` are refused.
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// Writes an object container file. Threads: one.
///
///     std::string file;
///     CALVE_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::Open(schema, AppendTo(&file),
///     options)); Encoder& e = writer.record(); e.WriteInt(1); ...
///     CALVE_RETURN_IF_ERROR(writer.EndRecord());
///     CALVE_RETURN_IF_ERROR(writer.Close());
class FileWriter {
 public:
  /// Write the header. The schema is needed during this call only.
  static Result<FileWriter> Open(const Schema& schema, Sink sink, FileWriterOptions options);

  FileWriter(FileWriter&&) noexcept = default;
  FileWriter& operator=(FileWriter&&) noexcept = default;

  /// The encoder that the next record is written to; end it with EndRecord.
  Encoder& record() { return *encoder_; }
  /// Count what was written to record() as one record, and close the block when it is full.
  Status EndRecord();
  /// Forget what was written to record() since the last EndRecord.
  void AbandonRecord() { block_->resize(record_begin_); }
  /// Append a record that is encoded already.
  Status Append(std::string_view encoded);
  /// Write the last block. The file is whole only when this returned Ok; nothing may follow.
  Status Close();

  int64_t record_count() const { return record_count_; }
  /// Bytes given to the sink so far: the file's length after Close.
  int64_t bytes_written() const { return bytes_written_; }
  /// Bytes written and those of the open block before compression: an upper guess for rolling.
  int64_t bytes_estimated() const { return bytes_written_ + static_cast<int64_t>(block_->size()); }

 private:
  FileWriter(Sink sink, const FileWriterOptions& options);
  Status Emit(std::string_view bytes);
  Status FlushBlock();

  Sink sink_;
  std::unique_ptr<Codec> codec_;
  size_t block_bytes_;
  std::string sync_marker_;
  std::unique_ptr<std::string> block_;
  std::unique_ptr<Encoder> encoder_;
  size_t record_begin_ = 0;
  int64_t block_records_ = 0;
  int64_t record_count_ = 0;
  int64_t bytes_written_ = 0;
};

/// A sink that appends to a string, which outlives it.
Sink AppendTo(std::string* out);

}  // namespace calve::avro
