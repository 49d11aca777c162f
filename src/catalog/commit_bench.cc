// Commits to a sql catalog on SQLite, synced: each thread to a table of its own, as a server does
// them. Prints commits a second.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "catalog/registry.h"
#include "io/file_system_set.h"

namespace calve::catalog {
namespace {

/// A catalog in a folder that goes when the process ends.
class Lake {
 public:
  Lake() : files_(io::Properties()) {
    std::string name = std::filesystem::temp_directory_path() / "calve-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    Registry registry;
    RegisterParts(registry);
    auto made = registry.Make({.type = "sql"}, {.name = "bench",
                                                .warehouse = "file://" + folder_ + "/lake",
                                                .project_folder = folder_,
                                                .files = &files_});
    if (!made.ok()) std::abort();
    catalog_ = std::move(*made);
    OwnedContext context(1);
    if (!catalog_->CreateNamespace(*context, {"sales"}, {}).ok()) std::abort();
  }
  ~Lake() { std::filesystem::remove_all(folder_); }

  Catalog& catalog() { return *catalog_; }

 private:
  io::FileSystemSet files_;
  std::string folder_;
  std::unique_ptr<Catalog> catalog_;
};

void MakeTable(const Context& context, Catalog& catalog, const TableName& table) {
  iceberg::CreateTableOptions options;
  options.location = *catalog.NewTableLocation(context, table);
  options.uuid = NewUuidString(*context.random);
  options.fields = {
      iceberg::Field{.id = iceberg::FieldId(1), .name = "id", .type = iceberg::Type::Long()}};
  (void)catalog.Commit(context, {{.table = table, .change = *iceberg::CreateTable(options)}});
}

void BM_Commit(benchmark::State& state) {
  static Lake lake;
  OwnedContext context(static_cast<uint64_t>(state.thread_index()) + 1);
  const TableName table{{"sales"}, "t" + NewUuidString(*context->random)};
  MakeTable(*context, lake.catalog(), table);
  int64_t number = 0;
  for (auto _ : state) {
    ++number;
    iceberg::Snapshot snapshot;
    snapshot.id = iceberg::SnapshotId(number);
    if (number > 1) snapshot.parent_id = iceberg::SnapshotId(number - 1);
    snapshot.sequence_number = iceberg::SequenceNumber(number);
    snapshot.timestamp_ms = 1'700'000'000'000;
    snapshot.manifest_list = "file:///lake/sales/t/metadata/snap-1.avro";
    snapshot.operation = iceberg::Operation::kAppend;
    snapshot.summary = {{"added-records", "1"}};
    const CommitOutcome outcome = lake.catalog().Commit(
        *context,
        {{.table = table,
          .change = {.requirements = {},
                     .updates = {iceberg::AddSnapshot(snapshot),
                                 iceberg::SetSnapshotRef(std::string(iceberg::kMainBranch),
                                                         {.snapshot_id = snapshot.id})}}}});
    if (!std::holds_alternative<Committed>(outcome)) std::abort();
  }
  state.SetItemsProcessed(number);
}
BENCHMARK(BM_Commit)->Threads(1)->Threads(8)->Iterations(500)->UseRealTime();

}  // namespace
}  // namespace calve::catalog
