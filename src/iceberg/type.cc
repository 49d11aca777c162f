#include "iceberg/type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <limits>
#include <utility>

#include "base/text.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kDefaultCrs = "OGC:CRS84";
constexpr std::string_view kDefaultAlgorithm = "spherical";
constexpr std::array<std::string_view, 5> kAlgorithms = {"spherical", "vincenty", "thomas",
                                                         "andoyer", "karney"};
constexpr int kDecimalPrecisionMax = 38;

struct NamedKind {
  std::string_view name;
  TypeKind kind;
};

/// Types whose name says everything.
constexpr std::array<NamedKind, 18> kPlainTypes = {{
    {"boolean", TypeKind::kBoolean},
    {"int", TypeKind::kInt},
    {"long", TypeKind::kLong},
    {"float", TypeKind::kFloat},
    {"double", TypeKind::kDouble},
    {"date", TypeKind::kDate},
    {"time", TypeKind::kTime},
    {"timestamp", TypeKind::kTimestamp},
    {"timestamptz", TypeKind::kTimestampTz},
    {"timestamp_ns", TypeKind::kTimestampNs},
    {"timestamptz_ns", TypeKind::kTimestampTzNs},
    {"string", TypeKind::kString},
    {"uuid", TypeKind::kUuid},
    {"binary", TypeKind::kBinary},
    {"unknown", TypeKind::kUnknown},
    {"variant", TypeKind::kVariant},
    {"geometry", TypeKind::kGeometry},
    {"geography", TypeKind::kGeography},
}};

std::string_view PlainName(TypeKind kind) {
  for (const NamedKind& plain : kPlainTypes) {
    if (plain.kind == kind) return plain.name;
  }
  return "unknown";
}

std::string StructText(const std::vector<Field>& fields) {
  std::string text = "struct<";
  for (const Field& field : fields) {
    if (text.size() > 7) text += ", ";
    text += field.name + ": " + field.type.ToString();
    if (field.required) text += " required";
  }
  return text + ">";
}

Error NotAType(std::string_view text) {
  std::vector<std::string> known = {"decimal(9, 2)", "fixed[16]"};
  for (const NamedKind& plain : kPlainTypes) known.emplace_back(plain.name);
  return DataError(fmt::format("expected the name of an Iceberg type, found {}{}", Quote(text),
                               DidYouMean(text, known)));
}

/// The inside of `name<open>...<close>`, trimmed, or nothing when the text has another shape.
std::optional<std::string_view> Inside(std::string_view text, std::string_view name, char open,
                                       char close) {
  if (!text.starts_with(name) || text.empty() || text.back() != close) return std::nullopt;
  std::string_view rest = Trim(text.substr(name.size()));
  if (rest.size() < 2 || rest.front() != open) return std::nullopt;
  return Trim(rest.substr(1, rest.size() - 2));
}

std::optional<int64_t> Number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || text[0] == '-') {
    return std::nullopt;
  }
  return number;
}

Result<Type> ParseDecimalType(std::string_view text, std::string_view inside) {
  const size_t comma = inside.find(',');
  if (comma == std::string_view::npos) return NotAType(text);
  const auto precision = Number(Trim(inside.substr(0, comma)));
  const auto scale = Number(Trim(inside.substr(comma + 1)));
  if (!precision || !scale) return NotAType(text);
  if (*precision < 1 || *precision > kDecimalPrecisionMax || *scale > *precision) {
    return DataError(
        fmt::format("expected a decimal with a precision from 1 to 38 and a scale from 0 to the "
                    "precision, found {}",
                    Quote(text)));
  }
  return Type::Decimal(static_cast<int>(*precision), static_cast<int>(*scale));
}

Result<Type> ParseFixedType(std::string_view text, std::string_view inside) {
  const auto length = Number(inside);
  if (!length || *length < 1 || *length > std::numeric_limits<int32_t>::max()) {
    return DataError(fmt::format(
        "expected fixed[L] with a length in bytes from 1 to 2147483647, found {}", Quote(text)));
  }
  return Type::Fixed(*length);
}

Result<Type> ParseGeographyType(std::string_view text, std::string_view inside) {
  const size_t comma = inside.find(',');
  const std::string_view crs = Trim(inside.substr(0, comma));
  std::string algorithm;
  if (comma != std::string_view::npos) algorithm = ToLower(Trim(inside.substr(comma + 1)));
  if (crs.empty()) return NotAType(text);
  if (!algorithm.empty() &&
      std::find(kAlgorithms.begin(), kAlgorithms.end(), algorithm) == kAlgorithms.end()) {
    const std::vector<std::string> known(kAlgorithms.begin(), kAlgorithms.end());
    return DataError(fmt::format("expected an edge interpolation of {}, found {} in {}",
                                 Join(known, ", "), Quote(algorithm), Quote(text)));
  }
  return Type::Geography(std::string(crs), std::move(algorithm));
}

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ToLower(a) == ToLower(b);
}

}  // namespace

Type Type::Of(TypeKind kind) {
  assert(kind < TypeKind::kStruct && kind != TypeKind::kDecimal && kind != TypeKind::kFixed);
  if (kind == TypeKind::kGeometry) return Geometry("");
  if (kind == TypeKind::kGeography) return Geography("", "");
  Type type;
  type.kind_ = kind;
  return type;
}

