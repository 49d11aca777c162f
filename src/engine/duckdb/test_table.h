#pragma once

#include <arrow/api.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/engine.h"
#include "iceberg/metadata.h"
#include "iceberg/produce.h"
#include "io/file_system.h"

namespace calve::engine {

/// An Iceberg table that a test makes file by file; its data files are written by Arrow, not by
/// calve's writer.
class TestTable {
 public:
  struct Options {
    std::vector<iceberg::Field> fields;
    std::vector<iceberg::PartitionField> partition = {};
    std::map<std::string, std::string> properties = {};
  };
  TestTable(const Context& context, io::FileSystem& files, std::string location,
            const Options& options);

  const iceberg::TableMetadata& metadata() const { return *metadata_; }
  iceberg::FieldId IdOf(const std::string& column) const {
    return metadata_->schema()->FindByName(column)->id;
  }

  struct FileOptions {
    std::shared_ptr<arrow::Schema> schema =
        nullptr;  ///< Of the file; default: the table's, with ids.
    iceberg::PartitionValues partition = {};
    iceberg::FieldMap<std::string> lower = {};
    iceberg::FieldMap<std::string> upper = {};
    int64_t row_group_rows = 1 << 20;
    bool int96 = false;
  };
  /// Write rows (Arrow's JSON) as Parquet; the file is in no snapshot yet.
  iceberg::DataFilePtr Write(const std::string& json_rows) {
    return Write(json_rows, FileOptions());
  }
  iceberg::DataFilePtr Write(const std::string& json_rows, const FileOptions& options);
  iceberg::DataFilePtr WriteBatch(const std::shared_ptr<arrow::RecordBatch>& batch,
                                  const FileOptions& options);
  iceberg::DataFilePtr WritePositionDeletes(
      const std::vector<std::pair<std::string, int64_t>>& rows);
  iceberg::DataFilePtr WriteEqualityDeletes(const std::vector<std::string>& columns,
                                            const std::string& json_rows);
  iceberg::DataFilePtr WriteDeletionVector(const iceberg::DataFile& file,
                                           const std::vector<int64_t>& positions);

  iceberg::SnapshotId Append(std::vector<iceberg::DataFilePtr> files,
                             const std::string& branch = "main");
  iceberg::SnapshotId Delete(std::vector<iceberg::DataFilePtr> delete_files);
  void Change(const iceberg::TableChange& change);
  iceberg::SchemaUpdate Evolve() const { return iceberg::SchemaUpdate(*metadata_); }

  IcebergTable At(std::optional<iceberg::SnapshotId> snapshot) const;
  IcebergTable Now() const { return At(metadata_->current_snapshot_id); }

 private:
  iceberg::SnapshotId Produce(iceberg::SnapshotChange change, const std::string& branch);
  std::string NextName(const char* extension);

  const Context& context_;
  io::FileSystem& files_;
  const std::string location_;
  std::shared_ptr<const iceberg::TableMetadata> metadata_;
  int64_t now_ms_ = 1'700'000'000'000;
  int names_ = 0;
};

/// Knows test tables by their last name, with refs, snapshots and times.
class TestResolver : public TableResolver {
 public:
  void Add(const std::string& name, const TestTable& table) { tables_[name] = &table; }
  Result<ResolvedTable> Resolve(const Context& context, const TableReference& reference) override;

 private:
  std::map<std::string, const TestTable*> tables_;
};

}  // namespace calve::engine
