#include "iceberg/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "iceberg/schema_edit.h"

namespace calve::iceberg {
namespace {

constexpr FieldId kNoParent{-1};
constexpr FieldId kAmbiguous{-1};

bool IsNamedByParent(const Type& parent) {
  return parent.kind() == TypeKind::kList || parent.kind() == TypeKind::kMap;
}

std::vector<FieldId> Sorted(std::vector<FieldId> ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

Field WithFreshIds(const Field& field, FieldId id, FieldId& last);

/// Number all fields of one level first, then go into each.
std::vector<Field> FreshLevel(const std::vector<Field>& fields, FieldId& last) {
  std::vector<FieldId> ids;
  for (size_t i = 0; i < fields.size(); ++i) ids.push_back(last += FieldId(1));
  std::vector<Field> fresh;
  for (size_t i = 0; i < fields.size(); ++i) fresh.push_back(WithFreshIds(fields[i], ids[i], last));
  return fresh;
}

Field WithFreshIds(const Field& field, FieldId id, FieldId& last) {
  Field copy = field;
  copy.id = id;
  if (field.type.is_nested())
    copy.type = WithFields(field.type, FreshLevel(field.type.fields(), last));
  return copy;
}

}  // namespace

Result<std::shared_ptr<const Schema>> Schema::Make(SchemaId id, std::vector<Field> fields,
                                                   std::vector<FieldId> identifier_field_ids) {
  std::shared_ptr<Schema> schema(new Schema());
  schema->id_ = id;
  schema->root_ = Type::Struct(std::move(fields));
  schema->identifier_field_ids_ = std::move(identifier_field_ids);
  CALVE_RETURN_IF_ERROR(schema->Index(schema->root_, kNoParent, "", ""));
  for (const FieldId identifier : schema->identifier_field_ids_) {
    CALVE_RETURN_IF_ERROR(schema->CheckIdentifier(identifier));
  }
  return std::shared_ptr<const Schema>(std::move(schema));
}

Status Schema::Index(const Type& parent_type, FieldId parent, const std::string& prefix,
                     const std::string& short_prefix) {
  for (const Field& field : parent_type.fields()) {
    const std::string full_name = prefix + field.name;
    CALVE_RETURN_IF_ERROR(AddToIndex(field, parent, full_name));
    // A struct inside a list or map may be passed over in names: `points.x` for `points.element.x`.
    const bool skipped = IsNamedByParent(parent_type) && field.type.kind() == TypeKind::kStruct;
    const std::string short_name = skipped ? short_prefix : short_prefix + field.name + ".";
    CALVE_RETURN_IF_ERROR(Index(field.type, field.id, full_name + ".", short_name));
    if (short_prefix != prefix) short_names_.try_emplace(short_prefix + field.name, field.id);
  }
  return Status::Ok();
}

Status Schema::AddToIndex(const Field& field, FieldId parent, const std::string& full_name) {
  if (field.id.value() < 0) {
    return DataError(fmt::format("expected a field id of 0 or more for column {}, found {}",
                                 Quote(full_name), field.id.value()));
  }
  const auto [entry, fresh] = by_id_.try_emplace(field.id, Entry{&field, parent, full_name});
  if (!fresh) {
    return DataError(fmt::format("expected every field id once, found {} for both {} and {}",
                                 field.id.value(), Quote(entry->second.full_name),
                                 Quote(full_name)));
  }
  if (!by_name_.try_emplace(full_name, field.id).second) {
    return DataError(
        fmt::format("expected every column name once, found {} twice", Quote(full_name)));
  }
  const auto [lower, fresh_lower] = by_lower_name_.try_emplace(ToLower(full_name), field.id);
  if (!fresh_lower) lower->second = kAmbiguous;
  highest_ = std::max(highest_, field.id);
  full_names_.push_back(full_name);
  if (field.type.kind() == TypeKind::kMap && !field.type.fields()[0].required) {
    return DataError(fmt::format("expected the key of map {} to be required", Quote(full_name)));
  }
  return Status::Ok();
}

Status Schema::CheckIdentifier(FieldId id) const {
  const auto wrong = [&](std::string_view why) {
    return DataError(
        fmt::format("expected identifier fields to be required primitives outside lists and "
                    "maps; {} {}",
                    FullName(id).value_or(fmt::format("the id {}", id.value())), why));
  };
  const Field* field = FindById(id);
  if (field == nullptr) return wrong("is no column");
  if (!field->type.is_primitive()) return wrong("is not a primitive");
  if (field->type.kind() == TypeKind::kFloat || field->type.kind() == TypeKind::kDouble) {
    return wrong("is a floating point number");
  }
  for (const FieldId step : PathTo(id)) {
    const Field* on_path = FindById(step);
    if (!on_path->required)
      return wrong(fmt::format("is optional, or inside {} which is", on_path->name));
    if (IsNamedByParent(on_path->type)) return wrong("is inside a list or map");
  }
  return Status::Ok();
}

const Field* Schema::FindById(FieldId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.field;
}

const Field* Schema::FindByName(std::string_view full_name) const {
  const std::string name(full_name);
  if (const auto found = by_name_.find(name); found != by_name_.end())
    return FindById(found->second);
  if (const auto found = short_names_.find(name); found != short_names_.end()) {
    return FindById(found->second);
  }
  const auto found = by_lower_name_.find(ToLower(name));
  return found == by_lower_name_.end() ? nullptr : FindById(found->second);
}

std::optional<std::string> Schema::FullName(FieldId id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return found->second.full_name;
}

std::vector<FieldId> Schema::PathTo(FieldId id) const {
  std::vector<FieldId> path;
  for (auto found = by_id_.find(id); found != by_id_.end();
       found = by_id_.find(found->second.parent)) {
    path.push_back(found->first);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

bool Schema::SameColumns(const Schema& other) const {
  return root_ == other.root_ &&
         Sorted(identifier_field_ids_) == Sorted(other.identifier_field_ids_);
}

std::pair<std::vector<Field>, FieldId> AssignFreshIds(const std::vector<Field>& fields,
                                                      FieldId last) {
  std::vector<Field> fresh = FreshLevel(fields, last);
  return {std::move(fresh), last};
}

}  // namespace calve::iceberg
