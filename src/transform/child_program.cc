#include "transform/child_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace calve::transform {
namespace {

constexpr int kLookMs = 100;    ///< How long a wait lasts before it looks whether to stop.
constexpr int kEndLooks = 100;  ///< How often one that has closed its output is seen to end.
constexpr size_t kSaidMax = 2000;

void CloseAt(int* file) {
  if (*file >= 0) ::close(*file);
  *file = -1;
}

void LetNotBlock(int file) { (void)::fcntl(file, F_SETFL, ::fcntl(file, F_GETFL) | O_NONBLOCK); }

}  // namespace

/// Both ends of what a program reads and writes.
struct ChildProgram::Pipes {
  std::array<int, 2> input = {-1, -1};  // A socket: a program that has ended sends no signal by it.
  std::array<int, 2> output = {-1, -1};
  std::array<int, 2> error = {-1, -1};

  bool Open() {
    return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input.data()) == 0 &&
           ::pipe2(output.data(), O_CLOEXEC) == 0 && ::pipe2(error.data(), O_CLOEXEC) == 0;
  }
  ~Pipes() {
    for (auto* pair : {&input, &output, &error}) {
      CloseAt(&(*pair)[0]);
      CloseAt(&(*pair)[1]);
    }
  }
};

ChildProgram::ChildProgram(Options options) : options_(std::move(options)) {}

std::string ChildProgram::shown() const { return "the program " + Join(options_.command, " "); }

Result<std::unique_ptr<ChildProgram>> ChildProgram::Start(Options options) {
  std::unique_ptr<ChildProgram> program(new ChildProgram(std::move(options)));
  Pipes pipes;
  if (!pipes.Open()) return RefusedError("there are no more pipes for " + program->shown());
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, pipes.input[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipes.output[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipes.error[1], STDERR_FILENO);
  if (!program->options_.folder.empty())
    posix_spawn_file_actions_addchdir_np(&actions, program->options_.folder.c_str());
  // A group of its own, so that what it starts can be ended with it.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (const std::string& word : program->options_.command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int failed = ::posix_spawnp(&program->pid_, arguments[0], &actions, &attributes,
                                    arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    program->pid_ = -1;
    return ConfigError("cannot start " + program->shown() + ": " + std::strerror(failed) +
                       "; name a program that is there and may be run, with its path from the "
                       "project's folder or found by PATH");
  }
  program->input_ = std::exchange(pipes.input[0], -1);
  program->output_ = std::exchange(pipes.output[0], -1);
  program->error_ = std::exchange(pipes.error[0], -1);
  for (const int file : {program->input_, program->output_, program->error_}) LetNotBlock(file);
  return program;
}

ChildProgram::~ChildProgram() {
  CloseAt(&input_);
  CloseAt(&output_);
  CloseAt(&error_);
  if (pid_ < 0) return;
  (void)::kill(-pid_, SIGKILL);
  (void)::waitpid(pid_, nullptr, 0);
}

Result<bool> ChildProgram::Move(std::string_view* input, const Take& take, bool* has_all) {
  std::array<pollfd, 3> waited = {
      {{.fd = output_, .events = POLLIN, .revents = 0},
       {.fd = error_, .events = POLLIN, .revents = 0},
       {.fd = input->empty() ? -1 : input_, .events = POLLOUT, .revents = 0}}};
  if (::poll(waited.data(), waited.size(), kLookMs) < 0 && errno != EINTR)
    return RefusedError(shown() + " cannot be listened to: " + std::strerror(errno));
  std::array<char, 65536> bytes{};
  if (waited[1].revents != 0) {
    const ssize_t got = ::read(error_, bytes.data(), bytes.size());
    if (got > 0) said_.append(bytes.data(), static_cast<size_t>(got));
    if (said_.size() > kSaidMax) said_.erase(0, said_.size() - kSaidMax);
    if (got == 0) CloseAt(&error_);
  }
  if (waited[2].revents != 0) {
    const ssize_t put = ::send(input_, input->data(), input->size(), MSG_NOSIGNAL);
    if (put > 0) input->remove_prefix(static_cast<size_t>(put));
    // It reads no more; what it has to say of that comes by its output and its end.
    if (put < 0 && errno != EAGAIN && errno != EINTR) *input = {};
  }
  if (waited[0].revents == 0) return true;
  const ssize_t got = ::read(output_, bytes.data(), bytes.size());
  if (got == 0) return false;
  if (got > 0) {
    CALVE_ASSIGN_OR_RETURN(*has_all, take({bytes.data(), static_cast<size_t>(got)}));
  }
  return true;
}

Status ChildProgram::Exchange(const Context& context, std::string_view input, const Take& take) {
  const Duration until = context.clock->Monotonic() + options_.timeout;
  bool has_all = false;
  while (!has_all || !input.empty()) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(const bool open, Move(&input, take, &has_all));
    if (!open && !has_all) return Ended();
    if (!open) return Status::Ok();
    if (context.clock->Monotonic() > until) {
      return RefusedError(shown() + " has not answered within " +
                          std::to_string(options_.timeout.count() / 1000) +
                          " s; see that it writes a batch for each that it reads, and flushes its "
                          "output, or set timeout to more");
    }
  }
  return Status::Ok();
}

Status ChildProgram::Finish(const Context& context, std::string_view input, const Take& take) {
  const Duration until = context.clock->Monotonic() + options_.timeout;
  bool ignored = false;
  while (true) {
    if (input.empty()) CloseAt(&input_);
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(const bool open, Move(&input, take, &ignored));
    if (!open) break;
    if (context.clock->Monotonic() > until) {
      return RefusedError(shown() +
                          " does not end after its input has; see that it ends when there "
                          "is no more to read, or set timeout to more");
    }
  }
  int status = 0;
  if (::waitpid(std::exchange(pid_, -1), &status, 0) < 0 ||
      (WIFEXITED(status) && WEXITSTATUS(status) == 0))
    return Status::Ok();
  return DataError(shown() + " failed at its end: " + std::string(Trim(said_)));
}

Error ChildProgram::Ended() {
  // What it said last may still be on its way.
  std::string_view nothing;
  bool ignored = false;
  for (int i = 0; i < 10 && error_ >= 0; ++i) {
    if (!Move(&nothing, [](std::string_view) -> Result<bool> { return true; }, &ignored).ok())
      break;
  }
  int status = 0;
  std::string how = "ended too soon";
  bool gone = false;
  for (int i = 0; i < kEndLooks && !gone; ++i) {
    gone = ::waitpid(pid_, &status, WNOHANG) == pid_;
    if (!gone) (void)::poll(nullptr, 0, kLookMs / 10);
  }
  if (gone) {
    pid_ = -1;
    if (WIFEXITED(status)) how = "ended with " + std::to_string(WEXITSTATUS(status));
    if (WIFSIGNALED(status)) how = "was ended by the signal " + std::to_string(WTERMSIG(status));
  }
  const std::string said(Trim(said_));
  return DataError(shown() + " " + how + (said.empty() ? "" : ": " + said) +
                   "; it has to read an Arrow stream and write one, with a batch for each that it "
                   "reads");
}

}  // namespace calve::transform
