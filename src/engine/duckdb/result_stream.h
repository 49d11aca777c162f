#pragma once

#include <memory>

#include "engine/duckdb/arrow_output.h"
#include "engine/duckdb/errors.h"
#include "engine/duckdb/private_files.h"
#include "engine/duckdb/sql_text.h"
#include "engine/engine.h"

namespace calve::engine {

/// A connection with one query on it, open for as long as its files may be read. Not moved:
/// callbacks point into it.
class RunningQuery {
 public:
  RunningQuery(std::shared_ptr<duckdb::DuckDB> database, std::shared_ptr<OpenQueries> open_queries,
               SqlText text,
               const std::function<duckdb::shared_ptr<QueryState>(const SqlText&)>& make_state);
  ~RunningQuery();
  RunningQuery(const RunningQuery&) = delete;
  RunningQuery& operator=(const RunningQuery&) = delete;

  duckdb::Connection& connection() { return connection_; }
  duckdb::ClientContext& client() { return *connection_.context; }
  const SqlText& text() const { return text_; }
  QueryState& state() { return *state_; }
  /// Let the tables' resolver live as long as the query.
  void Keep(std::shared_ptr<TableResolver> resolver) { resolver_ = std::move(resolver); }
  Error Translate(const duckdb::ErrorData& error, Phase phase) {
    return engine::Translate(error, phase, &text_, state_.get());
  }

 private:
  std::shared_ptr<TableResolver> resolver_;
  const SqlText text_;
  const duckdb::shared_ptr<QueryState> state_;
  const std::shared_ptr<OpenQueries> open_queries_;
  const std::shared_ptr<duckdb::DuckDB> database_;
  duckdb::Connection connection_;
};

/// Interrupts a query once a stop is asked for, as long as it lives.
class InterruptOnStop {
 public:
  InterruptOnStop(const Context& context, duckdb::Connection& connection)
      : callback_(context.stop, [&connection] { connection.Interrupt(); }) {}

 private:
  std::stop_callback<std::function<void()>> callback_;
};

/// Start one parsed statement and stream its rows.
Result<std::unique_ptr<ResultStream>> StartQuery(
    const Context& context, std::unique_ptr<RunningQuery> query,
    duckdb::unique_ptr<duckdb::SQLStatement> statement);

}  // namespace calve::engine
