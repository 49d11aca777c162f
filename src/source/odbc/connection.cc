#include "source/odbc/connection.h"

#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stop_token>
#include <utility>

#include "base/text.h"
#include "source/odbc/wide_text.h"
#include "source/sql_state.h"

namespace calve::source::odbc {
namespace {

static_assert(sizeof(SQLWCHAR) == sizeof(char16_t));

constexpr SQLULEN kConnectSeconds = 30;
/// Rows come in blocks of about so many bytes, where no column is longer than kBoundBytesMax.
constexpr size_t kBlockBytes = 1 << 20;
constexpr size_t kBlockRowsMax = 1000;
constexpr size_t kBoundBytesMax = 8 << 10;
/// Of a value that is asked for in parts.
constexpr size_t kPartBytes = 64 << 10;
constexpr size_t kValueBytesMax = 64 << 20;
/// SQL Server's DATETIMEOFFSET.
constexpr int kZonedType = -155;
constexpr size_t kMessagesMax = 4;

SQLWCHAR* Wide(std::u16string& text) { return reinterpret_cast<SQLWCHAR*>(text.data()); }

std::string Narrow(const SQLWCHAR* text, size_t length) {
  std::string narrow;
  AppendUtf8({reinterpret_cast<const char16_t*>(text), length}, &narrow);
  return narrow;
}

bool Worked(SQLRETURN returned) { return SQL_SUCCEEDED(returned); }

struct Said {
  std::string state;
  std::string message;
};

Said Diagnosis(SQLSMALLINT kind, SQLHANDLE handle) {
  Said said;
  for (SQLSMALLINT record = 1; record <= static_cast<SQLSMALLINT>(kMessagesMax); ++record) {
    std::array<SQLWCHAR, 6> state{};
    std::array<SQLWCHAR, 1024> message{};
    SQLINTEGER number = 0;
    SQLSMALLINT length = 0;
    if (!Worked(SQLGetDiagRecW(kind, handle, record, state.data(), &number, message.data(),
                               static_cast<SQLSMALLINT>(message.size()), &length)))
      break;
    if (record == 1) said.state = Narrow(state.data(), 5);
    const size_t shown = std::min<size_t>(static_cast<size_t>(length), message.size() - 1);
    std::string text(Trim(Narrow(message.data(), shown)));
    std::replace(text.begin(), text.end(), '\n', ' ');
    said.message += (said.message.empty() ? "" : "; ") + text;
  }
  return said;
}

std::string_view RemedyOf(std::string_view state) {
  if (state == "IM002" || state == "IM003" || state == "01000") {
    return "; see that the driver is installed: odbcinst -q -d lists the drivers, odbcinst -q -s "
           "the DSNs";
  }
  if (state.starts_with("28")) return "; check username and password, then run again";
  if (state.starts_with("01")) return "; mend connection_string or keys";
  if (KindOfSqlState(state) == ErrorKind::kConfig) {
    return "; mend table, columns, where or query of the source";
  }
  return "";
}

Error ErrorOf(const Context& context, const Said& said, const std::string& doing) {
  if (context.stop.stop_requested()) return StoppedError("stopped on request");
  return {KindOfSqlState(said.state), doing + ": " + said.message + " (SQLSTATE " +
                                          (said.state.empty() ? "unknown" : said.state) + ")" +
                                          std::string(RemedyOf(said.state))};
}

SQLSMALLINT TypeToAsk(Form form) {
  switch (form) {
    case Form::kBoolean:
      return SQL_C_BIT;
    case Form::kInt:
      return SQL_C_SLONG;
    case Form::kLong:
      return SQL_C_SBIGINT;
    case Form::kUnsignedLong:
      return SQL_C_UBIGINT;
    case Form::kFloat:
      return SQL_C_FLOAT;
    case Form::kDouble:
      return SQL_C_DOUBLE;
    case Form::kDate:
      return SQL_C_TYPE_DATE;
    case Form::kTimestamp:
      return SQL_C_TYPE_TIMESTAMP;
    case Form::kUuid:
      return SQL_C_GUID;
    case Form::kBytes:
      return SQL_C_BINARY;
    case Form::kDecimal:
    case Form::kTime:
    case Form::kZoned:
    case Form::kText:
      return SQL_C_WCHAR;
  }
  return SQL_C_WCHAR;
}

bool IsWide(Form form) { return TypeToAsk(form) == SQL_C_WCHAR; }

bool IsText(int type) {
  return type == SQL_CHAR || type == SQL_VARCHAR || type == SQL_LONGVARCHAR || type == SQL_WCHAR ||
         type == SQL_WVARCHAR || type == SQL_WLONGVARCHAR;
}

/// Whether a column is still as it was described. How long its texts are, some drivers know only
/// when the query has run.
bool IsSame(const Field& field, const Field& described) {
  if (IsText(field.type) && IsText(described.type)) return true;
  return field.type == described.type && field.digits == described.digits;
}

bool IsLongType(int type) {
  return type == SQL_LONGVARCHAR || type == SQL_WLONGVARCHAR || type == SQL_LONGVARBINARY;
}

/// Bytes of a value of fixed size, by which drivers go from row to row; 0: the size differs.
size_t FixedBytes(Form form) {
  switch (form) {
    case Form::kBoolean:
      return sizeof(unsigned char);
    case Form::kInt:
    case Form::kFloat:
      return sizeof(SQLINTEGER);
    case Form::kLong:
    case Form::kUnsignedLong:
    case Form::kDouble:
      return sizeof(int64_t);
    case Form::kDate:
      return sizeof(SQL_DATE_STRUCT);
    case Form::kTimestamp:
      return sizeof(SQL_TIMESTAMP_STRUCT);
    case Form::kUuid:
      return sizeof(SQLGUID);
    case Form::kDecimal:
    case Form::kTime:
    case Form::kZoned:
    case Form::kText:
    case Form::kBytes:
      return 0;
  }
  return 0;
}

/// Bytes that a value needs when it is bound; nothing: the driver does not say, or too many.
std::optional<size_t> BoundBytes(const Field& field, Form form) {
  constexpr size_t kNumberSigns = 80;
  constexpr size_t kTimeSigns = 48;
  if (const size_t fixed = FixedBytes(form); fixed > 0) return fixed;
  if (form == Form::kDecimal) return kNumberSigns * sizeof(SQLWCHAR);
  if (form == Form::kTime || form == Form::kZoned) return kTimeSigns * sizeof(SQLWCHAR);
  if (IsLongType(field.type) || field.size <= 0 ||
      field.size > static_cast<int64_t>(kBoundBytesMax))
    return std::nullopt;
  const auto size = static_cast<size_t>(field.size);
  // A character may take two units of UTF-16.
  const size_t bytes = form == Form::kBytes ? size : (2 * size + 1) * sizeof(SQLWCHAR);
  return bytes <= kBoundBytesMax ? std::optional(bytes) : std::nullopt;
}

}  // namespace

/// The environment and the connection.
struct Connection::Handles {
  SQLHENV environment = SQL_NULL_HENV;
  SQLHDBC connection = SQL_NULL_HDBC;
  bool is_connected = false;

