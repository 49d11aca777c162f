#include "iceberg/schema_update_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "iceberg/metadata_rules.h"
#include "iceberg/schema_edit.h"

namespace calve::iceberg {
namespace {

/// Whether the values that a transform gives for dates differ from those for the timestamps they
/// become.
bool MovesPartitions(const Transform& transform) {
  const Transform::Kind kind = transform.kind();
  return kind == Transform::Kind::kIdentity || kind == Transform::Kind::kBucket ||
         kind == Transform::Kind::kUnknown;
}

Error AsConfig(Error error) {
  error.kind = ErrorKind::kConfig;
  return error;
}

size_t IndexOf(const std::vector<Field>& fields, FieldId id) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.id == id; });
  return static_cast<size_t>(found - fields.begin());
}

}  // namespace

Error Misfit(std::string_view column, std::string_view why) {
  return ConfigError(fmt::format("the column {} {}", Quote(column), why));
}

Result<FieldId> SchemaUpdate::State::Find(std::string_view full_name) const {
  const Field* field = base_schema->FindByName(full_name);
  if (field != nullptr && FindField(fields, field->id) != nullptr) return field->id;
  const auto found = added.find(std::string(full_name));
  if (found != added.end() && FindField(fields, found->second) != nullptr) return found->second;
  std::vector<std::string> known = base_schema->full_names();
  for (const auto& [name, id] : added) known.push_back(name);
  return ConfigError(
      fmt::format("the table has no column {}{}", Quote(full_name), DidYouMean(full_name, known)));
}

Result<FieldId> SchemaUpdate::State::FindInStruct(std::string_view full_name) const {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, Find(full_name));
  const std::vector<FieldId> path = Path(id);
  const Field* parent = path.size() < 2 ? nullptr : FindField(fields, path[path.size() - 2]);
  if (parent != nullptr && parent->type.kind() != TypeKind::kStruct) {
    return Misfit(full_name,
                  "is the element, key or value of a list or map, which can only change its type");
  }
  return id;
}

Result<std::optional<FieldId>> SchemaUpdate::State::FindParent(std::string_view parent) const {
  if (parent.empty()) return std::optional<FieldId>();
  CALVE_ASSIGN_OR_RETURN(FieldId id, Find(parent));
  const Field* field = FindField(fields, id);
  if (field->type.kind() == TypeKind::kList) field = &field->type.fields()[0];
  if (field->type.kind() == TypeKind::kMap) field = &field->type.fields()[1];
  if (field->type.kind() != TypeKind::kStruct) {
    return Misfit(parent,
                  fmt::format("has type {} and cannot hold columns", field->type.ToString()));
  }
  CALVE_RETURN_IF_ERROR(CheckNotMapKey(field->id, parent));
  return std::optional(field->id);
}

std::vector<FieldId> SchemaUpdate::State::Path(FieldId id) const {
  std::vector<FieldId> path;
  const std::function<bool(const std::vector<Field>&)> walk = [&](const std::vector<Field>& level) {
    for (const Field& field : level) {
      path.push_back(field.id);
      if (field.id == id || walk(field.type.fields())) return true;
      path.pop_back();
    }
    return false;
  };
  walk(fields);
  return path;
}

Result<SchemaPtr> SchemaUpdate::State::Make(SchemaId id) const {
  Result<SchemaPtr> schema = Schema::Make(id, fields, identifiers);
  if (!schema.ok()) return AsConfig(std::move(schema).error());
  const Status valid = CheckSchemaVersion(**schema, base.format_version);
  if (!valid.ok()) return AsConfig(valid.error());
  return schema;
}

Status SchemaUpdate::State::Take(std::vector<Field> next) {
  std::swap(fields, next);
  const Result<SchemaPtr> made = Make(SchemaId(0));
  if (!made.ok()) std::swap(fields, next);
  return made.status();
}

Status SchemaUpdate::State::Edit(FieldId id, const std::function<void(Field&)>& edit) {
  std::vector<Field> next = fields;
  EditField(next, id, edit);
  return Take(std::move(next));
}

