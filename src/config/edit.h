#pragma once

#include <string_view>

#include "base/result.h"
#include "config/yaml.h"

namespace calve::config {

/// Set the value at a dotted path such as source.source_path, making mappings on the way.
///
/// A part of the path that is a whole number steps into a list. Fails with kConfig when the path
/// leads through a scalar or past a list's end. A key that has a dot itself can't be named by a
/// path.
Status SetPath(Node& root, std::string_view path, Node value);
/// The value at a dotted path, or null.
const Node* FindPath(const Node& root, std::string_view path);

/// Lay one tree over another: mappings are joined key by key, anything else replaces what was
/// there.
void Overlay(Node& base, const Node& over);

}  // namespace calve::config
