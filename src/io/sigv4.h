#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "io/http.h"

namespace calve::io {

/// The headers that sign a request (AWS Signature Version 4, in the Authorization header):
/// x-amz-date, x-amz-content-sha256, x-amz-security-token when the credentials have one, and
/// authorization.
///
/// Every header of the request is signed, and host. The path of the URL is taken as it stands for
/// s3 and encoded once more for every other service, as AWS asks; the query may be in any order.
/// Pure: the same input, the same headers.
HttpHeaders SignatureHeaders(const HttpRequest& request, const AwsSignature& signature,
                             Timestamp now);

}  // namespace calve::io
