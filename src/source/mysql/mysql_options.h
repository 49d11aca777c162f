#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/option.h"
#include "source/mysql/connection.h"
#include "source/mysql/value_decoders.h"
#include "source/table_options.h"

namespace calve::source::mysql {

/// As the ssl-mode of MySQL's programs.
enum class SslMode { kDisabled, kPreferred, kRequired, kVerifyIdentity };
config::Names<SslMode> NamesOf(SslMode);

config::Names<ZeroDates> NamesOf(ZeroDates);
config::Names<TimeAs> NamesOf(TimeAs);

/// What becomes of TINYINT(1), which is also how the server keeps BOOLEAN.
enum class Tinyint1 { kInt, kBoolean };
config::Names<Tinyint1> NamesOf(Tinyint1);

/// How several connections come to see the same moment where the server cannot tell that they do.
enum class Locking { kNone, kBrief };
config::Names<Locking> NamesOf(Locking);

struct MysqlOptions : TableOptions {
  std::string url;
  std::string host = "localhost";
  int port = 3306;
  std::string username;
  std::string password;
  std::string database;
  SslMode ssl_mode = SslMode::kPreferred;
  std::string ssl_ca;
  std::string ssl_cert;
  std::string ssl_key;
  std::optional<std::chrono::milliseconds> statement_timeout;
  std::string numeric = "string";
  Tinyint1 tinyint1 = Tinyint1::kInt;
  ZeroDates zero_dates = ZeroDates::kHoldBack;
  TimeAs time = TimeAs::kTime;
  Locking locking = Locking::kNone;

  static config::Shape<MysqlOptions> Declaration();
  /// Where to connect to; `folder` is where relative paths begin. Fails with kConfig when url
  /// cannot be read.
  Result<Address> ServerAddress(const std::string& folder) const;
};

}  // namespace calve::source::mysql
