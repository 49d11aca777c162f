#include "io/s3/s3_options.h"

#include <arrow/filesystem/s3fs.h>

#include <cstdlib>
#include <mutex>

#include "base/text.h"
#include "io/uri.h"

namespace calve::io {
namespace {

class FixedCredentials : public S3Credentials {
 public:
  explicit FixedCredentials(std::optional<AwsSignature> signature)
      : signature_(std::move(signature)) {}
  Result<std::optional<AwsSignature>> Now(const Context&) override { return signature_; }

 private:
  std::optional<AwsSignature> signature_;
};

/// AWS's own chain: environment, profile files, web identity, container, machine; or a role to
/// assume.
///
/// The SDK looks only when first asked, which may take seconds where there is no such thing.
class ChainCredentials : public S3Credentials {
 public:
  ChainCredentials(std::string region, std::string role_arn, std::string session)
      : region_(std::move(region)), role_arn_(std::move(role_arn)), session_(std::move(session)) {}

  Result<std::optional<AwsSignature>> Now(const Context&) override {
    std::lock_guard lock(mutex_);
    if (!options_) {
      const arrow::Status started = arrow::fs::EnsureS3Initialized();
      if (!started.ok()) return RefusedError("the AWS library did not start: " + started.message());
      options_ = role_arn_.empty() ? arrow::fs::S3Options::Defaults()
                                   : arrow::fs::S3Options::FromAssumeRole(role_arn_, session_);
    }
    while (true) {
      AwsSignature now{.access_key_id = options_->GetAccessKey(),
                       .secret_access_key = options_->GetSecretKey(),
                       .session_token = options_->GetSessionToken(),
                       .region = region_,
                       .service = "s3"};
      if (now.access_key_id.empty()) {
        return ConfigError(
            "no credentials for S3 were found: set s3.access-key-id and s3.secret-access-key, or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3.anonymous for public data");
      }
      if (options_->GetAccessKey() == now.access_key_id) return std::optional(std::move(now));
      // They were renewed between the calls: take a set that belongs together.
    }
  }

 private:
  const std::string region_;
  const std::string role_arn_;
  const std::string session_;
  std::mutex mutex_;
  std::optional<arrow::fs::S3Options> options_;
};

/// The first of the keys that is given, or "".
std::string FirstOf(const Properties& properties, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const auto found = properties.find(key);
    if (found != properties.end() && !found->second.empty()) return found->second;
  }
  return "";
}

std::string FromEnvironment(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

Result<bool> ReadBool(const Properties& properties, const char* key, bool otherwise) {
  const std::string value = ToLower(FirstOf(properties, {key}));
  if (value.empty()) return otherwise;
  if (value == "true" || value == "false") return value == "true";
  return ConfigError(std::string(key) + ": expected true or false, found " + Quote(value));
}

AwsSignature KeysIn(const Properties& properties, const std::string& region) {
  return {.access_key_id = FirstOf(properties, {"s3.access-key-id", "client.access-key-id"}),
          .secret_access_key =
              FirstOf(properties, {"s3.secret-access-key", "client.secret-access-key"}),
          .session_token = FirstOf(properties, {"s3.session-token", "client.session-token"}),
          .region = region,
          .service = "s3"};
}

/// Keys that somebody else renews.
class LiveCredentials : public S3Credentials {
 public:
  /// `otherwise` serves where `live` says nothing of keys.
  LiveCredentials(std::shared_ptr<LiveProperties> live, std::string region,
                  std::shared_ptr<S3Credentials> otherwise)
      : live_(std::move(live)), region_(std::move(region)), otherwise_(std::move(otherwise)) {}

  Result<std::optional<AwsSignature>> Now(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(const auto properties, live_->Now(context));
    AwsSignature keys = KeysIn(*properties, region_);
    if (keys.access_key_id.empty()) return otherwise_->Now(context);
    return std::optional(std::move(keys));
  }
  Result<bool> Renew(const Context& context, const AwsSignature& refused) override {
    CALVE_ASSIGN_OR_RETURN(const auto properties, live_->Now(context));
    const AwsSignature keys = KeysIn(*properties, region_);
    if (keys.access_key_id.empty()) return otherwise_->Renew(context, refused);
    if (!IsSame(keys, refused)) return true;  // another thread was here
    CALVE_ASSIGN_OR_RETURN(const auto renewed, live_->Renew(context, properties));
    return !IsSame(KeysIn(*renewed, region_), refused);
  }

 private:
  static bool IsSame(const AwsSignature& a, const AwsSignature& b) {
    return a.access_key_id == b.access_key_id && a.session_token == b.session_token &&
           a.secret_access_key == b.secret_access_key;
  }

  const std::shared_ptr<LiveProperties> live_;
  const std::string region_;
  const std::shared_ptr<S3Credentials> otherwise_;
};

Result<std::shared_ptr<S3Credentials>> ReadCredentials(const Properties& properties,
                                                       const std::string& region) {
  CALVE_ASSIGN_OR_RETURN(const bool anonymous, ReadBool(properties, "s3.anonymous", false));
  if (anonymous) return std::make_shared<FixedCredentials>(std::nullopt);
  AwsSignature fixed = KeysIn(properties, region);
  if (fixed.access_key_id.empty() != fixed.secret_access_key.empty()) {
    return ConfigError(
        "expected s3.access-key-id and s3.secret-access-key together, found one of them");
  }
  if (!fixed.access_key_id.empty()) return std::make_shared<FixedCredentials>(std::move(fixed));
  return std::make_shared<ChainCredentials>(
      region, FirstOf(properties, {"s3.role-arn", "client.assume-role.arn"}),
      FirstOf(properties, {"s3.role-session-name"}));
}

}  // namespace

Result<S3Options> S3Options::From(const Properties& properties,
                                  std::shared_ptr<LiveProperties> live) {
  S3Options options;
  options.endpoint = FirstOf(properties, {"s3.endpoint"});
  if (options.endpoint.empty())
    options.endpoint = FromEnvironment({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  const std::string scheme = SchemeOf(options.endpoint);
  if (!options.endpoint.empty() && scheme != "http" && scheme != "https") {
    return ConfigError("s3.endpoint: expected http://host:port or https://host:port, found " +
                       Quote(ShownUri(options.endpoint)));
  }
  options.region = FirstOf(properties, {"s3.region", "client.region"});
  if (options.region.empty())
    options.region = FromEnvironment({"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (options.region.empty()) options.region = "us-east-1";
  CALVE_ASSIGN_OR_RETURN(options.path_style,
                         ReadBool(properties, "s3.path-style-access", !options.endpoint.empty()));
  CALVE_ASSIGN_OR_RETURN(options.credentials, ReadCredentials(properties, options.region));
  if (live != nullptr) {
    options.credentials = std::make_shared<LiveCredentials>(std::move(live), options.region,
                                                            std::move(options.credentials));
  }
  return options;
}

std::string S3Options::BucketUrl(const std::string& bucket) const {
  std::string base = endpoint;
  if (base.empty())
    base = "https://s3." + region + ".amazonaws.com" + (region.starts_with("cn-") ? ".cn" : "");
  // A certificate for *.s3... does not cover a bucket name with dots.
  const bool dotted = bucket.find('.') != std::string::npos && base.starts_with("https");
  if (path_style || dotted) return base + "/" + PercentEncode(bucket);
  const size_t host = base.find("://") + 3;
  return base.substr(0, host) + bucket + "." + base.substr(host);
}

}  // namespace calve::io
