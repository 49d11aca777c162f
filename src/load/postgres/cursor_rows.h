#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "io/postgres.h"
#include "load/postgres/target.h"

namespace calve::load::postgres {

/// One connection that several threads ask in turn. Holds a transaction as long as cursors are read.
struct Session {
  explicit Session(io::PostgresDatabase opened) : database(std::move(opened)) {}
  std::mutex mutex;
  io::PostgresDatabase database;
  std::atomic<int> cursors{0};
};

/// The rows of a relation as the session's transaction sees them, for the engine. `relation` is
/// quoted; the session outlives the table.
Result<engine::ArrowTable> CursorTable(Session& session, const std::string& relation,
                                       const std::vector<TargetColumn>& columns);

}  // namespace calve::load::postgres
