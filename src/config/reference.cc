#include "config/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/text.h"
#include "config/edit.h"
#include "config/option.h"

namespace calve::config {

namespace {

constexpr int kDepthMax = 8;  ///< Templates that use templates, sources that refer to sources.

/// What a template says about one of its parameters.
struct ParameterOptions {
  std::string meaning;
  Node default_value;

  static Shape<ParameterOptions> Declaration() {
    Shape<ParameterOptions> shape("template parameter", "What a template is told by `with`.");
    shape.Optional("meaning", &ParameterOptions::meaning, "What it is for.");
    shape.Optional("default", &ParameterOptions::default_value,
                   "Taken when it is not given; without one it must be given.");
    return shape;
  }
};

struct ParameterList {
  std::vector<std::pair<std::string, ParameterOptions>> parameters;

  static Shape<ParameterList> Declaration() {
    Shape<ParameterList> shape("template");
    shape.Optional("parameters", &ParameterList::parameters, "What may be given by `with`.");
    return shape;
  }
};

using Arguments = std::map<std::string, Node, std::less<>>;

using DefinitionMap = std::map<std::string, Definition>;

/// Find what a key names, or say what there is.
const Node* Find(const DefinitionMap& definitions, const DefinitionMap& types, const Node& name,
                 std::string_view kind, Faults& faults) {
  if (!name.is_scalar() || name.text().empty()) {
    faults.Add(name.place(), fmt::format("expected the name of a {}", kind), "write one");
    return nullptr;
  }
  std::vector<std::string> names;
  for (const DefinitionMap* known : {&definitions, &types}) {
    const auto found = known->find(name.text());
    for (const auto& [known_name, definition] : *known) names.push_back(known_name);
    if (found == known->end()) continue;
    const Faults& own = found->second.faults;
    for (const Fault& fault : own.Sorted()) faults.Add(fault.place, fault.message, fault.hint);
    return own.empty() ? &found->second.node : nullptr;
  }
  const std::string near = DidYouMean(name.text(), names);
  faults.Add(name.place(), fmt::format("there is no {} {}", kind, QuoteForMessage(name.text())),
             !near.empty()   ? near.substr(2)
             : names.empty() ? fmt::format("config/{}s holds none", kind)
                             : "one of " + Join(names, ", "));
  return nullptr;
}

/// Puts arguments in the place of ${with.name} in a template's body.
class Substitution {
 public:
  Substitution(const Arguments& arguments, Faults& faults)
      : arguments_(arguments), faults_(faults) {}

  /// What stood in place of something.
  const std::set<std::string>& used() const { return used_; }

  void Apply(Node& node) {
    for (Node& item : node.items()) Apply(item);
    for (Node::Entry& entry : node.entries()) Apply(entry.value);
    if (node.is_scalar() && node.text().find(kOpen) != std::string::npos) ApplyToText(node);
  }

 private:
  static constexpr std::string_view kOpen = "${with.";

  void ApplyToText(Node& node) {
    const std::string text = node.text();
    std::string out;
    for (size_t i = 0; i < text.size();) {
      const std::string_view rest = std::string_view(text).substr(i);
      if (rest.starts_with("$${")) {
        out += "$${";
        i += 3;
        continue;
      }
      const size_t end = rest.find('}');
      if (!rest.starts_with(kOpen) || end == std::string_view::npos) {
        out += text[i++];
        continue;
      }
      const Node* argument =
          Argument(std::string(rest.substr(kOpen.size(), end - kOpen.size())), node);
      if (argument == nullptr) return;
      if (rest.size() == text.size() && end + 1 == text.size()) {
        node = *argument;
        return;
      }
      if (!argument->is_scalar()) {
        faults_.Add(node.place(),
                    fmt::format("{} is no single value, so it can't be part of a text",
                                QuoteForMessage(rest.substr(0, end + 1))),
                    "let it stand alone");
        node.MarkBroken();
        return;
      }
      out += argument->text();
      i += end + 1;
    }
    const Place place = node.place();
    node = Node::Scalar(std::move(out), node.quoted());
    node.set_place(place);
  }

  const Node* Argument(const std::string& name, Node& node) {
    used_.insert(name);
    const auto found = arguments_.find(name);
    if (found != arguments_.end()) return &found->second;
    std::vector<std::string> known;
    for (const auto& [parameter, argument] : arguments_) known.push_back(parameter);
    const std::string near = DidYouMean(name, known);
    faults_.Add(node.place(),
                fmt::format("{} is no parameter of this template", QuoteForMessage(name)),
                near.empty() ? "declare it under parameters" : near.substr(2));
    node.MarkBroken();
    return nullptr;
  }

