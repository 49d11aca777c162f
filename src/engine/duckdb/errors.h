#pragma once

#include "base/result.h"
#include "engine/duckdb/library.h"
#include "engine/duckdb/query_state.h"
#include "engine/duckdb/sql_text.h"

namespace calve::engine {

/// When an error came up: what a person wrote is wrong, or what the rows hold.
enum class Phase { kBind, kRun };

/// Say DuckDB's error as ours: one sentence, with the place in the person's SQL. An error of ours
/// that went through DuckDB comes out as it went in. `text` and `state` may be null; `skipped`
/// bytes stood before the text when DuckDB parsed it.
Error Translate(const duckdb::ErrorData& error, Phase phase, const SqlText* text, QueryState* state,
                size_t skipped = 0);

/// Call, and translate what DuckDB throws.
template <typename F>
auto Guarded(Phase phase, const SqlText* text, QueryState* state, F&& call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& thrown) {
    return Translate(duckdb::ErrorData(thrown), phase, text, state);
  }
}

}  // namespace calve::engine
