#include "io/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "io/test_server.h"

namespace calve::io {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

HttpClientOptions Quick() {
  return {.connect_timeout = milliseconds(2000),
          .retry = {.attempts_max = 4, .first = milliseconds(1), .longest = milliseconds(2)}};
}

class Http : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new TestServer();
    ASSERT_NE(server_->port(), 0) << "tests/services/http_faults.py did not start";
  }
  static void TearDownTestSuite() { delete server_; }

  Result<HttpResponse> Send(HttpRequest request) {
    request.url = server_->At(request.url);
    return client_->Send(*context_, request);
  }
  Result<HttpResponse> Get(const std::string& path) { return Send({.url = path}); }
  int Count(const std::string& id) { return std::stoi(Get("/count/" + id)->body); }

  static TestServer* server_;
  OwnedContext context_;
  std::unique_ptr<HttpClient> client_ = MakeHttpClient(Quick());
};

TestServer* Http::server_ = nullptr;

TEST_F(Http, SendsMethodHeadersAndBodyAsGiven) {
  for (const std::string method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    auto reply = Send({.method = method,
                       .url = "/echo/a%20b/./c/../d?x=1&y=%2F",
                       .headers = {{"X-One", "1"}, {"Content-Type", "text/x"}},
                       .body = "body of " + method});
    ASSERT_TRUE(reply.ok()) << reply.error().message;
    EXPECT_EQ(reply->status, 200);
    const auto seen = nlohmann::json::parse(reply->body);
    EXPECT_EQ(seen["method"], method);
    EXPECT_EQ(seen["path"], "/echo/a%20b/./c/../d?x=1&y=%2F");
    EXPECT_EQ(seen["body"], "body of " + method);
    EXPECT_EQ(seen["headers"]["x-one"], "1");
    EXPECT_EQ(seen["headers"]["content-type"], "text/x");
    EXPECT_FALSE(seen["headers"].contains("expect"));
  }
}

TEST_F(Http, AnEmptyPostSaysItsLengthAndNoType) {
  const auto seen = nlohmann::json::parse(Send({.method = "POST", .url = "/echo"})->body);
  EXPECT_EQ(seen["headers"]["content-length"], "0");
  EXPECT_FALSE(seen["headers"].contains("content-type"));
}

TEST_F(Http, AReplyOfAnyStatusIsAReply) {
  auto reply = Get("/status/404");
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->status, 404);
  EXPECT_FALSE(reply->ok());
  EXPECT_EQ(reply->body, "body of the error");
  EXPECT_EQ(reply->Header("CONTENT-length"), "17");
  EXPECT_EQ(reply->Header("none"), "");
}

TEST_F(Http, AHeadReplyHasNoBody) {
  auto reply = Send({.method = "HEAD", .url = "/big/5000"});
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_EQ(reply->Header("content-length"), "5000");
  EXPECT_EQ(reply->body, "");
}

TEST_F(Http, RepeatableRequestsAreTriedAgain) {
  EXPECT_EQ(Get("/flaky/3/503/again-1")->body, "4");
  EXPECT_EQ(Send({.method = "PUT", .url = "/flaky/1/500/again-2"})->body, "2");
  EXPECT_EQ(Send({.method = "POST", .url = "/flaky/2/502/again-3", .repeatable = true})->body, "3");
}

TEST_F(Http, TheLastReplyIsGivenWhenTriesAreUsedUp) {
  auto reply = Get("/flaky/9/503/used-up");
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(Count("used-up"), 4);
}

TEST_F(Http, APostIsSentOnceWhateverTheServerSays) {
  for (const std::string status : {"500", "502", "503", "504"}) {
    EXPECT_EQ(Send({.method = "POST", .url = "/flaky/9/" + status + "/once-" + status})->status,
              std::stoi(status));
    EXPECT_EQ(Count("once-" + status), 1);
  }
}

TEST_F(Http, ATurnedAwayPostIsSentAgain) {
  EXPECT_EQ(Send({.method = "POST", .url = "/flaky/2/429/turned-away"})->body, "3");
}

TEST_F(Http, RetryAfterIsObeyed) {
  const auto start = context_->clock->Monotonic();
  EXPECT_EQ(Get("/flaky/1/503/wait?retry-after=1")->body, "2");
  EXPECT_GE(context_->clock->Monotonic() - start, std::chrono::seconds(1));
}

TEST_F(Http, ARetryAfterBeyondTheLimitIsLeftToTheCaller) {
  auto reply = Get("/flaky/1/503/long-wait?retry-after=3600");
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->Header("retry-after"), "3600");
  EXPECT_EQ(Count("long-wait"), 1);
}

