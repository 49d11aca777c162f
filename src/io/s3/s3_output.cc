#include "io/s3/s3_output.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace calve::io {
namespace {

constexpr size_t kFirstPartBytes = 8 << 20;  // S3 takes no part below 5 MB but the last
constexpr size_t kPartsPerSize = 1000;       // of the 10,000 parts an object may have
constexpr int kLooksMax = 3;

std::string Md5(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_md5(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), length};
}

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex +=
        {kDigits[static_cast<unsigned char>(c) >> 4], kDigits[static_cast<unsigned char>(c) & 15]};
  }
  return hex;
}

std::string WithoutQuotes(std::string_view tag) {
  if (tag.starts_with('"')) tag.remove_prefix(1);
  if (tag.ends_with('"')) tag.remove_suffix(1);
  return std::string(tag);
}

/// The tag of an object made of parts: the MD5 of their MD5s, and how many there are.
std::string TagOfParts(const std::vector<std::string>& tags) {
  std::string digests;
  for (const std::string& tag : tags) {
    const std::string hex = WithoutQuotes(tag);
    for (size_t i = 0; i + 1 < hex.size(); i += 2) {
      digests += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
  }
  return Hex(Md5(digests)) + "-" + std::to_string(tags.size());
}

bool IsHex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

S3Output::S3Output(const Context& context, std::shared_ptr<S3Client> client, S3Place place,
                   OverwritePolicy overwrite)
    : context_(context),
      client_(std::move(client)),
      place_(std::move(place)),
      overwrite_(overwrite) {}

size_t S3Output::PartBytes() const {
  return kFirstPartBytes << std::min<size_t>(tags_.size() / kPartsPerSize, 9);
}

Status S3Output::Write(std::string_view bytes) {
  if (done_) return BugError(Quote(uri()) + " was written to after it was closed");
  CALVE_RETURN_IF_ERROR(context_.CheckStop());
  while (!bytes.empty()) {
    const size_t room = PartBytes() - buffer_.size();
    const std::string_view piece = bytes.substr(0, room);
    // A part goes out only when more follows it, so that a small object is one request.
    if (room == 0) {
      CALVE_RETURN_IF_ERROR(SendPart());
      continue;
    }
    buffer_ += piece;
    position_ += static_cast<int64_t>(piece.size());
    bytes.remove_prefix(piece.size());
  }
  return Status::Ok();
}

Status S3Output::SendPart() {
  if (upload_.empty()) {
    CALVE_ASSIGN_OR_RETURN(upload_, client_->StartUpload(context_, place_));
  }
  const int number = static_cast<int>(tags_.size()) + 1;
  CALVE_ASSIGN_OR_RETURN(std::string tag, client_->UploadPart(context_, place_, upload_, number,
                                                              std::exchange(buffer_, {})));
  tags_.push_back(std::move(tag));
  return Status::Ok();
}

Result<ByteCount> S3Output::Close() {
  if (done_) return BugError(Quote(uri()) + " was closed twice, or after a failure");
  Status finished = Finish();
  if (finished.ok() || finished.error().kind == ErrorKind::kUnknownOutcome) {
    done_ = true;  // what may be there is not given up
  } else {
    Abort();
  }
  if (!finished.ok()) return std::move(finished).error();
  return ByteCount(position_);
}

Status S3Output::Finish() {
  CALVE_RETURN_IF_ERROR(context_.Step("io.before_name"));
  return upload_.empty() ? FinishWhole() : FinishParts();
}

bool S3Output::Matches(const S3Object& found, const std::string& tag) const {
  return WithoutQuotes(found.etag) == tag && found.size == ByteCount(position_);
}

/// Whether the object that is there now is the one that we wrote. Fails with kUnknownOutcome when
/// that can't be told.
Result<bool> S3Output::IsOurs(const std::string& tag) {
  auto found = client_->Head(context_, place_);
  if (!found.ok() && found.error().kind == ErrorKind::kNotFound) return false;
  if (found.ok() && Matches(*found, tag)) return true;
  return UnknownOutcomeError(
      "it is not known whether " + Quote(uri()) +
      " was written: the reply was lost, and what is there now " +
      (found.ok() ? "has another tag" : "cannot be looked at: " + found.error().message));
}

/// See that a name that is taken was taken by us: something on the way to S3 may have sent the
/// request twice. Fails with kAlreadyExists when it was another.
Status S3Output::CheckTaken(const std::string& tag) {
  const auto found = client_->Head(context_, place_);
  if (found.ok() && Matches(*found, tag)) return Status::Ok();
  if (found.ok() || found.error().kind == ErrorKind::kNotFound) {
    return AlreadyExistsError("cannot create " + Quote(uri()) +
                              ": an object is there already; run again");
  }
  return UnknownOutcomeError(
      "it is not known whether " + Quote(uri()) +
      " was written: an object is there, and cannot be looked at: " + found.error().message);
}

Status S3Output::FinishWhole() {
  if (overwrite_ == OverwritePolicy::kReplace)
    return client_->Put(context_, place_, std::move(buffer_));
  const std::string tag = Hex(Md5(buffer_));
  Error last;
  for (int look = 0; look < kLooksMax; ++look) {
    auto put = client_->PutIfAbsent(context_, place_, buffer_);
    if (put.ok() && *put == S3PutOutcome::kWritten) return Status::Ok();
    if (put.ok()) return CheckTaken(tag);
    if (put.error().kind != ErrorKind::kUnknownOutcome) return put.error();
    last = put.error();
    CALVE_ASSIGN_OR_RETURN(const bool ours, IsOurs(tag));
    if (ours) return Status::Ok();
  }
  return last;
}

Status S3Output::FinishParts() {
  if (!buffer_.empty()) CALVE_RETURN_IF_ERROR(SendPart());
  const bool told =
      std::ranges::all_of(tags_, [](const auto& tag) { return IsHex(WithoutQuotes(tag)); });
  const std::string whole = told ? TagOfParts(tags_) : "";
  for (int look = 0;; ++look) {
    auto put = client_->CompleteUpload(context_, place_, upload_, tags_, overwrite_);
    if (put.ok() && *put == S3PutOutcome::kWritten) return Status::Ok();
    if (put.ok()) return CheckTaken(whole);
    // An upload that is not there was finished by a request before this one, or given up.
    const bool gone = put.error().kind == ErrorKind::kNotFound;
    if (!gone && put.error().kind != ErrorKind::kUnknownOutcome) return put.error();
    CALVE_ASSIGN_OR_RETURN(const bool ours, IsOurs(whole));
    if (ours) return Status::Ok();
    if (gone && look == 0) return put.error();
    if (look + 1 == kLooksMax) return UnknownOutcomeError(put.error().message);
  }
}

void S3Output::Abort() {
  if (done_) return;
  done_ = true;
  buffer_.clear();
  if (upload_.empty()) return;
  // Also after a stop: parts that are left behind cost money.
  Status ignored = client_->AbortUpload(context_.WithStop({}), place_, upload_);
  if (!ignored.ok() && context_.log != nullptr) {
    context_.log->Warn("could not give up an upload",
                       {{"uri", place_.uri}, {"error", ignored.error().message}});
  }
}

}  // namespace calve::io
