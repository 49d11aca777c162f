#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/branches.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"

namespace calve::cli {
namespace {

/// Checks one thing after another and says how each stands.
class Examination {
 public:
  explicit Examination(bool json) : report_(json) {}

  void Note(const std::string& what, const Status& status, const std::string& good) {
    healthy_ = healthy_ && status.ok();
    Add(status.ok() ? "ok" : "FAULT", what, status.ok() ? good : status.error().message);
  }
  /// Something that is no fault, but may not be as one thinks.
  void Remark(const std::string& what, const std::string& text) { Add("note", what, text); }

  ExitCode Done(ExitCode unhealthy = ExitCode::kFailed) {
    report_.Fact("healthy", healthy_);
    report_.Fact("found", std::move(found_));
    return report_.Done(healthy_ ? ExitCode::kDone : unhealthy);
  }

 private:
  void Add(const std::string& state, const std::string& what, const std::string& text) {
    report_.Hint(state, what + "   " + text);
    found_.push_back({{"state", ToLower(state)}, {"what", what}, {"message", text}});
  }

  Report report_;
  nlohmann::ordered_json found_ = nlohmann::ordered_json::array();
  bool healthy_ = true;
};

/// Write, read and delete a small file.
Status TryWarehouse(Program& program, const std::string& warehouse) {
  const Context& context = program.context();
  CALVE_RETURN_IF_ERROR(program.files().EnsureFolder(context, warehouse));
  const std::string place = warehouse + "/.calve-doctor-" + NewUuidString(*context.random);
  CALVE_RETURN_IF_ERROR(program.files().WriteFile(context, place, "calve"));
  CALVE_ASSIGN_OR_RETURN(const std::string back, program.files().ReadFile(context, place));
  CALVE_RETURN_IF_ERROR(program.files().Delete(context, place));
  return back == "calve" ? Status::Ok()
                         : Status(RefusedError("what was written is not what was read"));
}

/// See that a run of a job could begin: what it would refuse is found by planning it.
void ExamineJob(Program& program, const std::string& id, Examination* examination) {
  const Context& context = program.context();
  std::string blocked_by;
  const auto check = [&]() -> Status {
    CALVE_ASSIGN_OR_RETURN(const pipeline::Job job, program.LoadJob(id));
    CALVE_ASSIGN_OR_RETURN(const auto contract, program.ContractOf(job));
    CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* parts, program.parts());
    const source::Kind* kind = parts->sources.Find(job.source.type);
    CALVE_ASSIGN_OR_RETURN(const auto made,
                           kind->make(job.source.node, {.files = &program.files(),
                                                        .project_folder = program.folder()}));
    CALVE_RETURN_IF_ERROR(made->Check(context));
    CALVE_ASSIGN_OR_RETURN(const pipeline::Resources resources, program.ResourcesFor(job));
    CALVE_ASSIGN_OR_RETURN(
        pipeline::Plan plan,
        pipeline::PlanJob(context, job, contract.has_value() ? &*contract : nullptr, resources));
    blocked_by = std::move(plan.blocked_by);
    return Status::Ok();
  };
  const Status status = check();
  if (status.ok() && !blocked_by.empty()) {
    examination->Remark("job " + id, "waits until branch " + blocked_by + " is decided");
  } else {
    examination->Note("job " + id, status, "its source can be reached, and a run could begin");
  }
}

/// See that a source of config/sources can be reached.
void ExamineSource(Program& program, const std::string& name, Examination* examination) {
  const auto check = [&]() -> Status {
    CALVE_ASSIGN_OR_RETURN(const pipeline::Job job, program.LoadSource(name));
    CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* parts, program.parts());
    const source::Kind* kind = parts->sources.Find(job.source.type);
    CALVE_ASSIGN_OR_RETURN(const auto made,
                           kind->make(job.source.node, {.files = &program.files(),
                                                        .project_folder = program.folder()}));
    return made->Check(program.context());
  };
  examination->Note("source " + name, check(), "it can be reached");
}

Result<ExitCode> Examine(Program& program) {
  const Context& context = program.context();
  Examination examination(program.options.json);
  Result<const config::LoadedProject*> loaded = program.project();
  examination.Note("calve.yaml", StatusOf(loaded), program.folder());
  if (!loaded.ok()) return examination.Done(ExitCode::kConfiguration);
  const config::Project& project = (*loaded)->project;
  examination.Note("warehouse", TryWarehouse(program, project.warehouse),
                   project.warehouse + " can be written and read");
  for (const auto& [name, declared] : project.catalogs) {
    const auto reach = [&]() -> Result<size_t> {
      CALVE_ASSIGN_OR_RETURN(catalog::Catalog * catalog, program.Catalog(name));
      CALVE_ASSIGN_OR_RETURN(const auto namespaces, catalog->ListNamespaces(context, {}));
      return namespaces.size();
    };
    const Result<size_t> namespaces = reach();
    examination.Note(
        "catalog " + name, StatusOf(namespaces),
        declared.type + ", " +
            Counted(namespaces.ok() ? static_cast<int64_t>(*namespaces) : 0, "namespace"));
  }
  Result<std::vector<std::string>> jobs = program.JobIds();
  examination.Note(
      "jobs", StatusOf(jobs),
      jobs.ok() ? FormatCount(static_cast<int64_t>(jobs->size())) + " in config/jobs" : "");
  for (const std::string& id : jobs.ok() ? *jobs : std::vector<std::string>())
    ExamineJob(program, id, &examination);
  Result<std::vector<std::string>> sources = program.SourceNames();
  if (!sources.ok()) examination.Note("sources", StatusOf(sources), "");
  for (const std::string& name : sources.ok() ? *sources : std::vector<std::string>())
    ExamineSource(program, name, &examination);
  Result<std::vector<FoundBranch>> branches = AllBranches(program);
  if (branches.ok()) {
    for (const FoundBranch& branch : *branches)
      examination.Remark("branch " + branch.branch,
                         "of " + branch.table.ToString() + " waits for a decision");
  }
  return examination.Done();
}

}  // namespace

CALVE_PART(doctor) {
  registry.Add(
      {.name = "doctor", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.add_subcommand(
             "doctor",
             "See that configuration, storage, catalogs and sources are as they should be");
         command->callback([&program] { program.todo = [&program] { return Examine(program); }; });
       }});
}

}  // namespace calve::cli
