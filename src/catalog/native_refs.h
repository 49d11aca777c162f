#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "catalog/catalog.h"

namespace calve::catalog {

/// A branch over all tables of a catalog, at one of its commits.
struct NativeBranch {
  std::string name;
  std::string hash;
  bool is_tag = false;  ///< A name for one commit, which nothing is committed to.
  bool operator==(const NativeBranch&) const = default;
};

/// One commit of a branch.
struct NativeCommit {
  std::string hash;
  std::string message;
  std::string time;  ///< RFC 3339, UTC, as the catalog says it.
  /// What it changed and where the metadata is since then; without a location it was taken away.
  struct Change {
    TableName name;
    std::optional<std::string> metadata_location;
    std::optional<iceberg::SnapshotId> snapshot_id;  ///< The current one since then.
  };
  std::vector<Change> changes;
};

/// A table or view that both branches have changed since they were one.
struct NativeConflict {
  TableName name;
  std::string reason;  ///< In the catalog's words.
};

/// All or nothing: with conflicts nothing was merged.
struct NativeMerge {
  std::string hash;                ///< Of the target after it.
  std::string common;              ///< Where both branches were one; what Log takes for `since`.
  std::vector<TableName> changed;  ///< Tables, views and namespaces that differ from there.
  std::vector<NativeConflict> conflicts;
};

/// The branches of a catalog whose Capabilities::refs is kNative. The catalog itself is on one of
/// them. Threads: any.
///
/// Every call may fail with kTransient, kRefused and kStopped, and those that change something with
/// kUnknownOutcome, besides what it says.
class NativeRefs {
 public:
  virtual ~NativeRefs() = default;
  /// The branch that the catalog is on.
  virtual const std::string& branch() const = 0;
  /// All branches and tags.
  virtual Result<std::vector<NativeBranch>> ListRefs(const Context& context) = 0;
  /// Fails with kNotFound.
  virtual Result<NativeBranch> FindBranch(const Context& context, const std::string& name) = 0;
  /// Make a branch at a commit of another one. Fails with kAlreadyExists, kNotFound.
  virtual Result<NativeBranch> CreateBranch(const Context& context, const std::string& name,
                                            const NativeBranch& from) = 0;
  /// Remove a branch. Fails with kConflict when it is elsewhere than `branch` says, kNotFound.
  virtual Status DeleteBranch(const Context& context, const NativeBranch& branch) = 0;
  /// The same catalog on another branch, which need not be there yet. May be used after this one
  /// is gone.
  virtual std::unique_ptr<Catalog> OnBranch(const std::string& name) = 0;

  /// Bring all that `from` has changed into the branch `into`, as one commit.
  virtual Result<NativeMerge> Merge(const Context& context, const NativeBranch& from,
                                    const std::string& into, const std::string& message) = 0;
  /// What Merge would come to; changes nothing.
  virtual Result<NativeMerge> TryMerge(const Context& context, const NativeBranch& from,
                                       const std::string& into) = 0;
  /// The commits of a branch after the commit `since` ("" for all), newest first; at most
  /// `commits_max`. For whoever looks for a commit of its own below those of others.
  virtual Result<std::vector<NativeCommit>> Log(const Context& context, const std::string& branch,
                                                const std::string& since, int commits_max) = 0;
};

}  // namespace calve::catalog
