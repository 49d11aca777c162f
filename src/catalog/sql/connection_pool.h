#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/result.h"

namespace calve::catalog {

/// Connections to one database, opened when they are needed and then kept. Threads: any.
template <typename Connection>
class ConnectionPool {
 public:
  using Open = std::function<Result<std::unique_ptr<Connection>>(const Context& context)>;

  ConnectionPool(size_t connections_max, Open open)
      : connections_max_(connections_max), open_(std::move(open)) {}

  /// Run `work(Connection&)` with a connection that nobody else has meanwhile; waits for one while
  /// all are busy.
  template <typename Work>
  Status With(const Context& context, const Work& work) {
    CALVE_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Take(context));
    Status done = work(*connection);
    Give(std::move(connection));
    return done;
  }

  /// Add a connection that is open already.
  void Give(std::unique_ptr<Connection> connection) {
    {
      std::lock_guard lock(mutex_);
      idle_.push_back(std::move(connection));
    }
    freed_.notify_one();
  }

 private:
  Result<std::unique_ptr<Connection>> Take(const Context& context) {
    {
      std::unique_lock lock(mutex_);
      const bool free = freed_.wait(lock, context.stop,
                                    [&] { return !idle_.empty() || opened_ < connections_max_; });
      if (!free) return StoppedError("stopped on request");
      if (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
      ++opened_;
    }
    Result<std::unique_ptr<Connection>> opened = open_(context);
    if (!opened.ok()) {
      {
        std::lock_guard lock(mutex_);
        --opened_;
      }
      freed_.notify_one();
    }
    return opened;
  }

  const size_t connections_max_;
  const Open open_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<std::unique_ptr<Connection>> idle_;  ///< The last one used last.
  size_t opened_ = 0;
};

}  // namespace calve::catalog
