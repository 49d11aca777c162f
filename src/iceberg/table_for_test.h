#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/context.h"
#include "iceberg/files.h"
#include "iceberg/metadata.h"
#include "iceberg/produce.h"
#include "iceberg/scan.h"
#include "iceberg/update.h"

// Tables in memory for the tests of this room.

namespace calve::iceberg {

/// Files in a map; counts what is read. Threads: any.
class MapFiles : public Files {
 public:
  Result<std::string> Read(const Context&, const std::string& uri, int64_t) override {
    std::lock_guard lock(mutex_);
    reads_.push_back(uri);
    const auto found = files_.find(uri);
    if (found == files_.end()) return NotFoundError("no file " + uri);
    return found->second;
  }
  Result<std::string> ReadRange(const Context& context, const std::string& uri, int64_t offset,
                                int64_t length) override {
    CALVE_ASSIGN_OR_RETURN(const std::string whole, Read(context, uri, 0));
    return whole.substr(static_cast<size_t>(offset), static_cast<size_t>(length));
  }
  Status Write(const Context&, const std::string& uri, std::string_view bytes) override {
    std::lock_guard lock(mutex_);
    if (!files_.emplace(uri, bytes).second) return AlreadyExistsError("there is a file " + uri);
    return Status::Ok();
  }
  std::vector<std::string> TakeReads() { return std::exchange(reads_, {}); }
  std::map<std::string, std::string>& files() { return files_; }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> files_;
  std::vector<std::string> reads_;
};

/// The value of a Result, or a failed test that says why not.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << ToString(result.error().kind) << ": " << result.error().message;
    std::abort();
  }
  return std::move(result).value();
}

#define EXPECT_OK(expression)                                                            \
  do {                                                                                   \
    const ::calve::Status expect_ok_ = StatusOf(expression);                             \
    EXPECT_TRUE(expect_ok_.ok()) << (expect_ok_.ok() ? "" : expect_ok_.error().message); \
  } while (false)

struct TestTableOptions {
  std::vector<Field> fields = {
      {.id = FieldId(1), .name = "id", .type = Type::Long(), .required = true},
      {.id = FieldId(2), .name = "region", .type = Type::String()},
      {.id = FieldId(3), .name = "amount", .type = Type::Double()}};
  std::vector<PartitionField> partition = {};
  int format_version = 2;
  std::map<std::string, std::string> properties = {};
  uint64_t seed = 1;
};

/// A table whose metadata lives in the test, changed as a catalog would.
class TestTable {
 public:
  explicit TestTable(TestTableOptions options = {}) : context_(options.seed) {
    CreateTableOptions create{.location = "mem://bucket/table",
                              .uuid = "9c12d441-03fe-4693-9a96-a0705ddf69c1",
                              .fields = options.fields,
                              .partition_fields = options.partition,
                              .properties = options.properties};
    create.properties["format-version"] = std::to_string(options.format_version);
    metadata_ = Must(calve::iceberg::Apply(nullptr, Must(CreateTable(create)), {.now_ms = Now()}));
  }

  const Context& context() { return *context_; }
  MapFiles& files() { return files_; }
  const TableMetadata& metadata() const { return metadata_; }
  TableMetadata& mutable_metadata() { return metadata_; }

  ProduceOptions NextOptions(std::string branch = std::string(kMainBranch)) {
    return {.branch = std::move(branch),
            .snapshot_id = NewSnapshotId(*context_->random, &metadata_),
            .commit_uuid = NewUuidString(*context_->random),
            .now_ms = Now()};
  }
  /// Produce a snapshot and make it the head.
  Result<ProducedSnapshot> Commit(const SnapshotChange& change,
                                  std::string branch = std::string(kMainBranch)) {
    CALVE_ASSIGN_OR_RETURN(
        ProducedSnapshot produced,
        ProduceSnapshot(*context_, files_, metadata_, change, NextOptions(std::move(branch))));
    CALVE_RETURN_IF_ERROR(Apply(produced.change));
    return produced;
  }
  Status Apply(const TableChange& change) {
    CALVE_ASSIGN_OR_RETURN(metadata_, calve::iceberg::Apply(&metadata_, change, {.now_ms = Now()}));
    // What was written must be readable again.
    CALVE_ASSIGN_OR_RETURN(metadata_, ParseTableMetadata(SerializeTableMetadata(metadata_)));
    return Status::Ok();
  }
  ScanPlan Plan(const ScanOptions& options = {}) {
    return Must(PlanScan(*context_, files_, metadata_, options));
  }
  ScanPlan PlanBranch(const std::string& branch) {
    return Plan({.snapshot_id = metadata_.FindRef(branch)->id});
  }
  int64_t Now() { return ++now_ms_; }

 private:
  OwnedContext context_;
  MapFiles files_;
  TableMetadata metadata_;
  int64_t now_ms_ = 1'700'000'000'000;
};

inline std::shared_ptr<DataFile> NewDataFile(std::string path, PartitionValues partition = {},
                                             int64_t rows = 10, SpecId spec = SpecId(0)) {
  auto file = std::make_shared<DataFile>();
  file->path = std::move(path);
  file->spec_id = spec;
  file->partition = std::move(partition);
  file->record_count = rows;
  file->file_size_in_bytes = rows * 100;
  return file;
}

inline std::set<std::string> PathsOf(const ScanPlan& plan) {
  std::set<std::string> paths;
  for (const ScanTask& task : plan.tasks)
    EXPECT_TRUE(paths.insert(task.file->path).second) << task.file->path;
  return paths;
}

inline std::set<std::string> PathsOf(const std::vector<DataFilePtr>& files) {
  std::set<std::string> paths;
  for (const DataFilePtr& file : files) paths.insert(file->path);
  return paths;
}

}  // namespace calve::iceberg
