// Files on the web, read over http and https; never written.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "io/http.h"
#include "io/registry.h"
#include "io/system_call.h"
#include "io/uri.h"

namespace calve::io {
namespace {

constexpr int64_t kHeadBytes = 64 << 10;        // what opening a file fetches along
constexpr int64_t kRequestBytesMax = 32 << 20;  // at most so much is asked for at once
constexpr int kDownloadsMax = 3;
constexpr int64_t kSpoolBytesMax = int64_t{64} << 30;

/// What a reply says of the whole file: "bytes 0-99/1234" gives 1234.
std::optional<int64_t> TotalBytes(const HttpResponse& response) {
  const std::string_view range = response.Header("content-range");
  const size_t slash = range.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  int64_t total = 0;
  const char* const end = range.data() + range.size();
  const auto parsed = std::from_chars(range.data() + slash + 1, end, total);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(total) : std::nullopt;
}

/// Whether the reply holds the bytes from `first` on.
bool StartsAt(const HttpResponse& response, int64_t first) {
  return ToLower(response.Header("content-range"))
      .starts_with("bytes " + std::to_string(first) + "-");
}

/// "Sat, 21 Nov 2026 08:15:00 GMT"
std::optional<Timestamp> ParseHttpDate(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return Timestamp(std::chrono::seconds(::timegm(&parts)));
}

Error Changed(const std::string& uri) {
  return DataError(Quote(ShownUri(uri)) + " was replaced while it was read; run again");
}

/// A file whose server gives byte ranges.
class RangedInput : public InputFile {
 public:
  RangedInput(const Context& context, std::shared_ptr<HttpClient> client, std::string uri,
              int64_t size, std::string etag, std::string head)
      : context_(context),
        client_(std::move(client)),
        uri_(std::move(uri)),
        size_(size),
        etag_(std::move(etag)),
        head_(std::move(head)) {}

  const std::string& uri() const override { return uri_; }
  ByteCount size() const override { return ByteCount(size_); }

  Result<size_t> ReadInto(int64_t offset, std::span<char> out) override {
    CALVE_RETURN_IF_ERROR(context_.CheckStop());
    if (offset < 0) return DataError(Quote(uri_) + ": asked to read at a negative offset");
    const int64_t there = std::max<int64_t>(0, size_ - offset);
    out = out.first(std::min(out.size(), static_cast<size_t>(there)));
    size_t filled = FromHead(offset, out);
    while (filled < out.size()) {
      const auto piece =
          out.subspan(filled, std::min<size_t>(out.size() - filled, kRequestBytesMax));
      CALVE_RETURN_IF_ERROR(Fetch(offset + static_cast<int64_t>(filled), piece));
      filled += piece.size();
    }
    return filled;
  }

 private:
  size_t FromHead(int64_t offset, std::span<char> out) const {
    const auto start = static_cast<size_t>(offset);
    if (start >= head_.size() || out.empty()) return 0;
    const size_t count = std::min(out.size(), head_.size() - start);
    std::memcpy(out.data(), head_.data() + start, count);
    return count;
  }

  Status Fetch(int64_t offset, std::span<char> out) {
    const auto length = static_cast<int64_t>(out.size());
    HttpRequest request{.url = uri_,
                        .headers = {{"Range", "bytes=" + std::to_string(offset) + "-" +
                                                  std::to_string(offset + length - 1)},
                                    {"Accept-Encoding", "identity"}},
                        .timeout = std::chrono::milliseconds(0),
                        .response_bytes_max = ByteCount(length)};
    if (etag_.starts_with('"'))
      request.headers.emplace_back("If-Match", etag_);  // not for weak tags
    CALVE_ASSIGN_OR_RETURN(const HttpResponse response, client_->Send(context_, request));
    if (response.status == 412 || response.status == 416) return Changed(uri_);
    if (response.status != 206)
      return HttpStatusError("read " + FormatCount(length) + " bytes", request, response);
    if (response.Header("etag") != etag_ || TotalBytes(response).value_or(size_) != size_)
      return Changed(uri_);
    if (!StartsAt(response, offset) || response.body.size() != out.size()) {
      return DataError(Quote(ShownUri(uri_)) + ": expected " + FormatCount(length) +
                       " bytes at offset " + std::to_string(offset) +
                       ", but the server sent another range");
    }
    std::memcpy(out.data(), response.body.data(), out.size());
    return Status::Ok();
  }

  Context context_;
  std::shared_ptr<HttpClient> client_;
  const std::string uri_;
  const int64_t size_;
  const std::string etag_;
  const std::string head_;  // the first bytes, which opening gave
};

/// A file whose server gives it only whole: kept in a temporary file.
class SpooledInput : public InputFile {
 public:
  SpooledInput(const Context& context, std::string uri, Descriptor spool, int64_t size)
      : stop_(context.stop), uri_(std::move(uri)), spool_(std::move(spool)), size_(size) {}

  const std::string& uri() const override { return uri_; }
  ByteCount size() const override { return ByteCount(size_); }

  Result<size_t> ReadInto(int64_t offset, std::span<char> out) override {
    if (stop_.stop_requested()) return StoppedError("stopped on request");
    if (size_ == 0) return size_t{0};
    return ReadFully(spool_.get(), offset, out, uri_);
  }

