#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace calve::io {

struct SqliteOptions {
  bool create =
      true;  ///< Make the file (and its folder's entry) when it is missing; else kNotFound.
  int busy_timeout_ms = 30'000;  ///< How long to wait for another process that writes.
  bool read_only = false;        ///< Change nothing, the kind of journal neither.
};

/// One connection to a SQLite file, in WAL mode, every commit synced to disk. One thread at a time.
///
/// Errors: kTransient when another process held the file for too long, kAlreadyExists when a key is
/// taken, kRefused when the disk is full, the file cannot be opened or is no database, kBug for SQL
/// that does not fit. Messages name the file.
class SqliteDatabase {
 public:
  static Result<SqliteDatabase> Open(const std::string& path, const SqliteOptions& options = {});
  SqliteDatabase(SqliteDatabase&& other) noexcept;
  SqliteDatabase& operator=(SqliteDatabase&& other) noexcept;
  ~SqliteDatabase();

  /// Run statements that give no rows.
  Status Execute(const char* sql);
  /// Let what runs end with kStopped once a stop is asked for; `stop` outlives the database.
  void StopBy(const std::stop_token* stop);
  const std::string& path() const { return path_; }

 private:
  friend class SqliteStatement;
  SqliteDatabase(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  Error ErrorOf(int code, std::string_view doing) const;

  sqlite3* handle_ = nullptr;
  std::string path_;
};

/// How SQLite has stored a value.
enum class StorageClass { kInteger, kReal, kText, kBlob, kNull };

/// One statement with its parameters bound, then stepped. The database outlives it.
class SqliteStatement {
 public:
  static Result<SqliteStatement> Prepare(SqliteDatabase& database, std::string_view sql);
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  ~SqliteStatement();

  /// Bind the next parameter, from the first on.
  SqliteStatement& Bind(std::string_view text);
  SqliteStatement& Bind(int64_t number);
  SqliteStatement& BindNull();

  /// Go to the next row: false at the end.
  Result<bool> Step();
  /// Run to the end and give the number of rows that were changed.
  Result<int64_t> Run();
  /// Forget the bindings, to run again.
  void Reset();

  /// The number of columns that each row has.
  int columns() const;
  std::string Text(int column) const;  ///< "" for NULL.
  int64_t Integer(int column) const;
  double Real(int column) const;
  bool IsNull(int column) const;
  StorageClass StorageOf(int column) const;
  /// The bytes of a text or a blob, until the next step.
  std::string_view Bytes(int column) const;
  std::string Name(int column) const;
  /// The type that the column was declared with; "" of an expression.
  std::string DeclaredType(int column) const;

 private:
  SqliteStatement(SqliteDatabase* database, sqlite3_stmt* handle)
      : database_(database), handle_(handle) {}
  SqliteDatabase* database_;
  sqlite3_stmt* handle_ = nullptr;
  int next_parameter_ = 1;
  int bind_error_ = 0;
};

/// A transaction that writes (BEGIN IMMEDIATE); rolled back when destroyed without Commit.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> Begin(SqliteDatabase& database);
  SqliteTransaction(SqliteTransaction&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)) {}
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();
  /// Fails with kUnknownOutcome when the disk did not say whether the commit is there.
  Status Commit();

 private:
  explicit SqliteTransaction(SqliteDatabase* database) : database_(database) {}
  SqliteDatabase* database_;
};

}  // namespace calve::io
