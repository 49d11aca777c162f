#pragma once

#include <map>
#include <string>

#include "config/fault.h"
#include "config/yaml.h"

namespace calve::config {

/// A file that others refer to by name, and what is wrong with it: that is told where it is used.
struct Definition {
  Node node;
  Faults faults = {};
};

/// What the files of a project can refer to, by name.
struct Definitions {
  std::map<std::string, Definition> sources = {};    ///< config/sources
  std::map<std::string, Definition> templates = {};  ///< config/templates
  std::map<std::string, Definition> types =
      {};  ///< Templates of the program's own, which a job's `type` names, or `template`.
};

/// Put definitions in the place of references to them, in a job's tree and in its `source`. Run
/// before FillIn.
///
/// `source: {ref: name, ...}` becomes the source of that name; keys beside `ref` win over its own.
///
/// `template: name` with `with: {store: berlin}` becomes the template's keys, with keys beside them
/// winning; `type: name` does so for a type of job that is a template. In a template
/// `${with.store}` stands for what was given: within a text as text, alone as whatever it is (a
/// list, say). Its own key `parameters: {store: {meaning: ..., default: ...}}` says what may be
/// given, and what must: all without a default. A parameter that nothing uses is a fault.
void ResolveReferences(Node& root, const Definitions& definitions, Faults& faults);

}  // namespace calve::config
