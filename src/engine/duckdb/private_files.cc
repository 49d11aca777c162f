#include "engine/duckdb/private_files.h"

#include <fmt/format.h>

#include "io/uri.h"

namespace calve::engine {
namespace {

class PrivateHandle : public duckdb::FileHandle {
 public:
  PrivateHandle(duckdb::FileSystem& system, const std::string& name, duckdb::FileOpenFlags flags,
                duckdb::shared_ptr<QueryState> state, std::unique_ptr<io::InputFile> file)
      : FileHandle(system, name, flags), state(std::move(state)), file(std::move(file)) {}
  void Close() override { file.reset(); }

  duckdb::shared_ptr<QueryState> state;
  std::unique_ptr<io::InputFile> file;
  duckdb::idx_t position = 0;
};

/// Fill as much of the buffer as the file has from `location` on.
int64_t Fill(PrivateHandle& handle, void* buffer, int64_t nr_bytes, duckdb::idx_t location) {
  int64_t done = 0;
  while (done < nr_bytes) {
    auto read = handle.file->ReadInto(
        static_cast<int64_t>(location) + done,
        {static_cast<char*>(buffer) + done, static_cast<size_t>(nr_bytes - done)});
    const auto count = ValueOrThrow(*handle.state, std::move(read));
    if (count == 0) break;
    done += static_cast<int64_t>(count);
  }
  return done;
}

}  // namespace

void OpenQueries::Add(const duckdb::shared_ptr<QueryState>& state) {
  std::lock_guard lock(mutex_);
  states_.emplace(state->secret(), state);
}

void OpenQueries::Remove(const std::string& secret) {
  std::lock_guard lock(mutex_);
  states_.erase(secret);
}

duckdb::shared_ptr<QueryState> OpenQueries::Find(const std::string& name) {
  if (!name.starts_with(kPrivateScheme)) return nullptr;
  const std::string_view rest = std::string_view(name).substr(kPrivateScheme.size());
  std::lock_guard lock(mutex_);
  const auto found = states_.find(rest.substr(0, rest.find('/')));
  return found == states_.end() ? nullptr : found->second.lock();
}

duckdb::unique_ptr<duckdb::FileHandle> PrivateFiles::OpenFile(
    const std::string& path, duckdb::FileOpenFlags flags,
    duckdb::optional_ptr<duckdb::FileOpener>) {
  auto state = queries_->Find(path);
  const auto file = state ? state->FindFile(path) : std::nullopt;
  if (!file || flags.OpenForWriting()) throw duckdb::PermissionException("there is no such file");
  const iceberg::DataFile& data_file = *file->task().file;
  io::InputOptions options;
  if (data_file.file_size_in_bytes > 0) options.size = ByteCount(data_file.file_size_in_bytes);
  auto input =
      ValueOrThrow(*state, state->files().OpenInput(state->context(), data_file.path, options));
  return duckdb::make_uniq<PrivateHandle>(*this, path, flags, std::move(state), std::move(input));
}

void PrivateFiles::Read(duckdb::FileHandle& handle, void* buffer, int64_t nr_bytes,
                        duckdb::idx_t location) {
  auto& ours = handle.Cast<PrivateHandle>();
  const int64_t read = Fill(ours, buffer, nr_bytes, location);
  if (read == nr_bytes) return;
  ours.state->Throw(
      DataError(fmt::format("{}: expected {} bytes at offset {}, the file ends after {}",
                            ours.file->uri(), nr_bytes, location, read)));
}

int64_t PrivateFiles::Read(duckdb::FileHandle& handle, void* buffer, int64_t nr_bytes) {
  auto& ours = handle.Cast<PrivateHandle>();
  const int64_t read = Fill(ours, buffer, nr_bytes, ours.position);
  ours.position += static_cast<duckdb::idx_t>(read);
  return read;
}

int64_t PrivateFiles::GetFileSize(duckdb::FileHandle& handle) {
  return handle.Cast<PrivateHandle>().file->size().value();
}

// A data file never changes, and its private name lives only as long as the query.
duckdb::timestamp_t PrivateFiles::GetLastModifiedTime(duckdb::FileHandle&) {
  return duckdb::timestamp_t(0);
}

duckdb::FileType PrivateFiles::GetFileType(duckdb::FileHandle&) {
  return duckdb::FileType::FILE_TYPE_REGULAR;
}

bool PrivateFiles::FileExists(const std::string& filename,
                              duckdb::optional_ptr<duckdb::FileOpener>) {
  const auto state = queries_->Find(filename);
  return state && state->FindFile(filename).has_value();
}

void PrivateFiles::Seek(duckdb::FileHandle& handle, duckdb::idx_t location) {
  handle.Cast<PrivateHandle>().position = location;
}

duckdb::idx_t PrivateFiles::SeekPosition(duckdb::FileHandle& handle) {
  return handle.Cast<PrivateHandle>().position;
}

bool PrivateFiles::OnDiskFile(duckdb::FileHandle& handle) {
  const std::string scheme = io::SchemeOf(handle.Cast<PrivateHandle>().file->uri());
  return scheme.empty() || scheme == "file" || scheme == "memory";
}

duckdb::vector<duckdb::OpenFileInfo> PrivateFiles::Glob(const std::string& path,
                                                        duckdb::FileOpener*) {
  if (!FileExists(path, nullptr)) return {};
  return {duckdb::OpenFileInfo(path)};
}

std::string PrivateFiles::CanonicalizePath(const std::string& path,
                                           duckdb::optional_ptr<duckdb::FileOpener>) {
  return path;
}

}  // namespace calve::engine
