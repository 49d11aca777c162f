#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "iceberg/manifest.h"

// Writing of manifest lists; reading is in the door. For use within the room.

namespace calve::iceberg {

/// What a manifest list's header says beside its lines.
struct ManifestListHeader {
  SnapshotId snapshot_id;
  std::optional<SnapshotId> parent_id;
  SequenceNumber sequence_number{0};
  std::optional<RowId> first_row_id;  ///< v3
};

/// Write a list's bytes for a table of version 2 or 3. Every number of the manifests is final;
/// counts that are absent are an error (kBug).
Result<std::string> EncodeManifestList(const TableMetadata& metadata,
                                       const ManifestListHeader& header,
                                       const std::vector<ManifestFile>& manifests, Random& random);

}  // namespace calve::iceberg
