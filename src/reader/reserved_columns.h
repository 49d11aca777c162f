#pragma once

#include <arrow/array.h>

#include <memory>

#include "base/result.h"
#include "iceberg/partition.h"
#include "iceberg/scan.h"
#include "reader/file_batches.h"

namespace calve::reader {

/// Whether a field is one that every reader may be asked for, in no table's schema.
bool IsReserved(iceberg::FieldId id);
/// Whether its values may also lie in the file: _row_id and _last_updated_sequence_number.
bool IsStored(iceberg::FieldId id);

/// Make the values of a reserved column for rows that follow each other in a task's file. `stored`
/// are the file's own values of it, where IsStored; null ones are inherited (Iceberg spec, Row
/// Lineage). Fails with kRefused on one that this reader does not make.
Result<std::shared_ptr<arrow::Array>> ReservedColumn(const iceberg::Field& field,
                                                     const iceberg::PartitionSpec& spec,
                                                     const iceberg::ScanTask& task,
                                                     const FileBatch& batch,
                                                     const std::shared_ptr<arrow::Array>& stored);

}  // namespace calve::reader
