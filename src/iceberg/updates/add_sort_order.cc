#include <algorithm>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/partition_json.h"
#include "iceberg/partition_rules.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "add-sort-order";

/// The id of an equal order that the table has, else the next free one; unsorted is 0.
SortOrderId IdFor(const SortOrder& order, const std::vector<SortOrder>& orders) {
  if (order.fields.empty()) return SortOrderId(0);
  SortOrderId next{1};
  for (const SortOrder& other : orders) {
    if (other.fields == order.fields) return other.id;
    next = std::max(next, SortOrderId(other.id.value() + 1));
  }
  return next;
}

class AddSortOrderUpdate : public Update {
 public:
  explicit AddSortOrderUpdate(SortOrder order) : order_(std::move(order)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    TableMetadata& metadata = builder.metadata();
    const SchemaPtr* schema = metadata.FindSchema(metadata.current_schema_id);
    if (schema == nullptr)
      return DataError("expected a current schema before a sort order is added, found none");
    SortOrder order = order_;
    order.id = IdFor(order, metadata.sort_orders);
    builder.last_added_order = order.id;
    if (metadata.FindSortOrder(order.id) != nullptr) return Status::Ok();
    const Status valid = CheckSortFields(order.fields, **schema);
    if (!valid.ok()) return DataError(valid.error().message);
    metadata.sort_orders.push_back(std::move(order));
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"sort-order", SortOrderToJson(order_)}});
  }

 private:
  SortOrder order_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require("sort-order"));
  CALVE_ASSIGN_OR_RETURN(const JsonObject order_object, JsonObject::Of(*json, "sort-order"));
  CALVE_ASSIGN_OR_RETURN(SortOrder order, SortOrderFromJson(order_object));
  return AddSortOrder(std::move(order));
}

}  // namespace

UpdatePtr AddSortOrder(SortOrder order) {
  return std::make_shared<AddSortOrderUpdate>(std::move(order));
}

CALVE_PART(add_sort_order) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg
