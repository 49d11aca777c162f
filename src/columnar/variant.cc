#include "columnar/variant.h"

#include <fmt/format.h>

#include "base/text.h"

namespace calve::columnar {
namespace {

constexpr uint8_t kVersion = 1;

Error Broken(std::string_view what) { return DataError(fmt::format("a broken variant: {}", what)); }

/// `width` bytes (1 to 4), least significant first.
uint32_t Number(std::string_view bytes, size_t at, size_t width) {
  uint32_t number = 0;
  for (size_t i = 0; i < width; ++i)
    number |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  return number;
}

/// Take `size` bytes off the front.
Result<std::string_view> Take(std::string_view& bytes, uint64_t size, std::string_view what) {
  if (size > bytes.size())
    return Broken(fmt::format("its {} takes {} bytes, and {} are left", what, size, bytes.size()));
  const std::string_view taken = bytes.substr(0, static_cast<size_t>(size));
  bytes.remove_prefix(static_cast<size_t>(size));
  return taken;
}

Result<uint32_t> TakeNumber(std::string_view& bytes, size_t width, std::string_view what) {
  CALVE_ASSIGN_OR_RETURN(const std::string_view number, Take(bytes, width, what));
  return Number(number, 0, width);
}

/// Bytes of a primitive, with its header; of binary and string those before their content.
Result<size_t> PrimitiveSize(VariantPrimitive type) {
  switch (type) {
    case VariantPrimitive::kNull:
    case VariantPrimitive::kTrue:
    case VariantPrimitive::kFalse:
      return size_t{1};
    case VariantPrimitive::kInt8:
      return size_t{1 + 1};
    case VariantPrimitive::kInt16:
      return size_t{1 + 2};
    case VariantPrimitive::kInt32:
    case VariantPrimitive::kDate:
    case VariantPrimitive::kFloat:
    case VariantPrimitive::kBinary:
    case VariantPrimitive::kString:
      return size_t{1 + 4};
    case VariantPrimitive::kInt64:
    case VariantPrimitive::kDouble:
    case VariantPrimitive::kTimestampTz:
    case VariantPrimitive::kTimestamp:
    case VariantPrimitive::kTime:
    case VariantPrimitive::kTimestampTzNs:
    case VariantPrimitive::kTimestampNs:
      return size_t{1 + 8};
    case VariantPrimitive::kDecimal4:
      return size_t{1 + 1 + 4};
    case VariantPrimitive::kDecimal8:
      return size_t{1 + 1 + 8};
    case VariantPrimitive::kDecimal16:
      return size_t{1 + 1 + 16};
    case VariantPrimitive::kUuid:
      return size_t{1 + 16};
  }
  return Broken(fmt::format("a value of the primitive type {}, which is not known",
                            static_cast<unsigned>(type)));
}

}  // namespace

Result<VariantNames> VariantNames::Parse(std::string_view metadata) {
  std::string_view rest = metadata;
  CALVE_ASSIGN_OR_RETURN(const uint32_t header, TakeNumber(rest, 1, "metadata's header"));
  if ((header & 0x0F) != kVersion) {
    return Broken(
        fmt::format("its metadata is of version {}, and 1 is what is known", header & 0x0F));
  }
  VariantNames names;
  names.width_ = (header >> 6) + 1;
  CALVE_ASSIGN_OR_RETURN(names.size_, TakeNumber(rest, names.width_, "number of names"));
  CALVE_ASSIGN_OR_RETURN(names.offsets_,
                         Take(rest, (uint64_t{names.size_} + 1) * names.width_, "list of names"));
  names.bytes_ = rest;
  return names;
}

std::optional<std::string_view> VariantNames::BytesOf(uint32_t id) const {
  const uint32_t begin = Number(offsets_, id * width_, width_);
  const uint32_t end = Number(offsets_, (id + size_t{1}) * width_, width_);
  if (begin > end || end > bytes_.size()) return std::nullopt;
  return bytes_.substr(begin, end - begin);
}

Result<std::string_view> VariantNames::At(uint32_t id) const {
  if (id >= size_)
    return Broken(fmt::format("a field has the name {} of {}, counted from 0", id, size_));
  const std::optional<std::string_view> name = BytesOf(id);
  if (!name) return Broken(fmt::format("the name {} leads out of its metadata", id));
  if (!IsValidUtf8(*name)) return Broken(fmt::format("the name {} is not UTF-8", id));
  return *name;
}

bool VariantNames::Has(uint32_t id, std::string_view name) const {
  const std::optional<std::string_view> found = BytesOf(id);
  return found && *found == name;
}

std::optional<uint32_t> VariantNames::Find(std::string_view name, uint32_t likely) const {
  if (likely < size_ && Has(likely, name)) return likely;
  for (uint32_t id = 0; id < size_; ++id) {
    if (Has(id, name)) return id;
  }
  return std::nullopt;
}

VariantBasicType BasicTypeOf(std::string_view value) {
  return static_cast<VariantBasicType>(static_cast<uint8_t>(value.front()) & 0x03);
}

Result<size_t> VariantSize(std::string_view bytes) {
  if (bytes.empty()) return Broken("a value of no bytes");
  const auto header = static_cast<uint8_t>(bytes.front());
  uint64_t size = 0;
  switch (BasicTypeOf(bytes)) {
    case VariantBasicType::kShortString:
      size = 1 + (header >> 2);
      break;
    case VariantBasicType::kPrimitive: {
      const auto type = static_cast<VariantPrimitive>(header >> 2);
      CALVE_ASSIGN_OR_RETURN(size, PrimitiveSize(type));
      const bool has_length =
          type == VariantPrimitive::kBinary || type == VariantPrimitive::kString;
      if (has_length && size <= bytes.size()) size += Number(bytes, 1, 4);
      break;
    }
    case VariantBasicType::kObject:
    case VariantBasicType::kArray: {
      CALVE_ASSIGN_OR_RETURN(const VariantItems items, VariantItems::Split(bytes));
      size = static_cast<size_t>(items.values_.data() - bytes.data()) + items.values_.size();
      break;
    }
  }
  std::string_view rest = bytes;
  CALVE_RETURN_IF_ERROR(Take(rest, size, "value"));
  return static_cast<size_t>(size);
}

Result<VariantItems> VariantItems::Split(std::string_view value) {
  const bool is_object = BasicTypeOf(value) == VariantBasicType::kObject;
  const unsigned bits = static_cast<uint8_t>(value.front()) >> 2;
  const bool is_large = (bits & (is_object ? 0x10 : 0x04)) != 0;
  VariantItems items;
  items.offset_width_ = (bits & 0x03) + 1;
  if (is_object) items.id_width_ = ((bits >> 2) & 0x03) + 1;
  std::string_view rest = value.substr(1);
  CALVE_ASSIGN_OR_RETURN(items.size_, TakeNumber(rest, is_large ? 4 : 1, "number of items"));
  const uint64_t count = items.size_;
  CALVE_ASSIGN_OR_RETURN(items.ids_, Take(rest, count * items.id_width_, "list of names"));
  CALVE_ASSIGN_OR_RETURN(items.offsets_,
                         Take(rest, (count + 1) * items.offset_width_, "list of offsets"));
  const uint32_t values_size =
      Number(items.offsets_, items.size_ * items.offset_width_, items.offset_width_);
  CALVE_ASSIGN_OR_RETURN(items.values_, Take(rest, values_size, "list of values"));
  return items;
}

/// Items that lay on top of each other would let a few bytes stand for any number of values.
Result<VariantItems> VariantItems::Parse(std::string_view value) {
  if (value.empty()) return Broken("a value of no bytes");
  const VariantBasicType type = BasicTypeOf(value);
  if (type != VariantBasicType::kObject && type != VariantBasicType::kArray)
    return Broken("a single value where an object or array is expected");
  CALVE_ASSIGN_OR_RETURN(VariantItems items, Split(value));
  uint64_t total = 0;
  for (uint32_t i = 0; i < items.size_; ++i) {
    if (items.OffsetOf(i) > items.values_.size())
      return Broken(fmt::format("its item {} begins behind the last", i));
    CALVE_ASSIGN_OR_RETURN(const size_t size, VariantSize(items.From(i)));
    total += size;
  }
  if (total > items.values_.size()) return Broken("its items overlap");
  return items;
}

uint32_t VariantItems::OffsetOf(uint32_t i) const {
  return Number(offsets_, i * offset_width_, offset_width_);
}

std::string_view VariantItems::From(uint32_t i) const { return values_.substr(OffsetOf(i)); }

std::string_view VariantItems::At(uint32_t i) const {
  // Parse saw that it has a size.
  return From(i).substr(0, VariantSize(From(i)).value());
}

uint32_t VariantItems::NameId(uint32_t i) const { return Number(ids_, i * id_width_, id_width_); }

}  // namespace calve::columnar
