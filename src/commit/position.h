#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

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

/// A position as a snapshot holds it, or the property that took its place.
struct HeldPosition {
  iceberg::SnapshotId snapshot_id;
  std::string state;
  std::string ledger;  ///< URI; empty when there is none.
};
/// The newest position of a pipeline on main's line.
struct NewestPosition {
  std::optional<HeldPosition> held;
  bool whole = true;  ///< With nothing held: the first snapshot of the table was seen.
};
/// Find it; FindPosition says how. Fails with kData on a property that is not as calve writes it.
Result<NewestPosition> FindNewestPosition(const Context& context, const MainLine& main,
                                          const catalog::LoadedTable& loaded,
                                          const std::string& pipeline);

/// Find the newest position of `pipeline` on main: the snapshots are walked from the head back, so
/// that a rollback of the table rolls the position back too. Nothing when the pipeline has none
/// there.
///
/// Where the walk ends at snapshots that calve has expired, the position that was on the line below
/// stands in a property of the table (see KeepPositions).
///
/// Fails with kRefused when the walk ends at a snapshot that another program expired while
/// `expected` says there was a position: to start over silently would double rows.
Result<std::optional<FoundPosition>> FindPosition(const Context& context, io::FileSystem& files,
                                                  MainLine main, const catalog::LoadedTable& loaded,
                                                  const std::string& pipeline, bool expected);

/// The properties that a table is given with the expiry of snapshots: of each pipeline whose newest
/// position on main's line is in one of them, or behind one, that position. No property where none is lost.
std::map<std::string, std::string> KeepPositions(const iceberg::TableMetadata& metadata,
                                                 const std::set<iceberg::SnapshotId>& expired);
/// The ledgers that such properties of a table name: no snapshot does any more, but they are needed.
std::vector<std::string> KeptLedgers(const iceberg::TableMetadata& metadata);

/// Write a position's ledger beside the table's metadata; give its URI.
Result<std::string> WriteLedger(const Context& context, io::FileSystem& files,
                                const iceberg::TableMetadata& metadata, const std::string& run,
                                const std::string& ledger);

}  // namespace calve::commit
