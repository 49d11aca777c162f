#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/branches.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"

namespace calve::cli {
namespace {

/// Checks one thing after another and prints how each stands.
class Examination {
 public:
  void Note(const std::string& what, const Status& status, const std::string& good) {
    healthy_ = healthy_ && status.ok();
    PrintLine(status.ok() ? "ok" : "FAULT",
              what + "   " + (status.ok() ? good : status.error().message));
  }
  bool healthy() const { return healthy_; }

 private:
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

Result<ExitCode> Examine(Program& program) {
  const Context& context = program.context();
  Examination examination;
  Result<const config::LoadedProject*> loaded = program.project();
  examination.Note("calve.yaml", StatusOf(loaded), program.folder());
  if (!loaded.ok()) return ExitCode::kConfiguration;
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
  for (const std::string& id : jobs.ok() ? *jobs : std::vector<std::string>()) {
    const auto check = [&]() -> Status {
      CALVE_ASSIGN_OR_RETURN(const pipeline::Job job, program.LoadJob(id));
      CALVE_RETURN_IF_ERROR(program.ContractOf(job));
      const source::Kind* kind = (*program.parts())->sources.Find(job.source.type);
      CALVE_ASSIGN_OR_RETURN(const auto made,
                             kind->make(job.source.node, {.files = &program.files(),
                                                          .project_folder = program.folder()}));
      return made->Check(context);
    };
    examination.Note("job " + id, check(),
                     "its configuration is sound and its source can be reached");
  }
  Result<std::vector<FoundBranch>> branches = AllBranches(program);
  if (branches.ok()) {
    for (const FoundBranch& branch : *branches)
      PrintLine("note", "branch " + branch.branch + " of " + branch.table.ToString() +
                            " waits for a decision");
  }
  return examination.healthy() ? ExitCode::kDone : ExitCode::kFailed;
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
