#include "io/s3/s3_client.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>

#include "base/text.h"
#include "io/s3/s3_xml.h"
#include "io/uri.h"

namespace calve::io {
namespace {

constexpr int64_t kPieceBytes = 16 << 20;  // so much is lost when a transfer is cut

std::string Base64Md5(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_md5(), nullptr);
  std::string encoded(4 * (length + 2) / 3 + 4, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), digest.data(),
                                   static_cast<int>(length));
  encoded.resize(static_cast<size_t>(size));
  return encoded;
}

/// "2026-11-21T08:15:00.123Z"
std::optional<Timestamp> ParseIsoTime(const std::string& text) {
  std::tm parts{};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return std::nullopt;
  return Timestamp(std::chrono::seconds(::timegm(&parts)));
}

/// "Sat, 21 Nov 2026 08:15:00 GMT"
std::optional<Timestamp> ParseHttpTime(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  if (::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return std::nullopt;
  return Timestamp(std::chrono::seconds(::timegm(&parts)));
}

int64_t ParseCount(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

ErrorKind KindOf(const std::string& code, int status) {
  if (code == "NoSuchKey" || code == "NoSuchBucket" || code == "NoSuchUpload")
    return ErrorKind::kNotFound;
  if (code == "SlowDown" || code == "RequestTimeout" || code == "OperationAborted")
    return ErrorKind::kTransient;
  return HttpStatusError("", {}, {.status = status}).kind;
}

std::string Advice(const std::string& code, const HttpResponse& response) {
  const std::string_view region = response.Header("x-amz-bucket-region");
  if (response.status == 301 || code == "AuthorizationHeaderMalformed" ||
      code == "PermanentRedirect") {
    return "; the bucket is in another region" +
           (region.empty() ? "" : ": set s3.region to " + std::string(region));
  }
  if (code == "NoSuchBucket") return "; make the bucket, or correct its name";
  if (response.status == 403)
    return "; check the credentials, their rights and the machine's clock";
  return "";
}

/// What S3 answered, as an error: "cannot <doing> <address>: <code>: <message>; <advice>".
Error S3Error(std::string_view doing, const S3Place& place, const HttpResponse& response) {
  const std::string code = XmlText(response.body, "Code").value_or("");
  const std::string message = XmlText(response.body, "Message").value_or("");
  std::string said = "status " + std::to_string(response.status);
  if (!code.empty()) said += ", " + code;
  if (!message.empty()) said += ": " + message.substr(0, 300);
  return {KindOf(code, response.status), "cannot " + std::string(doing) + " " + Quote(place.uri) +
                                             ": S3 answered with " + said + Advice(code, response)};
}

/// Whether S3 does not know the keys any more; to HEAD it only says no.
bool SaysExpired(const HttpRequest& request, const HttpResponse& response) {
  if (response.status != 400 && response.status != 401 && response.status != 403) return false;
  if (request.method == "HEAD") return true;
  const std::string code = XmlText(response.body, "Code").value_or("");
  return code == "ExpiredToken" || code == "InvalidToken" || code == "InvalidAccessKeyId" ||
         code == "TokenRefreshRequired" || code == "ExpiredTokenException";
}

Error Changed(const S3Place& place) {
  return DataError(Quote(place.uri) + " was replaced while it was read; run again");
}

/// Where a query is needed: names and values encoded, in any order.
std::string Query(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  std::string query;
  for (const auto& [name, value] : pairs) {
    if (name.empty()) continue;
    query += (query.empty() ? "?" : "&") + PercentEncode(name) + "=" + PercentEncode(value);
  }
  return query;
}

/// Whether a reply that is XML came to its end; what is not a success is judged by its status.
bool IsWholeXml(const HttpResponse& response) {
  return !response.ok() || XmlIsWhole(response.body);
}

/// Whether a reply of bytes holds all that its head says it holds. Without Content-Range nobody
/// knows.
bool IsWholeRange(const HttpResponse& response) {
  std::string_view said = response.Header("content-range");  // bytes 0-99/1234
  if (response.status != 206 || !said.starts_with("bytes ")) return true;
  said.remove_prefix(6);
  const size_t dash = said.find('-');
  if (dash == std::string_view::npos) return true;
  const int64_t length = ParseCount(said.substr(dash + 1)) - ParseCount(said) + 1;
  return static_cast<int64_t>(response.body.size()) == length;
}

S3Object ObjectOf(std::string_view contents) {
  return {.key = XmlText(contents, "Key").value_or(""),
          .size = ByteCount(ParseCount(XmlText(contents, "Size").value_or(""))),
          .modified = ParseIsoTime(XmlText(contents, "LastModified").value_or("")),
          .etag = XmlText(contents, "ETag").value_or("")};
}

}  // namespace

std::string S3Client::UrlOf(const S3Place& place) const {
  return options_.BucketUrl(place.bucket) + "/" + PercentEncode(place.key, "/");
}

Result<HttpResponse> S3Client::Send(const Context& context, HttpRequest request) {
  CALVE_ASSIGN_OR_RETURN(request.sign, options_.credentials->Now(context));
  request.timeout = std::chrono::milliseconds(0);  // the client ends what stands still
  CALVE_ASSIGN_OR_RETURN(HttpResponse response, http_->Send(context, request));
  if (!request.sign.has_value() || !SaysExpired(request, response)) return response;
  CALVE_ASSIGN_OR_RETURN(const bool renewed, options_.credentials->Renew(context, *request.sign));
  if (!renewed) return response;
  CALVE_ASSIGN_OR_RETURN(request.sign, options_.credentials->Now(context));
  return http_->Send(context, request);
}

Result<HttpResponse> S3Client::SendWhole(const Context& context, const HttpRequest& request,
                                         const std::function<bool(const HttpResponse&)>& is_whole) {
  bool cut = false;
  const auto once = [&]() -> Result<HttpResponse> {
    cut = false;
    CALVE_ASSIGN_OR_RETURN(HttpResponse response, Send(context, request));
    cut = !is_whole(response);
    if (!cut) return response;
    return TransientError("no whole reply came from " + ShownUri(request.url) +
                          ": it ends in the middle");
  };
  return Retry(context, RetryPolicy{}, once, [&](const Error&) { return cut; });
}

Status S3Client::SendFor(const Context& context, const S3Place& place, HttpRequest request,
                         std::string_view doing) {
  CALVE_ASSIGN_OR_RETURN(const HttpResponse response, Send(context, std::move(request)));
  return response.ok() ? Status::Ok() : Status(S3Error(doing, place, response));
}

Result<S3Object> S3Client::Head(const Context& context, const S3Place& place) {
  CALVE_ASSIGN_OR_RETURN(const HttpResponse response,
                         Send(context, {.method = "HEAD", .url = UrlOf(place)}));
  if (response.status == 404) return NotFoundError("nothing is at " + Quote(place.uri));
  if (!response.ok()) return S3Error("look at", place, response);
  if (response.Header("content-length").empty()) {
    return DataError(Quote(place.uri) +
                     ": expected S3 to say how large it is, found no Content-Length in its answer");
  }
  return S3Object{.key = place.key,
                  .size = ByteCount(ParseCount(response.Header("content-length"))),
                  .modified = ParseHttpTime(response.Header("last-modified")),
                  .etag = std::string(response.Header("etag"))};
}

Status S3Client::Get(const Context& context, const S3Place& place, int64_t offset,
                     std::span<char> out, std::string& etag) {
  while (!out.empty()) {
    const size_t length = std::min<size_t>(out.size(), kPieceBytes);
    CALVE_RETURN_IF_ERROR(GetPiece(context, place, offset, out.first(length), etag));
    offset += static_cast<int64_t>(length);
    out = out.subspan(length);
  }
  return Status::Ok();
}

Status S3Client::GetPiece(const Context& context, const S3Place& place, int64_t offset,
                          std::span<char> out, std::string& etag) {
  const auto length = static_cast<int64_t>(out.size());
  HttpRequest request{.url = UrlOf(place),
                      .headers = {{"Range", "bytes=" + std::to_string(offset) + "-" +
                                                std::to_string(offset + length - 1)}}};
  if (!etag.empty()) request.headers.emplace_back("If-Match", etag);
  CALVE_ASSIGN_OR_RETURN(const HttpResponse response, SendWhole(context, request, IsWholeRange));
  if (response.status == 412) return Changed(place);
  if (response.status != 206 && response.status != 416) return S3Error("read", place, response);
  const std::string found(response.Header("etag"));
  if (response.status == 206 && !etag.empty() && found != etag) return Changed(place);
  if (response.status == 416 || response.body.size() != out.size()) {
    return DataError(Quote(place.uri) + ": expected " + FormatCount(length) + " bytes at offset " +
                     std::to_string(offset) + ", found fewer; the object is shorter than was said");
  }
  etag = found;
  std::memcpy(out.data(), response.body.data(), out.size());
  return Status::Ok();
}

Status S3Client::Put(const Context& context, const S3Place& place, std::string bytes) {
  return SendFor(context, place, {.method = "PUT", .url = UrlOf(place), .body = std::move(bytes)},
                 "write");
}

Result<S3PutOutcome> S3Client::PutIfAbsent(const Context& context, const S3Place& place,
                                           std::string bytes) {
  const HttpRequest request{.method = "PUT",
                            .url = UrlOf(place),
                            .headers = {{"If-None-Match", "*"}},
                            .body = std::move(bytes),
                            .repeatable = false};
  return SendOnce(context, place, request, "create");
}

Result<S3PutOutcome> S3Client::SendOnce(const Context& context, const S3Place& place,
                                        const HttpRequest& request, std::string_view doing) {
  bool gave_way = false;  // what fails in other ways was tried again by the HTTP client
  const auto once = [&]() -> Result<S3PutOutcome> {
    gave_way = false;
    CALVE_ASSIGN_OR_RETURN(const HttpResponse response, Send(context, request));
    const std::string code = XmlText(response.body, "Code").value_or("");
    const bool whole = response.body.empty() || XmlIsWhole(response.body);
    if (response.ok() && code.empty() && whole) return S3PutOutcome::kWritten;
    if (response.status == 412) return S3PutOutcome::kTaken;
    Error error = S3Error(doing, place, response);
    // Another conditional write is under way, or there are too many requests: nothing was applied.
    gave_way = response.status == 409 || code == "SlowDown";
    if (response.status == 409) {
      error.kind = ErrorKind::kTransient;
    } else if (code != "SlowDown" && (response.status >= 500 || response.ok())) {
      error.kind = ErrorKind::kUnknownOutcome;
    }
    return error;
  };
  return Retry(context, RetryPolicy{}, once, [&](const Error&) { return gave_way; });
}

Result<std::string> S3Client::StartUpload(const Context& context, const S3Place& place) {
  CALVE_ASSIGN_OR_RETURN(
      const HttpResponse response,
      SendWhole(context, {.method = "POST", .url = UrlOf(place) + "?uploads=", .repeatable = true},
                IsWholeXml));
  const std::string upload = XmlText(response.body, "UploadId").value_or("");
  if (!response.ok() || upload.empty()) return S3Error("start to write", place, response);
  return upload;
}

Result<std::string> S3Client::UploadPart(const Context& context, const S3Place& place,
                                         const std::string& upload, int number, std::string bytes) {
  CALVE_ASSIGN_OR_RETURN(
      const HttpResponse response,
      Send(context, {.method = "PUT",
                     .url = UrlOf(place) +
                            Query({{"partNumber", std::to_string(number)}, {"uploadId", upload}}),
                     .body = std::move(bytes)}));
  const std::string etag(response.Header("etag"));
  if (!response.ok() || etag.empty()) return S3Error("write a part of", place, response);
  return etag;
}

Result<S3PutOutcome> S3Client::CompleteUpload(const Context& context, const S3Place& place,
                                              const std::string& upload,
                                              const std::vector<std::string>& tags,
                                              OverwritePolicy overwrite) {
  std::string parts;
  for (size_t i = 0; i < tags.size(); ++i) {
    parts += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" +
             XmlEscaped(tags[i]).value_or("") + "</ETag></Part>";
  }
  HttpRequest request{.method = "POST",
                      .url = UrlOf(place) + Query({{"uploadId", upload}}),
                      .body = "<CompleteMultipartUpload>" + parts + "</CompleteMultipartUpload>",
                      .repeatable = false};
  if (overwrite == OverwritePolicy::kFail) request.headers.emplace_back("If-None-Match", "*");
  return SendOnce(context, place, request, "finish");
}

Status S3Client::AbortUpload(const Context& context, const S3Place& place,
                             const std::string& upload) {
  return SendFor(context, place,
                 {.method = "DELETE", .url = UrlOf(place) + Query({{"uploadId", upload}})},
                 "give up");
}

Result<S3ListPage> S3Client::List(const Context& context, const S3Place& place,
                                  const std::string& prefix, const std::string& token,
                                  std::string_view delimiter, int keys_max) {
  const std::string url = options_.BucketUrl(place.bucket) + "/" +
                          Query({{"list-type", "2"},
                                 {"max-keys", std::to_string(keys_max)},
                                 {"prefix", prefix},
                                 {delimiter.empty() ? "" : "delimiter", delimiter},
                                 {token.empty() ? "" : "continuation-token", token}});
  CALVE_ASSIGN_OR_RETURN(const HttpResponse response, SendWhole(context, {.url = url}, IsWholeXml));
  if (!response.ok()) return S3Error("list", place, response);
  S3ListPage page;
  for (const std::string_view contents : XmlElements(response.body, "Contents")) {
    page.objects.push_back(ObjectOf(contents));
  }
  for (const std::string_view common : XmlElements(response.body, "CommonPrefixes")) {
    page.prefixes.push_back(XmlText(common, "Prefix").value_or(""));
  }
  if (XmlText(response.body, "IsTruncated") == "true") {
    page.next = XmlText(response.body, "NextContinuationToken").value_or("");
    if (page.next.empty()) return BugError("S3 cut a listing short without saying how to go on");
  }
  return page;
}

Status S3Client::Delete(const Context& context, const S3Place& place) {
  CALVE_ASSIGN_OR_RETURN(const HttpResponse response,
                         Send(context, {.method = "DELETE", .url = UrlOf(place)}));
  if (response.ok() || response.status == 404) return Status::Ok();
  return S3Error("delete", place, response);
}

Status S3Client::DeleteMany(const Context& context, std::span<const S3Place> places) {
  std::string keys;
  for (const S3Place& place : places) {
    const std::optional<std::string> key = XmlEscaped(place.key);
    if (key) keys += "<Object><Key>" + *key + "</Key></Object>";
    if (!key) CALVE_RETURN_IF_ERROR(Delete(context, place));  // no XML can name it
  }
  if (keys.empty()) return Status::Ok();
  const S3Place& first = places.front();
  std::string body = "<Delete><Quiet>true</Quiet>" + keys + "</Delete>";
  const std::string md5 = Base64Md5(body);
  CALVE_ASSIGN_OR_RETURN(
      const HttpResponse response,
      SendWhole(context,
                {.method = "POST",
                 .url = options_.BucketUrl(first.bucket) + "/?delete=",
                 .headers = {{"Content-MD5", md5}, {"Content-Type", "application/xml"}},
                 .body = std::move(body),
                 .repeatable = true},
                IsWholeXml));
  if (!response.ok()) return S3Error("delete files like", first, response);
  for (const std::string_view failed : XmlElements(response.body, "Error")) {
    const std::string code = XmlText(failed, "Code").value_or("");
    if (code == "NoSuchKey") continue;
    return Error{KindOf(code, 403), "cannot delete " + Quote(XmlText(failed, "Key").value_or("")) +
                                        " of bucket " + Quote(first.bucket) +
                                        ": S3 answered with " + code + ": " +
                                        XmlText(failed, "Message").value_or("")};
  }
  return Status::Ok();
}

Result<bool> S3Client::BucketExists(const Context& context, const S3Place& place) {
  CALVE_ASSIGN_OR_RETURN(
      const HttpResponse response,
      Send(context, {.method = "HEAD", .url = options_.BucketUrl(place.bucket) + "/"}));
  if (response.status == 404) return false;
  if (response.ok() || response.status == 403) return true;  // it may be there and closed to us
  return S3Error("look at the bucket of", place, response);
}

Result<Made> S3Client::MakeBucket(const Context& context, const S3Place& place) {
  std::string body;
  if (options_.endpoint.empty() && options_.region != "us-east-1") {
    body = "<CreateBucketConfiguration><LocationConstraint>" + options_.region +
           "</LocationConstraint></CreateBucketConfiguration>";
  }
  CALVE_ASSIGN_OR_RETURN(const HttpResponse response,
                         Send(context, {.method = "PUT",
                                        .url = options_.BucketUrl(place.bucket) + "/",
                                        .body = std::move(body)}));
  if (response.ok()) return Made::kNow;
  const std::string code = XmlText(response.body, "Code").value_or("");
  if (code == "BucketAlreadyOwnedByYou") return Made::kBefore;
  return S3Error("make the bucket of", place, response);
}

}  // namespace calve::io
