#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "cli/branches.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "io/uri.h"

namespace calve::cli {
namespace {

struct SnowflakeArguments {
  std::vector<std::string> tables;
  std::string catalog_uri;
  std::string volume = "calve_volume";
  std::string integration = "calve_catalog";
};

struct NamedMetadata {
  catalog::TableName name;
  std::string location;
};

using engine::QuoteIdentifier;
using engine::QuoteLiteral;

/// Tables name volumes and integrations in a text, where no quotes keep the case of letters.
Status CheckName(const std::string& option, const std::string& name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool begins = !name.empty() && !(name[0] >= '0' && name[0] <= '9');
  if (begins && std::all_of(name.begin(), name.end(), is_plain)) return Status::Ok();
  return ConfigError(option + ": expected letters, digits and _, and no digit first, found " +
                     Quote(name));
}

/// The schema and the name that Snowflake knows a table by: levels of its namespace joined by _.
std::string SchemaOf(const catalog::TableName& table) {
  return QuoteIdentifier(Join(table.ns, "_"));
}
std::string NameOf(const catalog::TableName& table) {
  return SchemaOf(table) + "." + QuoteIdentifier(table.name);
}

/// The tables asked for; without any all but those of rows held back.
Result<std::vector<NamedMetadata>> TablesToTell(Program& program,
                                                const SnowflakeArguments& arguments) {
  std::vector<Program::NamedTable> wanted;
  for (const std::string& name : arguments.tables) {
    CALVE_ASSIGN_OR_RETURN(Program::NamedTable table, program.Table(name));
    wanted.push_back(std::move(table));
  }
  if (arguments.tables.empty()) {
    CALVE_ASSIGN_OR_RETURN(wanted, AllTables(program));
    std::erase_if(wanted, [](const Program::NamedTable& table) {
      return table.name.name.ends_with("__quarantine");
    });
  }
  if (wanted.empty()) return NotFoundError("there is no table yet; calve run JOB makes one");
  std::vector<NamedMetadata> tables;
  for (const Program::NamedTable& table : wanted) {
    CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable loaded,
                           table.catalog->LoadTable(program.context(), table.name));
    tables.push_back({.name = table.name, .location = loaded.metadata_location});
  }
  return tables;
}

/// A place that an external volume can stand for: a bucket or container.
struct Bucket {
  std::string scheme;
  std::string name;
  bool operator<(const Bucket& other) const {
    return std::tie(scheme, name) < std::tie(other.scheme, other.name);
  }
};

Result<Bucket> BucketOf(const NamedMetadata& table) {
  CALVE_ASSIGN_OR_RETURN(const io::Uri uri, io::ParseUri(io::OneSpelling(table.location)));
  const std::set<std::string> known = {"s3", "gs", "abfs", "abfss", "wasb", "wasbs"};
  if (known.contains(uri.scheme)) return Bucket{.scheme = uri.scheme, .name = uri.authority};
  return RefusedError("Snowflake reads tables in S3, GCS and Azure; " + table.name.ToString() +
                      " lies at " + table.location +
                      ": set the warehouse to a bucket, and load the table there");
}

/// STORAGE_LOCATIONS of a volume, each line behind `indent`; what only the account's owner knows
/// stands in <>.
std::string StorageOf(const Bucket& bucket, const std::string& endpoint) {
  const auto lines = [](const std::vector<std::string>& all) {
    return "    " + Join(all, "\n    ") + "\n";
  };
  if (bucket.scheme == "gs") {
    return lines({"STORAGE_PROVIDER = 'GCS'",
                  "STORAGE_BASE_URL = " + QuoteLiteral("gcs://" + bucket.name + "/")});
  }
  if (bucket.scheme != "s3") {
    const size_t at = bucket.name.find('@');
    const std::string container = bucket.name.substr(0, at);
    std::string host = at == std::string::npos ? "" : bucket.name.substr(at + 1);
    if (const size_t dfs = host.find(".dfs."); dfs != std::string::npos)
      host.replace(dfs, 5, ".blob.");
    return lines({"STORAGE_PROVIDER = 'AZURE'",
                  "STORAGE_BASE_URL = " + QuoteLiteral("azure://" + host + "/" + container + "/"),
                  "AZURE_TENANT_ID = '<tenant>'"});
  }
  if (endpoint.empty()) {
    return lines({"STORAGE_PROVIDER = 'S3'",
                  "STORAGE_BASE_URL = " + QuoteLiteral("s3://" + bucket.name + "/"),
                  "STORAGE_AWS_ROLE_ARN = '<role that may read the bucket>'"});
  }
  const size_t scheme = endpoint.find("://");
  const std::string host = scheme == std::string::npos ? endpoint : endpoint.substr(scheme + 3);
  return lines({"STORAGE_PROVIDER = 'S3COMPAT'",
                "STORAGE_BASE_URL = " + QuoteLiteral("s3compat://" + bucket.name + "/"),
                "STORAGE_ENDPOINT = " + QuoteLiteral(host),
                "CREDENTIALS = (AWS_KEY_ID = '<key>' AWS_SECRET_KEY = '<secret>')"});
}

std::string VolumeName(const SnowflakeArguments& arguments, size_t number) {
  return number == 0 ? arguments.volume : arguments.volume + "_" + std::to_string(number + 1);
}

std::string CreateVolume(const std::string& name, const Bucket& bucket,
                         const std::string& endpoint) {
  return "CREATE EXTERNAL VOLUME IF NOT EXISTS " + name +
         "\n  STORAGE_LOCATIONS = ((\n    NAME = " + QuoteLiteral(name) + "\n" +
         StorageOf(bucket, endpoint) + "  ))\n  ALLOW_WRITES = FALSE;\n\n";
}

std::string CreateIntegration(const SnowflakeArguments& arguments) {
  std::string sql = "CREATE CATALOG INTEGRATION IF NOT EXISTS " + arguments.integration;
  if (arguments.catalog_uri.empty())
    return sql +
           "\n  CATALOG_SOURCE = OBJECT_STORE\n  TABLE_FORMAT = ICEBERG\n  ENABLED = TRUE;\n\n";
  std::string uri = arguments.catalog_uri;
  while (uri.ends_with('/')) uri.pop_back();
  return sql + "\n  CATALOG_SOURCE = ICEBERG_REST\n  TABLE_FORMAT = ICEBERG\n" +
         "  REST_CONFIG = (CATALOG_URI = " + QuoteLiteral(uri) +
         ")\n  REST_AUTHENTICATION = (\n    TYPE = OAUTH\n    OAUTH_TOKEN_URI = " +
         QuoteLiteral(uri + "/v1/oauth/tokens") +
         "\n    OAUTH_CLIENT_ID = '<client>'\n    OAUTH_CLIENT_SECRET = '<secret>'\n" +
         "    OAUTH_ALLOWED_SCOPES = ('catalog')\n  )\n  ENABLED = TRUE;\n\n";
}

/// The statements of one table. Files are read at one metadata file, so that the table has to be
/// told of each new one; a catalog is asked by Snowflake itself.
std::string CreateTable(const SnowflakeArguments& arguments, const NamedMetadata& table,
                        const std::string& volume, const io::Uri& metadata) {
  std::string sql = "CREATE ICEBERG TABLE IF NOT EXISTS " + NameOf(table.name) +
                    "\n  EXTERNAL_VOLUME = " + QuoteLiteral(volume) +
                    "\n  CATALOG = " + QuoteLiteral(arguments.integration);
  if (!arguments.catalog_uri.empty()) {
    return sql + "\n  CATALOG_NAMESPACE = " + QuoteLiteral(Join(table.name.ns, ".")) +
           "\n  CATALOG_TABLE_NAME = " + QuoteLiteral(table.name.name) +
           "\n  AUTO_REFRESH = TRUE;\n\n";
  }
  return sql + "\n  METADATA_FILE_PATH = " + QuoteLiteral(metadata.path) + ";\n" +
         "ALTER ICEBERG TABLE " + NameOf(table.name) + " REFRESH " + QuoteLiteral(metadata.path) +
         ";\n\n";
}

Result<ExitCode> PrintDdl(Program& program, const SnowflakeArguments& arguments) {
  CALVE_RETURN_IF_ERROR(CheckName("--volume", arguments.volume));
  CALVE_RETURN_IF_ERROR(CheckName("--integration", arguments.integration));
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, program.project());
  CALVE_ASSIGN_OR_RETURN(const auto tables, TablesToTell(program, arguments));
  const auto& storage = loaded->project.storage;
  const auto given = storage.find("s3.endpoint");
  const std::string endpoint = given == storage.end() ? "" : given->second;
  std::map<Bucket, std::string> volumes;
  std::set<std::string> schemas;
  std::string once;
  std::string each;
  for (const NamedMetadata& table : tables) {
    CALVE_ASSIGN_OR_RETURN(const Bucket bucket, BucketOf(table));
    CALVE_ASSIGN_OR_RETURN(const io::Uri metadata, io::ParseUri(table.location));
    const auto [volume, is_new] =
        volumes.try_emplace(bucket, VolumeName(arguments, volumes.size()));
    if (is_new) once += CreateVolume(volume->second, bucket, endpoint);
    if (schemas.insert(SchemaOf(table.name)).second)
      each += "CREATE SCHEMA IF NOT EXISTS " + SchemaOf(table.name) + ";\n\n";
    each += CreateTable(arguments, table, volume->second, metadata);
  }
  const std::string sql = once + CreateIntegration(arguments) + each;
  PrintEither(program.options.json, {{"sql", sql}}, sql);
  return ExitCode::kDone;
}

}  // namespace

CALVE_PART(snowflake) {
  registry.Add(
      {.name = "snowflake", .add = [](CLI::App& app, Program& program) {
         CLI::App* snowflake = app.add_subcommand("snowflake", "Read tables from Snowflake");
         snowflake->require_subcommand(1);
         auto arguments = std::make_shared<SnowflakeArguments>();
         CLI::App* ddl = snowflake->add_subcommand(
             "ddl", "Print the statements by which a Snowflake account reads tables");
         ddl->add_option("TABLE", arguments->tables, "Tables; without any all");
         ddl->add_option("--catalog-uri", arguments->catalog_uri,
                         "An Iceberg REST catalog that Snowflake reaches, such as that of calve "
                         "catalog serve; without it Snowflake reads metadata files, and is told "
                         "of each new one");
         ddl->add_option("--volume", arguments->volume, "The name of the external volume");
         ddl->add_option("--integration", arguments->integration,
                         "The name of the catalog integration");
         ddl->callback([&program, arguments] {
           program.todo = [&program, arguments] { return PrintDdl(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli
