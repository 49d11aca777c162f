#include "catalog/nessie/nessie_client.h"

#include <gtest/gtest.h>

#include <deque>

namespace calve::catalog {
namespace {

constexpr const char* kSecret = "s3cr3t-t0ken";

/// Answers with what the test has put up, and keeps what was sent.
class Script : public io::HttpClient {
 public:
  Result<io::HttpResponse> Send(const Context&, const io::HttpRequest& request) override {
    sent.push_back(request);
    if (replies.empty()) return TransientError("nobody answers");
    Result<io::HttpResponse> reply = std::move(replies.front());
    replies.pop_front();
    return reply;
  }
  Result<io::HttpResponse> Download(const Context&, const io::HttpRequest&,
                                    const std::function<Status(std::string_view)>&) override {
    return BugError("nothing is downloaded");
  }
  void Reply(int status, std::string body) {
    replies.emplace_back(
        io::HttpResponse{.status = status, .headers = {}, .body = std::move(body)});
  }

  std::deque<Result<io::HttpResponse>> replies;
  std::vector<io::HttpRequest> sent;
};

class NessieClientTest : public testing::Test {
 protected:
  NessieClientTest() {
    auto script = std::make_unique<Script>();
    script_ = script.get();
    client_ = std::make_unique<NessieClient>(
        NessieSettings{.uri = "http://nessie/api/v2", .token = kSecret}, std::move(script));
  }

  Result<std::string> Commit() {
    return client_->Commit(*context_, "main", "abc", "change a.t",
                           iceberg::Json::array({{{"type", "DELETE"}}}));
  }

  static std::string Conflict(const std::string& type, const std::string& key) {
    return R"({"status":409,"message":"no","errorCode":"REFERENCE_CONFLICT","errorDetails":)"
           R"({"type":"REFERENCE_CONFLICTS","conflicts":[{"conflictType":")" +
           type + R"(","key":)" + key + R"(,"message":"said"}]}})";
  }

  OwnedContext context_{1};
  Script* script_ = nullptr;
  std::unique_ptr<NessieClient> client_;
};

TEST_F(NessieClientTest, ACommitIsSentToTheHashThatWasReadAndNotRepeated) {
  script_->Reply(200, R"({"targetBranch":{"type":"BRANCH","name":"main","hash":"def"}})");
  EXPECT_EQ(*Commit(), "def");
  ASSERT_EQ(script_->sent.size(), 1U);
  EXPECT_EQ(script_->sent[0].url, "http://nessie/api/v2/trees/main@abc/history/commit");
  EXPECT_EQ(script_->sent[0].repeatable, false);
}

TEST_F(NessieClientTest, AReplyThatSaysNothingOfACommitIsUnknown) {
  for (const int status : {500, 502, 503, 504}) {
    script_->Reply(status, "<html>");
    EXPECT_EQ(Commit().error().kind, ErrorKind::kUnknownOutcome) << status;
  }
  script_->Reply(200, "{\"targetBranch\":");
  EXPECT_EQ(Commit().error().kind, ErrorKind::kUnknownOutcome);
  script_->replies.emplace_back(UnknownOutcomeError("the reply was cut"));
  EXPECT_EQ(Commit().error().kind, ErrorKind::kUnknownOutcome);
}

TEST_F(NessieClientTest, ConflictsAreToldApart) {
  const std::string key = R"({"elements":["a","t"]})";
  const std::pair<const char*, ErrorKind> cases[] = {{"VALUE_DIFFERS", ErrorKind::kConflict},
                                                     {"KEY_DOES_NOT_EXIST", ErrorKind::kConflict},
                                                     {"KEY_EXISTS", ErrorKind::kAlreadyExists},
                                                     {"NAMESPACE_ABSENT", ErrorKind::kNotFound},
                                                     {"NAMESPACE_NOT_EMPTY", ErrorKind::kRefused}};
  for (const auto& [type, kind] : cases) {
    script_->Reply(409, Conflict(type, key));
    EXPECT_EQ(Commit().error().kind, kind) << type;
  }
  EXPECT_EQ(script_->sent.size(), std::size(cases));
}

TEST_F(NessieClientTest, ACommitThatLostToOtherKeysIsSentAgain) {
  script_->Reply(409, Conflict("UNEXPECTED_HASH", "null"));
  script_->Reply(200, R"({"targetBranch":{"hash":"def"}})");
  EXPECT_EQ(*Commit(), "def");
  EXPECT_EQ(script_->sent.size(), 2U);
  for (int i = 0; i < 9; ++i) script_->Reply(409, Conflict("UNEXPECTED_HASH", "null"));
  EXPECT_EQ(Commit().error().kind, ErrorKind::kConflict);
  EXPECT_EQ(script_->sent.size(), 7U);
}

TEST_F(NessieClientTest, ABranchThatWasPutElsewhereIsAConflict) {
  script_->Reply(404, R"({"status":404,"message":"no hash","errorCode":"REFERENCE_NOT_FOUND"})");
  EXPECT_EQ(Commit().error().kind, ErrorKind::kConflict);
}

TEST_F(NessieClientTest, TheTokenIsSentAndNeverSaid) {
  script_->Reply(401, std::string(R"({"message":"bad token )") + kSecret + "\"}");
  const auto refused = client_->Reference(*context_, "main");
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(refused.error().message.find(kSecret), std::string::npos);
  EXPECT_NE(refused.error().message.find("token"), std::string::npos);
  const io::HttpHeaders& headers = script_->sent[0].headers;
  EXPECT_NE(std::find(headers.begin(), headers.end(),
                      std::pair<std::string, std::string>("Authorization",
                                                          std::string("Bearer ") + kSecret)),
            headers.end());
}

TEST_F(NessieClientTest, ListsAreReadPageByPage) {
  script_->Reply(200, R"({"hasMore":true,"token":"p 2","entries":[)"
                      R"({"type":"ICEBERG_TABLE","name":{"elements":["a","t1"]}},)"
                      R"({"type":"ICEBERG_TABLE","name":{"elements":["ab","t3"]}}]})");
  script_->Reply(200, R"({"hasMore":false,"entries":[)"
                      R"({"type":"ICEBERG_TABLE","name":{"elements":["a","t2"]}}]})");
  const auto entries = client_->Entries(*context_, "main", "ICEBERG_TABLE", {"a"});
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[1].key, (NessieKey{"a", "t2"}));
  EXPECT_NE(script_->sent[1].url.find("page-token=p%202"), std::string::npos);
}

}  // namespace
}  // namespace calve::catalog
