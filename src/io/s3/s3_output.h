#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/s3/s3_client.h"

namespace calve::io {

/// One object being written: in a single request when it is small, else in parts. One thread.
///
/// Under OverwritePolicy::kFail the last request is conditional, so that a name taken meanwhile
/// stays. When its reply is lost, the object is looked at: its tag tells whether it is ours.
class S3Output : public OutputFile {
 public:
  S3Output(const Context& context, std::shared_ptr<S3Client> client, S3Place place,
           OverwritePolicy overwrite);
  ~S3Output() override { Abort(); }

  const std::string& uri() const override { return place_.uri; }
  ByteCount position() const override { return ByteCount(position_); }
  Status Write(std::string_view bytes) override;
  Result<ByteCount> Close() override;
  void Abort() override;

 private:
  size_t PartBytes() const;
  Status SendPart();
  Status Finish();
  Status FinishWhole();
  Status FinishParts();
  bool Matches(const S3Object& found, const std::string& tag) const;
  Result<bool> IsOurs(const std::string& tag);
  Status CheckTaken(const std::string& tag);

  const Context context_;
  const std::shared_ptr<S3Client> client_;
  const S3Place place_;
  const OverwritePolicy overwrite_;
  std::string buffer_;
  std::string upload_;             // "" until there is more than one part
  std::vector<std::string> tags_;  // of the parts that were sent
  int64_t position_ = 0;
  bool done_ = false;
};

}  // namespace calve::io
