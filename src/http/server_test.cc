#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <restinio/asio_include.hpp>
#include <string>
#include <vector>

namespace calve::http {
namespace {

/// Send `count` requests over one kept connection, each head and each body in a packet of its own,
/// and wait for each answer, which has no body. Returns how many were answered.
int AskInTwoPackets(uint16_t port, int count, const std::string& body) {
  asio::io_context context;
  asio::ip::tcp::socket socket(context);
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  socket.set_option(asio::ip::tcp::no_delay(true));
  const std::string head =
      "POST /asked HTTP/1.1\r\nHost: here\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n";
  std::string answer;
  for (int i = 0; i < count; ++i) {
    asio::error_code failed;
    asio::write(socket, asio::buffer(head), failed);
    if (!failed) asio::write(socket, asio::buffer(body), failed);
    if (!failed) asio::read_until(socket, asio::dynamic_buffer(answer), "\r\n\r\n", failed);
    if (failed) return i;
    answer.clear();
  }
  return count;
}

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

TEST(HttpServer, ABodyInAPacketOfItsOwnIsNeverARequest) {
  constexpr int kRequests = 5000;
  const std::string body = "GET /smuggled HTTP/1.1\r\nHost: here\r\n\r\n";
  std::atomic<int> asked = 0;
  std::atomic<int> others = 0;
  const auto server = Server::Start({}, [&](const Request& request) {
    (request.path == "/asked" && request.body == body ? asked : others) += 1;
    return Response{.status = 204};
  });
  ASSERT_TRUE(server.ok());
  EXPECT_EQ(AskInTwoPackets((*server)->port(), kRequests, body), kRequests);
  EXPECT_EQ(asked, kRequests);
  EXPECT_EQ(others, 0);
}

TEST(HttpServer, ConnectionsThatClientsKeepOpenDoNotHoldUpItsEnd) {
  asio::io_context context;
  std::vector<asio::ip::tcp::socket> kept;
  {
    const auto server = Server::Start({}, [](const Request&) { return Response{.status = 204}; });
    ASSERT_TRUE(server.ok());
    for (int i = 0; i < 20; ++i) {
      asio::ip::tcp::socket& socket = kept.emplace_back(context);
      socket.connect({asio::ip::make_address("127.0.0.1"), (*server)->port()});
      if (i % 2 == 0) continue;
      std::string answer;
      asio::write(socket, asio::buffer(std::string("GET / HTTP/1.1\r\nHost: here\r\n\r\n")));
      asio::read_until(socket, asio::dynamic_buffer(answer), "\r\n\r\n");
    }
  }
  for (asio::ip::tcp::socket& socket : kept) {
    char byte = 0;
    asio::error_code ended;
    EXPECT_EQ(asio::read(socket, asio::buffer(&byte, 1), ended), 0U);
    EXPECT_EQ(ended, asio::error::eof);
  }
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
