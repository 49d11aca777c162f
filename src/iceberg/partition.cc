#include "iceberg/partition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace calve::iceberg {
namespace {

/// The type of a field's values when its source column is gone.
Type TypeWithoutSource(const Transform& transform) {
  switch (transform.kind()) {
    case Transform::Kind::kBucket:
    case Transform::Kind::kYear:
    case Transform::Kind::kMonth:
    case Transform::Kind::kHour:
      return Type::Int();
    case Transform::Kind::kDay:
      return Type::Date();
    case Transform::Kind::kUnknown:
      return Type::String();
    case Transform::Kind::kIdentity:
    case Transform::Kind::kTruncate:
    case Transform::Kind::kVoid:
      break;
  }
  return {};
}

Type ValueType(const PartitionField& field, const Schema& schema) {
  const Field* source = schema.FindById(field.source_id);
  if (source == nullptr) return TypeWithoutSource(field.transform);
  Result<Type> type = field.transform.ResultType(source->type);
  return type.ok() ? std::move(type).value() : TypeWithoutSource(field.transform);
}

/// Escape as Java's URLEncoder does, which Iceberg's writers use in paths.
std::string UrlEncode(std::string_view text) {
  constexpr std::string_view kKept =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*_";
  std::string encoded;
  for (const char c : text) {
    if (kKept.find(c) != std::string_view::npos) {
      encoded += c;
    } else if (c == ' ') {
      encoded += '+';
    } else {
      encoded += fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
  }
  return encoded;
}

}  // namespace

bool PartitionSpec::is_unpartitioned() const {
  return std::all_of(fields.begin(), fields.end(), [](const PartitionField& field) {
    return field.transform.kind() == Transform::Kind::kVoid;
  });
}

Type PartitionSpec::PartitionType(const Schema& schema) const {
  std::vector<Field> values;
  for (const PartitionField& field : fields) {
    values.push_back({.id = field.field_id, .name = field.name, .type = ValueType(field, schema)});
  }
  return Type::Struct(std::move(values));
}

std::string PartitionPath(const PartitionSpec& spec, const Schema& schema,
                          const PartitionValues& values) {
  std::string path;
  for (size_t i = 0; i < spec.fields.size() && i < values.size(); ++i) {
    const PartitionField& field = spec.fields[i];
    const Field* source = schema.FindById(field.source_id);
    const Type type = source != nullptr ? source->type : TypeWithoutSource(field.transform);
    if (!path.empty()) path += '/';
    path += UrlEncode(field.name) + "=" + UrlEncode(field.transform.ToText(type, values[i]));
  }
  return path;
}

}  // namespace calve::iceberg
