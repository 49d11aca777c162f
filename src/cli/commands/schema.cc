#include <CLI/CLI.hpp>

#include "audit/audit.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "config/document.h"
#include "pipeline/job_types.h"

namespace calve::cli {
namespace {

Result<ExitCode> PrintSchema(Program& program, const std::string& what) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* parts, program.parts());
  if (what == "job") {
    config::SchemaOptions options{.title = "calve job", .has_references = true};
    for (const auto& [type, text] : pipeline::JobTypes()) options.template_types.push_back(type);
    Print(config::JsonSchema(pipeline::JobShape(*parts).Describe(), options) + "\n");
  } else if (what == "contract") {
    Print(config::JsonSchema(audit::ContractShape()->Describe(), {.title = "calve contract"}) +
          "\n");
  } else if (what == "project") {
    catalog::Registry catalogs;
    catalog::RegisterParts(catalogs);
    Print(config::JsonSchema(config::ProjectShape(catalogs.parts()).Describe(),
                             {.title = "calve.yaml"}) +
          "\n");
  } else {
    const std::vector<std::string> known = {"job", "contract", "project"};
    return ConfigError("'" + what + "' has no schema; one of " + Join(known, ", ") +
                       DidYouMean(what, known));
  }
  return ExitCode::kDone;
}

/// The reference page of a kind of part.
template <typename Kind>
std::string PageOf(const std::string& type, const Kind& kind) {
  std::string page = config::ReferencePage(kind.part.shape->Describe(), {.type = type});
  if constexpr (requires { kind.details; }) {
    if (!kind.details.empty()) page += "\n" + kind.details;
  }
  return page;
}

/// One line of every kind of part.
template <typename Kinds>
void TellKinds(const char* label, const Kinds& kinds, Report& report) {
  nlohmann::ordered_json told = nlohmann::ordered_json::array();
  for (const auto& [type, kind] : kinds) {
    std::string line = type;
    line.resize(std::max<size_t>(18, line.size() + 1), ' ');
    report.Hint(told.empty() ? label : "", line + kind.meaning);
    told.push_back({{"type", type}, {"meaning", kind.meaning}});
  }
  report.Fact(label, std::move(told));
}

Result<ExitCode> ListConnectors(Program& program, const std::string& page) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* parts, program.parts());
  catalog::Registry catalogs;
  catalog::RegisterParts(catalogs);
  if (page.empty()) {
    Report report(program.options.json);
    TellKinds("source", parts->sources.kinds(), report);
    TellKinds("transform", parts->transforms.kinds(), report);
    TellKinds("check", parts->checks.kinds(), report);
    TellKinds("loader", parts->loaders.kinds(), report);
    TellKinds("catalog", catalogs.kinds(), report);
    return report.Done();
  }
  std::vector<std::string> known;
  std::string text;
  nlohmann::ordered_json schemas = nlohmann::ordered_json::array();
  const auto look = [&](const auto& kinds) {
    for (const auto& [type, kind] : kinds) {
      known.push_back(type);
      if (type != page) continue;
      text += PageOf(type, kind) + "\n";
      schemas.push_back(nlohmann::ordered_json::parse(
          config::JsonSchema(kind.part.shape->Describe(), {.title = type})));
    }
  };
  look(parts->sources.kinds());
  look(parts->transforms.kinds());
  look(parts->checks.kinds());
  look(parts->loaders.kinds());
  look(catalogs.kinds());
  if (text.empty())
    return ConfigError("there is no connector '" + page + "'" + DidYouMean(page, known));
  PrintEither(program.options.json, schemas, text);
  return ExitCode::kDone;
}

/// Write the reference page of everything that has options: <folder>/<room>/<name>.md, and of the
/// files of a project.
Result<ExitCode> WritePages(Program& program, const std::string& folder) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* parts, program.parts());
  catalog::Registry catalogs;
  catalog::RegisterParts(catalogs);
  const Context& context = program.context();
  const std::string root = folder.starts_with('/') ? folder : program.folder() + "/" + folder;
  const auto write = [&](const std::string& path, const std::string& text) -> Status {
    const std::string place = root + "/" + path;
    CALVE_RETURN_IF_ERROR(program.files().EnsureFolder(context, place.substr(0, place.rfind('/'))));
    return StatusOf(program.files().WriteFile(context, place, text,
                                              {.overwrite = io::OverwritePolicy::kReplace}));
  };
  const auto write_all = [&](const std::string& room, const auto& kinds) -> Status {
    for (const auto& [type, kind] : kinds) {
      CALVE_RETURN_IF_ERROR(write(room + "/" + type + ".md", PageOf(type, kind)));
    }
    return Status::Ok();
  };
  CALVE_RETURN_IF_ERROR(write_all("source", parts->sources.kinds()));
  CALVE_RETURN_IF_ERROR(write_all("transform", parts->transforms.kinds()));
  CALVE_RETURN_IF_ERROR(write_all("audit", parts->checks.kinds()));
  CALVE_RETURN_IF_ERROR(write_all("load", parts->loaders.kinds()));
  CALVE_RETURN_IF_ERROR(write_all("catalog", catalogs.kinds()));
  CALVE_RETURN_IF_ERROR(
      write("project/calve_yaml.md",
            config::ReferencePage(config::ProjectShape(catalogs.parts()).Describe(),
                                  {.title = "calve.yaml"})));
  CALVE_RETURN_IF_ERROR(
      write("project/job.md", config::ReferencePage(pipeline::JobShape(*parts).Describe(),
                                                    {.title = "A job: config/jobs/*.yaml"})));
  CALVE_RETURN_IF_ERROR(write("project/contract.md",
                              config::ReferencePage(audit::ContractShape()->Describe(),
                                                    {.title = "A contract: contracts/*.yaml"})));
  return ExitCode::kDone;
}

}  // namespace

CALVE_PART(schema) {
  registry.Add(
      {.name = "schema", .add = [](CLI::App& app, Program& program) {
         CLI::App* command =
             app.add_subcommand("schema", "Print the JSON Schema of a kind of file, for editors");
         auto what = std::make_shared<std::string>("job");
         command->add_option("KIND", *what, "job, contract or project")->capture_default_str();
         command->callback([&program, what] {
           program.todo = [&program, what] { return PrintSchema(program, *what); };
         });
       }});
}

CALVE_PART(connectors) {
  registry.Add(
      {.name = "connectors", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.add_subcommand(
             "connectors", "List what jobs can be made of, or print the reference of one");
         auto page = std::make_shared<std::string>();
         auto folder = std::make_shared<std::string>();
         command->add_option("NAME", *page, "A source, transformer, check, loader or catalog");
         command->add_option("--pages", *folder, "Write every reference page into this folder");
         command->callback([&program, page, folder] {
           program.todo = [&program, page, folder] {
             return folder->empty() ? ListConnectors(program, *page) : WritePages(program, *folder);
           };
         });
       }});
}

}  // namespace calve::cli
