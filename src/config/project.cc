#include "config/project.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"

namespace calve::config {

namespace {

constexpr char kFile[] = "calve.yaml";

std::vector<std::string> NamesOfCatalogs(const Project& project) {
  std::vector<std::string> names;
  for (const auto& [name, options] : project.catalogs) names.push_back(name);
  return names;
}

/// Where a fault about a key belongs: at its value, or at the file.
Place PlaceOf(const Node& root, std::string_view key) {
  const Node* value = root.Find(key);
  return value == nullptr ? root.place() : value->place();
}

/// The catalog of a project that names none.
void AddDefaultCatalog(const Parts& catalogs, const Environment& environment, Project& project) {
  const std::string nessie = environment.Get("NESSIE_ENDPOINT").value_or("");
  if (!nessie.empty() && catalogs.Find("nessie") != nullptr) {
    Node options = Node::Mapping();
    options.Set("uri", Node::Scalar(nessie, /*quoted=*/true));
    project.catalogs["nessie"] = {"nessie", std::move(options)};
  } else {
    project.catalogs["local"] = {"sql", Node::Mapping()};
  }
}

void ChooseDefaultCatalog(const Node& root, Project& project, Faults& faults) {
  if (project.default_catalog.empty()) {
    if (project.catalogs.size() == 1) {
      project.default_catalog = project.catalogs.begin()->first;
    } else {
      faults.Add(PlaceOf(root, "catalogs"), "there are several catalogs and no default_catalog",
                 "write default_catalog: " + project.catalogs.begin()->first);
    }
    return;
  }
  if (project.catalogs.contains(project.default_catalog)) return;
  const std::vector<std::string> names = NamesOfCatalogs(project);
  const std::string near = DidYouMean(project.default_catalog, names);
  faults.Add(PlaceOf(root, "default_catalog"),
             fmt::format("{} is no catalog", QuoteForMessage(project.default_catalog)),
             near.empty() ? "one of " + Join(names, ", ") : near.substr(2));
}

/// Storage keys are anybody's, so which of them are secret shows in their names only.
void HideStorageSecrets(const Node& root, Faults& faults) {
  const Node* storage = root.Find("storage");
  if (storage == nullptr) return;
  for (const Node::Entry& entry : storage->entries()) {
    const std::string key = ToLower(entry.key);
    for (const std::string_view word :
         {"secret", "token", "password", "credential", "key", "sas"}) {
      if (key.find(word) != std::string::npos) faults.Hide(entry.value.text());
    }
  }
}

void CheckCatalogNames(const Project& project, const Node& root, Faults& faults) {
  const Node* catalogs = root.Find("catalogs");
  if (catalogs == nullptr) return;
  for (const Node::Entry& entry : catalogs->entries()) {
    const bool good = entry.key.find_first_not_of(
                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
                      std::string::npos;
    if (!good && project.catalogs.contains(entry.key)) {
      faults.Add(entry.key_place,
                 fmt::format("catalog name {} has other characters than letters, digits, _ and -",
                             QuoteForMessage(entry.key)),
                 "rename it");
    }
  }
}

}  // namespace

Names<EmailTls> NamesOf(EmailTls) {
  return {{"starttls", EmailTls::kStartTls,
           "Begin in the clear, then switch to TLS; refuse a server that can't."},
          {"tls", EmailTls::kTls, "TLS from the first byte, as port 465 expects."},
          {"none", EmailTls::kNone, "In the clear: for a relay on this machine."}};
}

Shape<SlackOptions> SlackOptions::Declaration() {
  Shape<SlackOptions> shape("slack notification",
                            "Notices in a Slack channel. Nothing set means off.");
  shape.Optional("token", &SlackOptions::token, "A bot token with the right to post.",
                 {.example = "${SLACK_TOKEN:-}", .secret = true, .environment = "SLACK_TOKEN"});
  shape.Optional("channel", &SlackOptions::channel, "The channel that the bot posts to.",
                 {.example = "\"#data\"", .environment = "SLACK_CHANNEL"});
  shape.Optional("webhook_url", &SlackOptions::webhook_url,
                 "An incoming webhook's URL, in place of token and channel.", {.secret = true});
  shape.Optional("api_url", &SlackOptions::api_url, "Where Slack's Web API is, for proxies.");
  shape.Check("token", [](const SlackOptions& o) -> Status {
    if (o.token.empty() || !o.channel.empty()) return Status::Ok();
    return ConfigError(
        "a Slack token needs a channel; set notifications.slack.channel or SLACK_CHANNEL");
  });
  return shape;
}

Shape<EmailOptions> EmailOptions::Declaration() {
  Shape<EmailOptions> shape("email notification",
                            "Notices by e-mail through an SMTP server. No host means off.");
  shape.Optional("host", &EmailOptions::host, "The SMTP server.", {.example = "smtp.example.com"});
  shape.Optional("port", &EmailOptions::port, "Its port.", {.min = 1, .max = 65535});
  shape.Optional("from", &EmailOptions::from, "The sender's address.",
                 {.example = "calve@example.com"});
  shape.Optional("to", &EmailOptions::to, "Who gets it.", {.example = "[data@example.com]"});
  shape.Optional("username", &EmailOptions::username,
                 "Who signs in; empty for a server that asks nobody.");
  shape.Optional("password", &EmailOptions::password, "The password.", {.secret = true});
  shape.Optional("tls", &EmailOptions::tls, "How the connection is kept private.");
  shape.Check("host", [](const EmailOptions& o) -> Status {
    if (o.host.empty() || (!o.from.empty() && !o.to.empty())) return Status::Ok();
    return ConfigError(
        fmt::format("e-mail needs '{}' beside a host; add it", o.from.empty() ? "from" : "to"));
  });
  return shape;
}

Shape<WebhookOptions> WebhookOptions::Declaration() {
  Shape<WebhookOptions> shape("webhook notification",
                              "Notices as JSON, posted to a URL. No url means off.");
  shape.Optional("url", &WebhookOptions::url, "Where to post.", {.secret = true});
  shape.Optional("headers", &WebhookOptions::headers, "Headers to send along.", {.secret = true});
  return shape;
}

Shape<NotificationOptions> NotificationOptions::Declaration() {
  Shape<NotificationOptions> shape("notifications");
  shape.Optional("slack", &NotificationOptions::slack, "Slack.");
  shape.Optional("email", &NotificationOptions::email, "E-mail.");
  shape.Optional("webhook", &NotificationOptions::webhook, "A webhook.");
  return shape;
}

Shape<ResourceOptions> ResourceOptions::Declaration() {
  Shape<ResourceOptions> shape("resources");
  shape.Optional("memory_limit", &ResourceOptions::memory_limit,
                 "What all loads together may hold in memory.",
                 {.example = "2GB",
                  .min = ByteCount(64'000'000),
                  .default_text = "a part of the machine's memory"});
  shape.Optional("parallelism", &ResourceOptions::parallelism, "How many threads work.",
                 {.min = 1, .max = 1024, .default_text = "the number of processors"});
  return shape;
}

Shape<ServiceOptions> ServiceOptions::Declaration() {
  Shape<ServiceOptions> shape("service", "What `calve serve` listens on.");
  shape.Optional("host", &ServiceOptions::host, "The address.", {.environment = "API_HOST"});
  shape.Optional("port", &ServiceOptions::port, "The port of the API and the pages.",
                 {.min = 1, .max = 65535, .environment = "API_PORT"});
  return shape;
}

Names<CatalogRight> NamesOf(CatalogRight) {
  return {{"none", CatalogRight::kNone, "Nothing."},
          {"read", CatalogRight::kRead, "List and load."},
          {"write", CatalogRight::kWrite, "Also make, change, rename and drop tables and views."},
          {"manage", CatalogRight::kManage, "Also make, change and drop namespaces."}};
}

Shape<CatalogClientOptions> CatalogClientOptions::Declaration() {
  Shape<CatalogClientOptions> shape("catalog client", "Somebody who may use the catalog server.");
  shape.Required("id", &CatalogClientOptions::id, "The client's name.", {.example = "trino"});
  shape.Required("secret", &CatalogClientOptions::secret,
                 "What it proves itself by: sent as a bearer token, or with the id to get tokens "
                 "that expire (OAuth2 client credentials).",
                 {.example = "${TRINO_SECRET}", .secret = true});
  shape.Optional("rights", &CatalogClientOptions::rights,
                 "What it may do, by namespace; a namespace speaks for all below it, `*` for all "
                 "that are not named.",
                 {.example = "{\"*\": read, sales: write}"});
  shape.Check("id", [](const CatalogClientOptions& o) -> Status {
    if (o.id.empty()) return ConfigError("expected a name");
    return Status::Ok();
  });
  shape.Check("secret", [](const CatalogClientOptions& o) -> Status {
    if (o.secret.size() < 16)
      return ConfigError("expected at least 16 characters, which nobody can guess");
    return Status::Ok();
  });
  return shape;
}

Shape<CatalogServerOptions> CatalogServerOptions::Declaration() {
  Shape<CatalogServerOptions> shape("catalog server",
                                    "What `calve catalog serve` offers, to whom.");
  shape.Optional("catalog", &CatalogServerOptions::catalog, "The catalog that is served.",
                 {.example = "local", .default_text = "the default catalog"});
  shape.Optional("host", &CatalogServerOptions::host, "The address to listen on.",
                 {.environment = "API_HOST"});
  shape.Optional("port", &CatalogServerOptions::port, "The port to listen on.",
                 {.min = 1, .max = 65535});
  shape.Optional("clients", &CatalogServerOptions::clients,
                 "Who may use it. With none, requests from this machine may do everything, and "
                 "others need the token that the first start shows.");
  shape.Optional("token_lifetime", &CatalogServerOptions::token_lifetime,
                 "How long a token that a client got with its secret is good.",
                 {.min = std::chrono::seconds(1)});
  shape.Check("clients", [](const CatalogServerOptions& o) -> Status {
    std::set<std::string> ids;
    for (const CatalogClientOptions& client : o.clients) {
      if (!ids.insert(client.id).second)
        return ConfigError("client " + client.id + " stands there twice");
    }
    return Status::Ok();
  });
  return shape;
}

Shape<Project> ProjectShape(std::shared_ptr<const Parts> catalogs) {
  Shape<Project> shape(
      "project",
      "What holds for all jobs of a project: catalogs, warehouse, storage, notifications. Every "
      "key "
      "may be left out: then tables are in the folder warehouse, with a SQLite catalog.");
  shape.Optional(
      "catalogs", &Project::catalogs, "Where tables are registered, by a name of your own.",
      {.example = "{local: {type: sql}}",
       .default_text = "one, `local`, of type sql; or `nessie` where NESSIE_ENDPOINT is set",
       .parts = std::move(catalogs)});
  shape.Optional("default_catalog", &Project::default_catalog,
                 "The catalog of tables that are named without one.",
                 {.example = "local", .default_text = "the only one"});
  shape.Optional("warehouse", &Project::warehouse,
                 "Where table files go: a folder, or a URI such as s3://lake/warehouse.",
                 {.example = "warehouse",
                  .default_text = "s3://LAKE_BUCKET where that is set, else the folder `warehouse`",
                  .environment = "ICEBERG_WAREHOUSE_LOCATION"});
  shape.Optional("source_bucket", &Project::source_bucket,
                 "The bucket or folder where files to load arrive.",
                 {.environment = "SOURCE_BUCKET"});
  shape.Optional("lake_bucket", &Project::lake_bucket,
                 "The bucket of the warehouse, when its URI is not given.",
                 {.environment = "LAKE_BUCKET"});
  shape.Optional(
      "storage", &Project::storage,
      "Storage properties by Iceberg's own names. Write keys and tokens as ${NAME}.",
      {.example = "{s3.endpoint: \"http://127.0.0.1:9000\", s3.path-style-access: true}"});
  shape.Optional("notifications", &Project::notifications,
                 "Who is told when a load fails or an audit stops one.");
  shape.Optional("resources", &Project::resources, "What the program may use of the machine.");
  shape.Optional("service", &Project::service, "What `calve serve` listens on.");
  shape.Optional("catalog_server", &Project::catalog_server,
                 "What `calve catalog serve` offers, to whom.");
  shape.Optional("webhooks", &Project::webhooks,
                 "Whose webhooks `calve stream door` takes, and how.");
  return shape;
}

std::string BucketUri(const std::string& bucket) {
  const bool is_name =
      !bucket.empty() && bucket.find('/') == std::string::npos && bucket != "." && bucket != "..";
  return is_name ? "s3://" + bucket : bucket;
}

Result<LoadedProject> LoadProject(const ProjectTexts& texts,
                                  std::shared_ptr<const Parts> catalogs) {
  Faults faults;
  LoadedProject loaded;
  loaded.environment = {
      OverlayEnvironment(texts.variables, ParseDotEnv(texts.dot_env.value_or(""), ".env", faults)),
      texts.read_file};
  Node root = ParseYaml(texts.calve_yaml.value_or(""), kFile, faults);
  Project& project = loaded.project;
  if (!root.is_broken()) {
    FillIn(root, loaded.environment, faults);
    HideStorageSecrets(root, faults);
    project = ProjectShape(catalogs).Read(root, {faults, &loaded.environment});
    const Node* given = root.Find("catalogs");
    if (given == nullptr || given->is_null() || given->is_mapping()) {
      CheckCatalogNames(project, root, faults);
      if (project.catalogs.empty()) AddDefaultCatalog(*catalogs, loaded.environment, project);
      ChooseDefaultCatalog(root, project, faults);
    }
  }
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  if (project.warehouse.empty())
    project.warehouse = project.lake_bucket.empty() ? "warehouse" : BucketUri(project.lake_bucket);
  loaded.warnings = faults.SortedWarnings();
  return loaded;
}

}  // namespace calve::config
