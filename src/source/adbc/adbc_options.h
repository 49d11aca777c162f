#pragma once

#include <map>
#include <string>

#include "config/option.h"
#include "source/adbc/connection.h"
#include "source/driver_table_options.h"

namespace calve::source::adbc {

/// What is told to every driver.
struct DriverOptions : DriverTableOptions {
  std::string driver;
  std::string username;
  std::string password;
  std::map<std::string, std::string> options;
  std::map<std::string, std::string> connection_options;
  std::map<std::string, std::string> statement_options;

  static config::Shape<DriverOptions> Declaration();
  /// Without the way to the database and the driver's library.
  Address DriverAddress() const;
};

struct AdbcOptions : DriverOptions {
  std::string entrypoint;
  std::string url;

  static config::Shape<AdbcOptions> Declaration();
  Address DatabaseAddress() const;
};

struct OracleOptions : DriverOptions {
  OracleOptions() { driver = "adbc_driver_oracle"; }
  std::string url;
  std::string host;
  int port = 1521;
  std::string database;

  static config::Shape<OracleOptions> Declaration();
  Address DatabaseAddress() const;
};

}  // namespace calve::source::adbc
