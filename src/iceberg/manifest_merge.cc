#include "iceberg/manifest_merge.h"

#include <algorithm>

namespace calve::iceberg {

std::vector<std::span<const MergeCandidate>> PlanMerge(std::span<const MergeCandidate> candidates,
                                                       const MergeRules& rules) {
  std::vector<std::span<const MergeCandidate>> runs;
  size_t end = candidates.size();
  while (end > 0) {
    size_t begin = end - 1;
    int64_t bytes = candidates[begin].bytes;
    while (begin > 0 && bytes + candidates[begin - 1].bytes <= rules.target_bytes)
      bytes += candidates[--begin].bytes;
    const auto run = candidates.subspan(begin, end - begin);
    const bool adds =
        std::any_of(run.begin(), run.end(), [](const MergeCandidate& c) { return c.added; });
    if (adds && static_cast<int64_t>(run.size()) < rules.count_min) {
      for (size_t i = end; i > begin; --i) runs.push_back(candidates.subspan(i - 1, 1));
    } else {
      runs.push_back(run);
    }
    end = begin;
  }
  std::reverse(runs.begin(), runs.end());
  return runs;
}

}  // namespace calve::iceberg
