#include "reader/orc_check.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "reader/orc_integers.h"
#include "reader/protobuf_fields.h"

namespace calve::reader {
namespace {

constexpr int64_t kPostscriptBytesMax = 255;
constexpr int64_t kFooterBytesMax = 64 << 20;
constexpr uint64_t kChunkBytesMax = 1 << 23;  ///< As many as a chunk's header can say.
constexpr size_t kDepthMax = 200;
constexpr uint64_t kDigitsMax = 38;
/// The library's last type, GEOGRAPHY.
constexpr uint64_t kTypeMax = 20;

/// Of one value, and of those of one batch.
constexpr int64_t kTextBytesMax = 64 << 20;
constexpr int64_t kBatchBytesMax = 128 << 20;
constexpr int64_t kElementsMax = 16 << 20;

constexpr std::array<uint64_t, 4> kTexts = {7, 8, 16, 17};  ///< STRING, BINARY, VARCHAR, CHAR
constexpr std::array<uint64_t, 2> kLists = {10, 11};        ///< LIST, MAP
constexpr uint64_t kStruct = 12;
constexpr uint64_t kUnion = 13;
constexpr uint64_t kDecimal = 14;

struct Postscript {
  uint64_t footer = 0;
  uint64_t metadata = 0;
  uint64_t statistics = 0;
  uint64_t compression = 0;
  uint64_t chunk_bytes_max = 256 << 10;
  std::string magic = "ORC";
};

bool Parse(std::string_view message, Postscript* postscript) {
  ProtobufFields fields(message);
  while (fields.Next()) {
    if (fields.key() == ProtobufFields::Varint(1)) postscript->footer = fields.value();
    if (fields.key() == ProtobufFields::Varint(2)) postscript->compression = fields.value();
    if (fields.key() == ProtobufFields::Varint(3)) postscript->chunk_bytes_max = fields.value();
    if (fields.key() == ProtobufFields::Varint(5)) postscript->metadata = fields.value();
    if (fields.key() == ProtobufFields::Varint(7)) postscript->statistics = fields.value();
    if (fields.key() == ProtobufFields::Bytes(8000)) postscript->magic = fields.bytes();
  }
  return fields.ok();
}

Error Broken(const std::string& what) { return DataError(what + "; the ORC file is broken"); }

Status CheckType(const OrcLayout& layout, size_t number) {
  const OrcType& type = layout.types[number];
  if (type.kind > kTypeMax)
    return Broken("it has a type of the unknown kind " + std::to_string(type.kind));
  const auto follows = [&](uint64_t child) { return child > number; };
  if (!std::ranges::all_of(type.children, follows)) return Broken("a type of it contains itself");
  const bool is_list = type.kind == kLists[0];
  const bool is_map = type.kind == kLists[1];
  const bool has_children = is_list || is_map || type.kind == kStruct || type.kind == kUnion;
  if ((is_list && type.children.size() != 1) || (is_map && type.children.size() != 2) ||
      (!has_children && !type.children.empty())) {
    return Broken("a type of it has " + FormatCount(static_cast<int64_t>(type.children.size())) +
                  " parts, which its kind does not");
  }
  if (type.kind == kDecimal && (type.precision > kDigitsMax || type.scale > kDigitsMax ||
                                (type.precision != 0 && type.scale > type.precision))) {
    return Broken("it has a decimal of " + std::to_string(type.precision) + " digits, " +
                  std::to_string(type.scale) + " behind the point; at most 38 make sense");
  }
  return Status::Ok();
}

Status CheckTypes(const OrcLayout& layout) {
  std::vector<size_t> depths(layout.types.size(), 0);
  for (size_t i = 0; i < layout.types.size(); ++i) {
    CALVE_RETURN_IF_ERROR(CheckType(layout, i));
    if (depths[i] > kDepthMax) {
      return DataError("its types are nested deeper than 200 levels, which no table holds");
    }
    for (const uint64_t child : layout.types[i].children) depths[child] = depths[i] + 1;
  }
  return Status::Ok();
}

/// Sums of the last `rows` lengths.
class Window {
 public:
  explicit Window(size_t rows) : last_(std::max<size_t>(1, rows)) {}

  int64_t Add(int64_t length) {
    sum_ += length - last_[at_];
    last_[at_] = length;
    at_ = (at_ + 1) % last_.size();
    return sum_;
  }

