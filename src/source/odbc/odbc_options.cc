#include "source/odbc/odbc_options.h"

#include "base/text.h"

namespace calve::source::odbc {

config::Shape<OdbcOptions> OdbcOptions::Declaration() {
  using Options = OdbcOptions;
  config::Shape<Options> shape(
      "odbc source",
      "Read tables, views and queries of any database that has an ODBC driver, by the driver "
      "manager of the machine (unixODBC).");
  shape.Optional("driver", &Options::driver,
                 "The driver, as `odbcinst -q -d` lists it, or the path of its library.",
                 {.example = "ODBC Driver 18 for SQL Server"});
  shape.Optional("dsn", &Options::dsn, "A data source that the machine knows (odbc.ini).");
  shape.Optional("connection_string", &Options::connection_string,
                 "All of what the driver is to be told, as its manual has it: Driver=...;UID=...",
                 {.secret = true});
  shape.ExactlyOneOf({"driver", "dsn", "connection_string"});
  shape.Optional("host", &Options::host, "The server: the key Server.", {.example = "db.example"});
  shape.Optional("port", &Options::port, "Its port: the key Port.", {.min = 1, .max = 65535});
  shape.Optional("database", &Options::database, "The database: the key Database.",
                 {.example = "shop"});
  shape.Optional("username", &Options::username, "Who reads: the key UID.",
                 {.example = "reader", .aliases = {"user"}});
  shape.Optional("password", &Options::password, "The password: the key PWD.",
                 {.example = "${SHOP_PASSWORD}", .secret = true});
  shape.Optional("keys", &Options::keys,
                 "More keys of the connection string, as the driver's manual has them.",
                 {.example = "{Encrypt: strict}"});
  shape.Include(ReadingDeclaration());
  shape.CheckNode([](const Options& o, const config::Node& node, config::Faults& faults) {
    if (o.connection_string.empty()) return;
    for (const char* key : {"host", "port", "database", "username", "user", "password", "keys"}) {
      const config::Node* given = node.Find(key);
      if (given == nullptr) continue;
      faults.Add(given->place(), "'" + std::string(key) +
                                     "' is part of connection_string; give it there, or driver or "
                                     "dsn instead");
    }
  });
  return shape;
}

config::Names<Encrypt> NamesOf(Encrypt) {
  return {{"yes", Encrypt::kYes, "TLS, or no connection."},
          {"no", Encrypt::kNo, "No more than the login is encrypted."}};
}

config::Shape<MssqlOptions> MssqlOptions::Declaration() {
  using Options = MssqlOptions;
  config::Shape<Options> shape(
      "mssql source",
      "Read tables, views and queries of SQL Server and Azure SQL by an ODBC driver, FreeTDS or "
      "Microsoft's.");
  shape.Required("host", &Options::host, "The server.", {.example = "db.example"});
  shape.Optional("port", &Options::port, "Its port.", {.min = 1, .max = 65535});
  shape.Required("database", &Options::database, "The database.", {.example = "shop"});
  shape.Optional("username", &Options::username, "Who reads.",
                 {.example = "reader", .aliases = {"user"}});
  shape.Optional("password", &Options::password, "The password.",
                 {.example = "${SHOP_PASSWORD}", .secret = true});
  shape.Optional("encrypt", &Options::encrypt, "Whether the connection is encrypted.");
  shape.Optional("driver", &Options::driver,
                 "The driver, as `odbcinst -q -d` lists it, or the path of its library.");
  shape.Optional("keys", &Options::keys,
                 "More keys of the connection string, as the driver's manual has them.",
                 {.example = "{TrustServerCertificate: \"yes\"}"});
  shape.Include(ReadingDeclaration());
  return shape;
}

OdbcOptions MssqlOptions::Filled() const {
  OdbcOptions filled = *this;
  const bool is_tds = ToLower(driver).find("tds") != std::string::npos;
  if (is_tds) {
    filled.keys.emplace("TDS_Version", "7.4");
    filled.keys.emplace("ClientCharset", "UTF-8");
    filled.keys.emplace("Encryption", encrypt == Encrypt::kYes ? "require" : "off");
  } else {
    // Microsoft's driver has no key for the port.
    filled.host = host + "," + std::to_string(port.value_or(1433));
    filled.port.reset();
    filled.keys.emplace("Encrypt", encrypt == Encrypt::kYes ? "yes" : "no");
  }
  return filled;
}

config::Shape<OdbcOptions> OdbcOptions::ReadingDeclaration() {
  using Options = OdbcOptions;
  config::Shape<Options> shape("reading by ODBC");
  shape.Include(DriverTableOptions::Declaration());
  shape.Optional("statement_timeout", &Options::statement_timeout,
                 "How long the server may work at one query before it gives up, in whole seconds.",
                 {.min = std::chrono::milliseconds(1000),
                  .default_text = "as the driver or the server is set"});
  return shape;
}

std::string QuoteValue(const std::string& value) {
  if (!value.empty() && value.find_first_of("[]{}(),;?*=!@ ") == std::string::npos) return value;
  std::string quoted = "{";
  for (const char c : value) quoted += c == '}' ? std::string("}}") : std::string(1, c);
  return quoted + "}";
}

Address OdbcOptions::ServerAddress() const {
  const std::chrono::milliseconds timeout =
      statement_timeout.value_or(std::chrono::milliseconds(0));
  Address address{.connection_string = connection_string,
                  .shown = "the database of connection_string",
                  .session = session,
                  .statement_timeout = {}};
  if (statement_timeout.has_value())
    address.statement_timeout = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  if (!connection_string.empty()) return address;
  address.shown = dsn.empty() ? driver : "DSN " + dsn;
  if (!host.empty()) address.shown += " on " + host;
  const auto add = [&](const std::string& key, const std::string& value) {
    if (!value.empty()) address.connection_string += key + "=" + QuoteValue(value) + ";";
  };
  add("DSN", dsn);
  if (!driver.empty()) {
    address.connection_string +=
        "Driver=" + (driver.starts_with('/') ? driver : "{" + driver + "}") + ";";
  }
  add("Server", host);
  add("Port", port.has_value() ? std::to_string(*port) : "");
  add("Database", database);
  add("UID", username);
  add("PWD", password);
  for (const auto& [key, value] : keys) add(key, value);
  return address;
}

}  // namespace calve::source::odbc
