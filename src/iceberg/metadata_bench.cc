// A commit to a table with 500 snapshots: apply one append, then print the metadata (about 150 KB).

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "iceberg/metadata.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr int64_t kSnapshots = 500;
constexpr int kColumns = 12;

Snapshot Append(int64_t number) {
  Snapshot snapshot;
  snapshot.id = SnapshotId(8'000'000'000'000'000 + number);
  if (number > 1) snapshot.parent_id = SnapshotId(8'000'000'000'000'000 + number - 1);
  snapshot.sequence_number = SequenceNumber(number);
  snapshot.timestamp_ms = 1'700'000'000'000 + number;
  snapshot.manifest_list =
      "file:///lake/sales/orders/metadata/snap-" + std::to_string(snapshot.id.value()) + "-1.avro";
  snapshot.operation = Operation::kAppend;
  snapshot.summary = {{"added-data-files", "1"}, {"added-records", "1"}, {"total-records", "500"}};
  snapshot.schema_id = SchemaId(0);
  return snapshot;
}

TableChange AppendChange(int64_t number) {
  const Snapshot snapshot = Append(number);
  return {.requirements = {},
          .updates = {AddSnapshot(snapshot),
                      SetSnapshotRef(std::string(kMainBranch), {.snapshot_id = snapshot.id})}};
}

TableMetadata Must(Result<TableMetadata> metadata) {
  if (!metadata.ok()) std::abort();
  return std::move(*metadata);
}

TableMetadata Table() {
  CreateTableOptions options;
  options.location = "file:///lake/sales/orders";
  options.uuid = "fa6506c3-7681-40c8-86dc-e36561f83385";
  for (int i = 1; i <= kColumns; ++i) {
    options.fields.push_back(
        Field{.id = FieldId(i), .name = "column_" + std::to_string(i), .type = Type::Long()});
  }
  TableMetadata table = Must(Apply(nullptr, *CreateTable(options), {.now_ms = 1}));
  for (int64_t number = 1; number <= kSnapshots; ++number) {
    const std::string previous = "file:///lake/sales/orders/metadata/00" + std::to_string(number) +
                                 "-fa6506c3-7681-40c8-86dc-e36561f83385.metadata.json";
    table = Must(Apply(&table, AppendChange(number),
                       {.now_ms = 1'700'000'000'000 + number, .previous_location = previous}));
  }
  return table;
}

const TableMetadata& OneTable() {
  static const TableMetadata kTable = [] {
    TableMetadata table = Table();
    (void)SerializeTableMetadata(table);
    return table;
  }();
  return kTable;
}

TableMetadata Next() {
  return Must(Apply(&OneTable(), AppendChange(kSnapshots + 1),
                    {.now_ms = 1'800'000'000'000, .previous_location = "file:///lake/m.json"}));
}

void BM_Apply(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Next());
}
BENCHMARK(BM_Apply)->Unit(benchmark::kMicrosecond);

void BM_ApplyAndSerialize(benchmark::State& state) {
  size_t bytes = 0;
  for (auto _ : state) bytes = SerializeTableMetadata(Next()).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_ApplyAndSerialize)->Unit(benchmark::kMicrosecond);

void BM_Parse(benchmark::State& state) {
  const std::string json = SerializeTableMetadata(OneTable());
  for (auto _ : state) benchmark::DoNotOptimize(ParseTableMetadata(json));
}
BENCHMARK(BM_Parse)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace calve::iceberg
