#pragma once

#include <map>
#include <string>

#include "config/fault.h"
#include "config/yaml.h"

namespace calve::config {

/// What the files of a project can refer to, by name: the parsed files of config/sources and
/// config/templates.
struct Definitions {
  std::map<std::string, Node> sources = {};
  std::map<std::string, Node> templates = {};
};

/// Put definitions in the place of references to them, in a job's tree and in its `source`. Run
/// before FillIn.
///
/// `source: {ref: name, ...}` becomes the source of that name; keys beside `ref` win over its own.
///
/// `template: name` with `with: {store: berlin}` becomes the template's keys, with keys beside them
/// winning. In a template
/// `${with.store}` stands for what was given: within a text as text, alone as whatever it is (a
/// list, say). Its own key `parameters: {store: {meaning: ..., default: ...}}` says what may be
/// given, and what must: all without a default.
void ResolveReferences(Node& root, const Definitions& definitions, Faults& faults);

}  // namespace calve::config
