#include "source/odbc/odbc_options.h"

#include "source/decimal_policy.h"
#include "source/typing.h"

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
  shape.Optional("schema", &Options::schema,
                 "Where tables are that are named without a schema. A name of a table may have "
                 "its own: `sales.orders`.");
  shape.Include(TableOptions::Declaration());
  shape.Optional("session", &Options::session,
                 "Statements that are run on each connection before it reads, such as one that "
                 "sets the time zone.",
                 {.example = "[\"SET TIME ZONE 'UTC'\"]"});
  shape.Optional("statement_timeout", &Options::statement_timeout,
                 "How long the server may work at one query before it gives up, in whole seconds.",
                 {.min = std::chrono::milliseconds(1000),
                  .default_text = "as the driver or the server is set"});
  shape.Optional("numeric", &Options::numeric,
                 "What decimals with more than 38 digits, or of a size that the driver does not "
                 "tell, become: string, or a decimal such as `decimal(38, 9)`; a value that has "
                 "more digits is held back, never rounded. A decimal that the table or its "
                 "contract has for the column wins.");
  shape.Optional("types", &Options::types,
                 "Types of columns, in place of those that the driver tells: Iceberg's names. A "
                 "timestamp that is made timestamptz is taken for UTC.",
                 {.example = "{updated_at: timestamptz}"});
  shape.Check("numeric",
              [](const Options& o) { return StatusOf(ParseDecimalPolicy(o.numeric, "numeric")); });
  shape.Check("types", [](const Options& o) { return CheckTypes(o.types); });
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
