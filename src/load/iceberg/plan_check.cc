#include "load/iceberg/plan_check.h"

#include "audit/audit.h"
#include "base/text.h"
#include "iceberg/sort_text.h"
#include "load/iceberg/row_filter.h"
#include "writer/writer.h"

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

/// Add what a person can put right; anything else is given back.
Status AddFault(const Status& status, config::Faults* faults) {
  if (status.ok()) return status;
  const ErrorKind kind = status.error().kind;
  const bool fault = kind == ErrorKind::kConfig || kind == ErrorKind::kRefused ||
                     kind == ErrorKind::kNotFound || kind == ErrorKind::kData;
  if (!fault) return status;
  faults->Add({}, status.error().message);
  return Status::Ok();
}

/// The new table as it would be.
Result<iceberg::MetadataPtr> DraftTable(const Context& context, const PlannedLoad& load) {
  CALVE_ASSIGN_OR_RETURN(iceberg::CreateTableOptions create, LayoutOf(load.options, load.planned));
  if (!create.location.empty())
    CALVE_RETURN_IF_ERROR(load.resources.files->CapabilitiesFor(create.location));
  if (create.location.empty()) create.location = "planned";
  create.uuid = NewUuidString(*context.random);
  CALVE_ASSIGN_OR_RETURN(const iceberg::TableChange change, iceberg::CreateTable(create));
  CALVE_ASSIGN_OR_RETURN(
      iceberg::TableMetadata made,
      iceberg::Apply(nullptr, change, {.now_ms = MillisSinceEpoch(context.clock->Now())}));
  return std::make_shared<const iceberg::TableMetadata>(std::move(made));
}

/// See that files can be written as a table wants them: a writer that gets no row writes none.
Status CheckFiles(const Context& context, const PlannedLoad& load,
                  const iceberg::MetadataPtr& table) {
  return StatusOf(writer::OpenDataFileWriter(
      context, *load.resources.files,
      {.table = table, .schema = table->schema(), .spec = table->spec(), .run_id = "plan"}));
}

Status CheckTable(const Context& context, const PlannedLoad& load, config::Faults* faults) {
  iceberg::MetadataPtr table = load.current;
  if (table == nullptr) {
    const size_t before = faults->size();
    CALVE_RETURN_IF_ERROR(AddFault(StatusOf(PartitionFields(load.options, load.planned)), faults));
    CALVE_RETURN_IF_ERROR(AddFault(StatusOf(SortFields(load.options, load.planned)), faults));
    if (faults->size() > before) return Status::Ok();
    Result<iceberg::MetadataPtr> draft = DraftTable(context, load);
    if (!draft.ok()) return AddFault(draft.error(), faults);
    table = *draft;
  }
  return AddFault(CheckFiles(context, load, table), faults);
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
  CALVE_RETURN_IF_ERROR(CheckTable(context, load, &faults));
  if (load.options.where.has_value()) {
    const iceberg::Schema& filtered =
        load.current == nullptr ? load.planned : *load.current->schema();
    CALVE_RETURN_IF_ERROR(
        AddFault(StatusOf(MakeRowFilter(*load.options.where, filtered)), &faults));
  }
  if (load.request.contract != nullptr)
    CALVE_RETURN_IF_ERROR(CheckContract(context, load, &faults));
  return faults.ToStatus();
}

}  // namespace calve::load
