#include <snappy.h>
#include <zlib.h>

#include "avro/buffer.h"
#include "avro/codecs.h"

namespace calve::avro {
namespace {

constexpr size_t kChecksumBytes = 4;
constexpr size_t kRatioMax = 64;  ///< Snappy's longest copy makes 64 bytes of 3.

/// Raw snappy, then the CRC-32 of the block before compression, big-endian.
class SnappyCodec : public Codec {
 public:
  Result<std::string_view> Compress(std::string_view block) override {
    buffer_.Reserve(snappy::MaxCompressedLength(block.size()) + kChecksumBytes);
    size_t size = 0;
    snappy::RawCompress(block.data(), block.size(), buffer_.data(), &size);
    const uint32_t checksum = Checksum(block);
    for (int shift : {24, 16, 8, 0}) buffer_.data()[size++] = static_cast<char>(checksum >> shift);
    return buffer_.view(size);
  }

  Result<std::string_view> Decompress(std::string_view block, size_t bytes_max) override {
    if (block.size() < kChecksumBytes) return DataError("a snappy block ends before its checksum");
    const std::string_view packed = block.substr(0, block.size() - kChecksumBytes);
    size_t size = 0;
    if (!snappy::GetUncompressedLength(packed.data(), packed.size(), &size) ||
        size / kRatioMax > packed.size()) {
      return DataError("a snappy block is corrupt");
    }
    if (size > bytes_max) return TooLarge(bytes_max);
    buffer_.Reserve(size + 1);
    if (!snappy::RawUncompress(packed.data(), packed.size(), buffer_.data())) {
      return DataError("a snappy block is corrupt");
    }
    uint32_t expected = 0;
    for (char byte : block.substr(packed.size()))
      expected = expected << 8 | static_cast<uint8_t>(byte);
    if (Checksum(buffer_.view(size)) != expected) {
      return DataError("a snappy block does not match its CRC-32");
    }
    return buffer_.view(size);
  }

 private:
  static uint32_t Checksum(std::string_view bytes) {
    return static_cast<uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  }

  Buffer buffer_;
};

}  // namespace

std::unique_ptr<Codec> MakeSnappyCodec() { return std::make_unique<SnappyCodec>(); }

}  // namespace calve::avro
