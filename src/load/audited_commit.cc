#include "load/audited_commit.h"

#include <utility>

#include "base/text.h"
#include "load/load_history.h"

namespace calve::load {

Status AuditedCommit::Bring(const Context& context, commit::Change change, int64_t rows_loaded,
                            Observer* observer, Report* report) {
  report->branch = commit::BranchOf(request_.run);
  CALVE_ASSIGN_OR_RETURN(const commit::Staged staged,
                         committer_.Stage(context, table_, std::move(change), report->branch));
  branch_ = report->branch;
  CALVE_RETURN_IF_ERROR(context.Step("stage.after"));
  if (observer != nullptr) observer->Staged(*report);

  const iceberg::MetadataPtr& metadata = staged.loaded.metadata;
  const iceberg::Snapshot* main = staged.snapshot.parent_id.has_value()
                                      ? metadata->FindSnapshot(*staged.snapshot.parent_id)
                                      : nullptr;
  int64_t rows_before = -1;
  if (main != nullptr) {
    report->main_snapshot_id = main->id.value();
    const auto total = main->summary.find("total-records");
    if (total != main->summary.end()) rows_before = ParseInteger(total->second).value_or(-1);
  }
  const auto audit = [&](const iceberg::MetadataPtr& candidate, const iceberg::Snapshot& snapshot) {
    return Audit(context, candidate, snapshot, rows_before, rows_loaded);
  };
  CALVE_RETURN_IF_ERROR(context.Step("audit.start"));
  CALVE_ASSIGN_OR_RETURN(report->audit, audit(metadata, staged.snapshot));
  CALVE_RETURN_IF_ERROR(context.Step("audit.done"));
  if (observer != nullptr) observer->Audited(*report);
  report->ending = Ending::kAuditFailed;
  if (report->audit.failed()) return Status::Ok();

  commit::PublishOptions publish;
  publish.proof = commit::Proof::kTable;
  publish.summary["calve.checks"] = std::to_string(report->audit.outcomes.size());
  publish.recheck = [&](const iceberg::MetadataPtr& candidate, iceberg::SnapshotId id) -> Status {
    CALVE_ASSIGN_OR_RETURN(report->audit, audit(candidate, *candidate->FindSnapshot(id)));
    if (!report->audit.failed()) return Status::Ok();
    return DataError("main has moved since the rows were staged, and on it a check fails");
  };
  CALVE_RETURN_IF_ERROR(context.Step("publish.before"));
  Result<commit::Published> published = committer_.Publish(context, staged, publish);
  if (!published.ok()) {
    if (published.error().kind == ErrorKind::kData && report->audit.failed()) return Status::Ok();
    return std::move(published).error();
  }
  CALVE_RETURN_IF_ERROR(context.Step("publish.after"));
  report->ending = Ending::kPublished;
  report->snapshot_id = published->snapshot_id.value();
  report->proof = commit::ToString(publish.proof);
  report->commit_attempts = published->attempts;
  return Status::Ok();
}

Status AuditedCommit::Discard(const Context& context, const std::set<std::string>& kept) {
  if (branch_.empty()) return Status::Ok();
  CALVE_RETURN_IF_ERROR(committer_.Discard(context, table_, branch_, kept, /*run_is_over=*/true));
  branch_.clear();
  return Status::Ok();
}

Result<audit::Report> AuditedCommit::Audit(const Context& context,
                                           const iceberg::MetadataPtr& metadata,
                                           const iceberg::Snapshot& snapshot, int64_t rows_before,
                                           int64_t rows_loaded) const {
  if (request_.contract == nullptr) return audit::Report{};
  const iceberg::SchemaPtr& schema = metadata->SchemaOf(snapshot);
  audit::AuditScope scope;
  engine::IcebergTable judged = {.metadata = metadata,
                                 .snapshot_id = snapshot.id,
                                 .schema = schema,
                                 .data_sequence_min = std::nullopt};
  scope.table = judged;
  judged.data_sequence_min = snapshot.sequence_number;
  scope.added = std::move(judged);
  CALVE_ASSIGN_OR_RETURN(scope.inputs.schema, columnar::ToArrowSchema(*schema));
  scope.inputs.rows_before = rows_before;
  scope.inputs.rows_loaded = rows_loaded;
  scope.inputs.rows_of_loads =
      RowsOfEarlierLoads(*metadata, snapshot, request_.job, audit::kLoadsMax);
  scope.inputs.now_ms = MillisSinceEpoch(context.clock->Now());
  scope.resolver = resources_.resolver;
  scope.catalog = catalog_;
  return audit::AuditTable(context, *request_.contract, *request_.checks, *resources_.engine,
                           scope);
}

}  // namespace calve::load
