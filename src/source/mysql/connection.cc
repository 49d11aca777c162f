#include "source/mysql/connection.h"

#include <errmsg.h>
#include <mysql.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <stop_token>
#include <utility>

#include "base/text.h"

namespace calve::source::mysql {
namespace {

constexpr unsigned kConnectSeconds = 10;
/// Every way to log in but the one that sends the password as it is.
constexpr const char* kLogins =
    "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec,dialog,"
    "auth_gssapi_client";

/// Ends what a connection waits for when the run is asked to stop.
class StopsWith {
 public:
  StopsWith(const Context& context, MYSQL* connection)
      : callback_(context.stop, [connection] { mariadb_cancel(connection); }) {}

 private:
  std::stop_callback<std::function<void()>> callback_;
};

std::string OneLine(const char* message) {
  std::string text(Trim(message == nullptr ? "" : message));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// A server that is gone without a word is noticed after about a minute.
void KeepAlive(my_socket socket) {
  const auto set = [&](int level, int option, int value) {
    (void)setsockopt(socket, level, option, &value, sizeof(value));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

/// How many bytes a value takes in a row of the binary protocol; 0: its length stands before it.
int ValueBytes(int type) {
  switch (type) {
    case MYSQL_TYPE_TINY:
      return 1;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
      return 2;
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_FLOAT:
      return 4;
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_DOUBLE:
      return 8;
    default:
      return 0;
  }
}

Field FieldOf(const MYSQL_FIELD& field) {
  Field found{.name = std::string(field.name, field.name_length),
              .type = field.type,
              .flags = field.flags,
              .charset = field.charsetnr,
              .length = field.length,
              .decimals = field.decimals,
              .type_name = {}};
  for (const auto attribute : {MARIADB_FIELD_ATTR_DATA_TYPE_NAME, MARIADB_FIELD_ATTR_FORMAT_NAME}) {
    MARIADB_CONST_STRING name{};
    if (mariadb_field_attr(&name, &field, attribute) == 0 && name.length > 0)
      found.type_name = std::string(name.str, name.length);
  }
  return found;
}

/// A value behind its length (MySQL's manual, Protocol::LengthEncodedString), none where it would
/// go beyond `end`.
std::optional<std::string_view> ReadLengthEncoded(const unsigned char* at,
                                                  const unsigned char* end) {
  if (at >= end) return std::nullopt;
  uint64_t length = *at++;
  if (length >= 251) {
    const size_t bytes = length == 252 ? 2 : length == 253 ? 3 : 8;
    if (static_cast<size_t>(end - at) < bytes) return std::nullopt;
    length = 0;
    std::memcpy(&length, at, bytes);
    at += bytes;
  }
  if (length > static_cast<uint64_t>(end - at)) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(at), length);
}

}  // namespace

std::string Address::Shown() const {
  return username + (username.empty() ? "" : "@") + host +
         (host.starts_with('/') ? "" : ":" + std::to_string(port));
}

void Connection::Close::operator()(st_mysql* connection) const { mysql_close(connection); }
void Connection::Close::operator()(st_mysql_stmt* statement) const { mysql_stmt_close(statement); }

Connection::~Connection() {
  // Rows that nobody wants would be read to their end.
  if (statement_ != nullptr) mariadb_cancel(connection_.get());
}

Result<std::unique_ptr<Connection>> Connection::Open(const Context& context,
                                                     const Address& address) {
  static std::once_flag begun;
  std::call_once(begun, [] { mysql_library_init(0, nullptr, nullptr); });
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  std::unique_ptr<Connection> connection(new Connection(address));
  CALVE_RETURN_IF_ERROR(connection->Connect());
  return connection;
}

Status Connection::Connect() {
  connection_.reset(mysql_init(nullptr));
  if (connection_ == nullptr) return RefusedError("there is no memory for a connection");
  MYSQL* mysql = connection_.get();
  const bool by_socket = address_.host.starts_with('/');
  const auto set = [&](enum mysql_option option, const void* value) {
    (void)mysql_optionsv(mysql, option, value);
  };
  const unsigned protocol = by_socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  const unsigned off = 0;
  set(MYSQL_OPT_PROTOCOL, &protocol);
  set(MYSQL_OPT_CONNECT_TIMEOUT, &kConnectSeconds);
  set(MYSQL_OPT_LOCAL_INFILE, &off);  // Else a server could ask for files of ours.
  set(MYSQL_SET_CHARSET_NAME, "utf8mb4");
  set(MARIADB_OPT_RESTRICTED_AUTH, kLogins);
  (void)mysql_optionsv(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "calve");
  if (address_.may_use_tls) {
    const auto file = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
    (void)mysql_ssl_set(mysql, file(address_.key), file(address_.certificate), file(address_.ca),
                        nullptr, nullptr);
    const my_bool verify = address_.verify_certificate ? 1 : 0;
    set(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  }
  const char* database = address_.database.empty() ? nullptr : address_.database.c_str();
  if (mysql_real_connect(mysql, by_socket ? nullptr : address_.host.c_str(),
                         address_.username.c_str(), address_.password.c_str(), database,
                         static_cast<unsigned>(address_.port),
                         by_socket ? address_.host.c_str() : nullptr, 0) == nullptr) {
    error_number_ = mysql_errno(mysql);
    const std::string said =
        "cannot connect to the database " + shown_ + ": " + OneLine(mysql_error(mysql));
    if (error_number_ == 1049) return NotFoundError(said + "; create it, or name another");
    const bool unreachable = (error_number_ >= 2000 && error_number_ < 3000 &&
                              error_number_ != 2026 && error_number_ != 2059) ||
                             error_number_ == 1040 || error_number_ == 1053;
    if (unreachable) return TransientError(said);
    if (error_number_ == 2026) return RefusedError(said + "; check ssl_mode and ssl_ca");
    return RefusedError(said + "; check username, password and database, then run again");
  }
  if (address_.must_use_tls && mysql_get_ssl_cipher(mysql) == nullptr) {
    return RefusedError("the database " + shown_ +
                        " offers no TLS, and ssl_mode asks for it; set up TLS there, or ssl_mode: "
                        "preferred");
  }
  if (!by_socket) KeepAlive(mysql_get_socket(mysql));
  return Status::Ok();
}

Error Connection::ErrorOf(const Context& context, unsigned number, const char* state,
                          const char* said) {
  error_number_ = number;
  if (context.stop.stop_requested()) return StoppedError("stopped on request");
  const std::string place = "the database " + shown_;
  const std::string words = OneLine(said);
  if (number >= 2000 && number < 3000) {
    return TransientError("the connection to " + place +
                          " was lost: " + (words.empty() ? "it gave no answer" : words));
  }
  switch (number) {
    case 1049:  // No such database, no such table.
    case 1146:
      return NotFoundError(place + ": " + words + "; name it as the database does");
    case 1044:  // Rights on a database, a table, a column, a routine; a privilege; a view.
    case 1142:
    case 1143:
    case 1370:
    case 1227:
    case 1356:
      return RefusedError(place + " refuses: " + words +
                          "; the user needs the right to SELECT from what is read");
    case 1969:  // The statement took too long, by MariaDB and by MySQL.
    case 3024:
      return RefusedError(place + " gave up: " + words +
                          "; set statement_timeout to a longer time, or read less at once");
    case 1053:  // It shuts down; it ran out of connections; locks; killed; the table changed.
    case 1040:
    case 1203:
    case 1205:
    case 1213:
    case 1317:
    case 1412:
    case 1927:
      return TransientError(place + " gave way to another or stops: " + words);
    default:
      break;
  }
  if (std::string_view(state).starts_with("42") || number == 1210 || number == 1248 ||
      number == 1052 || number == 1111 || number == 1292 || number == 1525) {
    return ConfigError(place + ": " + words + "; mend columns, where or query of the source");
  }
  return RefusedError(place + " refuses: " + words + "; mend it and run again");
}

Error Connection::LastError(const Context& context) {
  MYSQL* mysql = connection_.get();
  return ErrorOf(context, mysql_errno(mysql), mysql_sqlstate(mysql), mysql_error(mysql));
}

Error Connection::LastError(const Context& context, st_mysql_stmt* statement) {
  const unsigned number = mysql_stmt_errno(statement);
  // While rows are read, a connection that ends is told by the connection alone, if at all.
  if (number == 0 && mysql_errno(connection_.get()) == 0)
    return ErrorOf(context, CR_SERVER_LOST, "HY000", "it ended");
  if (number == 0) return LastError(context);
  return ErrorOf(context, number, mysql_stmt_sqlstate(statement), mysql_stmt_error(statement));
}

Result<std::vector<Connection::Row>> Connection::Query(const Context& context,
                                                       const std::string& sql) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  const StopsWith stops(context, connection_.get());
  if (mysql_real_query(connection_.get(), sql.data(), sql.size()) != 0) return LastError(context);
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
      mysql_store_result(connection_.get()), &mysql_free_result);
  std::vector<Row> rows;
  if (result == nullptr) {
    if (mysql_field_count(connection_.get()) != 0) return LastError(context);
    return rows;
  }
  while (MYSQL_ROW found = mysql_fetch_row(result.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    Row row;
    for (unsigned i = 0; i < mysql_num_fields(result.get()); ++i) {
      row.push_back(found[i] == nullptr ? std::nullopt
                                        : std::optional(std::string(found[i], lengths[i])));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Connection::Statement> Connection::Prepare(const Context& context, const std::string& sql) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  Statement statement(mysql_stmt_init(connection_.get()));
  if (statement == nullptr) return RefusedError("there is no memory for a statement");
  if (mysql_stmt_prepare(statement.get(), sql.data(), sql.size()) != 0)
    return LastError(context, statement.get());
  if (mysql_stmt_param_count(statement.get()) > 0)
    return ConfigError("the SQL has a ? for a value; write the value itself");
  return statement;
}

Result<std::vector<Field>> Connection::Describe(const Context& context, const std::string& sql) {
  const StopsWith stops(context, connection_.get());
  CALVE_ASSIGN_OR_RETURN(const Statement statement, Prepare(context, sql));
  std::vector<Field> fields;
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> described(
      mysql_stmt_result_metadata(statement.get()), &mysql_free_result);
  if (described == nullptr) {
    return ConfigError("the SQL gives no rows; a query is a SELECT");
  }
  for (unsigned i = 0; i < mysql_num_fields(described.get()); ++i)
    fields.push_back(FieldOf(*mysql_fetch_field_direct(described.get(), i)));
  return fields;
}

Status Connection::Begin(const Context& context, const std::string& sql,
                         const std::vector<Field>& described) {
  const StopsWith stops(context, connection_.get());
  CALVE_ASSIGN_OR_RETURN(Statement statement, Prepare(context, sql));
  mysql_stmt_attr_set(statement.get(), STMT_ATTR_CB_USER_DATA, this);
  mysql_stmt_attr_set(statement.get(), STMT_ATTR_CB_RESULT,
                      reinterpret_cast<const void*>(&Connection::TakeValue));
  if (mysql_stmt_execute(statement.get()) != 0) return LastError(context, statement.get());
  bool same = mysql_stmt_field_count(statement.get()) == described.size();
  value_bytes_.clear();
  for (unsigned i = 0; same && i < described.size(); ++i) {
    const MYSQL_FIELD& field = statement->fields[i];
    same = field.type == described[i].type &&
           (field.flags & UNSIGNED_FLAG) == (described[i].flags & UNSIGNED_FLAG);
    value_bytes_.push_back(ValueBytes(field.type));
  }
  statement_ = std::move(statement);
  if (same) return Status::Ok();
  return TransientError("the columns have changed since the run began; run again");
}

void Connection::TakeValue(void* rows, unsigned column, unsigned char** at) {
  auto& reader = *static_cast<Connection*>(rows);
  if (reader.is_cut_) return;
  if (at == nullptr) {
    reader.rows_->TakeNull(column);
    return;
  }
  const unsigned char* const end = reader.connection_->net.buff_end;
  const auto fixed = static_cast<size_t>(reader.value_bytes_[column]);
  if (fixed > 0) {
    if (static_cast<size_t>(end - *at) < fixed) {
      reader.is_cut_ = true;
      return;
    }
    reader.rows_->Take(column, std::string_view(reinterpret_cast<const char*>(*at), fixed));
    *at += fixed;
    reader.bytes_ += static_cast<int64_t>(fixed);
    return;
  }
  const auto value = ReadLengthEncoded(*at, end);
  if (!value.has_value()) {
    reader.is_cut_ = true;
    return;
  }
  reader.rows_->Take(column, *value);
  *at = reinterpret_cast<unsigned char*>(const_cast<char*>(value->data() + value->size()));
  reader.bytes_ += 1 + static_cast<int64_t>(value->size());
}

Result<ByteCount> Connection::Fetch(const Context& context, RowDecoders* rows, int64_t rows_max,
                                    int64_t bytes_max) {
  if (statement_ == nullptr) return ByteCount(0);
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  const StopsWith stops(context, connection_.get());
  rows_ = rows;
  bytes_ = 0;
  while (rows->rows() < rows_max && bytes_ < bytes_max) {
    CALVE_RETURN_IF_ERROR(rows->Reserve());
    const int fetched = mysql_stmt_fetch(statement_.get());
    if (fetched == MYSQL_NO_DATA) {
      statement_.reset();
      break;
    }
    if (fetched != 0) return LastError(context, statement_.get());
    if (is_cut_) {
      return DataError(
          "the server sent a row that is cut; see that nothing between changes what "
          "it sends");
    }
    rows->EndRow();
  }
  return ByteCount(bytes_);
}

void Connection::Cancel() {
  if (connection_ == nullptr) return;
  const std::string kill = "KILL " + std::to_string(mysql_thread_id(connection_.get()));
  mariadb_cancel(connection_.get());
  statement_.reset();
  connection_.reset();
  Connection other(address_);
  if (other.Connect().ok())
    (void)mysql_real_query(other.connection_.get(), kill.data(), kill.size());
}

}  // namespace calve::source::mysql
