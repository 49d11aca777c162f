#include "writer/thrift_cursor.h"

#include <utility>

namespace calve::writer {
namespace {

/// Parquet's own structs are about eight deep.
constexpr int kDepthMax = 64;

uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

int64_t UnZigZag(uint64_t value) { return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1)); }

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

}  // namespace

void ThriftCursor::Fail() {
  ok_ = false;
  position_ = bytes_.size();
}

uint8_t ThriftCursor::ReadByte() {
  if (position_ >= bytes_.size()) {
    Fail();
    return 0;
  }
  return static_cast<uint8_t>(bytes_[position_++]);
}

uint64_t ThriftCursor::ReadVarint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = ReadByte();
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  Fail();
  return 0;
}

std::string_view ThriftCursor::ReadBytes(uint64_t count) {
  if (count > bytes_.size() - position_) {
    Fail();
    return {};
  }
  const std::string_view read = bytes_.substr(position_, count);
  position_ += count;
  return read;
}

std::string_view ThriftCursor::ReadBinary() { return ReadBytes(ReadVarint()); }

std::optional<ThriftCursor::Field> ThriftCursor::NextField(int16_t last) {
  const uint8_t header = ReadByte();
  Field field;
  field.type = static_cast<ThriftType>(header & 0x0F);
  if (!ok_ || field.type == ThriftType::kStop) return std::nullopt;
  const uint8_t delta = header >> 4;
  field.id = delta != 0 ? static_cast<int16_t>(last + delta)
                        : static_cast<int16_t>(UnZigZag(ReadVarint()));
  field.value = Pass(field.type, false);
  if (!ok_) return std::nullopt;
  return field;
}

ThriftCursor::ListHeader ThriftCursor::ReadListHeader() {
  const uint8_t header = ReadByte();
  ListHeader list{.element = static_cast<ThriftType>(header & 0x0F),
                  .size = static_cast<uint64_t>(header >> 4)};
  if (list.size == 15) list.size = ReadVarint();
  // Every element takes a byte at least.
  if (list.size > bytes_.size() - position_) Fail();
  return ok_ ? list : ListHeader{};
}

void ThriftCursor::PassList() {
  const ListHeader list = ReadListHeader();
  for (uint64_t i = 0; ok_ && i < list.size; ++i) Pass(list.element, true);
}

void ThriftCursor::PassMap() {
  const uint64_t size = ReadVarint();
  if (size == 0) return;
  const uint8_t types = ReadByte();
  for (uint64_t i = 0; ok_ && i < size; ++i) {
    Pass(static_cast<ThriftType>(types >> 4), true);
    Pass(static_cast<ThriftType>(types & 0x0F), true);
  }
}

void ThriftCursor::PassStruct() {
  int16_t last = 0;
  while (const auto field = NextField(last)) last = field->id;
}

std::string_view ThriftCursor::Pass(ThriftType type, bool is_element) {
  const size_t begin = position_;
  if (++depth_ > kDepthMax) Fail();
  switch (type) {
    case ThriftType::kTrue:
    case ThriftType::kFalse:
      // A field's header says it; an element has a byte of its own.
      if (is_element) ReadByte();
      break;
    case ThriftType::kByte:
      ReadByte();
      break;
    case ThriftType::kI16:
    case ThriftType::kI32:
    case ThriftType::kI64:
      ReadVarint();
      break;
    case ThriftType::kDouble:
      ReadBytes(8);
      break;
    case ThriftType::kBinary:
      ReadBinary();
      break;
    case ThriftType::kList:
    case ThriftType::kSet:
      PassList();
      break;
    case ThriftType::kMap:
      PassMap();
      break;
    case ThriftType::kStruct:
      PassStruct();
      break;
    case ThriftType::kUuid:
      ReadBytes(16);
      break;
    case ThriftType::kStop:
      Fail();
      break;
  }
  if (static_cast<uint8_t>(type) > static_cast<uint8_t>(ThriftType::kUuid)) Fail();
  --depth_;
  return ok_ ? bytes_.substr(begin, position_ - begin) : std::string_view();
}

void ThriftStruct::AddHeader(ThriftType type, int16_t id) {
  const int delta = id - last_;
  if (delta > 0 && delta <= 15) {
    bytes_.push_back(static_cast<char>((delta << 4) | static_cast<int>(type)));
  } else {
    bytes_.push_back(static_cast<char>(type));
    AppendVarint(ZigZag(id), &bytes_);
  }
  last_ = id;
}

void ThriftStruct::Add(const ThriftCursor::Field& field) {
  AddHeader(field.type, field.id);
  bytes_ += field.value;
}

void ThriftStruct::AddI32(int16_t id, int32_t value) {
  AddHeader(ThriftType::kI32, id);
  AppendVarint(ZigZag(value), &bytes_);
}

std::string ThriftStruct::Finish() {
  bytes_.push_back(static_cast<char>(ThriftType::kStop));
  return std::exchange(bytes_, {});
}

std::string EncodeListHeader(const ThriftCursor::ListHeader& header) {
  std::string bytes;
  const auto element = static_cast<uint8_t>(header.element);
  if (header.size < 15) {
    bytes.push_back(static_cast<char>((header.size << 4) | element));
  } else {
    bytes.push_back(static_cast<char>(0xF0 | element));
    AppendVarint(header.size, &bytes);
  }
  return bytes;
}

}  // namespace calve::writer
