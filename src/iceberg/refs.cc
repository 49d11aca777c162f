#include <fmt/format.h>

#include "base/text.h"
#include "iceberg/change.h"
#include "iceberg/produce.h"

namespace calve::iceberg {

TableChange SetRef(const TableMetadata& base, std::string name, SnapshotRef ref,
                   std::optional<SnapshotId> expected) {
  TableChange change = ChangeOf(base);
  change.requirements.push_back(AssertRefSnapshotId(name, expected));
  change.updates.push_back(SetSnapshotRef(std::move(name), ref));
  return change;
}

Result<TableChange> RemoveRef(const TableMetadata& base, const std::string& name) {
  if (name == kMainBranch)
    return ConfigError("the branch main is the table itself and cannot be removed");
  const auto found = base.refs.find(name);
  if (found == base.refs.end()) {
    std::vector<std::string> known;
    for (const auto& [other, ref] : base.refs) known.push_back(other);
    return NotFoundError(
        fmt::format("the table has no branch or tag {}{}", Quote(name), DidYouMean(name, known)));
  }
  TableChange change = ChangeOf(base);
  change.requirements.push_back(AssertRefSnapshotId(name, found->second.snapshot_id));
  change.updates.push_back(RemoveSnapshotRef(name));
  return change;
}

bool IsAncestor(const TableMetadata& metadata, SnapshotId ancestor, SnapshotId of) {
  std::optional<SnapshotId> step = of;
  // A chain longer than the table has snapshots would be a circle.
  for (size_t i = 0; step && i <= metadata.snapshots.size(); ++i) {
    const Snapshot* snapshot = metadata.FindSnapshot(*step);
    if (snapshot == nullptr) return false;
    if (*step == ancestor) return true;
    step = snapshot->parent_id;
  }
  return false;
}

}  // namespace calve::iceberg
