#include "iceberg/partition_rules.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/text.h"

namespace calve::iceberg {
namespace {

bool IsVoid(const Transform& transform) { return transform.kind() == Transform::Kind::kVoid; }

/// Year, month, day and hour of one column are one kind: the finest says all.
std::string KindOf(const Transform& transform) {
  switch (transform.kind()) {
    case Transform::Kind::kYear:
    case Transform::Kind::kMonth:
    case Transform::Kind::kDay:
    case Transform::Kind::kHour:
      return "time";
    default:
      return transform.ToString();
  }
}

/// The column that a transform reads, once it is sure that it may.
Status CheckSource(FieldId source_id, const Transform& transform, const Schema& schema,
                   std::string_view what) {
  const Field* source = schema.FindById(source_id);
  if (source == nullptr) {
    if (IsVoid(transform)) return Status::Ok();
    return ConfigError(fmt::format("{} reads the field id {}, which the schema does not have", what,
                                   source_id.value()));
  }
  const Result<Type> type = transform.ResultType(source->type);
  if (!type.ok()) return While(what, type.error());
  if (IsVoid(transform)) return Status::Ok();
  for (const FieldId step : schema.PathTo(source_id)) {
    const TypeKind kind = schema.FindById(step)->type.kind();
    if (kind == TypeKind::kList || kind == TypeKind::kMap) {
      return ConfigError(fmt::format("{} reads {}, which is inside a list or map", what,
                                     schema.FullName(source_id).value_or("")));
    }
  }
  return Status::Ok();
}

}  // namespace

Status CheckPartitionFields(const std::vector<PartitionField>& fields, const Schema& schema) {
  std::set<std::string> names;
  std::set<std::pair<FieldId, std::string>> kinds;
  for (const PartitionField& field : fields) {
    const std::string what = "the partition field " + Quote(field.name);
    CALVE_RETURN_IF_ERROR(CheckSource(field.source_id, field.transform, schema, what));
    if (field.name.empty())
      return ConfigError("expected every partition field to have a name, found \"\"");
    if (!names.insert(field.name).second) {
      return ConfigError(fmt::format("{} is there twice; give one of them another name", what));
    }
    const Field* same_name = schema.FindByName(field.name);
    const bool of_column = same_name != nullptr && schema.FullName(same_name->id) == field.name;
    const bool own =
        of_column && same_name->id == field.source_id &&
        (field.transform.kind() == Transform::Kind::kIdentity || IsVoid(field.transform));
    if (of_column && !own && !IsVoid(field.transform)) {
      return ConfigError(
          fmt::format("{} has the name of a column of the table; give it another name", what));
    }
    if (IsVoid(field.transform)) continue;
    if (!kinds.emplace(field.source_id, KindOf(field.transform)).second) {
      return ConfigError(
          fmt::format("{} repeats what another partition field says of the column {}", what,
                      Quote(schema.FullName(field.source_id).value_or(""))));
    }
  }
  return Status::Ok();
}

Status CheckPartitionSources(const std::vector<PartitionField>& fields, const Schema& schema) {
  for (const PartitionField& field : fields) {
    if (field.transform.kind() == Transform::Kind::kUnknown) continue;
    CALVE_RETURN_IF_ERROR(CheckSource(field.source_id, field.transform, schema,
                                      "the partition field " + Quote(field.name)));
  }
  return Status::Ok();
}

Status CheckSortFields(const std::vector<SortField>& fields, const Schema& schema) {
  for (const SortField& field : fields) {
    CALVE_RETURN_IF_ERROR(CheckSource(
        field.source_id, field.transform, schema,
        fmt::format("the sort field on {}",
                    schema.FullName(field.source_id).value_or("a column that is gone"))));
  }
  return Status::Ok();
}

}  // namespace calve::iceberg
