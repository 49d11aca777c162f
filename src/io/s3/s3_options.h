#pragma once

#include <memory>
#include <string>

#include "io/http.h"
#include "io/registry.h"

namespace calve::io {

/// Who asks. Threads: any.
class S3Credentials {
 public:
  virtual ~S3Credentials() = default;
  /// The signature to use now, or nothing for anonymous access. Temporary credentials are renewed
  /// in here.
  virtual Result<std::optional<AwsSignature>> Now() = 0;
};

/// How to reach an S3 store.
struct S3Options {
  std::string endpoint;  ///< https://host[:port]; "" for AWS's own in `region`.
  std::string region;
  bool path_style = false;
  std::shared_ptr<S3Credentials> credentials;

  /// Read Iceberg's keys (s3.endpoint, s3.region ...); what they leave open comes from the AWS
  /// variables of the environment. Fails with kConfig for a value that makes no sense.
  static Result<S3Options> From(const Properties& properties);

  /// The address of a bucket, without a trailing slash.
  std::string BucketUrl(const std::string& bucket) const;
};

}  // namespace calve::io
