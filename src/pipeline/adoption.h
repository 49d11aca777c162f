#pragma once

#include <string>
#include <vector>

#include "audit/contract.h"
#include "base/context.h"
#include "base/result.h"
#include "load/load.h"
#include "pipeline/job.h"
#include "source/source.h"

namespace calve::pipeline {

/// Which files of a source the target takes over in place of their rows.
struct Adoption {
  /// For each split of the plan the file that it belongs to, in ReadPlan::whole_files, when that is
  /// adopted; else -1.
  std::vector<int> file_of_split;
  std::vector<std::string> notes;  ///< For `calve plan`: what is adopted, and why the rest is not.
};

/// Ask the target about every whole file, where nothing between source and target looks at rows.
Result<Adoption> PlanAdoption(const Context& context, const Job& job,
                              const audit::Contract* contract, const source::ReadPlan& read,
                              const load::SchemaPlan& schema, load::Load& load);

}  // namespace calve::pipeline
