#include "commit/schema_merge.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace calve::commit {
namespace {

using iceberg::Field;
using iceberg::Schema;
using iceberg::Type;
using iceberg::TypeKind;

const Field* FindIn(const std::vector<Field>& fields, iceberg::FieldId id) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.id == id; });
  return found == fields.end() ? nullptr : &*found;
}

Type WithFields(const Type& type, std::vector<Field> fields) {
  switch (type.kind()) {
    case TypeKind::kList:
      return Type::List(fields[0].id, fields[0].type, fields[0].required);
    case TypeKind::kMap:
      return Type::Map(fields[0].id, fields[0].type, fields[1].id, fields[1].type,
                       fields[1].required);
    default:
      return Type::Struct(std::move(fields));
  }
}

Result<std::vector<Field>> MergeFields(const std::vector<Field>& current,
                                       const std::vector<Field>& staged, const Schema& ancestor);

Result<Type> MergeTypes(const Field& current, const Field& staged, const Schema& ancestor) {
  if (current.type.is_nested() && current.type.kind() == staged.type.kind()) {
    CALVE_ASSIGN_OR_RETURN(auto fields,
                           MergeFields(current.type.fields(), staged.type.fields(), ancestor));
    return WithFields(current.type, std::move(fields));
  }
  if (staged.type == current.type) return current.type;
  const Field* before = ancestor.FindById(staged.id);
  if (before != nullptr && before->type == staged.type)
    return current.type;  // Only the other writer changed it.
  if (before != nullptr && before->type == current.type) return staged.type;  // Only we did.
  return ConflictError("column " + current.name + " became " + current.type.ToString() +
                       " by another writer while this load made it " + staged.type.ToString() +
                       "; run the load again");
}

Result<std::vector<Field>> MergeFields(const std::vector<Field>& current,
                                       const std::vector<Field>& staged, const Schema& ancestor) {
  std::vector<Field> merged = current;
  for (Field& field : merged) {
    const Field* ours = FindIn(staged, field.id);
    if (ours == nullptr) continue;
    CALVE_ASSIGN_OR_RETURN(field.type, MergeTypes(field, *ours, ancestor));
    const Field* before = ancestor.FindById(field.id);
    const bool we_relaxed = before != nullptr && before->required && !ours->required;
    if (we_relaxed) field.required = false;
  }
  for (const Field& ours : staged) {
    if (FindIn(current, ours.id) != nullptr || ancestor.FindById(ours.id) != nullptr) continue;
    const bool taken = std::any_of(merged.begin(), merged.end(),
                                   [&](const Field& f) { return f.name == ours.name; });
    if (taken) {
      return ConflictError("another writer has added a column " + ours.name +
                           " while this load was staged; run the load again");
    }
    merged.push_back(ours);
  }
  return merged;
}

}  // namespace

Result<iceberg::TableChange> MergeSchema(const iceberg::TableMetadata& base, const Schema& staged,
                                         const Schema& ancestor) {
  const Schema& current = *base.schema();
  iceberg::TableChange change;
  CALVE_ASSIGN_OR_RETURN(std::vector<Field> fields,
                         MergeFields(current.fields(), staged.fields(), ancestor));
  if (fields == current.fields()) return change;
  const auto lift = [&](const iceberg::SchemaPtr& schema) { return schema->fields() == fields; };
  const auto known = std::find_if(base.schemas.begin(), base.schemas.end(), lift);
  change.requirements.push_back(iceberg::AssertCurrentSchemaId(current.id()));
  if (known != base.schemas.end()) {
    change.updates.push_back(iceberg::SetCurrentSchema((*known)->id()));
    return change;
  }
  iceberg::SchemaId next(0);
  for (const iceberg::SchemaPtr& schema : base.schemas)
    next = std::max(next, schema->id() + iceberg::SchemaId(1));
  CALVE_ASSIGN_OR_RETURN(iceberg::SchemaPtr merged,
                         Schema::Make(next, std::move(fields), current.identifier_field_ids()));
  change.updates.push_back(iceberg::AddSchema(std::move(merged)));
  change.updates.push_back(iceberg::SetCurrentSchema(iceberg::SchemaId(-1)));
  return change;
}

}  // namespace calve::commit
