#include "cli/completion.h"

#include <CLI/CLI.hpp>

#include "cli/branches.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"

namespace calve::cli {
namespace {

/// Jobs, tables and branches of the project. What can't be read offers nothing: a person who
/// presses the key wants no error in the line.
std::vector<Candidate> ValuesIn(Program& program, const std::string& argument,
                                const std::string& folder) {
  if (!folder.empty()) program.options.folder = folder;
  std::vector<Candidate> found;
  const bool either = argument == "TABLE_OR_JOB";
  if (argument == "JOB" || argument == "JOB_OR_SOURCE" || either) {
    const auto ids = program.JobIds();
    for (const std::string& id : ids.ok() ? *ids : std::vector<std::string>())
      found.push_back({id, ""});
  }
  if (argument == "JOB_OR_SOURCE") {
    const auto names = program.SourceNames();
    for (const std::string& name : names.ok() ? *names : std::vector<std::string>())
      found.push_back({name, "source"});
  }
  if (argument == "TABLE" || either) {
    const auto tables = AllTables(program);
    for (const auto& table : tables.ok() ? *tables : std::vector<Program::NamedTable>())
      found.push_back({table.name.ToString(), ""});
  } else if (argument == "BRANCH") {
    const auto branches = AllBranches(program);
    for (const auto& branch : branches.ok() ? *branches : std::vector<FoundBranch>())
      found.push_back({branch.branch, branch.table.ToString()});
  }
  return found;
}

Result<ExitCode> PrintCandidates(Program& program, const CLI::App& app,
                                 const std::vector<std::string>& words) {
  const auto values = [&](const std::string& argument, const std::string& folder) {
    return ValuesIn(program, argument, folder);
  };
  for (const Candidate& one : Complete(app, words, values))
    Print(one.meaning.empty() ? one.text + "\n" : one.text + "\t" + one.meaning + "\n");
  return ExitCode::kDone;
}

Result<ExitCode> PrintScript(const std::string& shell) {
  const std::string script = CompletionScript(shell);
  if (script.empty())
    return ConfigError("'" + shell + "' is no shell with completion; one of bash, zsh, fish");
  Print(script);
  return ExitCode::kDone;
}

}  // namespace

CALVE_PART(completion) {
  registry.Add(
      {.name = "completion", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.add_subcommand(
             "completion", "Print what makes a shell complete calve's commands, jobs and tables");
         auto shell = std::make_shared<std::string>();
         command->add_option("SHELL", *shell, "bash, zsh or fish")->required();
         command->callback(
             [&program, shell] { program.todo = [shell] { return PrintScript(*shell); }; });

         CLI::App* hidden = app.add_subcommand("__complete", "What a shell asks")->group("");
         auto words = std::make_shared<std::vector<std::string>>();
         hidden->add_option("WORDS", *words, "The words so far, the last one unfinished");
         hidden->callback([&program, &app, words] {
           program.todo = [&program, &app, words] { return PrintCandidates(program, app, *words); };
         });
       }});
}

}  // namespace calve::cli
