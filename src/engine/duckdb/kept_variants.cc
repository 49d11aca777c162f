#include "engine/duckdb/kept_variants.h"

namespace calve::engine {
namespace {

using iceberg::FieldId;
using iceberg::Type;

/// Three ids a column, beyond those of tables and below those that Iceberg reserves.
constexpr int32_t kFirstId = 2'000'000'000;
constexpr int32_t kLastId = 2'147'000'000;

}  // namespace

std::vector<iceberg::Field> KeptVariants(const std::vector<iceberg::Field>& columns) {
  std::vector<iceberg::Field> kept;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].type.kind() != iceberg::TypeKind::kVariant) continue;
    const int32_t id = kFirstId + 3 * static_cast<int32_t>(i);
    kept.push_back(
        {.id = FieldId(id),
         .name = KeptVariantName(i),
         .type = Type::Struct(
             {{.id = FieldId(id + 1), .name = "metadata", .type = Type::Binary(), .required = true},
              {.id = FieldId(id + 2),
               .name = "value",
               .type = Type::Binary(),
               .required = true}})});
  }
  return kept;
}

std::string KeptVariantName(size_t place) { return "calve_kept_" + std::to_string(place); }

std::optional<size_t> PlaceOfKeptVariant(FieldId id) {
  if (id.value() < kFirstId || id.value() > kLastId) return std::nullopt;
  return static_cast<size_t>(id.value() - kFirstId) / 3;
}

}  // namespace calve::engine
