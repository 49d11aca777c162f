#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "iceberg/change.h"
#include "iceberg/schema_edit.h"
#include "iceberg/schema_update_state.h"
#include "iceberg/update.h"

namespace calve::iceberg {
SchemaUpdate::SchemaUpdate(const TableMetadata& base) : state_(std::make_unique<State>(base)) {}
SchemaUpdate::~SchemaUpdate() = default;
SchemaUpdate::SchemaUpdate(SchemaUpdate&&) noexcept = default;

Status SchemaUpdate::AddColumn(std::string_view parent, Field field) {
  CALVE_ASSIGN_OR_RETURN(const std::optional<FieldId> owner, state_->FindParent(parent));
  return state_->Add(owner, parent, {std::move(field)});
}

Status SchemaUpdate::DropColumn(std::string_view full_name) {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, state_->FindInStruct(full_name));
  CALVE_RETURN_IF_ERROR(state_->CheckUnused(id, full_name));
  std::vector<Field> next = state_->fields;
  bool last = false;
  EditSiblings(next, id, [&](std::vector<Field>& siblings) {
    last = siblings.size() == 1;
    std::erase_if(siblings, [&](const Field& field) { return field.id == id; });
  });
  if (last)
    return Misfit(full_name,
                  "is the last one of its struct; drop the struct or add another column first");
  return state_->Take(std::move(next));
}

Status SchemaUpdate::RenameColumn(std::string_view full_name, std::string_view new_name) {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, state_->FindInStruct(full_name));
  if (new_name.empty()) return Misfit(full_name, "needs a name that is not empty");
  bool taken = false;
  std::vector<Field> next = state_->fields;
  EditSiblings(next, id, [&](std::vector<Field>& siblings) {
    for (Field& field : siblings) {
      if (field.id == id)
        field.name = std::string(new_name);
      else
        taken = taken || field.name == new_name;
    }
  });
  if (taken)
    return Misfit(full_name,
                  fmt::format("cannot become {}, which exists already", Quote(new_name)));
  return state_->Take(std::move(next));
}

Status SchemaUpdate::ChangeType(std::string_view full_name, const Type& type) {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, state_->Find(full_name));
  const Field& field = *FindField(state_->fields, id);
  if (field.type == type) return Status::Ok();
  if (!IsPromotion(field.type, type, state_->base.format_version)) {
    return Misfit(full_name,
                  fmt::format("has type {} and cannot become {}; allowed are int to long, float to "
                              "double, a wider decimal of the same scale, and in format version 3 "
                              "date to timestamp",
                              field.type.ToString(), type.ToString()));
  }
  CALVE_RETURN_IF_ERROR(state_->CheckNotMapKey(id, full_name));
  CALVE_RETURN_IF_ERROR(state_->CheckPartitions(id, full_name, type));
  return state_->Promote(id, type);
}

Status SchemaUpdate::MakeOptional(std::string_view full_name) {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, state_->Find(full_name));
  CALVE_RETURN_IF_ERROR(state_->CheckNotMapKey(id, full_name));
  return state_->Edit(id, [](Field& field) { field.required = false; });
}

Status SchemaUpdate::MakeRequired(std::string_view full_name) {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, state_->Find(full_name));
  return state_->Edit(id, [](Field& field) { field.required = true; });
}

Status SchemaUpdate::SetDoc(std::string_view full_name, std::string doc) {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, state_->FindInStruct(full_name));
  return state_->Edit(id, [&](Field& field) { field.doc = std::move(doc); });
}

Status SchemaUpdate::SetWriteDefault(std::string_view full_name, Value value) {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, state_->FindInStruct(full_name));
  Field wanted = *FindField(state_->fields, id);
  wanted.write_default = std::move(value);
  CALVE_RETURN_IF_ERROR(state_->CheckDefaults(wanted));
  return state_->Edit(id, [&](Field& field) { field.write_default = wanted.write_default; });
}

Status SchemaUpdate::MoveFirst(std::string_view full_name) {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, state_->FindInStruct(full_name));
  std::vector<Field> next = state_->fields;
  EditSiblings(next, id, [&](std::vector<Field>& siblings) {
    const auto own =
        std::find_if(siblings.begin(), siblings.end(), [&](const Field& f) { return f.id == id; });
    std::rotate(siblings.begin(), own, own + 1);
  });
  return state_->Take(std::move(next));
}

Status SchemaUpdate::MoveAfter(std::string_view full_name, std::string_view other) {
  return state_->MoveBeside(full_name, other, 1);
}

Status SchemaUpdate::MoveBefore(std::string_view full_name, std::string_view other) {
  return state_->MoveBeside(full_name, other, 0);
}

Status SchemaUpdate::SetIdentifierFields(const std::vector<std::string>& full_names) {
  std::vector<FieldId> ids;
  for (const std::string& name : full_names) {
    CALVE_ASSIGN_OR_RETURN(const FieldId id, state_->Find(name));
    ids.push_back(id);
  }
  std::swap(ids, state_->identifiers);
  Status taken = state_->Take(state_->fields);
  if (!taken.ok()) std::swap(ids, state_->identifiers);
  return taken;
}

Status SchemaUpdate::UnionByName(const std::vector<Field>& wanted) {
  const std::vector<Field> before = state_->fields;
  const Status united = state_->Union(std::nullopt, "", wanted);
  if (united.ok()) return united;
  state_->fields = before;
  return DataError(united.error().message);
}

Result<SchemaPtr> SchemaUpdate::Preview() const {
  CALVE_ASSIGN_OR_RETURN(const SchemaPtr schema, state_->Make(SchemaId(0)));
  SchemaId next{0};
  for (const SchemaPtr& other : state_->base.schemas) {
    if (other->SameColumns(*schema)) return other;
    next = std::max(next, SchemaId(other->id().value() + 1));
  }
  return state_->Make(next);
}

Result<TableChange> SchemaUpdate::Build(bool make_current) const {
  CALVE_ASSIGN_OR_RETURN(const SchemaPtr schema, Preview());
  const TableMetadata& base = state_->base;
  if (base.schema()->SameColumns(*schema)) return TableChange{};
  const bool known = base.FindSchema(schema->id()) != nullptr;
  if (known && !make_current) return TableChange{};
  TableChange change = ChangeOf(base);
  if (!known) {
    change.requirements.push_back(AssertLastAssignedFieldId(base.last_column_id));
    change.updates.push_back(AddSchema(schema));
  }
  if (make_current) {
    change.requirements.push_back(AssertCurrentSchemaId(base.current_schema_id));
    change.updates.push_back(SetCurrentSchema(known ? schema->id() : SchemaId(-1)));
  }
  return change;
}

}  // namespace calve::iceberg
