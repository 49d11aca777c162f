#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "io/http.h"

namespace calve::io {

/// How one transfer over the network ended.
struct Transfer {
  HttpResponse response;
  Status outcome;          ///< Ok when a whole reply came, of whatever status.
  bool sent = false;       ///< Whether any byte of the request may have reached the server.
  bool delivered = false;  ///< Whether the sink was given bytes.
  std::chrono::seconds retry_after{0};
};

using BodySink = std::function<Status(std::string_view bytes)>;

/// Idle connections, lent to one transfer at a time. Threads: any.
class Connections {
 public:
  explicit Connections(const HttpClientOptions& options);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// Send once, without following redirects. `sink` takes the body of a 2xx reply; null keeps it in
  /// the reply.
  ///
  /// A request that is not repeatable gets a connection of its own: on a kept one libcurl would
  /// send it again when the server had closed that connection, and the server might have acted on
  /// it already.
  Transfer Perform(const Context& context, const HttpRequest& request, bool repeatable,
                   const BodySink* sink);

 private:
  void* Take();
  void GiveBack(void* handle);

  const HttpClientOptions& options_;
  std::string ca_file_;
  std::mutex mutex_;
  std::vector<void*> idle_;
};

}  // namespace calve::io