  const Arguments& arguments_;
  Faults& faults_;
  std::set<std::string> used_;
};

/// What the parameters of a template stand for in one use of it; none after a fault.
std::optional<Arguments> TakeArguments(const ParameterList& declared, const Node& name,
                                       const Node* with, Faults& faults) {
  const size_t before = faults.size();
  Arguments arguments;
  std::vector<std::string> known;
  for (const auto& [parameter, options] : declared.parameters) {
    known.push_back(parameter);
    if (!options.default_value.is_null()) arguments[parameter] = options.default_value;
  }
  if (with != nullptr && !with->is_null() && !with->is_mapping()) {
    faults.Add(with->place(), "with is a mapping of names to values, not a list or a single value",
               "write {name: value}");
    return std::nullopt;
  }
  std::vector<std::string> meant;
  for (const Node::Entry& given : with == nullptr ? std::vector<Node::Entry>() : with->entries()) {
    if (std::find(known.begin(), known.end(), given.key) != known.end()) {
      arguments[given.key] = given.value;
      continue;
    }
    if (faults.is_full()) return std::nullopt;
    const std::vector<std::string> near = NearestNames(given.key, known);
    meant.insert(meant.end(), near.begin(), near.end());
    faults.Add(given.key_place,
               fmt::format("template {} has no parameter {}", QuoteForMessage(name.text()),
                           QuoteForMessage(given.key)),
               !near.empty()   ? DidYouMean(given.key, known).substr(2)
               : known.empty() ? "it takes none"
                               : "one of " + Join(known, ", "));
  }
  for (const std::string& parameter : known) {
    if (arguments.contains(parameter) ||
        std::find(meant.begin(), meant.end(), parameter) != meant.end())
      continue;
    faults.Add(name.place(),
               fmt::format("template {} needs '{}'", QuoteForMessage(name.text()), parameter),
               fmt::format("write with: {{{}: ...}}", parameter));
  }
  return faults.size() == before ? std::optional(std::move(arguments)) : std::nullopt;
}

/// Lay the keys of `node`, without the ones that refer, over `base`.
void Replace(Node& node, Node base) {
  base.set_place(node.place());
  Overlay(base, node);
  base.set_place(node.place());
  node = std::move(base);
}

/// The parameters that a template declares and never uses are faults of its own.
void AddUnused(const Node& definition, const std::set<std::string>& used, const Node& name,
               Faults& faults) {
  const Node* parameters = definition.Find("parameters");
  if (parameters == nullptr) return;
  for (const Node::Entry& entry : parameters->entries()) {
    if (used.contains(entry.key)) continue;
    faults.Add(entry.key_place,
               fmt::format("template {} never uses its parameter {}", QuoteForMessage(name.text()),
                           QuoteForMessage(entry.key)),
               fmt::format("write ${{with.{}}} where it belongs, or leave it out", entry.key));
  }
}

/// The name of the template that a mapping is made of; nothing when it is of none.
std::optional<Node> TemplateOf(const Node& node, const Definitions& definitions, bool is_job) {
  if (!node.is_mapping()) return std::nullopt;
  if (const Node* name = node.Find("template")) return *name;
  const Node* type = is_job ? node.Find("type") : nullptr;
  const bool is_known =
      type != nullptr && type->is_scalar() && definitions.types.contains(type->text());
  return is_known ? std::optional(*type) : std::nullopt;
}

/// Expand one mapping's `template`, and a job's `type`, until it has none.
void ExpandTemplates(Node& node, const Definitions& definitions, Faults& faults,
                     bool is_job = false) {
  for (int depth = 0;; ++depth) {
    const std::optional<Node> given = TemplateOf(node, definitions, is_job);
    if (!given.has_value()) return;
    const Node& name = *given;
    const Node* with_given = node.Find("with");
    const std::optional<Node> with =
        with_given == nullptr ? std::nullopt : std::optional(*with_given);
    if (!node.Remove("template")) node.Remove("type");
    node.Remove("with");
    if (depth == kDepthMax) {
      faults.Add(name.place(), fmt::format("templates use each other more than {} deep", kDepthMax),
                 "flatten them");
      node.MarkBroken();
      return;
    }
    const Node* found = Find(definitions.templates, definitions.types, name, "template", faults);
    if (found == nullptr) {
      node.MarkBroken();
      return;
    }
    Node declaration = Node::Mapping();
    declaration.set_place(found->place());
    if (const Node* parameters = found->Find("parameters"))
      declaration.Set("parameters", *parameters);
    const size_t before = faults.size();
    const ParameterList declared = ParameterList::Declaration().Read(declaration, {faults});
    const std::optional<Arguments> arguments =
        faults.size() == before ? TakeArguments(declared, name, with ? &*with : nullptr, faults)
                                : std::nullopt;
    if (!arguments.has_value()) {
      node.MarkBroken();
      return;
    }
    Node body = *found;
    body.Remove("parameters");
    Substitution substitution(*arguments, faults);
    substitution.Apply(body);
    AddUnused(*found, substitution.used(), name, faults);
    Replace(node, std::move(body));
  }
}

/// Expand one mapping's `ref` until it has none.
void ExpandReference(Node& node, const Definitions& definitions, Faults& faults) {
  for (int depth = 0; node.is_mapping() && node.Find("ref") != nullptr; ++depth) {
    const Node name = *node.Find("ref");
    node.Remove("ref");
    if (depth == kDepthMax) {
      faults.Add(name.place(),
                 fmt::format("sources refer to each other more than {} deep", kDepthMax),
                 "flatten them");
      node.MarkBroken();
      return;
    }
    const Node* found = Find(definitions.sources, {}, name, "source", faults);
    if (found == nullptr) {
      node.MarkBroken();
      return;
    }
    Replace(node, *found);
    ExpandTemplates(node, definitions, faults);
  }
}

}  // namespace

void ResolveReferences(Node& root, const Definitions& definitions, Faults& faults) {
  ExpandTemplates(root, definitions, faults, /*is_job=*/true);
  Node* source = root.Find("source");
  if (source == nullptr) return;
  ExpandTemplates(*source, definitions, faults);
  ExpandReference(*source, definitions, faults);
}

}  // namespace calve::config
