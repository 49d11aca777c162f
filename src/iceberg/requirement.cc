#include <fmt/format.h>

#include <array>
#include <functional>

#include "base/text.h"
#include "iceberg/json.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kUuid = "assert-table-uuid";
constexpr std::string_view kUuidDiffers = "UUID does not match";
constexpr std::string_view kCreate = "assert-create";
constexpr std::string_view kRef = "assert-ref-snapshot-id";

/// `what` is in the words that clients of REST catalogs know.
Error Failed(std::string_view what, std::string_view expected, std::string_view found) {
  return ConflictError(
      fmt::format("Requirement failed: {}: expected {}, found {}", what, expected, found));
}

class CreateRequirement : public Requirement {
 public:
  std::string_view type() const override { return kCreate; }
  Status Check(const TableMetadata* base) const override {
    if (base == nullptr) return Status::Ok();
    return Failed("table already exists", "no table of this name",
                  fmt::format("one with UUID {}", base->table_uuid));
  }
  std::string ToJson() const override { return DumpJson({{"type", kCreate}}); }
};

class UuidRequirement : public Requirement {
 public:
  explicit UuidRequirement(std::string uuid) : uuid_(std::move(uuid)) {}
  std::string_view type() const override { return kUuid; }
  Status Check(const TableMetadata* base) const override {
    if (base == nullptr) return Failed(kUuidDiffers, "the table " + uuid_, "no table");
    if (ToLower(base->table_uuid) == ToLower(uuid_)) return Status::Ok();
    return Failed(kUuidDiffers, "the table " + uuid_,
                  fmt::format("{}: the table was dropped and made again", base->table_uuid));
  }
  std::string ToJson() const override { return DumpJson({{"type", kUuid}, {"uuid", uuid_}}); }

 private:
  std::string uuid_;
};

class RefRequirement : public Requirement {
 public:
  RefRequirement(std::string ref, std::optional<SnapshotId> id) : ref_(std::move(ref)), id_(id) {}
  std::string_view type() const override { return kRef; }
  Status Check(const TableMetadata* base) const override {
    std::optional<SnapshotId> found;
    if (base != nullptr) {
      const auto ref = base->refs.find(ref_);
      if (ref != base->refs.end()) found = ref->second.snapshot_id;
    }
    if (found == id_ && (base != nullptr || !id_)) return Status::Ok();
    return Failed(fmt::format("branch or tag {} has changed", ref_), Text(id_), Text(found));
  }
  std::string ToJson() const override {
    Json json = {{"type", kRef}, {"ref", ref_}, {"snapshot-id", nullptr}};
    if (id_) json["snapshot-id"] = id_->value();
    return DumpJson(json);
  }

 private:
  static std::string Text(const std::optional<SnapshotId>& id) {
    return id ? fmt::format("snapshot {}", id->value()) : "no snapshot";
  }
  std::string ref_;
  std::optional<SnapshotId> id_;
};

/// A number of the metadata that must not have moved, by requirement type.
struct NumberKind {
  std::string_view type;
  const char* key;           ///< In the requirement's JSON.
  std::string_view changed;  ///< What is said when it has moved.
  int32_t (*read)(const TableMetadata& base);
};

constexpr std::array<NumberKind, 5> kNumbers = {{
    {"assert-last-assigned-field-id", "last-assigned-field-id", "last assigned field id changed",
     [](const TableMetadata& base) { return base.last_column_id.value(); }},
    {"assert-current-schema-id", "current-schema-id", "current schema changed",
     [](const TableMetadata& base) { return base.current_schema_id.value(); }},
    {"assert-last-assigned-partition-id", "last-assigned-partition-id",
     "last assigned partition id changed",
     [](const TableMetadata& base) { return base.last_partition_id.value(); }},
    {"assert-default-spec-id", "default-spec-id", "default partition spec changed",
     [](const TableMetadata& base) { return base.default_spec_id.value(); }},
    {"assert-default-sort-order-id", "default-sort-order-id", "default sort order changed",
     [](const TableMetadata& base) { return base.default_sort_order_id.value(); }},
}};

class NumberRequirement : public Requirement {
 public:
  NumberRequirement(const NumberKind& kind, int32_t number) : kind_(kind), number_(number) {}
  std::string_view type() const override { return kind_.type; }
  Status Check(const TableMetadata* base) const override {
    const std::string expected = std::to_string(number_);
    if (base == nullptr) return Failed(kind_.changed, expected, "no table");
    const int32_t found = kind_.read(*base);
    if (found == number_) return Status::Ok();
    return Failed(kind_.changed, expected, std::to_string(found));
  }
  std::string ToJson() const override {
    return DumpJson({{"type", kind_.type}, {kind_.key, number_}});
  }

 private:
  const NumberKind& kind_;
  int32_t number_;
};

RequirementPtr Number(size_t kind, int32_t number) {
  return std::make_shared<NumberRequirement>(kNumbers[kind], number);
}

}  // namespace

RequirementPtr AssertCreate() { return std::make_shared<CreateRequirement>(); }

RequirementPtr AssertTableUuid(std::string uuid) {
  return std::make_shared<UuidRequirement>(std::move(uuid));
}

RequirementPtr AssertRefSnapshotId(std::string ref, std::optional<SnapshotId> snapshot_id) {
  return std::make_shared<RefRequirement>(std::move(ref), snapshot_id);
}

RequirementPtr AssertLastAssignedFieldId(FieldId id) { return Number(0, id.value()); }
RequirementPtr AssertCurrentSchemaId(SchemaId id) { return Number(1, id.value()); }
RequirementPtr AssertLastAssignedPartitionId(FieldId id) { return Number(2, id.value()); }
RequirementPtr AssertDefaultSpecId(SpecId id) { return Number(3, id.value()); }
RequirementPtr AssertDefaultSortOrderId(SortOrderId id) { return Number(4, id.value()); }

Result<RequirementPtr> ParseRequirement(std::string_view json) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(json));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(document, ""));
  CALVE_ASSIGN_OR_RETURN(const std::string written, object.Text("type"));
  const std::string type = ToLower(written);
  if (type == kCreate) return AssertCreate();
  if (type == kUuid) {
    CALVE_ASSIGN_OR_RETURN(std::string uuid, object.Text("uuid"));
    return AssertTableUuid(std::move(uuid));
  }
  if (type == kRef) {
    CALVE_ASSIGN_OR_RETURN(std::string ref, object.Text("ref"));
    CALVE_ASSIGN_OR_RETURN(const auto id, object.OptionalSnapshotId("snapshot-id"));
    return AssertRefSnapshotId(std::move(ref), id);
  }
  std::vector<std::string> known = {std::string(kCreate), std::string(kUuid), std::string(kRef)};
  for (size_t i = 0; i < kNumbers.size(); ++i) {
    known.emplace_back(kNumbers[i].type);
    if (type != kNumbers[i].type) continue;
    CALVE_ASSIGN_OR_RETURN(const int32_t number, object.Int(kNumbers[i].key));
    return Number(i, number);
  }
  return DataError(fmt::format("type: expected one of {}; found {}{}", Join(known, ", "),
                               Quote(written), DidYouMean(type, known)));
}

}  // namespace calve::iceberg
