// Decodes a manifest as Iceberg has it: 100,000 entries in 10 files, 12 columns with all
// statistics.

#include <benchmark/benchmark.h>

#include <string>
#include <thread>
#include <vector>

#include "avro/file_reader.h"
#include "avro/file_writer.h"
#include "avro/projection.h"

namespace calve::avro {
namespace {

constexpr int kColumns = 12;
constexpr int64_t kEntriesPerFile = 10'000;
constexpr int kFiles = 10;

std::string Statistics(int id, std::string_view name, std::string_view value_type) {
  const std::string key = std::to_string(id + 1);
  const std::string value = std::to_string(id + 2);
  return R"({"name":")" + std::string(name) + R"(","field-id":)" + std::to_string(id) +
         R"(,"default":null,"type":["null",{"type":"array","logicalType":"map","items":{"type":"record","name":"k)" +
         key + "_v" + value + R"(","fields":[{"name":"key","type":"int","field-id":)" + key +
         R"(},{"name":"value","type":")" + std::string(value_type) + R"(","field-id":)" + value +
         "}]}}]}";
}

std::string ManifestSchema() {
  return R"({"type":"record","name":"manifest_entry","fields":[
    {"name":"status","type":"int","field-id":0},
    {"name":"snapshot_id","type":["null","long"],"default":null,"field-id":1},
    {"name":"sequence_number","type":["null","long"],"default":null,"field-id":3},
    {"name":"file_sequence_number","type":["null","long"],"default":null,"field-id":4},
    {"name":"data_file","field-id":2,"type":{"type":"record","name":"r2","fields":[
      {"name":"content","type":"int","field-id":134},
      {"name":"file_path","type":"string","field-id":100},
      {"name":"file_format","type":"string","field-id":101},
      {"name":"partition","field-id":102,"type":{"type":"record","name":"r102","fields":[
        {"name":"part","type":["null","int"],"default":null,"field-id":1000}]}},
      {"name":"record_count","type":"long","field-id":103},
      {"name":"file_size_in_bytes","type":"long","field-id":104},)" +
         Statistics(108, "column_sizes", "long") + "," + Statistics(109, "value_counts", "long") +
         "," + Statistics(110, "null_value_counts", "long") + "," +
         Statistics(137, "nan_value_counts", "long") + "," +
         Statistics(125, "lower_bounds", "bytes") + "," + Statistics(128, "upper_bounds", "bytes") +
         R"(,
      {"name":"split_offsets","type":["null",{"type":"array","items":"long","element-id":133}],"default":null,"field-id":132},
      {"name":"sort_order_id","type":["null","int"],"default":null,"field-id":140}]}}]})";
}

