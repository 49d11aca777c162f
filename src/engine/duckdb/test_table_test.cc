#include <arrow/json/from_string.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "catalog/table_files.h"
#include "columnar/convert.h"
#include "engine/duckdb/test_table.h"
#include "iceberg/deletion_vector.h"
#include "io/arrow_bridge.h"

namespace calve::engine {
namespace {

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << ToString(result.error().kind) << ": " << result.error().message;
    std::abort();
  }
  return std::move(result).value();
}

std::shared_ptr<arrow::Field> WithId(const std::string& name,
                                     const std::shared_ptr<arrow::DataType>& type,
                                     iceberg::FieldId id) {
  return arrow::field(name, type, false,
                      arrow::key_value_metadata(
                          {{std::string(columnar::kFieldIdKey), std::to_string(id.value())}}));
}

}  // namespace

TestTable::TestTable(const Context& context, io::FileSystem& files, std::string location,
                     const Options& options)
    : context_(context), files_(files), location_(std::move(location)) {
  iceberg::CreateTableOptions create;
  create.location = location_;
  create.uuid = "9c12d441-03fe-4693-9a96-a0705ddf69c1";
  create.fields = options.fields;
  create.partition_fields = options.partition;
  create.properties = options.properties;
  const auto change = Must(iceberg::CreateTable(create));
  metadata_ = std::make_shared<iceberg::TableMetadata>(
      Must(iceberg::Apply(nullptr, change, {.now_ms = now_ms_})));
}

std::string TestTable::NextName(const char* extension) {
  return location_ + "/data/" + std::to_string(names_++) + extension;
}

iceberg::DataFilePtr TestTable::Write(const std::string& json_rows, const FileOptions& options) {
  const auto schema =
      options.schema ? options.schema : Must(columnar::ToArrowSchema(*metadata_->schema()));
  const auto rows =
      arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json_rows).ValueOrDie();
  const auto batch = arrow::RecordBatch::FromStructArray(rows).ValueOrDie();
  return WriteBatch(arrow::RecordBatch::Make(schema, batch->num_rows(), batch->columns()), options);
}

iceberg::DataFilePtr TestTable::WriteBatch(const std::shared_ptr<arrow::RecordBatch>& batch,
                                           const FileOptions& options) {
  auto file = std::make_shared<iceberg::DataFile>();
  file->path = NextName(".parquet");
  auto output = Must(files_.OpenOutput(context_, file->path));
  parquet::ArrowWriterProperties::Builder properties;
  if (options.int96) properties.enable_deprecated_int96_timestamps();
  const auto table = arrow::Table::FromRecordBatches(batch->schema(), {batch}).ValueOrDie();
  const auto status = parquet::arrow::WriteTable(
      *table, arrow::default_memory_pool(), io::ToArrow(*output), options.row_group_rows,
      parquet::default_writer_properties(), properties.build());
  EXPECT_TRUE(status.ok()) << status.ToString();
  file->file_size_in_bytes = Must(output->Close()).value();
  file->record_count = batch->num_rows();
  file->partition = options.partition;
  file->spec_id = metadata_->default_spec_id;
  file->metrics.lower_bounds = options.lower;
  file->metrics.upper_bounds = options.upper;
  return file;
}

iceberg::DataFilePtr TestTable::WritePositionDeletes(
    const std::vector<std::pair<std::string, int64_t>>& rows) {
  const auto schema =
      arrow::schema({WithId("file_path", arrow::utf8(), iceberg::reserved::kDeleteFilePath),
                     WithId("pos", arrow::int64(), iceberg::reserved::kDeleteFilePos)});
  arrow::StringBuilder paths;
  arrow::Int64Builder positions;
  for (const auto& [path, position] : rows) {
    EXPECT_TRUE(paths.Append(path).ok() && positions.Append(position).ok());
  }
  const auto batch =
      arrow::RecordBatch::Make(schema, static_cast<int64_t>(rows.size()),
                               {paths.Finish().ValueOrDie(), positions.Finish().ValueOrDie()});
  auto file = std::make_shared<iceberg::DataFile>(*WriteBatch(batch, FileOptions()));
  file->content = iceberg::FileContent::kPositionDeletes;
  return file;
}

