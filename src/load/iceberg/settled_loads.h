#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <string>

#include "iceberg/metadata.h"

namespace calve::load {

/// Tells which rows that a job's runs held back are settled: the good rows of their run are in the
/// table. Others the next run of the job reads again.
class SettledLoads {
 public:
  /// Without a table nothing is settled.
  SettledLoads(const std::string& job, const std::string& replay_job,
               const iceberg::TableMetadata* table);

  struct Load {
    std::string key;  ///< As LoadKeyOf.
    std::string run;
    int64_t held_back_us = 0;  ///< Microseconds since 1970, UTC.
  };
  bool Has(const Load& load) const;

 private:
  std::set<std::string> runs_;  ///< That have published.
  /// Keys that the positions on main's line have left behind, by whichever run.
  std::set<std::string> keys_behind_;
  std::string key_ahead_;  ///< Of the job's next run.
  /// Snapshots before are expired. What they published is not known, but they were on main's line.
  int64_t known_since_us_ = std::numeric_limits<int64_t>::min();
};

}  // namespace calve::load
