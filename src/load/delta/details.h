#pragma once

namespace calve::load::delta {

/// What the loader's page says behind its options.
extern const char* const kDetails;

}  // namespace calve::load::delta
