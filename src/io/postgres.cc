#include "io/postgres.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace calve::io {
namespace {

/// How long a call sleeps before it looks whether the run was asked to stop.
constexpr auto kLook = std::chrono::milliseconds(100);
/// So much of a copy is handed to the client library at once, which holds it until it is sent.
constexpr size_t kCopiedBytes = 256 * 1024;

std::string OneLine(const char* message) {
  std::string text(Trim(message == nullptr ? "" : message));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// user@host:port/database of a URI; fails with kConfig when it cannot be read.
Result<std::string> ShownOf(const std::string& uri) {
  char* fault = nullptr;
  PQconninfoOption* options = PQconninfoParse(uri.c_str(), &fault);
  if (options == nullptr) {
    // libpq's message may quote the URI, and with it the password.
    PQfreemem(fault);
    return ConfigError(
        "the address of the database is no PostgreSQL URI; it looks like "
        "postgresql://user:password@host:5432/database");
  }
  std::string user;
  std::string host = "localhost";
  std::string port = "5432";
  std::string database;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view key = option->keyword;
    if (key == "user") user = std::string(option->val) + "@";
    if (key == "host") host = option->val;
    if (key == "port") port = option->val;
    if (key == "dbname") database = std::string("/") + option->val;
  }
  PQconninfoFree(options);
  return user + host + ":" + port + database;
}

bool IsCommit(std::string_view sql) { return sql == "COMMIT"; }

/// Whether what the server says ends without anybody's doing: contention, a start, a stop, a
/// recovery.
bool PassesByItself(std::string_view sql_state) {
  const std::string_view kind = sql_state.substr(0, 2);
  return kind == "08" || kind == "40" || kind == "57";
}

/// What libpq tells of a connection that did not come about.
struct ConnectFailure {
  std::string sql_state;  ///< Empty when no server has answered.
  std::string said;
};

/// Read `... failed: FATAL:  57P03: the database system is starting up LOCATION:  ...`.
ConnectFailure ReadConnectFailure(std::string text) {
  constexpr size_t kStateSize = 5;
  ConnectFailure failure;
  for (size_t at = text.find(":  "); at != std::string::npos; at = text.find(":  ", at + 1)) {
    const std::string_view rest = std::string_view(text).substr(at + 3);
    const std::string_view state = rest.substr(0, kStateSize);
    const bool is_state = rest.size() > kStateSize && rest[kStateSize] == ':' &&
                          std::all_of(state.begin(), state.end(), [](char c) {
                            return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                          });
    if (!is_state) continue;
    failure.sql_state = state;
    text.erase(at + 3, kStateSize + 2);
    break;
  }
  failure.said = text.substr(0, text.find(" LOCATION:"));
  return failure;
}

}  // namespace

void PostgresDatabase::Close::operator()(pg_conn* connection) const { PQfinish(connection); }
void PostgresDatabase::Close::operator()(pg_result* result) const { PQclear(result); }
void PostgresDatabase::Close::operator()(char* copied) const { PQfreemem(copied); }

Result<PostgresDatabase> PostgresDatabase::Open(const Context& context, const std::string& uri,
                                                const PostgresOptions& options) {
  if (!uri.starts_with("postgresql://") && !uri.starts_with("postgres://")) {
    return ConfigError(
        "the address of the database is no PostgreSQL URI; it looks like "
        "postgresql://user:password@host:5432/database");
  }
  CALVE_ASSIGN_OR_RETURN(std::string shown, ShownOf(uri));
  const char* const keys[] = {"dbname", "application_name", "client_encoding", nullptr};
  const char* const values[] = {uri.c_str(), "calve", "UTF8", nullptr};
  Connection connection(PQconnectStartParams(keys, values, /*expand_dbname=*/1));
  if (connection == nullptr) return RefusedError("there is no memory for a connection");
  // Of a connection that is refused, libpq tells the SQLSTATE only in the verbose text.
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  PostgresDatabase database(std::move(connection), std::move(shown), options);
  CALVE_RETURN_IF_ERROR(database.FinishConnecting(context));
  PQsetNoticeProcessor(database.connection_.get(), [](void*, const char*) {}, nullptr);
  if (options.answer_timeout.has_value()) database.options_.timeout = *options.answer_timeout;
  return database;
}

