#include "source/adbc/adbc_options.h"

#include <string_view>

namespace calve::source::adbc {
namespace {

/// The password in scheme://user:password@host; "" where there is none.
std::string PasswordOf(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return "";
  const size_t end = url.find_first_of("/?#", scheme + 3);
  const std::string server = url.substr(scheme + 3, end - scheme - 3);
  const size_t at = server.rfind('@');
  const size_t colon = server.find(':');
  if (at == std::string::npos || colon == std::string::npos || colon > at) return "";
  return server.substr(colon + 1, at - colon - 1);
}

/// A way to a database may hold a password, so no message quotes it.
void AddUrl(const std::string& url, Address* address) {
  if (url.empty()) return;
  address->options["uri"] = url;
  address->secrets.push_back(url);
  address->secrets.push_back(PasswordOf(url));
}

}  // namespace

config::Shape<DriverOptions> DriverOptions::Declaration() {
  using Options = DriverOptions;
  config::Shape<Options> shape("ADBC driver");
  shape.Optional("username", &Options::username, "Who reads: the driver's option username.",
                 {.example = "reader", .aliases = {"user"}});
  shape.Optional("password", &Options::password, "The password: its option password.",
                 {.example = "${SHOP_PASSWORD}", .secret = true});
  shape.Optional("options", &Options::options,
                 "More options of the driver's database, as its manual has them. They are never "
                 "shown.",
                 {.secret = true});
  shape.Optional("connection_options", &Options::connection_options, "Options of each connection.",
                 {.example = "{adbc.connection.transaction.isolation_level: "
                             "adbc.connection.transaction.isolation.serializable}"});
  shape.Optional("statement_options", &Options::statement_options, "Options of each statement.",
                 {.example = "{adbc.sqlite.query.batch_rows: \"100000\"}"});
  shape.Include(DriverTableOptions::Declaration());
  return shape;
}

Address DriverOptions::DriverAddress() const {
  Address address{.driver = driver,
                  .library = {},
                  .entrypoint = {},
                  .options = options,
                  .connection_options = connection_options,
                  .statement_options = statement_options,
                  .session = session,
                  .shown = {},
                  .secrets = {password}};
  for (const auto& [key, value] : options) {
    if (value.size() > 3) address.secrets.push_back(value);
  }
  if (!username.empty()) address.options["username"] = username;
  if (!password.empty()) address.options["password"] = password;
  return address;
}

config::Shape<AdbcOptions> AdbcOptions::Declaration() {
  using Options = AdbcOptions;
  config::Shape<Options> shape(
      "adbc source",
      "Read tables, views and queries of any database that has an ADBC driver, as Arrow's columns "
      "from the driver on.");
  shape.Required(
      "driver", &Options::driver,
      "The driver: the path of its library, or the name of its Python package "
      "(`postgresql` is adbc_driver_postgresql), or a name that the driver manager knows "
      "by a manifest.",
      {.example = "postgresql"});
  shape.Optional("entrypoint", &Options::entrypoint,
                 "The function by which the driver begins, where it is not the usual one.",
                 {.example = "duckdb_adbc_init"});
  shape.Optional(
      "url", &Options::url, "Where the database is: the driver's option uri.",
      {.example = "postgresql://db.example:5432/shop", .aliases = {"uri"}, .secret = true});
  shape.Include(DriverOptions::Declaration());
  return shape;
}

Address AdbcOptions::DatabaseAddress() const {
  Address address = DriverAddress();
  address.entrypoint = entrypoint;
  address.shown = "the database of the ADBC driver " + driver;
  AddUrl(url, &address);
  return address;
}

config::Shape<OracleOptions> OracleOptions::Declaration() {
  using Options = OracleOptions;
  config::Shape<Options> shape(
      "oracle source",
      "Read tables, views and queries of Oracle Database (12.1 or later) by its ADBC driver, which "
      "needs no client of Oracle's.");
  shape.Optional("host", &Options::host, "The server.", {.example = "db.example"});
  shape.Optional("port", &Options::port, "Its port.", {.min = 1, .max = 65535});
  shape.Optional("database", &Options::database, "The service name.",
                 {.example = "SHOP", .aliases = {"service_name"}});
  shape.Optional("url", &Options::url,
                 "All of these in one: oracle://host:1521/SERVICE, Easy Connect or a connect "
                 "descriptor.",
                 {.secret = true});
  shape.ExactlyOneOf({"host", "url"});
  shape.Optional("driver", &Options::driver,
                 "The driver: its Python package, or the path of its library.");
  shape.Include(DriverOptions::Declaration());
  shape.CheckNode([](const Options& o, const config::Node& node, config::Faults& faults) {
    if (!o.host.empty() && o.database.empty() && o.options.count("adbc.oracle.sid") == 0) {
      faults.Add(node.place(),
                 "database is missing; give the service name, or options: {adbc.oracle.sid: ...}");
    }
    if (o.url.empty()) return;
    for (const char* key : {"port", "database", "service_name"}) {
      const config::Node* given = node.Find(key);
      if (given == nullptr) continue;
      faults.Add(given->place(),
                 "'" + std::string(key) + "' is part of url; give it there, or host instead");
    }
  });
  return shape;
}

Address OracleOptions::DatabaseAddress() const {
  Address address = DriverAddress();
  AddUrl(url, &address);
  address.entrypoint = "OracleDriverInit";
  address.shown = host.empty() ? "the database of url" : host + ":" + std::to_string(port);
  if (!host.empty()) {
    address.options["adbc.oracle.host"] = host;
    address.options["adbc.oracle.port"] = std::to_string(port);
    if (!database.empty()) address.options["adbc.oracle.service_name"] = database;
  }
  // A NUMBER without precision would come as a double, rounded.
  address.options.emplace("adbc.oracle.number_mode", "string");
  return address;
}

}  // namespace calve::source::adbc
