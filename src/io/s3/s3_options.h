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
  virtual Result<std::optional<AwsSignature>> Now(const Context& context) = 0;
  /// S3 says that `refused` does not hold any more: whether there are others now.
  virtual Result<bool> Renew(const Context& /*context*/, const AwsSignature& /*refused*/) {
    return false;
  }
};

/// How to reach an S3 store.
struct S3Options {
  std::string endpoint;  ///< https://host[:port]; "" for AWS's own in `region`.
  std::string region;
  bool path_style = false;
  std::shared_ptr<S3Credentials> credentials;

  /// Read Iceberg's keys (s3.endpoint, s3.region ...); what they leave open comes from the AWS
  /// variables of the environment. Fails with kConfig for a value that makes no sense.
  ///
  /// With `live`, whose present state is part of the properties, keys that it gives are asked for
  /// again at each request.
  static Result<S3Options> From(const Properties& properties,
                                std::shared_ptr<LiveProperties> live = nullptr);

  /// The address of a bucket, without a trailing slash.
  std::string BucketUrl(const std::string& bucket) const;
};

}  // namespace calve::io
