#pragma once

#include <optional>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "commit/main_line.h"
#include "iceberg/metadata.h"
#include "io/file_system.h"

namespace calve::commit {

/// How far a pipeline had read when a snapshot was made; committed in that snapshot's summary and
/// nowhere else.
struct Position {
  std::string state;   ///< Small JSON with a version; at most kPositionBytesMax.
  std::string ledger;  ///< Long lists; kept in a Puffin file that the summary names. May be empty.
  bool operator==(const Position&) const = default;
};

/// A position with the snapshot that holds it.
struct FoundPosition {
  Position position;
  iceberg::SnapshotId snapshot_id;
};

inline constexpr size_t kPositionBytesMax = 8 * 1024;

/// Find the newest position of `pipeline` on main: the snapshots are walked from the head back, so
/// that a rollback of the table rolls the position back too. Nothing when the pipeline has none
/// there.
///
/// Fails with kRefused when the walk ends at a snapshot that was expired while `expected` says
/// there was a position: to start over silently would double rows.
Result<std::optional<FoundPosition>> FindPosition(const Context& context, io::FileSystem& files,
                                                  MainLine main, const catalog::LoadedTable& loaded,
                                                  const std::string& pipeline, bool expected);

/// Whether a snapshot holds a position of `pipeline`.
bool HoldsPosition(const iceberg::Snapshot& snapshot, const std::string& pipeline);

/// Write a position's ledger beside the table's metadata; give its URI.
Result<std::string> WriteLedger(const Context& context, io::FileSystem& files,
                                const iceberg::TableMetadata& metadata, const std::string& run,
                                const std::string& ledger);

}  // namespace calve::commit
