#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/context.h"
#include "base/strong.h"

namespace calve::cli {

/// Switches that tests set in the environment to make a run meet bad weather; docs/testing.md lists
/// them. None is set in normal use.
struct TestSwitches {
  std::optional<int64_t> batch_rows;      ///< CALVE_TEST_BATCH_ROWS
  std::optional<ByteCount> memory_limit;  ///< CALVE_TEST_MEMORY_LIMIT, in bytes or as 64MB
  bool lost_commit_reply =
      false;  ///< CALVE_TEST_LOST_COMMIT_REPLY: every second commit is applied, its reply lost
  bool restart = false;  ///< CALVE_TEST_RESTART: end with 99 at the first time that each step
                         ///< before the publish is reached in the project
  std::string kill_at;  ///< CALVE_TEST_KILL_AT=step or step:n : the system kills the process at the
                        ///< n-th time
  std::string stop_at;  ///< CALVE_TEST_STOP_AT=step or step:n : the process is asked to stop, as by
                        ///< Ctrl-C
  bool trace_steps = false;  ///< CALVE_TEST_TRACE_STEPS: print each step to standard error

  static TestSwitches FromEnvironment();
  bool any_steps() const {
    return lost_commit_reply || restart || !kill_at.empty() || !stop_at.empty() || trace_steps;
  }
};

/// The observer that carries the switches out. `folder` is the project's.
StepObserver ObserveSteps(const TestSwitches& switches, const std::string& folder);

}  // namespace calve::cli