Status SchemaUpdate::State::CheckNew(Field& field, const std::string& full_name) const {
  if (field.name.empty()) return ConfigError("expected a new column to have a name, found \"\"");
  if (field.initial_default && !field.write_default) field.write_default = field.initial_default;
  CALVE_RETURN_IF_ERROR(CheckDefaults(field));
  const bool has_default = field.initial_default && !field.initial_default->is_null();
  if (!field.required || has_default || base.snapshots.empty()) return Status::Ok();
  return Misfit(full_name,
                "cannot be required, since the rows that the table has hold nothing for it; make "
                "it optional, or "
                "in format version 3 give it a default");
}

Status SchemaUpdate::State::Add(std::optional<FieldId> parent, std::string_view parent_name,
                                std::vector<Field> columns) {
  const auto full_name = [&](const Field& field) {
    return parent_name.empty() ? field.name : fmt::format("{}.{}", parent_name, field.name);
  };
  std::set<std::string> taken;
  for (const Field& other : Level(parent)) taken.insert(other.name);
  for (Field& field : columns) {
    if (!taken.insert(field.name).second) return Misfit(full_name(field), "exists already");
    CALVE_RETURN_IF_ERROR(CheckNew(field, full_name(field)));
  }
  const auto [fresh, last] = AssignFreshIds(columns, last_id);
  std::vector<Field> next = fields;
  if (parent) {
    EditField(next, *parent, [&](Field& owner) {
      std::vector<Field> inner = owner.type.fields();
      inner.insert(inner.end(), fresh.begin(), fresh.end());
      owner.type = WithFields(owner.type, std::move(inner));
    });
  } else {
    next.insert(next.end(), fresh.begin(), fresh.end());
  }
  CALVE_RETURN_IF_ERROR(Take(std::move(next)));
  last_id = last;
  for (const Field& field : fresh) added[full_name(field)] = field.id;
  return Status::Ok();
}

const std::vector<Field>& SchemaUpdate::State::Level(std::optional<FieldId> parent) const {
  return parent ? FindField(fields, *parent)->type.fields() : fields;
}

Status SchemaUpdate::State::Promote(FieldId id, const Type& type) {
  Field wanted = *FindField(fields, id);
  for (std::optional<Value>* value : {&wanted.initial_default, &wanted.write_default}) {
    if (!*value) continue;
    CALVE_ASSIGN_OR_RETURN(**value, PromoteValue(wanted.type, type, **value));
  }
  // Only unknown becomes a nested type, whose ids are the caller's: give it fresh ones.
  wanted.type = type;
  auto [fresh, last] = AssignFreshIds(type.fields(), last_id);
  if (type.is_nested()) wanted.type = WithFields(type, std::move(fresh));
  CALVE_RETURN_IF_ERROR(Edit(id, [&](Field& field) { field = wanted; }));
  last_id = last;
  return Status::Ok();
}

Status SchemaUpdate::State::MoveBeside(std::string_view full_name, std::string_view other,
                                       size_t after) {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, FindInStruct(full_name));
  CALVE_ASSIGN_OR_RETURN(const FieldId other_id, FindInStruct(other));
  if (id == other_id) return Misfit(full_name, "cannot be moved beside itself");
  std::vector<Field> next = fields;
  bool together = false;
  EditSiblings(next, id, [&](std::vector<Field>& siblings) {
    together = IndexOf(siblings, other_id) < siblings.size();
    if (!together) return;
    Field field = siblings[IndexOf(siblings, id)];
    siblings.erase(siblings.begin() + static_cast<ptrdiff_t>(IndexOf(siblings, id)));
    const size_t place = IndexOf(siblings, other_id) + after;
    siblings.insert(siblings.begin() + static_cast<ptrdiff_t>(place), std::move(field));
  });
  if (!together)
    return Misfit(full_name, fmt::format("is not in the same struct as {}", Quote(other)));
  return Take(std::move(next));
}

Status SchemaUpdate::State::CheckNotMapKey(FieldId id, std::string_view full_name) const {
  const std::vector<FieldId> path = Path(id);
  for (size_t i = 1; i < path.size(); ++i) {
    const Field* parent = FindField(fields, path[i - 1]);
    if (parent->type.kind() == TypeKind::kMap && parent->type.fields()[0].id == path[i]) {
      return Misfit(full_name, "is or is inside the key of a map, which never changes");
    }
  }
  return Status::Ok();
}

