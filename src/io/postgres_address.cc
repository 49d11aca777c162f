#include "io/postgres_address.h"

#include <string_view>

namespace calve::io {
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

config::Shape<PostgresAddress> PostgresAddress::Declaration() {
  using Options = PostgresAddress;
  config::Shape<Options> shape("PostgreSQL database");
  shape.Optional("host", &Options::host, "The server, or the folder of its socket.");
  shape.Optional("port", &Options::port, "Its port.", {.min = 1, .max = 65535});
  shape.Optional("username", &Options::username, "Who signs in.",
                 {.example = "calve", .aliases = {"user"}});
  shape.Optional("password", &Options::password,
                 "The password; without one that of ~/.pgpass or PGPASSWORD, as libpq finds it.",
                 {.example = "${SHOP_PASSWORD}", .secret = true});
  shape.Optional("database", &Options::database, "The database.",
                 {.example = "shop", .aliases = {"dbname"}});
  shape.Optional("url", &Options::url,
                 "All of these as libpq writes it: postgresql://user:password@host:5432/database.",
                 {.secret = true});
  shape.ExactlyOneOf({"database", "url"});
  shape.Optional("sslmode", &Options::sslmode, "Whether the connection is encrypted.");
  shape.Optional("sslrootcert", &Options::sslrootcert,
                 "The file of the certificates that the server's is checked by.",
                 {.example = "certificates/ca.pem"});
  shape.Optional("sslcert", &Options::sslcert, "The file of our own certificate.");
  shape.Optional("sslkey", &Options::sslkey, "The file of its key.");
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

std::string PostgresAddress::ConnectionUri(const std::string& folder) const {
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

}  // namespace calve::io
