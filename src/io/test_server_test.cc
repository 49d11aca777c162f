#include "io/test_server.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace calve::io {

std::string SourceFile(const std::string& name) {
  std::error_code ignored;
  std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", ignored);
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    if (std::filesystem::exists(folder / name)) return (folder / name).string();
  }
  return name;
}

TestServer::TestServer() {
  int input[2];
  int output[2];
  if (::pipe(input) != 0 || ::pipe(output) != 0) return;
  const std::string script = SourceFile("tests/services/http_faults.py");
  child_ = ::fork();
  if (child_ == 0) {
    ::dup2(input[0], STDIN_FILENO);
    ::dup2(output[1], STDOUT_FILENO);
    for (const int fd : {input[0], input[1], output[0], output[1]}) ::close(fd);
    ::execlp("python3", "python3", script.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(input[0]);
  ::close(output[1]);
  input_ = input[1];
  std::string line;
  for (char c; ::read(output[0], &c, 1) == 1 && c != '\n';) line += c;
  ::close(output[0]);
  port_ = std::atoi(line.c_str());
}

TestServer::~TestServer() {
  if (input_ >= 0) ::close(input_);
  if (child_ > 0) ::waitpid(child_, nullptr, 0);
}

}  // namespace calve::io