Status SchemaUpdate::State::CheckPartitions(FieldId id, std::string_view full_name,
                                            const Type& type) const {
  const TypeKind kind = FindField(fields, id)->type.kind();
  if (kind != TypeKind::kDate) return Status::Ok();
  for (const PartitionSpec& spec : base.specs) {
    for (const PartitionField& field : spec.fields) {
      if (field.source_id != id || !MovesPartitions(field.transform)) continue;
      return Misfit(
          full_name,
          fmt::format("is the source of the partition field {}, whose values would change with "
                      "the type {}",
                      Quote(field.name), type.ToString()));
    }
  }
  return Status::Ok();
}

Status SchemaUpdate::State::CheckUnused(FieldId id, std::string_view full_name) const {
  CALVE_RETURN_IF_ERROR(CheckNotMapKey(id, full_name));
  const auto inside = [&](FieldId other) {
    const std::vector<FieldId> path = Path(other);
    return std::find(path.begin(), path.end(), id) != path.end();
  };
  for (const FieldId identifier : identifiers) {
    if (inside(identifier))
      return Misfit(full_name, "is an identifier field; change the identifier fields first");
  }
  for (const PartitionField& field : base.spec().fields) {
    if (field.transform.kind() == Transform::Kind::kVoid) continue;
    const auto& more = field.more_source_ids;
    if (!inside(field.source_id) && std::none_of(more.begin(), more.end(), inside)) continue;
    return Misfit(
        full_name,
        fmt::format("is the source of the partition field {}; change the partitioning first",
                    Quote(field.name)));
  }
  for (const SortField& field : base.sort_order().fields) {
    if (inside(field.source_id))
      return Misfit(full_name, "is part of the sort order; change the sort order first");
  }
  return Status::Ok();
}

Status SchemaUpdate::State::CheckDefaults(const Field& field) const {
  for (const std::optional<Value>* value : {&field.initial_default, &field.write_default}) {
    if (!*value || (*value)->is_null()) continue;
    if (base.format_version < 3) {
      return Misfit(
          field.name,
          fmt::format("cannot have a default before format version 3; the table has version {}",
                      base.format_version));
    }
    if (!HoldsValueOf(field.type, **value)) {
      return Misfit(field.name,
                    fmt::format("has type {}, and its default another one", field.type.ToString()));
    }
    if (!HasJsonForm(field.type, **value)) {
      return Misfit(field.name,
                    fmt::format("cannot have the default {}, which metadata cannot hold",
                                ToText(field.type, **value)));
    }
  }
  return Status::Ok();
}

Status SchemaUpdate::State::Union(std::optional<FieldId> parent, const std::string& parent_name,
                                  const std::vector<Field>& wanted) {
  std::map<std::string, Field> existing;
  for (const Field& field : Level(parent)) existing.try_emplace(field.name, field);
  std::vector<Field> missing;
  for (const Field& field : wanted) {
    const auto found = existing.find(field.name);
    if (found == existing.end()) {
      missing.push_back(field);
      missing.back().required = false;
      continue;
    }
    const std::string full_name = parent_name.empty() ? field.name : parent_name + "." + field.name;
    CALVE_RETURN_IF_ERROR(UnionField(found->second, full_name, field));
  }
  if (missing.empty()) return Status::Ok();
  if (parent) CALVE_RETURN_IF_ERROR(CheckNotMapKey(*parent, parent_name));
  return Add(parent, parent_name, std::move(missing));
}

Status SchemaUpdate::State::UnionField(const Field& existing, const std::string& full_name,
                                       const Field& wanted) {
  const Type& from = existing.type;
  const Type& to = wanted.type;
  if (from.is_nested() && from.kind() == to.kind())
    return Union(existing.id, full_name, to.fields());
  const bool same = !from.is_nested() && from == to;
  if (same || to.kind() == TypeKind::kUnknown || IsPromotion(to, from, base.format_version))
    return Status::Ok();
  if (IsPromotion(from, to, base.format_version)) {
    CALVE_RETURN_IF_ERROR(CheckNotMapKey(existing.id, full_name));
    CALVE_RETURN_IF_ERROR(CheckPartitions(existing.id, full_name, to));
    return Promote(existing.id, to);
  }
  return Misfit(
      full_name,
      fmt::format("has type {} in the table and {} in the data; neither widens to the other",
                  from.ToString(), to.ToString()));
}

}  // namespace calve::iceberg
