#include "reader/orc_layout.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "reader/protobuf_fields.h"

namespace calve::reader {
namespace {

/// Larger than any file; sums of a few such lengths stay within 64 bits.
constexpr uint64_t kLengthMax = uint64_t{1} << 60;

bool ReadPostscript(std::string_view message, OrcLayout& layout) {
  ProtobufFields fields(message);
  while (fields.Next()) {
    if (fields.key() == ProtobufFields::Varint(2)) layout.compression = fields.value();
    if (fields.key() == ProtobufFields::Varint(3)) layout.chunk_bytes_max = fields.value();
  }
  return fields.ok();
}

bool ReadStripe(std::string_view message, OrcLayout& layout) {
  std::array<uint64_t, 6> numbers{};  // 1 offset, 2 index, 3 data and 4 footer length, 5 rows
  ProtobufFields fields(message);
  while (fields.Next()) {
    for (size_t i = 1; i < numbers.size(); ++i)
      if (fields.key() == ProtobufFields::Varint(i)) numbers[i] = fields.value();
  }
  if (!fields.ok() || *std::ranges::max_element(numbers) > kLengthMax) return false;
  layout.stripes.push_back(
      {.offset = static_cast<int64_t>(numbers[1]),
       .index_length = static_cast<int64_t>(numbers[2]),
       .footer_offset = static_cast<int64_t>(numbers[1] + numbers[2] + numbers[3]),
       .footer_length = static_cast<int64_t>(numbers[4]),
       .rows = static_cast<int64_t>(numbers[5])});
  return true;
}

bool ReadType(std::string_view message, OrcLayout& layout) {
  OrcType& type = layout.types.emplace_back();
  ProtobufFields fields(message);
  while (fields.Next()) {
    if (fields.key() == ProtobufFields::Varint(1)) type.kind = fields.value();
    if (fields.key() == ProtobufFields::Varint(5)) type.precision = fields.value();
    if (fields.key() == ProtobufFields::Varint(6)) type.scale = fields.value();
    if (fields.key() == ProtobufFields::Varint(2)) type.children.push_back(fields.value());
    if (fields.key() != ProtobufFields::Bytes(2)) continue;
    for (std::string_view packed = fields.bytes(); !packed.empty();) {
      const std::optional<uint64_t> child = TakeVarint(packed);
      if (!child) return false;
      type.children.push_back(*child);
    }
  }
  return fields.ok();
}

bool ReadFooter(std::string_view message, OrcLayout& layout) {
  ProtobufFields fields(message);
  while (fields.Next()) {
    if (fields.key() == ProtobufFields::Bytes(3) && !ReadStripe(fields.bytes(), layout))
      return false;
    if (fields.key() == ProtobufFields::Bytes(4) && !ReadType(fields.bytes(), layout)) return false;
  }
  const auto knows = [&](uint64_t child) { return child < layout.types.size(); };
  return fields.ok() && !layout.types.empty() &&
         std::ranges::all_of(layout.types, [&](const OrcType& type) {
           return std::ranges::all_of(type.children, knows);
         });
}

bool ReadStream(std::string_view message, OrcStripeFooter::Stream& stream) {
  uint64_t length = 0;
  ProtobufFields fields(message);
  while (fields.Next()) {
    if (fields.key() == ProtobufFields::Varint(1)) stream.kind = fields.value();
    if (fields.key() == ProtobufFields::Varint(2)) stream.column = fields.value();
    if (fields.key() == ProtobufFields::Varint(3)) length = fields.value();
  }
  stream.length = static_cast<int64_t>(std::min(length, kLengthMax));
  return fields.ok();
}

uint64_t ReadEncoding(std::string_view message) {
  uint64_t kind = 0;
  ProtobufFields fields(message);
  while (fields.Next())
    if (fields.key() == ProtobufFields::Varint(1)) kind = fields.value();
  return kind;
}

}  // namespace

Result<OrcLayout> ParseOrcTail(std::string_view tail) {
  OrcLayout layout;
  ProtobufFields fields(tail);
  bool ok = true;
  while (ok && fields.Next()) {
    if (fields.key() == ProtobufFields::Bytes(1)) ok = ReadPostscript(fields.bytes(), layout);
    if (fields.key() == ProtobufFields::Bytes(2)) ok = ReadFooter(fields.bytes(), layout);
  }
  if (ok && fields.ok() && !layout.types.empty()) return layout;
  return DataError("the footer of the ORC file makes no sense; the file is broken");
}

Status ParseOrcFooter(std::string_view footer, OrcLayout* layout) {
  if (ReadFooter(footer, *layout)) return Status::Ok();
  return DataError("the footer of the ORC file makes no sense; the file is broken");
}

const OrcStripeFooter::Stream* OrcStripeFooter::Find(uint64_t column, OrcStreamKind kind) const {
  const auto found = std::ranges::find_if(streams, [&](const Stream& stream) {
    return stream.column == column && stream.kind == static_cast<uint64_t>(kind);
  });
  return found == streams.end() ? nullptr : &*found;
}

Status OrcStripeFooter::CheckStreams(const OrcStripe& stripe, size_t columns) const {
  constexpr uint64_t kRowIndex = 6;
  constexpr uint64_t kBloomFilterUtf8 = 8;
  int64_t index = 0;
  int64_t data = 0;
  constexpr uint64_t kEncodingMax = 3;
  bool ok = encodings.size() == columns && std::ranges::all_of(encodings, [](uint64_t encoding) {
              return encoding <= kEncodingMax;
            });
  std::set<std::pair<uint64_t, uint64_t>> seen;
  for (const Stream& stream : streams) {
    ok = ok && stream.column < columns && seen.emplace(stream.column, stream.kind).second;
    const bool is_index = stream.kind >= kRowIndex && stream.kind <= kBloomFilterUtf8;
    (is_index ? index : data) += stream.length;
  }
  ok = ok && index == stripe.index_length &&
       data == stripe.footer_offset - stripe.offset - stripe.index_length;
  if (ok) return Status::Ok();
  return DataError("the footer of a stripe does not fit the stripe; the ORC file is broken");
}

Result<OrcStripeFooter> ParseOrcStripeFooter(std::string_view footer, const OrcStripe& stripe) {
  OrcStripeFooter parsed;
  int64_t offset = stripe.offset;
  ProtobufFields fields(footer);
  bool ok = true;
  while (ok && fields.Next()) {
    if (fields.key() == ProtobufFields::Bytes(1)) {
      OrcStripeFooter::Stream& stream = parsed.streams.emplace_back();
      stream.offset = offset;
      ok = ReadStream(fields.bytes(), stream) && stream.length <= stripe.footer_offset - offset;
      offset += stream.length;
    }
    if (fields.key() == ProtobufFields::Bytes(2))
      parsed.encodings.push_back(ReadEncoding(fields.bytes()));
    if (fields.key() == ProtobufFields::Bytes(3)) parsed.writer_zone = fields.bytes();
  }
  if (ok && fields.ok()) return parsed;
  return DataError("the footer of a stripe makes no sense; the ORC file is broken");
}

}  // namespace calve::reader
