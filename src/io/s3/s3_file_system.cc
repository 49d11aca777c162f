// S3 and what speaks like it (MinIO, SeaweedFS, R2 ...), over our own HTTP client: entity tags in
// listings, exact names, conditional writes and deletions that leave no folder markers. The AWS
// library only finds credentials.

#include <arrow/filesystem/s3fs.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "base/text.h"
#include "io/registry.h"
#include "io/s3/s3_client.h"
#include "io/s3/s3_output.h"
#include "io/uri.h"

namespace calve::io {
namespace {

constexpr size_t kDeletesPerRequest = 1000;

Result<S3Place> PlaceOf(const std::string& text) {
  CALVE_ASSIGN_OR_RETURN(Uri uri, ParseUri(text));
  return S3Place{.bucket = std::move(uri.authority), .key = std::move(uri.path), .uri = text};
}

Result<S3Place> FilePlaceOf(const std::string& text) {
  CALVE_ASSIGN_OR_RETURN(S3Place place, PlaceOf(text));
  if (place.key.empty() || place.key.ends_with('/')) {
    return RefusedError(Quote(text) + " is a folder, expected a file");
  }
  return place;
}

/// What every key below a folder starts with.
std::string PrefixOf(const S3Place& folder) {
  return folder.key.empty() || folder.key.ends_with('/') ? folder.key : folder.key + "/";
}

class S3Input : public InputFile {
 public:
  S3Input(const Context& context, std::shared_ptr<S3Client> client, S3Place place, int64_t size,
          std::string etag)
      : context_(context),
        client_(std::move(client)),
        place_(std::move(place)),
        size_(size),
        etag_(std::move(etag)) {}

  const std::string& uri() const override { return place_.uri; }
  ByteCount size() const override { return ByteCount(size_); }

  Result<size_t> ReadInto(int64_t offset, std::span<char> out) override {
    CALVE_RETURN_IF_ERROR(context_.CheckStop());
    if (offset < 0) return DataError(Quote(place_.uri) + ": asked to read at a negative offset");
    const int64_t there = std::max<int64_t>(0, size_ - offset);
    out = out.first(std::min(out.size(), static_cast<size_t>(there)));
    std::string etag = Tag();
    CALVE_RETURN_IF_ERROR(client_->Get(context_, place_, offset, out, etag));
    CALVE_RETURN_IF_ERROR(SetTag(etag));
    return out.size();
  }

 private:
  std::string Tag() {
    std::lock_guard lock(mutex_);
    return etag_;
  }

  /// Pin the version that the first read found. Two first reads at once must have found the same.
  Status SetTag(const std::string& found) {
    std::lock_guard lock(mutex_);
    if (etag_.empty()) etag_ = found;
    if (found.empty() || found == etag_) return Status::Ok();
    return DataError(Quote(place_.uri) + " was replaced while it was read; run again");
  }

  const Context context_;
  const std::shared_ptr<S3Client> client_;
  const S3Place place_;
  const int64_t size_;
  std::mutex mutex_;
  std::string etag_;
};

class S3FileSystem : public FileSystem {
 public:
  explicit S3FileSystem(std::shared_ptr<S3Client> client) : client_(std::move(client)) {}

  Result<std::unique_ptr<InputFile>> OpenInput(const Context& context, const std::string& uri,
                                               const InputOptions& options) override {
    CALVE_ASSIGN_OR_RETURN(S3Place place, FilePlaceOf(uri));
    if (options.size) {
      return std::make_unique<S3Input>(context, client_, std::move(place), options.size->value(),
                                       "");
    }
    CALVE_ASSIGN_OR_RETURN(const S3Object object, client_->Head(context, place));
    return std::make_unique<S3Input>(context, client_, std::move(place), object.size.value(),
                                     object.etag);
  }

  Result<std::unique_ptr<OutputFile>> OpenOutput(const Context& context, const std::string& uri,
                                                 const OutputOptions& options) override {
    CALVE_ASSIGN_OR_RETURN(S3Place place, FilePlaceOf(uri));
    if (options.overwrite == OverwritePolicy::kFail) {
      auto object = client_->Head(context, place);
      if (object.ok())
        return AlreadyExistsError("cannot create " + Quote(uri) + ": an object is there already");
      if (object.error().kind != ErrorKind::kNotFound) return object.error();
    }
    return std::make_unique<S3Output>(context, client_, std::move(place), options.overwrite);
  }

  Result<FileInfo> Stat(const Context& context, const std::string& uri) override {
    CALVE_ASSIGN_OR_RETURN(const S3Place place, PlaceOf(uri));
    if (!place.key.empty() && !place.key.ends_with('/')) {
      auto object = client_->Head(context, place);
      if (object.ok()) return Describe(uri, *object);
      if (object.error().kind != ErrorKind::kNotFound) return object.error();
    }
    CALVE_ASSIGN_OR_RETURN(const bool folder, IsFolder(context, place));
    if (!folder) return NotFoundError("nothing is at " + Quote(uri));
    return FileInfo{.uri = uri, .kind = FileKind::kFolder};
  }

