#include "load/delta/data_files.h"

#include <arrow/array/util.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "iceberg/name_mapping.h"
#include "iceberg/update.h"
#include "io/http.h"
#include "io/uri.h"
#include "reader/file_batches.h"

namespace calve::load::delta {
namespace {

using iceberg::Field;
using iceberg::Type;
using iceberg::TypeKind;
using nlohmann::ordered_json;

constexpr std::string_view kPathCharacters = "/=-_.~:";

bool TellsFilesApart(const Type& type) {
  constexpr std::array<TypeKind, 6> kKinds = {TypeKind::kString, TypeKind::kInt,
                                              TypeKind::kLong,   TypeKind::kBoolean,
                                              TypeKind::kDate,   TypeKind::kDecimal};
  return std::find(kKinds.begin(), kKinds.end(), type.kind()) != kKinds.end();
}

/// A bound as JSON; null when it says nothing. Moments are cut to milliseconds, downwards, or
/// upwards for the greatest.
ordered_json Bound(const Type& type, const std::string& bytes, bool is_greatest) {
  auto read = iceberg::FromBytes(type, bytes);
  if (!read.ok() || read->is_null()) return nullptr;
  switch (type.kind()) {
    case TypeKind::kInt:
      return read->as<int32_t>();
    case TypeKind::kLong:
      return read->as<int64_t>();
    case TypeKind::kDouble:
    case TypeKind::kFloat: {
      const double value = type.kind() == TypeKind::kDouble
                               ? read->as<double>()
                               : static_cast<double>(read->as<float>());
      return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
    }
    case TypeKind::kString:
      return IsValidUtf8(read->as<std::string>()) ? ordered_json(read->as<std::string>())
                                                  : ordered_json(nullptr);
    case TypeKind::kDate:
      return iceberg::ToText(type, *read);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz: {
      const int64_t micros = read->as<int64_t>();
      int64_t millis = micros / 1000;
      if (micros % 1000 < 0) --millis;
      if (is_greatest && micros % 1000 != 0) ++millis;
      // 2026-11-01T10:00:00.000, and Z where it has a zone.
      std::string text = iceberg::ToText(Type::Timestamp(), iceberg::Value(int64_t{millis * 1000}));
      text = text.substr(0, 19);
      const int64_t rest = ((millis % 1000) + 1000) % 1000;
      std::string digits = std::to_string(rest);
      text += "." + std::string(3 - digits.size(), '0') + digits;
      return text + (type.kind() == TypeKind::kTimestampTz ? "Z" : "");
    }
    default:  // Readers differ in how they take decimals; others have no bounds.
      return nullptr;
  }
}

Result<iceberg::PartitionValues> PartitionOf(const iceberg::TableMetadata& layout,
                                             const AddedFile& file) {
  iceberg::PartitionValues values;
  for (const iceberg::PartitionField& field : layout.spec().fields) {
    const Field& column = *layout.schema()->FindById(field.source_id);
    const auto found = file.partition_values.find(column.name);
    // The log writes NULL as nothing or as an empty text.
    const bool is_null = found == file.partition_values.end() || !found->second.has_value() ||
                         found->second->empty();
    if (is_null) {
      values.push_back(iceberg::Value::Null());
      continue;
    }
    CALVE_ASSIGN_OR_RETURN(values.emplace_back(), iceberg::ParseText(column.type, *found->second));
  }
  return values;
}

class FileRows : public engine::ResultStream {
 public:
  FileRows(io::FileSystem& files, iceberg::MetadataPtr layout, std::vector<AddedFile> added,
           std::shared_ptr<arrow::Schema> schema, std::vector<int> columns)
      : files_(files),
        layout_(std::move(layout)),
        added_(std::move(added)),
        schema_(std::move(schema)),
        columns_(std::move(columns)) {
    // Rows are counted by a column.
    if (columns_.empty()) columns_.push_back(0);
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<columnar::Batch> Next(const Context& context) override {
    while (true) {
      if (batches_ == nullptr) {
        if (next_ == added_.size()) return columnar::Batch();
        CALVE_RETURN_IF_ERROR(Open(context, added_[next_++]));
      }
      CALVE_ASSIGN_OR_RETURN(const auto batch, batches_->Next(context));
      if (batch.has_value()) return Spread(*batch->rows);
      batches_.reset();
    }
  }

 private:
  Status Open(const Context& context, const AddedFile& added) {
    iceberg::DataFile file;
    CALVE_ASSIGN_OR_RETURN(file.path, AddressOf(layout_->location, added));
    file.file_size_in_bytes = added.size;
    file.record_count = std::max<int64_t>(added.rows, 0);
    CALVE_ASSIGN_OR_RETURN(const auto values, PartitionOf(*layout_, added));
    reader::FileOptions options{.wanted = {},
                                .name_mapping = iceberg::NameMapping::Of(*layout_->schema()),
                                .constants = {},
                                .is_foreign = true,
                                .filter = {},
                                .schema = nullptr};
    for (const int column : columns_)
      options.wanted.push_back(layout_->schema()->fields()[static_cast<size_t>(column)]);
    for (size_t i = 0; i < values.size(); ++i)
      options.constants.emplace(layout_->spec().fields[i].source_id, values[i]);
    CALVE_ASSIGN_OR_RETURN(batches_, reader::OpenFile(context, files_, file, std::move(options)));
    return Status::Ok();
  }

  /// The columns that are looked at in their places, among others that are empty.
  Result<columnar::Batch> Spread(const arrow::RecordBatch& rows) const {
    arrow::ArrayVector arrays(static_cast<size_t>(schema_->num_fields()));
    for (size_t i = 0; i < columns_.size(); ++i)
      arrays[static_cast<size_t>(columns_[i])] = rows.column(static_cast<int>(i));
    for (auto& array : arrays) {
      if (array != nullptr) continue;
      CALVE_ASSIGN_OR_RETURN(array, arrow::MakeArrayOfNull(arrow::null(), rows.num_rows()));
    }
    return arrow::RecordBatch::Make(schema_, rows.num_rows(), std::move(arrays));
  }

  io::FileSystem& files_;
  const iceberg::MetadataPtr layout_;
  const std::vector<AddedFile> added_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> columns_;
  size_t next_ = 0;
  std::unique_ptr<reader::FileBatches> batches_;
};

}  // namespace

Result<iceberg::MetadataPtr> LayoutOf(const Context& context, const std::string& location,
                                      const std::vector<Field>& fields,
                                      const std::vector<std::string>& partition_columns) {
  iceberg::CreateTableOptions create;
  create.location = location;
  create.uuid = NewUuidString(*context.random);
  create.fields = iceberg::AssignFreshIds(fields, iceberg::FieldId(0)).first;
  constexpr int32_t kFirstPartitionField = 1000;
  for (const std::string& name : partition_columns) {
    const auto column = std::find_if(create.fields.begin(), create.fields.end(),
                                     [&](const Field& f) { return f.name == name; });
    if (column == create.fields.end()) {
      std::vector<std::string> known;
      for (const Field& field : fields) known.push_back(field.name);
      return ConfigError("partition_by: there is no column '" + name + "'" +
                         DidYouMean(name, known));
    }
    if (!TellsFilesApart(column->type)) {
      return ConfigError(
          "partition_by: expected columns of the types string, int, long, boolean, "
          "date and decimal, found " +
          name + " " + column->type.ToString());
    }
    const auto count = static_cast<int32_t>(create.partition_fields.size());
    create.partition_fields.push_back({.source_id = column->id,
                                       .field_id = iceberg::FieldId(kFirstPartitionField + count),
                                       .name = name,
                                       .transform = iceberg::Transform::Identity()});
  }
  // What every reader of Delta takes.
  create.properties["write.parquet.compression-codec"] = "snappy";
  create.properties["write.data.path"] = location;
  CALVE_ASSIGN_OR_RETURN(const iceberg::TableChange change, iceberg::CreateTable(create));
  CALVE_ASSIGN_OR_RETURN(
      iceberg::TableMetadata made,
      iceberg::Apply(nullptr, change, {.now_ms = MillisSinceEpoch(context.clock->Now())}));
  return std::make_shared<const iceberg::TableMetadata>(std::move(made));
}

Result<AddedFile> FileOf(const iceberg::TableMetadata& layout, const iceberg::DataFile& file) {
  const std::string folder = layout.location + "/";
  if (!file.path.starts_with(folder))
    return BugError("a data file lies outside of its table: " + file.path);
  AddedFile added;
  added.path = io::PercentEncode(file.path.substr(folder.size()), kPathCharacters);
  added.size = file.file_size_in_bytes;
  added.rows = file.record_count;
  const auto& fields = layout.spec().fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    const Field& column = *layout.schema()->FindById(fields[i].source_id);
    std::optional<std::string>& value = added.partition_values[column.name];
    if (!file.partition[i].is_null()) value = iceberg::ToText(column.type, file.partition[i]);
    if (value.has_value() && value->empty()) {
      return DataError("column " + column.name +
                       ", by which the table is partitioned, has an empty text, which the log of "
                       "Delta cannot tell from NULL; make it NULL with a transformer");
    }
  }
  return added;
}

std::string StatsOf(const iceberg::TableMetadata& layout, const iceberg::DataFile& file) {
  ordered_json least = ordered_json::object();
  ordered_json greatest = ordered_json::object();
  ordered_json nulls = ordered_json::object();
  std::set<iceberg::FieldId> partitions;
  for (const auto& field : layout.spec().fields) partitions.insert(field.source_id);
  for (const Field& column : layout.schema()->fields()) {
    if (column.type.is_nested() || partitions.contains(column.id)) continue;
    const auto put = [&](const iceberg::FieldMap<std::string>& bounds, bool is_greatest,
                         ordered_json* values) {
      const std::string* bytes = bounds.Find(column.id);
      if (bytes == nullptr) return;
      ordered_json bound = Bound(column.type, *bytes, is_greatest);
      if (!bound.is_null()) (*values)[column.name] = std::move(bound);
    };
    put(file.metrics.lower_bounds, false, &least);
    put(file.metrics.upper_bounds, true, &greatest);
    if (const int64_t* count = file.metrics.null_value_counts.Find(column.id); count != nullptr)
      nulls[column.name] = *count;
  }
  return ordered_json{{"numRecords", file.record_count},
                      {"minValues", std::move(least)},
                      {"maxValues", std::move(greatest)},
                      {"nullCount", std::move(nulls)}}
      .dump();
}

Result<std::string> AddressOf(const std::string& location, const AddedFile& file) {
  CALVE_ASSIGN_OR_RETURN(std::string path, io::PercentDecode(file.path));
  if (!io::SchemeOf(path).empty() || path.starts_with("/")) return path;
  return location + "/" + path;
}

Result<engine::ArrowTable> FileTable(io::FileSystem& files, iceberg::MetadataPtr layout,
                                     std::vector<AddedFile> added) {
  CALVE_ASSIGN_OR_RETURN(auto schema, columnar::ToArrowSchema(*layout->schema()));
  const auto open =
      [&files, layout = std::move(layout), added = std::move(added), schema](
          const Context&,
          const std::vector<int>& columns) -> Result<std::unique_ptr<engine::ResultStream>> {
    return std::unique_ptr<engine::ResultStream>(
        std::make_unique<FileRows>(files, layout, added, schema, columns));
  };
  return engine::ArrowTable{.schema = schema, .batches = {}, .stream = open};
}

}  // namespace calve::load::delta
