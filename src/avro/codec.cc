#include "avro/codec.h"

#include "avro/codecs.h"
#include "base/text.h"

namespace calve::avro {
namespace {

class NullCodec : public Codec {
 public:
  Result<std::string_view> Compress(std::string_view block) override { return block; }
  Result<std::string_view> Decompress(std::string_view block, size_t bytes_max) override {
    if (block.size() > bytes_max) return TooLarge(bytes_max);
    return block;
  }
};

}  // namespace

Error TooLarge(size_t bytes_max) {
  return DataError("expected a block of at most " +
                   FormatBytes(ByteCount(static_cast<int64_t>(bytes_max))) +
                   " decompressed, found a larger one");
}

std::string_view ToString(CodecName name) {
  switch (name) {
    case CodecName::kNull:
      return "null";
    case CodecName::kDeflate:
      return "deflate";
    case CodecName::kSnappy:
      return "snappy";
    case CodecName::kZstandard:
      return "zstandard";
  }
  return "";
}

Result<CodecName> ParseCodecName(std::string_view name) {
  for (CodecName known :
       {CodecName::kNull, CodecName::kDeflate, CodecName::kSnappy, CodecName::kZstandard}) {
    if (ToString(known) == name) return known;
  }
  return DataError("expected Avro codec null, deflate, snappy or zstandard, found " + Quote(name) +
                   ", which is not supported; write the file with one of these");
}

std::unique_ptr<Codec> Codec::Make(CodecName name, std::optional<int> level) {
  switch (name) {
    case CodecName::kNull:
      return std::make_unique<NullCodec>();
    case CodecName::kDeflate:
      return MakeDeflateCodec(level.value_or(6));
    case CodecName::kSnappy:
      return MakeSnappyCodec();
    case CodecName::kZstandard:
      return MakeZstandardCodec(level.value_or(3));
  }
  return nullptr;
}

}  // namespace calve::avro
