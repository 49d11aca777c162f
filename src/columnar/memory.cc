#include "columnar/memory.h"

#include <arrow/memory_pool.h>
#include <malloc.h>

namespace calve::columnar {

void ReleaseFreedMemory() {
  arrow::default_memory_pool()->ReleaseUnused();
  ::malloc_trim(0);
}

}  // namespace calve::columnar
