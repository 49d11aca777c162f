#include "reader/orc_integers.h"

#include <algorithm>
#include <array>

namespace calve::reader {
namespace {

/// Widths in bits by their code, which is one less up to 24.
constexpr std::array<uint8_t, 32> kWidths = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                             12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                             23, 24, 26, 28, 30, 32, 40, 48, 56, 64};

/// The width that writers round up to.
int RoundWidth(int bits) { return *std::ranges::lower_bound(kWidths, bits); }

uint64_t UnfoldZigZag(uint64_t stored) { return (stored >> 1) ^ (0 - (stored & 1)); }

int SignedByte(uint8_t byte) { return byte < 0x80 ? byte : byte - 0x100; }

/// Numbers of few bits, the first bit the highest, from the next whole byte on.
class Bits {
 public:
  explicit Bits(OrcStream& stream) : stream_(stream) {}

  uint64_t Next(int width) {
    uint64_t value = 0;
    while (width > 0) {
      if (left_ == 0) {
        byte_ = stream_.Next();
        left_ = 8;
      }
      const int taken = std::min(width, left_);
      left_ -= taken;
      width -= taken;
      value = value << taken | ((byte_ >> left_) & ((1U << taken) - 1));
    }
    return value;
  }

 private:
  OrcStream& stream_;
  uint8_t byte_ = 0;
  int left_ = 0;
};

}  // namespace

Status OrcIntegers::Read(std::span<int64_t> out) {
  while (!out.empty()) {
    if (at_ == run_.size()) {
      run_.clear();
      at_ = 0;
      DecodeRun();
      CALVE_RETURN_IF_ERROR(stream_.status());
    }
    const size_t count = std::min(out.size(), run_.size() - at_);
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<int64_t>(run_[at_ + i]);
    at_ += count;
    out = out.subspan(count);
  }
  return Status::Ok();
}

Status OrcIntegers::ReadRun(std::vector<int64_t>* out) {
  out->clear();
  if (at_ == run_.size()) {
    run_.clear();
    at_ = 0;
    if (!stream_.AtEnd()) DecodeRun();
    CALVE_RETURN_IF_ERROR(stream_.status());
  }
  for (; at_ < run_.size(); ++at_) out->push_back(static_cast<int64_t>(run_[at_]));
  return Status::Ok();
}

/// Every run has at least one value, or the stream has failed.
void OrcIntegers::DecodeRun() {
  if (runs_ == OrcRuns::kVersion1) return DecodeVersion1();
  const uint8_t first = stream_.Next();
  const int kind = first >> 6;
  if (kind == 0) return DecodeShortRepeat(first);
  const uint8_t second = stream_.Next();
  const Header header = {.width_code = static_cast<uint8_t>((first >> 1) & 31),
                         .length = (size_t{first & 1U} << 8 | second) + 1};
  if (kind == 1) return DecodeDirect(header);
  return kind == 2 ? DecodePatchedBase(header) : DecodeDelta(header);
}

uint64_t OrcIntegers::Unfold(uint64_t stored) const {
  return sign_ == OrcSign::kSigned ? UnfoldZigZag(stored) : stored;
}

uint64_t OrcIntegers::NextBigEndian(int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | stream_.Next();
  return value;
}

void OrcIntegers::DecodeVersion1() {
  const int control = SignedByte(stream_.Next());
  if (control < 0) {
    for (int i = control; i < 0; ++i) run_.push_back(Unfold(stream_.NextVarint()));
    return;
  }
  const auto step = static_cast<uint64_t>(SignedByte(stream_.Next()));
  uint64_t value = Unfold(stream_.NextVarint());
  for (int i = 0; i < control + 3; ++i, value += step) run_.push_back(value);
}

void OrcIntegers::DecodeShortRepeat(uint8_t first) {
  const int width_bytes = (first >> 3) + 1;
  run_.assign((first & 7) + 3, Unfold(NextBigEndian(width_bytes)));
}

void OrcIntegers::DecodeDirect(Header header) {
  Bits bits(stream_);
  for (size_t i = 0; i < header.length; ++i)
    run_.push_back(Unfold(bits.Next(kWidths[header.width_code])));
}

/// Values above a base in few bits; of the widest, the upper bits follow in a list of patches.
void OrcIntegers::DecodePatchedBase(Header header) {
  const uint8_t third = stream_.Next();
  const uint8_t fourth = stream_.Next();
  const int width = kWidths[header.width_code];
  const int base_bytes = (third >> 5) + 1;
  const int patch_width = kWidths[third & 31];
  const int gap_width = (fourth >> 5) + 1;
  const int patches = fourth & 31;
  if (patches > 0 && (width == 64 || gap_width + patch_width > 64))
    return stream_.Fail("a patched run of numbers in the ORC file is wider than 64 bits");

  const uint64_t sign = uint64_t{1} << (base_bytes * 8 - 1);
  uint64_t base = NextBigEndian(base_bytes);
  if ((base & sign) != 0) base = 0 - (base & ~sign);
  Bits values(stream_);
  for (size_t i = 0; i < header.length; ++i) run_.push_back(values.Next(width));

  Bits list(stream_);
  const uint64_t patch_mask = ~uint64_t{0} >> (64 - patch_width);
  uint64_t position = 0;
  for (int i = 0; i < patches; ++i) {
    const uint64_t entry = list.Next(RoundWidth(gap_width + patch_width));
    position += entry >> patch_width;
    if (position >= run_.size())
      return stream_.Fail("a patch in the ORC file lies behind its run of numbers");
    run_[position] |= (entry & patch_mask) << width;
  }
  for (uint64_t& value : run_) value += base;
}

/// A first value, a signed first step, then the sizes of further steps in the same direction; a
/// width of 0 says that all steps are the same.
void OrcIntegers::DecodeDelta(Header header) {
  uint64_t value = Unfold(stream_.NextVarint());
  const uint64_t first_step = UnfoldZigZag(stream_.NextVarint());
  const bool falls = static_cast<int64_t>(first_step) < 0;
  Bits bits(stream_);
  run_.push_back(value);
  for (size_t i = 1; i < header.length; ++i) {
    uint64_t step = first_step;
    if (i > 1 && header.width_code != 0) {
      step = bits.Next(kWidths[header.width_code]);
      if (falls) step = 0 - step;
    }
    run_.push_back(value += step);
  }
}

}  // namespace calve::reader
