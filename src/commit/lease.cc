#include "commit/lease.h"

#include <vector>

#include "base/text.h"

namespace calve::commit {
namespace {

constexpr std::string_view kLease = "calve.lease";

}  // namespace

std::optional<Lease> FindLease(const iceberg::TableMetadata& metadata) {
  const std::vector<std::string> parts = Split(metadata.Property(kLease, ""), ' ');
  if (parts.size() != 3) return std::nullopt;
  const auto epoch = ParseInteger(parts[1]);
  const auto until_ms = ParseInteger(parts[2]);
  if (!epoch.has_value() || !until_ms.has_value()) return std::nullopt;
  return Lease{.holder = parts[0], .epoch = *epoch, .until_ms = *until_ms};
}

iceberg::TableChange TakeLease(const iceberg::TableMetadata& metadata, const std::string& holder,
                               int64_t until_ms) {
  const std::optional<Lease> before = FindLease(metadata);
  const int64_t epoch = before.has_value() ? before->epoch + 1 : 1;
  const std::string text = holder + " " + std::to_string(epoch) + " " + std::to_string(until_ms);
  return {.requirements = {iceberg::AssertTableUuid(metadata.table_uuid)},
          .updates = {iceberg::SetProperties({{std::string(kLease), text}})}};
}

iceberg::UpdatePtr EndLease() { return iceberg::RemoveProperties({std::string(kLease)}); }

}  // namespace calve::commit
