#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "config/environment.h"
#include "config/option.h"

namespace calve::config {

/// Slack: a bot token and a channel, or an incoming webhook. All empty: off.
struct SlackOptions {
  std::string token;
  std::string channel;
  std::string webhook_url;
  std::string api_url = "https://slack.com/api";
  bool is_on() const { return !token.empty() || !webhook_url.empty(); }
  static Shape<SlackOptions> Declaration();
};

enum class EmailTls { kStartTls, kTls, kNone };
Names<EmailTls> NamesOf(EmailTls);

/// E-mail through an SMTP server. No host: off.
struct EmailOptions {
  std::string host;
  uint16_t port = 587;
  std::string from;
  std::vector<std::string> to;
  std::string username;
  std::string password;
  EmailTls tls = EmailTls::kStartTls;
  bool is_on() const { return !host.empty(); }
  static Shape<EmailOptions> Declaration();
};

/// A POST of the notice as JSON. No url: off.
struct WebhookOptions {
  std::string url;
  std::map<std::string, std::string> headers;
  bool is_on() const { return !url.empty(); }
  static Shape<WebhookOptions> Declaration();
};

struct NotificationOptions {
  SlackOptions slack;
  EmailOptions email;
  WebhookOptions webhook;
  static Shape<NotificationOptions> Declaration();
};

struct ResourceOptions {
  std::optional<ByteCount> memory_limit;  ///< None: the program decides by the machine.
  std::optional<int> parallelism;         ///< None: the number of processors.
  static Shape<ResourceOptions> Declaration();
};

struct ServiceOptions {
  std::string host = "0.0.0.0";
  uint16_t port = 8000;
  static Shape<ServiceOptions> Declaration();
};

/// What a client of the catalog server may do in a namespace; each includes those before it.
enum class CatalogRight { kNone, kRead, kWrite, kManage };
Names<CatalogRight> NamesOf(CatalogRight);

/// Somebody who may use the catalog server.
struct CatalogClientOptions {
  std::string id;
  std::string secret;
  std::map<std::string, CatalogRight> rights;
  static Shape<CatalogClientOptions> Declaration();
};

/// `calve catalog serve`.
struct CatalogServerOptions {
  std::string catalog;  ///< Empty: the default catalog.
  std::string host = "0.0.0.0";
  uint16_t port = 8181;
  std::vector<CatalogClientOptions> clients;
  std::chrono::seconds token_lifetime{3600};
  static Shape<CatalogServerOptions> Declaration();
};

/// A provider that signs what it posts to the webhook door. No secrets: its paths are not there.
struct SignedProviderOptions {
  std::vector<std::string> secrets;  ///< Several while they are rotated: any of them is good.
  bool is_on() const { return !secrets.empty(); }
};

struct ShopifyWebhookOptions : SignedProviderOptions {
  static Shape<ShopifyWebhookOptions> Declaration();
};

struct StripeWebhookOptions : SignedProviderOptions {
  std::chrono::seconds tolerance{300};
  static Shape<StripeWebhookOptions> Declaration();
};

enum class HubSpotVersion { kV1, kV2, kV3 };
Names<HubSpotVersion> NamesOf(HubSpotVersion);

struct HubSpotWebhookOptions : SignedProviderOptions {
  std::vector<HubSpotVersion> versions = {HubSpotVersion::kV1, HubSpotVersion::kV2,
                                          HubSpotVersion::kV3};
  std::chrono::seconds tolerance{300};
  static Shape<HubSpotWebhookOptions> Declaration();
};

enum class SignatureEncoding { kHex, kBase64 };
Names<SignatureEncoding> NamesOf(SignatureEncoding);

/// Any other sender that signs a body by HMAC with SHA-256.
struct GenericWebhookOptions : SignedProviderOptions {
  std::string header = "X-Signature";
  SignatureEncoding encoding = SignatureEncoding::kHex;
  std::string prefix;
  std::string id_header;  ///< Empty: events have no id, and each counts.
  std::string topic;      ///< Empty: generic.<name>.
  static Shape<GenericWebhookOptions> Declaration();
};

/// The webhook door: `calve stream door`.
struct WebhookDoorOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8090;
  std::string public_url;  ///< Empty: http:// and the Host header.
  ByteCount body_max{2'000'000};
  int64_t rate_max = 0;  ///< Requests a second of each provider; 0: no limit.
  ByteCount queue_max{16'000'000};
  ByteCount free_min{64'000'000};
  int64_t dedupe_events = 500'000;
  ShopifyWebhookOptions shopify;
  StripeWebhookOptions stripe;
  HubSpotWebhookOptions hubspot;
  std::map<std::string, GenericWebhookOptions> generic;
  static Shape<WebhookDoorOptions> Declaration();
};

/// What calve.yaml says. A project with no file at all is a local folder with a SQLite catalog.
struct Project {
  std::map<std::string, PartOptions> catalogs;  ///< By name; after LoadProject never empty.
  std::string default_catalog;                  ///< After LoadProject always one of `catalogs`.
  std::string warehouse;                        ///< Folder or URI; after LoadProject never empty.
  std::string source_bucket;  ///< Bucket or folder where files arrive; may be empty.
  std::string lake_bucket;
  std::map<std::string, std::string>
      storage;  ///< Iceberg's own keys: s3.endpoint, s3.access-key-id ...
  NotificationOptions notifications;
  ResourceOptions resources;
  ServiceOptions service;
  CatalogServerOptions catalog_server;
  WebhookDoorOptions webhooks;
};

/// Declare calve.yaml; `catalogs` is what the catalog room's registry knows.
Shape<Project> ProjectShape(std::shared_ptr<const Parts> catalogs);

/// The texts that make up a project's configuration, read by the caller.
struct ProjectTexts {
  std::optional<std::string> calve_yaml = {};  ///< None: there is no such file.
  std::optional<std::string> dot_env = {};
  std::map<std::string, std::string> variables =
      {};  ///< The process's own environment; it wins over .env.
  std::function<Result<std::string>(const std::string& path)> read_file = {};
};

struct LoadedProject {
  Project project;
  Environment environment;  ///< For the other files of the project.
  std::vector<Fault> warnings;
};

/// Read a project's configuration whole: .env, calve.yaml, variables, defaults. All faults are one
/// kConfig error.
///
/// Defaults: warehouse is ICEBERG_WAREHOUSE_LOCATION, else s3://LAKE_BUCKET, else the folder
/// `warehouse`; with no catalogs there is one, `local`, of type sql (SQLite in
/// metadata/catalog.db), or `nessie` where NESSIE_ENDPOINT is set.
Result<LoadedProject> LoadProject(const ProjectTexts& texts, std::shared_ptr<const Parts> catalogs);

/// A bucket's URI: a bare bucket name becomes s3://name, a folder or a URI stays as it is.
std::string BucketUri(const std::string& bucket);

}  // namespace calve::config