  ~Handles() {
    if (is_connected) {
      (void)SQLEndTran(SQL_HANDLE_DBC, connection, SQL_ROLLBACK);
      (void)SQLDisconnect(connection);
    }
    if (connection != SQL_NULL_HDBC) (void)SQLFreeHandle(SQL_HANDLE_DBC, connection);
    if (environment != SQL_NULL_HENV) (void)SQLFreeHandle(SQL_HANDLE_ENV, environment);
  }
};

/// A statement, and how to run it.
class Connection::Statement {
 public:
  explicit Statement(const Connection& connection) : connection_(connection) {}
  ~Statement() {
    if (handle_ != SQL_NULL_HSTMT) (void)SQLFreeHandle(SQL_HANDLE_STMT, handle_);
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Status Open(const Context& context) {
    if (!Worked(SQLAllocHandle(SQL_HANDLE_STMT, connection_.handles_->connection, &handle_))) {
      return ErrorOf(context, Diagnosis(SQL_HANDLE_DBC, connection_.handles_->connection),
                     "cannot ask " + connection_.shown());
    }
    if (const auto timeout = connection_.address_.statement_timeout; timeout.has_value()) {
      CALVE_RETURN_IF_ERROR(Set(context, SQL_ATTR_QUERY_TIMEOUT, timeout->count()));
    }
    return Status::Ok();
  }
  Status Set(const Context& context, SQLINTEGER attribute, int64_t value) {
    return Do(context, [&] {
      return SQLSetStmtAttrW(handle_, attribute, reinterpret_cast<SQLPOINTER>(value), 0);
    });
  }
  Status Execute(const Context& context, const std::string& sql) {
    std::u16string wide = ToUtf16(sql);
    return Do(context, [&] {
      return SQLExecDirectW(handle_, Wide(wide), static_cast<SQLINTEGER>(wide.size()));
    });
  }
  Status Prepare(const Context& context, const std::string& sql) {
    std::u16string wide = ToUtf16(sql);
    return Do(context, [&] {
      return SQLPrepareW(handle_, Wide(wide), static_cast<SQLINTEGER>(wide.size()));
    });
  }
  /// Call a function of the driver; a stop of the run cancels it.
  template <typename Call>
  Status Do(const Context& context, Call call) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    const std::stop_callback cancel(context.stop, [this] { (void)SQLCancel(handle_); });
    const SQLRETURN returned = call();
    if (Worked(returned) || returned == SQL_NO_DATA) return Status::Ok();
    return Failed(context);
  }
  /// The next block of rows; false at the end.
  Result<bool> Fetch(const Context& context) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    const std::stop_callback cancel(context.stop, [this] { (void)SQLCancel(handle_); });
    const SQLRETURN returned = SQLFetch(handle_);
    if (returned == SQL_NO_DATA) return false;
    if (Worked(returned)) return true;
    return Failed(context);
  }
  Error Failed(const Context& context) const {
    return ErrorOf(context, Diagnosis(SQL_HANDLE_STMT, handle_), connection_.shown());
  }
  /// The whole value of a column of the current row, in the bytes that its form has; nothing for
  /// NULL.
  Result<std::optional<std::string>> Value(const Context& context, int column, Form form);

