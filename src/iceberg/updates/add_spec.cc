#include <fmt/format.h>

#include <algorithm>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/partition_json.h"
#include "iceberg/partition_rules.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "add-spec";

bool SameField(const PartitionField& a, const PartitionField& b) {
  return a.source_id == b.source_id && a.more_source_ids == b.more_source_ids &&
         a.transform == b.transform && a.name == b.name;
}

/// The id of an equal spec that the table has, else the next free one. Field ids don't count.
SpecId IdFor(const PartitionSpec& spec, const std::vector<PartitionSpec>& specs) {
  SpecId next{0};
  for (const PartitionSpec& other : specs) {
    if (std::equal(spec.fields.begin(), spec.fields.end(), other.fields.begin(), other.fields.end(),
                   SameField)) {
      return other.id;
    }
    next = std::max(next, SpecId(other.id.value() + 1));
  }
  return next;
}

/// Give ids to fields that a client left without: of the same source and transform in another spec,
/// else fresh ones.
void NumberFields(std::vector<PartitionField>& fields, const TableMetadata& metadata) {
  FieldId last = metadata.last_partition_id;
  for (PartitionField& field : fields) {
    if (field.field_id != kMissingFieldId) continue;
    for (const PartitionSpec& spec : metadata.specs) {
      for (const PartitionField& other : spec.fields) {
        const bool same = other.source_id == field.source_id && other.transform == field.transform;
        if (same) field.field_id = other.field_id;
      }
    }
    if (field.field_id == kMissingFieldId) field.field_id = last += FieldId(1);
  }
}

/// v1's manifests number partition fields by their place.
Status CheckSequential(const std::vector<PartitionField>& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const int32_t expected = 1000 + static_cast<int32_t>(i);
    if (fields[i].field_id.value() == expected) continue;
    return DataError(
        fmt::format("expected the partition field id {} at place {}, as format version 1 numbers "
                    "them, found {}",
                    expected, i, fields[i].field_id.value()));
  }
  return Status::Ok();
}

class AddPartitionSpecUpdate : public Update {
 public:
  explicit AddPartitionSpecUpdate(PartitionSpec spec) : spec_(std::move(spec)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    TableMetadata& metadata = builder.metadata();
    const SchemaPtr* schema = metadata.FindSchema(metadata.current_schema_id);
    if (schema == nullptr)
      return DataError("expected a current schema before a partition spec is added, found none");
    PartitionSpec spec = spec_;
    NumberFields(spec.fields, metadata);
    spec.id = IdFor(spec, metadata.specs);
    builder.last_added_spec = spec.id;
    if (metadata.FindSpec(spec.id) != nullptr) return Status::Ok();
    const Status valid = CheckPartitionFields(spec.fields, **schema);
    if (!valid.ok()) return DataError(valid.error().message);
    if (metadata.format_version == 1) CALVE_RETURN_IF_ERROR(CheckSequential(spec.fields));
    for (const PartitionField& field : spec.fields) {
      metadata.last_partition_id = std::max(metadata.last_partition_id, field.field_id);
    }
    metadata.specs.push_back(std::move(spec));
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"spec", PartitionSpecToJson(spec_)}});
  }

 private:
  PartitionSpec spec_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require("spec"));
  CALVE_ASSIGN_OR_RETURN(const JsonObject spec_object, JsonObject::Of(*json, "spec"));
  CALVE_ASSIGN_OR_RETURN(PartitionSpec spec, PartitionSpecFromJson(spec_object));
  return AddPartitionSpec(std::move(spec));
}

}  // namespace

UpdatePtr AddPartitionSpec(PartitionSpec spec) {
  return std::make_shared<AddPartitionSpecUpdate>(std::move(spec));
}

CALVE_PART(add_spec) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg
