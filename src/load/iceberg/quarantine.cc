#include "load/iceberg/quarantine.h"

#include <arrow/array/util.h>

#include <array>
#include <utility>

#include "catalog/table_files.h"
#include "columnar/arrow_status.h"
#include "iceberg/scan.h"
#include "load/held_back.h"

namespace calve::load {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;

/// Quarantines that were made without them get them.
constexpr std::array<std::string_view, 2> kLaterColumns = {"form", "columns"};

Result<iceberg::CreateTableOptions> TableOptions(const std::string& location,
                                                 const std::string& uuid) {
  iceberg::CreateTableOptions options;
  options.location = location;
  options.uuid = uuid;
  // Every run with rows held back commits here; nobody reads what the table was long ago.
  options.properties["write.metadata.delete-after-commit.enabled"] = "true";
  options.fields = QuarantineColumns();
  FieldId key;
  for (const Field& field : options.fields) {
    if (field.name == kLoadKeyColumn) key = field.id;
  }
  options.partition_fields = {{.source_id = key,
                               .field_id = FieldId(1000),
                               .name = std::string(kLoadKeyColumn),
                               .transform = iceberg::Transform::Identity()}};
  return options;
}

Status CheckIsOurs(const iceberg::TableMetadata& metadata, const catalog::TableName& table) {
  if (metadata.schema()->FindByName(kLoadKeyColumn) != nullptr) return Status::Ok();
  return RefusedError("table " + table.ToString() +
                      " is no quarantine of calve: it has no column load_key; rename it");
}

}  // namespace

Result<iceberg::MetadataPtr> Quarantine::Metadata(const Context& context) {
  std::lock_guard lock(mutex_);
  if (metadata_ == nullptr) {
    CALVE_ASSIGN_OR_RETURN(metadata_, Find(context));
  }
  return metadata_;
}

Result<iceberg::MetadataPtr> Quarantine::Find(const Context& context) {
  Result<catalog::LoadedTable> there =
      committer_.Update(context, options_.table,
                        [&](const iceberg::TableMetadata& base) -> Result<iceberg::TableChange> {
                          CALVE_RETURN_IF_ERROR(CheckIsOurs(base, options_.table));
                          iceberg::SchemaUpdate update(base);
                          for (const std::string_view name : kLaterColumns) {
                            if (base.schema()->FindByName(name) != nullptr) continue;
                            CALVE_RETURN_IF_ERROR(update.AddColumn(
                                "", Field{.name = std::string(name), .type = Type::String()}));
                          }
                          return update.Build();
                        });
  if (there.ok()) return there->metadata;
  if (there.error().kind != ErrorKind::kNotFound) return std::move(there).error();
  CALVE_ASSIGN_OR_RETURN(
      new_table_,
      committer_.PlanTable(context, options_.table, nullptr, [&](const std::string& location) {
        return TableOptions(location, NewUuidString(*context.random));
      }));
  return new_table_->draft.metadata;
}

void Quarantine::Take(std::vector<iceberg::DataFilePtr> files) {
  std::lock_guard lock(mutex_);
  for (iceberg::DataFilePtr& file : files) {
    rows_ += file->record_count;
    closed_.push_back(std::move(file));
  }
}

Status Quarantine::Writer::Write(const Context& context, const std::vector<QuarantinedRow>& rows) {
  if (rows.empty()) return Status::Ok();
  const Options& options = quarantine_.options_;
  if (writer_ == nullptr) {
    CALVE_ASSIGN_OR_RETURN(const iceberg::MetadataPtr metadata, quarantine_.Metadata(context));
    CALVE_ASSIGN_OR_RETURN(writer_, writer::OpenDataFileWriter(context, quarantine_.files_,
                                                               {.table = metadata,
                                                                .schema = metadata->schema(),
                                                                .spec = metadata->spec(),
                                                                .run_id = options.file_tag,
                                                                .split = split_,
                                                                .buffer_bytes_max = 8 << 20}));
  }
  CALVE_ASSIGN_OR_RETURN(
      const columnar::Batch held,
      QuarantineRows(
          rows,
          {.job = options.job, .run = options.run, .key = options.key, .now_us = options.now_us}));
  CALVE_ASSIGN_OR_RETURN(const auto schema,
                         columnar::ToArrowSchema(*quarantine_.metadata_->schema()));
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    std::shared_ptr<arrow::Array>& column = columns.emplace_back();
    column = held->GetColumnByName(field->name());
    if (column != nullptr) continue;
    CALVE_ASSIGN_OR_RETURN(column, arrow::MakeArrayOfNull(field->type(), held->num_rows()));
  }
  return writer_->Write(context,
                        arrow::RecordBatch::Make(schema, held->num_rows(), std::move(columns)));
}

Status Quarantine::Writer::Close(const Context& context) {
  if (writer_ == nullptr) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(auto files, writer_->Close(context));
  writer_.reset();
  quarantine_.Take(std::move(files));
  return Status::Ok();
}

void Quarantine::Writer::Abort(const Context& context) {
  if (writer_ == nullptr) return;
  if (Status aborted = writer_->Abort(context); !aborted.ok())
    quarantine_.committer_.LeaveFiles(context, aborted.error());
  writer_.reset();
}

Status Quarantine::Abort(const Context& context) {
  if (committed_) return Status::Ok();
  std::vector<std::string> uris;
  for (const iceberg::DataFilePtr& file : closed_) uris.push_back(file->path);
  closed_.clear();
  return files_.DeleteAll(context, uris);
}

Status Quarantine::Commit(const Context& context) {
  Result<catalog::LoadedTable> loaded = committer_.Update(
      context, options_.table, [](const iceberg::TableMetadata&) -> Result<iceberg::TableChange> {
        return iceberg::TableChange{};
      });
  const bool is_there = loaded.ok() || loaded.error().kind != ErrorKind::kNotFound;
  if (!is_there && closed_.empty()) return Status::Ok();
  if (!is_there && new_table_ != nullptr) loaded = new_table_->draft;
  CALVE_RETURN_IF_ERROR(loaded);
  const iceberg::TableMetadata& metadata = *loaded->metadata;
  CALVE_RETURN_IF_ERROR(CheckIsOurs(metadata, options_.table));
  const Field& key = *metadata.schema()->FindByName(kLoadKeyColumn);
  catalog::TableFiles table_files(files_);
  const auto filter = iceberg::Expression::Compare(iceberg::Expression::Op::kEqual, key.id,
                                                   {iceberg::Value(options_.key)});
  CALVE_ASSIGN_OR_RETURN(const iceberg::ScanPlan before,
                         iceberg::PlanScan(context, table_files, metadata, {.filter = filter}));
  if (before.tasks.empty() && closed_.empty()) return Status::Ok();
  commit::Change change;
  change.pipeline = options_.job;
  change.run = options_.run;
  change.new_table = new_table_;
  // By the key and not by the files found: whoever has committed rows of this key meanwhile is
  // replaced too.
  change.rows.operation = iceberg::Operation::kOverwrite;
  change.rows.added_data_files = closed_;
  change.rows.remove_matching = filter;
  CALVE_RETURN_IF_ERROR(context.Step("quarantine.commit"));
  Result<commit::Published> committed =
      committer_.Commit(context, options_.table, std::move(change), commit::Proof::kRows);
  committed_ = committed.ok() || committed.error().kind == ErrorKind::kUnknownOutcome;
  return StatusOf(committed);
}

}  // namespace calve::load
