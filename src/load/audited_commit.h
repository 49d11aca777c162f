#pragma once

#include <set>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "commit/committer.h"
#include "load/load.h"
#include "load/registry.h"

namespace calve::load {

/// The way of a change into main: staged on the run's branch, judged there by the contract,
/// published. For one thread; everything it is given outlives it.
class AuditedCommit {
 public:
  /// `catalog`: the table's, by the name that the resolver knows it by.
  AuditedCommit(commit::Committer& committer, catalog::TableName table, std::string catalog,
                const Request& request, const Resources& resources)
      : committer_(committer),
        table_(std::move(table)),
        catalog_(std::move(catalog)),
        request_(request),
        resources_(resources) {}

  /// Stage, audit and publish; tell `report` what it came to. `rows_loaded`: those that the change
  /// brings. An audit that fails is a report, not an error.
  Status Bring(const Context& context, commit::Change change, int64_t rows_loaded,
               Observer* observer, Report* report);

  /// Drop the branch with what Bring has staged and not published, but for the data files `kept`;
  /// without one there is nothing to do.
  Status Discard(const Context& context, const std::set<std::string>& kept);
  bool is_staged() const { return !branch_.empty(); }

 private:
  Result<audit::Report> Audit(const Context& context, const iceberg::MetadataPtr& metadata,
                              const iceberg::Snapshot& snapshot, int64_t rows_before,
                              int64_t rows_loaded) const;

  commit::Committer& committer_;
  const catalog::TableName table_;
  const std::string catalog_;
  const Request& request_;
  const Resources& resources_;
  std::string branch_;  ///< Once staged.
};

}  // namespace calve::load
