#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "commit/committer.h"
#include "iceberg/metadata.h"

namespace calve::upkeep {

/// How much of a table's past stays. What is not given here the table says (history.expire.*), and
/// else Iceberg's defaults: five days, one snapshot, references for ever.
struct ExpiryRules {
  std::optional<int64_t> age_max_ms;     ///< Snapshots that are older go.
  std::optional<int64_t> snapshots_min;  ///< So many stay on each branch, however old.
};

/// Choose the snapshots and references that a table can do without (Iceberg spec, Snapshot Retention
/// Policy). A branch or a tag keeps what it leads to; main is never removed. Snapshots that no
/// reference leads to go by their age. Fails with kConfig on a property that is no number.
Result<commit::Committer::Expiry> ChooseExpired(const iceberg::TableMetadata& table,
                                                const ExpiryRules& rules, int64_t now_ms);

}  // namespace calve::upkeep