TEST_F(Http, ACutReplyIsTriedAgainOnlyWhenThatDoesNoHarm) {
  auto got = Get("/cut/cut-get");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(Count("cut-get"), 4);
  auto posted = Send({.method = "POST", .url = "/cut/cut-post", .body = "x"});
  ASSERT_FALSE(posted.ok());
  EXPECT_EQ(posted.error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_EQ(Count("cut-post"), 1);
}

TEST_F(Http, AHeadThatIsCutIsNoReply) {
  for (const std::string method : {"GET", "HEAD"}) {
    const auto cut = Send({.method = method, .url = "/cut-head/" + method});
    ASSERT_FALSE(cut.ok()) << method;
    EXPECT_EQ(cut.error().kind, ErrorKind::kTransient);
    EXPECT_THAT(cut.error().message, HasSubstr("no whole reply"));
    EXPECT_EQ(Count(method), 4);
  }
  const auto posted = Send({.method = "POST", .url = "/cut-head/cut-head-post", .body = "x"});
  ASSERT_FALSE(posted.ok());
  EXPECT_EQ(posted.error().kind, ErrorKind::kUnknownOutcome);
}

TEST_F(Http, ARequestWithoutReplyHasAnUnknownOutcome) {
  auto posted = Send({.method = "POST", .url = "/swallow/swallowed", .body = "x"});
  ASSERT_FALSE(posted.ok());
  EXPECT_EQ(posted.error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_EQ(Count("swallowed"), 1);
}

TEST_F(Http, APostOnAKeptConnectionIsNeverSentTwice) {
  // libcurl by itself sends again when a kept connection ends without a reply, whatever the method.
  EXPECT_EQ(Get("/second-swallowed/kept")->body, "1");
  auto posted = Send({.method = "POST", .url = "/second-swallowed/kept", .body = "x"});
  EXPECT_EQ(Count("kept"), 2);
  ASSERT_TRUE(posted.ok()) << "a connection of its own, so it is the first request there";
}

TEST_F(Http, APostThatNeverLeftIsTriedAgainAndHarmless) {
  auto client = MakeHttpClient(Quick());
  auto posted =
      client->Send(*context_, {.method = "POST", .url = "http://127.0.0.1:1/x", .body = "x"});
  ASSERT_FALSE(posted.ok());
  EXPECT_EQ(posted.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(posted.error().message, HasSubstr("http://127.0.0.1:1/x"));
}

TEST_F(Http, SilenceEndsAfterTheTimeout) {
  auto got = Send({.url = "/hang/hung", .timeout = milliseconds(60)});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(Count("hung"), 4);
  auto posted = Send({.method = "POST", .url = "/hang/hung-post", .timeout = milliseconds(60)});
  EXPECT_EQ(posted.error().kind, ErrorKind::kUnknownOutcome);
}

TEST_F(Http, AStopEndsAWait) {
  std::stop_source stop;
  std::jthread stopper;
  int drops = 0;
  auto got = client_->Download(context_->WithStop(stop.get_token()), {.url = server_->At("/drip")},
                               [&](std::string_view) {
                                 if (++drops == 2) stop.request_stop();
                                 return Status::Ok();
                               });
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, ErrorKind::kStopped);
}

TEST_F(Http, AReplyLargerThanAllowedIsRefusedOnce) {
  EXPECT_EQ(Send({.url = "/big/1000", .response_bytes_max = ByteCount(1000)})->body.size(), 1000U);
  auto got = Send({.url = "/big/1001", .response_bytes_max = ByteCount(1000)});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, ErrorKind::kRefused);
}

TEST_F(Http, CompressedRepliesAreRead) {
  EXPECT_EQ(Get("/gzip")->body, "was compressed");
  EXPECT_EQ(Send({.url = "/gzip", .headers = {{"Accept-Encoding", "identity"}}})->body,
            "was plain");
}

TEST_F(Http, DownloadsGoToTheSinkAndErrorsToTheReply) {
  std::string taken;
  const auto sink = [&](std::string_view bytes) {
    taken += bytes;
    return Status::Ok();
  };
  auto got = client_->Download(*context_, {.url = server_->At("/big/3000000")}, sink);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(taken.size(), 3'000'000U);
  EXPECT_EQ(got->body, "");
  taken.clear();
  got = client_->Download(*context_, {.url = server_->At("/status/404")}, sink);
  EXPECT_EQ(got->body, "body of the error");
  EXPECT_EQ(taken, "");
}

TEST_F(Http, ADownloadIsNotStartedAgainBehindTheSinksBack) {
  std::string taken;
  auto got = client_->Download(*context_, {.url = server_->At("/cut/download")},
                               [&](std::string_view bytes) {
                                 taken += bytes;
                                 return Status::Ok();
                               });
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(taken, "half");
  EXPECT_EQ(Count("download"), 1);
}

TEST_F(Http, TheSinksErrorIsTheDownloadsError) {
  auto got =
      client_->Download(*context_, {.url = server_->At("/big/3000000")},
                        [](std::string_view) -> Status { return RefusedError("disk full"); });
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error(), RefusedError("disk full"));
}

TEST_F(Http, RedirectsAreFollowedWithinLimits) {
  EXPECT_EQ(Get("/redirect/302?/big/3")->body, "xxx");
  EXPECT_EQ(Send({.method = "PUT", .url = "/redirect/307?/echo", .body = "b"})->status, 200);
  EXPECT_EQ(Send({.method = "POST", .url = "/redirect/307?/echo", .body = "b"})->status, 307);
  std::string circle = "/echo";
  for (int i = 0; i < 6; ++i) circle = "/redirect/301?" + circle;
  auto lost = Get(circle);
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().kind, ErrorKind::kRefused);
}

