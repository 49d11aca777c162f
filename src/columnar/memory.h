#pragma once

namespace calve::columnar {

/// Give memory that was freed back to the system, Arrow's and the rest: what other threads have left
/// behind cannot be used again by this one. Takes some milliseconds.
void ReleaseFreedMemory();

}  // namespace calve::columnar
