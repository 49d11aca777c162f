// What base shares between threads, under the thread sanitizer too.

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/context.h"
#include "base/executor.h"
#include "base/memory.h"
#include "base/queue.h"
#include "base/retry.h"

namespace calve {
namespace {

TEST(QueueTest, OfManyProducersAndConsumersEveryItemComesOutOnce) {
  ByteQueue<int> queue(ByteCount(64));
  const std::stop_token never;
  constexpr int kProducers = 4;
  constexpr int kItems = 2000;
  std::mutex mutex;
  std::multiset<int> seen;
  {
    std::vector<std::jthread> consumers;
    for (int i = 0; i < 3; ++i) {
      consumers.emplace_back([&] {
        while (const auto item = queue.Pop(never)) {
          std::lock_guard lock(mutex);
          seen.insert(*item);
        }
      });
    }
    {
      std::vector<std::jthread> producers;
      for (int p = 0; p < kProducers; ++p) {
        producers.emplace_back([&, p] {
          for (int i = 0; i < kItems; ++i)
            EXPECT_TRUE(queue.Push(p * kItems + i, ByteCount(1 + i % 100), never));
        });
      }
    }
    queue.Close();
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kProducers * kItems));
  EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), seen.size());
}

TEST(QueueTest, AFullQueueBlocksUntilItIsStopped) {
  ByteQueue<int> queue(ByteCount(10));
  std::stop_source stop;
  EXPECT_TRUE(queue.Push(1, ByteCount(100), stop.get_token()));  // Too large, but alone.
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(queue.Push(2, ByteCount(1), stop.get_token()));
  queue.Close();
  EXPECT_FALSE(queue.Push(3, ByteCount(1), {}));
  EXPECT_EQ(queue.Pop({}), 1);
  EXPECT_EQ(queue.Pop({}), std::nullopt);
}

TEST(ExecutorTest, EveryIndexRunsOnceAndTheFirstErrorByIndexComesBack) {
  Executor executor({.threads = 3});
  std::vector<std::atomic<int>> runs(1000);
  EXPECT_TRUE(executor
                  .ParallelFor(runs.size(),
                               [&](size_t i) {
                                 ++runs[i];
                                 return Status::Ok();
                               })
                  .ok());
  for (const auto& count : runs) EXPECT_EQ(count, 1);
  const Status failed = executor.ParallelFor(100, [](size_t i) -> Status {
    if (i % 10 == 7) return DataError(std::to_string(i));
    return Status::Ok();
  });
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "7");
}

TEST(ExecutorTest, WorkInsideWorkDoesNotWaitForAFreeThread) {
  Executor executor({.threads = 1});
  std::atomic<int> inner = 0;
  EXPECT_TRUE(executor
                  .ParallelFor(4,
                               [&](size_t) {
                                 return executor.ParallelFor(4, [&](size_t) {
                                   ++inner;
                                   return Status::Ok();
                                 });
                               })
                  .ok());
  EXPECT_EQ(inner, 16);
}

TEST(MemoryBudgetTest, WhatIsTakenNeverExceedsTheLimitBesidesWhatCouldNeverFit) {
  MemoryBudget budget(ByteCount(100));
  std::atomic<int64_t> most = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          const ByteCount bytes(1 + (i * 7 + t) % 60);
          ASSERT_TRUE(budget.Reserve(bytes, {}));
          int64_t before = most;
          const int64_t used = budget.used().value();
          while (used > before && !most.compare_exchange_weak(before, used)) {
          }
          budget.Release(bytes);
        }
      });
    }
  }
  EXPECT_LE(most, 100);
  EXPECT_EQ(budget.used(), ByteCount(0));
  EXPECT_TRUE(budget.Reserve(ByteCount(1000), {}));
  EXPECT_TRUE(budget.UnderPressure());
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(budget.Reserve(ByteCount(1), stop.get_token()));
}

TEST(RetryTest, OnlyPassingFaultsAreTriedAgainAndAStopEndsTheWait) {
  const OwnedContext context;
  int calls = 0;
  const RetryPolicy policy{.attempts_max = 3, .first = std::chrono::milliseconds(1)};
  EXPECT_FALSE(Retry(*context, policy, [&] {
                 ++calls;
                 return Status(TransientError("not now"));
               }).ok());
  EXPECT_EQ(calls, 3);
  EXPECT_FALSE(Retry(*context, policy, [&] {
                 ++calls;
                 return Status(RefusedError("never"));
               }).ok());
  EXPECT_EQ(calls, 4);
  std::stop_source stop;
  const RetryPolicy patient{.attempts_max = 3, .first = std::chrono::hours(1)};
  const Status stopped = Retry(context->WithStop(stop.get_token()), patient, [&] {
    stop.request_stop();
    return Status(TransientError("not now"));
  });
  EXPECT_EQ(stopped.error().kind, ErrorKind::kStopped);
}

TEST(RandomTest, ThreadsMayShareIt) {
  Random random(7);
  std::mutex mutex;
  std::set<std::string> ids;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) {
          std::string id = NewUuidString(random);
          std::lock_guard lock(mutex);
          ids.insert(std::move(id));
        }
      });
    }
  }
  EXPECT_EQ(ids.size(), 400U);
}

}  // namespace
}  // namespace calve
