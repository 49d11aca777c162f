#include "reader/position_deletes.h"

#include <arrow/array.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include "iceberg/schema.h"
#include "reader/file_batches.h"

namespace calve::reader {
namespace {

using arrow::internal::checked_cast;
using iceberg::Expression;
using iceberg::PositionSet;
using iceberg::Value;

std::vector<iceberg::Field> DeleteFields() {
  return {{.id = iceberg::reserved::kDeleteFilePath,
           .name = "file_path",
           .type = iceberg::Type::String(),
           .required = true},
          {.id = iceberg::reserved::kDeleteFilePos,
           .name = "pos",
           .type = iceberg::Type::Long(),
           .required = true}};
}

Status AddPositions(const columnar::Batch& rows, const std::string& data_path,
                    PositionSet& positions) {
  const auto& paths = checked_cast<const arrow::StringArray&>(*rows->column(0));
  const auto& values = checked_cast<const arrow::Int64Array&>(*rows->column(1));
  for (int64_t i = 0; i < rows->num_rows(); ++i) {
    if (paths.IsNull(i) || values.IsNull(i))
      return DataError("a position delete names no file or no position");
    if (paths.GetView(i) != data_path) continue;
    if (!positions.Add(values.Value(i))) {
      return DataError(fmt::format("a position delete names position {}, which no row can have",
                                   values.Value(i)));
    }
  }
  return Status::Ok();
}

Status AddFile(const Context& context, io::FileSystem& files, const iceberg::DataFile& file,
               const std::string& data_path, const iceberg::SchemaPtr& schema,
               PositionSet& positions) {
  const Expression is_ours = Expression::Compare(
      Expression::Op::kEqual, iceberg::reserved::kDeleteFilePath, {Value(data_path)});
  CALVE_ASSIGN_OR_RETURN(const auto batches,
                         OpenFile(context, files, file,
                                  {.wanted = schema->fields(),
                                   .name_mapping = iceberg::NameMapping::Of(*schema),
                                   .constants = {},
                                   .filter = is_ours,
                                   .schema = schema}));
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const std::optional<FileBatch> batch, batches->Next(context));
    if (!batch) return Status::Ok();
    if (Status added = AddPositions(batch->rows, data_path, positions); !added.ok()) {
      return While("read " + file.path, std::move(added).error());
    }
  }
}

}  // namespace

Result<PositionSet> ReadPositionDeletes(const Context& context, io::FileSystem& files,
                                        const std::vector<iceberg::DataFilePtr>& deletes,
                                        const std::string& data_path) {
  CALVE_ASSIGN_OR_RETURN(const iceberg::SchemaPtr schema,
                         iceberg::Schema::Make(iceberg::SchemaId(0), DeleteFields()));
  PositionSet positions;
  for (const iceberg::DataFilePtr& file : deletes) {
    CALVE_RETURN_IF_ERROR(AddFile(context, files, *file, data_path, schema, positions));
  }
  return positions;
}

Result<PositionSet> ReadDeletionVector(const Context& context, io::FileSystem& files,
                                       const iceberg::DataFile& vector) {
  if (vector.key_metadata)
    return RefusedError(
        fmt::format("{} is encrypted, which this version does not read", vector.path));
  if (!vector.content_offset || !vector.content_size_in_bytes) {
    return DataError(
        fmt::format("the manifest does not say where in {} the deletion vector lies", vector.path));
  }
  CALVE_ASSIGN_OR_RETURN(const auto input, files.OpenInput(context, vector.path));
  CALVE_ASSIGN_OR_RETURN(const std::string blob,
                         input->ReadAt(*vector.content_offset, *vector.content_size_in_bytes));
  auto positions = iceberg::DecodeDeletionVector(blob);
  if (!positions.ok()) return While("read " + vector.path, std::move(positions).error());
  if (positions->Cardinality() != vector.record_count) {
    return DataError(
        fmt::format("{}: the deletion vector holds {} positions, but the manifest says {}",
                    vector.path, positions->Cardinality(), vector.record_count));
  }
  return positions;
}

}  // namespace calve::reader
