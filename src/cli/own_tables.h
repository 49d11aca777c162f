#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/context.h"
#include "engine/engine.h"

namespace calve::cli {

class Program;

/// What calve knows, as tables for SQL: calve.runs, calve.audits, calve.tables. By name without
/// `calve.`.
std::map<std::string, std::function<Result<engine::ArrowTable>(const Context& context)>> OwnTables(
    Program& program);

}  // namespace calve::cli
