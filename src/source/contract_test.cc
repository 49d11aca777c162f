#include <arrow/memory_pool.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/row_text.h"
#include "config/option.h"
#include "io/file_system_set.h"
#include "io/test_folder.h"
#include "source/fixture_for_test.h"
#include "source/registry.h"

namespace calve::source {
namespace {

constexpr std::string_view kSchema =
    "{id: long, price: decimal(18, 2), day: date, at: timestamptz, name: string}";

/// What came out of a source, in the order of the ids.
struct ReadBack {
  std::vector<std::string> rows;
  std::vector<std::string> rejects;
  int64_t rows_read = 0;
  int64_t batch_rows_max = 0;
  int64_t batch_bytes_max = 0;
  int64_t pool_bytes_max = 0;
  bool operator==(const ReadBack& other) const { return rows == other.rows; }
};

std::vector<std::string> ExpectedRows(int64_t first, int64_t count) {
  std::vector<std::string> rows;
  for (int64_t n = first; n < first + count; ++n) {
    const ContractRow row = ContractRowAt(n);
    std::string at = row.AtText();
    at.replace(at.size() - 1, 1, "+00:00");  // For the Z.
    rows.push_back("{\"id\": " + std::to_string(row.id) + ", \"price\": " + row.PriceText() +
                   ", \"day\": " + Quote(row.DayText()) + ", \"at\": " + Quote(at) +
                   ", \"name\": " + (row.name.has_value() ? Quote(*row.name) : "null") + "}");
  }
  return rows;
}

std::string SchemaText(const arrow::Schema& schema) {
  std::string text;
  for (const auto& field : schema.fields()) {
    const auto type = columnar::ToIcebergType(*field->type(), 3);
    text += (text.empty() ? "{" : ", ") + field->name() + ": " +
            (type.ok() ? type->ToString() : field->type()->ToString());
  }
  return text + "}";
}

Status Expect(bool holds, const std::string& otherwise) {
  return holds ? Status::Ok() : Status(DataError(otherwise));
}

Status ExpectRows(const ReadBack& read, int64_t first, int64_t count) {
  const std::vector<std::string> expected = ExpectedRows(first, count);
  CALVE_RETURN_IF_ERROR(
      Expect(read.rejects.empty(), "a good row was rejected: " + Join(read.rejects, "\n")));
  CALVE_RETURN_IF_ERROR(
      Expect(read.rows_read == count, "rows_read is " + std::to_string(read.rows_read)));
  CALVE_RETURN_IF_ERROR(
      Expect(read.rows.size() == expected.size(), std::to_string(read.rows.size()) + " rows"));
  for (size_t i = 0; i < expected.size(); ++i) {
    CALVE_RETURN_IF_ERROR(
        Expect(read.rows[i] == expected[i], "expected " + expected[i] + ", found " + read.rows[i]));
  }
  return Status::Ok();
}

/// What every registered source does. A new kind is found in the registry and must bring a fixture
/// and pass all of it. A test is a clause: it returns why it does not hold.
class SourceContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(columnar::StartArrow().ok());
    RegisterParts(registry_);
    const auto brought = Fixtures().find(GetParam());
    ASSERT_NE(brought, Fixtures().end())
        << "source " << GetParam() << " brings no SOURCE_FIXTURE; write one beside its test";
    fixture_ = brought->second();
    if (!fixture_.server.empty() && std::getenv(fixture_.server.c_str()) == nullptr)
      GTEST_SKIP() << "needs the server that " << fixture_.server
                   << " tells of: tests/services/with";
  }

  /// Require a clause to hold, or to fail where the fixture waives it.
  template <typename Clause>
  void Judge(Clause clause) {
    const Status held = clause();
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    const auto waiver = fixture_.waivers.find(name.substr(0, name.find('/')));
    if (waiver == fixture_.waivers.end()) {
      EXPECT_TRUE(held.ok()) << held.error().message;
    } else {
      EXPECT_FALSE(held.ok()) << "the waiver is stale (" << waiver->second << "): delete it";
    }
  }