TEST_F(Http, RedirectsElsewhereKeepNoCredentials) {
  const std::string other = "http://localhost:" + std::to_string(server_->port()) + "/echo";
  auto reply = Send(
      {.url = "/redirect/302?" + other,
       .headers = {{"Authorization", "Bearer secret"}, {"X-Api-Key", "secret"}, {"Accept", "x"}}});
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_THAT(reply->body, Not(HasSubstr("secret")));
  EXPECT_EQ(nlohmann::json::parse(reply->body)["headers"]["accept"], "x");
  reply = Send({.url = "/redirect/302?/echo", .headers = {{"Authorization", "Bearer secret"}}});
  EXPECT_THAT(reply->body, HasSubstr("secret"));
}

TEST_F(Http, RedirectsToOtherSchemesAreRefused) {
  for (const std::string target :
       {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"}) {
    auto reply = Get("/redirect/302?" + target);
    ASSERT_FALSE(reply.ok()) << target;
    EXPECT_EQ(reply.error().kind, ErrorKind::kRefused);
  }
}

TEST_F(Http, OnlyHttpAddressesAreTaken) {
  for (const std::string url :
       {"file:///etc/passwd", "ftp://127.0.0.1/x", "nonsense", "http://", ""}) {
    auto reply = client_->Send(*context_, {.url = url});
    ASSERT_FALSE(reply.ok()) << url;
    EXPECT_EQ(reply.error().kind, ErrorKind::kConfig) << url << ": " << reply.error().message;
  }
}

TEST_F(Http, AHeaderCannotSmuggleARequest) {
  auto reply = Send({.url = "/echo", .headers = {{"X-A", "1\r\nX-B: 2"}}});
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().kind, ErrorKind::kConfig);
}

TEST_F(Http, ErrorsNameTheAddressButNoSecret) {
  const std::string url = "http://user:hunter2@127.0.0.1:" + std::to_string(server_->port()) +
                          "/cut/secret?token=hunter2";
  auto reply = client_->Send(*context_, {.url = url});
  ASSERT_FALSE(reply.ok());
  EXPECT_THAT(reply.error().message, Not(HasSubstr("hunter2")));
  EXPECT_THAT(reply.error().message, HasSubstr("/cut/secret"));
  const Error error = HttpStatusError("read the list", {.url = url}, {.status = 403});
  EXPECT_THAT(error.message, Not(HasSubstr("hunter2")));
  EXPECT_EQ(error.kind, ErrorKind::kRefused);
}

TEST_F(Http, SignedRequestsCarryTheirSignature) {
  auto reply = Send({.url = "/echo?b=2&a=1",
                     .sign = AwsSignature{.access_key_id = "ID",
                                          .secret_access_key = "SECRET",
                                          .session_token = "TOKEN",
                                          .region = "eu-1",
                                          .service = "s3"}});
  ASSERT_TRUE(reply.ok());
  const auto headers = nlohmann::json::parse(reply->body)["headers"];
  EXPECT_THAT(headers["authorization"], HasSubstr("Credential=ID/"));
  EXPECT_EQ(headers["x-amz-security-token"], "TOKEN");
  EXPECT_THAT(reply->body, Not(HasSubstr("SECRET")));
}

TEST_F(Http, ManyThreadsShareAClient) {
  std::array<int, 16> fine{};
  {
    std::vector<std::jthread> threads;
    for (int& count : fine) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) {
          auto reply = Get("/big/" + std::to_string(i));
          count += reply.ok() && reply->body.size() == static_cast<size_t>(i);
        }
      });
    }
  }
  for (const int count : fine) EXPECT_EQ(count, 20);
}

TEST(HttpStatus, KindsSayWhatToDo) {
  const auto kind = [](int status) { return HttpStatusError("x", {}, {.status = status}).kind; };
  EXPECT_EQ(kind(400), ErrorKind::kRefused);
  EXPECT_EQ(kind(401), ErrorKind::kRefused);
  EXPECT_EQ(kind(404), ErrorKind::kNotFound);
  EXPECT_EQ(kind(409), ErrorKind::kConflict);
  EXPECT_EQ(kind(412), ErrorKind::kConflict);
  EXPECT_EQ(kind(429), ErrorKind::kTransient);
  EXPECT_EQ(kind(500), ErrorKind::kTransient);
}

TEST(PercentEncoding, GoesThereAndBack) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(PercentDecode(PercentEncode(all)).value(), all);
  EXPECT_EQ(PercentEncode("a/b c%2F~", "/"), "a/b%20c%252F~");
  for (const std::string wrong : {"%", "a%4", "%zz", "%4g"}) {
    EXPECT_EQ(PercentDecode(wrong).error().kind, ErrorKind::kData) << wrong;
  }
}

}  // namespace
}  // namespace calve::io
