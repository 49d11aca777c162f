#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "engine/engine.h"
#include "io/file_system_set.h"

namespace calve::engine {

/// An engine with one thread over local files, for tests of rooms that are given one.
class TestEngine {
 public:
  TestEngine() {
    auto opened = OpenDuckDb(files_, {.threads = 1});
    EXPECT_TRUE(opened.ok());
    if (opened.ok()) engine_ = std::move(*opened);
  }
  Engine& operator*() { return *engine_; }
  Engine* get() { return engine_.get(); }

 private:
  io::FileSystemSet files_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace calve::engine
