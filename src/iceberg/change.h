#pragma once

#include "iceberg/update.h"

namespace calve::iceberg {

/// Begin a change of `base`: it holds only for this very table.
TableChange ChangeOf(const TableMetadata& base);

}  // namespace calve::iceberg
