#include "reader/orc_booleans.h"

namespace calve::reader {

Status OrcBooleans::Read(std::span<uint8_t> out) {
  for (uint8_t& value : out) {
    if (bits_left_ == 0) {
      byte_ = NextByte();
      bits_left_ = 8;
    }
    value = (byte_ >> --bits_left_) & 1;
  }
  return stream_.status();
}

uint8_t OrcBooleans::NextByte() {
  if (same_left_ == 0 && literals_left_ == 0) {
    const auto control = static_cast<int8_t>(stream_.Next());
    if (control < 0) {
      literals_left_ = -control;
    } else {
      // The first byte of the run is read below.
      same_left_ = control + 2;
      return stream_.Next();
    }
  }
  if (same_left_ > 0) {
    --same_left_;
    return byte_;
  }
  --literals_left_;
  return stream_.Next();
}

}  // namespace calve::reader