  Result<std::unique_ptr<Source>> Make(const std::string& folder, int64_t rows,
                                       bool incremental = false) {
    const std::string yaml =
        fixture_.options(folder, rows) +
        (incremental && !fixture_.is_incremental ? "\nincremental: true\n" : "\n");
    CALVE_ASSIGN_OR_RETURN(const config::Node node, config::ParseYaml(yaml, "job.yaml"));
    return registry_.Find(GetParam())->make(node, {.files = &files_, .project_folder = folder});
  }

  Result<ReadBack> Read(Source& source, const PlanOptions& options) {
    CALVE_ASSIGN_OR_RETURN(const ReadPlan plan, source.Plan(*context_, options));
    ReadBack read;
    for (const Split& split : plan.splits)
      CALVE_RETURN_IF_ERROR(ReadSplit(source, plan, split, &read));
    std::sort(read.rows.begin(), read.rows.end());
    return read;
  }

  /// Read all from the start, and give where that has ended.
  Result<Position> Reached(Source& source) {
    CALVE_ASSIGN_OR_RETURN(const ReadPlan plan, source.Plan(*context_, {}));
    ReadBack read;
    for (const Split& split : plan.splits)
      CALVE_RETURN_IF_ERROR(ReadSplit(source, plan, split, &read));
    if (plan.position_when_read) return plan.position_when_read();
    CALVE_RETURN_IF_ERROR(Expect(plan.position.has_value(), "the plan has no position"));
    return *plan.position;
  }

  /// In a process that is about to die: begin to read, and end it otherwise where that fails.
  void ReadOneBatch(const Position& since) {
    const auto source = Make(folder_.path(), 17, true);
    if (!source.ok()) ::_exit(1);
    const auto plan = (*source)->Plan(*context_, {.since = since, .batch_rows_max = 3});
    if (!plan.ok() || plan->splits.empty()) ::_exit(2);
    for (const Split& split : plan->splits) {
      const auto reader = (*source)->Open(*context_, *plan, split);
      if (!reader.ok()) ::_exit(3);
      const auto batch = (*reader)->Next(*context_);
      if (!batch.ok()) ::_exit(4);
      if (batch->has_value()) ::raise(SIGKILL);  // With all that it has still open.
    }
    ::_exit(5);
  }

  Status ReadSplit(Source& source, const ReadPlan& plan, const Split& split, ReadBack* read) {
    CALVE_ASSIGN_OR_RETURN(const auto reader, source.Open(*context_, plan, split));
    const int64_t pool_before = arrow::default_memory_pool()->bytes_allocated();
    while (true) {
      CALVE_ASSIGN_OR_RETURN(const auto batch, reader->Next(*context_));
      if (!batch.has_value()) return Status::Ok();
      const int64_t pool = arrow::default_memory_pool()->bytes_allocated() - pool_before;
      std::lock_guard lock(mutex_);
      CALVE_RETURN_IF_ERROR(Expect(batch->rows->schema()->Equals(*plan.schema),
                                   "a batch has another schema than the plan"));
      CALVE_RETURN_IF_ERROR(batch->rows->ValidateFull());
      read->rows_read += batch->rows_read;
      read->batch_rows_max = std::max(read->batch_rows_max, batch->rows_read);
      read->batch_bytes_max = std::max(read->batch_bytes_max, columnar::BatchBytes(*batch->rows));
      read->pool_bytes_max = std::max(read->pool_bytes_max, pool);
      for (int64_t row = 0; row < batch->rows->num_rows(); ++row) {
        read->rows.push_back(columnar::RowAsJson(*batch->rows, row));
        CALVE_RETURN_IF_ERROR(Expect(!batch->OriginOf(row).empty(), "a row has no origin"));
      }
      for (const columnar::Reject& reject : batch->rejects)
        read->rejects.push_back(reject.origin + ": " + reject.reason);
    }
  }

