#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/ids.h"
#include "iceberg/schema.h"

namespace calve::iceberg {

/// Names under which a field may stand in files without field ids (spec, Column Projection;
/// property schema.name-mapping.default).
struct MappedField {
  std::optional<FieldId> field_id;
  std::vector<std::string> names;
  std::vector<MappedField> fields;
  bool operator==(const MappedField&) const = default;
};

class NameMapping {
 public:
  NameMapping() = default;
  explicit NameMapping(std::vector<MappedField> fields) : fields_(std::move(fields)) {}
  static Result<NameMapping> Parse(std::string_view json);
  /// Map every field of a schema by its present name.
  static NameMapping Of(const Schema& schema);
  std::string Serialize() const;
  const std::vector<MappedField>& fields() const { return fields_; }

 private:
  std::vector<MappedField> fields_;
};

inline constexpr std::string_view kNameMappingProperty = "schema.name-mapping.default";

}  // namespace calve::iceberg
