#include "http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <restinio/all.hpp>
#include <set>

namespace calve::http {
namespace {

class Socket;

/// The sockets of one server, kept by its io_context.
///
/// RESTinio leaves connections open when it stops: they are destroyed with the io_context, after the
/// acceptor whose count of connections they still want to lower. So the end of a server closes them
/// first.
class Sockets : public asio::execution_context::service {
 public:
  using key_type = Sockets;
  static inline asio::execution_context::id id;
  explicit Sockets(asio::execution_context& context) : service(context) {}

  void Add(Socket* socket) {
    std::lock_guard lock(mutex_);
    all_.insert(socket);
  }
  void Remove(Socket* socket) {
    std::lock_guard lock(mutex_);
    all_.erase(socket);
    changed_.notify_all();
  }
  /// Tell the other sides that nothing more comes, so that the connections end themselves, and wait
  /// until they have.
  void CloseAll(std::chrono::seconds longest);

 private:
  void shutdown() override {}
  size_t CountOpen() const;
  void EndAll() const;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<Socket*> all_;
};

/// A TCP socket that Sockets knows as long as it lives.
class Socket : public asio::ip::tcp::socket {
 public:
  explicit Socket(asio::io_context& context)
      : asio::ip::tcp::socket(context), sockets_(asio::use_service<Sockets>(context)) {
    sockets_.Add(this);
  }
  Socket(Socket&& other) noexcept
      : asio::ip::tcp::socket(std::move(other)), sockets_(other.sockets_) {
    sockets_.Add(this);
  }
  Socket& operator=(Socket&& other) noexcept {
    asio::ip::tcp::socket::operator=(std::move(other));
    return *this;
  }
  ~Socket() { sockets_.Remove(this); }

 private:
  Sockets& sockets_;
};

size_t Sockets::CountOpen() const {
  return static_cast<size_t>(
      std::count_if(all_.begin(), all_.end(), [](const Socket* one) { return one->is_open(); }));
}

void Sockets::EndAll() const {
  for (Socket* socket : all_) {
    asio::error_code ignored;
    if (socket->is_open()) socket->shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  }
}

void Sockets::CloseAll(std::chrono::seconds longest) {
  constexpr std::chrono::milliseconds kPause{2};
  std::unique_lock lock(mutex_);
  for (std::chrono::milliseconds left = longest; CountOpen() > 0 && left.count() > 0;
       left -= kPause) {
    EndAll();
    changed_.wait_for(lock, kPause);
  }
}

struct Traits
    : restinio::traits_t<restinio::asio_timer_manager_t, restinio::null_logger_t,
                         restinio::default_request_handler_t, restinio::default_strand_t, Socket> {
  static constexpr bool use_connection_count_limiter = true;
};

/// What RESTinio reads of a body before it hangs up without an answer: room enough for us to give
/// one.
constexpr int64_t kReadPastMax = 4;

/// Requests of one connection that RESTinio takes before the first is answered; answers keep their
/// order. Not 1: a handler that answers before it returns then makes 0.6.16 begin the next request
/// twice, the second time when the answer is written, and what had come of that request is dropped,
/// so that its body is parsed as a request of its own.
constexpr size_t kPipelinedMax = 2;

/// How long requests that are under way may hold up the end of the server.
constexpr std::chrono::seconds kFarewellLongest{10};

/// Phrases for a status line; a client may ignore them.
std::string Phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 419:
      return "Authentication Timeout";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

Request Take(const restinio::request_t& from) {
  Request request;
  const auto& header = from.header();
  request.method = header.method().c_str();
  request.path = std::string(header.path());
  request.query = std::string(header.query());
  header.for_each_field([&](const restinio::http_header_field_t& field) {
    request.headers.emplace_back(field.name(), field.value());
  });
  request.body = from.body();
  request.peer = from.remote_endpoint().address().to_string();
  return request;
}

Response TooLarge(size_t found, ByteCount body_max) {
  return {.status = 413,
          .headers = {{"Content-Type", "text/plain"}},
          .body = fmt::format("expected a body of at most {} bytes, found {}\n", body_max.value(),
                              found)};
}

Response AnswerNow(const Handler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& fault) {
    return {.status = 500, .headers = {{"Content-Type", "text/plain"}}, .body = fault.what()};
  }
}

/// Counts the requests that were taken and not yet answered.
class UnderWay {
 public:
  void Begin() {
    std::lock_guard lock(mutex_);
    ++count_;
  }
  void End() {
    std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }
  void AwaitNone(std::chrono::seconds longest) {
    std::unique_lock lock(mutex_);
    none_.wait_for(lock, longest, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  int64_t count_ = 0;
};

void Send(restinio::request_t& request, Response response, std::shared_ptr<UnderWay> under_way) {
  restinio::http_status_line_t line(
      restinio::http_status_code_t{static_cast<uint16_t>(response.status)},
      Phrase(response.status));
  auto builder = request.create_response(std::move(line));
  for (auto& [name, value] : response.headers)
    builder.append_header(std::move(name), std::move(value));
  if (request.header().method() != restinio::http_method_head())
    builder.set_body(std::move(response.body));
  builder.done([under_way = std::move(under_way)](const auto& /*outcome*/) { under_way->End(); });
}

class RestinioServer : public Server {
 public:
  using Running = restinio::running_server_handle_t<Traits>;

  RestinioServer(Running running, Sockets& sockets, uint16_t port,
                 std::shared_ptr<UnderWay> under_way)
      : running_(std::move(running)),
        sockets_(sockets),
        port_(port),
        under_way_(std::move(under_way)) {}
  ~RestinioServer() override {
    under_way_->AwaitNone(kFarewellLongest);
    sockets_.CloseAll(kFarewellLongest);
    running_->stop();
    running_->wait();
  }
  uint16_t port() const override { return port_; }

 private:
  Running running_;
  Sockets& sockets_;  ///< Of what is running.
  uint16_t port_;
  std::shared_ptr<UnderWay> under_way_;
};

}  // namespace

std::string_view Request::Header(std::string_view name) const {
  const auto same = [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; };
    return lower(a) == lower(b);
  };
  for (const auto& [key, value] : headers) {
    if (key.size() == name.size() && std::equal(key.begin(), key.end(), name.begin(), same))
      return value;
  }
  return {};
}

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Handler handler) {
  return StartLater(options,
                    [handler = std::move(handler)](const Request& request, const Answer& answer) {
                      answer(AnswerNow(handler, request));
                    });
}

