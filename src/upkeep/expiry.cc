#include "upkeep/expiry.h"

#include <algorithm>
#include <set>
#include <string>

#include "base/text.h"

namespace calve::upkeep {
namespace {

using iceberg::Snapshot;
using iceberg::SnapshotRef;
using iceberg::TableMetadata;

constexpr int64_t kAgeMaxDefaultMs = int64_t{5} * 24 * 3600 * 1000;

Result<std::optional<int64_t>> NumberProperty(const TableMetadata& table, const char* name) {
  const std::string text(table.Property(name, ""));
  if (text.empty()) return std::optional<int64_t>();
  const auto number = ParseInteger(text);
  if (number.has_value() && *number >= 0) return number;
  return ConfigError("table property " + std::string(name) +
                     ": expected a whole number from 0 on, found " + Quote(text));
}

/// What stays of a table, told reference by reference.
class Retention {
 public:
  Retention(const TableMetadata& table, int64_t now_ms) : table_(table), now_ms_(now_ms) {}

  /// Keep the newest of a line: so many, and those that are younger than an age.
  void KeepLine(const Snapshot* head, int64_t count_min, int64_t age_max_ms) {
    int64_t count = 0;
    for (const Snapshot* at = head; at != nullptr;
         at = at->parent_id.has_value() ? table_.FindSnapshot(*at->parent_id) : nullptr) {
      led_to_.insert(at->id);
      if (count++ < count_min || IsYounger(*at, age_max_ms)) kept_.insert(at->id);
    }
  }
  void Keep(const Snapshot& snapshot) { kept_.insert(snapshot.id); }
  bool IsYounger(const Snapshot& snapshot, int64_t age_max_ms) const {
    return now_ms_ - snapshot.timestamp_ms <= age_max_ms;
  }

  std::set<iceberg::SnapshotId> Others(int64_t age_max_ms) const {
    std::set<iceberg::SnapshotId> others;
    for (const Snapshot& snapshot : table_.snapshots) {
      if (kept_.contains(snapshot.id)) continue;
      if (!led_to_.contains(snapshot.id) && IsYounger(snapshot, age_max_ms)) continue;
      others.insert(snapshot.id);
    }
    return others;
  }

 private:
  const TableMetadata& table_;
  const int64_t now_ms_;
  std::set<iceberg::SnapshotId> led_to_;  ///< By some branch that stays.
  std::set<iceberg::SnapshotId> kept_;
};

}  // namespace

Result<commit::Committer::Expiry> ChooseExpired(const TableMetadata& table,
                                                const ExpiryRules& rules, int64_t now_ms) {
  CALVE_ASSIGN_OR_RETURN(const auto table_age,
                         NumberProperty(table, "history.expire.max-snapshot-age-ms"));
  CALVE_ASSIGN_OR_RETURN(const auto table_count,
                         NumberProperty(table, "history.expire.min-snapshots-to-keep"));
  CALVE_ASSIGN_OR_RETURN(const auto table_ref_age,
                         NumberProperty(table, "history.expire.max-ref-age-ms"));
  const int64_t age = rules.age_max_ms.value_or(table_age.value_or(kAgeMaxDefaultMs));
  const int64_t count = std::max<int64_t>(1, rules.snapshots_min.value_or(table_count.value_or(1)));
  commit::Committer::Expiry expiry;
  Retention retention(table, now_ms);
  for (const auto& [name, ref] : table.refs) {
    const Snapshot* head = table.FindSnapshot(ref.snapshot_id);
    if (head == nullptr) continue;
    const std::optional<int64_t> ref_age =
        ref.max_ref_age_ms.has_value() ? ref.max_ref_age_ms : table_ref_age;
    if (name != iceberg::kMainBranch && ref_age.has_value() &&
        !retention.IsYounger(*head, *ref_age)) {
      expiry.refs.push_back(name);
    } else if (ref.kind == SnapshotRef::Kind::kTag) {
      retention.Keep(*head);
    } else {
      retention.KeepLine(head, std::max<int64_t>(1, ref.min_snapshots_to_keep.value_or(count)),
                         ref.max_snapshot_age_ms.value_or(age));
    }
  }
  expiry.snapshots = retention.Others(age);
  return expiry;
}

}  // namespace calve::upkeep
