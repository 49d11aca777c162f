#include "load/load_history.h"

#include "base/text.h"
#include "commit/proof.h"

namespace calve::load {

std::vector<int64_t> RowsOfEarlierLoads(const iceberg::TableMetadata& metadata,
                                        const iceberg::Snapshot& snapshot, const std::string& job,
                                        size_t count) {
  std::vector<int64_t> rows;
  const auto parent_of = [&](const iceberg::Snapshot& child) {
    return child.parent_id.has_value() ? metadata.FindSnapshot(*child.parent_id) : nullptr;
  };
  for (const iceberg::Snapshot* earlier = parent_of(snapshot);
       earlier != nullptr && rows.size() < count; earlier = parent_of(*earlier)) {
    const auto pipeline = earlier->summary.find(std::string(commit::summary::kPipeline));
    const auto written = earlier->summary.find(std::string(commit::summary::kRows));
    if (pipeline == earlier->summary.end() || pipeline->second != job) continue;
    if (written == earlier->summary.end()) continue;
    if (const auto number = ParseInteger(written->second)) rows.push_back(*number);
  }
  return rows;
}

}  // namespace calve::load
