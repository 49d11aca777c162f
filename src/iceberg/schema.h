#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "iceberg/type.h"

namespace calve::iceberg {

/// Ids of columns that every reader may be asked for (spec, Reserved Field IDs).
namespace reserved {
inline constexpr FieldId kFilePath{2147483646};        ///< _file
inline constexpr FieldId kPos{2147483645};             ///< _pos
inline constexpr FieldId kDeleted{2147483644};         ///< _deleted
inline constexpr FieldId kSpecId{2147483643};          ///< _spec_id
inline constexpr FieldId kPartition{2147483642};       ///< _partition
inline constexpr FieldId kDeleteFilePath{2147483546};  ///< file_path of a position delete file
inline constexpr FieldId kDeleteFilePos{2147483545};   ///< pos of a position delete file
inline constexpr FieldId kDeleteFileRow{2147483544};   ///< row of a position delete file
inline constexpr FieldId kRowId{2147483540};           ///< _row_id
inline constexpr FieldId kLastUpdatedSequenceNumber{2147483539};  ///< _last_updated_sequence_number
}  // namespace reserved

/// One version of a table's columns. Immutable once made; shared by pointer. Threads: any.
class Schema {
 public:
  /// Check and index. Fails with kData on a repeated id, a repeated full name, a map key that is
  /// optional, or an identifier field that is not a required primitive outside lists and maps.
  static Result<std::shared_ptr<const Schema>> Make(SchemaId id, std::vector<Field> fields,
                                                    std::vector<FieldId> identifier_field_ids = {});

  SchemaId id() const { return id_; }
  const std::vector<Field>& fields() const { return root_.fields(); }
  const Type& as_struct() const { return root_; }
  const std::vector<FieldId>& identifier_field_ids() const { return identifier_field_ids_; }
  FieldId highest_field_id() const { return highest_; }

  /// Find a field at any depth; nullptr when absent.
  const Field* FindById(FieldId id) const;
  /// Find by full name (`address.street`, `tags.element`, `m.value.x`): exact first, else without
  /// the element or value of a list or map of structs (`points.x`), else ignoring case when
  /// unambiguous.
  const Field* FindByName(std::string_view full_name) const;
  /// The full name of a field; nullopt when absent.
  std::optional<std::string> FullName(FieldId id) const;
  /// The ids from the top-level field down to `id`, inclusive; empty when absent.
  std::vector<FieldId> PathTo(FieldId id) const;
  /// All full names, in order of definition, for suggestions.
  const std::vector<std::string>& full_names() const { return full_names_; }

  /// Equal in fields and identifier fields; ids of the schemas may differ.
  bool SameColumns(const Schema& other) const;

 private:
  Schema() = default;
  struct Entry {
    const Field* field;
    FieldId parent;  ///< -1 for top-level fields.
    std::string full_name;
  };

  Status Index(const Type& parent_type, FieldId parent, const std::string& prefix,
               const std::string& short_prefix);
  Status AddToIndex(const Field& field, FieldId parent, const std::string& full_name);
  Status CheckIdentifier(FieldId id) const;

  SchemaId id_;
  Type root_;
  std::vector<FieldId> identifier_field_ids_;
  FieldId highest_{0};
  std::unordered_map<FieldId, Entry> by_id_;
  std::unordered_map<std::string, FieldId> by_name_;
  std::unordered_map<std::string, FieldId> short_names_;    ///< `points.x` for `points.element.x`.
  std::unordered_map<std::string, FieldId> by_lower_name_;  ///< FieldId(-1) where ambiguous.
  std::vector<std::string> full_names_;
};

using SchemaPtr = std::shared_ptr<const Schema>;

/// Give fresh ids to every field, depth-first per level as the spec's writers do, starting after
/// `last`; returns the fields and the last id used. For new tables, whose callers need not know of
/// ids.
std::pair<std::vector<Field>, FieldId> AssignFreshIds(const std::vector<Field>& fields,
                                                      FieldId last);

}  // namespace calve::iceberg
