#pragma once

#include <set>
#include <vector>

#include "iceberg/manifest.h"
#include "iceberg/metadata.h"

namespace calve::iceberg {

/// Which manifests are laid out anew, with the same entries.
enum class ManifestRewrite {
  kNone,
  /// Of each spec and content those of less than three quarters of
  /// commit.manifest.target-size-bytes, where there are two or more of them.
  kSmall,
  kAll,
};

/// The greatest size of a manifest: the table's commit.manifest.target-size-bytes, else 8 MB.
int64_t ManifestTargetBytes(const TableMetadata& metadata);

/// Choose the manifests of a snapshot that a rewrite lays out anew, by their indices.
std::set<size_t> ManifestsToRewrite(const TableMetadata& metadata,
                                    const std::vector<ManifestFile>& manifests,
                                    ManifestRewrite which);

}  // namespace calve::iceberg
