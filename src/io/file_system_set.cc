#include "io/file_system_set.h"

#include <utility>

#include "base/text.h"
#include "io/uri.h"

namespace calve::io {
namespace {

/// Whether `uri` is `prefix` or lies below it.
bool IsBelow(const std::string& uri, const std::string& prefix) {
  if (!uri.starts_with(prefix)) return false;
  return uri.size() == prefix.size() || prefix.empty() || prefix.back() == '/' ||
         uri[prefix.size()] == '/';
}

/// The address with s3a: and s3n: written as s3:, so that properties given for one serve all.
std::string WithMainScheme(const Storage& storage, const std::string& uri) {
  const std::string scheme = SchemeOf(uri);
  if (scheme.empty() || scheme == "file") return uri;
  return storage.schemes.front() + uri.substr(scheme.size());
}

/// The longest key of `by_prefix` at or above an address; null when there is none.
template <typename Map>
const std::string* LongestAbove(const Map& by_prefix, const std::string& address) {
  const std::string* longest = nullptr;
  for (const auto& [prefix, value] : by_prefix) {
    if (IsBelow(address, prefix) && (longest == nullptr || prefix.size() > longest->size()))
      longest = &prefix;
  }
  return longest;
}

}  // namespace

FileSystemSet::FileSystemSet(Properties properties) {
  RegisterParts(registry_);
  by_prefix_[""] = std::move(properties);
}

std::string FileSystemSet::Key(const std::string& prefix) const {
  const Storage* storage = registry_.Find(SchemeOf(prefix));
  return storage == nullptr ? prefix : WithMainScheme(*storage, prefix);
}

void FileSystemSet::SetProperties(const std::string& prefix, Properties properties) {
  const std::string key = Key(prefix);
  std::lock_guard lock(mutex_);
  by_prefix_[key] = std::move(properties);
  std::erase_if(opened_, [&](const auto& entry) {  // the general ones are part of all
    return key.empty() || entry.first.second == key;
  });
}

void FileSystemSet::SetLiveProperties(const std::string& prefix,
                                      std::shared_ptr<LiveProperties> live) {
  const std::string key = Key(prefix);
  std::lock_guard lock(mutex_);
  Live& there = live_[key];
  if (there.source != live) there = {.source = std::move(live), .used = nullptr, .files = nullptr};
}

void FileSystemSet::Mount(const std::string& scheme, std::shared_ptr<FileSystem> files) {
  std::lock_guard lock(mutex_);
  mounted_[scheme] = std::move(files);
}

std::pair<std::string, Properties> FileSystemSet::FixedProperties(
    const std::string& address) const {
  const std::string& prefix = *LongestAbove(by_prefix_, address);  // "" is always there
  Properties properties = by_prefix_.at(prefix);
  const Properties& general = by_prefix_.at("");
  properties.insert(general.begin(), general.end());  // where the prefix is silent
  return {prefix, std::move(properties)};
}

Result<std::shared_ptr<FileSystem>> FileSystemSet::For(const Context* context,
                                                       const std::string& uri) {
  const std::string scheme = SchemeOf(uri);
  std::unique_lock lock(mutex_);
  const auto mounted = mounted_.find(scheme);
  if (mounted != mounted_.end()) return mounted->second;
  const Storage* storage = registry_.Find(scheme);
  if (storage == nullptr) {
    std::vector<std::string> known;
    for (const Storage& each : registry_.storages()) {
      for (const std::string& name : each.schemes) {
        if (!name.empty()) known.push_back(name);
      }
    }
    return ConfigError("address " + Quote(ShownUri(uri)) + ": no storage is known for " + scheme +
                       "://" + DidYouMean(scheme, known) + "; known are a path and " +
                       Join(known, ", "));
  }
  const std::string address = WithMainScheme(*storage, uri);
  const auto [prefix, properties] = FixedProperties(address);
  const std::string* live = LongestAbove(live_, address);
  if (context != nullptr && live != nullptr && live->size() >= prefix.size()) {
    const std::string below = *live;
    lock.unlock();
    return OpenLive(*context, *storage, below, properties);
  }
  auto& opened = opened_[{storage->name, prefix}];
  if (opened == nullptr) {
    CALVE_ASSIGN_OR_RETURN(opened, storage->open(properties));
  }
  return opened;
}

Result<std::shared_ptr<FileSystem>> FileSystemSet::OpenLive(const Context& context,
                                                            const Storage& storage,
                                                            const std::string& prefix,
                                                            const Properties& otherwise) {
  std::shared_ptr<LiveProperties> source;
  {
    std::lock_guard lock(mutex_);
    source = live_[prefix].source;
  }
  CALVE_ASSIGN_OR_RETURN(const auto now, source->Now(context));  // may ask a server
  std::lock_guard lock(mutex_);
  Live& live = live_[prefix];
  if (live.files != nullptr && live.used == now) return live.files;
  Properties properties = *now;
  properties.insert(otherwise.begin(), otherwise.end());
  CALVE_ASSIGN_OR_RETURN(live.files, storage.open_live ? storage.open_live(properties, source)
                                                       : storage.open(properties));
  live.used = now;
  return live.files;
}

Result<std::unique_ptr<InputFile>> FileSystemSet::OpenInput(const Context& context,
                                                            const std::string& uri,
                                                            const InputOptions& options) {
  CALVE_ASSIGN_OR_RETURN(auto files, For(&context, uri));
  return files->OpenInput(context, uri, options);
}

Result<std::unique_ptr<OutputFile>> FileSystemSet::OpenOutput(const Context& context,
                                                              const std::string& uri,
                                                              const OutputOptions& options) {
  CALVE_ASSIGN_OR_RETURN(auto files, For(&context, uri));
  return files->OpenOutput(context, uri, options);
}

Result<FileInfo> FileSystemSet::Stat(const Context& context, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(auto files, For(&context, uri));
  return files->Stat(context, uri);
}

Status FileSystemSet::List(const Context& context, const std::string& folder,
                           const ListOptions& options, const ListPage& page) {
  CALVE_ASSIGN_OR_RETURN(auto files, For(&context, folder));
  return files->List(context, folder, options, page);
}

Status FileSystemSet::Delete(const Context& context, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(auto files, For(&context, uri));
  return files->Delete(context, uri);
}

Status FileSystemSet::DeleteAll(const Context& context, std::span<const std::string> uris) {
  std::map<std::shared_ptr<FileSystem>, std::vector<std::string>> by_files;
  for (const std::string& uri : uris) {
    CALVE_ASSIGN_OR_RETURN(auto files, For(&context, uri));
    by_files[files].push_back(uri);
  }
  Status outcome;
  for (const auto& [files, theirs] : by_files) {
    Status deleted = files->DeleteAll(context, theirs);
    if (outcome.ok()) outcome = std::move(deleted);
  }
  return outcome;
}

Status FileSystemSet::DeleteEmptyFolder(const Context& context, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(auto files, For(&context, uri));
  return files->DeleteEmptyFolder(context, uri);
}

Status FileSystemSet::CreateIfAbsent(const Context& context, const std::string& uri,
                                     std::string_view bytes) {
  CALVE_ASSIGN_OR_RETURN(auto files, For(&context, uri));
  return files->CreateIfAbsent(context, uri, bytes);
}

Result<Made> FileSystemSet::EnsureFolder(const Context& context, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(auto files, For(&context, uri));
  return files->EnsureFolder(context, uri);
}

Result<Capabilities> FileSystemSet::CapabilitiesFor(const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(auto files, For(nullptr, uri));
  return files->CapabilitiesFor(uri);
}

void ShutdownCloud() {
  Registry registry;
  RegisterParts(registry);
  for (const Storage& storage : registry.storages()) {
    if (storage.shutdown) storage.shutdown();
  }
}

}  // namespace calve::io
