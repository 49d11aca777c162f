#include "load/postgres/book.h"

#include "audit/check.h"
#include "base/text.h"

namespace calve::load::postgres {
namespace {

int64_t NumberOf(const std::optional<std::string>& text) {
  return ParseInteger(text.value_or("")).value_or(0);
}

}  // namespace

Result<bool> Book::IsThere(const Context& context, io::PostgresDatabase& database) const {
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      database.Query(context, "SELECT pg_catalog.to_regclass($1) IS NOT NULL", {name_.Quoted()}));
  return rows[0][0] == "t";
}

Result<std::optional<Book::Entry>> Book::Find(const Context& context,
                                              io::PostgresDatabase& database) const {
  CALVE_ASSIGN_OR_RETURN(const bool is_there, IsThere(context, database));
  if (!is_there) return std::optional<Entry>();
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      database.Query(context,
                     "SELECT id, state, coalesce(ledger, '') FROM " + name_.Quoted() +
                         " WHERE job = $1 AND loaded = $2 AND state IS NOT NULL ORDER BY id DESC "
                         "LIMIT 1",
                     {job_, table_}));
  if (rows.empty()) return std::optional<Entry>();
  return std::optional(
      Entry{.id = NumberOf(rows[0][0]),
            .position = {.state = rows[0][1].value_or(""), .ledger = rows[0][2].value_or("")}});
}

Result<std::vector<int64_t>> Book::RowsOfLoads(const Context& context,
                                               io::PostgresDatabase& database,
                                               int64_t count) const {
  std::vector<int64_t> counts;
  CALVE_ASSIGN_OR_RETURN(const bool is_there, IsThere(context, database));
  if (!is_there) return counts;
  CALVE_ASSIGN_OR_RETURN(const auto rows,
                         database.Query(context,
                                        "SELECT row_count FROM " + name_.Quoted() +
                                            " WHERE job = $1 AND loaded = $2 ORDER BY id DESC "
                                            "LIMIT $3::bigint",
                                        {job_, table_, std::to_string(count)}));
  for (const auto& row : rows) counts.push_back(NumberOf(row[0]));
  return counts;
}

Result<bool> Book::HasRun(const Context& context, io::PostgresDatabase& database,
                          const std::string& run) const {
  CALVE_ASSIGN_OR_RETURN(const bool is_there, IsThere(context, database));
  if (!is_there) return false;
  CALVE_ASSIGN_OR_RETURN(const auto rows,
                         database.Query(context,
                                        "SELECT 1 FROM " + name_.Quoted() +
                                            " WHERE job = $1 AND loaded = $2 AND run = $3",
                                        {job_, table_, run}));
  return !rows.empty();
}

Status Book::Lock(const Context& context, io::PostgresDatabase& database) const {
  return StatusOf(
      database.Query(context,
                     "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('calve'), "
                     "pg_catalog.hashtext($1))",
                     {name_.schema + "." + table_}));
}

Status Book::Make(const Context& context, io::PostgresDatabase& database) const {
  CALVE_ASSIGN_OR_RETURN(const bool is_there, IsThere(context, database));
  if (is_there) return Status::Ok();
  // Loads into other tables of the schema may be about to make it too.
  CALVE_RETURN_IF_ERROR(
      database.Query(context,
                     "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('calve_loads'), "
                     "pg_catalog.hashtext($1))",
                     {name_.schema}));
  CALVE_RETURN_IF_ERROR(database.Query(
      context,
      "CREATE TABLE IF NOT EXISTS " + name_.Quoted() +
          " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job text NOT NULL, "
          "loaded text NOT NULL, run text NOT NULL, row_count bigint NOT NULL, state text, "
          "ledger text, committed_at timestamptz NOT NULL DEFAULT now())"));
  return StatusOf(database.Query(context, "COMMENT ON TABLE " + name_.Quoted() +
                                              " IS 'calve: how far each job has loaded its "
                                              "source; without it a job begins anew'"));
}

Status Book::Forget(const Context& context, io::PostgresDatabase& database) const {
  return StatusOf(
      database.Change(context, "DELETE FROM " + name_.Quoted() + " WHERE job = $1 AND loaded = $2",
                      {job_, table_}));
}

Status Book::Add(const Context& context, io::PostgresDatabase& database, const std::string& run,
                 int64_t rows, const std::optional<commit::Position>& position) const {
  std::string values = "$1, $2, $3, $4::bigint";
  std::vector<std::string> parameters = {job_, table_, run, std::to_string(rows)};
  if (position.has_value()) {
    values += ", $5, nullif($6, '')";
    parameters.push_back(position->state);
    parameters.push_back(position->ledger);
  }
  CALVE_RETURN_IF_ERROR(database.Change(
      context,
      "INSERT INTO " + name_.Quoted() + " (job, loaded, run, row_count" +
          (position.has_value() ? ", state, ledger" : "") + ") VALUES (" + values + ")",
      parameters));
  // Of older ones only the numbers of rows are of use, and of those the last.
  if (position.has_value()) {
    CALVE_RETURN_IF_ERROR(database.Change(context,
                                          "UPDATE " + name_.Quoted() +
                                              " SET ledger = NULL WHERE job = $1 AND loaded = $2 "
                                              "AND ledger IS NOT NULL AND run <> $3",
                                          {job_, table_, run}));
  }
  return StatusOf(database.Change(
      context,
      "DELETE FROM " + name_.Quoted() +
          " WHERE job = $1 AND loaded = $2 AND id < (SELECT max(id) FROM " + name_.Quoted() +
          " WHERE job = $1 AND loaded = $2 AND state IS NOT NULL) AND id NOT IN (SELECT id FROM " +
          name_.Quoted() + " WHERE job = $1 AND loaded = $2 ORDER BY id DESC LIMIT $3::bigint)",
      {job_, table_, std::to_string(audit::kLoadsMax)}));
}

}  // namespace calve::load::postgres
