#include "avro/decoder.h"

#include <bit>
#include <limits>
#include <string>

namespace calve::avro {

Status Decoder::status() const {
  if (ok()) return Status::Ok();
  return DataError("Avro data is corrupt at byte " + std::to_string(fault_offset_) + ": " + fault_);
}

Status Decoder::Finish() const {
  if (!ok() || at_end()) return status();
  return DataError("Avro data is corrupt at byte " + std::to_string(offset()) +
                   ": expected the end, found " + std::to_string(remaining()) +
                   " more bytes after the last record");
}

void Decoder::Fail(const char* what) {
  if (fault_ == nullptr) {
    fault_ = what;
    fault_offset_ = offset();
  }
  cursor_ = end_;
}

int64_t Decoder::ReadWideLong() {
  uint64_t low = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (cursor_ == end_) return Fail(kTruncated), 0;
    const auto byte = static_cast<uint8_t>(*cursor_++);
    low |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (shift == 63 && byte > 3) break;
    if (byte >= 0x80) continue;
    // Bit 64 of the varint is bit 63 of the value.
    const uint64_t bit_63 = shift == 63 ? static_cast<uint64_t>(byte >> 1) << 63 : 0;
    return static_cast<int64_t>((low >> 1 | bit_63) ^ -(low & 1));
  }
  return Fail("a number does not fit 64 bits"), 0;
}

uint64_t Decoder::ReadBlockSize() {
  const int64_t size = ReadLong();
  if (size < 0 || static_cast<uint64_t>(size) > remaining()) {
    return Fail("a block of items is larger than the data"), 0;
  }
  return static_cast<uint64_t>(size);
}

int64_t Decoder::NegateCount(int64_t count) {
  if (count == std::numeric_limits<int64_t>::min()) {
    return Fail("a count of items is larger than the data"), 0;
  }
  return ok() ? -count : 0;
}

size_t Decoder::CheckCount(int64_t count, int64_t item_bytes_min) {
  const auto items = static_cast<uint64_t>(count);
  if (count <= 0) return 0;
  if (item_bytes_min <= 0) return ChargeZeroBytes(items) ? items : 0;
  if (items > remaining() / static_cast<uint64_t>(item_bytes_min)) {
    return Fail("a count of items is larger than the data"), 0;
  }
  return items;
}

void Decoder::SkipVarints(uint64_t count) {
  if (count > remaining()) return Fail(kTruncated);
  // The last byte of a varint has its high bit clear. At most eight varints end in eight bytes, so
  // that no byte behind the last wanted one is taken.
  while (count >= 8 && remaining() >= 8) {
    uint64_t word;
    std::memcpy(&word, cursor_, sizeof(word));
    count -= static_cast<uint64_t>(std::popcount(~word & 0x8080808080808080U));
    cursor_ += 8;
  }
  for (; count != 0 && ok(); --count) ReadLong();
}

void Decoder::SkipBlocks(const Node& container) {
  const Node& item = *container.element;
  const bool is_map = container.kind == Kind::kMap;
  const int64_t item_bytes_min = item.bytes_min + (is_map ? 1 : 0);
  if (!Enter()) return;
  for (size_t items = ReadBlockCount(item_bytes_min); items != 0;
       items = ReadBlockCount(item_bytes_min)) {
    if (is_map) {
      for (size_t i = 0; i < items && ok(); ++i) {
        SkipBytes();
        Skip(item, *this);
      }
    } else if (item.varints_exact >= 0) {
      SkipVarints(items * static_cast<uint64_t>(item.varints_exact));
    } else {
      for (size_t i = 0; i < items && ok(); ++i) Skip(item, *this);
    }
  }
  Leave();
}

void Skip(const Node& node, Decoder& decoder) {
  switch (node.kind) {
    case Kind::kNull:
      return;
    case Kind::kBoolean:
      decoder.ReadBool();
      return;
    case Kind::kInt:
    case Kind::kLong:
      decoder.ReadLong();
      return;
    case Kind::kEnum:
      decoder.ReadIndex(node.symbols.size());
      return;
    case Kind::kFloat:
      return decoder.SkipFixed(4);
    case Kind::kDouble:
      return decoder.SkipFixed(8);
    case Kind::kBytes:
    case Kind::kString:
      return decoder.SkipBytes();
    case Kind::kFixed:
      return decoder.SkipFixed(static_cast<uint64_t>(node.size_bytes));
    case Kind::kArray:
    case Kind::kMap:
      return decoder.SkipBlocks(node);
    case Kind::kUnion:
      return Skip(*node.branches[decoder.ReadIndex(node.branches.size())], decoder);
    case Kind::kRecord:
      break;
  }
  if (node.bytes_exact >= 0) return decoder.SkipFixed(static_cast<uint64_t>(node.bytes_exact));
  if (!decoder.Enter()) return;
  for (const Field& field : node.fields) Skip(*field.type, decoder);
  decoder.Leave();
}

}  // namespace calve::avro
