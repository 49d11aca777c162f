#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calve::http {
namespace {

TEST(HttpServer, APortThatIsTakenIsSaid) {
  const Handler nothing = [](const Request&) { return Response{}; };
  const auto first = Server::Start({}, nothing);
  ASSERT_TRUE(first.ok());
  EXPECT_GT((*first)->port(), 0);
  const auto second = Server::Start({.port = (*first)->port()}, nothing);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(second.error().message, testing::HasSubstr("choose another port"));
}

TEST(HttpServer, AnAddressThatIsNoneIsSaid) {
  const auto server =
      Server::Start({.host = "no such address"}, [](const Request&) { return Response{}; });
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(server.error().message, testing::HasSubstr("no such address"));
}

TEST(HttpServer, HeadersAreFoundInAnyCase) {
  const Request request{.headers = {{"Content-Type", "a"}, {"content-type", "b"}}};
  EXPECT_EQ(request.Header("CONTENT-TYPE"), "a");
  EXPECT_EQ(request.Header("Accept"), "");
}

}  // namespace
}  // namespace calve::http
