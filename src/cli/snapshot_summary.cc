#include "cli/snapshot_summary.h"

#include "base/text.h"

namespace calve::cli {

std::string SummaryOf(const iceberg::Snapshot& snapshot, std::string_view key) {
  const auto found = snapshot.summary.find(std::string(key));
  return found == snapshot.summary.end() ? std::string() : found->second;
}

int64_t NumberOf(const iceberg::Snapshot* snapshot, std::string_view key) {
  return snapshot == nullptr ? 0 : ParseInteger(SummaryOf(*snapshot, key)).value_or(0);
}

}  // namespace calve::cli
