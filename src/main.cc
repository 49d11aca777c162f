#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <stop_token>
#include <string_view>
#include <thread>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "columnar/convert.h"
#include "io/file_system_set.h"

namespace {

/// Turns SIGINT and SIGTERM into a stop request; a second one ends the process at once.
class Interrupts {
 public:
  Interrupts() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    waiter_ = std::thread([this] {
      int signal = 0;
      while (sigwait(&signals_, &signal) == 0) {
        if (done_) return;
        if (!source_.request_stop()) std::_Exit(130);
      }
    });
  }
  ~Interrupts() {
    done_ = true;
    pthread_kill(waiter_.native_handle(), SIGTERM);
    waiter_.join();
  }
  std::stop_token token() const { return source_.get_token(); }

 private:
  sigset_t signals_{};
  std::atomic<bool> done_{false};
  std::stop_source source_;
  std::thread waiter_;
};

int Run(int argc, char** argv, std::stop_token stop) {
  using calve::cli::ExitCode;
  calve::cli::Program program(std::move(stop));
  calve::cli::Registry registry;
  calve::cli::RegisterParts(registry);

  CLI::App app("Bring data into an Apache Iceberg lakehouse, proved before anyone can read it.",
               "calve");
  app.set_version_flag("--version", std::string("calve ") + CALVE_VERSION);
  app.add_option("-C,--project", program.options.folder, "The project folder")
      ->capture_default_str();
  app.add_flag("--json", program.options.json, "Print JSON for machines");
  app.add_flag("-v,--verbose", program.options.verbose, "Log to standard error what happens");
  app.add_flag("--plain", program.options.plain, "No bars and no colour, as in a pipe");
  app.require_subcommand(1);
  app.fallthrough();
  for (const auto& [name, command] : registry.commands()) command.add(app, program);
  // A command line that cannot be read has not said so itself.
  const bool json = std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // What is said of a command that is not there should name it.
    const std::vector<std::string> words = app.remaining();
    if (!app.get_subcommands().empty() || words.empty()) {
      if (json) calve::cli::PrintUsageFailure(json, error.what());
      if (!json) app.exit(error);
    } else {
      std::vector<std::string> known;
      for (const auto& [name, command] : registry.commands()) known.push_back(name);
      calve::cli::PrintUsageFailure(json, "there is no command '" + words.front() + "'" +
                                              calve::DidYouMean(words.front(), known) +
                                              "; see calve --help");
    }
    return static_cast<int>(ExitCode::kConfiguration);
  } catch (const CLI::ParseError& error) {
    const bool fault = error.get_exit_code() != 0;
    if (fault && json) calve::cli::PrintUsageFailure(json, error.what());
    if (!fault || !json) app.exit(error);
    return fault ? static_cast<int>(ExitCode::kConfiguration) : 0;
  }
  calve::Result<ExitCode> ended =
      program.todo ? program.todo() : calve::Result<ExitCode>(ExitCode::kConfiguration);
  if (ended.ok()) return static_cast<int>(*ended);
  calve::cli::PrintFailure(json, ended.error());
  return static_cast<int>(calve::cli::ExitCodeOf(ended.error()));
}

}  // namespace

int main(int argc, char** argv) {
  Interrupts interrupts;
  const int code = Run(argc, argv, interrupts.token());
  calve::io::ShutdownCloud();
  return code;
}
