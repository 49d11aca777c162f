#pragma once

#include "columnar/convert.h"

namespace calve::columnar {

/// Leave out the columns of a batch that `target` lacks by name, those inside structs, lists and
/// maps too. What is left is not copied.
Batch KeepColumns(const Batch& batch, const iceberg::Schema& target);

}  // namespace calve::columnar
