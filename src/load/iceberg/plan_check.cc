#include "load/iceberg/plan_check.h"

#include <string_view>
#include <utility>

#include "audit/audit.h"
#include "base/text.h"
#include "iceberg/sort_text.h"
#include "load/iceberg/row_filter.h"
#include "writer/writer.h"

namespace calve::load {
namespace {

Result<std::vector<iceberg::PartitionField>> PartitionFields(const std::vector<std::string>& texts,
                                                             const iceberg::Schema& planned) {
  auto fields = iceberg::ParsePartitionFields(texts, planned, iceberg::FieldId(999));
  if (!fields.ok()) return While("partition_by", std::move(fields).error());
  return fields;
}

Result<std::vector<iceberg::SortField>> SortFields(const std::vector<std::string>& texts,
                                                   const iceberg::Schema& planned) {
  auto fields = iceberg::ParseSortFields(texts, planned);
  if (!fields.ok()) return While("sort_by", std::move(fields).error());
  return fields;
}

/// Add what a person can put right; anything else is given back.
Status AddFault(const Status& status, config::Place place, config::Faults* faults) {
  if (status.ok()) return status;
  const ErrorKind kind = status.error().kind;
  const bool fault = kind == ErrorKind::kConfig || kind == ErrorKind::kRefused ||
                     kind == ErrorKind::kNotFound || kind == ErrorKind::kData;
  if (!fault) return status;
  faults->Add(std::move(place), status.error().message);
  return Status::Ok();
}

/// See that each text of a list can be read, by itself and beside those before it.
template <typename Read>
Status CheckTexts(const PlannedLoad& load, std::string_view option,
                  const std::vector<std::string>& texts, const Read& read, config::Faults* faults) {
  std::vector<std::string> good;
  for (size_t i = 0; i < texts.size(); ++i) {
    good.push_back(texts[i]);
    const Status status = StatusOf(read(good, load.planned));
    if (status.ok()) continue;
    good.pop_back();
    CALVE_RETURN_IF_ERROR(AddFault(status, load.options.PlaceOf(option, i), faults));
  }
  return Status::Ok();
}

/// The new table as it would be.
Result<iceberg::MetadataPtr> DraftTable(const Context& context, const PlannedLoad& load) {
  CALVE_ASSIGN_OR_RETURN(iceberg::CreateTableOptions create, LayoutOf(load.options, load.planned));
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
  for (const char* property : {"write.data.path", "write.metadata.path"}) {
    const std::string folder(table->Property(property, ""));
    if (folder.empty()) continue;
    const Status known = StatusOf(load.resources.files->CapabilitiesFor(folder));
    if (!known.ok()) return While(std::string("table property ") + property, known.error());
  }
  return StatusOf(writer::OpenDataFileWriter(
      context, *load.resources.files,
      {.table = table, .schema = table->schema(), .spec = table->spec(), .run_id = "plan"}));
}

Status CheckLocation(const Context& context, const PlannedLoad& load, const std::string& location) {
  if (load.options.location.empty()) return Status::Ok();
  CALVE_RETURN_IF_ERROR(load.resources.files->CapabilitiesFor(location));
  return load.catalog.CheckLocation(context, load.table, location);
}

/// See that files can be written for a table with these properties: without any, then with each of
/// them beside those before it.
Status CheckProperties(const Context& context, const PlannedLoad& load,
                       iceberg::TableMetadata table, config::Faults* faults) {
  const auto check = [&] {
    return CheckFiles(context, load, std::make_shared<const iceberg::TableMetadata>(table));
  };
  table.properties.clear();
  if (const Status bare = check(); !bare.ok()) return AddFault(bare, {}, faults);
  for (const auto& [name, value] : load.options.properties) {
    table.properties[name] = value;
    const Status status = check();
    if (status.ok()) continue;
    table.properties.erase(name);
    CALVE_RETURN_IF_ERROR(AddFault(status, load.options.PlaceOfProperty(name), faults));
  }
  return Status::Ok();
}

Status CheckNewTable(const Context& context, const PlannedLoad& load, config::Faults* faults) {
  const IcebergOptions& options = load.options;
  const size_t before = faults->size();
  CALVE_RETURN_IF_ERROR(
      CheckTexts(load, "partition_by", options.partition_by, PartitionFields, faults));
  CALVE_RETURN_IF_ERROR(CheckTexts(load, "sort_by", options.sort_by, SortFields, faults));
  if (faults->size() > before) return Status::Ok();
  const Result<iceberg::MetadataPtr> draft = DraftTable(context, load);
  if (!draft.ok()) return AddFault(draft.error(), {}, faults);
  CALVE_RETURN_IF_ERROR(AddFault(CheckLocation(context, load, (*draft)->location),
                                 options.PlaceOf("location"), faults));
  return CheckProperties(context, load, **draft, faults);
}

Status CheckTable(const Context& context, const PlannedLoad& load, config::Faults* faults) {
  if (load.current == nullptr) return CheckNewTable(context, load, faults);
  return AddFault(CheckFiles(context, load, load.current), {}, faults);
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
  CALVE_ASSIGN_OR_RETURN(create.partition_fields, PartitionFields(options.partition_by, planned));
  CALVE_ASSIGN_OR_RETURN(create.sort_fields, SortFields(options.sort_by, planned));
  return create;
}

Status CheckPlan(const Context& context, const PlannedLoad& load) {
  if (load.catalog.capabilities().refs == catalog::Capabilities::Refs::kNone) {
    return RefusedError("catalog " + load.catalog.name() +
                        " keeps no branches in a table, so that rows cannot wait there for their "
                        "audit; of a Nessie take the catalog `type: nessie`, with the address of "
                        "its API version 2");
  }
  config::Faults faults;
  CALVE_RETURN_IF_ERROR(CheckTable(context, load, &faults));
  if (load.options.where.has_value()) {
    const iceberg::Schema& filtered =
        load.current == nullptr ? load.planned : *load.current->schema();
    CALVE_RETURN_IF_ERROR(
        AddFault(StatusOf(MakeRowFilter(*load.options.where, filtered)), {}, &faults));
  }
  if (load.request.contract != nullptr)
    CALVE_RETURN_IF_ERROR(CheckContract(context, load, &faults));
  return faults.ToStatus();
}

}  // namespace calve::load
