#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "iceberg/snapshot.h"

namespace calve::commit {

/// How the rows of a snapshot were proved before main moved to it (summary key calve.audit).
enum class Proof {
  kPending,  ///< Staged on a branch; nobody has judged it yet.
  kTable,    ///< The contract's checks ran on these very rows of the table.
  kRows,     ///< Every row was checked as it passed.
  kEqual,    ///< The same rows as before, laid out anew.
  kManual,   ///< A person, named in calve.published-by, took it on.
};
std::string_view ToString(Proof proof);

/// The proof a snapshot carries; nothing for snapshots of other writers, which are shown as
/// unaudited.
std::optional<Proof> ProofOf(const iceberg::Snapshot& snapshot);

/// Whether a snapshot in main holds the rows of one that was staged, published by its proof.
bool IsPublishedFrom(const iceberg::Snapshot& snapshot, iceberg::SnapshotId staged);

/// Keys that calve adds to a snapshot's summary.
namespace summary {
inline constexpr std::string_view kAudit = "calve.audit";
inline constexpr std::string_view kPipeline = "calve.pipeline";  ///< The job's id.
inline constexpr std::string_view kRun = "calve.run";
inline constexpr std::string_view kPosition =
    "calve.position";  ///< Small JSON of the source; at most 8 KiB.
inline constexpr std::string_view kLedger =
    "calve.ledger";  ///< URI of the Puffin file with the long part.
inline constexpr std::string_view kToken =
    "calve.token";  ///< By which a writer knows its own commit again.
inline constexpr std::string_view kAuditedSnapshot = "calve.audited-snapshot-id";
inline constexpr std::string_view kSchemaBase = "calve.schema-base";  ///< When it was staged.
/// Of a staged change: the snapshot that held the position it started from.
inline constexpr std::string_view kPositionBefore = "calve.position-before";
inline constexpr std::string_view kComputedOn =
    "calve.computed-on";  ///< Of a basis; "none": no snapshot.
inline constexpr std::string_view kPublishedBy = "calve.published-by";
inline constexpr std::string_view kRows = "calve.rows";      ///< That the load wrote.
inline constexpr std::string_view kWaived = "calve.waived";  ///< Checks that a person waived.
}  // namespace summary

}  // namespace calve::commit
