#include "iceberg/metrics.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "iceberg/predicate.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kPrefix = "write.metadata.metrics.";
constexpr int64_t kInferredColumnsMax = 100;

Error BadMode(std::string_view text) {
  return ConfigError(
      fmt::format("expected none, counts, truncate(<length>) or full, found {}", Quote(text)));
}

}  // namespace

Result<MetricsMode> MetricsMode::Parse(std::string_view text) {
  const std::string mode = ToLower(Trim(text));
  if (mode == "none") return MetricsMode{.kind = Kind::kNone};
  if (mode == "counts") return MetricsMode{.kind = Kind::kCounts};
  if (mode == "full") return MetricsMode{.kind = Kind::kFull};
  constexpr std::string_view kOpen = "truncate(";
  if (!mode.starts_with(kOpen) || !mode.ends_with(')')) return BadMode(text);
  const char* begin = mode.data() + kOpen.size();
  const char* end = mode.data() + mode.size() - 1;
  int length = 0;
  const auto [at, fault] = std::from_chars(begin, end, length);
  if (fault != std::errc() || at != end || length < 1) return BadMode(text);
  return MetricsMode{.kind = Kind::kTruncate, .length = length};
}

std::string MetricsMode::ToString() const {
  switch (kind) {
    case Kind::kNone:
      return "none";
    case Kind::kCounts:
      return "counts";
    case Kind::kTruncate:
      return fmt::format("truncate({})", length);
    case Kind::kFull:
      return "full";
  }
  return "";
}

namespace {

/// Ids of columns that have values of their own, level by level: the first ones are those nearest
/// to the top.
std::vector<FieldId> LeavesByLevel(const Schema& schema) {
  std::vector<FieldId> leaves;
  std::vector<const Field*> level;
  for (const Field& field : schema.fields()) level.push_back(&field);
  while (!level.empty()) {
    std::vector<const Field*> next;
    for (const Field* field : level) {
      if (!field->type.is_nested()) leaves.push_back(field->id);
      for (const Field& child : field->type.fields()) next.push_back(&child);
    }
    level = std::move(next);
  }
  return leaves;
}

Result<int64_t> InferredColumns(const std::map<std::string, std::string>& properties) {
  const std::string key = std::string(kPrefix) + "max-inferred-column-defaults";
  const auto found = properties.find(key);
  if (found == properties.end()) return kInferredColumnsMax;
  int64_t count = 0;
  const std::string& text = found->second;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (fault != std::errc() || end != text.data() + text.size() || count < 0) {
    return ConfigError(
        fmt::format("table property {}: expected a number of columns, found {}", key, Quote(text)));
  }
  return count;
}

Result<MetricsMode> ModeOfProperty(const std::string& key, const std::string& text) {
  Result<MetricsMode> mode = MetricsMode::Parse(text);
  if (!mode.ok()) return While("table property " + key, std::move(mode).error());
  return mode;
}

}  // namespace

Result<MetricsConfig> MetricsConfig::Make(const std::map<std::string, std::string>& properties,
                                          const Schema& schema, const SortOrder& order) {
  MetricsConfig config;
  const std::string default_key = std::string(kPrefix) + "default";
  if (const auto found = properties.find(default_key); found != properties.end()) {
    CALVE_ASSIGN_OR_RETURN(config.default_, ModeOfProperty(default_key, found->second));
  } else {
    CALVE_ASSIGN_OR_RETURN(const int64_t columns_max, InferredColumns(properties));
    const std::vector<FieldId> leaves = LeavesByLevel(schema);
    for (size_t i = static_cast<size_t>(columns_max); i < leaves.size(); ++i) {
      config.modes_[leaves[i]] = {.kind = MetricsMode::Kind::kNone};
    }
  }
  for (const SortField& field : order.fields) {
    const MetricsMode::Kind kind = config.ModeOf(field.source_id).kind;
    if (kind == MetricsMode::Kind::kNone || kind == MetricsMode::Kind::kCounts)
      config.modes_[field.source_id] = {};
  }
  const std::string column_prefix = std::string(kPrefix) + "column.";
  for (auto it = properties.lower_bound(column_prefix);
       it != properties.end() && it->first.starts_with(column_prefix); ++it) {
    const Field* field = schema.FindByName(it->first.substr(column_prefix.size()));
    if (field == nullptr)
      continue;  // The column was dropped or renamed since; the property harms nobody.
    CALVE_ASSIGN_OR_RETURN(config.modes_[field->id], ModeOfProperty(it->first, it->second));
  }
  return config;
}