  io::TestFolder folder_;
  io::FileSystemSet files_;
  OwnedContext context_{7};
  Registry registry_;
  Fixture fixture_;
  std::mutex mutex_;
};

TEST_P(SourceContract, DiscoverAndPlanAgreeOnExactTypes) {
  Judge([&]() -> Status {
    fixture_.write(folder_.path(), 0, 5);
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(folder_.path(), 5));
    CALVE_RETURN_IF_ERROR(source->Check(*context_));
    CALVE_ASSIGN_OR_RETURN(const auto streams, source->Discover(*context_));
    CALVE_ASSIGN_OR_RETURN(const ReadPlan plan, source->Plan(*context_, {}));
    CALVE_RETURN_IF_ERROR(Expect(streams.size() == 1, "one stream is expected"));
    CALVE_RETURN_IF_ERROR(Expect(!plan.summary.empty(), "the plan has no summary"));
    for (const auto& schema : {streams.front().schema, plan.schema})
      CALVE_RETURN_IF_ERROR(Expect(SchemaText(*schema) == kSchema, SchemaText(*schema)));
    return Status::Ok();
  });
}

TEST_P(SourceContract, AFullReadGivesEveryRowOnceAsItWas) {
  Judge([&]() -> Status {
    fixture_.write(folder_.path(), 0, 100);
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(folder_.path(), 100));
    CALVE_ASSIGN_OR_RETURN(const ReadBack read, Read(*source, {}));
    return ExpectRows(read, 0, 100);
  });
}

TEST_P(SourceContract, BatchesAreAsSmallAsAsked) {
  Judge([&]() -> Status {
    fixture_.write(folder_.path(), 0, 10);
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(folder_.path(), 10));
    CALVE_ASSIGN_OR_RETURN(const ReadBack read, Read(*source, {.batch_rows_max = 3}));
    CALVE_RETURN_IF_ERROR(
        Expect(read.batch_rows_max <= 3, "a batch has " + std::to_string(read.batch_rows_max)));
    return ExpectRows(read, 0, 10);
  });
}

TEST_P(SourceContract, ALargeInputTakesLittleMemory) {
  Judge([&]() -> Status {
    constexpr int64_t kRows = 60'000;  // About 6 MB.
    constexpr int64_t kBatchBytes = 100'000;
    fixture_.write(folder_.path(), 0, kRows);
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(folder_.path(), kRows));
    CALVE_ASSIGN_OR_RETURN(const ReadBack read,
                           Read(*source, {.batch_bytes_max = ByteCount(kBatchBytes)}));
    CALVE_RETURN_IF_ERROR(Expect(read.rows.size() == kRows, "rows are missing"));
    CALVE_RETURN_IF_ERROR(Expect(read.batch_bytes_max <= 4 * kBatchBytes,
                                 std::to_string(read.batch_bytes_max) + " bytes in a batch"));
    return Expect(read.pool_bytes_max <= 3'000'000,
                  std::to_string(read.pool_bytes_max) + " bytes held while reading");
  });
}

TEST_P(SourceContract, SplitsAreReadSideBySide) {
  Judge([&]() -> Status {
    fixture_.write(folder_.path(), 0, 50);
    fixture_.write(folder_.path(), 50, 50);
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(folder_.path(), 100));
    CALVE_ASSIGN_OR_RETURN(const ReadPlan plan, source->Plan(*context_, {}));
    ReadBack read;
    std::vector<Status> ended(plan.splits.size());
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < plan.splits.size(); ++i) {
        threads.emplace_back(
            [&, i] { ended[i] = ReadSplit(*source, plan, plan.splits[i], &read); });
      }
    }
    for (const Status& status : ended) CALVE_RETURN_IF_ERROR(status);
    std::sort(read.rows.begin(), read.rows.end());
    return ExpectRows(read, 0, 100);
  });
}

