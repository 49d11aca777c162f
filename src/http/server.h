#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/strong.h"

namespace calve::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A whole request, as it came.
struct Request {
  std::string method;  ///< GET, HEAD, POST, PUT, DELETE ...
  std::string path;    ///< Still percent-encoded; begins with /.
  std::string query;   ///< What follows the ?, still encoded.
  Headers headers;
  std::string body;
  std::string peer;  ///< The client's address.

  /// The first header of that name, in any case; "" when there is none.
  std::string_view Header(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;  ///< Not sent in answer to HEAD.
};

/// Answers one request. Called on any of the server's threads, at once; may block. What it throws
/// is answered by 500.
using Handler = std::function<Response(const Request& request)>;

struct ServerOptions {
  std::string host = "127.0.0.1";              ///< An address of this machine, or 0.0.0.0 for all.
  uint16_t port = 0;                           ///< 0: one that is free.
  int threads = 8;                             ///< Requests that are handled at the same time.
  ByteCount body_max{32 << 20};                ///< A longer body is answered by 413.
  size_t connections_max = 1024;               ///< More wait to be accepted.
  std::chrono::seconds idle_longest{120};      ///< A kept connection is closed after this silence.
  std::chrono::seconds transfer_longest{120};  ///< For the whole of one response to be taken.
};

/// Takes the answer to one request: once, from any thread, before the server is destroyed or while
/// it ends.
using Answer = std::function<void(Response response)>;

/// Answers one request in its own time. Called on any of the server's threads, at once, which it
/// must not hold up. May not throw.
using LaterHandler = std::function<void(Request request, Answer answer)>;

/// An HTTP/1.1 server, running from Start until it is destroyed. Threads: its own.
class Server {
 public:
  /// Listen. Fails with kRefused when the address is taken or is none of this machine's.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, Handler handler);

  /// Listen, with answers that come later.
  static Result<std::unique_ptr<Server>> StartLater(const ServerOptions& options,
                                                    LaterHandler handler);

  /// Take no more requests; those under way are finished and answered first.
  virtual ~Server() = default;
  virtual uint16_t port() const = 0;
};

}  // namespace calve::http
