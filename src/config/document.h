#pragma once

#include <string>
#include <vector>

#include "config/description.h"

namespace calve::config {

struct SchemaOptions {
  std::string id;     ///< $id; left out when empty.
  std::string title;  ///< The shape's noun when empty.
  /// Whether the file may be made of a template, or of a type that is one, and its source refer to
  /// another file: see ResolveReferences.
  bool has_references = false;
  std::vector<std::string> template_types = {};
};

/// Print the JSON Schema (draft 2020-12) of a configuration file: two-space indent, keys in order
/// of declaration.
std::string JsonSchema(const ShapeDescription& shape, const SchemaOptions& options = {});

struct PageOptions {
  std::string title;  ///< The heading; the shape's noun when empty.
  int level = 1;      ///< The heading's number of #.
  std::string type;   ///< The part's `type:` line in the example; left out when empty.
};

/// Print the reference page of a shape in Markdown: meaning, a table of every key (nested ones with
/// dots) and an example.
std::string ReferencePage(const ShapeDescription& shape, const PageOptions& options = {});

}  // namespace calve::config