TEST_P(SourceContract, ItGoesOnFromItsPosition) {
  Judge([&]() -> Status {
    fixture_.write(folder_.path(), 0, 10);
    CALVE_ASSIGN_OR_RETURN(const auto first, Make(folder_.path(), 10, true));
    CALVE_ASSIGN_OR_RETURN(const auto reached, Reached(*first));
    CALVE_RETURN_IF_ERROR(Expect(reached.state.size() <= 8192, "the state is too large"));
    CALVE_ASSIGN_OR_RETURN(const auto again, Make(folder_.path(), 10, true));
    CALVE_ASSIGN_OR_RETURN(const ReadBack nothing, Read(*again, {.since = reached}));
    CALVE_RETURN_IF_ERROR(ExpectRows(nothing, 0, 0));
    fixture_.write(folder_.path(), 10, 7);
    CALVE_ASSIGN_OR_RETURN(const auto later, Make(folder_.path(), 17, true));
    CALVE_ASSIGN_OR_RETURN(const ReadBack read, Read(*later, {.since = reached}));
    return ExpectRows(read, 10, 7);
  });
}

TEST_P(SourceContract, WhatAKilledProcessHadReadIsReadAgain) {
  Judge([&]() -> Status {
    fixture_.write(folder_.path(), 0, 10);
    CALVE_ASSIGN_OR_RETURN(auto first, Make(folder_.path(), 10, true));
    CALVE_ASSIGN_OR_RETURN(const auto reached, Reached(*first));
    first.reset();  // Its connections are no child's.
    fixture_.write(folder_.path(), 10, 7);
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(60);
      ReadOneBatch(reached);
    }
    int ended = 0;
    CALVE_RETURN_IF_ERROR(Expect(::waitpid(child, &ended, 0) == child, "no child was made"));
    CALVE_RETURN_IF_ERROR(Expect(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL,
                                 "the child did not come to its batch: " + std::to_string(ended)));
    CALVE_ASSIGN_OR_RETURN(const auto later, Make(folder_.path(), 17, true));
    CALVE_ASSIGN_OR_RETURN(const ReadBack read, Read(*later, {.since = reached}));
    return ExpectRows(read, 10, 7);
  });
}

TEST_P(SourceContract, APositionOfAnotherKindIsRefused) {
  Judge([&]() -> Status {
    fixture_.write(folder_.path(), 0, 3);
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(folder_.path(), 3, true));
    const Position other{.state = R"({"version": 1, "kind": "another"})", .ledger = ""};
    const auto plan = source->Plan(*context_, {.since = other});
    CALVE_RETURN_IF_ERROR(Expect(!plan.ok(), "it was taken"));
    return Expect(plan.error().kind == ErrorKind::kData, plan.error().message);
  });
}

TEST_P(SourceContract, MissingInputIsNotFoundAndNamed) {
  Judge([&]() -> Status {
    const std::string nowhere = folder_.At("not_there");
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(nowhere, 3));
    for (const Status& status : {source->Check(*context_), StatusOf(source->Plan(*context_, {}))}) {
      CALVE_RETURN_IF_ERROR(Expect(!status.ok(), "nobody missed it"));
      CALVE_RETURN_IF_ERROR(
          Expect(status.error().kind == ErrorKind::kNotFound, status.error().message));
      CALVE_RETURN_IF_ERROR(Expect(status.error().message.find("not_there") != std::string::npos,
                                   status.error().message));
    }
    return Status::Ok();
  });
}

TEST_P(SourceContract, NoInputIsNoFault) {
  Judge([&]() -> Status {
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(folder_.path(), 0));
    CALVE_RETURN_IF_ERROR(source->Check(*context_));
    CALVE_ASSIGN_OR_RETURN(const ReadPlan plan, source->Plan(*context_, {}));
    return Expect(plan.splits.empty(), "there are splits to read");
  });
}