 private:
  std::stop_token stop_;
  const std::string uri_;
  Descriptor spool_;
  const int64_t size_;
};

/// What opening received: a first range, or the whole file.
class Spool {
 public:
  Status Take(std::string_view bytes) {
    if (!file_.open()) {
      CALVE_ASSIGN_OR_RETURN(file_, OpenSpool());
    }
    size_ += static_cast<int64_t>(bytes.size());
    if (size_ > kSpoolBytesMax) {
      return RefusedError("the file is larger than " + FormatBytes(ByteCount(kSpoolBytesMax)) +
                          " and its server gives no ranges; fetch it by other means");
    }
    if (!WriteFully(file_.get(), bytes)) return SystemError(errno, "write to", "a temporary file");
    return Status::Ok();
  }

  Result<std::string> Bytes() {
    std::string bytes(static_cast<size_t>(size_), '\0');
    if (size_ != 0) CALVE_RETURN_IF_ERROR(ReadFully(file_.get(), 0, bytes, "a temporary file"));
    return bytes;
  }

  int64_t size() const { return size_; }
  Descriptor Release() { return std::move(file_); }

 private:
  Descriptor file_;
  int64_t size_ = 0;
};

class WebFileSystem : public FileSystem {
 public:
  explicit WebFileSystem(std::shared_ptr<HttpClient> client) : client_(std::move(client)) {}

  Result<std::unique_ptr<InputFile>> OpenInput(const Context& context, const std::string& uri,
                                               const InputOptions&) override {
    CALVE_RETURN_IF_ERROR(ParseUri(uri));
    const HttpRequest request{.url = uri,
                              .headers = {{"Range", "bytes=0-" + std::to_string(kHeadBytes - 1)},
                                          {"Accept-Encoding", "identity"}},
                              .timeout = std::chrono::milliseconds(0)};
    for (int attempt = 1;; ++attempt) {
      Spool spool;
      auto response =
          client_->Download(context, request, [&](auto bytes) { return spool.Take(bytes); });
      if (response.ok()) return MakeInput(context, request, *response, spool);
      // The client has tried again what it could, but not a download that had begun.
      const bool begun = response.error().kind == ErrorKind::kTransient && spool.size() != 0;
      if (!begun || attempt == kDownloadsMax) return response.error();
    }
  }

  Result<FileInfo> Stat(const Context& context, const std::string& uri) override {
    CALVE_RETURN_IF_ERROR(ParseUri(uri));
    const HttpRequest request{
        .method = "HEAD", .url = uri, .headers = {{"Accept-Encoding", "identity"}}};
    CALVE_ASSIGN_OR_RETURN(const HttpResponse response, client_->Send(context, request));
    if (response.status == 404 || response.status == 410) {
      return HttpStatusError("look at the file", request, response);
    }
    int64_t size = -1;
    const std::string length(response.Header("content-length"));
    std::from_chars(length.data(), length.data() + length.size(), size);
    if (!response.ok() || size < 0) {  // some servers answer only GET
      CALVE_ASSIGN_OR_RETURN(auto file, OpenInput(context, uri, {}));
      size = file->size().value();
    }
    return FileInfo{.uri = uri,
                    .kind = FileKind::kFile,
                    .size = ByteCount(size),
                    .modified = ParseHttpDate(response.Header("last-modified")),
                    .etag = std::string(response.Header("etag"))};
  }

  Result<std::unique_ptr<OutputFile>> OpenOutput(const Context&, const std::string& uri,
                                                 const OutputOptions&) override {
    return ReadOnly(uri);
  }
  Status List(const Context&, const std::string& folder, const ListOptions&,
              const ListPage&) override {
    return RefusedError("cannot list " + Quote(ShownUri(folder)) +
                        ": a web server gives files, not folders; name each file");
  }
  Status Delete(const Context&, const std::string& uri) override { return ReadOnly(uri); }
  Status DeleteEmptyFolder(const Context&, const std::string& uri) override {
    return ReadOnly(uri);
  }
  Status CreateIfAbsent(const Context&, const std::string& uri, std::string_view) override {
    return ReadOnly(uri);
  }
  Result<Made> EnsureFolder(const Context&, const std::string& uri) override {
    return ReadOnly(uri);
  }
  Result<Capabilities> CapabilitiesFor(const std::string&) override {
    return Capabilities{.write = false, .atomic_create = false, .folders = false};
  }

 private:
  static Error ReadOnly(const std::string& uri) {
    return RefusedError("cannot write to " + Quote(ShownUri(uri)) +
                        ": files on the web are only read; use a folder, s3://, gs:// or abfss://");
  }

  Result<std::unique_ptr<InputFile>> MakeInput(const Context& context, const HttpRequest& request,
                                               const HttpResponse& response, Spool& spool) {
    const std::optional<int64_t> total = TotalBytes(response);
    if (response.status == 206 && total && StartsAt(response, 0)) {
      CALVE_ASSIGN_OR_RETURN(std::string head, spool.Bytes());
      return std::make_unique<RangedInput>(context, client_, request.url, *total,
                                           std::string(response.Header("etag")), std::move(head));
    }
    if (response.status == 416 && total.value_or(0) == 0) {  // an empty file has no first byte
      return std::make_unique<SpooledInput>(context, request.url, Descriptor(), 0);
    }
    if (response.status != 200) return HttpStatusError("open the file", request, response);
    const int64_t size = spool.size();
    return std::make_unique<SpooledInput>(context, request.url, spool.Release(), size);
  }

  std::shared_ptr<HttpClient> client_;
};

}  // namespace

CALVE_PART(web) {
  registry.Add({.name = "web",
                .schemes = {"https", "http"},
                .open = [](const Properties&) -> Result<std::unique_ptr<FileSystem>> {
                  return std::make_unique<WebFileSystem>(MakeHttpClient());
                }});
}

}  // namespace calve::io
