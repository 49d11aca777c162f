#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/option.h"
#include "io/postgres_address.h"
#include "source/postgresql/column_types.h"
#include "source/table_options.h"

namespace calve::source::postgresql {

/// What becomes of dates and timestamps that are infinite.
enum class Infinity { kHoldBack, kNull };
config::Names<Infinity> NamesOf(Infinity);

struct PostgresqlOptions : io::PostgresAddress, TableOptions {
  std::string schema = "public";
  std::optional<std::chrono::milliseconds> statement_timeout;
  std::string numeric = "string";
  Infinity infinity = Infinity::kHoldBack;

  static config::Shape<PostgresqlOptions> Declaration();
  TypePolicy types() const;
};

}  // namespace calve::source::postgresql
