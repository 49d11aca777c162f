#pragma once

#include <optional>
#include <string>
#include <vector>

#include "iceberg/schema.h"

namespace calve::engine {

// SQL sees a variant as JSON, which does not say all its types. A statement that keeps a row's
// variant takes it from a column of its own beside that: the variant's bytes, a struct of metadata
// and value. Only variants that are columns have one, not those within other types.

/// The columns of bytes of a table's variants, to stand behind its own.
std::vector<iceberg::Field> KeptVariants(const std::vector<iceberg::Field>& columns);
/// The name of the column of bytes of the table's column at a place.
std::string KeptVariantName(size_t place);
/// The place of the column whose bytes a field is; nothing for other fields.
std::optional<size_t> PlaceOfKeptVariant(iceberg::FieldId id);

}  // namespace calve::engine
