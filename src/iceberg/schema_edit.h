#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "iceberg/schema.h"

namespace calve::iceberg {

/// A nested type of the kind of `type` with other fields.
Type WithFields(const Type& type, std::vector<Field> fields);

/// Change the field `id` at any depth; false when it is not there.
bool EditField(std::vector<Field>& fields, FieldId id, const std::function<void(Field&)>& edit);

/// Change the list of fields that holds the field `id`; false when it is not there.
bool EditSiblings(std::vector<Field>& fields, FieldId id,
                  const std::function<void(std::vector<Field>&)>& edit);

/// The field `id` at any depth, or nullptr.
const Field* FindField(const std::vector<Field>& fields, FieldId id);

/// Whether metadata can hold a value as a default: JSON has no NaN, no infinity, and only UTF-8.
bool HasJsonForm(const Type& type, const Value& value);

/// A value of type `from` as one of the type `to` that it is promoted to. Fails with kConfig out of
/// the range of `to`.
Result<Value> PromoteValue(const Type& from, const Type& to, const Value& value);

}  // namespace calve::iceberg
