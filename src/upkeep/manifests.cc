#include "upkeep/manifests.h"

#include <vector>

#include "base/text.h"
#include "catalog/table_files.h"
#include "commit/committer.h"
#include "iceberg/manifest.h"
#include "iceberg/manifest_rewrite.h"

namespace calve::upkeep {
namespace {

iceberg::ManifestRewrite Which(bool all) {
  return all ? iceberg::ManifestRewrite::kAll : iceberg::ManifestRewrite::kSmall;
}

int64_t SummaryCount(const iceberg::Snapshot& snapshot, const char* key) {
  const auto found = snapshot.summary.find(key);
  return found == snapshot.summary.end() ? 0 : ParseInteger(found->second).value_or(0);
}

}  // namespace

Result<ManifestPlan> PlanManifests(const Context& context, io::FileSystem& files,
                                   const iceberg::TableMetadata& table, bool all) {
  ManifestPlan plan;
  if (table.current_snapshot() == nullptr) return plan;
  catalog::TableFiles table_files(files);
  CALVE_ASSIGN_OR_RETURN(
      const std::vector<iceberg::ManifestFile> manifests,
      iceberg::ReadManifestList(context, table_files, table, *table.current_snapshot()));
  plan.manifests_total = static_cast<int64_t>(manifests.size());
  for (const size_t i : iceberg::ManifestsToRewrite(table, manifests, Which(all))) {
    ++plan.manifests;
    plan.bytes += manifests[i].length;
  }
  return plan;
}

Result<ManifestReport> RewriteManifests(const Context& context, catalog::Catalog& catalog,
                                        io::FileSystem& files, const catalog::TableName& table,
                                        const ManifestOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable base, catalog.LoadTable(context, table));
  ManifestReport report;
  bool is_done = false;  // By nobody's doing, or by others meanwhile.
  const auto look = [&](const iceberg::MetadataPtr& now) -> Status {
    CALVE_ASSIGN_OR_RETURN(const ManifestPlan plan,
                           PlanManifests(context, files, *now, options.all));
    is_done = plan.manifests == 0;
    if (!is_done) return Status::Ok();
    return RefusedError("no manifest of " + table.ToString() + " is worth writing anew");
  };
  const Status worth = look(base.metadata);
  if (is_done) return report;
  CALVE_RETURN_IF_ERROR(worth);

  commit::Change change;
  change.pipeline = "upkeep";
  change.run = options.run_id;
  change.rows.operation = iceberg::Operation::kReplace;
  change.rows.manifest_rewrite = Which(options.all);
  change.basis = {.snapshot = base.metadata->current_snapshot_id, .still_holds = look};
  commit::Committer committer(catalog, files);
  const Result<commit::Published> published =
      committer.Commit(context, table, change, commit::Proof::kEqual);
  if (!published.ok()) {
    if (is_done && published.error().kind == ErrorKind::kRefused) return report;
    return published.error();
  }
  const iceberg::Snapshot& snapshot = published->snapshot;
  report.manifests_before = SummaryCount(snapshot, "manifests-replaced");
  report.manifests_after = SummaryCount(snapshot, "manifests-created");
  report.entries = SummaryCount(snapshot, "entries-processed");
  report.snapshot_id = snapshot.id.value();
  return report;
}

}  // namespace calve::upkeep
