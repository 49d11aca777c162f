#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/metadata.h"

namespace calve::iceberg {

class MetadataBuilder;

/// One change of a table's metadata, as the REST specification's TableUpdate. Immutable; one file
/// each in updates/.
class Update {
 public:
  virtual ~Update() = default;
  /// The REST action: "add-schema", "set-snapshot-ref", ...
  virtual std::string_view action() const = 0;
  /// Apply to the metadata being built. Fails with kConflict or kData, leaving the builder
  /// unusable.
  virtual Status ApplyTo(MetadataBuilder& builder) const = 0;
  /// The REST JSON of this update, one object.
  virtual std::string ToJson() const = 0;
};
using UpdatePtr = std::shared_ptr<const Update>;

/// What must hold for a change to be applied, as the REST specification's TableRequirement.
/// Immutable.
class Requirement {
 public:
  virtual ~Requirement() = default;
  virtual std::string_view type() const = 0;
  /// Fail with kConflict, saying expected and found. `base` is null when the table does not exist.
  virtual Status Check(const TableMetadata* base) const = 0;
  virtual std::string ToJson() const = 0;
};
using RequirementPtr = std::shared_ptr<const Requirement>;

/// A change computed by a pure function from the metadata it saw. After a conflict it is computed
/// again, never patched.
struct TableChange {
  std::vector<RequirementPtr> requirements;
  std::vector<UpdatePtr> updates;

  /// Append another change computed on the same base.
  void Add(TableChange other);
};

/// Read one update or requirement from REST JSON. Fails with kData on an unknown action, naming the
/// known ones.
Result<UpdatePtr> ParseUpdate(std::string_view json);
Result<RequirementPtr> ParseRequirement(std::string_view json);

/// What Apply needs besides the updates.
struct ApplyOptions {
  int64_t now_ms = 0;  ///< Milliseconds since 1970, UTC; last-updated-ms never goes back nor stands
                       ///< still behind the log.
  std::string previous_location;  ///< The metadata file of `base`, for the metadata log; empty for
                                  ///< a new table.
};

/// Check the requirements, then apply the updates: the one pure function that serves every catalog
/// and the server.
///
/// `base` is null for a table that does not exist. Fails with kConflict when a requirement does not
/// hold, kData when an update is malformed. The result holds every invariant that
/// ParseTableMetadata checks.
Result<TableMetadata> Apply(const TableMetadata* base, const TableChange& change,
                            const ApplyOptions& options);

// Requirements. Each fails as its REST namesake says.
RequirementPtr AssertCreate();
RequirementPtr AssertTableUuid(std::string uuid);
RequirementPtr AssertRefSnapshotId(std::string ref, std::optional<SnapshotId> snapshot_id);
RequirementPtr AssertLastAssignedFieldId(FieldId id);
RequirementPtr AssertCurrentSchemaId(SchemaId id);
RequirementPtr AssertLastAssignedPartitionId(FieldId id);
RequirementPtr AssertDefaultSpecId(SpecId id);
RequirementPtr AssertDefaultSortOrderId(SortOrderId id);

// Updates, one per REST action.
UpdatePtr AssignUuid(std::string uuid);
UpdatePtr UpgradeFormatVersion(int format_version);
UpdatePtr AddSchema(SchemaPtr schema);
/// -1 means the schema (spec, order) added last in the same change.
UpdatePtr SetCurrentSchema(SchemaId id);
UpdatePtr AddPartitionSpec(PartitionSpec spec);
UpdatePtr SetDefaultSpec(SpecId id);
UpdatePtr AddSortOrder(SortOrder order);
UpdatePtr SetDefaultSortOrder(SortOrderId id);
UpdatePtr AddSnapshot(Snapshot snapshot);
UpdatePtr SetSnapshotRef(std::string name, SnapshotRef ref);
UpdatePtr RemoveSnapshotRef(std::string name);
UpdatePtr RemoveSnapshots(std::vector<SnapshotId> ids);
UpdatePtr SetLocation(std::string location);
UpdatePtr SetProperties(std::map<std::string, std::string> properties);
UpdatePtr RemoveProperties(std::vector<std::string> keys);
UpdatePtr SetStatistics(StatisticsFile file);
UpdatePtr RemoveStatistics(SnapshotId id);
UpdatePtr SetPartitionStatistics(PartitionStatisticsFile file);
UpdatePtr RemovePartitionStatistics(SnapshotId id);
UpdatePtr RemovePartitionSpecs(std::vector<SpecId> ids);
UpdatePtr RemoveSchemas(std::vector<SchemaId> ids);
UpdatePtr AddEncryptionKey(EncryptedKey key);
UpdatePtr RemoveEncryptionKey(std::string key_id);

/// What a new table is made of. Field ids in `fields` are fresh ones given by the function; those
/// of the caller only link the partition fields and the sort order to their columns.
struct CreateTableOptions {
  std::string location;
  std::string uuid;
  std::vector<Field> fields;
  std::vector<FieldId> identifier_field_ids;
  std::vector<PartitionField> partition_fields;
  std::vector<SortField> sort_fields;
  std::map<std::string, std::string>
      properties;  ///< `format-version` chooses 2 (default) or 3 and is not stored.
  /// Allow version 1 too: for tables that others will write, since calve writes rows into 2 and 3.
  bool allow_version_1 = false;
};
/// The change that makes a table, with AssertCreate.
Result<TableChange> CreateTable(const CreateTableOptions& options);

/// Evolve a schema (spec, Schema Evolution) step by step; names are those of the base schema until
/// Build.
///
/// Every step fails with kConfig and the nearest names when the column is missing, exists already,
/// or must not change so.
class SchemaUpdate {
 public:
  explicit SchemaUpdate(const TableMetadata& base);
  ~SchemaUpdate();
  SchemaUpdate(SchemaUpdate&&) noexcept;

