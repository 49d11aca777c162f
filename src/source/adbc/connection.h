#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "source/table_names.h"

namespace calve::source::adbc {

/// Where to connect to, and by what.
struct Address {
  std::string driver;      ///< As the person calls it.
  std::string library;     ///< Its path, or a name that the driver manager looks for.
  std::string entrypoint;  ///< "": the driver's usual one.
  std::map<std::string, std::string> options;
  std::map<std::string, std::string> connection_options;
  std::map<std::string, std::string> statement_options;
  std::vector<std::string> session;  ///< Statements that set a session up.
  std::string shown;                 ///< "postgresql on db.example".
  std::vector<std::string> secrets;  ///< Never said.
};

class Connection;

/// A driver that was loaded and told where the database is. Threads: any.
class Database {
 public:
  static Result<std::shared_ptr<Database>> Open(const Context& context, const Address& address);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const Address& address() const { return address_; }

 private:
  friend class Connection;
  struct Handle;
  explicit Database(const Address& address);

  const Address address_;
  std::unique_ptr<Handle> handle_;
};

/// Rows of a query, as the driver gives them. For one thread; a call that waits is cancelled when the
/// run is asked to stop, as far as the driver can.
class ResultStream {
 public:
  ~ResultStream();
  ResultStream(const ResultStream&) = delete;
  ResultStream& operator=(const ResultStream&) = delete;

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// The next batch, of any size; null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Next(const Context& context);

 private:
  friend class Connection;
  struct Handle;
  explicit ResultStream(std::unique_ptr<Handle> handle);

  std::unique_ptr<Handle> handle_;
  std::shared_ptr<arrow::Schema> schema_;
};

/// One connection. One thread at a time. Messages of errors name the database, and hold no secret.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(const Context& context,
                                                  std::shared_ptr<Database> database);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Run a query. Until the stream is gone nothing else can be asked; it goes before the connection.
  Result<std::unique_ptr<ResultStream>> Query(
      const Context& context, const std::string& sql,
      const std::map<std::string, std::string>& statement_options = {});
  /// Run a statement that gives no rows.
  Status Run(const Context& context, const std::string& sql);
  /// The columns that a query would give; it is run where the driver cannot tell without.
  Result<std::shared_ptr<arrow::Schema>> Describe(const Context& context, const std::string& sql);
  /// Change an option of the connection.
  Status Set(const Context& context, const std::string& option, const std::string& value);
  /// Where names without a schema are looked for; "" when the driver does not say.
  std::string CurrentSchema() const;
  /// How the database calls itself; "" when the driver does not say.
  Result<std::string> Vendor(const Context& context);
  Result<std::vector<TableName>> Tables(const Context& context);
  Result<std::vector<std::string>> PrimaryKey(const Context& context, const TableName& table);

 private:
  struct Handle;
  explicit Connection(std::shared_ptr<Database> database);
  /// Objects of the database down to a depth; of one table where it is named.
  Result<std::unique_ptr<ResultStream>> Objects(const Context& context, int depth,
                                                const TableName* table);

  const std::shared_ptr<Database> database_;
  std::shared_ptr<Handle> handle_;
};

}  // namespace calve::source::adbc
