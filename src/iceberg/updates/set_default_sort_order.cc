#include <fmt/format.h>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "set-default-sort-order";

/// Names the sort order that the same change added last.
constexpr SortOrderId kLastAdded{-1};

class SetDefaultSortOrderUpdate : public Update {
 public:
  explicit SetDefaultSortOrderUpdate(SortOrderId id) : id_(id) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    TableMetadata& metadata = builder.metadata();
    const SortOrderId id = id_ == kLastAdded ? builder.last_added_order.value_or(kLastAdded) : id_;
    if (id == kLastAdded) {
      return DataError(
          "expected a change that adds a sort order before it is set as -1, found none");
    }
    if (metadata.FindSortOrder(id) == nullptr) {
      return DataError(
          fmt::format("expected a sort order of the table, found the unknown id {}", id.value()));
    }
    if (metadata.default_sort_order_id != id) builder.LayoutChanged();
    metadata.default_sort_order_id = id;
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"sort-order-id", id_.value()}});
  }

 private:
  SortOrderId id_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const int32_t id, object.Int("sort-order-id"));
  return SetDefaultSortOrder(SortOrderId(id));
}

}  // namespace

UpdatePtr SetDefaultSortOrder(SortOrderId id) {
  return std::make_shared<SetDefaultSortOrderUpdate>(id);
}

CALVE_PART(set_default_sort_order) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg
