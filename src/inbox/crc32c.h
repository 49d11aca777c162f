#pragma once

#include <cstdint>
#include <string_view>

namespace calve::inbox {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
uint32_t Crc32c(std::string_view bytes);

}  // namespace calve::inbox
