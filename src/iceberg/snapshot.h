#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "iceberg/ids.h"

namespace calve::iceberg {

/// What a snapshot did (spec, Snapshots: summary.operation).
enum class Operation { kAppend, kReplace, kOverwrite, kDelete };
std::string_view ToString(Operation operation);

/// One state of the table.
struct Snapshot {
  SnapshotId id;
  std::optional<SnapshotId> parent_id;
  SequenceNumber sequence_number{0};  ///< 0 in v1.
  int64_t timestamp_ms = 0;           ///< Milliseconds since 1970, UTC.
  std::string manifest_list;          ///< URI; empty in v1 metadata that lists manifests instead.
  std::vector<std::string> v1_manifests;
  std::optional<Operation> operation;          ///< Absent only in old v1 tables.
  std::map<std::string, std::string> summary;  ///< Without `operation`.
  std::optional<SchemaId> schema_id;
  std::optional<RowId> first_row_id;  ///< v3
  std::optional<int64_t> added_rows;  ///< v3
  std::optional<std::string> key_id;  ///< v3, encryption
  bool operator==(const Snapshot&) const = default;
};

/// A branch or a tag.
struct SnapshotRef {
  enum class Kind { kBranch, kTag };
  SnapshotId snapshot_id;
  Kind kind = Kind::kBranch;
  std::optional<int64_t> min_snapshots_to_keep;
  std::optional<int64_t> max_snapshot_age_ms;
  std::optional<int64_t> max_ref_age_ms;
  bool operator==(const SnapshotRef&) const = default;
};

inline constexpr std::string_view kMainBranch = "main";

}  // namespace calve::iceberg
