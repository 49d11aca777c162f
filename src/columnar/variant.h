#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace calve::columnar {

// A variant is two byte strings: its metadata, a dictionary of field names, and its value (Parquet
// spec, VariantEncoding.md). What is here reads them in place. Bytes come from files and may be
// anything: every offset, length and id is checked, and what does not fit fails with kData.

/// The low two bits of a value's first byte.
enum class VariantBasicType : uint8_t { kPrimitive = 0, kShortString = 1, kObject = 2, kArray = 3 };

/// The type of a primitive value: the upper six bits of its first byte.
enum class VariantPrimitive : uint8_t {
  kNull = 0,
  kTrue = 1,
  kFalse = 2,
  kInt8 = 3,
  kInt16 = 4,
  kInt32 = 5,
  kInt64 = 6,
  kDouble = 7,
  kDecimal4 = 8,
  kDecimal8 = 9,
  kDecimal16 = 10,
  kDate = 11,
  kTimestampTz = 12,
  kTimestamp = 13,
  kFloat = 14,
  kBinary = 15,
  kString = 16,
  kTime = 17,
  kTimestampTzNs = 18,
  kTimestampNs = 19,
  kUuid = 20,
};

/// The digits after the point that a decimal may say.
inline constexpr int kVariantScaleMax = 38;

/// The dictionary of field names that a variant's metadata is. Points into its bytes.
class VariantNames {
 public:
  static Result<VariantNames> Parse(std::string_view metadata);

  uint32_t size() const { return size_; }
  /// The name with an id; fails with kData when there is none, or it is not UTF-8.
  Result<std::string_view> At(uint32_t id) const;
  /// The id of a name. `likely` is looked at first: rows of one column mostly have the same names.
  std::optional<uint32_t> Find(std::string_view name, uint32_t likely) const;

 private:
  bool Has(uint32_t id, std::string_view name) const;
  /// The bytes of a name, or nothing when its offsets lead out of the metadata.
  std::optional<std::string_view> BytesOf(uint32_t id) const;

  uint32_t size_ = 0;
  size_t width_ = 1;          ///< Bytes of an offset.
  std::string_view offsets_;  ///< One more than there are names.
  std::string_view bytes_;
};

/// The basic type of a value, which must not be empty.
VariantBasicType BasicTypeOf(std::string_view value);

/// How many bytes the value takes that begins `bytes`: at least one, and no more than there are.
/// Looks at its header alone, not at what an object or array holds.
Result<size_t> VariantSize(std::string_view bytes);

/// The items of an object or array. Points into its bytes.
class VariantItems {
 public:
  /// Items are known to lie in `value`, one beside the other, and are not looked into. Fails with
  /// kData when `value` is neither object nor array.
  static Result<VariantItems> Parse(std::string_view value);

  uint32_t size() const { return size_; }
  /// The value of an item, its bytes exactly. `i` in [0, size).
  std::string_view At(uint32_t i) const;
  /// Of an object: the id of the item's name.
  uint32_t NameId(uint32_t i) const;

 private:
  friend Result<size_t> VariantSize(std::string_view bytes);
  /// Find the parts of an object or array, without a look at where its items lie.
  static Result<VariantItems> Split(std::string_view value);
  uint32_t OffsetOf(uint32_t i) const;
  std::string_view From(uint32_t i) const;

  uint32_t size_ = 0;
  size_t id_width_ = 0;  ///< Bytes of a name's id; 0 in arrays.
  size_t offset_width_ = 1;
  std::string_view ids_;
  std::string_view offsets_;  ///< One more than there are items.
  std::string_view values_;
};

}  // namespace calve::columnar
