#include <CLI/CLI.hpp>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "http/server.h"
#include "server/rest_catalog.h"

namespace calve::cli {
namespace {

struct ServeArguments {
  std::string host;
  std::optional<uint16_t> port;
};

constexpr const char* kMadeClient = "admin";

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// The client that calve.yaml does not name, for a server that others can reach: made by the first
/// start, which shows its secret; later ones know only the secret's digest.
Result<server::Client> MadeClient(Program& program, std::string* secret) {
  const Context& context = program.context();
  const std::string place = program.folder() + "/metadata/catalog_server.json";
  server::Client client{
      .id = kMadeClient, .secret_digest = {}, .rights = {{"*", server::Right::kManage}}};
  const Result<std::string> known = program.files().ReadFile(context, place);
  if (known.ok()) {
    const auto json = nlohmann::json::parse(*known, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("secret_sha256"))
      return DataError(place +
                       ": expected {\"secret_sha256\": ...}; remove the file, and the next "
                       "start makes a new secret");
    client.secret_digest = FromHex(json.value("secret_sha256", "")).value_or("");
    return client;
  }
  if (known.error().kind != ErrorKind::kNotFound) return known.status();
  *secret = NewSecret();
  client.secret_digest = Sha256(*secret);
  CALVE_RETURN_IF_ERROR(program.files().EnsureFolder(context, program.folder() + "/metadata"));
  const nlohmann::json json = {{"secret_sha256", ToHex(client.secret_digest)}};
  CALVE_RETURN_IF_ERROR(program.files().WriteFile(context, place, json.dump() + "\n"));
  return client;
}

/// How clients reach the storage; credentials are theirs to have.
std::map<std::string, std::string> WithoutSecrets(
    const std::map<std::string, std::string>& storage) {
  std::map<std::string, std::string> told;
  for (const char* key : {"s3.endpoint", "s3.path-style-access", "s3.region", "client.region"}) {
    const auto found = storage.find(key);
    if (found != storage.end()) told.insert(*found);
  }
  return told;
}

void AwaitStop(const Context& context) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, context.stop, [] { return false; });
}

Result<ExitCode> Serve(Program& program, const ServeArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, program.project());
  const config::CatalogServerOptions& wanted = loaded->project.catalog_server;
  CALVE_ASSIGN_OR_RETURN(catalog::Catalog * catalog, program.Catalog(wanted.catalog));
  http::ServerOptions listen{.host = arguments.host.empty() ? wanted.host : arguments.host,
                             .port = arguments.port.value_or(wanted.port)};
  server::RestCatalogOptions options;
  for (const config::CatalogClientOptions& client : wanted.clients) {
    options.clients.push_back(
        {.id = client.id, .secret_digest = Sha256(client.secret), .rights = client.rights});
  }
  std::string made_secret;
  if (options.clients.empty() && !IsLoopback(listen.host)) {
    CALVE_ASSIGN_OR_RETURN(server::Client made, MadeClient(program, &made_secret));
    options.clients.push_back(std::move(made));
  }
  options.token_lifetime = wanted.token_lifetime;
  options.warehouse = loaded->project.warehouse;
  options.client_defaults = WithoutSecrets(loaded->project.storage);
  const size_t clients = options.clients.size();
  server::RestCatalog rest(program.context(), *catalog, program.files(), std::move(options));
  CALVE_ASSIGN_OR_RETURN(const auto running,
                         http::Server::Start(listen, [&rest](const http::Request& request) {
                           return rest.Handle(request);
                         }));

  const std::string address = "http://" + listen.host + ":" + std::to_string(running->port());
  Report report(program.options.json);
  report.Line("serving", "catalog " + catalog->name() + " at " + address, "address", address);
  report.Line("warehouse", loaded->project.warehouse, "warehouse", loaded->project.warehouse);
  report.Line("clients",
              clients == 0 ? "none named: requests from this machine may do everything"
                           : Counted(static_cast<int64_t>(clients), "client"),
              "clients", clients);
  if (!made_secret.empty()) {
    report.Line("token",
                made_secret + "   of client " + kMadeClient +
                    ", shown this once; name clients in catalog_server of calve.yaml instead",
                "token", made_secret);
  }
  report.Hint("stop", "Ctrl-C");
  report.Done();
  std::fflush(stdout);  // Whoever started it in the background waits for these lines.
  AwaitStop(program.context());
  return ExitCode::kDone;
}

}  // namespace

CALVE_PART(catalog) {
  registry.Add(
      {.name = "catalog", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.add_subcommand("catalog", "Offer a catalog to other programs");
         command->require_subcommand(1);
         CLI::App* serve = command->add_subcommand(
             "serve",
             "Serve a catalog by the Iceberg REST specification, for Spark, Trino, Flink, "
             "DuckDB, PyIceberg and others");
         auto arguments = std::make_shared<ServeArguments>();
         serve->add_option("--host", arguments->host, "The address, in place of calve.yaml's");
         serve->add_option("--port", arguments->port,
                           "The port, in place of calve.yaml's; 0: one that is free");
         serve->callback([&program, arguments] {
           program.todo = [&program, arguments] { return Serve(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli
