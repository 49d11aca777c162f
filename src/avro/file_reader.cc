#include "avro/file_reader.h"

#include <algorithm>
#include <cstring>

#include "avro/decoder.h"
#include "base/text.h"

namespace calve::avro {
namespace {

constexpr std::string_view kMagic("Obj\1", 4);
constexpr size_t kVarintBytesMax = 10;
constexpr size_t kEntryBytes = 64;  ///< Charged for a metadata entry beside its bytes.

}  // namespace

/// The part of the file that lies ahead: all of it, or as much as was asked of an input.
class FileReader::Window {
 public:
  explicit Window(std::string_view file) : ahead_(file) {}
  explicit Window(std::unique_ptr<Input> input) : input_(std::move(input)) {}

  /// Bring up to `size` bytes ahead and return them, fewer only if the file ends before.
  Result<std::string_view> Peek(size_t size) {
    while (ahead_.size() < size && input_ != nullptr && !ended_) {
      CALVE_RETURN_IF_ERROR(Fill(size));
    }
    return ahead_.substr(0, size);
  }

  void Advance(size_t size) {
    ahead_.remove_prefix(size);
    offset_ += static_cast<int64_t>(size);
  }

  int64_t offset() const { return offset_; }

 private:
  /// Read once, towards `size` bytes ahead; a size that the file only claims costs no memory.
  Status Fill(size_t size) {
    const size_t begin = buffer_.empty() ? 0 : static_cast<size_t>(ahead_.data() - buffer_.data());
    buffer_.erase(0, begin);
    const size_t kept = ahead_.size();
    const size_t room = std::clamp(size - kept, kReadBytesMin, kReadBytesMax);
    buffer_.resize(kept + room);
    Result<size_t> read = input_->Read(buffer_.data() + kept, room);
    const size_t got = read.ok() ? *read : 0;
    buffer_.resize(kept + got);
    ahead_ = buffer_;
    CALVE_RETURN_IF_ERROR(read);
    if (got == 0) ended_ = true;
    return Status::Ok();
  }

  static constexpr size_t kReadBytesMin = 64 << 10;
  static constexpr size_t kReadBytesMax = 4 << 20;

  std::string_view ahead_;
  int64_t offset_ = 0;
  std::unique_ptr<Input> input_;
  std::string buffer_;
  bool ended_ = false;
};

FileReader::FileReader(std::unique_ptr<Window> window, FileReaderOptions options)
    : window_(std::move(window)), options_(std::move(options)) {}
FileReader::FileReader(FileReader&&) noexcept = default;
FileReader& FileReader::operator=(FileReader&&) noexcept = default;
FileReader::~FileReader() = default;

Result<FileReader> FileReader::Open(std::string_view file, FileReaderOptions options) {
  FileReader reader(std::make_unique<Window>(file), std::move(options));
  CALVE_RETURN_IF_ERROR(reader.ReadHeader());
  return reader;
}

Result<FileReader> FileReader::Open(std::unique_ptr<Input> input, FileReaderOptions options) {
  FileReader reader(std::make_unique<Window>(std::move(input)), std::move(options));
  CALVE_RETURN_IF_ERROR(reader.ReadHeader());
  return reader;
}

const std::string* FileReader::FindMetadata(std::string_view key) const {
  for (auto entry = metadata_.rbegin(); entry != metadata_.rend(); ++entry) {
    if (entry->first == key) return &entry->second;
  }
  return nullptr;
}

Error FileReader::At(int64_t offset, std::string_view what) const {
  return DataError((options_.name.empty() ? "Avro file" : options_.name) + " at byte " +
                   std::to_string(offset) + ": " + std::string(what));
}

Status FileReader::ReadHeader() {
  CALVE_ASSIGN_OR_RETURN(const std::string_view magic, window_->Peek(kMagic.size()));
  if (magic != kMagic)
    return At(0, "expected an Avro object container file, which begins with Obj1");
  window_->Advance(kMagic.size());
  CALVE_RETURN_IF_ERROR(ReadMetadata());
  CALVE_ASSIGN_OR_RETURN(const std::string_view sync, window_->Peek(sync_marker_.size()));
  if (sync.size() != sync_marker_.size()) {
    return At(window_->offset(), "expected the sync marker, found the end of the file");
  }
  std::copy(sync.begin(), sync.end(), sync_marker_.begin());
  window_->Advance(sync.size());

  const std::string* schema = FindMetadata("avro.schema");
  if (schema == nullptr) return At(0, "expected avro.schema in the header, found none");
  Result<Schema> parsed = Schema::Parse(*schema);
  if (!parsed.ok()) return At(0, parsed.error().message);
  schema_ = std::move(*parsed);

  const std::string* codec = FindMetadata("avro.codec");
  Result<CodecName> name = codec == nullptr ? CodecName::kNull : ParseCodecName(*codec);
  if (!name.ok()) {
    return While(options_.name.empty() ? "Avro file" : options_.name, std::move(name).error());
  }
  codec_name_ = *name;
  codec_ = Codec::Make(codec_name_);
  return Status::Ok();
}

Result<int64_t> FileReader::ReadCount(std::string_view what) {
  CALVE_ASSIGN_OR_RETURN(const std::string_view ahead, window_->Peek(kVarintBytesMax));
  Decoder decoder(ahead);
  const int64_t count = decoder.ReadLong();
  if (!decoder.ok()) return At(window_->offset(), "expected " + std::string(what));
  window_->Advance(decoder.offset());
  return count;
}

Result<std::string> FileReader::ReadHeaderText(size_t* budget) {
  CALVE_ASSIGN_OR_RETURN(const int64_t size, ReadCount("the length of a metadata text"));
  if (size < 0 || static_cast<uint64_t>(size) > *budget) {
    return At(window_->offset(), "expected metadata of at most " +
                                     std::to_string(options_.header_bytes_max) + " bytes");
  }
  *budget -= static_cast<size_t>(size);
  CALVE_ASSIGN_OR_RETURN(const std::string_view bytes, window_->Peek(static_cast<size_t>(size)));
  if (bytes.size() != static_cast<size_t>(size)) {
    return At(window_->offset(), "expected metadata, found the end of the file");
  }
  std::string text(bytes);
  window_->Advance(bytes.size());
  return text;
}

Status FileReader::ReadMetadata() {
  size_t budget = options_.header_bytes_max;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(int64_t count, ReadCount("the count of metadata entries"));
    if (count == 0) return Status::Ok();
    if (count < 0) {
      CALVE_RETURN_IF_ERROR(ReadCount("the size of the metadata"));
    }
    // Counting down from either side keeps the least of all numbers from being negated.
    for (; count != 0; count += count < 0 ? 1 : -1) {
      if (budget < kEntryBytes) return At(window_->offset(), "expected less metadata");
      budget -= kEntryBytes;
      CALVE_ASSIGN_OR_RETURN(std::string key, ReadHeaderText(&budget));
      CALVE_ASSIGN_OR_RETURN(std::string value, ReadHeaderText(&budget));
      metadata_.emplace_back(std::move(key), std::move(value));
    }
  }
}

Result<std::optional<StoredBlock>> FileReader::NextStored() {
  CALVE_ASSIGN_OR_RETURN(const std::string_view first, window_->Peek(1));
  if (first.empty()) return std::optional<StoredBlock>();
  StoredBlock block;
  block.offset = window_->offset();
  CALVE_ASSIGN_OR_RETURN(block.record_count, ReadCount("the number of records of a block"));
  CALVE_ASSIGN_OR_RETURN(const int64_t size, ReadCount("the size of a block"));
  if (block.record_count < 0 || size < 0) {
    return At(block.offset, "expected a block, found one of negative size");
  }
  if (static_cast<uint64_t>(size) > options_.stored_block_bytes_max) {
    return At(block.offset, "expected blocks of at most " +
                                std::to_string(options_.stored_block_bytes_max) +
                                " bytes, found one of " + std::to_string(size));
  }
  const size_t whole = static_cast<size_t>(size) + sync_marker_.size();
  CALVE_ASSIGN_OR_RETURN(const std::string_view bytes, window_->Peek(whole));
  if (bytes.size() != whole) {
    return At(block.offset, "expected a block of " + std::to_string(size) +
                                " bytes, found the end of the file; it was not written to its end");
  }
  block.bytes = bytes.substr(0, static_cast<size_t>(size));
  if (std::memcmp(bytes.data() + size, sync_marker_.data(), sync_marker_.size()) != 0) {
    return At(block.offset,
              "expected the sync marker after the block, found other bytes; "
              "the file is damaged");
  }
  window_->Advance(whole);
  return std::optional<StoredBlock>(block);
}

Result<std::optional<Block>> FileReader::Next() {
  CALVE_ASSIGN_OR_RETURN(const std::optional<StoredBlock> stored, NextStored());
  if (!stored) return std::optional<Block>();
  Result<std::string_view> bytes = codec_->Decompress(stored->bytes, options_.block_bytes_max);
  if (!bytes.ok()) return At(stored->offset, bytes.error().message);
  const Block block{
      .record_count = stored->record_count, .offset = stored->offset, .bytes = *bytes};
  CALVE_RETURN_IF_ERROR(CheckBlock(block));
  return std::optional<Block>(block);
}

Status FileReader::CheckBlock(const Block& block) const {
  const auto bytes_min = static_cast<uint64_t>(schema_->root().bytes_min);
  const uint64_t records_max =
      bytes_min == 0 ? Decoder::kZeroBytesItemsMax : block.bytes.size() / bytes_min;
  if (block.record_count >= 0 && static_cast<uint64_t>(block.record_count) <= records_max) {
    return Status::Ok();
  }
  return At(block.offset, "expected at most " + std::to_string(records_max) +
                              " records in the block, found a count of " +
                              std::to_string(block.record_count));
}

}  // namespace calve::avro