  Status List(const Context& context, const std::string& folder, const ListOptions& options,
              const ListPage& page) override {
    CALVE_ASSIGN_OR_RETURN(const S3Place place, PlaceOf(folder));
    const std::string prefix = PrefixOf(place);
    std::string token;
    do {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const S3ListPage listed, client_->List(context, place, prefix, token,
                                                                    options.recursive ? "" : "/"));
      std::vector<FileInfo> found;
      for (const S3Object& object : listed.objects) {
        if (object.key.ends_with('/')) continue;  // a marker that others leave for a folder
        found.push_back(Describe(Below(folder, object.key.substr(prefix.size())), object));
      }
      for (const std::string& below : listed.prefixes) {
        std::string name = below.substr(prefix.size());
        if (name.ends_with('/')) name.pop_back();
        found.push_back({.uri = Below(folder, name), .kind = FileKind::kFolder});
      }
      if (!found.empty()) {
        CALVE_ASSIGN_OR_RETURN(const bool more, page(found));
        if (!more) return Status::Ok();
      }
      token = listed.next;
    } while (!token.empty());
    return Status::Ok();
  }

  Status Delete(const Context& context, const std::string& uri) override {
    CALVE_ASSIGN_OR_RETURN(const S3Place place, FilePlaceOf(uri));
    return client_->Delete(context, place);
  }

  Status DeleteAll(const Context& context, std::span<const std::string> uris) override {
    std::map<std::string, std::vector<S3Place>> by_bucket;
    for (const std::string& uri : uris) {
      CALVE_ASSIGN_OR_RETURN(S3Place place, FilePlaceOf(uri));
      by_bucket[place.bucket].push_back(std::move(place));
    }
    Status outcome;
    for (const auto& [bucket, places] : by_bucket) {
      for (size_t start = 0; start < places.size(); start += kDeletesPerRequest) {
        const size_t count = std::min(kDeletesPerRequest, places.size() - start);
        Status deleted = client_->DeleteMany(context, std::span(places).subspan(start, count));
        if (outcome.ok()) outcome = std::move(deleted);
      }
    }
    return outcome;
  }

  Status DeleteEmptyFolder(const Context& context, const std::string& uri) override {
    CALVE_ASSIGN_OR_RETURN(S3Place place, PlaceOf(uri));
    const std::string prefix = PrefixOf(place);
    if (prefix.empty())
      return RefusedError("cannot delete " + Quote(uri) + ": it is a whole bucket");
    CALVE_ASSIGN_OR_RETURN(const S3ListPage listed,
                           client_->List(context, place, prefix, "", "", 2));
    for (const S3Object& object : listed.objects) {
      if (object.key != prefix)
        return RefusedError("cannot delete folder " + Quote(uri) + ": it is not empty");
    }
    if (listed.objects.empty()) return Status::Ok();
    place.key = prefix;  // the marker
    return client_->Delete(context, place);
  }

  Status CreateIfAbsent(const Context& context, const std::string& uri,
                        std::string_view bytes) override {
    CALVE_ASSIGN_OR_RETURN(const S3Place place, FilePlaceOf(uri));
    CALVE_ASSIGN_OR_RETURN(const S3PutOutcome outcome,
                           client_->PutIfAbsent(context, place, std::string(bytes)));
    if (outcome == S3PutOutcome::kWritten) return Status::Ok();
    return AlreadyExistsError("cannot create " + Quote(uri) + ": an object is there already");
  }

  Result<Made> EnsureFolder(const Context& context, const std::string& uri) override {
    CALVE_ASSIGN_OR_RETURN(const S3Place place, PlaceOf(uri));
    CALVE_ASSIGN_OR_RETURN(const bool there, client_->BucketExists(context, place));
    return there ? Result<Made>(Made::kBefore) : client_->MakeBucket(context, place);
  }

  Result<Capabilities> CapabilitiesFor(const std::string&) override {
    return Capabilities{.folders = false};
  }

 private:
  static FileInfo Describe(std::string uri, const S3Object& object) {
    return {.uri = std::move(uri),
            .kind = FileKind::kFile,
            .size = object.size,
            .modified = object.modified,
            .etag = object.etag};
  }

  Result<bool> IsFolder(const Context& context, const S3Place& place) {
    if (place.key.empty()) return client_->BucketExists(context, place);
    CALVE_ASSIGN_OR_RETURN(const S3ListPage listed,
                           client_->List(context, place, PrefixOf(place), "", "", 1));
    return !listed.objects.empty();
  }

  const std::shared_ptr<S3Client> client_;
};

}  // namespace

CALVE_PART(s3) {
  registry.Add({.name = "s3",
                .schemes = {"s3", "s3a", "s3n"},
                .open = [](const Properties& properties) -> Result<std::unique_ptr<FileSystem>> {
                  CALVE_ASSIGN_OR_RETURN(S3Options options, S3Options::From(properties));
                  auto client = std::make_shared<S3Client>(std::move(options), MakeHttpClient());
                  return std::make_unique<S3FileSystem>(std::move(client));
                },
                .open_live = [](const Properties& properties, std::shared_ptr<LiveProperties> live)
                    -> Result<std::unique_ptr<FileSystem>> {
                  CALVE_ASSIGN_OR_RETURN(S3Options options,
                                         S3Options::From(properties, std::move(live)));
                  auto client = std::make_shared<S3Client>(std::move(options), MakeHttpClient());
                  return std::make_unique<S3FileSystem>(std::move(client));
                },
                .shutdown =
                    [] {
                      if (arrow::fs::IsS3Initialized()) (void)arrow::fs::FinalizeS3();
                    }});
}

}  // namespace calve::io
