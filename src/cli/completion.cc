#include "cli/completion.h"

#include <CLI/CLI.hpp>

namespace calve::cli {
namespace {

/// How far a command line has been read: the command it is in, and what the next word would be.
struct Place {
  const CLI::App* app;
  const CLI::Option* open_option = nullptr;  ///< Its value comes next.
  size_t positionals = 0;                    ///< How many are given.
  std::string folder;
};

/// The option called `name` in `app` or, as options fall through, above it.
const CLI::Option* OptionNamed(const CLI::App* app, const std::string& name) {
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      if (!option->get_positional() && option->check_name(name)) return option;
    }
  }
  return nullptr;
}

std::vector<const CLI::Option*> PositionalsOf(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

const CLI::App* SubcommandNamed(const CLI::App& app, const std::string& name) {
  for (const CLI::App* sub : app.get_subcommands({})) {
    if (sub->get_name() == name) return sub;
  }
  return nullptr;
}

Place Walk(const CLI::App& app, const std::vector<std::string>& words) {
  Place place{.app = &app};
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (place.open_option != nullptr) {
      if (place.open_option->check_name("--project")) place.folder = word;
      place.open_option = nullptr;
    } else if (word.starts_with('-')) {
      const CLI::Option* option = OptionNamed(place.app, word);
      if (option != nullptr && option->get_items_expected_min() > 0) place.open_option = option;
    } else if (const CLI::App* sub = SubcommandNamed(*place.app, word); sub != nullptr) {
      place.app = sub;
      place.positionals = 0;
    } else {
      ++place.positionals;
    }
  }
  return place;
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

std::vector<Candidate> OptionsOf(const CLI::App* app) {
  std::vector<Candidate> found;
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_group().empty()) continue;
      for (const std::string& name : option->get_lnames())
        found.push_back({"--" + name, FirstLine(option->get_description())});
    }
  }
  return found;
}

std::vector<Candidate> CommandsOf(const CLI::App& app) {
  std::vector<Candidate> found;
  for (const CLI::App* sub : app.get_subcommands({})) {
    if (!sub->get_group().empty())
      found.push_back({sub->get_name(), FirstLine(sub->get_description())});
  }
  return found;
}

std::vector<Candidate> AllAt(const Place& place, const std::string& word, const ValuesOf& values) {
  if (place.open_option != nullptr) return {};
  if (word.starts_with('-')) return OptionsOf(place.app);
  if (!place.app->get_subcommands({}).empty()) return CommandsOf(*place.app);
  const std::vector<const CLI::Option*> positionals = PositionalsOf(*place.app);
  if (place.positionals >= positionals.size()) return {};
  return values(positionals[place.positionals]->get_name(true), place.folder);
}

constexpr const char* kBash = R"(# calve's completion for bash:  source <(calve completion bash)
_calve() {
  local IFS=$'\n'
  COMPREPLY=($(calve __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1))
  [ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default 2>/dev/null
}
complete -F _calve calve
)";

constexpr const char* kZsh = R"(#compdef calve
# calve's completion for zsh:  source <(calve completion zsh)
_calve() {
  local -a found
  local line
  while IFS=$'\t' read -r line meaning; do
    found+=("${line//:/\\:}${meaning:+:$meaning}")
  done < <(calve __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${#found} )); then _describe calve found; else _files; fi
}
compdef _calve calve
)";

constexpr const char* kFish = R"(# calve's completion for fish:  calve completion fish | source
function __calve_complete
    set -l words (commandline -opc) (commandline -ct)
    calve __complete -- $words[2..-1] 2>/dev/null
end
complete -c calve -a '(__calve_complete)'
)";

}  // namespace

std::vector<Candidate> Complete(const CLI::App& app, const std::vector<std::string>& words,
                                const ValuesOf& values) {
  const std::string word = words.empty() ? std::string() : words.back();
  std::vector<Candidate> found = AllAt(Walk(app, words), word, values);
  std::erase_if(found, [&](const Candidate& one) { return !one.text.starts_with(word); });
  return found;
}

std::string CompletionScript(const std::string& shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  return shell == "fish" ? kFish : "";
}

}  // namespace calve::cli
