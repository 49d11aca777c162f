#include "load/iceberg/quarantine.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_time.h>
#include <arrow/array/util.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "catalog/table_files.h"
#include "columnar/arrow_status.h"
#include "iceberg/scan.h"

namespace calve::load {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;

constexpr std::array<std::string_view, 9> kTextColumns = {
    "rule", "reason", "origin", "raw", "form", "columns", "job", "run", "load_key"};
constexpr std::string_view kTimeColumn = "quarantined_at";
/// Quarantines that were made without them get them.
constexpr std::array<std::string_view, 2> kLaterColumns = {"form", "columns"};

Result<iceberg::CreateTableOptions> TableOptions(const std::string& location,
                                                 const std::string& uuid) {
  iceberg::CreateTableOptions options;
  options.location = location;
  options.uuid = uuid;
  // Every run with rows held back commits here; nobody reads what the table was long ago.
  options.properties["write.metadata.delete-after-commit.enabled"] = "true";
  for (const std::string_view name : kTextColumns) {
    options.fields.push_back(Field{.id = FieldId(static_cast<int32_t>(options.fields.size()) + 1),
                                   .name = std::string(name),
                                   .type = Type::String()});
  }
  const FieldId key = options.fields.back().id;
  options.fields.push_back(Field{.id = FieldId(key.value() + 1),
                                 .name = std::string(kTimeColumn),
                                 .type = Type::TimestampTz()});
  options.partition_fields = {{.source_id = key,
                               .field_id = FieldId(1000),
                               .name = "load_key",
                               .transform = iceberg::Transform::Identity()}};
  return options;
}

Status CheckIsOurs(const iceberg::TableMetadata& metadata, const catalog::TableName& table) {
  if (metadata.schema()->FindByName("load_key") != nullptr) return Status::Ok();
  return RefusedError("table " + table.ToString() +
                      " is no quarantine of calve: it has no column load_key; rename it");
}

/// A text that every reader of Parquet takes: bytes that are no UTF-8 are shown as \xff.
std::string Readable(const std::string& text) {
  if (IsValidUtf8(text)) return text;
  static constexpr char kHex[] = "0123456789abcdef";
  std::string readable;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      readable += c;
    } else {
      readable += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
    }
  }
  return readable;
}

}  // namespace

/// FNV-1a.
std::string Quarantine::KeyOf(const std::string& job, const std::string& what) {
  const std::string text = what.empty() ? job : job + '\n' + what;
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  static constexpr char kHex[] = "0123456789abcdef";
  std::string name(16, '0');
  for (size_t i = 16; i-- > 0; hash >>= 4) name[i] = kHex[hash & 15];
  return name;
}

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
  std::array<arrow::StringBuilder, kTextColumns.size()> texts;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                arrow::default_memory_pool());
  for (const QuarantinedRow& row : rows) {
    // What is not shown as it was cannot be read again.
    const columnar::RowForm form = IsValidUtf8(row.raw) ? row.form : columnar::RowForm::kShown;
    const std::array<std::string, kTextColumns.size()> values = {
        row.rule,    row.reason,  row.origin,  row.raw,    std::string(columnar::ToString(form)),
        row.columns, options.job, options.run, options.key};
    for (size_t i = 0; i < values.size(); ++i)
      CALVE_RETURN_IF_ERROR(texts[i].Append(Readable(values[i])));
    CALVE_RETURN_IF_ERROR(times.Append(options.now_us));
  }
  const auto count = static_cast<int64_t>(rows.size());
  CALVE_ASSIGN_OR_RETURN(const auto schema,
                         columnar::ToArrowSchema(*quarantine_.metadata_->schema()));
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    const auto* const text = std::find(kTextColumns.begin(), kTextColumns.end(), field->name());
    if (text != kTextColumns.end()) {
      CALVE_ASSIGN_OR_RETURN(columns.emplace_back(),
                             texts[static_cast<size_t>(text - kTextColumns.begin())].Finish());
    } else if (field->name() == kTimeColumn) {
      CALVE_ASSIGN_OR_RETURN(columns.emplace_back(), times.Finish());
    } else {
      CALVE_ASSIGN_OR_RETURN(columns.emplace_back(), arrow::MakeArrayOfNull(field->type(), count));
    }
  }
  return writer_->Write(context, arrow::RecordBatch::Make(schema, count, std::move(columns)));
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
  const Field& key = *metadata.schema()->FindByName("load_key");
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
