// Google Cloud Storage through Arrow.

#include <charconv>
#include <memory>
#include <mutex>

#include <arrow/filesystem/gcsfs.h>

#include "base/text.h"
#include "io/arrow_files.h"
#include "io/registry.h"
#include "io/uri.h"

namespace calve::io {
namespace {

constexpr double kRetrySecondsMax = 60;

std::string ValueOf(const Properties& properties, const std::string& key) {
  const auto found = properties.find(key);
  return found == properties.end() ? "" : found->second;
}

Result<arrow::fs::GcsOptions> OptionsFrom(const Properties& properties) {
  arrow::fs::GcsOptions options = arrow::fs::GcsOptions::Defaults();
  const std::string token = ValueOf(properties, "gcs.oauth2.token");
  if (!token.empty()) {
    // Without a time it is taken to be good for as long as anybody says it is.
    auto expires = arrow::fs::TimePoint::max();
    const std::string at = ValueOf(properties, "gcs.oauth2.token-expires-at");
    int64_t ms = 0;
    if (!at.empty()) {
      const auto parsed = std::from_chars(at.data(), at.data() + at.size(), ms);
      if (parsed.ec != std::errc()) {
        return ConfigError("gcs.oauth2.token-expires-at: expected milliseconds since 1970, found " +
                           Quote(at));
      }
      expires = arrow::fs::TimePoint(std::chrono::milliseconds(ms));
    }
    options = arrow::fs::GcsOptions::FromAccessToken(token, expires);
  } else if (ToLower(ValueOf(properties, "gcs.no-auth")) == "true") {
    options = arrow::fs::GcsOptions::Anonymous();
  }
  const std::string host = ValueOf(properties, "gcs.service.host");
  if (!host.empty()) {
    const std::string scheme = SchemeOf(host);
    if (scheme != "http" && scheme != "https") {
      return ConfigError(
          "gcs.service.host: expected http://host:port or https://host:port, found " + Quote(host));
    }
    options.scheme = scheme;
    options.endpoint_override = host.substr(scheme.size() + 3);
    while (options.endpoint_override.ends_with('/')) options.endpoint_override.pop_back();
  }
  const std::string project = ValueOf(properties, "gcs.project-id");
  if (!project.empty()) options.project_id = project;
  options.retry_limit_seconds = kRetrySecondsMax;
  return options;
}

Result<std::unique_ptr<FileSystem>> Open(const Properties& properties) {
  CALVE_ASSIGN_OR_RETURN(const arrow::fs::GcsOptions options, OptionsFrom(properties));
  auto files = arrow::fs::GcsFileSystem::Make(options);
  if (!files.ok())
    return RefusedError("Google Cloud Storage cannot be used: " + files.status().message());
  std::vector<std::string> secrets;
  const std::string token = ValueOf(properties, "gcs.oauth2.token");
  if (!token.empty()) secrets.push_back(token);
  const auto resolve = [files = *files](const std::string& text) -> Result<ArrowPlace> {
    CALVE_ASSIGN_OR_RETURN(const Uri uri, ParseUri(text));
    return ArrowPlace{files, uri.path.empty() ? uri.authority : uri.authority + "/" + uri.path};
  };
  return std::make_unique<ArrowFiles>(resolve, std::move(secrets));
}

}  // namespace

CALVE_PART(gcs) { registry.Add({.name = "gcs", .schemes = {"gs", "gcs"}, .open = Open}); }

}  // namespace calve::io
