#pragma once

#include "base/result.h"
#include "iceberg/json.h"
#include "iceberg/view.h"

namespace calve::iceberg {

/// The only version of the view format.
inline constexpr int kViewFormatVersion = 1;

/// Read a version object (View spec, Versions). Fails with kData naming the place.
Result<ViewVersion> ViewVersionFromJson(const JsonObject& object);
Json ViewVersionToJson(const ViewVersion& version);

/// Check what holds in all metadata, read or applied: the current version and the schema of each
/// version exist, ids are there once, and a version has a dialect once. Fails with kData.
Status CheckViewMetadata(const ViewMetadata& metadata);

}  // namespace calve::iceberg
