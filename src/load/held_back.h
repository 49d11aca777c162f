#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/schema.h"
#include "load/load.h"

namespace calve::load {

/// The name of a table's quarantine beside it: `orders` and this.
inline constexpr std::string_view kQuarantineSuffix = "__quarantine";
/// The column of a quarantine by which a rerun knows the rows again that an earlier run had held
/// back.
inline constexpr std::string_view kLoadKeyColumn = "load_key";

/// A short name for what a run of a job set out to read; empty: from the start.
std::string LoadKeyOf(const std::string& job, const std::string& what = "");

/// The columns of a quarantine, with ids from 1 on: texts, and at last the moment (timestamptz).
std::vector<iceberg::Field> QuarantineColumns();

/// What a quarantine says of rows besides what they say themselves.
struct HeldBackBy {
  std::string job;
  std::string run;
  std::string key;     ///< LoadKeyOf
  int64_t now_us = 0;  ///< Microseconds since 1970, UTC.
};

/// Rows that were held back, as a batch of QuarantineColumns.
Result<columnar::Batch> QuarantineRows(const std::vector<QuarantinedRow>& rows,
                                       const HeldBackBy& by);

}  // namespace calve::load
