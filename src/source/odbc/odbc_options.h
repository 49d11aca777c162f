#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/option.h"
#include "source/odbc/connection.h"
#include "source/table_options.h"

namespace calve::source::odbc {

struct OdbcOptions : TableOptions {
  std::string connection_string;
  std::string dsn;
  std::string driver;
  std::string host;
  std::optional<int64_t> port;
  std::string database;
  std::string username;
  std::string password;
  std::map<std::string, std::string> keys;
  std::string schema;
  std::vector<std::string> session;
  std::optional<std::chrono::milliseconds> statement_timeout;
  std::string numeric = "string";
  std::map<std::string, std::string> types;

  static config::Shape<OdbcOptions> Declaration();
  Address ServerAddress() const;
};

/// A value in a connection string, in braces where it has signs that mean something there.
std::string QuoteValue(const std::string& value);

}  // namespace calve::source::odbc
