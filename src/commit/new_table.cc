#include "commit/new_table.h"

#include <algorithm>

#include "base/text.h"

namespace calve::commit {
namespace {

using iceberg::TableMetadata;

/// Two fields of a spec or an order, by the names of their columns.
template <typename F>
bool SameSource(const TableMetadata& a, const F& x, const TableMetadata& b, const F& y) {
  return x.transform == y.transform &&
         a.schema()->FullName(x.source_id) == b.schema()->FullName(y.source_id);
}

bool SameColumns(const TableMetadata& a, const TableMetadata& b) {
  const auto numbered = [](const TableMetadata& table) {
    return iceberg::AssignFreshIds(table.schema()->fields(), iceberg::FieldId(0)).first;
  };
  return numbered(a) == numbered(b);
}

bool SamePartitions(const TableMetadata& a, const TableMetadata& b) {
  const auto& x = a.spec().fields;
  const auto& y = b.spec().fields;
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [&](const iceberg::PartitionField& f, const iceberg::PartitionField& g) {
                      return f.name == g.name && SameSource(a, f, b, g);
                    });
}

bool SameOrder(const TableMetadata& a, const TableMetadata& b) {
  const auto& x = a.sort_order().fields;
  const auto& y = b.sort_order().fields;
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [&](const iceberg::SortField& f, const iceberg::SortField& g) {
                      return f.ascending == g.ascending && f.nulls_first == g.nulls_first &&
                             SameSource(a, f, b, g);
                    });
}

}  // namespace

bool NewTable::IsAlready(const TableMetadata& there) const {
  const TableMetadata& planned = *draft.metadata;
  return planned.format_version == there.format_version && planned.properties == there.properties &&
         SameColumns(planned, there) && SamePartitions(planned, there) && SameOrder(planned, there);
}

Status NewTable::CheckServes(const catalog::TableName& table,
                             const iceberg::TableMetadata& now) const {
  const iceberg::TableMetadata& planned = *draft.metadata;
  const auto has = [&](const iceberg::Field& field) {
    const iceberg::Field* known = now.schema()->FindById(field.id);
    return known != nullptr && known->name == field.name && known->type == field.type;
  };
  const auto is_left_out = [&](const iceberg::Field& field) {
    return field.required && planned.schema()->FindById(field.id) == nullptr;
  };
  const auto& ours = planned.schema()->fields();
  const auto& theirs = now.schema()->fields();
  const bool serves = now.format_version == planned.format_version &&
                      now.location == planned.location && now.spec() == planned.spec() &&
                      std::all_of(ours.begin(), ours.end(), has) &&
                      std::none_of(theirs.begin(), theirs.end(), is_left_out);
  if (serves) return Status::Ok();
  return ConflictError("another writer has made " + table.ToString() +
                       " meanwhile, with other columns or partitions; run again");
}

Result<NewTable> TableOfBranch(const TableMetadata& staged, int64_t now_ms) {
  iceberg::CreateTableOptions options{
      .location = staged.location,
      .uuid = staged.table_uuid,
      .fields = staged.schema()->fields(),
      .identifier_field_ids = staged.schema()->identifier_field_ids(),
      .partition_fields = staged.spec().fields,
      .sort_fields = staged.sort_order().fields,
      .properties = staged.properties};
  options.properties["format-version"] = std::to_string(staged.format_version);
  NewTable made;
  CALVE_ASSIGN_OR_RETURN(made.change, iceberg::CreateTable(options));
  CALVE_ASSIGN_OR_RETURN(
      TableMetadata draft,
      iceberg::Apply(nullptr, made.change, {.now_ms = now_ms, .previous_location = {}}));
  made.draft.metadata = std::make_shared<const TableMetadata>(std::move(draft));
  return made;
}

bool IsUnborn(const iceberg::TableMetadata& metadata) {
  return metadata.snapshots.empty() &&
         metadata.Property(kFirstSchema, "") == std::to_string(metadata.current_schema_id.value());
}

}  // namespace calve::commit