  SQLHSTMT handle() const { return handle_; }

 private:
  const Connection& connection_;
  SQLHSTMT handle_ = SQL_NULL_HSTMT;
};

Result<std::optional<std::string>> Connection::Statement::Value(const Context& context, int column,
                                                                Form form) {
  const bool is_wide = IsWide(form);
  const size_t terminator = is_wide ? sizeof(SQLWCHAR) : 0;
  std::string value;
  std::string part(is_wide || form == Form::kBytes ? kPartBytes : sizeof(SQL_TIMESTAMP_STRUCT),
                   '\0');
  while (true) {
    SQLLEN left = 0;
    const SQLRETURN returned =
        SQLGetData(handle_, static_cast<SQLUSMALLINT>(column + 1), TypeToAsk(form), part.data(),
                   static_cast<SQLLEN>(part.size()), &left);
    if (returned == SQL_NO_DATA) break;
    if (!Worked(returned)) return Failed(context);
    if (left == SQL_NULL_DATA) return std::optional<std::string>();
    const size_t room = part.size() - terminator;
    const bool is_part = returned == SQL_SUCCESS_WITH_INFO &&
                         (left == SQL_NO_TOTAL || static_cast<size_t>(left) > room);
    value.append(part, 0, is_part ? room : static_cast<size_t>(left));
    if (value.size() > kValueBytesMax) {
      return DataError(connection_.shown() + ", column " + std::to_string(column + 1) +
                       ": a value is larger than 67 MB; leave the column out by columns");
    }
    if (!is_part) break;
  }
  if (!is_wide) return std::optional(std::move(value));
  std::string text;
  std::u16string wide(value.size() / sizeof(SQLWCHAR), u'\0');
  std::memcpy(wide.data(), value.data(), wide.size() * sizeof(SQLWCHAR));
  AppendUtf8(wide, &text);
  return std::optional(std::move(text));
}

/// A query whose rows are read.
struct Connection::Reading {
  struct Column {
    Form form = Form::kText;
    std::string name;
    size_t bytes = 0;          ///< Of a value; 0: it is asked for by itself.
    std::vector<char> values;  ///< One block of them.
    std::vector<SQLLEN> lengths;
  };
  explicit Reading(const Connection& connection) : statement(connection) {}

  Statement statement;
  std::vector<Column> columns;
  bool in_blocks = false;
  SQLULEN rows_in_block = 0;
  SQLULEN next_row = 0;
  std::string text;  ///< Of the value that is being taken.
};

Connection::Connection(const Address& address)
    : address_(address), handles_(std::make_unique<Handles>()) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::Open(const Context& context,
                                                     const Address& address) {
  std::unique_ptr<Connection> connection(new Connection(address));
  CALVE_RETURN_IF_ERROR(connection->Connect(context));
  for (const std::string& statement : address.session)
    CALVE_RETURN_IF_ERROR(connection->Query(context, statement, 0));
  return connection;
}

