#pragma once

#include <arrow/memory_pool.h>

namespace calve::source {

/// Arrow's default pool, but for no more at once than one page, or what a batch has of one column,
/// may take: a page says for itself how large it is, and a few bytes may say two gigabytes. It has
/// no state, and outlives every buffer that came from it. Threads: any.
arrow::MemoryPool* PagePool();

}  // namespace calve::source
