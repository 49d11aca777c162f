#include "io/sigv4.h"

#include <gtest/gtest.h>

namespace calve::io {
namespace {

// The examples that AWS publishes with its description of header signing for S3, all at
// 2013-05-24T00:00:00Z.
const Timestamp kExampleTime{std::chrono::seconds(1369353600)};
const AwsSignature kExample{.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                            .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                            .session_token = "",
                            .region = "us-east-1",
                            .service = "s3"};

std::string Authorization(const HttpRequest& request, const AwsSignature& signature = kExample) {
  for (const auto& [name, value] : SignatureHeaders(request, signature, kExampleTime)) {
    if (name == "authorization") return value;
  }
  return "";
}

std::string Signature(const HttpRequest& request, const AwsSignature& signature = kExample) {
  const std::string all = Authorization(request, signature);
  return all.substr(all.rfind('=') + 1);
}

TEST(SigV4, SignsAGetWithARange) {
  EXPECT_EQ(Authorization({.url = "https://examplebucket.s3.amazonaws.com/test.txt",
                           .headers = {{"Range", "bytes=0-9"}}}),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, SignsAPutWithABodyAndAnEncodedName) {
  EXPECT_EQ(Signature({.method = "PUT",
                       .url = "https://examplebucket.s3.amazonaws.com/test%24file.text",
                       .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                   {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                       .body = "Welcome to Amazon S3."}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SigV4, SignsQueriesInAnyOrder) {
  EXPECT_EQ(Signature({.url = "https://examplebucket.s3.amazonaws.com/?lifecycle"}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  const std::string list = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
  EXPECT_EQ(Signature({.url = "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J"}),
            list);
  EXPECT_EQ(Signature({.url = "https://examplebucket.s3.amazonaws.com:443/?prefix=%4A&max-keys=2"}),
            list);
}

TEST(SigV4, TheTokenIsPartOfTheSignature) {
  AwsSignature with_token = kExample;
  with_token.session_token = "temporary";
  const HttpRequest request{.url = "https://examplebucket.s3.amazonaws.com/test.txt"};
  EXPECT_NE(Authorization(request, with_token).find("x-amz-security-token"), std::string::npos);
  EXPECT_NE(Signature(request, with_token), Signature(request));
}

TEST(SigV4, OtherServicesEncodeThePathOnceMore) {
  AwsSignature other = kExample;
  other.service = "execute-api";
  const HttpRequest encoded{.url = "https://h/a%20b"};
  AwsSignature as_s3 = other;
  EXPECT_NE(Signature(encoded, other), Signature({.url = "https://h/a%2520b"}, other));
  // What they sign for "/a%20b" is the path "/a%2520b".
  as_s3.service = "s3";
  EXPECT_NE(Signature(encoded, as_s3), Signature({.url = "https://h/a%2520b"}, as_s3));
}

}  // namespace
}  // namespace calve::io
