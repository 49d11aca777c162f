#include "source/mysql/mysql_options.h"

#include <string_view>

#include "base/text.h"
#include "io/http.h"
#include "source/decimal_policy.h"

namespace calve::source::mysql {
namespace {

/// Read mysql://user:password@host:port/database. It may hold a password, so no message quotes it.
Result<Address> ReadUrl(std::string_view url) {
  const Error fault = ConfigError(
      "url is no address of a database; it looks like mysql://user:password@host:3306/database, "
      "with %XX for signs that have a meaning there");
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return fault;
  const std::string_view kind = url.substr(0, scheme);
  if (kind != "mysql" && kind != "mariadb") return fault;
  url.remove_prefix(scheme + 3);
  const size_t slash = url.find('/');
  std::string_view server = url.substr(0, slash);
  const std::string_view database =
      slash == std::string_view::npos ? std::string_view() : url.substr(slash + 1);
  if (database.find_first_of("/?#") != std::string_view::npos) return fault;
  std::string_view user;
  std::string_view password;
  if (const size_t at = server.rfind('@'); at != std::string_view::npos) {
    user = server.substr(0, at);
    server.remove_prefix(at + 1);
    if (const size_t colon = user.find(':'); colon != std::string_view::npos) {
      password = user.substr(colon + 1);
      user = user.substr(0, colon);
    }
  }
  Address address;
  if (const size_t colon = server.rfind(':');
      colon != std::string_view::npos && !server.ends_with(']')) {
    const auto port = ParseInteger(server.substr(colon + 1));
    if (!port.has_value() || *port < 1 || *port > 65535) return fault;
    address.port = static_cast<int>(*port);
    server = server.substr(0, colon);
  }
  if (server.starts_with('[') && server.ends_with(']'))
    server = server.substr(1, server.size() - 2);
  const auto decode = [&](std::string_view text, std::string* into) -> Status {
    auto decoded = io::PercentDecode(text);
    if (!decoded.ok()) return fault;
    *into = *std::move(decoded);
    return Status::Ok();
  };
  CALVE_RETURN_IF_ERROR(decode(server, &address.host));
  CALVE_RETURN_IF_ERROR(decode(user, &address.username));
  CALVE_RETURN_IF_ERROR(decode(password, &address.password));
  CALVE_RETURN_IF_ERROR(decode(database, &address.database));
  if (address.host.empty()) return fault;
  return address;
}

}  // namespace

config::Names<SslMode> NamesOf(SslMode) {
  return {{"disabled", SslMode::kDisabled, "No TLS."},
          {"preferred", SslMode::kPreferred, "TLS where the server offers it."},
          {"required", SslMode::kRequired, "TLS; the server's certificate is not checked."},
          {"verify_identity", SslMode::kVerifyIdentity,
           "TLS, with a certificate that ssl_ca (else the system's authorities) signed for this "
           "host."}};
}

config::Names<ZeroDates> NamesOf(ZeroDates) {
  return {{"hold_back", ZeroDates::kHoldBack, "The row is held back."},
          {"as_null", ZeroDates::kNull, "They are NULL."}};
}

config::Names<TimeAs> NamesOf(TimeAs) {
  return {{"time", TimeAs::kTime, "A time of day; the row of any other is held back."},
          {"microseconds", TimeAs::kMicroseconds, "A long: microseconds, also below zero."},
          {"string", TimeAs::kString, "The text as the server prints it: -838:59:59."}};
}

config::Names<Tinyint1> NamesOf(Tinyint1) {
  return {{"int", Tinyint1::kInt, "The number that it is."},
          {"boolean", Tinyint1::kBoolean,
           "False for 0, true for 1; the row of any other number is held back."}};
}

config::Names<Locking> NamesOf(Locking) {
  return {{"none", Locking::kNone,
           "No lock. MariaDB with a binary log shows which moment a connection sees; elsewhere one "
           "connection reads all."},
          {"brief", Locking::kBrief,
           "Nothing can be written on the server (`FLUSH TABLES WITH READ LOCK`) for the moment in "
           "which the connections begin; needs the privilege RELOAD."}};
}

config::Shape<MysqlOptions> MysqlOptions::Declaration() {
  using Options = MysqlOptions;
  config::Shape<Options> shape(
      "mysql source",
      "Read tables, views and queries of MySQL (5.7 or later) and MariaDB (10.3 or later) in their "
      "binary form, as they are at one moment, by several connections at once. Rights to SELECT "
      "are enough.");
  shape.Optional("host", &Options::host, "The server, or the path of its socket.");
  shape.Optional("port", &Options::port, "Its port.", {.min = 1, .max = 65535});
  shape.Optional("username", &Options::username, "Who reads.",
                 {.example = "reader", .aliases = {"user"}});
  shape.Optional("password", &Options::password, "The password.",
                 {.example = "${SHOP_PASSWORD}", .secret = true});
  shape.Optional("database", &Options::database,
                 "Where tables are that are named without a database. A name of a table may have "
                 "its own: `sales.orders`.",
                 {.example = "shop", .aliases = {"schema", "dbname"}});
  shape.Optional("url", &Options::url,
                 "All of these in one: mysql://user:password@host:3306/database.",
                 {.secret = true});
  shape.ExactlyOneOf({"database", "url"});
  shape.Include(TableOptions::Declaration());
  shape.Optional("ssl_mode", &Options::ssl_mode, "Whether the connection is encrypted.");
  shape.Optional("ssl_ca", &Options::ssl_ca,
                 "The file of the certificates that the server's is checked by.",
                 {.example = "certificates/ca.pem"});
  shape.Optional("ssl_cert", &Options::ssl_cert, "The file of our own certificate.");
  shape.Optional("ssl_key", &Options::ssl_key, "The file of its key.");
  shape.Optional(
      "statement_timeout", &Options::statement_timeout,
      "How long the server may work at one query before it gives up.",
      {.min = std::chrono::milliseconds(1), .default_text = "as the server or the user is set"});
  shape.Optional("numeric", &Options::numeric,
                 "What DECIMAL with more than 38 digits becomes: string, or a decimal such as "
                 "`decimal(38, 9)`; a value that has more digits is held back, never rounded. A "
                 "decimal that the table or its contract has for the column wins.");
  shape.Optional("tinyint1", &Options::tinyint1,
                 "What TINYINT(1) becomes, which is also how the server keeps BOOLEAN.");
  shape.Optional("zero_dates", &Options::zero_dates,
                 "What becomes of a row with a date or timestamp that is zero or has a part that "
                 "is: `0000-00-00`, `2026-00-00`.");
  shape.Optional("time", &Options::time,
                 "What TIME becomes, which goes from -838:59:59 to 838:59:59.");
  shape.Optional("locking", &Options::locking,
                 "How several connections come to see the same moment.");
  shape.Check("numeric",
              [](const Options& o) { return StatusOf(ParseDecimalPolicy(o.numeric, "numeric")); });
  shape.CheckNode([](const Options& o, const config::Node& node, config::Faults& faults) {
    if (o.url.empty()) return;
    for (const char* key : {"host", "port", "username", "user", "password"}) {
      const config::Node* given = node.Find(key);
      if (given == nullptr) continue;
      faults.Add(given->place(),
                 "'" + std::string(key) + "' is part of url; give it there, or database instead");
    }
  });
  return shape;
}

Result<Address> MysqlOptions::ServerAddress(const std::string& folder) const {
  Address address{.host = host,
                  .port = port,
                  .username = username,
                  .password = password,
                  .database = database,
                  .ca = {},
                  .certificate = {},
                  .key = {}};
  if (!url.empty()) {
    CALVE_ASSIGN_OR_RETURN(address, ReadUrl(url));
  }
  const auto path = [&](const std::string& file) {
    return file.empty() || file.front() == '/' || folder.empty() ? file : folder + "/" + file;
  };
  address.may_use_tls = ssl_mode != SslMode::kDisabled;
  address.must_use_tls = ssl_mode == SslMode::kRequired || ssl_mode == SslMode::kVerifyIdentity;
  address.verify_certificate = ssl_mode == SslMode::kVerifyIdentity;
  address.ca = path(ssl_ca);
  address.certificate = path(ssl_cert);
  address.key = path(ssl_key);
  return address;
}

}  // namespace calve::source::mysql