iceberg::DataFilePtr TestTable::WriteEqualityDeletes(const std::vector<std::string>& columns,
                                                     const std::string& json_rows) {
  std::vector<iceberg::Field> fields;
  for (const auto& column : columns) fields.push_back(*metadata_->schema()->FindByName(column));
  FileOptions options;
  options.schema =
      Must(columnar::ToArrowSchema(*Must(iceberg::Schema::Make(iceberg::SchemaId(0), fields))));
  auto file = std::make_shared<iceberg::DataFile>(*Write(json_rows, options));
  file->content = iceberg::FileContent::kEqualityDeletes;
  for (const auto& field : fields) file->equality_ids.push_back(field.id);
  return file;
}

iceberg::DataFilePtr TestTable::WriteDeletionVector(const iceberg::DataFile& data_file,
                                                    const std::vector<int64_t>& positions) {
  iceberg::PositionSet set;
  for (const int64_t position : positions) set.Add(position);
  const std::string blob = iceberg::EncodeDeletionVector(set);
  auto file = std::make_shared<iceberg::DataFile>();
  file->content = iceberg::FileContent::kPositionDeletes;
  file->format = iceberg::FileFormat::kPuffin;
  file->path = NextName(".puffin");
  // A blob is found by offset and length; the rest of a Puffin file is not read for it.
  file->file_size_in_bytes = Must(files_.WriteFile(context_, file->path, "PFA1" + blob)).value();
  file->record_count = static_cast<int64_t>(positions.size());
  file->referenced_data_file = data_file.path;
  file->content_offset = 4;
  file->content_size_in_bytes = static_cast<int64_t>(blob.size());
  file->partition = data_file.partition;
  file->spec_id = data_file.spec_id;
  return file;
}

iceberg::SnapshotId TestTable::Append(std::vector<iceberg::DataFilePtr> files,
                                      const std::string& branch) {
  iceberg::SnapshotChange change;
  change.added_data_files = std::move(files);
  return Produce(std::move(change), branch);
}

iceberg::SnapshotId TestTable::Delete(std::vector<iceberg::DataFilePtr> delete_files) {
  iceberg::SnapshotChange change;
  change.operation = iceberg::Operation::kDelete;
  change.added_delete_files = std::move(delete_files);
  return Produce(std::move(change), "main");
}

iceberg::SnapshotId TestTable::Produce(iceberg::SnapshotChange change, const std::string& branch) {
  catalog::TableFiles files(files_);
  iceberg::ProduceOptions options;
  options.branch = branch;
  options.snapshot_id =
      iceberg::SnapshotId(1000 + static_cast<int64_t>(metadata_->snapshots.size()));
  options.commit_uuid = "c" + std::to_string(options.snapshot_id.value());
  options.now_ms = now_ms_ += 1000;
  const auto produced =
      Must(iceberg::ProduceSnapshot(context_, files, *metadata_, change, options));
  Change(produced.change);
  return produced.snapshot.id;
}

void TestTable::Change(const iceberg::TableChange& change) {
  metadata_ = std::make_shared<iceberg::TableMetadata>(Must(iceberg::Apply(
      metadata_.get(), change,
      {.now_ms = now_ms_, .previous_location = location_ + "/metadata/previous.json"})));
}

IcebergTable TestTable::At(std::optional<iceberg::SnapshotId> snapshot) const {
  const bool is_current = snapshot == metadata_->current_snapshot_id;
  const auto* found = snapshot ? metadata_->FindSnapshot(*snapshot) : nullptr;
  return {metadata_, snapshot,
          is_current || found == nullptr ? metadata_->schema() : metadata_->SchemaOf(*found)};
}

Result<ResolvedTable> TestResolver::Resolve(const Context&, const TableReference& reference) {
  const std::string name = reference.parts.empty() ? reference.place : reference.parts.back();
  const auto found = tables_.find(name);
  if (found == tables_.end()) return NotFoundError("there is no table " + reference.ToString());
  const TestTable& table = *found->second;
  const iceberg::Snapshot* snapshot = nullptr;
  if (reference.ref) snapshot = table.metadata().FindRef(*reference.ref);
  if (reference.snapshot_id)
    snapshot = table.metadata().FindSnapshot(iceberg::SnapshotId(*reference.snapshot_id));
  if (reference.as_of_ms) snapshot = table.metadata().SnapshotAsOf(*reference.as_of_ms);
  if (snapshot != nullptr) return ResolvedTable(table.At(snapshot->id));
  if (reference.ref || reference.snapshot_id)
    return NotFoundError("there is no " + reference.ToString());
  return ResolvedTable(reference.as_of_ms ? table.At(std::nullopt) : table.Now());
}

}  // namespace calve::engine
