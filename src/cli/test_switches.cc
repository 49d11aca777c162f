#include "cli/test_switches.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "base/text.h"

namespace calve::cli {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

constexpr int kRestartExitCode = 99;

/// A step and the how-manieth time it is reached: step or step:n.
struct Place {
  explicit Place(const std::string& text) : step(text.substr(0, text.find(':'))) {
    const size_t colon = text.find(':');
    if (colon != std::string::npos) count = ParseInteger(text.substr(colon + 1)).value_or(1);
  }
  bool Is(std::string_view reached, int64_t reached_count) const {
    return reached == step && reached_count == count;
  }
  std::string step;
  int64_t count = 1;
};

/// Counts steps and does to the process what the switches say.
class Weather {
 public:
  Weather(TestSwitches switches, std::string folder)
      : switches_(std::move(switches)),
        folder_(std::move(folder)),
        kill_at_(switches_.kill_at),
        stop_at_(switches_.stop_at) {}

  Status Reach(std::string_view step) {
    std::lock_guard lock(mutex_);
    const int64_t count = ++counts_[std::string(step)];
    if (switches_.trace_steps)
      std::fprintf(stderr, "step %s %lld\n", std::string(step).c_str(),
                   static_cast<long long>(count));
    if (kill_at_.Is(step, count)) ::kill(::getpid(), SIGKILL);
    if (stop_at_.Is(step, count)) ::kill(::getpid(), SIGTERM);
    if (switches_.restart && !IsBehindPublish(step) && FirstTimeEver(step))
      std::_Exit(kRestartExitCode);
    if (switches_.lost_commit_reply && step == "catalog.after_swap" && count % 2 == 1) {
      return TransientError("a test has lost the reply of the commit");
    }
    return Status::Ok();
  }

 private:
  /// Whether the rows may be published already when the step is reached: a job without positions
  /// would load them again.
  static bool IsBehindPublish(std::string_view step) {
    return step == "catalog.after_swap" || step == "commit.after_publish" ||
           step == "publish.after";
  }

  /// Whether no process of this project has reached the step before: an empty file for each step
  /// remembers it.
  bool FirstTimeEver(std::string_view step) {
    const std::string marks = folder_ + "/metadata/test_restarts";
    ::mkdir((folder_ + "/metadata").c_str(), 0755);
    ::mkdir(marks.c_str(), 0755);
    const int descriptor =
        ::open((marks + "/" + std::string(step)).c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (descriptor < 0) return false;
    ::close(descriptor);
    return true;
  }

  const TestSwitches switches_;
  const std::string folder_;
  const Place kill_at_;
  const Place stop_at_;
  std::mutex mutex_;
  std::map<std::string, int64_t> counts_;
};

}  // namespace

TestSwitches TestSwitches::FromEnvironment() {
  TestSwitches switches;
  switches.batch_rows = ParseInteger(Variable("CALVE_TEST_BATCH_ROWS"));
  std::string memory = Variable("CALVE_TEST_MEMORY_LIMIT");
  int64_t unit = 1;
  if (memory.ends_with("MB")) {
    unit = 1'000'000;
    memory.resize(memory.size() - 2);
  }
  if (const auto number = ParseInteger(memory)) switches.memory_limit = ByteCount(*number * unit);
  switches.lost_commit_reply = !Variable("CALVE_TEST_LOST_COMMIT_REPLY").empty();
  switches.restart = !Variable("CALVE_TEST_RESTART").empty();
  switches.kill_at = Variable("CALVE_TEST_KILL_AT");
  switches.stop_at = Variable("CALVE_TEST_STOP_AT");
  switches.trace_steps = !Variable("CALVE_TEST_TRACE_STEPS").empty();
  return switches;
}

StepObserver ObserveSteps(const TestSwitches& switches, const std::string& folder) {
  auto weather = std::make_shared<Weather>(switches, folder);
  return [weather](std::string_view step) { return weather->Reach(step); };
}

}  // namespace calve::cli
