#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"

namespace calve::io {

/// A file opened for reading at any offset. Threads: any may read at once.
///
/// It keeps a copy of the context that opened it: reads fail with kStopped once that was asked to
/// stop.
class InputFile {
 public:
  virtual ~InputFile() = default;

  /// The address as the opener gave it.
  virtual const std::string& uri() const = 0;
  virtual ByteCount size() const = 0;

  /// Fill `out` from `offset` on and return the bytes read: fewer than asked only at the end of the
  /// file, 0 beyond it.
  virtual Result<size_t> ReadInto(int64_t offset, std::span<char> out) = 0;

  /// Read exactly `length` bytes. Fails with kData when the file ends before.
  Result<std::string> ReadAt(int64_t offset, int64_t length);
  /// Read the whole file. Fails with kData when it is larger than `limit`.
  Result<std::string> ReadAll(ByteCount limit = ByteCount(int64_t{1} << 31));
};

/// A file being written from its start to its end. One thread.
///
/// Nothing is seen under its name before Close() returned ok. Destroying it without Close() aborts
/// it.
class OutputFile {
 public:
  virtual ~OutputFile() = default;

  virtual const std::string& uri() const = 0;
  /// How many bytes were written.
  virtual ByteCount position() const = 0;

  virtual Status Write(std::string_view bytes) = 0;

  /// Make the file whole, visible and durable (contents and folder entry), and return its size.
  ///
  /// Fails with kAlreadyExists under OverwritePolicy::kFail when the name was taken meanwhile; with
  /// kUnknownOutcome when an object store did not say whether the file is there. Call once.
  virtual Result<ByteCount> Close() = 0;

  /// Forget what was written and leave no file. Errors are of no consequence to the caller. Ok
  /// after Close().
  virtual void Abort() = 0;
};

enum class FileKind { kFile, kFolder };

/// What a store says of a file or folder.
struct FileInfo {
  std::string uri;  ///< In the form that the caller used: asked with s3a:// or file:/, answered so.
  FileKind kind = FileKind::kFile;
  ByteCount size{0};                  ///< 0 for folders.
  std::optional<Timestamp> modified;  ///< As the store says; not to be compared between stores.
  /// The version of the contents as the store names it; "" when it has none.
  std::string etag;
};

enum class OverwritePolicy {
  kFail,     ///< Never replace: kAlreadyExists when the name is taken.
  kReplace,  ///< Take the place of what is there, at once and whole.
};

struct InputOptions {
  /// When known (a manifest says it), object stores are not asked for it.
  std::optional<ByteCount> size;
};

struct OutputOptions {
  OverwritePolicy overwrite = OverwritePolicy::kFail;
};

struct ListOptions {
  bool recursive = false;
};

/// Take one page of a listing; false ends the listing early.
using ListPage = std::function<Result<bool>(std::span<const FileInfo> page)>;

enum class Made { kNow, kBefore };

/// What a store can do. Ask before relying on it, so that the answer is a sentence and not a
/// surprise.
struct Capabilities {
  bool write = true;
  bool atomic_create = true;  ///< CreateIfAbsent() lets exactly one of many callers win.
  bool folders = true;        ///< Folders exist by themselves, also when empty.
};

/// Files under one interface, wherever they lie. Threads: any.
///
/// Addresses: /abs, relative, file:/abs, file:///abs, s3://, s3a://, s3n://, gs://, abfss://,
/// abfs://, http:// and https:// (read only), memory://. They are kept byte for byte as given.
/// Calls block; run them on threads that may wait. Errors: kNotFound, kAlreadyExists, kTransient
/// (after this room's own retries: don't retry again at once), kRefused (rights, disk full,
/// read-only, unsupported), kUnknownOutcome (a write whose reply was lost), kStopped, kConfig (an
/// address or key that makes no sense). Messages name the address, what was tried and what the
/// store said.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<InputFile>> OpenInput(const Context& context,
                                                       const std::string& uri,
                                                       const InputOptions& options = {}) = 0;

  /// Start a file. Missing folders above it are made; a missing bucket is not (see EnsureFolder).
  virtual Result<std::unique_ptr<OutputFile>> OpenOutput(const Context& context,
                                                         const std::string& uri,
                                                         const OutputOptions& options = {}) = 0;

  /// What is at `uri`, a file before a folder of that name. Fails with kNotFound when nothing is.
  virtual Result<FileInfo> Stat(const Context& context, const std::string& uri) = 0;

  /// Give what lies in the folder, page by page, in no particular order; recursive listings give
  /// files only.
  ///
  /// A folder that is not there fails with kNotFound where folders exist by themselves, and is
  /// empty elsewhere. Links to folders are not followed in recursive listings.
  virtual Status List(const Context& context, const std::string& folder, const ListOptions& options,
                      const ListPage& page) = 0;

  /// See that no file is at `uri`: ok when there was none. Never deletes a folder.
  virtual Status Delete(const Context& context, const std::string& uri) = 0;

  /// Delete every one of `uris`, going on after a failure; then fail with the first error and the
  /// count.
  virtual Status DeleteAll(const Context& context, std::span<const std::string> uris);

  /// Delete a folder that holds nothing: ok when there is none, kRefused when it is not empty.
  virtual Status DeleteEmptyFolder(const Context& context, const std::string& uri) = 0;

  /// Write a whole small file durably, only when nothing is there: of many callers at once exactly
  /// one wins.
  ///
  /// Fails with kAlreadyExists when something is there (nothing was changed), with kUnknownOutcome
  /// when the reply was lost: read it back before anything else.
  virtual Status CreateIfAbsent(const Context& context, const std::string& uri,
                                std::string_view bytes) = 0;

  /// Make the folder, those above it and the bucket when they are missing, durably; say whether
  /// anything was made.
  virtual Result<Made> EnsureFolder(const Context& context, const std::string& uri) = 0;

  virtual Result<Capabilities> CapabilitiesFor(const std::string& uri) = 0;

  /// Whether a file or folder is at `uri`.
  Result<bool> Exists(const Context& context, const std::string& uri);
  /// The whole listing at once, sorted by address. For folders known to be of modest size.
  Result<std::vector<FileInfo>> ListAll(const Context& context, const std::string& folder,
                                        const ListOptions& options = {});
  /// Read a whole file of at most `limit` bytes.
  Result<std::string> ReadFile(const Context& context, const std::string& uri,
                               ByteCount limit = ByteCount(int64_t{1} << 31));
  /// Write a whole file and return its size.
  Result<ByteCount> WriteFile(const Context& context, const std::string& uri,
                              std::string_view bytes, const OutputOptions& options = {});
};

}  // namespace calve::io
