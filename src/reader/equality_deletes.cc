#include "reader/equality_deletes.h"

#include <arrow/array/array_nested.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <algorithm>

#include "columnar/arrow_status.h"
#include "iceberg/name_mapping.h"
#include "reader/file_batches.h"
#include "reader/row_keys.h"

namespace calve::reader {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::TypeKind;

/// The schema that knows a field: the current one, else the newest.
const iceberg::Schema* SchemaWith(const iceberg::TableMetadata& metadata, FieldId id) {
  if (metadata.schema()->FindById(id) != nullptr) return metadata.schema().get();
  for (auto schema = metadata.schemas.rbegin(); schema != metadata.schemas.rend(); ++schema) {
    if ((*schema)->FindById(id) != nullptr) return schema->get();
  }
  return nullptr;
}

/// A top-level field cut down to the one column below it; optional, since any file may lack it.
Result<Field> CutTo(const iceberg::Schema& schema, FieldId id) {
  const std::vector<FieldId> path = schema.PathTo(id);
  Field cut = *schema.FindById(id);
  if (!cut.type.is_primitive()) {
    return DataError(
        fmt::format("equality deletes on column {}, which is no primitive", *schema.FullName(id)));
  }
  cut.required = false;
  for (auto above = path.rbegin() + 1; above != path.rend(); ++above) {
    Field outer = *schema.FindById(*above);
    if (outer.type.kind() != TypeKind::kStruct) {
      return DataError(fmt::format("equality deletes on column {}, which lies in a list or map",
                                   *schema.FullName(id)));
    }
    outer.type = iceberg::Type::Struct({std::move(cut)});
    outer.required = false;
    cut = std::move(outer);
  }
  return cut;
}

Result<std::shared_ptr<arrow::Array>> InnerColumn(std::shared_ptr<arrow::Array> column) {
  while (column->type_id() == arrow::Type::STRUCT) {
    const auto& rows = arrow::internal::checked_cast<const arrow::StructArray&>(*column);
    CALVE_ASSIGN_OR_RETURN(column, rows.GetFlattenedField(0));
  }
  return column;
}

iceberg::NameMapping MappingOf(const iceberg::TableMetadata& metadata) {
  return iceberg::NameMapping::Of(*metadata.schema());
}

}  // namespace

Result<size_t> EqualityDeletes::ColumnFor(const iceberg::TableMetadata& metadata, FieldId id) {
  const auto known = std::find(column_ids_.begin(), column_ids_.end(), id);
  if (known != column_ids_.end()) return static_cast<size_t>(known - column_ids_.begin());
  const iceberg::Schema* schema = SchemaWith(metadata, id);
  if (schema == nullptr)
    return DataError(fmt::format(
        "equality deletes on the field with id {}, which no schema of the table has", id.value()));
  CALVE_ASSIGN_OR_RETURN(columns_.emplace_back(), CutTo(*schema, id));
  column_ids_.push_back(id);
  return columns_.size() - 1;
}

Result<EqualityDeletes::Group*> EqualityDeletes::GroupFor(const iceberg::TableMetadata& metadata,
                                                          const iceberg::DataFile& file) {
  std::vector<FieldId> ids = file.equality_ids;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.empty()) return DataError("equality deletes without equality columns");
  const auto known = std::find_if(groups_.begin(), groups_.end(),
                                  [&](const Group& group) { return group.ids == ids; });
  if (known != groups_.end()) return &*known;
  Group group{.ids = ids, .columns = {}, .keys = {}};
  for (const FieldId id : ids) {
    CALVE_ASSIGN_OR_RETURN(group.columns.emplace_back(), ColumnFor(metadata, id));
  }
  groups_.push_back(std::move(group));
  return &groups_.back();
}

Result<EqualityDeletes> EqualityDeletes::Read(const Context& context, io::FileSystem& files,
                                              const iceberg::TableMetadata& metadata,
                                              const std::vector<iceberg::DataFilePtr>& deletes) {
  EqualityDeletes all;
  for (const iceberg::DataFilePtr& file : deletes) {
    auto group = all.GroupFor(metadata, *file);
    if (!group.ok()) return While("read " + file->path, std::move(group).error());
    std::vector<Field> wanted;
    for (const size_t column : (*group)->columns) wanted.push_back(all.columns_[column]);
    CALVE_ASSIGN_OR_RETURN(const auto batches, OpenFile(context, files, *file,
                                                        {.wanted = std::move(wanted),
                                                         .name_mapping = MappingOf(metadata),
                                                         .constants = {},
                                                         .filter = {},
                                                         .schema = nullptr}));
    std::string key;
    while (true) {
      CALVE_ASSIGN_OR_RETURN(const std::optional<FileBatch> batch, batches->Next(context));
      if (!batch) break;
      std::vector<std::shared_ptr<arrow::Array>> columns;
      for (const auto& column : batch->rows->columns()) {
        CALVE_ASSIGN_OR_RETURN(columns.emplace_back(), InnerColumn(column));
      }
      const RowKeys keys(std::move(columns));
      for (int64_t i = 0; i < batch->rows->num_rows(); ++i) {
        keys.KeyOf(i, key);
        (*group)->keys.insert(key);
      }
    }
  }
  return all;
}

Status EqualityDeletes::Mark(const arrow::RecordBatch& rows, int first_column,
                             std::vector<bool>& deleted) const {
  std::string key;
  for (const Group& group : groups_) {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const size_t column : group.columns) {
      CALVE_ASSIGN_OR_RETURN(columns.emplace_back(),
                             InnerColumn(rows.column(first_column + static_cast<int>(column))));
    }
    const RowKeys keys(std::move(columns));
    for (int64_t i = 0; i < rows.num_rows(); ++i) {
      if (deleted[static_cast<size_t>(i)]) continue;
      keys.KeyOf(i, key);
      if (group.keys.contains(std::string_view(key))) deleted[static_cast<size_t>(i)] = true;
    }
  }
  return Status::Ok();
}

}  // namespace calve::reader
