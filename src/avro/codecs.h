#pragma once

#include <memory>

#include "avro/codec.h"

namespace calve::avro {

/// Make the codecs, each in a file of its own with the library that it needs.
std::unique_ptr<Codec> MakeDeflateCodec(int level);
std::unique_ptr<Codec> MakeSnappyCodec();
std::unique_ptr<Codec> MakeZstandardCodec(int level);

/// Say that a block is larger than the reader lets in.
Error TooLarge(size_t bytes_max);

}  // namespace calve::avro
