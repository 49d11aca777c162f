#pragma once

#include <string>

#include "config/option.h"

namespace calve::io {

/// As libpq's sslmode.
enum class SslMode { kDisable, kAllow, kPrefer, kRequire, kVerifyCa, kVerifyFull };
config::Names<SslMode> NamesOf(SslMode);

/// Options that say which database of PostgreSQL is meant, and how to sign in there.
struct PostgresAddress {
  std::string url;
  std::string host = "localhost";
  int port = 5432;
  std::string username;
  std::string password;
  std::string database;
  SslMode sslmode = SslMode::kPrefer;
  std::string sslrootcert;
  std::string sslcert;
  std::string sslkey;

  static config::Shape<PostgresAddress> Declaration();
  /// Where to connect to, as libpq takes it; `folder` is where relative paths begin.
  std::string ConnectionUri(const std::string& folder) const;
};

}  // namespace calve::io
