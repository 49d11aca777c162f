#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "iceberg/metadata_rules.h"
#include "iceberg/partition_rules.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kFormatVersion = "format-version";
constexpr FieldId kLastBeforePartitions{999};

Result<int> TakeFormatVersion(std::map<std::string, std::string>& properties) {
  const auto found = properties.find(std::string(kFormatVersion));
  if (found == properties.end()) return 2;
  const std::string text = found->second;
  properties.erase(found);
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

Result<SchemaPtr> FreshSchema(const CreateTableOptions& options, FreshIds& ids) {
  auto [fields, last] = AssignFreshIds(options.fields, FieldId(0));
  ids.Link(options.fields, fields);
  std::vector<FieldId> identifiers;
  for (const FieldId id : options.identifier_field_ids) {
    CALVE_ASSIGN_OR_RETURN(const FieldId fresh, ids.Find(id, "an identifier field"));
    identifiers.push_back(fresh);
  }
  return Schema::Make(SchemaId(0), std::move(fields), std::move(identifiers));
}

Result<PartitionSpec> FreshSpec(const CreateTableOptions& options, const FreshIds& ids,
                                const Schema& schema) {
  PartitionSpec spec;
  FieldId last = kLastBeforePartitions;
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

}  // namespace

Result<TableChange> CreateTable(const CreateTableOptions& options) {
  std::map<std::string, std::string> properties = options.properties;
  CALVE_ASSIGN_OR_RETURN(const int version, TakeFormatVersion(properties));
  FreshIds ids;
  Result<SchemaPtr> schema = FreshSchema(options, ids);
  if (!schema.ok()) return AsConfig(std::move(schema).error());
  const Status valid = CheckSchemaVersion(**schema, version);
  if (!valid.ok()) return AsConfig(valid.error());
  CALVE_ASSIGN_OR_RETURN(PartitionSpec spec, FreshSpec(options, ids, **schema));
  CALVE_ASSIGN_OR_RETURN(SortOrder order, FreshOrder(options, ids, **schema));
  TableChange change;
  change.requirements = {AssertCreate()};
  change.updates = {AssignUuid(options.uuid),
                    UpgradeFormatVersion(version),
                    AddSchema(std::move(schema).value()),
                    SetCurrentSchema(SchemaId(-1)),
                    AddPartitionSpec(std::move(spec)),
                    SetDefaultSpec(SpecId(-1)),
                    AddSortOrder(std::move(order)),
                    SetDefaultSortOrder(SortOrderId(-1)),
                    SetLocation(options.location)};
  if (!properties.empty()) change.updates.push_back(SetProperties(std::move(properties)));
  return change;
}

}  // namespace calve::iceberg
