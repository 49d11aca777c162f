#include "source/postgresql/postgresql_options.h"

#include "base/text.h"

namespace calve::source::postgresql {
namespace {

/// Every byte that could mean something in a URI as %XX.
std::string Encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) {
      encoded += c;
      continue;
    }
    encoded += '%';
    encoded += kDigits[static_cast<unsigned char>(c) >> 4];
    encoded += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return encoded;
}

}  // namespace

config::Names<SslMode> NamesOf(SslMode) {
  return {{"disable", SslMode::kDisable, "No TLS."},
          {"allow", SslMode::kAllow, "TLS only where the server insists."},
          {"prefer", SslMode::kPrefer, "TLS where the server offers it."},
          {"require", SslMode::kRequire, "TLS; the server's certificate is not checked."},
          {"verify-ca", SslMode::kVerifyCa, "TLS, with a certificate that sslrootcert signed."},
          {"verify-full", SslMode::kVerifyFull, "As verify-ca, and it is this host's."}};
}

config::Names<Infinity> NamesOf(Infinity) {
  return {{"hold_back", Infinity::kHoldBack, "The row is held back."},
          {"as_null", Infinity::kNull, "They are NULL."}};
}

config::Shape<PostgresqlOptions> PostgresqlOptions::Declaration() {
  using Options = PostgresqlOptions;
  config::Shape<Options> shape(
      "postgresql source",
      "Read tables, views and queries of PostgreSQL (10 or later) in its binary form, as they are "
      "at one moment, by several connections at once. Rights to SELECT are enough.");
  shape.Optional("host", &Options::host, "The server, or the folder of its socket.");
  shape.Optional("port", &Options::port, "Its port.", {.min = 1, .max = 65535});
  shape.Optional("username", &Options::username, "Who reads.",
                 {.example = "reader", .aliases = {"user"}});
  shape.Optional("password", &Options::password,
                 "The password; without one that of ~/.pgpass or PGPASSWORD, as libpq finds it.",
                 {.example = "${SHOP_PASSWORD}", .secret = true});
  shape.Optional("database", &Options::database, "The database.",
                 {.example = "shop", .aliases = {"dbname"}});
  shape.Optional("url", &Options::url,
                 "All of these as libpq writes it: postgresql://user:password@host:5432/database.",
                 {.secret = true});
  shape.ExactlyOneOf({"database", "url"});
  shape.Optional("schema", &Options::schema,
                 "Where tables are that are named without one. A name of a table may have its own: "
                 "`sales.orders`.");
  shape.Include(TableOptions::Declaration());
  shape.Optional("sslmode", &Options::sslmode, "Whether the connection is encrypted.");
  shape.Optional("sslrootcert", &Options::sslrootcert,
                 "The file of the certificates that the server's is checked by.",
                 {.example = "certificates/ca.pem"});
  shape.Optional("sslcert", &Options::sslcert, "The file of our own certificate.");
  shape.Optional("sslkey", &Options::sslkey, "The file of its key.");
  shape.Optional(
      "statement_timeout", &Options::statement_timeout,
      "How long the server may work at one query before it gives up.",
      {.min = std::chrono::milliseconds(1), .default_text = "as the server or the user is set"});
  shape.Optional("numeric", &Options::numeric,
                 "What numeric without precision becomes: string, or a decimal such as "
                 "`decimal(38, 9)`; a value that has more digits is held back, never rounded. A "
                 "decimal that the table or its contract has for the column wins.");
  shape.Optional("infinity", &Options::infinity,
                 "What becomes of a row with a date or timestamp that is infinite.");
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

TypePolicy PostgresqlOptions::types() const {
  auto size = ParseDecimalPolicy(numeric, "numeric");
  return {.numeric = size.ok() ? *size : std::nullopt,
          .decoding = {.infinity_is_null = infinity == Infinity::kNull}};
}

std::string PostgresqlOptions::ConnectionUri(const std::string& folder) const {
  std::string uri = url;
  if (uri.empty()) {
    uri = "postgresql://" + Encode(username) + (password.empty() ? "" : ":" + Encode(password)) +
          (username.empty() ? "" : "@") + Encode(host) + ":" + std::to_string(port) + "/" +
          Encode(database);
  }
  char before = uri.find('?') == std::string::npos ? '?' : '&';
  const auto add = [&](std::string_view key, const std::string& value) {
    if (value.empty()) return;
    uri += std::string(1, before) + std::string(key) + "=" + Encode(value);
    before = '&';
  };
  const auto path = [&](const std::string& file) {
    return file.empty() || file.front() == '/' || folder.empty() ? file : folder + "/" + file;
  };
  if (url.empty() || sslmode != SslMode::kPrefer) {
    for (const auto& name : NamesOf(sslmode)) {
      if (name.value == sslmode) add("sslmode", std::string(name.name));
    }
  }
  add("sslrootcert", path(sslrootcert));
  add("sslcert", path(sslcert));
  add("sslkey", path(sslkey));
  // A server that is gone without a word is noticed after about a minute.
  add("keepalives_idle", "30");
  add("keepalives_interval", "10");
  add("keepalives_count", "3");
  return uri;
}

}  // namespace calve::source::postgresql
