#include <CLI/CLI.hpp>

#include <utility>
#include <vector>

#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"

namespace calve::cli {
namespace {

/// What a new project holds, by place.
const std::vector<std::pair<std::string, std::string>>& ProjectFiles() {
  static const std::vector<std::pair<std::string, std::string>> files = {
      {"calve.yaml",
       R"(# A project needs nothing here: tables lie in the folder warehouse/, their catalog is SQLite in metadata/catalog.db.
# calve schema project prints every key; the reference is docs/reference/project/calve_yaml.md.
warehouse: warehouse
)"},
      {"config/jobs/people.yaml", R"(# calve run people
source:
  type: csv
  source_path: incoming/
  file_pattern: "people*.csv"
  incremental: true
loader:
  type: iceberg
  database: demo
  table: people
)"},
      {"contracts/demo.people.yaml",
       R"(# What demo.people promises. A load that breaks a check of severity fail stays on a branch; main is not moved.
on_new_column: evolve
columns:
  id: {type: long, required: true}
  email: {type: string, required: true}
checks:
  - unique: [id]
  - regex: {column: email, pattern: "[^@ ]+@[^@ ]+"}
    severity: quarantine
)"},
      {"incoming/people.csv", R"(id,name,email,joined
1,Ada,ada@example.com,2026-01-05
2,Grace,grace@example.com,2026-02-17
3,Linus,linus@example.com,2026-03-02
)"},
      {".gitignore", "warehouse/\nmetadata/\n.env\n"},
  };
  return files;
}

Result<ExitCode> InitProject(Program& program, const std::string& folder) {
  const Context& context = program.context();
  const std::string root =
      folder.empty() ? program.folder()
                     : (folder.starts_with('/') ? folder : program.folder() + "/" + folder);
  CALVE_RETURN_IF_ERROR(program.files().EnsureFolder(context, root));
  Report report(program.options.json);
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const auto& [path, text] : ProjectFiles()) {
    const std::string place = root + "/" + path;
    CALVE_RETURN_IF_ERROR(program.files().EnsureFolder(context, place.substr(0, place.rfind('/'))));
    Status made = program.files().CreateIfAbsent(context, place, text);
    if (!made.ok() && made.error().kind != ErrorKind::kAlreadyExists)
      return std::move(made).error();
    report.Hint(made.ok() ? "made" : "kept", path);
    files.push_back({{"file", path}, {"made", made.ok()}});
  }
  report.Fact("folder", root);
  report.Fact("files", std::move(files));
  report.Hint(
      "next",
      std::string(folder.empty() ? "" : "cd " + folder + " && ") +
          "calve plan people && calve run people && calve query \"SELECT * FROM demo.people\"");
  return report.Done();
}

}  // namespace

CALVE_PART(init) {
  registry.Add({.name = "init", .add = [](CLI::App& app, Program& program) {
                  CLI::App* command = app.add_subcommand(
                      "init",
                      "Make a project folder with a small example; files that are there stay");
                  auto folder = std::make_shared<std::string>();
                  command->add_option("FOLDER", *folder, "The folder; the present one otherwise");
                  command->callback([&program, folder] {
                    program.todo = [&program, folder] { return InitProject(program, *folder); };
                  });
                }});
}

}  // namespace calve::cli