Status Connection::Connect(const Context& context) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  Handles& handles = *handles_;
  if (!Worked(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &handles.environment)) ||
      !Worked(SQLSetEnvAttr(handles.environment, SQL_ATTR_ODBC_VERSION,
                            reinterpret_cast<SQLPOINTER>(SQL_OV_ODBC3), 0)) ||
      !Worked(SQLAllocHandle(SQL_HANDLE_DBC, handles.environment, &handles.connection))) {
    return RefusedError("the ODBC driver manager has no memory for a connection");
  }
  (void)SQLSetConnectAttrW(handles.connection, SQL_ATTR_LOGIN_TIMEOUT,
                           reinterpret_cast<SQLPOINTER>(kConnectSeconds), 0);
  std::u16string wide = ToUtf16(address_.connection_string);
  const SQLRETURN connected = SQLDriverConnectW(handles.connection, nullptr, Wide(wide),
                                                static_cast<SQLSMALLINT>(wide.size()), nullptr, 0,
                                                nullptr, SQL_DRIVER_NOPROMPT);
  if (!Worked(connected)) {
    return ErrorOf(context, Diagnosis(SQL_HANDLE_DBC, handles.connection),
                   "cannot connect to " + shown());
  }
  handles.is_connected = true;
  const auto info = [&](SQLUSMALLINT what) {
    std::array<SQLWCHAR, 256> text{};
    SQLSMALLINT bytes = 0;
    if (!Worked(SQLGetInfoW(handles.connection, what, text.data(), sizeof(text), &bytes)))
      return std::string();
    return Narrow(text.data(), std::min<size_t>(static_cast<size_t>(bytes) / 2, text.size() - 1));
  };
  database_kind_ = info(SQL_DBMS_NAME);
  name_quote_ = std::string(Trim(info(SQL_IDENTIFIER_QUOTE_CHAR)));
  catalog_ = info(SQL_DATABASE_NAME);
  return Status::Ok();
}

Result<std::vector<Connection::Row>> Connection::Rows(const Context& context, Statement& statement,
                                                      int64_t rows_max) {
  SQLSMALLINT columns = 0;
  CALVE_RETURN_IF_ERROR(
      statement.Do(context, [&] { return SQLNumResultCols(statement.handle(), &columns); }));
  std::vector<Row> rows;
  while (columns > 0 && static_cast<int64_t>(rows.size()) < rows_max) {
    CALVE_ASSIGN_OR_RETURN(const bool more, statement.Fetch(context));
    if (!more) break;
    Row& row = rows.emplace_back();
    for (int i = 0; i < columns; ++i) {
      CALVE_ASSIGN_OR_RETURN(auto value, statement.Value(context, i, Form::kText));
      row.push_back(std::move(value));
    }
  }
  return rows;
}

Result<std::vector<Connection::Row>> Connection::Query(const Context& context,
                                                       const std::string& sql, int64_t rows_max) {
  Statement statement(*this);
  CALVE_RETURN_IF_ERROR(statement.Open(context));
  if (rows_max > 0) CALVE_RETURN_IF_ERROR(statement.Set(context, SQL_ATTR_MAX_ROWS, rows_max));
  CALVE_RETURN_IF_ERROR(statement.Execute(context, sql));
  return Rows(context, statement, rows_max);
}

Result<std::vector<Field>> Connection::FieldsOf(const Context& context, Statement& statement) {
  SQLSMALLINT columns = 0;
  CALVE_RETURN_IF_ERROR(
      statement.Do(context, [&] { return SQLNumResultCols(statement.handle(), &columns); }));
  std::vector<Field> fields;
  for (SQLUSMALLINT i = 1; i <= static_cast<SQLUSMALLINT>(columns); ++i) {
    std::array<SQLWCHAR, 512> name{};
    SQLSMALLINT length = 0;
    SQLSMALLINT type = 0;
    SQLULEN size = 0;
    SQLSMALLINT digits = 0;
    SQLSMALLINT nullable = SQL_NULLABLE_UNKNOWN;
    SQLLEN is_unsigned = SQL_FALSE;
    CALVE_RETURN_IF_ERROR(statement.Do(context, [&] {
      return SQLDescribeColW(statement.handle(), i, name.data(),
                             static_cast<SQLSMALLINT>(name.size()), &length, &type, &size, &digits,
                             &nullable);
    }));
    (void)SQLColAttributeW(statement.handle(), i, SQL_DESC_UNSIGNED, nullptr, 0, nullptr,
                           &is_unsigned);
    fields.push_back({.name = Narrow(name.data(), std::min<size_t>(static_cast<size_t>(length),
                                                                   name.size() - 1)),
                      .type = type,
                      .size = static_cast<int64_t>(size),
                      .digits = digits,
                      .nullable = nullable != SQL_NO_NULLS,
                      .is_unsigned = is_unsigned == SQL_TRUE});
  }
  return fields;
}