  /// `parent` is a full name, or empty for the top level; a list's or map's parent adds to its
  /// element or value struct.
  Status AddColumn(std::string_view parent, Field field);
  Status DropColumn(std::string_view full_name);
  Status RenameColumn(std::string_view full_name, std::string_view new_name);
  Status ChangeType(std::string_view full_name, const Type& type);
  Status MakeOptional(std::string_view full_name);
  /// Only sound when no row holds null there; the caller has checked.
  Status MakeRequired(std::string_view full_name);
  Status SetDoc(std::string_view full_name, std::string doc);
  Status SetWriteDefault(std::string_view full_name, Value value);
  Status MoveFirst(std::string_view full_name);
  Status MoveAfter(std::string_view full_name, std::string_view other);
  Status MoveBefore(std::string_view full_name, std::string_view other);
  Status SetIdentifierFields(const std::vector<std::string>& full_names);

  /// Make the wanted fields be a superset match of `wanted` by name: add what is new, widen where
  /// IsPromotion allows, leave the rest. For loads whose contract says evolve. Fails with kData
  /// naming the column when a change is not allowed.
  Status UnionByName(const std::vector<Field>& wanted);

  /// The schema as it would be; its id is the next free one, or that of an equal schema the table
  /// has.
  Result<SchemaPtr> Preview() const;
  /// The change; empty when nothing changes. `make_current` false adds the schema without making it
  /// current (staging).
  Result<TableChange> Build(bool make_current = true) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Evolve the partition spec: the wanted fields, by column and transform; fields that stay keep
/// their ids; in v1 removed ones become void. An equal spec that the table has is taken again.
Result<TableChange> ReplacePartitionSpec(const TableMetadata& base,
                                         std::vector<PartitionField> wanted);
/// Replace the default sort order.
Result<TableChange> ReplaceSortOrder(const TableMetadata& base, std::vector<SortField> wanted);

}  // namespace calve::iceberg
