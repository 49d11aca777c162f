#include "config/project.h"

namespace calve::config {
namespace {

std::string SecretMeaning(const std::string& meaning) {
  return meaning + " Several while they are rotated: a signature by any of them is good.";
}

template <typename Options>
void CheckSecrets(Shape<Options>& shape) {
  shape.Check("secrets", [](const Options& o) -> Status {
    for (const std::string& secret : o.secrets) {
      if (secret.empty()) return ConfigError("a secret is empty; anybody could sign with it");
    }
    return Status::Ok();
  });
}

/// A provider whose paths are there once it has secrets.
template <typename Options>
void DeclareSecrets(Shape<Options>& shape, const std::string& meaning) {
  shape.Optional("secrets", &Options::secrets, SecretMeaning(meaning),
                 {.secret = true, .default_text = "none: the provider is answered 404"});
  CheckSecrets(shape);
}

/// What a topic or the name of a sender may be made of: it names a folder and stands in a path.
bool IsPlainName(const std::string& name) {
  return !name.empty() && name[0] != '.' &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string::npos;
}

}  // namespace

Names<HubSpotVersion> NamesOf(HubSpotVersion) {
  return {{"v1", HubSpotVersion::kV1, "SHA-256 of secret and body; nothing stops a replay."},
          {"v2", HubSpotVersion::kV2,
           "SHA-256 of secret, method, address and body; nothing stops a replay."},
          {"v3", HubSpotVersion::kV3, "HMAC of method, address, body and time."}};
}

Names<SignatureEncoding> NamesOf(SignatureEncoding) {
  return {{"hex", SignatureEncoding::kHex, "64 hexadecimal digits."},
          {"base64", SignatureEncoding::kBase64, "Base64 with padding."}};
}

Shape<ShopifyWebhookOptions> ShopifyWebhookOptions::Declaration() {
  Shape<ShopifyWebhookOptions> shape("shopify sender", "Taken at /webhooks/shopify/{topic}.");
  DeclareSecrets(shape, "The app's client secrets.");
  return shape;
}

Shape<StripeWebhookOptions> StripeWebhookOptions::Declaration() {
  Shape<StripeWebhookOptions> shape("stripe sender", "Taken at /webhooks/stripe.");
  DeclareSecrets(shape, "The endpoint's signing secrets (whsec_...).");
  shape.Optional("tolerance", &StripeWebhookOptions::tolerance,
                 "How far the time of a signature may be from now.",
                 {.min = std::chrono::seconds(1)});
  return shape;
}

Shape<HubSpotWebhookOptions> HubSpotWebhookOptions::Declaration() {
  Shape<HubSpotWebhookOptions> shape("hubspot sender", "Taken at /webhooks/hubspot.");
  DeclareSecrets(shape, "The app's client secrets.");
  shape.Optional("versions", &HubSpotWebhookOptions::versions,
                 "The versions of signatures that are good.");
  shape.Optional("tolerance", &HubSpotWebhookOptions::tolerance,
                 "How far the time of a v3 signature may be from now.",
                 {.min = std::chrono::seconds(1)});
  return shape;
}

Shape<GenericWebhookOptions> GenericWebhookOptions::Declaration() {
  Shape<GenericWebhookOptions> shape(
      "generic sender",
      "Taken at /webhooks/generic/{name}, signed by HMAC with SHA-256 over the body.");
  shape.Required("secrets", &GenericWebhookOptions::secrets, SecretMeaning("The keys of the HMAC."),
                 {.example = "[\"${SENDER_SECRET}\"]", .secret = true});
  CheckSecrets(shape);
  shape.Check("secrets", [](const GenericWebhookOptions& o) -> Status {
    return o.is_on() ? Status::Ok() : ConfigError("expected at least one secret");
  });
  shape.Optional("header", &GenericWebhookOptions::header, "The header with the signature.");
  shape.Optional("encoding", &GenericWebhookOptions::encoding, "How the signature is written.");
  shape.Optional("prefix", &GenericWebhookOptions::prefix,
                 "What stands before the signature in its header.", {.example = "sha256="});
  shape.Optional("id_header", &GenericWebhookOptions::id_header,
                 "The header with the id of the event, by which a second delivery is known.",
                 {.example = "X-GitHub-Delivery",
                  .default_text = "none: every delivery is an event of its own"});
  shape.Optional("topic", &GenericWebhookOptions::topic, "The topic of its events.",
                 {.example = "github.events", .default_text = "generic.<name>"});
  shape.Check("topic", [](const GenericWebhookOptions& o) -> Status {
    if (o.topic.empty() || IsPlainName(o.topic)) return Status::Ok();
    return ConfigError("expected letters, digits, '.', '_' and '-', and no '.' in front");
  });
  return shape;
}

Shape<WebhookDoorOptions> WebhookDoorOptions::Declaration() {
  using Door = WebhookDoorOptions;
  Shape<Door> shape("webhooks",
                    "Whose webhooks `calve stream door` takes, and how. A provider that is not "
                    "named here is answered 404.");
  shape.Optional("host", &Door::host, "The address to listen on.");
  shape.Optional("port", &Door::port, "The port to listen on.", {.min = 1, .max = 65535});
  shape.Optional("public_url", &Door::public_url,
                 "How senders reach the door, when a proxy stands before it: HubSpot signs the "
                 "address that it was given.",
                 {.example = "https://hooks.example.com",
                  .default_text = "http:// and the Host of the request"});
  shape.Optional("body_max", &Door::body_max, "A longer body is answered 413.",
                 {.min = ByteCount(1000), .max = ByteCount(64'000'000)});
  shape.Optional("rate_max", &Door::rate_max,
                 "Requests a second of each provider; more are answered 429. 0 means no limit.",
                 {.min = 0});
  shape.Optional("queue_max", &Door::queue_max,
                 "Bytes that may wait for the disk; more requests are answered 429.",
                 {.min = ByteCount(1000)});
  shape.Optional("free_min", &Door::free_min,
                 "With less free space on the disk, requests are answered 429.");
  shape.Optional("dedupe_events", &Door::dedupe_events,
                 "How many events are remembered, to know a second delivery.",
                 {.min = 0, .max = 100'000'000});
  shape.Optional("shopify", &Door::shopify, "Shopify.");
  shape.Optional("stripe", &Door::stripe, "Stripe.");
  shape.Optional("hubspot", &Door::hubspot, "HubSpot.");
  shape.Optional("generic", &Door::generic, "Other senders, by a name of your own.");
  shape.Check("generic", [](const Door& o) -> Status {
    for (const auto& [name, options] : o.generic) {
      if (!IsPlainName(name))
        return ConfigError("a sender's name has other characters than letters, digits, ., _ and -");
    }
    return Status::Ok();
  });
  shape.Check("public_url", [](const Door& o) -> Status {
    if (o.public_url.empty() || o.public_url.starts_with("http://") ||
        o.public_url.starts_with("https://"))
      return Status::Ok();
    return ConfigError("expected an address that begins with http:// or https://");
  });
  return shape;
}

}  // namespace calve::config