Result<std::vector<Field>> Connection::Describe(const Context& context, const std::string& sql) {
  Statement statement(*this);
  CALVE_RETURN_IF_ERROR(statement.Open(context));
  CALVE_RETURN_IF_ERROR(statement.Prepare(context, sql));
  return FieldsOf(context, statement);
}

Result<std::vector<TableName>> Connection::Tables(const Context& context,
                                                  const std::string& catalog,
                                                  const std::string& schema) {
  Statement statement(*this);
  CALVE_RETURN_IF_ERROR(statement.Open(context));
  std::u16string in_catalog = ToUtf16(catalog);
  std::u16string in_schema = ToUtf16(schema);
  std::u16string kinds = u"TABLE,VIEW";
  CALVE_RETURN_IF_ERROR(statement.Do(context, [&] {
    return SQLTablesW(statement.handle(), catalog.empty() ? nullptr : Wide(in_catalog),
                      static_cast<SQLSMALLINT>(in_catalog.size()),
                      schema.empty() ? nullptr : Wide(in_schema),
                      static_cast<SQLSMALLINT>(in_schema.size()), nullptr, 0, Wide(kinds),
                      static_cast<SQLSMALLINT>(kinds.size()));
  }));
  CALVE_ASSIGN_OR_RETURN(const auto rows, Rows(context, statement, INT64_MAX));
  std::vector<TableName> tables;
  for (const Row& row : rows) {
    tables.push_back({.catalog = row[0].value_or(""),
                      .schema = row[1].value_or(""),
                      .name = row[2].value_or("")});
  }
  return tables;
}

Result<std::vector<std::string>> Connection::PrimaryKey(const Context& context,
                                                        const TableName& table) {
  Statement statement(*this);
  CALVE_RETURN_IF_ERROR(statement.Open(context));
  std::u16string catalog = ToUtf16(table.catalog);
  std::u16string schema = ToUtf16(table.schema);
  std::u16string name = ToUtf16(table.name);
  CALVE_RETURN_IF_ERROR(statement.Do(context, [&] {
    return SQLPrimaryKeysW(
        statement.handle(), catalog.empty() ? nullptr : Wide(catalog),
        static_cast<SQLSMALLINT>(catalog.size()), schema.empty() ? nullptr : Wide(schema),
        static_cast<SQLSMALLINT>(schema.size()), Wide(name), static_cast<SQLSMALLINT>(name.size()));
  }));
  CALVE_ASSIGN_OR_RETURN(const auto rows, Rows(context, statement, INT64_MAX));
  std::vector<std::string> key;
  for (const Row& row : rows) key.push_back(row[3].value_or(""));
  return key;
}

Status Connection::Begin(const Context& context, const std::string& sql,
                         const std::vector<Binding>& bindings, int64_t rows_max) {
  auto reading = std::make_unique<Reading>(*this);
  Statement& statement = reading->statement;
  CALVE_RETURN_IF_ERROR(statement.Open(context));
  CALVE_RETURN_IF_ERROR(statement.Execute(context, sql));
  // Some drivers know only now how long values are.
  CALVE_ASSIGN_OR_RETURN(const auto fields, FieldsOf(context, statement));
  const bool same = std::equal(
      fields.begin(), fields.end(), bindings.begin(), bindings.end(),
      [](const Field& field, const Binding& binding) { return IsSame(field, binding.field); });
  if (!same) {
    return TransientError("the columns are no longer those that the plan found; run again");
  }
  size_t row_bytes = 0;
  reading->in_blocks = true;
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto bytes = BoundBytes(fields[i], bindings[i].form);
    reading->in_blocks = reading->in_blocks && bytes.has_value();
    row_bytes += bytes.value_or(0) + sizeof(SQLLEN);
    reading->columns.push_back({.form = bindings[i].form,
                                .name = fields[i].name,
                                .bytes = bytes.value_or(0),
                                .values = {},
                                .lengths = {}});
  }
  reading_ = std::move(reading);
  if (!reading_->in_blocks) return Status::Ok();
  const size_t block_max = std::min(kBlockRowsMax, static_cast<size_t>(rows_max));
  return Bind(context, std::clamp<size_t>(kBlockBytes / row_bytes, 1, block_max));
}

