#pragma once

#include <string>

#include "base/result.h"
#include "iceberg/json.h"
#include "iceberg/schema.h"

namespace calve::iceberg {

/// Read a schema object (spec, Appendix C: Schemas); a missing schema-id is 0. Fails with kData
/// naming the place.
Result<SchemaPtr> SchemaFromJson(const JsonObject& object);
Json SchemaToJson(const Schema& schema);

/// Read a type: a primitive's name, or the object of a nested type.
Result<Type> TypeFromJson(const Json& json, const std::string& place);
Json TypeToJson(const Type& type);

/// Read one value (spec, Appendix D: JSON single-value serialization). Fails with kData when it is
/// not of `type`, and with kRefused for nested types, variant and geo types, whose defaults may
/// only be null.
Result<Value> ValueFromJson(const Type& type, const Json& json, const std::string& place);
/// Write one value; null gives null. Numbers that are not finite have no form in JSON and give
/// null.
Json ValueToJson(const Type& type, const Value& value);

}  // namespace calve::iceberg
