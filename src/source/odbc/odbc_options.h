#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/option.h"
#include "source/driver_table_options.h"
#include "source/odbc/connection.h"

namespace calve::source::odbc {

struct OdbcOptions : DriverTableOptions {
  std::string connection_string;
  std::string dsn;
  std::string driver;
  std::string host;
  std::optional<int64_t> port;
  std::string database;
  std::string username;
  std::string password;
  std::map<std::string, std::string> keys;
  std::optional<std::chrono::milliseconds> statement_timeout;

  static config::Shape<OdbcOptions> Declaration();
  /// All but the way to the database.
  static config::Shape<OdbcOptions> ReadingDeclaration();
  Address ServerAddress() const;
};

/// Whether a connection to SQL Server is encrypted.
enum class Encrypt { kYes, kNo };
config::Names<Encrypt> NamesOf(Encrypt);

/// SQL Server, by FreeTDS or Microsoft's driver.
struct MssqlOptions : OdbcOptions {
  MssqlOptions() {
    driver = "FreeTDS";
    port = 1433;
  }
  Encrypt encrypt = Encrypt::kYes;

  static config::Shape<MssqlOptions> Declaration();
  /// The same in the words of the driver.
  OdbcOptions Filled() const;
};

/// A value in a connection string, in braces where it has signs that mean something there.
std::string QuoteValue(const std::string& value);

}  // namespace calve::source::odbc
