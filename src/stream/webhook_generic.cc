#include "base/digest.h"
#include "stream/webhook.h"

namespace calve::stream {

Delivery ReadGeneric(const config::GenericWebhookOptions& options, const std::string& name,
                     const http::Request& request) {
  const std::string_view header = request.Header(options.header);
  bool good = false;
  for (const std::string& secret : options.secrets) {
    const std::string digest = HmacSha256(secret, request.body);
    const bool is_hex = options.encoding == config::SignatureEncoding::kHex;
    good |= SameSignature(header, options.prefix + (is_hex ? ToHex(digest) : ToBase64(digest)));
  }
  if (!good) return {.verdict = Delivery::Verdict::kBadSignature};
  Event event{.topic = options.topic.empty() ? "generic." + name : options.topic,
              .provider = "generic",
              .webhook_topic = name,
              .body = request.body};
  if (!options.id_header.empty()) event.id = request.Header(options.id_header);
  return {.events = {std::move(event)}};
}

}  // namespace calve::stream
