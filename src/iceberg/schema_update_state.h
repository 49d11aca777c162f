#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "iceberg/update.h"

namespace calve::iceberg {

/// The error of a step that a column does not allow.
Error Misfit(std::string_view column, std::string_view why);

/// A schema under way: the columns as they would be, always a valid schema, and what is needed to
/// judge the next step.
struct SchemaUpdate::State {
  explicit State(const TableMetadata& metadata)
      : base(metadata),
        base_schema(base.schema()),
        fields(base_schema->fields()),
        identifiers(base_schema->identifier_field_ids()),
        last_id(base.last_column_id) {}

  /// Find a column of the base schema that is still there, else an added one.
  Result<FieldId> Find(std::string_view full_name) const;
  /// The same, but not the element, key or value of a list or map.
  Result<FieldId> FindInStruct(std::string_view full_name) const;
  /// The struct that a column named as parent adds to; nothing for the top level.
  Result<std::optional<FieldId>> FindParent(std::string_view parent) const;
  /// The ids from the top level down to `id`.
  std::vector<FieldId> Path(FieldId id) const;

  /// The fields of a nested column, or of the top level.
  const std::vector<Field>& Level(std::optional<FieldId> parent) const;

  Result<SchemaPtr> Make(SchemaId id) const;
  /// Go on with other fields if they make a valid schema, else leave all as it was.
  Status Take(std::vector<Field> next);
  Status Edit(FieldId id, const std::function<void(Field&)>& edit);
  /// Append columns to a struct, or to the top level.
  Status Add(std::optional<FieldId> parent, std::string_view parent_name,
             std::vector<Field> columns);
  Status Promote(FieldId id, const Type& type);
  /// `after` is 1 to stand behind the other column, 0 to stand before it.
  Status MoveBeside(std::string_view full_name, std::string_view other, size_t after);
  Status Union(std::optional<FieldId> parent, const std::string& parent_name,
               const std::vector<Field>& wanted);
  Status UnionField(const Field& existing, const std::string& full_name, const Field& wanted);

  /// Check a new column, and complete its defaults.
  Status CheckNew(Field& field, const std::string& full_name) const;
  Status CheckNotMapKey(FieldId id, std::string_view full_name) const;
  /// Check that no partition value changes with the type.
  Status CheckPartitions(FieldId id, std::string_view full_name, const Type& type) const;
  /// Check that nothing current reads the column.
  Status CheckUnused(FieldId id, std::string_view full_name) const;
  Status CheckDefaults(const Field& field) const;

  const TableMetadata base;
  const SchemaPtr base_schema;
  std::vector<Field> fields;
  std::vector<FieldId> identifiers;
  FieldId last_id;
  std::map<std::string, FieldId> added;  ///< Full names of added columns.
};

}  // namespace calve::iceberg
