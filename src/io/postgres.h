#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"

struct pg_conn;
struct pg_result;

namespace calve::io {

struct PostgresOptions {
  /// How long the server may take to answer one call; also of a connection.
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
  /// Where given, how long it may take to answer a call once it is connected: reading a large table
  /// takes a server its time.
  std::optional<std::chrono::milliseconds> answer_timeout;
};

/// One connection to a PostgreSQL database, over libpq. One thread at a time.
///
/// Every call waits for the server's answer no longer than the options say, and ends when the run is
/// asked to stop; after either the connection is lost, and nothing more can be said by it.
///
/// Errors: kTransient when the server cannot be reached, does not answer or resolved a contention
/// against us, kUnknownOutcome when that happened to a COMMIT, kAlreadyExists when a key is taken,
/// kRefused when the server says no (rights, a value too long, a read-only server), kBug for SQL
/// that does not fit. Messages name user, host and database, never the password.
class PostgresDatabase {
 public:
  using Row = std::vector<std::optional<std::string>>;

  /// A column of what a query gives.
  struct Column {
    std::string name;
    uint32_t type = 0;      ///< Its oid, of pg_type.
    int32_t modifier = -1;  ///< As pg_attribute.atttypmod; -1: none.
  };

  /// Connect as a URI says it: postgresql://user:password@host:port/database?sslmode=require. Fails
  /// with kConfig when it is none.
  static Result<PostgresDatabase> Open(const Context& context, const std::string& uri,
                                       const PostgresOptions& options = {});

  /// Run one statement with $1, $2, ... for `parameters`, and give its rows.
  Result<std::vector<Row>> Query(const Context& context, const std::string& sql,
                                 const std::vector<std::string>& parameters = {});
  /// The same with the values as their types' _send functions give them.
  Result<std::vector<Row>> QueryBinary(const Context& context, const std::string& sql);
  /// Run one statement and give the number of rows that it changed.
  Result<int64_t> Change(const Context& context, const std::string& sql,
                         const std::vector<std::string>& parameters = {});

  /// The columns that a query would give; it is not run.
  Result<std::vector<Column>> Describe(const Context& context, const std::string& sql);

  /// Begin a COPY ... TO STDOUT. Until NextCopied has given its end nothing else can be asked.
  Status BeginCopy(const Context& context, const std::string& sql);
  /// The next message of the copy, which is a row; valid until the next call. Nothing at the end.
  Result<std::optional<std::string_view>> NextCopied(const Context& context);
  /// Run a COPY ... FROM STDIN with all of its data, and give the number of rows that it brought.
  Result<int64_t> CopyIn(const Context& context, const std::string& sql, std::string_view data);
  /// Let the server give up what it does for this connection, and leave it.
  void Cancel();

  /// The SQLSTATE of the last error that the server gave; "" where it gave none.
  const std::string& sql_state() const { return sql_state_; }

  /// Whether the server has ended the connection, as far as one can tell without asking it.
  bool IsLost();
  /// What it is connected to, for messages: user@host:port/database.
  const std::string& shown() const { return shown_; }

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
    void operator()(pg_result* result) const;
    void operator()(char* copied) const;
  };
  using Connection = std::unique_ptr<pg_conn, Close>;
  using Reply = std::unique_ptr<pg_result, Close>;

  PostgresDatabase(Connection connection, std::string shown, PostgresOptions options)
      : connection_(std::move(connection)), shown_(std::move(shown)), options_(options) {}
  Status FinishConnecting(const Context& context);
  /// Wait until the socket can be read (or written).
  Status Wait(const Context& context, bool for_writing, Duration until);
  enum class Format { kText = 0, kBinary = 1 };
  Result<Reply> Run(const Context& context, const std::string& sql,
                    const std::vector<std::string>& parameters, Format format = Format::kText);
  static std::vector<Row> RowsOf(const pg_result* reply);
  /// Wait for all of the answer to what was sent, and give the last part.
  Result<Reply> Await(const Context& context, const std::string& sql);
  /// Bring what the client library holds to the server.
  Status Flush(const Context& context);
  Status SendCopied(const Context& context, std::string_view data);
  Error Lost(const std::string& sql, const std::string& why);
  /// As Lost; where the run was stopped the server is told, and the error says so.
  Error GiveUp(const std::string& sql, Error why);
  Error ErrorOf(const pg_result* reply, const std::string& sql);

  Connection connection_;
  std::string shown_;
  PostgresOptions options_;
  std::string sql_state_;
  std::unique_ptr<char, Close> copied_;
};

}  // namespace calve::io
