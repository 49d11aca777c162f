#include "config/project.h"

#include <gtest/gtest.h>

#include "config/document.h"

namespace calve::config {
namespace {

struct SqlOptions {
  std::string path = "metadata/catalog.db";
  static Shape<SqlOptions> Declaration() {
    Shape<SqlOptions> shape("sql catalog");
    shape.Optional("path", &SqlOptions::path, "The SQLite file.");
    return shape;
  }
};

struct RestOptions {
  std::string uri;
  std::string token;
  static Shape<RestOptions> Declaration() {
    Shape<RestOptions> shape("rest catalog");
    shape.Required("uri", &RestOptions::uri, "Where the catalog is.",
                   {.example = "http://127.0.0.1:8181"});
    shape.Optional("token", &RestOptions::token, "A token.", {.secret = true});
    return shape;
  }
};

std::shared_ptr<const Parts> Catalogs(bool with_nessie = false) {
  auto parts = std::make_shared<Parts>();
  parts->noun = "catalog";
  parts->parts = {MakePart<SqlOptions>("sql"), MakePart<RestOptions>("rest")};
  if (with_nessie) parts->parts.push_back(MakePart<RestOptions>("nessie"));
  return parts;
}

LoadedProject Load(ProjectTexts texts, bool with_nessie = false) {
  Result<LoadedProject> project = LoadProject(texts, Catalogs(with_nessie));
  EXPECT_TRUE(project.ok()) << project.status().error().message;
  return project.ok() ? *std::move(project) : LoadedProject{};
}

std::string FaultsOf(ProjectTexts texts) {
  const Result<LoadedProject> project = LoadProject(texts, Catalogs());
  return project.ok() ? "" : project.error().message;
}

TEST(Project, NeedsNoFileAtAll) {
  const Project project = Load({}).project;
  ASSERT_EQ(project.catalogs.size(), 1u);
  EXPECT_EQ(project.catalogs.at("local").type, "sql");
  EXPECT_EQ(project.default_catalog, "local");
  EXPECT_EQ(project.warehouse, "warehouse");
  EXPECT_FALSE(project.notifications.slack.is_on());
  EXPECT_FALSE(project.notifications.email.is_on());
  EXPECT_EQ(project.service.port, 8000);
  EXPECT_EQ(project.service.host, "0.0.0.0");
}

TEST(Project, TheEnvironmentGivesWhatTheFileDoesNot) {
  const Project project = Load({.variables = {{"SOURCE_BUCKET", "incoming"},
                                              {"LAKE_BUCKET", "lake"},
                                              {"SLACK_TOKEN", "xoxb-1"},
                                              {"SLACK_CHANNEL", "#data"},
                                              {"API_PORT", "9000"},
                                              {"API_HOST", "127.0.0.1"}}})
                              .project;
  EXPECT_EQ(project.source_bucket, "incoming");
  EXPECT_EQ(project.warehouse, "s3://lake");
  EXPECT_EQ(project.notifications.slack.token, "xoxb-1");
  EXPECT_EQ(project.notifications.slack.channel, "#data");
  EXPECT_TRUE(project.notifications.slack.is_on());
  EXPECT_EQ(project.service.port, 9000);
  EXPECT_EQ(project.service.host, "127.0.0.1");
  EXPECT_EQ(
      Load({.variables = {{"LAKE_BUCKET", "lake"}, {"ICEBERG_WAREHOUSE_LOCATION", "s3://x/y"}}})
          .project.warehouse,
      "s3://x/y");
}

TEST(Project, TheFileWinsOverTheEnvironmentAndTheEnvironmentOverDotEnv) {
  const ProjectTexts texts{
      .calve_yaml = "warehouse: here\nnotifications: {slack: {channel: '#file'}}\n",
      .dot_env =
          "ICEBERG_WAREHOUSE_LOCATION=there\nSLACK_TOKEN=from_dot_env\nSLACK_CHANNEL=x\nAPI_PORT="
          "1\n",
      .variables = {{"API_PORT", "2"}}};
  const Project project = Load(texts).project;
  EXPECT_EQ(project.warehouse, "here");
  EXPECT_EQ(project.notifications.slack.token, "from_dot_env");
  EXPECT_EQ(project.notifications.slack.channel, "#file");
  EXPECT_EQ(project.service.port, 2);
}

TEST(Project, EmptySlackVariablesMeanOff) {
  EXPECT_FALSE(Load({.variables = {{"SLACK_TOKEN", ""}, {"SLACK_CHANNEL", ""}}})
                   .project.notifications.slack.is_on());
  EXPECT_FALSE(Load({.calve_yaml = "notifications: {slack: {token: \"${SLACK_TOKEN:-}\"}}"})
                   .project.notifications.slack.is_on());
}

TEST(Project, ReadsEverything) {
  ProjectTexts texts{.calve_yaml = R"(
catalogs:
  local: {type: sql, path: a.db}
  lake:
    type: rest
    uri: http://127.0.0.1:8181
    token: ${file:secrets/token}
default_catalog: lake
warehouse: s3://lake/warehouse
storage:
  s3.endpoint: http://127.0.0.1:9000
  s3.path-style-access: true
notifications:
  email: {host: smtp.example.com, from: a@example.com, to: [b@example.com], tls: tls, port: 465}
  webhook: {url: "https://example.com/x", headers: {Authorization: "Bearer ${TOKEN}"}}
resources: {memory_limit: 2GB, parallelism: 4}
)"};
  texts.variables = {{"TOKEN", "t1"}};
  texts.read_file = [](const std::string& path) -> Result<std::string> {
    return "content of " + path + "\n";
  };
  const LoadedProject loaded = Load(texts);
  const Project& project = loaded.project;
  EXPECT_EQ(project.default_catalog, "lake");
  EXPECT_EQ(project.catalogs.at("lake").type, "rest");
  EXPECT_EQ(project.catalogs.at("lake").node.Find("token")->text(), "content of secrets/token");
  EXPECT_EQ(project.storage.at("s3.path-style-access"), "true");
  EXPECT_EQ(project.notifications.email.tls, EmailTls::kTls);
  EXPECT_EQ(project.notifications.webhook.headers.at("Authorization"), "Bearer t1");
  EXPECT_EQ(project.resources.memory_limit, ByteCount(2'000'000'000));
  EXPECT_EQ(loaded.environment.Get("TOKEN"), "t1");
}

TEST(Project, ANessieEndpointMakesNessieTheCatalogWhereNoneIsNamed) {
  const ProjectTexts texts{.variables = {{"NESSIE_ENDPOINT", "http://127.0.0.1:19120"}}};
  EXPECT_EQ(
      Load(texts, /*with_nessie=*/true).project.catalogs.at("nessie").node.Find("uri")->text(),
      "http://127.0.0.1:19120");
  EXPECT_EQ(Load(texts).project.catalogs.at("local").type, "sql");
}

TEST(Project, AllFaultsOfAllFilesComeAtOnce) {
  EXPECT_EQ(
      FaultsOf({.calve_yaml = "catalog: {}\ndefault_catalog: lokal\nnotifications:\n  slack: "
                              "{token: abc}\n  email: {host: x}\n"
                              "resources: {memory_limit: 1MB}\nwarehouse: ${LAKE}\n",
                .dot_env = "x y\n"}),
      ".env:1:1          expected NAME=value; write one variable a line; a comment begins with #\n"
      "calve.yaml:1:1    unknown key 'catalog' of a project; did you mean 'catalogs'?\n"
      "calve.yaml:2:18   'lokal' is no catalog; did you mean 'local'?\n"
      "calve.yaml:4:18   a Slack token needs a channel; set notifications.slack.channel or "
      "SLACK_CHANNEL\n"
      "calve.yaml:5:17   e-mail needs 'from' beside a host; add it\n"
      "calve.yaml:6:27   memory_limit is a size of at least 64MB such as 64MB or 1GiB, not '1MB'\n"
      "calve.yaml:7:12   ${LAKE} is not set; set it, or write ${LAKE:-default}\n"
      "7 faults, nothing was run.");
}

TEST(Project, SyntaxFaultsStandAlone) {
  EXPECT_EQ(FaultsOf({.calve_yaml = "catalogs: {a: 1\n"}),
            "calve.yaml:2:1   expected , or '}' in the mapping that opens in line 1; close it, or "
            "put texts with : , [ ] { } in "
            "quotes\n1 fault, nothing was run.");
}

TEST(Project, CatalogsAreCheckedAndNamed) {
  EXPECT_EQ(FaultsOf({.calve_yaml = "catalogs: {a: {type: sql}, b: {type: sql}}"}),
            "calve.yaml:1:11   there are several catalogs and no default_catalog; write "
            "default_catalog: a\n1 fault, nothing was run.");
  EXPECT_EQ(FaultsOf({.calve_yaml = "catalogs: {a.b: {type: sql}}"}),
            "calve.yaml:1:12   catalog name 'a.b' has other characters than letters, digits, _ and "
            "-; rename it\n1 fault, nothing was run.");
  EXPECT_EQ(FaultsOf({.calve_yaml = "catalogs: {a: {type: rest}}"}),
            "calve.yaml:1:15   key 'uri' of a rest catalog is missing; write, for example, uri: "
            "http://127.0.0.1:8181\n1 fault, nothing "
            "was run.");
  EXPECT_EQ(FaultsOf({.calve_yaml = "catalogs: [a]\ndefault_catalog: a"}),
            "calve.yaml:1:11   catalogs is a mapping of names to catalog mappings, not a list\n1 "
            "fault, nothing was run.");
}

TEST(Project, SecretsStayOutOfFaults) {
  const std::string faults =
      FaultsOf({.calve_yaml = "storage: {s3.secret-access-key: hunter2, s3.x: true}\nhunter2: 1\n"
                              "default_catalog: hunter2x\nservice: {port: true}\n"});
  EXPECT_EQ(faults.find("hunter2"), std::string::npos) << faults;
  EXPECT_NE(faults.find("not 'true'"), std::string::npos) << faults;
}

TEST(Project, BucketsAreNamesFoldersOrUris) {
  EXPECT_EQ(BucketUri("lake"), "s3://lake");
  EXPECT_EQ(BucketUri("s3://lake/x"), "s3://lake/x");
  EXPECT_EQ(BucketUri("./lake"), "./lake");
  EXPECT_EQ(BucketUri("/data/lake"), "/data/lake");
  EXPECT_EQ(BucketUri(".."), "..");
  EXPECT_EQ(BucketUri(""), "");
}

TEST(Project, ThePageShowsAnExampleThatReads) {
  const std::string page = ReferencePage(ProjectShape(Catalogs()).Describe());
  const size_t start = page.find("```yaml\n") + 8;
  const std::string example = page.substr(start, page.find("```", start) - start);
  EXPECT_EQ(FaultsOf({.calve_yaml = example}), "") << example;
}

}  // namespace
}  // namespace calve::config
