#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/option.h"
#include "source/postgresql/column_types.h"
#include "source/table_options.h"

namespace calve::source::postgresql {

/// As libpq's sslmode.
enum class SslMode { kDisable, kAllow, kPrefer, kRequire, kVerifyCa, kVerifyFull };
config::Names<SslMode> NamesOf(SslMode);

/// What becomes of dates and timestamps that are infinite.
enum class Infinity { kHoldBack, kNull };
config::Names<Infinity> NamesOf(Infinity);

struct PostgresqlOptions : TableOptions {
  std::string url;
  std::string host = "localhost";
  int port = 5432;
  std::string username;
  std::string password;
  std::string database;
  std::string schema = "public";
  SslMode sslmode = SslMode::kPrefer;
  std::string sslrootcert;
  std::string sslcert;
  std::string sslkey;
  std::optional<std::chrono::milliseconds> statement_timeout;
  std::string numeric = "string";
  Infinity infinity = Infinity::kHoldBack;

  static config::Shape<PostgresqlOptions> Declaration();
  TypePolicy types() const;
  /// Where to connect to, as libpq takes it; `folder` is where relative paths begin.
  std::string ConnectionUri(const std::string& folder) const;
};

}  // namespace calve::source::postgresql
