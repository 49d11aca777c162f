#pragma once

#include <arrow/type.h>
#include <parquet/arrow/schema.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "iceberg/ids.h"
#include "iceberg/name_mapping.h"

namespace calve::reader {

/// A field as it lies in a data file, with the Iceberg id it was found to have.
struct FileField {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::optional<iceberg::FieldId> id;
  /// Of a struct its fields, of a list its element, of a map key and value.
  std::vector<FileField> children;
  int leaf = -1;         ///< Parquet's number of the column, of leaves.
  bool is_read = false;  ///< Whether the plan reads it, or something below it.
};

/// The fields of a Parquet file.
std::vector<FileField> FieldsOf(const parquet::arrow::SchemaManifest& manifest);
/// The fields of an Arrow schema, with ids from the metadata key that the format uses.
std::vector<FileField> FieldsOf(const arrow::Schema& schema, const std::string& id_key);

/// Take away the ids that a file says.
void ForgetIds(std::vector<FileField>& fields);

/// Give ids by name to the fields of a file that has none at all (Iceberg spec, Column Projection);
/// fields without a name in the mapping stay without.
void ApplyNameMapping(std::vector<FileField>& fields, const iceberg::NameMapping& mapping);

}  // namespace calve::reader
