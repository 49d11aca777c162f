#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"
#include "io/http.h"
#include "io/s3/s3_options.h"

namespace calve::io {

/// The place of an object.
struct S3Place {
  std::string bucket;
  std::string key;
  std::string uri;  ///< As the caller wrote it, for messages.
};

/// What S3 says of an object.
struct S3Object {
  std::string key;
  ByteCount size{0};
  std::optional<Timestamp> modified;
  std::string etag;
};

struct S3ListPage {
  std::vector<S3Object> objects;
  std::vector<std::string> prefixes;  ///< With a trailing slash.
  std::string next;                   ///< Token of the next page; "" at the end.
};

/// How a write that only one may win went.
enum class S3PutOutcome { kWritten, kTaken };

/// The requests to S3 that calve makes. Threads: any.
///
/// Retries are the HTTP client's; what must not be sent twice is sent once and its outcome named.
/// Errors carry S3's code and message, never credentials.
class S3Client {
 public:
  S3Client(S3Options options, std::shared_ptr<HttpClient> http)
      : options_(std::move(options)), http_(std::move(http)) {}

  /// Fails with kNotFound when there is no such object.
  Result<S3Object> Head(const Context& context, const S3Place& place);

  /// Fill `out` from `offset` on. `etag` pins the version: "" takes any and is then set to the one
  /// that was read.
  Status Get(const Context& context, const S3Place& place, int64_t offset, std::span<char> out,
             std::string& etag);

  /// Write an object, replacing what is there.
  Status Put(const Context& context, const S3Place& place, std::string bytes);
  /// Write an object where none is, once. kUnknownOutcome when the reply was lost.
  Result<S3PutOutcome> PutIfAbsent(const Context& context, const S3Place& place, std::string bytes);

  Result<std::string> StartUpload(const Context& context, const S3Place& place);
  /// Returns the part's tag.
  Result<std::string> UploadPart(const Context& context, const S3Place& place,
                                 const std::string& upload, int number, std::string bytes);
  /// Put the parts together, once. kUnknownOutcome when the reply was lost.
  Result<S3PutOutcome> CompleteUpload(const Context& context, const S3Place& place,
                                      const std::string& upload,
                                      const std::vector<std::string>& tags,
                                      OverwritePolicy overwrite);
  Status AbortUpload(const Context& context, const S3Place& place, const std::string& upload);

  /// One page of at most 1,000 keys that start with `prefix`.
  Result<S3ListPage> List(const Context& context, const S3Place& place, const std::string& prefix,
                          const std::string& token, std::string_view delimiter,
                          int keys_max = 1000);

  Status Delete(const Context& context, const S3Place& place);
  /// Delete at most 1,000 objects of one bucket in one request.
  Status DeleteMany(const Context& context, std::span<const S3Place> places);

  Result<bool> BucketExists(const Context& context, const S3Place& place);
  Result<Made> MakeBucket(const Context& context, const S3Place& place);

 private:
  std::string UrlOf(const S3Place& place) const;
  Result<HttpResponse> Send(const Context& context, HttpRequest request);
  /// Send a request that may be repeated until its reply was not cut short on the way.
  Result<HttpResponse> SendWhole(const Context& context, const HttpRequest& request,
                                 const std::function<bool(const HttpResponse&)>& is_whole);
  Status SendFor(const Context& context, const S3Place& place, HttpRequest request,
                 std::string_view doing);
  Status GetPiece(const Context& context, const S3Place& place, int64_t offset, std::span<char> out,
                  std::string& etag);
  Result<S3PutOutcome> SendOnce(const Context& context, const S3Place& place,
                                const HttpRequest& request, std::string_view doing);

  const S3Options options_;
  const std::shared_ptr<HttpClient> http_;
};

}  // namespace calve::io
