#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/text.h"
#include "iceberg/metadata_rules.h"
#include "iceberg/view.h"
#include "iceberg/view_json.h"

namespace calve::iceberg {
namespace {

constexpr const char* kHistoryKey = "version.history.num-entries";
constexpr const char* kDropDialectKey = "replace.drop-dialect.allowed";
constexpr int32_t kHistoryDefault = 10;
constexpr int32_t kLastAdded = -1;

std::set<std::string> DialectsOf(const ViewVersion& version) {
  std::set<std::string> dialects;
  for (const ViewRepresentation& way : version.representations) {
    if (way.type == "sql") dialects.insert(ToLower(way.dialect));
  }
  return dialects;
}

/// Whether two versions say the same, whatever their ids and times.
bool SameDefinition(const ViewVersion& a, ViewVersion b) {
  b.id = a.id;
  b.timestamp_ms = a.timestamp_ms;
  return a == b;
}

/// A view while updates are applied to it, one call each.
class ViewBuilder {
 public:
  ViewBuilder(const ViewMetadata* base, int64_t now_ms) : base_(base), now_ms_(now_ms) {
    if (base != nullptr) view_ = *base;
  }

  Status operator()(const view_update::AssignUuid& update) {
    if (update.uuid.empty()) return DataError("assign-uuid: expected a UUID, found \"\"");
    if (!view_.uuid.empty() && ToLower(view_.uuid) != ToLower(update.uuid)) {
      return DataError(
          fmt::format("assign-uuid: expected the UUID {} of the view, found {}; a view keeps its "
                      "UUID",
                      view_.uuid, update.uuid));
    }
    view_.uuid = update.uuid;
    return Status::Ok();
  }

  Status operator()(const view_update::UpgradeFormatVersion& update) {
    if (update.format_version == kViewFormatVersion) return Status::Ok();
    return DataError(fmt::format("upgrade-format-version: expected {} for a view, found {}",
                                 kViewFormatVersion, update.format_version));
  }

  Status operator()(const view_update::AddSchema& update) {
    const Schema& wanted = *update.schema;
    SchemaId id{0};
    for (const SchemaPtr& other : view_.schemas) {
      if (other->SameColumns(wanted)) {
        last_schema_ = other->id();
        return Status::Ok();
      }
      id = std::max(id, SchemaId(other->id().value() + 1));
    }
    CALVE_ASSIGN_OR_RETURN(SchemaPtr schema,
                           Schema::Make(id, wanted.fields(), wanted.identifier_field_ids()));
    view_.schemas.push_back(std::move(schema));
    last_schema_ = id;
    return Status::Ok();
  }

  Status operator()(const view_update::SetLocation& update) {
    if (update.location.empty()) return DataError("set-location: expected a location, found \"\"");
    view_.location = WithoutTrailingSlash(update.location);
    return Status::Ok();
  }

  Status operator()(const view_update::SetProperties& update) {
    for (const auto& [key, value] : update.properties) view_.properties[key] = value;
    return Status::Ok();
  }

  Status operator()(const view_update::RemoveProperties& update) {
    for (const std::string& key : update.keys) view_.properties.erase(key);
    return Status::Ok();
  }

  Status operator()(const view_update::AddVersion& update) {
    ViewVersion version = update.version;
    if (version.schema_id.value() == kLastAdded) {
      if (!last_schema_) {
        return DataError(
            "add-view-version: expected a schema to be added before it is named by -1, found none");
      }
      version.schema_id = *last_schema_;
    }
    for (const ViewVersion& other : view_.versions) {
      if (SameDefinition(other, version)) {
        last_version_ = other.id;
        return Status::Ok();
      }
      version.id = std::max(version.id, other.id + 1);
    }
    last_version_ = version.id;
    added_.insert(version.id);
    view_.versions.push_back(std::move(version));
    return Status::Ok();
  }

  Status operator()(const view_update::SetCurrentVersion& update) {
    if (update.id == kLastAdded && !last_version_) {
      return DataError(
          "set-current-view-version: expected a version to be added before it is named by -1, "
          "found none");
    }
    const int32_t id = update.id == kLastAdded ? *last_version_ : update.id;
    const ViewVersion* version = view_.FindVersion(id);
    if (version == nullptr) {
      return DataError(
          fmt::format("set-current-view-version: expected a version of the view, found {}", id));
    }
    if (base_ != nullptr && !log_entry_ && id == view_.current_version_id) return Status::Ok();
    view_.current_version_id = id;
    log_entry_ = {.timestamp_ms = added_.contains(id) ? version->timestamp_ms : now_ms_,
                  .version_id = id};
    return Status::Ok();
  }