Result<std::unique_ptr<Server>> Server::StartLater(const ServerOptions& options,
                                                   LaterHandler handler) {
  uint16_t port = options.port;
  Sockets* sockets = nullptr;
  const auto under_way = std::make_shared<UnderWay>();
  restinio::server_settings_t<Traits> settings;
  const size_t read_max = static_cast<size_t>(options.body_max.value() * kReadPastMax);
  settings.address(options.host)
      .port(options.port)
      .max_parallel_connections(options.connections_max)
      .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t{}
                                    .max_url_size(16 << 10)
                                    .max_field_count(200)
                                    .max_body_size(read_max))
      .max_pipelined_requests(kPipelinedMax)
      .read_next_http_message_timelimit(options.idle_longest)
      .write_http_response_timelimit(options.transfer_longest)
      .handle_request_timeout(std::chrono::hours(1))
      .acceptor_options_setter([](restinio::acceptor_options_t& acceptor) {
        acceptor.set_option(asio::ip::tcp::acceptor::reuse_address(true));
      })
      .socket_options_setter([](restinio::socket_options_t& socket) {
        socket.set_option(asio::ip::tcp::no_delay(true));
      })
      .acceptor_post_bind_hook([&](asio::ip::tcp::acceptor& acceptor) {
        port = acceptor.local_endpoint().port();
        sockets = &asio::use_service<Sockets>(acceptor.get_executor().context());
      })
      .request_handler([handler = std::move(handler), body_max = options.body_max,
                        under_way](const restinio::request_handle_t& request) {
        under_way->Begin();
        if (ByteCount(static_cast<int64_t>(request->body().size())) > body_max) {
          Send(*request, TooLarge(request->body().size(), body_max), under_way);
        } else {
          handler(Take(*request), [request, under_way](Response response) {
            Send(*request, std::move(response), under_way);
          });
        }
        return restinio::request_accepted();
      });
  try {
    auto running = restinio::run_async(restinio::own_io_context(), std::move(settings),
                                       static_cast<size_t>(options.threads));
    return std::unique_ptr<Server>(
        std::make_unique<RestinioServer>(std::move(running), *sockets, port, under_way));
  } catch (const std::exception& fault) {
    return RefusedError(
        fmt::format("cannot listen on {}:{}: {}; stop what listens there, or choose "
                    "another port",
                    options.host, options.port, fault.what()));
  }
}

}  // namespace calve::http
