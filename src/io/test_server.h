#pragma once

#include <sys/types.h>

#include <string>

namespace calve::io {

/// The misbehaving HTTP server of tests/services/http_faults.py, for the life of one test program.
class TestServer {
 public:
  TestServer();
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string At(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  int port() const { return port_; }

 private:
  pid_t child_ = -1;
  int input_ = -1;  // its standard input: it ends when this closes
  int port_ = 0;
};

/// A file of the source tree, found above the test program.
std::string SourceFile(const std::string& name);

}  // namespace calve::io
