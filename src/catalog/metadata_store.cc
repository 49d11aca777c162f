#include "catalog/metadata_store.h"

#include <algorithm>
#include <utility>

namespace calve::catalog {
namespace {

constexpr size_t kKnownMax = 64;

}  // namespace

bool WantsGzip(const iceberg::TableMetadata& metadata) {
  return metadata.Property("write.metadata.compression-codec", "none") == "gzip";
}

std::string MetadataFolder(const iceberg::TableMetadata& metadata) {
  std::string folder(metadata.Property("write.metadata.path", ""));
  if (folder.empty()) return metadata.location + "/metadata";
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

CommitOutcome OutcomeOf(Error error) {
  switch (error.kind) {
    case ErrorKind::kConflict:
    case ErrorKind::kAlreadyExists:
      return Conflict{std::move(error.message)};
    case ErrorKind::kUnknownOutcome:
      return Unknown{std::move(error.message)};
    case ErrorKind::kConfig:
    case ErrorKind::kData:
    case ErrorKind::kNotFound:
    case ErrorKind::kTransient:
    case ErrorKind::kRefused:
    case ErrorKind::kStopped:
    case ErrorKind::kBug:
      return Refused{std::move(error)};
  }
  return Refused{std::move(error)};
}

Result<LoadedTable> MetadataStore::Load(const Context& context, const std::string& location) {
  {
    std::lock_guard lock(mutex_);
    const auto known = known_.find(location);
    if (known != known_.end())
      return LoadedTable{.metadata = known->second, .metadata_location = location};
  }
  CALVE_ASSIGN_OR_RETURN(const std::string bytes, files_.ReadFile(context, location));
  Result<std::string> json = iceberg::DecompressMetadata(bytes);
  if (!json.ok()) return While("read metadata " + location, std::move(json).error());
  Result<iceberg::TableMetadata> metadata = iceberg::ParseTableMetadata(*json);
  if (!metadata.ok()) return While("read metadata " + location, std::move(metadata).error());
  LoadedTable table{
      .metadata = std::make_shared<const iceberg::TableMetadata>(std::move(*metadata)),
      .metadata_location = location};
  Remember(table);
  return table;
}

Result<MetadataStore::Prepared> MetadataStore::Prepare(const Context& context,
                                                       const LoadedTable* base,
                                                       const iceberg::TableChange& change) {
  const std::string previous = base == nullptr ? std::string() : base->metadata_location;
  CALVE_ASSIGN_OR_RETURN(iceberg::TableMetadata next,
                         iceberg::Apply(base == nullptr ? nullptr : base->metadata.get(), change,
                                        {.now_ms = MillisSinceEpoch(context.clock->Now()),
                                         .previous_location = previous}));
  const bool gzip = WantsGzip(next);
  const std::string json = iceberg::SerializeTableMetadata(next);
  Prepared prepared;
  prepared.previous_location = previous;
  prepared.table.metadata_location =
      MetadataFolder(next) + "/" +
      iceberg::NextMetadataFileName(previous, NewUuidString(*context.random), gzip);
  prepared.table.metadata = std::make_shared<const iceberg::TableMetadata>(std::move(next));
  CALVE_RETURN_IF_ERROR(context.Step("catalog.write_metadata"));
  const Result<ByteCount> written = files_.WriteFile(context, prepared.table.metadata_location,
                                                     gzip ? iceberg::CompressMetadata(json) : json);
  if (written.ok()) return prepared;
  const ErrorKind kind = written.error().kind;
  const bool unknown = kind == ErrorKind::kUnknownOutcome;
  if (unknown || kind == ErrorKind::kTransient || kind == ErrorKind::kStopped)
    Forget(context, prepared);
  // No pointer names it, so the change itself is surely not in.
  return unknown ? TransientError(written.error().message) : written.error();
}

void MetadataStore::Forget(const Context& context, const Prepared& prepared) {
  // A file that nothing points to costs only its bytes: a failure here is no failure of the commit.
  Status deleted = files_.Delete(context.WithStop({}), prepared.table.metadata_location);
  if (!deleted.ok()) {
    context.log->Warn("a metadata file that no table uses stays",
                      {{"file", prepared.table.metadata_location}});
  }
}

void MetadataStore::PruneLog(const Context& context, const LoadedTable* base,
                             const LoadedTable& now) {
  Remember(now);
  if (base == nullptr) return;
  if (now.metadata->Property("write.metadata.delete-after-commit.enabled", "false") != "true")
    return;
  const auto& kept = now.metadata->metadata_log;
  for (const iceberg::MetadataLogEntry& entry : base->metadata->metadata_log) {
    const bool listed = std::any_of(
        kept.begin(), kept.end(),
        [&](const iceberg::MetadataLogEntry& k) { return k.metadata_file == entry.metadata_file; });
    if (listed) continue;
    if (!files_.Delete(context.WithStop({}), entry.metadata_file).ok()) {
      context.log->Warn("an old metadata file stays", {{"file", entry.metadata_file}});
    }
  }
}

void MetadataStore::Remember(const LoadedTable& table) {
  std::lock_guard lock(mutex_);
  if (!known_.emplace(table.metadata_location, table.metadata).second) return;
  order_.push_back(table.metadata_location);
  if (order_.size() > kKnownMax) {
    known_.erase(order_.front());
    order_.pop_front();
  }
}

}  // namespace calve::catalog
