// What S3Client and S3Output do when S3 answers badly, late or not at all. The real service is in
// contract_test.cc.

#include "io/s3/s3_client.h"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/s3/s3_output.h"
#include "io/s3/s3_xml.h"

namespace calve::io {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Answers from a list, and keeps what it was asked.
class ScriptedHttp : public HttpClient {
 public:
  Result<HttpResponse> Send(const Context&, const HttpRequest& request) override {
    asked.push_back(request);
    if (answers.empty()) return BugError("asked more often than expected: " + request.method);
    Result<HttpResponse> next = std::move(answers.front());
    answers.pop_front();
    return next;
  }
  Result<HttpResponse> Download(const Context&, const HttpRequest&,
                                const std::function<Status(std::string_view)>&) override {
    return BugError("not used by S3");
  }

  std::deque<Result<HttpResponse>> answers;
  std::vector<HttpRequest> asked;
};

HttpResponse Reply(int status, std::string body = "", HttpHeaders headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

std::string ErrorXml(const std::string& code, const std::string& message = "why") {
  return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>" + message +
         "</Message></Error>";
}

const Error kLost = UnknownOutcomeError("the reply was lost");
// MD5 of "bytes".
constexpr auto kTag = "\"4b3a6218bb3e3a7303e8a171a60fcf92\"";

class S3 : public testing::Test {
 protected:
  S3() {
    auto options = S3Options::From({{"s3.endpoint", "https://store:9000"},
                                    {"s3.access-key-id", "id"},
                                    {"s3.secret-access-key", "hunter2"}});
    client_ = std::make_shared<S3Client>(*options, http_);
  }

  void Answer(Result<HttpResponse> answer) { http_->answers.push_back(std::move(answer)); }

  Result<ByteCount> Write(std::string bytes, OverwritePolicy overwrite = OverwritePolicy::kFail) {
    S3Output file(*context_, client_, place_, overwrite);
    CALVE_RETURN_IF_ERROR(file.Write(bytes));
    return file.Close();
  }

  size_t Asked(const std::string& method) {
    return static_cast<size_t>(std::ranges::count(http_->asked, method, &HttpRequest::method));
  }

  OwnedContext context_;
  std::shared_ptr<ScriptedHttp> http_ = std::make_shared<ScriptedHttp>();
  std::shared_ptr<S3Client> client_;
  const S3Place place_{.bucket = "box", .key = "a b/c%20d", .uri = "s3://box/a b/c%20d"};
};

TEST_F(S3, AddressesKeepKeysAndSignEachRequest) {
  Answer(Reply(200, "", {{"Content-Length", "5"}, {"ETag", "\"t\""}}));
  auto object = client_->Head(*context_, place_);
  ASSERT_TRUE(object.ok());
  EXPECT_EQ(object->size, ByteCount(5));
  EXPECT_EQ(http_->asked[0].url, "https://store:9000/box/a%20b/c%2520d");
  ASSERT_TRUE(http_->asked[0].sign.has_value());
  EXPECT_EQ(http_->asked[0].sign->service, "s3");
}

TEST_F(S3, AnObjectOfUnknownSizeIsNotTakenForAnEmptyOne) {
  Answer(Reply(200, "", {{"ETag", "\"t\""}}));
  const auto object = client_->Head(*context_, place_);
  ASSERT_FALSE(object.ok());
  EXPECT_THAT(object.error().message, HasSubstr("Content-Length"));
}

TEST_F(S3, ErrorsSayWhatS3SaidAndHoldNoSecret) {
  Answer(Reply(403, ErrorXml("AccessDenied", "no &amp; never")));
  auto denied = client_->Put(*context_, place_, "x");
  ASSERT_FALSE(denied.ok());
  EXPECT_EQ(denied.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(denied.error().message, HasSubstr("AccessDenied: no & never"));
  EXPECT_THAT(denied.error().message, HasSubstr("s3://box/a b/c%20d"));
  EXPECT_THAT(denied.error().message, Not(HasSubstr("hunter2")));
  Answer(Reply(404, ErrorXml("NoSuchBucket")));
  auto no_bucket = client_->Put(*context_, place_, "x");
  EXPECT_EQ(no_bucket.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(no_bucket.error().message, HasSubstr("make the bucket"));
  Answer(Reply(301, ErrorXml("PermanentRedirect"), {{"x-amz-bucket-region", "eu-north-1"}}));
  auto elsewhere = client_->Put(*context_, place_, "x");
  EXPECT_THAT(elsewhere.error().message, HasSubstr("set s3.region to eu-north-1"));
}

TEST_F(S3, AReadIsPinnedToOneVersion) {
  std::string etag = "\"t\"";
  std::string out(3, '.');
  Answer(Reply(206, "abc", {{"ETag", "\"t\""}}));
  ASSERT_TRUE(client_->Get(*context_, place_, 7, out, etag).ok());
  EXPECT_EQ(out, "abc");
  EXPECT_THAT(http_->asked[0].headers, testing::Contains(testing::Pair("Range", "bytes=7-9")));
  EXPECT_THAT(http_->asked[0].headers, testing::Contains(testing::Pair("If-Match", "\"t\"")));
  for (const HttpResponse& reply : {Reply(412), Reply(206, "abc", {{"ETag", "\"u\""}}),
                                    Reply(206, "ab", {{"ETag", "\"t\""}}), Reply(416)}) {
    Answer(reply);
    auto changed = client_->Get(*context_, place_, 7, out, etag);
    ASSERT_FALSE(changed.ok()) << reply.status;
    EXPECT_EQ(changed.error().kind, ErrorKind::kData);
  }
}

TEST_F(S3, ASmallFileIsOneConditionalRequestSentOnce) {
  Answer(Reply(200));
  ASSERT_TRUE(Write("bytes").ok());
  ASSERT_EQ(http_->asked.size(), 1U);
  EXPECT_EQ(http_->asked[0].method, "PUT");
  EXPECT_EQ(http_->asked[0].repeatable, false);
  EXPECT_THAT(http_->asked[0].headers, testing::Contains(testing::Pair("If-None-Match", "*")));
}

TEST_F(S3, ATakenNameIsSaid) {
  Answer(Reply(412, ErrorXml("PreconditionFailed")));
  Answer(Reply(200, "", {{"ETag", "\"other\""}, {"Content-Length", "5"}}));
  EXPECT_EQ(Write("bytes").error().kind, ErrorKind::kAlreadyExists);
  Answer(Reply(412, ErrorXml("PreconditionFailed")));
  EXPECT_EQ(client_->PutIfAbsent(*context_, place_, "x").value(), S3PutOutcome::kTaken);
}

TEST_F(S3, ALostReplyIsResolvedByLooking) {
  Answer(kLost);
  Answer(Reply(200, "", {{"ETag", kTag}, {"Content-Length", "5"}}));
  EXPECT_TRUE(Write("bytes").ok()) << "it is ours: the same tag and size";
  Answer(kLost);
  Answer(Reply(404));
  Answer(Reply(200));
  EXPECT_TRUE(Write("bytes").ok()) << "it was not there, so it is written again";
  Answer(kLost);
  Answer(Reply(200, "", {{"ETag", "\"other\""}, {"Content-Length", "5"}}));
  EXPECT_EQ(Write("bytes").error().kind, ErrorKind::kUnknownOutcome);
  Answer(kLost);
  Answer(TransientError("the network is down"));
  EXPECT_EQ(Write("bytes").error().kind, ErrorKind::kUnknownOutcome);
}

TEST_F(S3, ARequestThatArrivedTwiceIsNoTakenName) {
  Answer(Reply(412, ErrorXml("PreconditionFailed")));
  Answer(Reply(200, "", {{"ETag", kTag}, {"Content-Length", "5"}}));
  EXPECT_TRUE(Write("bytes").ok()) << "the first of the two has written it";
  Answer(Reply(412, ErrorXml("PreconditionFailed")));
  Answer(TransientError("the network is down"));
  EXPECT_EQ(Write("bytes").error().kind, ErrorKind::kUnknownOutcome);
}

TEST_F(S3, CreateIfAbsentNeverGuesses) {
  for (const int status : {500, 502, 503, 504}) {
    Answer(Reply(status, ErrorXml("InternalError")));
    EXPECT_EQ(client_->PutIfAbsent(*context_, place_, "x").error().kind, ErrorKind::kUnknownOutcome)
        << status;
  }
  Answer(kLost);
  EXPECT_EQ(client_->PutIfAbsent(*context_, place_, "x").error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_EQ(http_->asked.size(), 5U) << "each was sent once";
}

TEST_F(S3, AConflictWithAnotherWriterIsTriedAgain) {
  Answer(Reply(409, ErrorXml("ConditionalRequestConflict")));
  Answer(Reply(503, ErrorXml("SlowDown")));
  Answer(Reply(412, ErrorXml("PreconditionFailed")));
  EXPECT_EQ(client_->PutIfAbsent(*context_, place_, "x").value(), S3PutOutcome::kTaken);
}

class S3Parts : public S3 {
 protected:
  void AnswerParts() {
    Answer(Reply(200, "<R><UploadId>up&amp;1</UploadId></R>"));
    Answer(Reply(200, "", {{"ETag", "\"0cc175b9c0f1b6a831c399e269772661\""}}));
    Answer(Reply(200, "", {{"ETag", "\"92eb5ffee6ae2fec3ad71c777531578f\""}}));
  }
  const std::string large_ = std::string((8 << 20) + 10, 'x');
  // MD5 of the two digests above, joined.
  const std::string tag_ = "\"96e024ba2074fe77e8e965ba43a704be-2\"";
};

TEST_F(S3Parts, LargeFilesGoInPartsAndAreFinishedOnce) {
  AnswerParts();
  Answer(Reply(200, "<CompleteMultipartUploadResult/>"));
  ASSERT_TRUE(Write(large_).ok());
  ASSERT_EQ(http_->asked.size(), 4U);
  EXPECT_THAT(http_->asked[1].url, HasSubstr("partNumber=1&uploadId=up%261"));
  EXPECT_EQ(http_->asked[1].body.size(), size_t{8 << 20});
  EXPECT_EQ(http_->asked[2].body.size(), 10U);
  EXPECT_THAT(http_->asked[3].body, HasSubstr("<PartNumber>2</PartNumber>"));
  EXPECT_EQ(http_->asked[3].repeatable, false);
}

TEST_F(S3Parts, AFailedPartGivesTheUploadUp) {
  Answer(Reply(200, "<R><UploadId>u</UploadId></R>"));
  Answer(Reply(403, ErrorXml("AccessDenied")));
  Answer(Reply(204));
  EXPECT_EQ(Write(large_).error().kind, ErrorKind::kRefused);
  EXPECT_EQ(Asked("DELETE"), 1U);
}

TEST_F(S3Parts, AnErrorInsideASuccessIsNotASuccess) {
  AnswerParts();
  Answer(Reply(200, ErrorXml("InternalError")));
  Answer(Reply(404));
  Answer(Reply(200, "<CompleteMultipartUploadResult/>"));
  EXPECT_TRUE(Write(large_).ok());
}

TEST_F(S3Parts, HalfASuccessIsLookedAt) {
  AnswerParts();
  Answer(Reply(200, "<CompleteMultipartUploadResult><Loc"));
  Answer(Reply(200, "", {{"ETag", tag_}, {"Content-Length", std::to_string(large_.size())}}));
  EXPECT_TRUE(Write(large_).ok());
}

TEST_F(S3Parts, ALostFinishIsResolvedByTheTagOfItsParts) {
  AnswerParts();
  Answer(kLost);
  Answer(Reply(200, "", {{"ETag", tag_}, {"Content-Length", std::to_string(large_.size())}}));
  auto written = Write(large_);
  EXPECT_TRUE(written.ok()) << written.error().message;
  AnswerParts();
  Answer(kLost);
  Answer(Reply(200, "", {{"ETag", "\"0-2\""}, {"Content-Length", "1"}}));
  EXPECT_EQ(Write(large_).error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_EQ(Asked("DELETE"), 0U) << "what may be there is not given up";
}

TEST_F(S3Parts, AFinishThatArrivedTwiceIsSeenToBeDone) {
  const HttpHeaders whole = {{"ETag", tag_}, {"Content-Length", std::to_string(large_.size())}};
  for (const HttpResponse& second :
       {Reply(404, ErrorXml("NoSuchUpload")), Reply(412, ErrorXml("PreconditionFailed"))}) {
    AnswerParts();
    Answer(second);
    Answer(Reply(200, "", whole));
    EXPECT_TRUE(Write(large_).ok()) << second.status;
  }
  AnswerParts();
  Answer(Reply(404, ErrorXml("NoSuchUpload")));
  Answer(Reply(404));
  Answer(Reply(204));
  EXPECT_EQ(Write(large_).error().kind, ErrorKind::kNotFound) << "others have given the upload up";
}

TEST_F(S3, ListingsAreReadWithPagesAndEntities) {
  Answer(Reply(200,
               "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t/2</"
               "NextContinuationToken><Contents><Key>a/b&lt;&#x41;&amp;</Key><Size>12</"
               "Size><ETag>&quot;e&quot;"
               "</ETag><LastModified>2026-11-21T08:15:00.000Z</LastModified></"
               "Contents><Contents><Key>a/c</Key>"
               "<Size>0</Size></Contents><CommonPrefixes><Prefix>a/d/</Prefix></CommonPrefixes>"
               "</ListBucketResult>"));
  auto page = client_->List(*context_, place_, "a/", "t 1", "/");
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].key, "a/b<A&");
  EXPECT_EQ(page->objects[0].size, ByteCount(12));
  EXPECT_EQ(page->objects[0].etag, "\"e\"");
  EXPECT_EQ(page->objects[0].modified, Timestamp(std::chrono::seconds(1795248900)));
  EXPECT_EQ(page->prefixes, std::vector<std::string>{"a/d/"});
  EXPECT_EQ(page->next, "t/2");
  EXPECT_THAT(http_->asked[0].url, HasSubstr("continuation-token=t%201"));
}

TEST_F(S3, AReplyThatEndsInTheMiddleIsAskedForAgain) {
  const std::string listing =
      "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"x\"><Contents><Key>a/b</Key></Contents>"
      "<Contents><Key>a/c</Key></Contents></ListBucketResult>\n";
  Answer(Reply(200, listing.substr(0, listing.size() - 40)));
  Answer(Reply(200, listing));
  EXPECT_EQ(client_->List(*context_, place_, "a/", "", "/")->objects.size(), 2U);

  std::string out(4, ' ');
  std::string tag = "\"t\"";
  const HttpHeaders whole = {{"ETag", tag}, {"Content-Range", "bytes 0-3/9"}};
  Answer(Reply(206, "ab", whole));
  Answer(Reply(206, "abcd", whole));
  EXPECT_TRUE(client_->Get(*context_, place_, 0, out, tag).ok());
  EXPECT_EQ(out, "abcd");

  for (int i = 0; i < RetryPolicy{}.attempts_max; ++i) Answer(Reply(206, "ab", whole));
  EXPECT_EQ(client_->Get(*context_, place_, 0, out, tag).error().kind, ErrorKind::kTransient);
}

TEST_F(S3, DeletionsInBulkReportWhatFailed) {
  const std::vector<S3Place> places(2, place_);
  Answer(Reply(
      200, "<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error></DeleteResult>"));
  EXPECT_EQ(client_->DeleteMany(*context_, places).error().kind, ErrorKind::kRefused);
  EXPECT_THAT(http_->asked[0].headers, testing::Contains(testing::Key("Content-MD5")));
  Answer(
      Reply(200, "<DeleteResult><Error><Key>k</Key><Code>NoSuchKey</Code></Error></DeleteResult>"));
  EXPECT_TRUE(client_->DeleteMany(*context_, places).ok());
}

/// Keys that are other ones after each renewal; those of the last one stay.
class RotatedKeys : public LiveProperties {
 public:
  explicit RotatedKeys(std::vector<std::string> ids) : ids_(std::move(ids)) {}
  Result<std::shared_ptr<const Properties>> Now(const Context&) override {
    if (now_ == nullptr || now_->at("s3.access-key-id") != ids_[at_]) {
      now_ = std::make_shared<const Properties>(
          Properties{{"s3.access-key-id", ids_[at_]}, {"s3.secret-access-key", "hunter2"}});
    }
    return now_;
  }
  Result<std::shared_ptr<const Properties>> Renew(
      const Context& context, const std::shared_ptr<const Properties>& refused) override {
    if (now_ == refused && at_ + 1 < ids_.size()) ++at_;
    return Now(context);
  }

 private:
  std::vector<std::string> ids_;
  size_t at_ = 0;
  std::shared_ptr<const Properties> now_;
};

TEST_F(S3, KeysThatRunOutInTheMiddleOfAFileAreRenewed) {
  const auto keys = std::make_shared<RotatedKeys>(std::vector<std::string>{"old", "new"});
  auto options = S3Options::From({{"s3.endpoint", "https://store:9000"},
                                  {"s3.access-key-id", "old"},
                                  {"s3.secret-access-key", "hunter2"}},
                                 keys);
  client_ = std::make_shared<S3Client>(*options, http_);
  Answer(Reply(200, "<R><UploadId>7</UploadId></R>"));
  Answer(Reply(400, ErrorXml("ExpiredToken")));  // to the first part
  Answer(Reply(200, "", {{"ETag", kTag}}));
  Answer(Reply(200, "", {{"ETag", kTag}}));
  Answer(Reply(200, "<R/>"));
  S3Output file(*context_, client_, place_, OverwritePolicy::kFail);
  ASSERT_TRUE(file.Write(std::string(9 << 20, 'x')).ok());
  ASSERT_TRUE(file.Close().ok());
  EXPECT_EQ(http_->asked[0].sign->access_key_id, "old");
  EXPECT_EQ(http_->asked[1].sign->access_key_id, "old");
  EXPECT_EQ(http_->asked[2].sign->access_key_id, "new");
  EXPECT_EQ(http_->asked[2].url, http_->asked[1].url);
}

TEST_F(S3, KeysThatStayRefusedAreAskedForOnceOnly) {
  auto options = S3Options::From({{"s3.endpoint", "https://store:9000"},
                                  {"s3.access-key-id", "a"},
                                  {"s3.secret-access-key", "hunter2"}},
                                 std::make_shared<RotatedKeys>(std::vector<std::string>{"a"}));
  client_ = std::make_shared<S3Client>(*options, http_);
  Answer(Reply(403, ErrorXml("InvalidAccessKeyId")));
  EXPECT_EQ(client_->Put(*context_, place_, "bytes").error().kind, ErrorKind::kRefused);
  EXPECT_EQ(http_->asked.size(), 1U);
}

TEST(S3Settings, AreReadFromIcebergsKeys) {
  const OwnedContext context;
  auto aws = S3Options::From({{"client.region", "eu-north-1"},
                              {"s3.anonymous", "true"},
                              {"s3.path-style-access", "false"}});
  ASSERT_TRUE(aws.ok()) << aws.error().message;
  if (std::getenv("AWS_ENDPOINT_URL") == nullptr && std::getenv("AWS_ENDPOINT_URL_S3") == nullptr) {
    EXPECT_EQ(aws->BucketUrl("box"), "https://box.s3.eu-north-1.amazonaws.com");
    EXPECT_EQ(aws->BucketUrl("b.ox"), "https://s3.eu-north-1.amazonaws.com/b.ox");
  }
  EXPECT_FALSE(aws->credentials->Now(*context)->has_value());
  auto own = S3Options::From({{"s3.endpoint", "http://h:1/"},
                              {"s3.path-style-access", "false"},
                              {"s3.anonymous", "true"}});
  EXPECT_EQ(own->BucketUrl("box"), "http://box.h:1");
  auto fixed = S3Options::From(
      {{"s3.access-key-id", "a"}, {"s3.secret-access-key", "b"}, {"s3.session-token", "c"}});
  EXPECT_EQ(fixed->credentials->Now(*context)->value().session_token, "c");
}

TEST(S3Settings, WrongOnesAreSaid) {
  for (const Properties& wrong :
       {Properties{{"s3.endpoint", "store:9000"}}, Properties{{"s3.path-style-access", "yes"}},
        Properties{{"s3.access-key-id", "a"}}}) {
    EXPECT_EQ(S3Options::From(wrong).error().kind, ErrorKind::kConfig);
  }
}

TEST(S3Xml, IsWholeWhenItsOutermostElementEnds) {
  for (const char* whole : {"<a/>", "<a x=\"1\" />", " <?xml version=\"1.0\"?>\n<a><b/></a>\n"})
    EXPECT_TRUE(XmlIsWhole(whole)) << whole;
  for (const char* part : {"", "<", "<a", "<a>", "<a><b/>", "<a></b>", "<?xml", "<?xml?>", "text"})
    EXPECT_FALSE(XmlIsWhole(part)) << part;
}

TEST(S3Xml, HostileTextIsNoMatch) {
  EXPECT_EQ(XmlText("<a>1", "a"), std::nullopt);
  EXPECT_EQ(XmlText("<ab>1</ab><a>2</a>", "a"), "2");
  EXPECT_EQ(XmlText("<a/>", "a"), "");
  EXPECT_EQ(XmlText("<a x=\"1\">&#x110000;&bogus;&amp</a>", "a"), "&#x110000;&bogus;&amp");
  EXPECT_EQ(XmlText("<", "a"), std::nullopt);
  EXPECT_EQ(XmlEscaped("a<&>\x01"), std::nullopt);
  EXPECT_EQ(XmlEscaped("a<&>"), "a&lt;&amp;&gt;");
}

}  // namespace
}  // namespace calve::io
