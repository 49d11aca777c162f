#include "catalog/metadata_store.h"

#include <algorithm>
#include <utility>

namespace calve::catalog {
namespace {

constexpr size_t kKnownBytesMax = size_t{32} << 20;
constexpr size_t kBytesPerTextByte = 4;  // The text itself, the snapshots, and their own texts.
constexpr size_t kEntryBytes = size_t{24} << 10;  // What even the smallest takes; measured.

std::string FolderFor(const std::string& location,
                      const std::map<std::string, std::string>& properties) {
  const auto path = properties.find("write.metadata.path");
  if (path == properties.end() || path->second.empty()) return location + "/metadata";
  std::string folder = path->second;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

bool IsGzip(const std::map<std::string, std::string>& properties) {
  const auto codec = properties.find("write.metadata.compression-codec");
  return codec != properties.end() && codec->second == "gzip";
}

}  // namespace

bool WantsGzip(const iceberg::TableMetadata& metadata) { return IsGzip(metadata.properties); }

std::string MetadataFolder(const iceberg::TableMetadata& metadata) {
  return FolderFor(metadata.location, metadata.properties);
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

Result<std::string> MetadataStore::Read(const Context& context, const std::string& location) {
  CALVE_ASSIGN_OR_RETURN(const std::string bytes, files_.ReadFile(context, location));
  Result<std::string> json = iceberg::DecompressMetadata(bytes);
  if (!json.ok()) return While("read metadata " + location, std::move(json).error());
  return json;
}

Result<LoadedTable> MetadataStore::Load(const Context& context, const std::string& location) {
  {
    std::lock_guard lock(mutex_);
    const Known* known = Find(location);
    if (known != nullptr && known->table.metadata != nullptr) return known->table;
  }
  CALVE_ASSIGN_OR_RETURN(std::string json, Read(context, location));
  Result<iceberg::TableMetadata> metadata = iceberg::ParseTableMetadata(json);
  if (!metadata.ok()) return While("read metadata " + location, std::move(metadata).error());
  LoadedTable table{
      .metadata = std::make_shared<const iceberg::TableMetadata>(std::move(*metadata)),
      .metadata_location = location,
      .metadata_json = std::make_shared<const std::string>(std::move(json))};
  std::lock_guard lock(mutex_);
  Remember(location,
           {.table = table, .view = nullptr, .bytes = table.metadata_json->size(), .used = {}});
  return table;
}

Result<LoadedView> MetadataStore::LoadView(const Context& context, const std::string& location) {
  {
    std::lock_guard lock(mutex_);
    const Known* known = Find(location);
    if (known != nullptr && known->view != nullptr)
      return LoadedView{.metadata = known->view, .metadata_location = location};
  }
  CALVE_ASSIGN_OR_RETURN(std::string json, Read(context, location));
  Result<iceberg::ViewMetadata> metadata = iceberg::ParseViewMetadata(json);
  if (!metadata.ok()) return While("read metadata " + location, std::move(metadata).error());
  LoadedView view{.metadata = std::make_shared<const iceberg::ViewMetadata>(std::move(*metadata)),
                  .metadata_location = location};
  std::lock_guard lock(mutex_);
  Remember(location, {.table = {}, .view = view.metadata, .bytes = json.size(), .used = {}});
  return view;
}

Status MetadataStore::Write(const Context& context, const std::string& location,
                            const std::string& json, bool gzip) {
  CALVE_RETURN_IF_ERROR(context.Step("catalog.write_metadata"));
  const Result<ByteCount> written =
      gzip ? files_.WriteFile(context, location, iceberg::CompressMetadata(json))
           : files_.WriteFile(context, location, json);
  if (written.ok()) return Status::Ok();
  const ErrorKind kind = written.error().kind;
  const bool unknown = kind == ErrorKind::kUnknownOutcome;
  if (unknown || kind == ErrorKind::kTransient || kind == ErrorKind::kStopped)
    ForgetFile(context, location);
  // No pointer names it, so the change itself is surely not in.
  return unknown ? TransientError(written.error().message) : written.error();
}

Result<MetadataStore::Prepared> MetadataStore::Prepare(const Context& context,
                                                       const LoadedTable* base,
                                                       const iceberg::TableChange& change) {
  Prepared prepared;
  if (base != nullptr) prepared.previous_location = base->metadata_location;
  CALVE_ASSIGN_OR_RETURN(iceberg::TableMetadata next,
                         iceberg::Apply(base == nullptr ? nullptr : base->metadata.get(), change,
                                        {.now_ms = MillisSinceEpoch(context.clock->Now()),
                                         .previous_location = prepared.previous_location}));
  const bool gzip = WantsGzip(next);
  LoadedTable& table = prepared.table;
  table.metadata_json = std::make_shared<const std::string>(iceberg::SerializeTableMetadata(next));
  table.metadata_location = MetadataFolder(next) + "/" +
                            iceberg::NextMetadataFileName(prepared.previous_location,
                                                          NewUuidString(*context.random), gzip);
  table.metadata = std::make_shared<const iceberg::TableMetadata>(std::move(next));
  CALVE_RETURN_IF_ERROR(Write(context, table.metadata_location, *table.metadata_json, gzip));
  return prepared;
}

Result<LoadedView> MetadataStore::PrepareView(const Context& context, const LoadedView* base,
                                              const iceberg::ViewChange& change) {
  const std::string previous = base == nullptr ? std::string() : base->metadata_location;
  CALVE_ASSIGN_OR_RETURN(iceberg::ViewMetadata next,
                         iceberg::ApplyView(base == nullptr ? nullptr : base->metadata.get(),
                                            change, MillisSinceEpoch(context.clock->Now())));
  const bool gzip = IsGzip(next.properties);
  LoadedView view{.metadata = nullptr,
                  .metadata_location = FolderFor(next.location, next.properties) + "/" +
                                       iceberg::NextMetadataFileName(
                                           previous, NewUuidString(*context.random), gzip)};
  CALVE_RETURN_IF_ERROR(
      Write(context, view.metadata_location, iceberg::SerializeViewMetadata(next), gzip));
  view.metadata = std::make_shared<const iceberg::ViewMetadata>(std::move(next));
  return view;
}

void MetadataStore::Forget(const Context& context, const Prepared& prepared) {
  ForgetFile(context, prepared.table.metadata_location);
}

void MetadataStore::ForgetFile(const Context& context, const std::string& location) {
  // A file that nothing points to costs only its bytes: a failure here is no failure of the commit.
  Status deleted = files_.Delete(context.WithStop({}), location);
  if (!deleted.ok())
    context.log->Warn("a metadata file that no table uses stays", {{"file", location}});
}

void MetadataStore::Accept(const LoadedTable& now) {
  std::lock_guard lock(mutex_);
  Remember(now.metadata_location,
           {.table = now,
            .view = nullptr,
            .bytes = now.metadata_json == nullptr ? 0 : now.metadata_json->size(),
            .used = {}});
}

void MetadataStore::PruneLog(const Context& context, const LoadedTable* base,
                             const LoadedTable& now) {
  Accept(now);
  if (base == nullptr) return;
  {
    std::lock_guard lock(mutex_);
    Drop(base->metadata_location);
  }
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

MetadataStore::Known* MetadataStore::Find(const std::string& location) {
  const auto found = known_.find(location);
  if (found == known_.end()) return nullptr;
  used_.splice(used_.end(), used_, found->second.used);
  return &found->second;
}

void MetadataStore::Remember(const std::string& location, Known known) {
  Drop(location);
  known.bytes = known.bytes * kBytesPerTextByte + kEntryBytes;
  bytes_ += known.bytes;
  known.used = used_.insert(used_.end(), location);
  known_.emplace(location, std::move(known));
  while (bytes_ > kKnownBytesMax) Drop(used_.front());
}

void MetadataStore::Drop(const std::string& location) {
  const auto found = known_.find(location);
  if (found == known_.end()) return;
  bytes_ -= found->second.bytes;
  used_.erase(found->second.used);
  known_.erase(found);
}

}  // namespace calve::catalog
