#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "iceberg/metadata.h"

namespace calve::cli {

/// What the summary of a snapshot says under `key`; "" when it says nothing.
std::string SummaryOf(const iceberg::Snapshot& snapshot, std::string_view key);

/// The number that it says; 0 when it says none, or where there is no snapshot.
int64_t NumberOf(const iceberg::Snapshot* snapshot, std::string_view key);

}  // namespace calve::cli
