#include "commit/proof.h"

#include <array>

namespace calve::commit {

std::string_view ToString(Proof proof) {
  switch (proof) {
    case Proof::kPending:
      return "pending";
    case Proof::kTable:
      return "table";
    case Proof::kRows:
      return "rows";
    case Proof::kEqual:
      return "equal";
    case Proof::kManual:
      return "manual";
  }
  return "pending";
}

std::optional<Proof> ProofOf(const iceberg::Snapshot& snapshot) {
  const auto found = snapshot.summary.find(std::string(summary::kAudit));
  if (found == snapshot.summary.end()) return std::nullopt;
  for (const Proof proof :
       {Proof::kPending, Proof::kTable, Proof::kRows, Proof::kEqual, Proof::kManual}) {
    if (found->second == ToString(proof)) return proof;
  }
  return std::nullopt;
}

bool IsPublishedFrom(const iceberg::Snapshot& snapshot, iceberg::SnapshotId staged) {
  const auto found = snapshot.summary.find(std::string(summary::kAuditedSnapshot));
  return found != snapshot.summary.end() && found->second == std::to_string(staged.value());
}

}  // namespace calve::commit