Status PostgresDatabase::FinishConnecting(const Context& context) {
  const Duration until = context.clock->Monotonic() + options_.timeout;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (PQstatus(connection_.get()) != CONNECTION_BAD && state != PGRES_POLLING_OK &&
         state != PGRES_POLLING_FAILED) {
    CALVE_RETURN_IF_ERROR(Wait(context, state == PGRES_POLLING_WRITING, until));
    state = PQconnectPoll(connection_.get());
  }
  if (state == PGRES_POLLING_OK) {
    PQsetErrorVerbosity(connection_.get(), PQERRORS_DEFAULT);
    return Status::Ok();
  }
  const ConnectFailure failure = ReadConnectFailure(OneLine(PQerrorMessage(connection_.get())));
  const std::string message = "cannot connect to the database " + shown_ + ": " + failure.said;
  const bool too_many = failure.sql_state.starts_with("53");
  if (failure.sql_state.empty() || PassesByItself(failure.sql_state) || too_many)
    return TransientError(message);
  return RefusedError(message + "; check user, password and database, then run again");
}

Status PostgresDatabase::Wait(const Context& context, bool for_writing, Duration until) {
  while (true) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    pollfd waited = {.fd = PQsocket(connection_.get()),
                     .events = static_cast<short>(for_writing ? POLLOUT : POLLIN),
                     .revents = 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(kLook.count()));
    if (ready > 0) return Status::Ok();
    if (ready < 0 && errno != EINTR) return TransientError("its connection broke");
    if (context.clock->Monotonic() > until) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options_.timeout);
      return TransientError("the database " + shown_ + " has not answered within " +
                            std::to_string(seconds.count()) + " s");
    }
  }
}

bool PostgresDatabase::IsLost() {
  if (connection_ == nullptr || PQstatus(connection_.get()) == CONNECTION_BAD) return true;
  // A server that goes away says so, and then ends the stream.
  pollfd looked = {.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
  while (::poll(&looked, 1, 0) > 0) {
    if (PQconsumeInput(connection_.get()) != 1) return true;
  }
  return false;
}

Error PostgresDatabase::Lost(const std::string& sql, const std::string& why) {
  connection_.reset();
  if (IsCommit(sql)) {
    return UnknownOutcomeError("the database " + shown_ +
                               " did not say whether it took the commit: " + why);
  }
  return TransientError("the connection to the database " + shown_ + " was lost: " + why);
}

Result<PostgresDatabase::Reply> PostgresDatabase::Run(const Context& context,
                                                      const std::string& sql,
                                                      const std::vector<std::string>& parameters,
                                                      Format format) {
  if (IsLost()) return Lost("", "it was closed before");
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) {
    if (parameter.find('\0') != std::string::npos)
      return ConfigError("a name with a zero byte cannot stand in the database " + shown_);
    values.push_back(parameter.c_str());
  }
  if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, static_cast<int>(format)) != 1)
    return Lost(sql, OneLine(PQerrorMessage(connection_.get())));
  return Await(context, sql);
}

Result<PostgresDatabase::Reply> PostgresDatabase::Await(const Context& context,
                                                        const std::string& sql) {
  // A commit under way is waited for: who stops then would not know what became of it.
  const Context waiting = IsCommit(sql) ? context.WithStop({}) : context;
  const Duration until = context.clock->Monotonic() + options_.timeout;
  Reply last;
  while (true) {
    while (PQisBusy(connection_.get()) == 1) {
      if (Status waited = Wait(waiting, /*for_writing=*/false, until); !waited.ok())
        return GiveUp(sql, std::move(waited).error());
      if (PQconsumeInput(connection_.get()) != 1)
        return Lost(sql, OneLine(PQerrorMessage(connection_.get())));
    }
    Reply reply(PQgetResult(connection_.get()));
    if (reply == nullptr) break;
    last = std::move(reply);
    const ExecStatusType begun = PQresultStatus(last.get());
    if (begun == PGRES_COPY_OUT || begun == PGRES_COPY_IN) break;  // Its rows are still to come.
  }
  if (last == nullptr) return Lost(sql, "it gave no answer");
  const ExecStatusType status = PQresultStatus(last.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_OUT ||
      status == PGRES_COPY_IN)
    return last;
  if (IsLost()) return Lost(sql, OneLine(PQresultErrorMessage(last.get())));
  return ErrorOf(last.get(), sql);
}