TEST_P(SourceContract, AStopIsHeardBeforeAndBetweenBatches) {
  Judge([&]() -> Status {
    fixture_.write(folder_.path(), 0, 10);
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(folder_.path(), 10));
    CALVE_ASSIGN_OR_RETURN(const ReadPlan plan, source->Plan(*context_, {.batch_rows_max = 3}));
    std::stop_source stop;
    const Context stoppable = context_->WithStop(stop.get_token());
    CALVE_ASSIGN_OR_RETURN(const auto reader, source->Open(stoppable, plan, plan.splits.front()));
    CALVE_RETURN_IF_ERROR(reader->Next(stoppable));
    stop.request_stop();
    for (const Status& status :
         {StatusOf(reader->Next(stoppable)), StatusOf(source->Plan(stoppable, {}))}) {
      CALVE_RETURN_IF_ERROR(
          Expect(!status.ok() && status.error().kind == ErrorKind::kStopped, "it went on"));
    }
    return Status::Ok();
  });
}

TEST_P(SourceContract, AMisspeltOptionIsRefusedAtItsPlaceWithTheNearestName) {
  Judge([&]() -> Status {
    CALVE_ASSIGN_OR_RETURN(config::Node node,
                           config::ParseYaml(fixture_.options(folder_.path(), 1), "job.yaml"));
    config::Node::Entry& entry = node.entries().front();
    const std::string key = entry.key;
    entry.key += "x";
    config::Faults faults;
    registry_.Find(GetParam())->part.shape->Validate(node, {.faults = faults});
    const std::string said = faults.Render();
    for (const std::string& part : {std::string("job.yaml:1:1"), "did you mean '" + key + "'"})
      CALVE_RETURN_IF_ERROR(Expect(said.find(part) != std::string::npos, said));
    return Status::Ok();
  });
}

TEST_P(SourceContract, BrokenInputIsNamedByFileAndPlace) {
  Judge([&]() -> Status {
    CALVE_RETURN_IF_ERROR(Expect(!fixture_.broken.empty(), "the fixture has no broken input"));
    for (const BrokenInput& broken : fixture_.broken) {
      const io::TestFolder folder;
      broken.write(folder.path());
      std::string said;
      Result<std::unique_ptr<Source>> source = Make(folder.path(), -1);
      const auto read = source.ok() ? Read(**source, {}) : Result<ReadBack>(source.error());
      said = read.ok() ? Join(read->rejects, "\n") : read.error().message;
      for (const std::string& part : broken.says) {
        CALVE_RETURN_IF_ERROR(Expect(said.find(part) != std::string::npos,
                                     broken.name + ": '" + part + "' is not in: " + said));
      }
    }
    return Status::Ok();
  });
}

std::vector<std::string> AllKinds() {
  Registry registry;
  RegisterParts(registry);
  std::vector<std::string> kinds;
  for (const auto& [type, kind] : registry.kinds()) kinds.push_back(type);
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(Registered, SourceContract, testing::ValuesIn(AllKinds()),
                         [](const auto& info) { return info.param; });

TEST(SourceFixtures, BelongToSourcesAndWaiveClausesThatExist) {
  std::set<std::string> clauses;
  const auto& unit = *testing::UnitTest::GetInstance();
  for (int i = 0; i < unit.total_test_suite_count(); ++i) {
    const auto& suite = *unit.GetTestSuite(i);
    if (std::string_view(suite.name()).find("SourceContract") == std::string_view::npos) continue;
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const std::string name = suite.GetTestInfo(j)->name();
      clauses.insert(name.substr(0, name.find('/')));
    }
  }
  const std::vector<std::string> kinds = AllKinds();
  for (const auto& [type, make] : Fixtures()) {
    EXPECT_NE(std::find(kinds.begin(), kinds.end(), type), kinds.end()) << type;
    for (const auto& [clause, reason] : make().waivers) {
      EXPECT_TRUE(clauses.contains(clause)) << type << " waives " << clause;
      EXPECT_FALSE(reason.empty()) << type << " waives " << clause;
    }
  }
}

}  // namespace
}  // namespace calve::source
