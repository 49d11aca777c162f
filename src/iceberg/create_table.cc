#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "iceberg/metadata_rules.h"
#include "iceberg/partition_rules.h"
#include "iceberg/replace_table.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kFormatVersion = "format-version";
constexpr FieldId kLastBeforePartitions{999};

Result<int> TakeFormatVersion(std::map<std::string, std::string>& properties,
                              bool allow_version_1) {
  const auto found = properties.find(std::string(kFormatVersion));
  if (found == properties.end()) return 2;
  const std::string text = found->second;
  properties.erase(found);
  if (text == "1" && allow_version_1) return 1;
  if (text == "2") return 2;
  if (text == "3") return 3;
  return ConfigError(
      fmt::format("expected a format-version of 2 or 3 for a new table, found {}", Quote(text)));
}

/// Where the caller's field ids went, for the parts that refer to them.
class FreshIds {
 public:
  void Link(const std::vector<Field>& before, const std::vector<Field>& after) {
    for (size_t i = 0; i < before.size(); ++i) {
      const auto [entry, once] = ids_.try_emplace(before[i].id, after[i].id);
      if (!once) entry->second = kAmbiguous;
      Link(before[i].type.fields(), after[i].type.fields());
    }
  }

  Result<FieldId> Find(FieldId before, std::string_view what) const {
    const auto found = ids_.find(before);
    if (found != ids_.end() && found->second != kAmbiguous) return found->second;
    return ConfigError(fmt::format("{} refers to the field id {}, which {} of the table has", what,
                                   before.value(),
                                   found == ids_.end() ? "no column" : "more than one column"));
  }

 private:
  static constexpr FieldId kAmbiguous{-1};
  std::map<FieldId, FieldId> ids_;
};

Result<SchemaPtr> FreshSchema(const CreateTableOptions& options, FieldId after, FreshIds& ids) {
  auto [fields, last] = AssignFreshIds(options.fields, after);
  ids.Link(options.fields, fields);
  std::vector<FieldId> identifiers;
  for (const FieldId id : options.identifier_field_ids) {
    CALVE_ASSIGN_OR_RETURN(const FieldId fresh, ids.Find(id, "an identifier field"));
    identifiers.push_back(fresh);
  }
  return Schema::Make(SchemaId(0), std::move(fields), std::move(identifiers));
}

Result<PartitionSpec> FreshSpec(const CreateTableOptions& options, const FreshIds& ids,
                                const Schema& schema, FieldId last) {
  PartitionSpec spec;
  for (PartitionField field : options.partition_fields) {
    CALVE_ASSIGN_OR_RETURN(field.source_id,
                           ids.Find(field.source_id, "the partition field " + Quote(field.name)));
    field.field_id = last += FieldId(1);
    if (field.name.empty()) {
      field.name =
          PartitionFieldName(field.transform, schema.FullName(field.source_id).value_or(""));
    }
    spec.fields.push_back(std::move(field));
  }
  CALVE_RETURN_IF_ERROR(CheckPartitionFields(spec.fields, schema));
  return spec;
}

Result<SortOrder> FreshOrder(const CreateTableOptions& options, const FreshIds& ids,
                             const Schema& schema) {
  SortOrder order;
  for (SortField field : options.sort_fields) {
    CALVE_ASSIGN_OR_RETURN(field.source_id, ids.Find(field.source_id, "a sort field"));
    order.fields.push_back(std::move(field));
  }
  if (!order.fields.empty()) order.id = SortOrderId(1);
  CALVE_RETURN_IF_ERROR(CheckSortFields(order.fields, schema));
  return order;
}

Error AsConfig(Error error) {
  error.kind = ErrorKind::kConfig;
  return error;
}

/// What CreateTable and ReplaceTable share.
struct Layout {
  int version = 2;
  SchemaPtr schema;
  PartitionSpec spec;
  SortOrder order;
  std::map<std::string, std::string> properties;

  /// The updates that give a table this layout.
  void AddTo(std::vector<UpdatePtr>& updates) && {
    updates.insert(updates.end(),
                   {AddSchema(std::move(schema)), SetCurrentSchema(SchemaId(-1)),
                    AddPartitionSpec(std::move(spec)), SetDefaultSpec(SpecId(-1)),
                    AddSortOrder(std::move(order)), SetDefaultSortOrder(SortOrderId(-1))});
    if (!properties.empty()) updates.push_back(SetProperties(std::move(properties)));
  }
};

/// Columns and partition fields are numbered from behind those of `base`, a table that is there.
Result<Layout> FreshLayout(const CreateTableOptions& options, const TableMetadata* base) {
  Layout layout;
  layout.properties = options.properties;
  CALVE_ASSIGN_OR_RETURN(layout.version,
                         TakeFormatVersion(layout.properties, options.allow_version_1));
  FieldId last_column{0};
  FieldId last_partition = kLastBeforePartitions;
  if (base != nullptr) {
    layout.version = std::max(layout.version, base->format_version);
    last_column = base->last_column_id;
    last_partition = std::max(last_partition, base->last_partition_id);
  }
  FreshIds ids;
  Result<SchemaPtr> schema = FreshSchema(options, last_column, ids);
  if (!schema.ok()) return AsConfig(std::move(schema).error());
  layout.schema = std::move(*schema);
  const Status valid = CheckSchemaVersion(*layout.schema, layout.version);
  if (!valid.ok()) return AsConfig(valid.error());
  CALVE_ASSIGN_OR_RETURN(layout.spec, FreshSpec(options, ids, *layout.schema, last_partition));
  CALVE_ASSIGN_OR_RETURN(layout.order, FreshOrder(options, ids, *layout.schema));
  return layout;
}

}  // namespace

Result<TableChange> CreateTable(const CreateTableOptions& options) {
  CALVE_ASSIGN_OR_RETURN(Layout layout, FreshLayout(options, nullptr));
  TableChange change;
  change.requirements = {AssertCreate()};
  change.updates = {AssignUuid(options.uuid), UpgradeFormatVersion(layout.version),
                    SetLocation(options.location)};
  std::move(layout).AddTo(change.updates);
  return change;
}

Result<TableChange> ReplaceTable(const TableMetadata& base, const CreateTableOptions& options) {
  CALVE_ASSIGN_OR_RETURN(Layout layout, FreshLayout(options, &base));
  TableChange change;
  change.requirements = {
      AssertTableUuid(base.table_uuid), AssertRefSnapshotId(std::string(kMainBranch), std::nullopt),
      AssertCurrentSchemaId(base.current_schema_id), AssertLastAssignedFieldId(base.last_column_id),
      AssertLastAssignedPartitionId(base.last_partition_id)};
  if (layout.version > base.format_version)
    change.updates.push_back(UpgradeFormatVersion(layout.version));
  std::move(layout).AddTo(change.updates);
  return change;
}

}  // namespace calve::iceberg
