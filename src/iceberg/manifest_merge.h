#pragma once

#include <cstdint>
#include <span>
#include <vector>

// How manifests are put together. For use within the room.

namespace calve::iceberg {

/// A manifest as merging sees it.
struct MergeCandidate {
  int64_t bytes = 0;
  bool added = false;  ///< Holds what the snapshot being made adds.
};

struct MergeRules {
  int64_t target_bytes = 8 * 1024 * 1024;  ///< commit.manifest.target-size-bytes
  int64_t count_min = 100;                 ///< commit.manifest.min-count-to-merge
};

/// Split candidates (newest first, of one spec and content) into runs that become one manifest
/// each; a run of one is left as it is.
///
/// Runs are filled from the old end, so that full manifests stay as they are and only the newest
/// run grows. The run with what is added is merged only once it has `count_min` manifests.
std::vector<std::span<const MergeCandidate>> PlanMerge(std::span<const MergeCandidate> candidates,
                                                       const MergeRules& rules);

}  // namespace calve::iceberg
