#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/duckdb/library.h"
#include "engine/duckdb/query_state.h"

namespace calve::engine {

/// Data files have names of this scheme inside DuckDB, so that a locked instance can be let read
/// them and nothing else.
inline constexpr std::string_view kPrivateScheme = "calve-data://";

/// The queries whose files can be opened now. Threads: any.
class OpenQueries {
 public:
  void Add(const duckdb::shared_ptr<QueryState>& state);
  void Remove(const std::string& secret);
  /// The query that gave a file its private name; null when it has ended or never was.
  duckdb::shared_ptr<QueryState> Find(const std::string& name);

 private:
  std::mutex mutex_;
  std::map<std::string, duckdb::weak_ptr<QueryState>, std::less<>> states_;
};

/// DuckDB's way to our files: reads what stands behind private names, through the file system of
/// the query. Writes nothing. Threads: any.
class PrivateFiles : public duckdb::FileSystem {
 public:
  explicit PrivateFiles(std::shared_ptr<OpenQueries> queries) : queries_(std::move(queries)) {}

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(
      const std::string& path, duckdb::FileOpenFlags flags,
      duckdb::optional_ptr<duckdb::FileOpener> opener) override;
  void Read(duckdb::FileHandle& handle, void* buffer, int64_t nr_bytes,
            duckdb::idx_t location) override;
  int64_t Read(duckdb::FileHandle& handle, void* buffer, int64_t nr_bytes) override;
  int64_t GetFileSize(duckdb::FileHandle& handle) override;
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle& handle) override;
  duckdb::FileType GetFileType(duckdb::FileHandle& handle) override;
  bool FileExists(const std::string& filename,
                  duckdb::optional_ptr<duckdb::FileOpener> opener) override;
  bool CanHandleFile(const std::string& path) override { return path.starts_with(kPrivateScheme); }
  void Seek(duckdb::FileHandle& handle, duckdb::idx_t location) override;
  duckdb::idx_t SeekPosition(duckdb::FileHandle& handle) override;
  bool CanSeek() override { return true; }
  bool OnDiskFile(duckdb::FileHandle& handle) override;
  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path,
                                            duckdb::FileOpener* opener) override;
  std::string CanonicalizePath(const std::string& path,
                               duckdb::optional_ptr<duckdb::FileOpener> opener) override;
  std::string GetName() const override { return "calve"; }

 private:
  std::shared_ptr<OpenQueries> queries_;
};

}  // namespace calve::engine