const MetricsMode& MetricsConfig::ModeOf(FieldId id) const {
  const auto found = modes_.find(id);
  return found == modes_.end() ? default_ : found->second;
}

namespace {

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// The bytes of the first `length` code points.
std::string_view FirstCodePoints(std::string_view text, int length) {
  size_t end = 0;
  for (int i = 0; i < length && end < text.size(); ++i) {
    ++end;
    while (end < text.size() && IsContinuation(text[end])) ++end;
  }
  return text.substr(0, end);
}

void AppendUtf8(std::string& out, uint32_t c) {
  const auto byte = [&](uint32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6));
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18));
    byte(0x80 | ((c >> 12) & 0x3F));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

uint32_t DecodeUtf8(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  uint32_t c = bytes.size() == 1 ? first : first & (0x7FU >> bytes.size());
  for (size_t i = 1; i < bytes.size(); ++i)
    c = c << 6 | (static_cast<unsigned char>(bytes[i]) & 0x3F);
  return c;
}

/// The least text of at most as many code points that is above all that begin with `prefix`.
std::optional<std::string> NextText(std::string_view prefix) {
  while (!prefix.empty()) {
    size_t last = prefix.size() - 1;
    while (last > 0 && IsContinuation(prefix[last])) --last;
    uint32_t next = DecodeUtf8(prefix.substr(last)) + 1;
    if (next >= 0xD800 && next <= 0xDFFF) next = 0xE000;
    if (next <= 0x10FFFF) {
      std::string out(prefix.substr(0, last));
      AppendUtf8(out, next);
      return out;
    }
    prefix = prefix.substr(0, last);
  }
  return std::nullopt;
}

std::optional<std::string> NextBytes(std::string_view prefix) {
  while (prefix.ends_with('\xFF')) prefix.remove_suffix(1);
  if (prefix.empty()) return std::nullopt;
  std::string out(prefix);
  out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) + 1);
  return out;
}

bool IsBytes(const Type& type) {
  return type.kind() == TypeKind::kBinary || type.kind() == TypeKind::kFixed;
}

}  // namespace

std::string TruncateLowerBound(const Type& type, std::string_view bound, int length) {
  if (type.kind() == TypeKind::kString) return std::string(FirstCodePoints(bound, length));
  if (IsBytes(type)) return std::string(bound.substr(0, static_cast<size_t>(length)));
  return std::string(bound);
}

std::optional<std::string> TruncateUpperBound(const Type& type, std::string_view bound,
                                              int length) {
  if (type.kind() == TypeKind::kString) {
    const std::string_view prefix = FirstCodePoints(bound, length);
    if (prefix.size() == bound.size()) return std::string(bound);
    if (!IsValidUtf8(prefix)) return std::nullopt;
    return NextText(prefix);
  }
  if (IsBytes(type) && bound.size() > static_cast<size_t>(length)) {
    return NextBytes(bound.substr(0, static_cast<size_t>(length)));
  }
  return std::string(bound);
}

namespace {

/// Readers differ in whether -0.0 is below 0.0: the wider bound holds for all.
Value WidenZero(const Value& value, double zero) {
  if (const float* v = value.get_if<float>(); v != nullptr && *v == 0)
    return Value(static_cast<float>(zero));
  if (const double* v = value.get_if<double>(); v != nullptr && *v == 0) return Value(zero);
  return value;
}

bool HasBounds(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return false;
    default:
      return true;
  }
}

}  // namespace

Status SetBounds(Metrics& metrics, FieldId id, const Type& type, const MetricsMode& mode,
                 const Value& lower, const Value& upper) {
  const bool bounded =
      mode.kind == MetricsMode::Kind::kTruncate || mode.kind == MetricsMode::Kind::kFull;
  if (!bounded || !HasBounds(type)) return Status::Ok();
  const bool cut = mode.kind == MetricsMode::Kind::kTruncate;
  if (!lower.is_null() && !IsNan(lower)) {
    CALVE_ASSIGN_OR_RETURN(std::string bytes, ToBytes(type, WidenZero(lower, -0.0)));
    metrics.lower_bounds.Set(id,
                             cut ? TruncateLowerBound(type, bytes, mode.length) : std::move(bytes));
  }
  if (!upper.is_null() && !IsNan(upper)) {
    CALVE_ASSIGN_OR_RETURN(std::string bytes, ToBytes(type, WidenZero(upper, 0.0)));
    std::optional<std::string> bound =
        cut ? TruncateUpperBound(type, bytes, mode.length) : std::move(bytes);
    if (bound) metrics.upper_bounds.Set(id, std::move(*bound));
  }
  return Status::Ok();
}

}  // namespace calve::iceberg
