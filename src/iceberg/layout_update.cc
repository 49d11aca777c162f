#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "iceberg/change.h"
#include "iceberg/partition_rules.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

bool SameSource(const PartitionField& a, const PartitionField& b) {
  return a.source_id == b.source_id && a.more_source_ids == b.more_source_ids &&
         a.transform == b.transform;
}

const PartitionField* FindSame(const std::vector<PartitionField>& fields,
                               const PartitionField& wanted) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const PartitionField& field) {
    return SameSource(field, wanted);
  });
  return found == fields.end() ? nullptr : &*found;
}

/// A field that some spec of the table has had: it keeps its id. The current spec is asked first,
/// then the newest.
const PartitionField* FindKnown(const TableMetadata& base, const PartitionField& wanted) {
  const PartitionField* known = FindSame(base.spec().fields, wanted);
  for (auto spec = base.specs.rbegin(); known == nullptr && spec != base.specs.rend(); ++spec) {
    known = FindSame(spec->fields, wanted);
  }
  return known;
}

void FillName(PartitionField& field, const TableMetadata& base) {
  if (!field.name.empty()) return;
  const PartitionField* current = FindSame(base.spec().fields, field);
  field.name = current != nullptr
                   ? current->name
                   : PartitionFieldName(field.transform,
                                        base.schema()->FullName(field.source_id).value_or(""));
}

std::vector<PartitionField> NumberFields(std::vector<PartitionField> wanted,
                                         const TableMetadata& base) {
  FieldId last = base.last_partition_id;
  for (PartitionField& field : wanted) {
    const PartitionField* known = FindKnown(base, field);
    field.field_id = known != nullptr ? known->field_id : last += FieldId(1);
  }
  return wanted;
}

/// Format version 1 knows partition fields by their place: what is there stays, as void when it is
/// not wanted, and what is new follows (spec, Partition Evolution).
std::vector<PartitionField> KeepPlaces(std::vector<PartitionField> wanted,
                                       const TableMetadata& base) {
  std::vector<PartitionField> fields;
  for (const PartitionField& old : base.spec().fields) {
    const auto kept = std::find_if(wanted.begin(), wanted.end(), [&](const PartitionField& field) {
      return SameSource(field, old);
    });
    PartitionField field = old;
    if (kept != wanted.end()) {
      field.name = kept->name;
      wanted.erase(kept);
    } else {
      field.transform = Transform::Of(Transform::Kind::kVoid);
    }
    fields.push_back(std::move(field));
  }
  for (PartitionField& field : fields) {
    const bool taken = std::any_of(wanted.begin(), wanted.end(), [&](const PartitionField& other) {
      return other.name == field.name;
    });
    const bool is_void = field.transform.kind() == Transform::Kind::kVoid;
    if (is_void && taken) field.name += fmt::format("_{}", field.field_id.value());
  }
  for (PartitionField& field : wanted) {
    field.field_id = FieldId(1000 + static_cast<int32_t>(fields.size()));
    fields.push_back(std::move(field));
  }
  return fields;
}

bool SameIgnoringIds(const std::vector<PartitionField>& a, const std::vector<PartitionField>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const PartitionField& x, const PartitionField& y) {
                      return SameSource(x, y) && x.name == y.name;
                    });
}

}  // namespace

Result<TableChange> ReplacePartitionSpec(const TableMetadata& base,
                                         std::vector<PartitionField> wanted) {
  for (PartitionField& field : wanted) FillName(field, base);
  PartitionSpec spec;
  spec.fields = base.format_version == 1 ? KeepPlaces(std::move(wanted), base)
                                         : NumberFields(std::move(wanted), base);
  CALVE_RETURN_IF_ERROR(CheckPartitionFields(spec.fields, *base.schema()));
  if (SameIgnoringIds(spec.fields, base.spec().fields)) return TableChange{};
  TableChange change = ChangeOf(base);
  change.requirements.push_back(AssertDefaultSpecId(base.default_spec_id));
  const auto same = std::find_if(
      base.specs.begin(), base.specs.end(),
      [&](const PartitionSpec& other) { return SameIgnoringIds(other.fields, spec.fields); });
  if (same != base.specs.end()) {
    change.updates.push_back(SetDefaultSpec(same->id));
    return change;
  }
  for (const PartitionSpec& other : base.specs)
    spec.id = std::max(spec.id, SpecId(other.id.value() + 1));
  change.requirements.push_back(AssertLastAssignedPartitionId(base.last_partition_id));
  change.updates.push_back(AddPartitionSpec(std::move(spec)));
  change.updates.push_back(SetDefaultSpec(SpecId(-1)));
  return change;
}

Result<TableChange> ReplaceSortOrder(const TableMetadata& base, std::vector<SortField> wanted) {
  CALVE_RETURN_IF_ERROR(CheckSortFields(wanted, *base.schema()));
  if (wanted == base.sort_order().fields) return TableChange{};
  TableChange change = ChangeOf(base);
  change.requirements.push_back(AssertDefaultSortOrderId(base.default_sort_order_id));
  const auto same = std::find_if(base.sort_orders.begin(), base.sort_orders.end(),
                                 [&](const SortOrder& other) { return other.fields == wanted; });
  if (same != base.sort_orders.end()) {
    change.updates.push_back(SetDefaultSortOrder(same->id));
    return change;
  }
  SortOrder order{.id = SortOrderId(wanted.empty() ? 0 : 1), .fields = std::move(wanted)};
  for (const SortOrder& other : base.sort_orders) {
    if (!order.fields.empty()) order.id = std::max(order.id, SortOrderId(other.id.value() + 1));
  }
  change.updates.push_back(AddSortOrder(std::move(order)));
  change.updates.push_back(SetDefaultSortOrder(SortOrderId(-1)));
  return change;
}

}  // namespace calve::iceberg
