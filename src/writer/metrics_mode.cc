#include "writer/metrics_mode.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <unordered_set>

#include "base/text.h"

namespace calve::writer {
namespace {

using iceberg::Field;
using iceberg::FieldId;

constexpr std::string_view kDefault = "write.metadata.metrics.default";
constexpr std::string_view kColumn = "write.metadata.metrics.column.";
constexpr std::string_view kInferredMax = "write.metadata.metrics.max-inferred-column-defaults";
constexpr size_t kInferredMaxDefault = 100;

bool ReadNumber(std::string_view text, int& number) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end == text.data() + text.size() && number > 0;
}

Result<MetricsMode> ParseMode(std::string_view property, std::string_view text) {
  const std::string mode = ToLower(Trim(text));
  if (mode == "none") return MetricsMode{.kind = MetricsMode::Kind::kNone, .length = 0};
  if (mode == "counts") return MetricsMode{.kind = MetricsMode::Kind::kCounts, .length = 0};
  if (mode == "full") return MetricsMode{.kind = MetricsMode::Kind::kFull, .length = 0};
  MetricsMode truncate;
  const std::string_view rest(mode);
  if (rest.starts_with("truncate(") && rest.ends_with(")") && ReadNumber(rest.substr(9, rest.size() - 10), truncate.length)) {
    return truncate;
  }
  return ConfigError(fmt::format("table property {}: expected none, counts, truncate(length) or full, found {}", property, Quote(text)));
}

/// The columns that have bounds by default in a wide table: those of a struct before those within its structs.
void CountInferred(const std::vector<Field>& fields, size_t limit, std::unordered_set<int32_t>& ids) {
  for (const Field& field : fields) {
    if (ids.size() >= limit) return;
    if (field.type.is_primitive()) ids.insert(field.id.value());
  }
  for (const Field& field : fields) CountInferred(field.type.fields(), limit, ids);
}

size_t CountFields(const std::vector<Field>& fields) {
  size_t count = fields.size();
  for (const Field& field : fields) count += CountFields(field.type.fields());
  return count;
}

class Modes {
 public:
  Modes(const iceberg::TableMetadata& table, const iceberg::Schema& schema) : table_(table), schema_(schema) {}

  Status Read() {
    const std::string_view configured = table_.Property(kDefault, "");
    if (!configured.empty()) {
      CALVE_ASSIGN_OR_RETURN(default_, ParseMode(kDefault, configured));
    } else {
      CALVE_RETURN_IF_ERROR(ReadLimit());
    }
    return Visit(schema_.fields(), std::nullopt);
  }

  iceberg::FieldMap<MetricsMode> modes;

 private:
  Status ReadLimit() {
    int limit = static_cast<int>(kInferredMaxDefault);
    const std::string_view text = table_.Property(kInferredMax, "");
    if (!text.empty() && !ReadNumber(text, limit)) {
      return ConfigError(fmt::format("table property {}: expected a positive number, found {}", kInferredMax, Quote(text)));
    }
    if (CountFields(schema_.fields()) > static_cast<size_t>(limit)) {
      limited_ = true;
      CountInferred(schema_.fields(), static_cast<size_t>(limit), inferred_);
    }
    return Status::Ok();
  }

  Status Visit(const std::vector<Field>& fields, const std::optional<MetricsMode>& above) {
    for (const Field& field : fields) {
      std::optional<MetricsMode> own = above;
      const std::string property = std::string(kColumn) + *schema_.FullName(field.id);
      if (const std::string_view text = table_.Property(property, ""); !text.empty()) {
        CALVE_ASSIGN_OR_RETURN(own, ParseMode(property, text));
      }
      modes.Set(field.id, own.value_or(Default(field.id)));
      CALVE_RETURN_IF_ERROR(Visit(field.type.fields(), own));
    }
    return Status::Ok();
  }

  MetricsMode Default(FieldId id) const {
    if (limited_ && !inferred_.contains(id.value())) return {.kind = MetricsMode::Kind::kNone, .length = 0};
    return default_;
  }

  const iceberg::TableMetadata& table_;
  const iceberg::Schema& schema_;
  MetricsMode default_;
  bool limited_ = false;
  std::unordered_set<int32_t> inferred_;
};

}  // namespace

Result<iceberg::FieldMap<MetricsMode>> MetricsModes(const iceberg::TableMetadata& table, const iceberg::Schema& schema) {
  Modes modes(table, schema);
  CALVE_RETURN_IF_ERROR(modes.Read());
  return std::move(modes.modes);
}

}  // namespace calve::writer
