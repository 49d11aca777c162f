#include "commit/native_stage.h"

#include <algorithm>
#include <memory>

namespace calve::commit {
namespace {

/// Looks at a branch that others move, before it is let be.
constexpr int kTriesMax = 10;

}  // namespace

Status MakeNativeBranch(const Context& context, catalog::NativeRefs& refs,
                        const std::string& name) {
  CALVE_ASSIGN_OR_RETURN(const auto from, refs.FindBranch(context, refs.branch()));
  const Status made = refs.CreateBranch(context, name, from).status();
  if (made.ok() || made.error().kind != ErrorKind::kUnknownOutcome) return made;
  const auto there = refs.FindBranch(context.WithStop({}), name);
  return there.ok() && there->hash == from.hash ? Status::Ok() : made;
}

Status DropNativeBranch(const Context& context, catalog::NativeRefs& refs,
                        const std::string& name) {
  Status dropped = Status::Ok();
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const auto branch = refs.FindBranch(context, name);
    if (!branch.ok() && branch.error().kind == ErrorKind::kNotFound) return Status::Ok();
    CALVE_RETURN_IF_ERROR(branch);
    dropped = refs.DeleteBranch(context, *branch);
    const bool again = !dropped.ok() && (dropped.error().kind == ErrorKind::kConflict ||
                                         dropped.error().kind == ErrorKind::kUnknownOutcome);
    if (!again) break;
  }
  return dropped;
}

Result<bool> IsOnNativeRefs(const Context& context, catalog::NativeRefs& refs,
                            const catalog::TableName& table, const std::string& but,
                            const std::function<bool(const iceberg::Snapshot&)>& is_meant) {
  CALVE_ASSIGN_OR_RETURN(const auto all, refs.ListRefs(context));
  for (const catalog::NativeBranch& ref : all) {
    if (ref.name == but) continue;
    const auto there = refs.OnBranch(ref.name)->LoadTable(context, table);
    if (!there.ok() && there.error().kind == ErrorKind::kNotFound) continue;
    CALVE_RETURN_IF_ERROR(there);
    const auto& snapshots = there->metadata->snapshots;
    if (std::any_of(snapshots.begin(), snapshots.end(), is_meant)) return true;
  }
  return false;
}

}  // namespace calve::commit
