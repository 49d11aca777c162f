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
#include "source/row_decoders.h"
#include "source/table_names.h"

namespace calve::source::odbc {

/// A column of what a statement gives, as the driver tells it.
struct Field {
  std::string name;
  int type = 0;      ///< SQL_INTEGER and others.
  int64_t size = 0;  ///< Characters, bytes or digits; 0: the driver does not know.
  int digits = 0;    ///< Behind the point, or of a second.
  bool nullable = true;
  bool is_unsigned = false;
  bool operator==(const Field&) const = default;
};

/// The forms in which values are asked for; each is what a decoder of value_decoders.h takes.
enum class Form {
  kBoolean,
  kInt,
  kLong,
  kUnsignedLong,
  kFloat,
  kDouble,
  kDecimal,    ///< As text.
  kDate,       ///< SQL_DATE_STRUCT
  kTime,       ///< As text, which has the fraction.
  kTimestamp,  ///< SQL_TIMESTAMP_STRUCT
  kZoned,      ///< A timestamp with its zone, as text.
  kUuid,       ///< SQLGUID
  kText,       ///< UTF-8
  kBytes,
};

/// What to bind a column as.
struct Binding {
  Field field;
  Form form = Form::kText;
};

/// Where to connect to.
struct Address {
  std::string connection_string;     ///< With the password: never shown.
  std::string shown;                 ///< "DSN shop", "PostgreSQL Unicode on db.example.org".
  std::vector<std::string> session;  ///< Statements that set the session up.
  std::optional<std::chrono::seconds> statement_timeout;
};

/// One connection by a driver of the machine's ODBC driver manager. One thread at a time.
///
/// A call that waits is cancelled when the run is asked to stop, as far as the driver can.
///
/// Errors name the SQLSTATE: kTransient when the server cannot be reached or gives way to another,
/// kNotFound for a table that is not there, kRefused on rights, kConfig for SQL that it cannot read
/// and for drivers that are not installed. Messages never hold the connection string.
class Connection {
 public:
  using Row = std::vector<std::optional<std::string>>;

  static Result<std::unique_ptr<Connection>> Open(const Context& context, const Address& address);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Run a statement and give its first rows, as text.
  Result<std::vector<Row>> Query(const Context& context, const std::string& sql, int64_t rows_max);
  /// The columns that a query would give; it is not run, where the driver can tell without.
  Result<std::vector<Field>> Describe(const Context& context, const std::string& sql);
  /// Tables and views; of one catalog or schema where these are not empty.
  Result<std::vector<TableName>> Tables(const Context& context, const std::string& catalog,
                                        const std::string& schema);
  Result<std::vector<std::string>> PrimaryKey(const Context& context, const TableName& table);

  /// Begin to read a query. Until Fetch has come to its end nothing else can be asked. Fails with
  /// kTransient when its columns are no longer those that were described.
  Status Begin(const Context& context, const std::string& sql, const std::vector<Binding>& bindings,
               int64_t rows_max);
  /// Read rows until there are `rows_max`, or about `bytes_max` bytes of them; the bytes that were
  /// read. IsReading() false: it was the end.
  Result<ByteCount> Fetch(const Context& context, RowDecoders* rows, int64_t rows_max,
                          int64_t bytes_max);
  bool IsReading() const { return reading_ != nullptr; }

  /// How the database calls itself: "PostgreSQL".
  const std::string& database_kind() const { return database_kind_; }
  /// The sign that names are put in; "" where the database has none.
  const std::string& name_quote() const { return name_quote_; }
  const std::string& catalog() const { return catalog_; }
  const std::string& shown() const { return address_.shown; }

 private:
  struct Handles;
  struct Reading;
  class Statement;

  explicit Connection(const Address& address);
  Status Connect(const Context& context);
  Result<std::vector<Row>> Rows(const Context& context, Statement& statement, int64_t rows_max);
  Result<std::vector<Field>> FieldsOf(const Context& context, Statement& statement);
  Status Bind(const Context& context, size_t rows);
  Status TakeBlock(size_t row, RowDecoders* rows, int64_t* bytes);
  Status TakeLong(const Context& context, RowDecoders* rows, int64_t* bytes);

  const Address address_;
  std::string database_kind_;
  std::string name_quote_;
  std::string catalog_;
  std::unique_ptr<Handles> handles_;
  std::unique_ptr<Reading> reading_;  ///< Goes before the handles.
};

}  // namespace calve::source::odbc