Error PostgresDatabase::GiveUp(const std::string& sql, Error why) {
  if (why.kind != ErrorKind::kStopped) return Lost(sql, why.message);
  Cancel();
  return why;
}

void PostgresDatabase::Cancel() {
  if (connection_ == nullptr) return;
  if (PQtransactionStatus(connection_.get()) == PQTRANS_ACTIVE) {
    if (PGcancel* cancel = PQgetCancel(connection_.get()); cancel != nullptr) {
      std::array<char, 256> said{};
      (void)PQcancel(cancel, said.data(), static_cast<int>(said.size()));
      PQfreeCancel(cancel);
    }
  }
  connection_.reset();
}

Result<std::vector<PostgresDatabase::Column>> PostgresDatabase::Describe(const Context& context,
                                                                         const std::string& sql) {
  if (IsLost()) return Lost("", "it was closed before");
  if (PQsendPrepare(connection_.get(), "", sql.c_str(), 0, nullptr) != 1)
    return Lost(sql, OneLine(PQerrorMessage(connection_.get())));
  CALVE_RETURN_IF_ERROR(Await(context, sql));
  if (PQsendDescribePrepared(connection_.get(), "") != 1)
    return Lost(sql, OneLine(PQerrorMessage(connection_.get())));
  CALVE_ASSIGN_OR_RETURN(const Reply reply, Await(context, sql));
  std::vector<Column> columns;
  for (int i = 0; i < PQnfields(reply.get()); ++i) {
    columns.push_back({.name = PQfname(reply.get(), i),
                       .type = PQftype(reply.get(), i),
                       .modifier = PQfmod(reply.get(), i)});
  }
  return columns;
}

Status PostgresDatabase::BeginCopy(const Context& context, const std::string& sql) {
  CALVE_ASSIGN_OR_RETURN(const Reply reply, Run(context, sql, {}));
  if (PQresultStatus(reply.get()) == PGRES_COPY_OUT) return Status::Ok();
  return BugError("'" + sql + "' is no COPY ... TO STDOUT");
}

Result<std::optional<std::string_view>> PostgresDatabase::NextCopied(const Context& context) {
  if (connection_ == nullptr) return Lost("", "it was closed before");
  std::optional<Duration> until;
  while (true) {
    char* row = nullptr;
    const int size = PQgetCopyData(connection_.get(), &row, /*async=*/1);
    copied_.reset(row);
    if (size > 0) return std::optional(std::string_view(row, static_cast<size_t>(size)));
    if (size == -1) break;
    if (size < -1) return Lost("", OneLine(PQerrorMessage(connection_.get())));
    if (!until.has_value()) until = context.clock->Monotonic() + options_.timeout;
    if (Status waited = Wait(context, /*for_writing=*/false, *until); !waited.ok())
      return GiveUp("", std::move(waited).error());
    if (PQconsumeInput(connection_.get()) != 1)
      return Lost("", OneLine(PQerrorMessage(connection_.get())));
  }
  CALVE_RETURN_IF_ERROR(Await(context, "COPY"));
  return std::optional<std::string_view>();
}

Status PostgresDatabase::Flush(const Context& context) {
  std::optional<Duration> until;
  while (true) {
    const int left = PQflush(connection_.get());
    if (left == 0) return Status::Ok();
    if (left < 0) return Lost("", OneLine(PQerrorMessage(connection_.get())));
    if (!until.has_value()) until = context.clock->Monotonic() + options_.timeout;
    if (Status waited = Wait(context, /*for_writing=*/true, *until); !waited.ok())
      return GiveUp("", std::move(waited).error());
  }
}