Type Type::Decimal(int precision, int scale) {
  assert(precision >= 1 && precision <= kDecimalPrecisionMax && scale >= 0 && scale <= precision);
  Type type;
  type.kind_ = TypeKind::kDecimal;
  type.precision_ = precision;
  type.scale_ = scale;
  return type;
}

Type Type::Fixed(int64_t length) {
  Type type;
  type.kind_ = TypeKind::kFixed;
  type.length_ = length;
  return type;
}

Type Type::Geometry(std::string crs) {
  Type type;
  type.kind_ = TypeKind::kGeometry;
  type.crs_ = crs.empty() ? std::string(kDefaultCrs) : std::move(crs);
  return type;
}

Type Type::Geography(std::string crs, std::string algorithm) {
  Type type = Geometry(std::move(crs));
  type.kind_ = TypeKind::kGeography;
  type.algorithm_ = algorithm.empty() ? std::string(kDefaultAlgorithm) : std::move(algorithm);
  return type;
}

Type Type::Struct(std::vector<Field> fields) {
  Type type;
  type.kind_ = TypeKind::kStruct;
  type.fields_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

Type Type::List(FieldId element_id, Type element, bool element_required) {
  Type type = Struct({{.id = element_id,
                       .name = "element",
                       .type = std::move(element),
                       .required = element_required}});
  type.kind_ = TypeKind::kList;
  return type;
}

Type Type::Map(FieldId key_id, Type key, FieldId value_id, Type value, bool value_required) {
  Type type = Struct(
      {{.id = key_id, .name = "key", .type = std::move(key), .required = true},
       {.id = value_id, .name = "value", .type = std::move(value), .required = value_required}});
  type.kind_ = TypeKind::kMap;
  return type;
}

const std::vector<Field>& Type::fields() const {
  static const std::vector<Field> kNone;
  return fields_ == nullptr ? kNone : *fields_;
}

std::string Type::ToString() const {
  switch (kind_) {
    case TypeKind::kDecimal:
      return fmt::format("decimal({}, {})", precision_, scale_);
    case TypeKind::kFixed:
      return fmt::format("fixed[{}]", length_);
    case TypeKind::kGeometry:
      return fmt::format("geometry({})", crs_);
    case TypeKind::kGeography:
      return fmt::format("geography({}, {})", crs_, algorithm_);
    case TypeKind::kStruct:
      return StructText(fields());
    case TypeKind::kList:
      return fmt::format("list<{}>", fields()[0].type.ToString());
    case TypeKind::kMap:
      return fmt::format("map<{}, {}>", fields()[0].type.ToString(), fields()[1].type.ToString());
    case TypeKind::kBoolean:
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
    case TypeKind::kString:
    case TypeKind::kUuid:
    case TypeKind::kBinary:
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
      break;
  }
  return std::string(PlainName(kind_));
}

Result<Type> Type::Parse(std::string_view text) {
  const std::string_view trimmed = Trim(text);
  const std::string lower = ToLower(trimmed);
  for (const NamedKind& plain : kPlainTypes) {
    if (lower == plain.name) return Of(plain.kind);
  }
  if (const auto inside = Inside(lower, "decimal", '(', ')'))
    return ParseDecimalType(text, *inside);
  if (const auto inside = Inside(lower, "fixed", '[', ']')) return ParseFixedType(text, *inside);
  // A coordinate system's name keeps its case.
  if (const auto inside = Inside(lower, "geometry", '(', ')'); inside && !inside->empty()) {
    const size_t offset = static_cast<size_t>(inside->data() - lower.data());
    return Geometry(std::string(trimmed.substr(offset, inside->size())));
  }
  if (const auto inside = Inside(lower, "geography", '(', ')')) {
    const size_t offset = static_cast<size_t>(inside->data() - lower.data());
    return ParseGeographyType(text, trimmed.substr(offset, inside->size()));
  }
  return NotAType(text);
}

bool Type::operator==(const Type& other) const {
  if (kind_ != other.kind_ || precision_ != other.precision_ || scale_ != other.scale_ ||
      length_ != other.length_ || algorithm_ != other.algorithm_) {
    return false;
  }
  if (!SameIgnoringCase(crs_, other.crs_)) return false;
  return fields_ == other.fields_ || fields() == other.fields();
}

bool IsPromotion(const Type& from, const Type& to, int format_version) {
  switch (from.kind()) {
    case TypeKind::kInt:
      return to.kind() == TypeKind::kLong;
    case TypeKind::kFloat:
      return to.kind() == TypeKind::kDouble;
    case TypeKind::kDecimal:
      return to.kind() == TypeKind::kDecimal && to.scale() == from.scale() &&
             to.precision() > from.precision();
    case TypeKind::kDate:
      return format_version >= 3 &&
             (to.kind() == TypeKind::kTimestamp || to.kind() == TypeKind::kTimestampNs);
    case TypeKind::kUnknown:
      return format_version >= 3 && to.kind() != TypeKind::kUnknown;
    default:
      return false;
  }
}

}  // namespace calve::iceberg
