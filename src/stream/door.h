#pragma once

#include <cstdint>
#include <memory>

#include "base/context.h"
#include "base/result.h"
#include "config/project.h"
#include "stream/sink.h"

namespace calve::stream {

/// The webhook door: takes signed events over HTTP and answers 2xx once they are in the sink.
///
///     POST /webhooks/shopify/{topic}, /webhooks/stripe, /webhooks/hubspot, /webhooks/generic/{name}
///
/// 400 what is signed but unreadable, 401 a bad signature, 404 and 405 what is none of its paths,
/// 413 too long, 429 too many or no room (with Retry-After), 503 the sink failed. Runs from Start
/// until it is destroyed; then requests under way are answered first. Threads: its own.
class Door {
 public:
  /// Listen. Fails with kConfig when no provider is named, with kRefused when the port is taken.
  static Result<std::unique_ptr<Door>> Start(const Context& context,
                                             config::WebhookDoorOptions options,
                                             std::unique_ptr<Sink> sink);
  virtual ~Door() = default;
  virtual uint16_t port() const = 0;
};

}  // namespace calve::stream
