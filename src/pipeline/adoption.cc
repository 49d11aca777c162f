#include "pipeline/adoption.h"

#include <algorithm>

#include "base/text.h"

namespace calve::pipeline {
namespace {

/// More files that are decoded are counted, not named.
constexpr size_t kNamedMax = 3;

/// Why every row has to be seen on its way; empty when none has.
std::string WhyRowsAreSeen(const Job& job, const audit::Contract* contract) {
  if (!job.steps().empty()) return "a transformer makes their rows";
  if (contract == nullptr) return "";
  const auto holds_back = std::find_if(
      contract->checks.begin(), contract->checks.end(),
      [](const audit::Check& check) { return check.severity == audit::Severity::kQuarantine; });
  if (holds_back == contract->checks.end()) return "";
  return "check " + holds_back->name + " holds rows back";
}

}  // namespace

Result<Adoption> PlanAdoption(const Context& context, const Job& job,
                              const audit::Contract* contract, const source::ReadPlan& read,
                              const load::SchemaPlan& schema, load::Load& load) {
  Adoption plan;
  plan.file_of_split.assign(read.splits.size(), -1);
  if (read.whole_files.empty()) return plan;
  if (const std::string why = WhyRowsAreSeen(job, contract); !why.empty()) {
    plan.notes.push_back("the files are decoded: " + why);
    return plan;
  }
  std::vector<std::string> adopted;
  size_t decoded = 0;
  for (size_t i = 0; i < read.whole_files.size(); ++i) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    const source::WholeFile& whole = read.whole_files[i];
    const std::string& label = read.splits[whole.first_split].label;
    CALVE_ASSIGN_OR_RETURN(const std::string why, load.WhyNotAdopted(context, schema, whole.file));
    if (why.empty()) {
      adopted.push_back(label);
      std::fill_n(plan.file_of_split.begin() + static_cast<ptrdiff_t>(whole.first_split),
                  whole.splits, static_cast<int>(i));
    } else if (++decoded <= kNamedMax) {
      plan.notes.push_back(label + " is decoded: ");
      plan.notes.back() += why;
    }
  }
  if (decoded > kNamedMax)
    plan.notes.push_back(FormatCount(static_cast<int64_t>(decoded - kNamedMax)) +
                         " more are decoded too");
  if (adopted.size() == 1) plan.notes.insert(plan.notes.begin(), adopted[0] + " is adopted");
  if (adopted.size() > 1) {
    plan.notes.insert(plan.notes.begin(),
                      FormatCount(static_cast<int64_t>(adopted.size())) + " files are adopted");
  }
  return plan;
}

}  // namespace calve::pipeline
