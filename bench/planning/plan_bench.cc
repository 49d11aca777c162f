// Planning of a large table: 100,000 data files in 10 manifests, 12 columns with full statistics,
// an identity partition, clustered.
//
//     plan_bench make FOLDER     writes the table's metadata (no data files)
//     plan_bench plan FOLDER all|partition|bounds   plans once and prints the time since the
//     process began
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/context.h"
#include "iceberg/metadata.h"
#include "iceberg/produce.h"
#include "iceberg/scan.h"
#include "iceberg/update.h"

namespace {

using namespace calve;
using namespace calve::iceberg;

constexpr int kFiles = 100'000;
constexpr int kManifests = 10;
constexpr int kPartitions = 100;

class FolderFiles : public Files {
 public:
  Result<std::string> Read(const Context&, const std::string& uri, int64_t) override {
    std::ifstream in(uri, std::ios::binary | std::ios::ate);
    if (!in) return NotFoundError("no file " + uri);
    std::string bytes(static_cast<size_t>(in.tellg()), '\0');
    in.seekg(0);
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return bytes;
  }
  Result<std::string> ReadRange(const Context&, const std::string& uri, int64_t, int64_t) override {
    return BugError("not needed here: " + uri);
  }
  Status Write(const Context&, const std::string& uri, std::string_view bytes) override {
    std::ofstream out(uri, std::ios::binary);
    out << bytes;
    return out ? Status::Ok() : Status(TransientError("cannot write " + uri));
  }
};

template <typename T>
T Must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

std::vector<Field> Columns() {
  std::vector<Field> fields = {{.id = FieldId(1), .name = "region", .type = Type::String()},
                               {.id = FieldId(2), .name = "id", .type = Type::Long()}};
  const Type types[] = {Type::TimestampTz(), Type::Double(), Type::Decimal(18, 2), Type::String(),
                        Type::Int()};
  for (int i = 3; i <= 12; ++i) {
    fields.push_back({.id = FieldId(i), .name = "c" + std::to_string(i), .type = types[i % 5]});
  }
  return fields;
}

Value ValueOf(const Type& type, int64_t n) {
  switch (type.kind()) {
    case TypeKind::kString:
      return Value("customer-" + std::to_string(10'000'000 + n));
    case TypeKind::kLong:
      return Value(n);
    case TypeKind::kTimestampTz:
      return Value(1'700'000'000'000'000 + n * 1'000'003);
    case TypeKind::kDouble:
      return Value(static_cast<double>(n) * 1.37);
    case TypeKind::kDecimal:
      return Value(Decimal{static_cast<Int128>(n) * 101});
    default:
      return Value(static_cast<int32_t>(n));
  }
}

DataFilePtr FileOf(int i, const std::vector<Field>& columns) {
  auto file = std::make_shared<DataFile>();
  char name[160];
  const int partition = i / (kFiles / kPartitions);
  std::snprintf(name, sizeof(name),
                "s3://warehouse/db/events/data/region=r%03d/"
                "%05d-%d-8d3b5f0e-7c55-4a3b-9d2e-%012d-00001.parquet",
                partition, i % 1000, i % 97, i);
  file->path = name;
  char region[8];
  std::snprintf(region, sizeof(region), "r%03d", partition);
  file->partition = {Value(std::string(region))};
  file->record_count = 100'000 + i % 777;
  file->file_size_in_bytes = 10'000'000 + i * 13 % 99'991;
  for (const Field& column : columns) {
    file->metrics.column_sizes.Set(column.id, 800'000 + i * 7 % 10'007);
    file->metrics.value_counts.Set(column.id, file->record_count);
    file->metrics.null_value_counts.Set(column.id, i % 13);
    if (column.type.kind() == TypeKind::kDouble) file->metrics.nan_value_counts.Set(column.id, 0);
    const int64_t low = static_cast<int64_t>(i) * 100'000;
    const bool first = column.id == FieldId(1);
    file->metrics.lower_bounds.Set(
        column.id, first ? region : Must(ToBytes(column.type, ValueOf(column.type, low))));
    file->metrics.upper_bounds.Set(
        column.id, first ? region : Must(ToBytes(column.type, ValueOf(column.type, low + 99'999))));
  }
  file->split_offsets = {4, 5'000'000};
  file->sort_order_id = SortOrderId(0);
  return file;
}

int Make(const std::string& folder) {
  OwnedContext context(1);
  FolderFiles files;
  std::filesystem::create_directories(folder + "/metadata");
  const CreateTableOptions create{.location = folder,
                                  .uuid = "9c12d441-03fe-4693-9a96-a0705ddf69c1",
                                  .fields = Columns(),
                                  .partition_fields = {{.source_id = FieldId(1),
                                                        .field_id = FieldId(1000),
                                                        .name = "region",
                                                        .transform = Transform::Identity()}},
                                  .properties = {{"format-version", "2"}}};
  TableMetadata metadata = Must(Apply(nullptr, Must(CreateTable(create)), {.now_ms = 1}));
  for (int m = 0; m < kManifests; ++m) {
    SnapshotChange change;
    for (int i = m * (kFiles / kManifests); i < (m + 1) * (kFiles / kManifests); ++i) {
      change.added_data_files.push_back(FileOf(i, metadata.schema()->fields()));
    }
    const ProduceOptions options{.snapshot_id = SnapshotId(m + 1),
                                 .commit_uuid = NewUuidString(*context->random),
                                 .now_ms = m + 2};
    const ProducedSnapshot made = Must(ProduceSnapshot(*context, files, metadata, change, options));
    metadata = Must(Apply(&metadata, made.change, {.now_ms = m + 2}));
  }
  std::ofstream(folder + "/metadata/v1.metadata.json") << SerializeTableMetadata(metadata);
  return 0;
}

int Plan(const std::string& folder, std::string_view what) {
  const auto begin = std::chrono::steady_clock::now();
  OwnedContext context(1);
  FolderFiles files;
  const std::string json = Must(files.Read(*context, folder + "/metadata/v1.metadata.json", 0));
  const TableMetadata metadata = Must(ParseTableMetadata(json));
  ScanOptions options;
  if (what == "partition")
    options.filter =
        Expression::Compare(Expression::Op::kEqual, FieldId(1), {Value(std::string("r042"))});
  if (what == "bounds")
    options.filter =
        Expression::Compare(Expression::Op::kEqual, FieldId(2), {Value(int64_t{4'200'050'000})});
  const ScanPlan plan = Must(PlanScan(*context, files, metadata, options));
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
  std::printf("%.1f ms, %lld of %lld files, %lld of %lld manifests read\n", spent.count(),
              static_cast<long long>(plan.statistics.files_kept),
              static_cast<long long>(plan.statistics.files_total),
              static_cast<long long>(plan.statistics.manifests_read),
              static_cast<long long>(plan.statistics.manifests_total));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "make" && argc == 3) return Make(argv[2]);
  if (verb == "plan" && argc == 4) return Plan(argv[2], argv[3]);
  std::fprintf(stderr, "usage: plan_bench make FOLDER | plan FOLDER all|partition|bounds\n");
  return 2;
}
