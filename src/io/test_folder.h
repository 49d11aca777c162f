#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "io/registry.h"

namespace calve::io {

/// A folder for one test, deleted with everything in it.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "calve-io-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string At(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// How to reach the S3 service that the test run started.
inline Properties TestS3Properties() {
  const auto get = [](const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? otherwise : value);
  };
  return {{"s3.endpoint", get("CALVE_TEST_S3_ENDPOINT", "")},
          {"s3.region", "us-east-1"},
          {"s3.access-key-id", get("CALVE_TEST_S3_KEY", "testadmin")},
          {"s3.secret-access-key", get("CALVE_TEST_S3_SECRET", "testsecret")},
          {"s3.path-style-access", "true"}};
}

}  // namespace calve::io
