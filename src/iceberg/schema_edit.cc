#include "iceberg/schema_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "iceberg/calendar.h"

namespace calve::iceberg {

Type WithFields(const Type& type, std::vector<Field> fields) {
  switch (type.kind()) {
    case TypeKind::kStruct:
      return Type::Struct(std::move(fields));
    case TypeKind::kList:
      return Type::List(fields[0].id, std::move(fields[0].type), fields[0].required);
    case TypeKind::kMap:
      return Type::Map(fields[0].id, std::move(fields[0].type), fields[1].id,
                       std::move(fields[1].type), fields[1].required);
    default:
      return type;
  }
}

bool EditSiblings(std::vector<Field>& fields, FieldId id,
                  const std::function<void(std::vector<Field>&)>& edit) {
  const auto own = std::find_if(fields.begin(), fields.end(),
                                [&](const Field& field) { return field.id == id; });
  if (own != fields.end()) {
    edit(fields);
    return true;
  }
  for (Field& field : fields) {
    if (!field.type.is_nested()) continue;
    std::vector<Field> inner = field.type.fields();
    if (!EditSiblings(inner, id, edit)) continue;
    field.type = WithFields(field.type, std::move(inner));
    return true;
  }
  return false;
}

bool EditField(std::vector<Field>& fields, FieldId id, const std::function<void(Field&)>& edit) {
  return EditSiblings(fields, id, [&](std::vector<Field>& siblings) {
    for (Field& field : siblings) {
      if (field.id == id) return edit(field);
    }
  });
}

const Field* FindField(const std::vector<Field>& fields, FieldId id) {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
    if (const Field* inner = FindField(field.type.fields(), id)) return inner;
  }
  return nullptr;
}

bool HasJsonForm(const Type& type, const Value& value) {
  if (const auto* x = value.get_if<float>()) return std::isfinite(*x);
  if (const auto* x = value.get_if<double>()) return std::isfinite(*x);
  return type.kind() != TypeKind::kString || IsValidUtf8(value.as<std::string>());
}

Result<Value> PromoteValue(const Type& from, const Type& to, const Value& value) {
  if (value.is_null() || from == to) return value;
  if (from.kind() == TypeKind::kInt && to.kind() == TypeKind::kLong)
    return Value(int64_t{value.as<int32_t>()});
  if (from.kind() == TypeKind::kFloat && to.kind() == TypeKind::kDouble)
    return Value(double{value.as<float>()});
  if (from.kind() != TypeKind::kDate) return value;
  const int64_t per_second =
      to.kind() == TypeKind::kTimestampNs ? kNanosPerSecond : kMicrosPerSecond;
  int64_t ticks = 0;
  if (__builtin_mul_overflow(int64_t{value.as<int32_t>()}, kSecondsPerDay * per_second, &ticks)) {
    return ConfigError(fmt::format("the default {} is out of the range of {}", ToText(from, value),
                                   to.ToString()));
  }
  return Value(ticks);
}

}  // namespace calve::iceberg
