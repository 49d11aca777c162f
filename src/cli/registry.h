#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/registry.h"

namespace CLI {
class App;
}

namespace calve::cli {

class Program;

/// One command as it registers itself. It adds its subcommand to `app`; a callback of that
/// subcommand sets Program::todo.
struct Command {
  std::string name;
  std::function<void(CLI::App& app, Program& program)> add;
};

/// All commands, by name. Filled once at start by RegisterParts.
class Registry {
 public:
  void Add(Command command) { commands_.insert_or_assign(command.name, std::move(command)); }
  const std::map<std::string, Command>& commands() const { return commands_; }

 private:
  std::map<std::string, Command> commands_;
};

/// Written by the build: calls every CALVE_PART of this room.
void RegisterParts(Registry& registry);

}  // namespace calve::cli
