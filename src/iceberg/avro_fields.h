#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "avro/projection.h"
#include "base/result.h"

// Reading of Avro records whose fields the Iceberg spec numbers. For use within the room.

namespace calve::iceberg {

/// What a field must look like for its reader.
enum class Shape { kInteger, kText, kBytes, kBool, kArray, kRecord };

/// A field of the spec: found by id, or by name in a schema without ids.
struct SpecField {
  int32_t id;
  int slot;
  std::string_view name;
  Shape shape;
  bool required = false;  ///< In every format version.
};

template <size_t N>
constexpr std::array<avro::Want, N> WantsOf(const SpecField (&fields)[N]) {
  std::array<avro::Want, N> wants{};
  for (size_t i = 0; i < N; ++i) wants[i] = {fields[i].id, fields[i].slot, fields[i].name};
  return wants;
}

/// Check that required fields are there and all that are there can be read. Fails with kData naming
/// the field.
Status CheckFields(const avro::Projection& projection, std::span<const SpecField> fields);

}  // namespace calve::iceberg
