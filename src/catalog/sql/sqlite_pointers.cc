#include <condition_variable>
#include <mutex>
#include <unordered_map>

#include "catalog/sql/connection_pool.h"
#include "catalog/sql/pointer_database.h"
#include "io/sqlite.h"

namespace calve::catalog {
namespace {

constexpr size_t kReadersMax = 4;

/// One connection to the file, whose statements are prepared once.
class SqliteSession : public PointerSession {
 public:
  explicit SqliteSession(io::SqliteDatabase database) : database_(std::move(database)) {}

  Result<std::vector<Row>> Query(const std::string& sql,
                                 const std::vector<std::string>& parameters) override {
    CALVE_ASSIGN_OR_RETURN(const Bound bound, Bind(sql, parameters));
    std::vector<Row> rows;
    while (true) {
      CALVE_ASSIGN_OR_RETURN(const bool more, bound->Step());
      if (!more) return rows;
      Row row;
      for (int i = 0; i < bound->columns(); ++i)
        row.push_back(bound->IsNull(i) ? std::nullopt : std::optional(bound->Text(i)));
      rows.push_back(std::move(row));
    }
  }

  Result<int64_t> Change(const std::string& sql,
                         const std::vector<std::string>& parameters) override {
    CALVE_ASSIGN_OR_RETURN(const Bound bound, Bind(sql, parameters));
    return bound->Run();
  }

  io::SqliteDatabase& database() { return database_; }

 private:
  struct Reset {
    void operator()(io::SqliteStatement* statement) const { statement->Reset(); }
  };
  /// A statement of this connection while it runs; what it read is let go at the end.
  using Bound = std::unique_ptr<io::SqliteStatement, Reset>;

  Result<Bound> Bind(const std::string& sql, const std::vector<std::string>& parameters) {
    auto known = statements_.find(sql);
    if (known == statements_.end()) {
      CALVE_ASSIGN_OR_RETURN(auto statement, io::SqliteStatement::Prepare(database_, sql));
      known = statements_.emplace(sql, std::move(statement)).first;
    }
    for (const std::string& parameter : parameters) known->second.Bind(parameter);
    return Bound(&known->second);
  }

  io::SqliteDatabase database_;
  std::unordered_map<std::string, io::SqliteStatement> statements_;
};

/// Reads by some connections, writes by one. Who comes while a transaction is synced waits, and
/// then one of those who wait commits the work of all of them in the next.
class SqlitePointers : public PointerDatabase {
 public:
  SqlitePointers(const std::string& path, io::SqliteDatabase writer)
      : writer_(std::move(writer)),
        readers_(kReadersMax, [path](const Context&) -> Result<std::unique_ptr<SqliteSession>> {
          CALVE_ASSIGN_OR_RETURN(io::SqliteDatabase database, io::SqliteDatabase::Open(path));
          return std::make_unique<SqliteSession>(std::move(database));
        }) {}

  Status Read(const Context& context, const Work& work) override {
    return readers_.With(context, work);
  }

  Status Write(const Context&, const Work& work) override {
    Waiting own{.work = &work};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&own);
    turn_.wait(lock, [&] { return own.done || !writing_; });
    if (own.done) return own.outcome;
    writing_ = true;
    const std::vector<Waiting*> group = std::exchange(waiting_, {});
    lock.unlock();
    CommitTogether(group);
    lock.lock();
    writing_ = false;
    for (Waiting* one : group) one->done = true;
    lock.unlock();
    turn_.notify_all();
    return own.outcome;
  }

  Result<bool> HasColumn(const Context& context, const std::string& table,
                         const std::string& column) override {
    bool found = false;
    CALVE_RETURN_IF_ERROR(Read(context, [&](PointerSession& session) -> Status {
      CALVE_ASSIGN_OR_RETURN(
          const auto rows,
          session.Query("SELECT 1 FROM pragma_table_info($1) WHERE name = $2", {table, column}));
      found = !rows.empty();
      return Status::Ok();
    }));
    return found;
  }

  std::string_view bytewise() const override { return ""; }

 private:
  struct Waiting {
    const Work* work;
    Status outcome = Status::Ok();
    bool done = false;
  };

  /// Run one work of several, which leaves nothing behind when it fails. Fails itself when the
  /// whole transaction is lost.
  Status RunAlone(Waiting& one) {
    CALVE_RETURN_IF_ERROR(writer_.Change("SAVEPOINT one", {}));
    one.outcome = (*one.work)(writer_);
    // SQLite ends the whole transaction itself when the disk is full or fails.
    if (!one.outcome.ok() && !writer_.Change("ROLLBACK TO one", {}).ok()) return one.outcome;
    return writer_.Change("RELEASE one", {}).status();
  }

  Status RunAndCommit(const std::vector<Waiting*>& group) {
    CALVE_ASSIGN_OR_RETURN(auto transaction, io::SqliteTransaction::Begin(writer_.database()));
    bool any = false;
    for (Waiting* one : group) {
      CALVE_RETURN_IF_ERROR(RunAlone(*one));
      any = any || one->outcome.ok();
    }
    return any ? transaction.Commit() : Status::Ok();
  }

  void CommitTogether(const std::vector<Waiting*>& group) {
    const Status committed = RunAndCommit(group);
    if (committed.ok()) return;
    for (Waiting* one : group) {
      if (one->outcome.ok()) one->outcome = committed;
    }
  }

  SqliteSession writer_;  ///< Of the thread that has set writing_.
  ConnectionPool<SqliteSession> readers_;
  std::mutex mutex_;
  std::condition_variable turn_;
  std::vector<Waiting*> waiting_;  ///< One a thread, which waits in Write.
  bool writing_ = false;
};

}  // namespace

Result<std::unique_ptr<PointerDatabase>> OpenSqlitePointers(const std::string& path) {
  CALVE_ASSIGN_OR_RETURN(io::SqliteDatabase writer, io::SqliteDatabase::Open(path));
  return std::make_unique<SqlitePointers>(path, std::move(writer));
}

}  // namespace calve::catalog
