#include "server/access.h"

#include <gtest/gtest.h>

#include "base/digest.h"

namespace calve::server {
namespace {

constexpr const char* kSecret = "a secret of some length";

Client MakeClient(std::map<std::string, Right> rights, std::string id = "etl",
                  std::string_view secret = kSecret) {
  return {.id = std::move(id), .secret_digest = Sha256(secret), .rights = std::move(rights)};
}

Timestamp At(int64_t seconds) { return TimestampFromMillis(seconds * 1000); }

TEST(Access, TheLongestNamespaceNamedSaysWhatAClientMayDo) {
  const Client client =
      MakeClient({{"*", Right::kRead}, {"sales", Right::kWrite}, {"sales.secret", Right::kNone}});
  EXPECT_EQ(client.RightIn({"other"}), Right::kRead);
  EXPECT_EQ(client.RightIn({"sales"}), Right::kWrite);
  EXPECT_EQ(client.RightIn({"sales", "eu", "west"}), Right::kWrite);
  EXPECT_EQ(client.RightIn({"sales", "secret", "deep"}), Right::kNone);
  EXPECT_EQ(client.RightIn({"salesman"}), Right::kRead);
  EXPECT_EQ(MakeClient({}).RightIn({"sales"}), Right::kNone);
}

TEST(Access, ANamespaceIsSeenWhenSomethingBelowItIsReadable) {
  const Client client = MakeClient({{"a.b", Right::kRead}});
  EXPECT_TRUE(client.Sees({"a"}));
  EXPECT_TRUE(client.Sees({"a", "b"}));
  EXPECT_TRUE(client.Sees({"a", "b", "c"}));
  EXPECT_FALSE(client.Sees({"a", "c"}));
  EXPECT_FALSE(client.Sees({"ab"}));
}

TEST(Access, ATokenIsItsClientsUntilItExpires) {
  const Access access({MakeClient({}), MakeClient({}, "other", "another long secret")},
                      std::chrono::seconds(60));
  const Client* client = access.FindBySecret("etl", kSecret);
  ASSERT_NE(client, nullptr);
  const std::string token = access.IssueToken(*client, At(1000));
  EXPECT_EQ(access.Read(token, At(1059)).client, client);
  EXPECT_FALSE(access.Read(token, At(1059)).expired);
  EXPECT_TRUE(access.Read(token, At(1060)).expired);
}

TEST(Access, ATokenOutlivesTheServerButNotAChangedSecret) {
  const Access before({MakeClient({})}, std::chrono::seconds(60));
  const std::string token = before.IssueToken(*before.FindBySecret("etl", kSecret), At(1000));
  const Access restarted({MakeClient({})}, std::chrono::seconds(60));
  EXPECT_NE(restarted.Read(token, At(1001)).client, nullptr);
  const Access changed({MakeClient({}, "etl", "a new secret of the client")},
                       std::chrono::seconds(60));
  EXPECT_EQ(changed.Read(token, At(1001)).client, nullptr);
}

TEST(Access, ATokenThatWasTouchedIsNobodys) {
  const Access access({MakeClient({})}, std::chrono::seconds(60));
  const std::string token = access.IssueToken(*access.FindBySecret("etl", kSecret), At(1000));
  const size_t dot = token.find('.');
  const std::string claims = ToBase64Url(R"({"sub":"etl","iat":1000,"exp":9999999999})");
  const std::string longer = token.substr(0, dot + 1) + claims + token.substr(token.rfind('.'));
  EXPECT_EQ(access.Read(longer, At(1001)).client, nullptr);
  const std::string unsigned_token = ToBase64Url(R"({"alg":"none"})") + "." + claims + ".";
  EXPECT_EQ(access.Read(unsigned_token, At(1001)).client, nullptr);
  for (const std::string text : {"", ".", "..", "a.b.c", "x.eyJzdWIiOjF9.x"}) {
    EXPECT_EQ(access.Read(text, At(1001)).client, nullptr) << text;
  }
}

TEST(Access, TheSecretItselfIsABearerToken) {
  const Access access({MakeClient({})}, std::chrono::seconds(60));
  ASSERT_NE(access.Read(kSecret, At(0)).client, nullptr);
  EXPECT_EQ(access.Read("a secret of some lengtH", At(0)).client, nullptr);
  EXPECT_NE(access.FindBySecret("", kSecret), nullptr);
  EXPECT_EQ(access.FindBySecret("etl2", kSecret), nullptr);
}

}  // namespace
}  // namespace calve::server
