#pragma once

#include <cstdint>

#include "base/strong.h"

namespace calve::iceberg {

using FieldId = Strong<struct FieldIdTag, int32_t>;
using SchemaId = Strong<struct SchemaIdTag, int32_t>;
using SpecId = Strong<struct SpecIdTag, int32_t>;
using SortOrderId = Strong<struct SortOrderIdTag, int32_t>;
using SnapshotId = Strong<struct SnapshotIdTag, int64_t>;
using SequenceNumber = Strong<struct SequenceNumberTag, int64_t>;

/// A row id of v3's row lineage.
using RowId = Strong<struct RowIdTag, int64_t>;

}  // namespace calve::iceberg