Status PostgresDatabase::SendCopied(const Context& context, std::string_view data) {
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, kCopiedBytes);
    if (PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size())) != 1)
      return Lost("", OneLine(PQerrorMessage(connection_.get())));
    data.remove_prefix(piece.size());
    CALVE_RETURN_IF_ERROR(Flush(context));
  }
  if (PQputCopyEnd(connection_.get(), nullptr) != 1)
    return Lost("", OneLine(PQerrorMessage(connection_.get())));
  return Flush(context);
}

Result<int64_t> PostgresDatabase::CopyIn(const Context& context, const std::string& sql,
                                         std::string_view data) {
  CALVE_ASSIGN_OR_RETURN(const Reply begun, Run(context, sql, {}));
  if (PQresultStatus(begun.get()) != PGRES_COPY_IN)
    return BugError("'" + sql + "' is no COPY ... FROM STDIN");
  // So that a server which takes nothing is noticed, and a stop is.
  if (PQsetnonblocking(connection_.get(), 1) != 0)
    return Lost("", OneLine(PQerrorMessage(connection_.get())));
  CALVE_RETURN_IF_ERROR(SendCopied(context, data));
  if (PQsetnonblocking(connection_.get(), 0) != 0)
    return Lost("", OneLine(PQerrorMessage(connection_.get())));
  CALVE_ASSIGN_OR_RETURN(const Reply reply, Await(context, sql));
  return ParseInteger(PQcmdTuples(reply.get())).value_or(0);
}

Error PostgresDatabase::ErrorOf(const pg_result* reply, const std::string& sql) {
  const char* code = PQresultErrorField(reply, PG_DIAG_SQLSTATE);
  sql_state_ = code == nullptr ? "" : code;
  const std::string_view state = sql_state_;
  const std::string said = OneLine(PQresultErrorField(reply, PG_DIAG_MESSAGE_PRIMARY));
  const std::string place = "the database " + shown_;
  // Classes of PostgreSQL's error codes (appendix A of its manual).
  const std::string_view kind = state.substr(0, 2);
  if (state == "23505")
    return AlreadyExistsError(place + " has such an entry already (" + said + ")");
  if (PassesByItself(state) || state == "55P03")
    return TransientError(place + " gave way to another writer or stops: " + said);
  if (kind == "53")
    return RefusedError(place + " is short of disk, memory or connections: " + said +
                        "; make room and run again");
  if (kind == "22" || kind == "23" || kind == "25" || kind == "28" || state == "42501")
    return RefusedError(place + " refuses: " + said + "; mend it and run again");
  return BugError(place + " cannot run '" + sql + "': " + said);
}

Result<std::vector<PostgresDatabase::Row>> PostgresDatabase::Query(
    const Context& context, const std::string& sql, const std::vector<std::string>& parameters) {
  CALVE_ASSIGN_OR_RETURN(const Reply reply, Run(context, sql, parameters));
  return RowsOf(reply.get());
}

Result<std::vector<PostgresDatabase::Row>> PostgresDatabase::QueryBinary(const Context& context,
                                                                         const std::string& sql) {
  CALVE_ASSIGN_OR_RETURN(const Reply reply, Run(context, sql, {}, Format::kBinary));
  return RowsOf(reply.get());
}

std::vector<PostgresDatabase::Row> PostgresDatabase::RowsOf(const pg_result* reply) {
  std::vector<Row> rows(static_cast<size_t>(PQntuples(reply)));
  for (size_t i = 0; i < rows.size(); ++i) {
    const int row = static_cast<int>(i);
    for (int column = 0; column < PQnfields(reply); ++column) {
      const bool is_null = PQgetisnull(reply, row, column) == 1;
      rows[i].push_back(is_null ? std::nullopt
                                : std::optional<std::string>(std::string(
                                      PQgetvalue(reply, row, column),
                                      static_cast<size_t>(PQgetlength(reply, row, column)))));
    }
  }
  return rows;
}

Result<int64_t> PostgresDatabase::Change(const Context& context, const std::string& sql,
                                         const std::vector<std::string>& parameters) {
  CALVE_ASSIGN_OR_RETURN(const Reply reply, Run(context, sql, parameters));
  return ParseInteger(PQcmdTuples(reply.get())).value_or(0);
}

}  // namespace calve::io
