#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "config/edit.h"
#include "config/environment.h"
#include "config/project.h"
#include "config/reference.h"
#include "config/yaml.h"

/// Feed arbitrary bytes to the whole room: parse, fill in, print and read back, read as a project,
/// as JSON and as .env.
///
/// Build with clang, -fsanitize=fuzzer,address,undefined and the sources of base and config; a
/// small corpus of YAML files helps. Beside crashes and hangs it looks for trees that do not
/// survive being printed.

namespace {

using namespace calve::config;

void Demand(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

struct SqlOptions {
  std::string path;
  std::string token;
  static Shape<SqlOptions> Declaration() {
    Shape<SqlOptions> shape("sql catalog");
    shape.Optional("path", &SqlOptions::path, "The file.");
    shape.Optional("token", &SqlOptions::token, "A token.", {.secret = true});
    return shape;
  }
};

Environment SomeEnvironment() {
  Environment environment{.variables = {{"A", "value"}, {"E", ""}, {"R", "${A}"}}};
  environment.read_file = [](const std::string& path) -> calve::Result<std::string> {
    return path;
  };
  return environment;
}

void CheckPrinting(const Node& node) {
  for (const bool flow : {false, true}) {
    calve::config::Faults faults;
    const Node again = ParseYaml(flow ? ToFlowYaml(node) : ToYaml(node), "again", faults,
                                 {.bytes_max = 64 << 20,
                                  .depth_max = 80,
                                  .nodes_max = 1 << 20,
                                  .expanded_bytes_max = 64 << 20});
    // A key of over 1,024 characters is no key to libyaml in flow style; nothing else may be lost.
    const bool long_key = faults.size() > 0 && ToFlowYaml(node).size() > 1000;
    Demand(long_key || (faults.empty() && again.SameAs(node)),
           flow ? "flow style reads back" : "block style reads back");
  }
}

/// Use the tree as a job, as a template and as a source at once.
void CheckReferences(const Node& node) {
  Definitions definitions;
  definitions.templates["a"] = node;
  definitions.sources["a"] = node;
  Faults faults;
  Node job = node;
  ResolveReferences(job, definitions, faults);
  Node user = Node::Mapping();
  user.Set("template", Node::Scalar("a"));
  user.Set("with", node);
  ResolveReferences(user, definitions, faults);
}

void CheckYaml(std::string_view text) {
  Faults faults;
  Node node = ParseYaml(text, "fuzz.yaml", faults);
  for (const Fault& fault : faults.Sorted())
    Demand(!fault.message.empty() && fault.place.line >= 0, "a fault says something");
  if (!faults.empty()) return;
  Demand(!node.is_broken(), "a tree without faults is not broken");
  CheckPrinting(node);
  CheckReferences(node);
  FillIn(node, SomeEnvironment(), faults);
  (void)SetPath(node, "a.0.b", Node::Scalar("x"));
}

void CheckProject(std::string_view text) {
  auto catalogs = std::make_shared<Parts>();
  catalogs->noun = "catalog";
  catalogs->parts = {MakePart<SqlOptions>("sql")};
  const ProjectTexts texts{.calve_yaml = std::string(text),
                           .variables = SomeEnvironment().variables};
  const calve::Result<LoadedProject> project = LoadProject(texts, catalogs);
  if (!project.ok()) {
    Demand(project.error().message.find("nothing was run.") != std::string::npos,
           "faults end on what was not done");
    return;
  }
  Demand(project->project.catalogs.contains(project->project.default_catalog),
         "a project has a default catalog");
  (void)ProjectShape(catalogs).Write(project->project);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckYaml(text);
  CheckProject(text);
  Faults faults;
  const Node json = ParseJson(text, "fuzz.json", faults);
  if (faults.empty()) CheckPrinting(json);
  (void)ParseDotEnv(text, ".env", faults);
  return 0;
}
