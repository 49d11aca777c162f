#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "stream/sample_webhooks.h"

namespace calve::stream {

struct SendingOptions {
  std::string url = "http://127.0.0.1:8090";  ///< Without a slash at its end.
  int64_t count = 1000;                       ///< Requests.
  int64_t rate = 0;                           ///< A second; 0: as fast as it goes.
  int connections = 4;
  /// Whether events happen at fixed times, so that their bodies are the same again.
  std::optional<uint64_t> seed;
};

/// What became of the requests.
struct Sent {
  int64_t requests = 0;
  int64_t events = 0;
  int64_t acknowledged = 0;  ///< Requests.
  int64_t refused = 0;
  int refused_first = 0;  ///< The status of the first that was.
};

/// Send samples to a door over several connections. Fails as the first request does that gets no
/// answer.
Result<Sent> SendWebhooks(const Context& context, const SendingOptions& options,
                          SampleWebhooks samples);

}  // namespace calve::stream
