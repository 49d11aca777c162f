#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "columnar/variant.h"

namespace calve::columnar {

// Each appends one encoded value. Those of objects and arrays take encoded items, which belong to
// the same metadata as they will.

/// `content` is what follows the type, as VariantEncoding.md lays it out; neither binary nor
/// string.
void AppendVariant(VariantPrimitive type, std::string_view content, std::string& out);
void AppendVariantString(std::string_view text, std::string& out);
void AppendVariantBinary(std::string_view bytes, std::string& out);

/// The metadata of a variant: names in the order of their ids, each once. It says sorted where they
/// ascend by their bytes. Fails with kData when they take more than 4 GiB.
Status AppendVariantNames(const std::vector<std::string_view>& names, std::string& out);

/// Fails with kData when the array takes more than 4 GiB.
Status AppendVariantArray(const std::vector<std::string>& items, std::string& out);

struct VariantField {
  std::string_view name;
  uint32_t id = 0;  ///< Of the name, in the metadata.
  std::string value;
};
/// In any order. Fails with kData when two fields have one name, or the object takes more than
/// 4 GiB.
Status AppendVariantObject(std::vector<VariantField> fields, std::string& out);

}  // namespace calve::columnar
