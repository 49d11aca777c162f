#include "io/sqlite.h"

#include <sqlite3.h>

#include <utility>

namespace calve::io {

Result<SqliteDatabase> SqliteDatabase::Open(const std::string& path, const SqliteOptions& options) {
  sqlite3* handle = nullptr;
  const bool create = options.create && !options.read_only;
  const int flags = (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  SqliteDatabase database(handle, path);
  if (code != SQLITE_OK) {
    if (!create && code == SQLITE_CANTOPEN) return NotFoundError("there is no database at " + path);
    return database.ErrorOf(code, "open");
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, options.busy_timeout_ms);
  if (options.read_only) return database;
  CALVE_RETURN_IF_ERROR(database.Execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"));
  return database;
}

SqliteDatabase::SqliteDatabase(SqliteDatabase&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), path_(std::move(other.path_)) {}

SqliteDatabase& SqliteDatabase::operator=(SqliteDatabase&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(path_, other.path_);
  return *this;
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(handle_); }

Error SqliteDatabase::ErrorOf(int code, std::string_view doing) const {
  const std::string place = "the database " + path_;
  const std::string said = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return TransientError(place + " is held by another process that writes; try again");
    case SQLITE_CONSTRAINT:
      return AlreadyExistsError(place + " has such an entry already (" + said + ")");
    case SQLITE_INTERRUPT:
      return StoppedError("stopped on request");
    case SQLITE_FULL:
      return RefusedError("the disk is full: " + place + " cannot grow; make room and run again");
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return BugError(std::string(doing) + " in " + place + ": " + said);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return DataError(place + " is no whole SQLite database (" + said +
                       "); restore it from a backup, or move it away");
    default:
      return RefusedError("cannot " + std::string(doing) + " " + place + ": " + said +
                          "; check its rights and its disk, then run again");
  }
}

Status SqliteDatabase::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status::Ok() : Status(ErrorOf(code, "change"));
}

void SqliteDatabase::StopBy(const std::stop_token* stop) {
  constexpr int kInstructions = 10'000;  // Of SQLite's machine: well below a millisecond.
  const auto asked = [](void* token) {
    return static_cast<const std::stop_token*>(token)->stop_requested() ? 1 : 0;
  };
  sqlite3_progress_handler(handle_, stop == nullptr ? 0 : kInstructions, asked,
                           const_cast<std::stop_token*>(stop));
}

Result<SqliteStatement> SqliteStatement::Prepare(SqliteDatabase& database, std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v2(database.handle_, sql.data(), static_cast<int>(sql.size()),
                                      &handle, nullptr);
  if (code != SQLITE_OK) return database.ErrorOf(code, "prepare a statement");
  return SqliteStatement(&database, handle);
}

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : database_(other.database_),
      handle_(std::exchange(other.handle_, nullptr)),
      next_parameter_(other.next_parameter_),
      bind_error_(other.bind_error_) {}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(handle_); }

SqliteStatement& SqliteStatement::Bind(std::string_view text) {
  bind_error_ |= sqlite3_bind_text64(handle_, next_parameter_++, text.data(), text.size(),
                                     SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int64_t number) {
  bind_error_ |= sqlite3_bind_int64(handle_, next_parameter_++, number);
  return *this;
}

SqliteStatement& SqliteStatement::BindNull() {
  bind_error_ |= sqlite3_bind_null(handle_, next_parameter_++);
  return *this;
}

Result<bool> SqliteStatement::Step() {
  if (bind_error_ != SQLITE_OK) return database_->ErrorOf(bind_error_, "bind a parameter");
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_->ErrorOf(code, "read or change");
}

Result<int64_t> SqliteStatement::Run() {
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const bool more, Step());
    if (!more) return int64_t{sqlite3_changes(database_->handle_)};
  }
}

void SqliteStatement::Reset() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
  next_parameter_ = 1;
  bind_error_ = SQLITE_OK;
}

std::string SqliteStatement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return text == nullptr
             ? std::string()
             : std::string(text, static_cast<size_t>(sqlite3_column_bytes(handle_, column)));
}
int64_t SqliteStatement::Integer(int column) const { return sqlite3_column_int64(handle_, column); }
int SqliteStatement::columns() const { return sqlite3_column_count(handle_); }
double SqliteStatement::Real(int column) const { return sqlite3_column_double(handle_, column); }
StorageClass SqliteStatement::StorageOf(int column) const {
  switch (sqlite3_column_type(handle_, column)) {
    case SQLITE_INTEGER:
      return StorageClass::kInteger;
    case SQLITE_FLOAT:
      return StorageClass::kReal;
    case SQLITE_TEXT:
      return StorageClass::kText;
    case SQLITE_BLOB:
      return StorageClass::kBlob;
    default:
      return StorageClass::kNull;
  }
}
std::string_view SqliteStatement::Bytes(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  return bytes == nullptr
             ? std::string_view("", 0)
             : std::string_view(bytes, static_cast<size_t>(sqlite3_column_bytes(handle_, column)));
}
std::string SqliteStatement::Name(int column) const {
  const char* name = sqlite3_column_name(handle_, column);
  return name == nullptr ? "" : name;
}
std::string SqliteStatement::DeclaredType(int column) const {
  const char* type = sqlite3_column_decltype(handle_, column);
  return type == nullptr ? "" : type;
}
bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

Result<SqliteTransaction> SqliteTransaction::Begin(SqliteDatabase& database) {
  CALVE_RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
  return SqliteTransaction(&database);
}

SqliteTransaction::~SqliteTransaction() {
  if (database_ != nullptr) (void)database_->Execute("ROLLBACK").ok();
}

Status SqliteTransaction::Commit() {
  Status committed = database_->Execute("COMMIT");
  if (committed.ok()) {
    database_ = nullptr;
    return committed;
  }
  // A busy COMMIT leaves the transaction open and unapplied; anything else may have reached the
  // disk.
  if (committed.error().kind == ErrorKind::kTransient) return committed;
  return UnknownOutcomeError(committed.error().message);
}

}  // namespace calve::io
