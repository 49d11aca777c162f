#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "iceberg/metadata.h"
#include "iceberg/update.h"

namespace calve::commit {

/// A writer's request, in a table's properties, to be let first: who loses race after race takes
/// one, and the other writers of calve wait until it is gone or has run out.
///
/// It only settles who waits. That commits do not undo each other rests on their requirements, with
/// or without it.
struct Lease {
  std::string holder;
  int64_t epoch = 0;     ///< Counts the leases of a table's line of holders.
  int64_t until_ms = 0;  ///< By the holder's clock.

  /// Whether it holds now. One that runs longer than `longest_ms` is of a clock that is wrong.
  bool IsInForce(int64_t now_ms, int64_t longest_ms) const {
    return until_ms > now_ms && until_ms <= now_ms + longest_ms;
  }
};

/// The lease that stands in the table; nothing when there is none, or it says something else.
std::optional<Lease> FindLease(const iceberg::TableMetadata& metadata);

/// What puts a lease of `holder` into the table until then, in the place of one that has run out.
iceberg::TableChange TakeLease(const iceberg::TableMetadata& metadata, const std::string& holder,
                               int64_t until_ms);

/// What removes the lease; goes into the holder's own commit.
iceberg::UpdatePtr EndLease();

inline constexpr int64_t kLeaseMs = 15'000;

}  // namespace calve::commit