 private:
  std::vector<int64_t> last_;
  size_t at_ = 0;
  int64_t sum_ = 0;
};

struct Limits {
  std::string_view of;
  int64_t value_max = 0;
  int64_t batch_max = 0;
};

Status CheckLengths(OrcIntegers lengths, const Limits& limits, int64_t rows) {
  Window window(static_cast<size_t>(rows));
  std::vector<int64_t> run;
  while (true) {
    CALVE_RETURN_IF_ERROR(lengths.ReadRun(&run));
    if (run.empty()) return Status::Ok();
    for (const int64_t length : run) {
      if (length < 0 || length > limits.value_max) {
        return DataError("a value has " + std::string(limits.of) + " of the length " +
                         std::to_string(static_cast<uint64_t>(length)) + ", longer than " +
                         FormatCount(limits.value_max));
      }
      if (window.Add(length) > limits.batch_max) {
        return DataError(FormatCount(rows) + " values have " + std::string(limits.of) +
                         " longer than " + FormatCount(limits.batch_max) + " together");
      }
    }
  }
}

}  // namespace

Status CheckOrcTail(io::InputFile& file) {
  const int64_t size = file.size().value();
  const int64_t end_bytes = std::min(size, kPostscriptBytesMax + 1);
  CALVE_ASSIGN_OR_RETURN(const std::string end, file.ReadAt(size - end_bytes, end_bytes));
  const int64_t length = end.empty() ? 0 : static_cast<uint8_t>(end.back());
  if (length == 0 || length >= end_bytes) return Broken("its end is no postscript");
  const std::string_view message =
      std::string_view(end).substr(end.size() - 1 - static_cast<size_t>(length)).substr(0, length);
  Postscript postscript;
  if (!Parse(message, &postscript)) return Broken("its end is no postscript");
  if (postscript.magic != "ORC") return Broken("its postscript does not say ORC");
  if (postscript.compression != 0 &&
      (postscript.chunk_bytes_max == 0 || postscript.chunk_bytes_max > kChunkBytesMax)) {
    return Broken("it says that its chunks have " + std::to_string(postscript.chunk_bytes_max) +
                  " bytes, at most 8,388,608 make sense");
  }
  const auto room = static_cast<uint64_t>(size - 1 - length);
  if (postscript.footer > room || postscript.metadata > room - postscript.footer ||
      postscript.statistics > room - postscript.footer - postscript.metadata) {
    return Broken("its footer is larger than the file");
  }
  CALVE_ASSIGN_OR_RETURN(std::string stored,
                         file.ReadAt(static_cast<int64_t>(room - postscript.footer),
                                     static_cast<int64_t>(postscript.footer)));
  OrcLayout layout;
  layout.compression = postscript.compression;
  layout.chunk_bytes_max = postscript.chunk_bytes_max;
  CALVE_ASSIGN_OR_RETURN(const auto compression, OrcCompression::Of(layout));
  if (!compression) return Status::Ok();  // The library names the codecs that it has.
  OrcStream stream(std::move(stored), *compression);
  CALVE_ASSIGN_OR_RETURN(const std::string footer, stream.ReadRest(kFooterBytesMax));
  CALVE_RETURN_IF_ERROR(ParseOrcFooter(footer, &layout));
  return CheckTypes(layout);
}

Status CheckOrcLengths(io::InputFile& file, const OrcStripeFooter& footer, const OrcLayout& layout,
                       const OrcCompression& compression, int64_t rows) {
  constexpr uint64_t kLength = 2;
  constexpr Limits kTextLimits = {
      .of = "texts", .value_max = kTextBytesMax, .batch_max = kBatchBytesMax};
  constexpr Limits kListLimits = {
      .of = "lists", .value_max = kElementsMax, .batch_max = kElementsMax};
  for (const OrcStripeFooter::Stream& stream : footer.streams) {
    if (stream.kind != kLength || stream.column >= layout.types.size()) continue;
    const uint64_t kind = layout.types[stream.column].kind;
    const bool is_text = std::ranges::find(kTexts, kind) != kTexts.end();
    const bool is_list = std::ranges::find(kLists, kind) != kLists.end();
    if (!is_text && !is_list) continue;
    CALVE_ASSIGN_OR_RETURN(std::string stored, file.ReadAt(stream.offset, stream.length));
    const bool is_version_2 = footer.encodings[stream.column] >= 2;
    OrcIntegers lengths(OrcStream(std::move(stored), compression),
                        is_version_2 ? OrcRuns::kVersion2 : OrcRuns::kVersion1, OrcSign::kUnsigned);
    CALVE_RETURN_IF_ERROR(
        CheckLengths(std::move(lengths), is_text ? kTextLimits : kListLimits, rows));
  }
  return Status::Ok();
}

}  // namespace calve::reader
