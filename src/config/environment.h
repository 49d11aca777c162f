#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/fault.h"
#include "config/yaml.h"

namespace calve::config {

/// What ${...} in a configuration may refer to. Given by the caller: this room opens no file and
/// asks no system.
struct Environment {
  std::map<std::string, std::string> variables = {};
  /// Read a whole file for ${file:path}; a relative path is relative to the project folder. Empty:
  /// no file can be read.
  std::function<Result<std::string>(const std::string& path)> read_file = {};

  /// A variable's value, or none.
  std::optional<std::string> Get(const std::string& name) const;
};

/// Read a .env file: NAME=value lines, # comments, `export` before a name, 'literal' and "escaped"
/// values.
std::map<std::string, std::string> ParseDotEnv(std::string_view text, std::string_view file,
                                               Faults& faults);

/// Join the process's own variables with those of a .env file. The process's own win.
std::map<std::string, std::string> OverlayEnvironment(
    std::map<std::string, std::string> process, const std::map<std::string, std::string>& dot_env);

/// Fill in ${NAME}, ${NAME:-default} and ${file:path} in every scalar of a tree; $${ stands for a
/// literal ${.
///
/// All values together may have 16 MB. Which files may be read at all is for the caller's read_file
/// to decide.
///
/// :- also replaces an empty variable; its default may hold ${...} itself. A file's last line break
/// is dropped. What can't be filled in is a fault at the scalar's place. No value is ever part of a
/// message.
void FillIn(Node& root, const Environment& environment, Faults& faults);

}  // namespace calve::config