  Result<ViewMetadata> Build() && {
    if (log_entry_) view_.version_log.push_back(*log_entry_);
    CALVE_RETURN_IF_ERROR(CheckViewMetadata(view_));
    CALVE_RETURN_IF_ERROR(CheckDialectsStay());
    CALVE_RETURN_IF_ERROR(DropOldVersions());
    return std::move(view_);
  }

 private:
  /// Who replaces a view by one with fewer dialects leaves some readers without it.
  Status CheckDialectsStay() const {
    if (base_ == nullptr) return Status::Ok();
    const auto allowed = view_.properties.find(kDropDialectKey);
    if (allowed != view_.properties.end() && ToLower(allowed->second) == "true")
      return Status::Ok();
    const std::set<std::string> after = DialectsOf(view_.current_version());
    for (const std::string& dialect : DialectsOf(base_->current_version())) {
      if (after.contains(dialect)) continue;
      return RefusedError(
          fmt::format("the view has a query in the dialect {}, which the new "
                      "version lacks; add it, or set the view's property {} to "
                      "true",
                      dialect, kDropDialectKey));
    }
    return Status::Ok();
  }

  Result<int32_t> HistoryMax() const {
    const auto found = view_.properties.find(kHistoryKey);
    if (found == view_.properties.end()) return kHistoryDefault;
    const std::string& text = found->second;
    int32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error == std::errc() && end == text.data() + text.size() && count > 0) return count;
    return DataError(
        fmt::format("{}: expected a number from 1 on, found {}", kHistoryKey, Quote(text)));
  }

  /// Keep the current version and the newest others. The log before a version that is gone goes
  /// too: with a gap, what was current before it would seem to have lasted through it.
  Status DropOldVersions() {
    CALVE_ASSIGN_OR_RETURN(const int32_t longest, HistoryMax());
    std::set<int32_t> fresh = added_;
    fresh.insert(view_.current_version_id);
    const size_t keep = std::max(fresh.size(), static_cast<size_t>(longest));
    if (view_.versions.size() <= keep) return Status::Ok();
    std::vector<int32_t> ids;
    for (const ViewVersion& version : view_.versions) {
      if (version.id != view_.current_version_id) ids.push_back(version.id);
    }
    std::sort(ids.begin(), ids.end());
    const std::set<int32_t> gone(ids.begin(), ids.end() - static_cast<ptrdiff_t>(keep - 1));
    std::erase_if(view_.versions,
                  [&](const ViewVersion& version) { return gone.contains(version.id); });
    std::vector<ViewLogEntry>& log = view_.version_log;
    const auto last_gone = std::find_if(log.rbegin(), log.rend(), [&](const ViewLogEntry& entry) {
      return view_.FindVersion(entry.version_id) == nullptr;
    });
    log.erase(log.begin(), last_gone.base());
    return Status::Ok();
  }

  const ViewMetadata* base_;
  const int64_t now_ms_;
  ViewMetadata view_;
  std::optional<SchemaId> last_schema_;
  std::optional<int32_t> last_version_;
  std::set<int32_t> added_;
  std::optional<ViewLogEntry> log_entry_;
};

Status Check(const ViewRequirement& requirement, const ViewMetadata* base) {
  if (!requirement.uuid) {
    if (base == nullptr) return Status::Ok();
    return AlreadyExistsError("the view exists already, with UUID " + base->uuid);
  }
  if (base == nullptr) return NotFoundError("there is no view with UUID " + *requirement.uuid);
  if (ToLower(base->uuid) == ToLower(*requirement.uuid)) return Status::Ok();
  return ConflictError(
      fmt::format("assert-view-uuid: expected the view {}, found {}: the view was dropped and made "
                  "again",
                  *requirement.uuid, base->uuid));
}

}  // namespace

Result<ViewMetadata> ApplyView(const ViewMetadata* base, const ViewChange& change, int64_t now_ms) {
  for (const ViewRequirement& requirement : change.requirements)
    CALVE_RETURN_IF_ERROR(Check(requirement, base));
  if (base == nullptr && !change.creates()) return NotFoundError("there is no such view");
  if (base != nullptr && change.updates.empty()) return *base;
  ViewBuilder builder(base, now_ms);
  for (const ViewUpdate& update : change.updates)
    CALVE_RETURN_IF_ERROR(std::visit([&](const auto& one) { return builder(one); }, update));
  return std::move(builder).Build();
}

}  // namespace calve::iceberg
