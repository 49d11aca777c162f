#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"

namespace calve::transform {

/// A program of the user's that is given bytes on its standard input and gives bytes on its output.
/// Ended, with what it has started, when this goes. For one thread.
class ChildProgram {
 public:
  struct Options {
    std::vector<std::string> command;  ///< The program, found as a shell would, and its arguments.
    std::string folder;                ///< Where it runs; empty: here.
    std::chrono::milliseconds timeout = std::chrono::minutes(5);  ///< Of one exchange.
  };
  /// Takes what the program gives; true once that is all that is waited for.
  using Take = std::function<Result<bool>(std::string_view bytes)>;

  /// Start it. Fails with kConfig when there is no such program.
  static Result<std::unique_ptr<ChildProgram>> Start(Options options);
  ~ChildProgram();
  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;

  /// Give it `input` and take what it gives, until `take` has all. Fails with kData when it ends
  /// before, with the last that it said on its standard error; with kRefused after the timeout.
  Status Exchange(const Context& context, std::string_view input, const Take& take);
  /// Give it `input` and close that, take what else it gives, and see that it ends well.
  Status Finish(const Context& context, std::string_view input, const Take& take);

 private:
  struct Pipes;
  explicit ChildProgram(Options options);
  /// Move what can be moved within a moment. Gives false once its output is closed.
  Result<bool> Move(std::string_view* input, const Take& take, bool* has_all);
  Error Ended();
  std::string shown() const;

  const Options options_;
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  int error_ = -1;
  std::string said_;  ///< The end of what it said on its standard error.
};

}  // namespace calve::transform
