#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "source/row_decoders.h"

struct st_mysql;
struct st_mysql_stmt;

namespace calve::source::mysql {

/// Where a server is, and who asks.
struct Address {
  std::string host = "localhost";  ///< A path: the server's socket.
  int port = 3306;
  std::string username;
  std::string password;
  std::string database;
  bool may_use_tls = true;
  bool must_use_tls = false;
  bool verify_certificate = false;  ///< By `ca`, or the system's; and that it is the host's.
  std::string ca;
  std::string certificate;
  std::string key;

  /// user@host:port, for messages.
  std::string Shown() const;
};

/// A column of what a statement gives, as the protocol tells it.
struct Field {
  std::string name;
  int type = 0;           ///< enum_field_types
  unsigned flags = 0;     ///< NOT_NULL_FLAG and others.
  unsigned charset = 0;   ///< 63: bytes.
  uint64_t length = 0;    ///< Of the value as text.
  unsigned decimals = 0;  ///< Digits behind the point.
  std::string type_name;  ///< What MariaDB says beside: uuid, inet6, json.
};

/// One connection to a server of MySQL or MariaDB, over MariaDB's client library. One thread at a
/// time.
///
/// A call that waits ends when the run is asked to stop; after that, and after any error of the
/// network, the connection is lost.
///
/// Errors: kTransient when the server cannot be reached or gives way to another, kNotFound for a
/// table or database that is not there, kRefused on rights, kConfig for SQL that it cannot read.
/// Messages name user, host and port, never the password.
class Connection {
 public:
  using Row = std::vector<std::optional<std::string>>;

  static Result<std::unique_ptr<Connection>> Open(const Context& context, const Address& address);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Run a statement and give all its rows, as text.
  Result<std::vector<Row>> Query(const Context& context, const std::string& sql);
  /// The columns that a query would give; it is not run.
  Result<std::vector<Field>> Describe(const Context& context, const std::string& sql);

  /// Begin to read a query. Until Fetch has come to its end nothing else can be asked. Fails with
  /// kTransient when its columns are no longer those that were described.
  Status Begin(const Context& context, const std::string& sql, const std::vector<Field>& described);
  /// Read rows until there are `rows_max`, or about `bytes_max` bytes of them; the bytes that were
  /// read. Fewer rows than that, and IsReading() false: it was the end.
  Result<ByteCount> Fetch(const Context& context, RowDecoders* rows, int64_t rows_max,
                          int64_t bytes_max);
  bool IsReading() const { return statement_ != nullptr; }
  /// Let the server give up what it does for this connection, and leave it.
  void Cancel();

  /// The number of the last error that the server gave.
  unsigned error_number() const { return error_number_; }
  const std::string& shown() const { return shown_; }

 private:
  struct Close {
    void operator()(st_mysql* connection) const;
    void operator()(st_mysql_stmt* statement) const;
  };
  using Statement = std::unique_ptr<st_mysql_stmt, Close>;

  explicit Connection(Address address) : address_(std::move(address)), shown_(address_.Shown()) {}
  Status Connect();
  Result<Statement> Prepare(const Context& context, const std::string& sql);
  Error ErrorOf(const Context& context, unsigned number, const char* state, const char* said);
  Error LastError(const Context& context);
  Error LastError(const Context& context, st_mysql_stmt* statement);
  static void TakeValue(void* rows, unsigned column, unsigned char** at);

  const Address address_;
  const std::string shown_;
  std::unique_ptr<st_mysql, Close> connection_;
  Statement statement_;           ///< Goes before the connection.
  std::vector<int> value_bytes_;  ///< Of the columns that are read; 0: the value says itself.
  RowDecoders* rows_ = nullptr;   ///< Where TakeValue puts them.
  int64_t bytes_ = 0;
  bool is_cut_ = false;
  unsigned error_number_ = 0;
};

}  // namespace calve::source::mysql
