#include "cli/dead_runs.h"

#include <vector>

#include "commit/committer.h"

namespace calve::cli {

Status SweepDeadRuns(Program& program, const Program::NamedTable& table, const std::string& job) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(state::Runs * runs, program.runs());
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> dead, runs->Dead(job));
  commit::Committer committer(*table.catalog, program.files());
  for (const std::string& run : dead) {
    const Status discarded = committer.Discard(context, table.name, commit::BranchOf(run), {},
                                               /*run_is_over=*/true);
    if (!discarded.ok() && discarded.error().kind != ErrorKind::kNotFound) return discarded;
    CALVE_RETURN_IF_ERROR(committer.SweepBranch(context, table.name, run));
    CALVE_ASSIGN_OR_RETURN(const auto swept, committer.Sweep(context, table.name, run));
    if (!swept.again) CALVE_RETURN_IF_ERROR(runs->MarkSwept(run));
  }
  return Status::Ok();
}

}  // namespace calve::cli