void WriteCounts(Encoder& encoder, int64_t entry, int64_t scale) {
  encoder.WriteIndex(1);
  encoder.WriteBlockCount(kColumns);
  for (int column = 1; column <= kColumns; ++column) {
    encoder.WriteInt(column);
    encoder.WriteLong((entry * 7919 + column * 104'729) % scale);
  }
  encoder.WriteEnd();
}

void WriteBounds(Encoder& encoder, int64_t entry) {
  encoder.WriteIndex(1);
  encoder.WriteBlockCount(kColumns);
  for (int64_t column = 1; column <= kColumns; ++column) {
    encoder.WriteInt(static_cast<int32_t>(column));
    const int64_t bound = entry * 1'000'003 + column;
    const bool is_text = column % 3 == 0;
    encoder.WriteBytes(is_text ? "customer#" + std::to_string(bound % 1'000'000'007)
                               : std::string(reinterpret_cast<const char*>(&bound), sizeof(bound)));
  }
  encoder.WriteEnd();
}

void WriteEntry(Encoder& encoder, int64_t entry) {
  encoder.WriteInt(1);
  encoder.WriteIndex(1);
  encoder.WriteLong(4'892'347'562'348'975);
  for (int i = 0; i < 2; ++i) {
    encoder.WriteIndex(1);
    encoder.WriteLong(entry % 17);
  }
  encoder.WriteInt(0);
  encoder.WriteString("s3://warehouse/db/orders/data/part=" + std::to_string(entry % 100) +
                      "/00000-" + std::to_string(entry * 2'654'435'761 % 4'294'967'296) +
                      "-7f3c1c52.parquet");
  encoder.WriteString("PARQUET");
  encoder.WriteIndex(1);
  encoder.WriteInt(static_cast<int32_t>(entry % 100));
  encoder.WriteLong(1'000'000 + entry);
  encoder.WriteLong(100'000'000 + entry * 37);
  for (int64_t scale : {10'000'000, 1'000'000, 1000, 2}) WriteCounts(encoder, entry, scale);
  WriteBounds(encoder, entry);
  WriteBounds(encoder, entry + 1);
  encoder.WriteIndex(1);
  encoder.WriteBlockCount(1);
  encoder.WriteLong(4);
  encoder.WriteEnd();
  encoder.WriteIndex(1);
  encoder.WriteInt(0);
}

const std::vector<std::string>& Manifests(CodecName codec) {
  static std::vector<std::string> made[4];
  std::vector<std::string>& files = made[static_cast<int>(codec)];
  if (!files.empty()) return files;
  const Schema schema = std::move(Schema::Parse(ManifestSchema())).value();
  for (int file = 0; file < kFiles; ++file) {
    FileWriterOptions options{.codec = codec};
    options.sync_marker.fill(0x5a);
    FileWriter writer =
        std::move(FileWriter::Open(schema, AppendTo(&files.emplace_back()), options)).value();
    for (int64_t entry = 0; entry < kEntriesPerFile; ++entry) {
      WriteEntry(writer.record(), file * kEntriesPerFile + entry);
      if (!writer.EndRecord().ok()) std::abort();
    }
    if (!writer.Close().ok()) std::abort();
  }
  return files;
}

enum Slot { kStatus, kFile, kPath, kPartition, kRecords, kSize, kLower, kUpper };

/// What a narrow plan reads of each entry, and with `bounds` also what pruning by bounds reads.
int64_t ReadManifest(const std::string& file, bool bounds) {
  FileReader reader = std::move(FileReader::Open(file)).value();
  const Want entry_wants[] = {{0, kStatus}, {2, kFile}};
  std::vector<Want> file_wants = {{100, kPath}, {102, kPartition}, {103, kRecords}, {104, kSize}};
  if (bounds) file_wants.insert(file_wants.end(), {{125, kLower}, {128, kUpper}});
  const Projection entry = Projection::Of(&reader.schema().root(), entry_wants);
  const Projection data_file = Projection::Of(entry.TypeOf(kFile), file_wants);
  const Want partition_wants[] = {{1000, 0}};
  const Projection partition = Projection::Of(data_file.TypeOf(kPartition), partition_wants);

  int64_t sum = 0;
  const auto visit_partition = [&](const Projection::Item&, Decoder& d) { sum += d.ReadInt(); };
  const auto visit_file = [&](const Projection::Item& item, Decoder& d) {
    switch (item.slot) {
      case kPath:
        sum += static_cast<int64_t>(d.ReadString().size());
        break;
      case kPartition:
        partition.Read(d, visit_partition);
        break;
      case kRecords:
      case kSize:
        sum += d.ReadLong();
        break;
      default:
        d.ForEachItem(item.type->element->bytes_min, [&] {
          sum += d.ReadInt();
          sum += static_cast<int64_t>(d.ReadBytes().size());
        });
    }
  };
  const auto visit_entry = [&](const Projection::Item& item, Decoder& d) {
    if (item.slot == kStatus) {
      sum += d.ReadInt();
    } else {
      data_file.Read(d, visit_file);
    }
  };
  while (std::optional<Block> block = reader.Next().value()) {
    Decoder decoder(block->bytes);
    for (int64_t i = 0; i < block->record_count; ++i) entry.Read(decoder, visit_entry);
    if (!decoder.Finish().ok()) std::abort();
  }
  return sum;
}

void DecodeManifests(benchmark::State& state, CodecName codec, bool bounds) {
  const std::vector<std::string>& files = Manifests(codec);
  const auto threads = static_cast<size_t>(state.range(0));
  for (auto unused : state) {
    std::vector<std::jthread> workers;
    for (size_t worker = 0; worker < threads; ++worker) {
      workers.emplace_back([&, worker] {
        for (size_t i = worker; i < files.size(); i += threads) {
          benchmark::DoNotOptimize(ReadManifest(files[i], bounds));
        }
      });
    }
  }
  state.SetItemsProcessed(state.iterations() * kEntriesPerFile * kFiles);
  size_t bytes = 0;
  for (const std::string& file : files) bytes += file.size();
  state.counters["file_bytes"] = static_cast<double>(bytes);
}

BENCHMARK_CAPTURE(DecodeManifests, plain_narrow, CodecName::kNull, false)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(DecodeManifests, plain_bounds, CodecName::kNull, true)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(DecodeManifests, deflate_narrow, CodecName::kDeflate, false)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(DecodeManifests, deflate_bounds, CodecName::kDeflate, true)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(DecodeManifests, zstandard_narrow, CodecName::kZstandard, false)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace calve::avro

BENCHMARK_MAIN();
