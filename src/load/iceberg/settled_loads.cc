#include "load/iceberg/settled_loads.h"

#include <utility>

#include "commit/proof.h"
#include "load/held_back.h"

namespace calve::load {

SettledLoads::SettledLoads(const std::string& job, const std::string& replay_job,
                           const iceberg::TableMetadata* table)
    : key_ahead_(LoadKeyOf(job)) {
  const iceberg::Snapshot* snapshot = table == nullptr ? nullptr : table->current_snapshot();
  bool is_newest = true;
  while (snapshot != nullptr) {
    const auto text = [&](std::string_view key) {
      const auto found = snapshot->summary.find(std::string(key));
      return found == snapshot->summary.end() ? std::string() : found->second;
    };
    const std::string pipeline = text(commit::summary::kPipeline);
    const std::string position = text(commit::summary::kPosition);
    if (const std::string run = text(commit::summary::kRun); !run.empty()) runs_.insert(run);
    if (pipeline == job && !position.empty()) {
      const std::string key = LoadKeyOf(job, std::to_string(snapshot->id.value()));
      keys_behind_.insert(is_newest ? key_ahead_ : key);
      if (std::exchange(is_newest, false)) key_ahead_ = key;
    }
    if (pipeline == replay_job && !position.empty())
      keys_behind_.insert(LoadKeyOf(replay_job, position));
    if (!snapshot->parent_id.has_value()) break;
    const iceberg::Snapshot* parent = table->FindSnapshot(*snapshot->parent_id);
    if (parent == nullptr) known_since_us_ = snapshot->timestamp_ms * 1000;
    snapshot = parent;
  }
}

bool SettledLoads::Has(const Load& load) const {
  return runs_.contains(load.run) || keys_behind_.contains(load.key) ||
         (load.held_back_us < known_since_us_ && load.key != key_ahead_);
}

}  // namespace calve::load