/// Have the driver put `rows` rows at once into the columns.
Status Connection::Bind(const Context& context, size_t rows) {
  Statement& statement = reading_->statement;
  CALVE_RETURN_IF_ERROR(
      statement.Set(context, SQL_ATTR_ROW_ARRAY_SIZE, static_cast<int64_t>(rows)));
  CALVE_RETURN_IF_ERROR(statement.Set(context, SQL_ATTR_ROWS_FETCHED_PTR,
                                      reinterpret_cast<int64_t>(&reading_->rows_in_block)));
  for (size_t i = 0; i < reading_->columns.size(); ++i) {
    Reading::Column& column = reading_->columns[i];
    column.values.resize(column.bytes * rows);
    column.lengths.resize(rows);
    CALVE_RETURN_IF_ERROR(statement.Do(context, [&] {
      return SQLBindCol(statement.handle(), static_cast<SQLUSMALLINT>(i + 1),
                        TypeToAsk(column.form), column.values.data(),
                        static_cast<SQLLEN>(column.bytes), column.lengths.data());
    }));
  }
  return Status::Ok();
}

/// Take a row of the block that was fetched.
Status Connection::TakeBlock(size_t row, RowDecoders* rows, int64_t* bytes) {
  for (size_t i = 0; i < reading_->columns.size(); ++i) {
    Reading::Column& column = reading_->columns[i];
    const SQLLEN length = column.lengths[row];
    if (length == SQL_NULL_DATA) {
      rows->TakeNull(i);
      continue;
    }
    const char* value = column.values.data() + row * column.bytes;
    const bool is_wide = IsWide(column.form);
    const size_t room = column.bytes - (is_wide ? sizeof(SQLWCHAR) : 0);
    const bool has_length = is_wide || column.form == Form::kBytes;
    if (has_length && (length == SQL_NO_TOTAL || static_cast<size_t>(length) > room)) {
      return DataError("column " + column.name + ": a value of " +
                       (length == SQL_NO_TOTAL ? std::string("more than ") + std::to_string(room)
                                               : std::to_string(length)) +
                       " bytes is longer than the driver said that values are; cast the column to "
                       "a long text in a query, or set the driver's option for texts of unknown "
                       "length (psqlODBC: UnknownSizes=2)");
    }
    size_t taken = has_length ? static_cast<size_t>(length) : column.bytes;
    if (is_wide) {
      reading_->text.clear();
      AppendUtf8({reinterpret_cast<const char16_t*>(value), taken / sizeof(SQLWCHAR)},
                 &reading_->text);
      rows->Take(i, reading_->text);
      taken = reading_->text.size();
    } else {
      rows->Take(i, {value, taken});
    }
    *bytes += static_cast<int64_t>(taken);
  }
  return Status::Ok();
}

/// Take the row that was fetched, value by value.
Status Connection::TakeLong(const Context& context, RowDecoders* rows, int64_t* bytes) {
  for (size_t i = 0; i < reading_->columns.size(); ++i) {
    CALVE_ASSIGN_OR_RETURN(const auto value, reading_->statement.Value(context, static_cast<int>(i),
                                                                       reading_->columns[i].form));
    if (value.has_value()) {
      rows->Take(i, *value);
      *bytes += static_cast<int64_t>(value->size());
    } else {
      rows->TakeNull(i);
    }
  }
  return Status::Ok();
}

Result<ByteCount> Connection::Fetch(const Context& context, RowDecoders* rows, int64_t rows_max,
                                    int64_t bytes_max) {
  int64_t bytes = 0;
  while (rows->rows() < rows_max && bytes < bytes_max) {
    if (!reading_->in_blocks || reading_->next_row == reading_->rows_in_block) {
      CALVE_ASSIGN_OR_RETURN(const bool more, reading_->statement.Fetch(context));
      if (!more) {
        reading_.reset();
        break;
      }
      reading_->next_row = 0;
    }
    CALVE_RETURN_IF_ERROR(rows->Reserve());
    CALVE_RETURN_IF_ERROR(reading_->in_blocks ? TakeBlock(reading_->next_row++, rows, &bytes)
                                              : TakeLong(context, rows, &bytes));
    rows->EndRow();
  }
  return ByteCount(bytes);
}

}  // namespace calve::source::odbc
