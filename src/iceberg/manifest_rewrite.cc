#include "iceberg/manifest_rewrite.h"

#include <map>
#include <utility>

#include "base/text.h"

namespace calve::iceberg {
namespace {

constexpr int64_t kTargetBytesDefault = 8 * 1024 * 1024;
constexpr int64_t kSmallPercent = 75;

}  // namespace

int64_t ManifestTargetBytes(const TableMetadata& metadata) {
  const auto set = ParseInteger(metadata.Property("commit.manifest.target-size-bytes", ""));
  return set.value_or(0) > 0 ? *set : kTargetBytesDefault;
}

std::set<size_t> ManifestsToRewrite(const TableMetadata& metadata,
                                    const std::vector<ManifestFile>& manifests,
                                    ManifestRewrite which) {
  std::set<size_t> chosen;
  if (which == ManifestRewrite::kNone) return chosen;
  const bool all = which == ManifestRewrite::kAll;
  const int64_t target = ManifestTargetBytes(metadata);
  std::map<std::pair<ManifestContent, SpecId>, std::vector<size_t>> groups;
  for (size_t i = 0; i < manifests.size(); ++i) {
    const ManifestFile& manifest = manifests[i];
    if (!manifest.has_live_files()) continue;
    if (all || manifest.length * 100 < target * kSmallPercent)
      groups[{manifest.content, manifest.spec_id}].push_back(i);
  }
  for (const auto& [key, indices] : groups) {
    if (all || indices.size() > 1) chosen.insert(indices.begin(), indices.end());
  }
  return chosen;
}

}  // namespace calve::iceberg
