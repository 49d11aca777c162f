#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace calve::cli {

/// One way to go on with a command line.
struct Candidate {
  std::string text;
  std::string meaning;  ///< One line; may be empty.
};

/// What can stand in the place of a positional argument such as JOB or TABLE, by that name. Called
/// with the `-C` folder of the line, empty when it has none.
using ValuesOf =
    std::function<std::vector<Candidate>(const std::string& argument, const std::string& folder)>;

/// What may stand in the place of the last of `words`, the program's own name left out: commands,
/// options, or values that `values` knows. Only candidates that begin with that last word; commands
/// and options without a group are hidden.
std::vector<Candidate> Complete(const CLI::App& app, const std::vector<std::string>& words,
                                const ValuesOf& values);

/// A script for `shell` (bash, zsh or fish) that asks `calve __complete` on each press of the key;
/// empty for another shell.
std::string CompletionScript(const std::string& shell);

}  // namespace calve::cli
