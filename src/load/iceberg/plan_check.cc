#include "load/iceberg/plan_check.h"

#include "audit/audit.h"
#include "base/text.h"
#include "iceberg/sort_text.h"
#include "load/iceberg/row_filter.h"

namespace calve::load {
namespace {

Result<std::vector<iceberg::PartitionField>> PartitionFields(const IcebergOptions& options,
                                                             const iceberg::Schema& planned) {
  auto fields = iceberg::ParsePartitionFields(options.partition_by, planned, iceberg::FieldId(999));
  if (!fields.ok()) return While("partition_by", std::move(fields).error());
  return fields;
}

Result<std::vector<iceberg::SortField>> SortFields(const IcebergOptions& options,
                                                   const iceberg::Schema& planned) {
  auto fields = iceberg::ParseSortFields(options.sort_by, planned);
  if (!fields.ok()) return While("sort_by", std::move(fields).error());
  return fields;
}

void AddFault(const Status& status, config::Faults* faults) {
  if (!status.ok()) faults->Add({}, status.error().message);
}

/// See that a new table can be made.
void CheckLayout(const PlannedLoad& load, config::Faults* faults) {
  const Status parts = StatusOf(PartitionFields(load.options, load.planned));
  const Status order = StatusOf(SortFields(load.options, load.planned));
  AddFault(parts, faults);
  AddFault(order, faults);
  if (!parts.ok() || !order.ok()) return;
  Result<iceberg::CreateTableOptions> create = LayoutOf(load.options, load.planned);
  AddFault(create.ok() ? StatusOf(iceberg::CreateTable(*create)) : StatusOf(create), faults);
}

Status CheckContract(const Context& context, const PlannedLoad& load, config::Faults* faults) {
  audit::PlannedScope scope;
  CALVE_ASSIGN_OR_RETURN(scope.inputs.schema, columnar::ToArrowSchema(load.planned));
  scope.inputs.now_ms = MillisSinceEpoch(context.clock->Now());
  scope.resolver = load.resources.resolver;
  scope.catalog = load.options.catalog;
  if (load.current == nullptr) scope.new_table = Split(load.table.ToString(), '.');
  return audit::CheckContract(context, *load.request.contract, *load.request.checks,
                              *load.resources.engine, scope, faults);
}

}  // namespace

Result<iceberg::CreateTableOptions> LayoutOf(const IcebergOptions& options,
                                             const iceberg::Schema& planned) {
  iceberg::CreateTableOptions create;
  create.location = options.location;
  create.fields = planned.fields();
  create.properties = options.properties;
  create.properties["format-version"] = std::to_string(options.format_version);
  CALVE_ASSIGN_OR_RETURN(create.partition_fields, PartitionFields(options, planned));
  CALVE_ASSIGN_OR_RETURN(create.sort_fields, SortFields(options, planned));
  return create;
}

Status CheckPlan(const Context& context, const PlannedLoad& load) {
  config::Faults faults;
  if (load.current == nullptr) CheckLayout(load, &faults);
  if (load.options.where.has_value()) {
    const iceberg::Schema& filtered = load.current == nullptr ? load.planned : *load.current;
    AddFault(StatusOf(MakeRowFilter(*load.options.where, filtered)), &faults);
  }
  if (load.request.contract != nullptr)
    CALVE_RETURN_IF_ERROR(CheckContract(context, load, &faults));
  return faults.ToStatus();
}

}  // namespace calve::load
