#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/program.h"

namespace calve::cli {

/// After a commit that made `snapshot_id` in a table ("sales.orders", "catalog.sales.orders"): upkeep
/// that starts by itself, where the table is due for it (upkeep::IsDue). It is a run of its own in
/// calve.runs, of the job `upkeep.sales.orders`; one at a time for a table. Says what it did.
///
/// The commit stands whatever comes of it: a failure is told, not given. The result is for --json;
/// nothing when nothing was done.
std::optional<nlohmann::ordered_json> KeepUp(Program& program, const std::string& table,
                                             int64_t snapshot_id);

}  // namespace calve::cli
