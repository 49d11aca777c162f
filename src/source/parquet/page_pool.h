#pragma once

#include <arrow/memory_pool.h>

#include "base/context.h"

namespace calve::source {

/// Arrow's default pool, but for no more at once than one page, or what a batch has of one column,
/// may take: a page says for itself how large it is, and a few bytes may say two gigabytes. Of such
/// large pieces all readers together have no more than three quarters of the run's memory budget. The pool outlives
/// every buffer that came from it. Threads: any.
arrow::MemoryPool* PagePool(const Context& context);

}  // namespace calve::source
