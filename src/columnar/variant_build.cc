#include "columnar/variant_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace calve::columnar {
namespace {

constexpr size_t kShortStringMax = 63;
constexpr size_t kSmallSizeMax = 255;

/// The fewest bytes that hold a number.
size_t WidthOf(uint64_t number) {
  size_t width = 1;
  while (width < 4 && number >> (8 * width) != 0) ++width;
  return width;
}

void AppendNumber(uint64_t number, size_t width, std::string& out) {
  for (size_t i = 0; i < width; ++i)
    out.push_back(static_cast<char>(static_cast<uint8_t>(number >> (8 * i))));
}

void AppendHeader(VariantBasicType type, size_t bits, std::string& out) {
  out.push_back(static_cast<char>(static_cast<uint8_t>(bits << 2 | static_cast<size_t>(type))));
}

void AppendWithLength(VariantPrimitive type, std::string_view bytes, std::string& out) {
  AppendHeader(VariantBasicType::kPrimitive, static_cast<size_t>(type), out);
  AppendNumber(bytes.size(), 4, out);
  out += bytes;
}

Status CheckSize(uint64_t bytes) {
  if (bytes <= std::numeric_limits<uint32_t>::max()) return Status::Ok();
  return DataError(fmt::format("a variant of {}, which has room for 4 GiB",
                               FormatBytes(ByteCount(static_cast<int64_t>(bytes)))));
}

}  // namespace

void AppendVariant(VariantPrimitive type, std::string_view content, std::string& out) {
  AppendHeader(VariantBasicType::kPrimitive, static_cast<size_t>(type), out);
  out += content;
}

void AppendVariantString(std::string_view text, std::string& out) {
  if (text.size() > kShortStringMax) return AppendWithLength(VariantPrimitive::kString, text, out);
  AppendHeader(VariantBasicType::kShortString, text.size(), out);
  out += text;
}

void AppendVariantBinary(std::string_view bytes, std::string& out) {
  AppendWithLength(VariantPrimitive::kBinary, bytes, out);
}

Status AppendVariantNames(const std::vector<std::string_view>& names, std::string& out) {
  constexpr uint8_t kVersion = 1;
  constexpr uint8_t kSorted = 0x10;
  uint64_t total = 0;
  for (const std::string_view name : names) total += name.size();
  CALVE_RETURN_IF_ERROR(CheckSize(std::max<uint64_t>(total, names.size())));
  const size_t width = WidthOf(std::max<uint64_t>(total, names.size()));
  const bool is_sorted = !names.empty() && std::is_sorted(names.begin(), names.end());
  out.push_back(static_cast<char>(
      static_cast<uint8_t>(kVersion | (is_sorted ? kSorted : 0) | (width - 1) << 6)));
  AppendNumber(names.size(), width, out);
  uint64_t offset = 0;
  for (const std::string_view name : names) {
    AppendNumber(offset, width, out);
    offset += name.size();
  }
  AppendNumber(offset, width, out);
  for (const std::string_view name : names) out += name;
  return Status::Ok();
}

Status AppendVariantArray(const std::vector<std::string>& items, std::string& out) {
  uint64_t total = 0;
  for (const std::string& item : items) total += item.size();
  CALVE_RETURN_IF_ERROR(CheckSize(total));
  const size_t width = WidthOf(total);
  const bool is_large = items.size() > kSmallSizeMax;
  AppendHeader(VariantBasicType::kArray, (is_large ? 0x04U : 0U) | (width - 1), out);
  AppendNumber(items.size(), is_large ? 4 : 1, out);
  uint64_t offset = 0;
  for (const std::string& item : items) {
    AppendNumber(offset, width, out);
    offset += item.size();
  }
  AppendNumber(offset, width, out);
  for (const std::string& item : items) out += item;
  return Status::Ok();
}

Status AppendVariantObject(std::vector<VariantField> fields, std::string& out) {
  std::sort(fields.begin(), fields.end(),
            [](const VariantField& a, const VariantField& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(
      fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twice != fields.end())
    return DataError(fmt::format("an object has the field {} twice", Quote(twice->name)));
  uint64_t total = 0;
  uint32_t id_max = 0;
  for (const VariantField& field : fields) {
    total += field.value.size();
    id_max = std::max(id_max, field.id);
  }
  CALVE_RETURN_IF_ERROR(CheckSize(total));
  const size_t width = WidthOf(total);
  const size_t id_width = WidthOf(id_max);
  const bool is_large = fields.size() > kSmallSizeMax;
  AppendHeader(VariantBasicType::kObject,
               (is_large ? 0x10U : 0U) | (id_width - 1) << 2 | (width - 1), out);
  AppendNumber(fields.size(), is_large ? 4 : 1, out);
  for (const VariantField& field : fields) AppendNumber(field.id, id_width, out);
  uint64_t offset = 0;
  for (const VariantField& field : fields) {
    AppendNumber(offset, width, out);
    offset += field.value.size();
  }
  AppendNumber(offset, width, out);
  for (const VariantField& field : fields) out += field.value;
  return Status::Ok();
}

}  // namespace calve::columnar
