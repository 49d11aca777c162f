#include "source/postgresql/postgresql_view.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/retry.h"
#include "base/text.h"
#include "source/postgresql/copy_reader.h"
#include "source/table_names.h"

namespace calve::source::postgresql {
namespace {

/// A reader more is worth a connection from so many bytes on.
constexpr int64_t kPartBytes = 32 << 20;
constexpr int kTidRanges = 140'000;  ///< The first version that reads a range of ctid as such.
constexpr std::string_view kTableKinds = "'r', 'p', 'v', 'm', 'f'";

/// The settings that the texts of values depend on, and that nothing ends a connection while it
/// waits for its turn.
std::string SettingsOf(const PostgresqlOptions& options) {
  std::string sql =
      "SELECT set_config('DateStyle', 'ISO, YMD', false), set_config('IntervalStyle', 'iso_8601', "
      "false), set_config('TimeZone', 'UTC', false), set_config('extra_float_digits', '1', false), "
      "set_config('bytea_output', 'hex', false), set_config('standard_conforming_strings', 'on', "
      "false), set_config('idle_in_transaction_session_timeout', '0', false)";
  if (options.statement_timeout.has_value()) {
    sql += ", set_config('statement_timeout', '" +
           std::to_string(options.statement_timeout->count()) + "', false)";
  }
  return sql;
}

/// Schema and name of "schema.name", quoted or not; the schema is empty where none is given.
std::pair<std::string, std::string> SplitName(const std::string& name) {
  const size_t dot = name.find('.');
  if (dot == std::string::npos) return {"", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

const NativeColumn& NativeOf(const TableColumn& column) {
  return std::any_cast<const NativeColumn&>(column.native);
}

}  // namespace

Result<std::shared_ptr<PostgresqlView>> PostgresqlView::Open(const Context& context,
                                                             const PostgresqlOptions& options,
                                                             const std::string& folder) {
  std::shared_ptr<PostgresqlView> view(new PostgresqlView(options, options.ConnectionUri(folder)));
  CALVE_RETURN_IF_ERROR(view->Begin(context));
  return view;
}

Result<PostgresqlView::Connection> PostgresqlView::Connect(const Context& context) const {
  // A server may work at one query for long before it gives a row; TCP tells when it is gone.
  CALVE_ASSIGN_OR_RETURN(
      auto database,
      io::PostgresDatabase::Open(context, uri_, {.answer_timeout = std::chrono::hours(24 * 7)}));
  auto connection = std::make_unique<io::PostgresDatabase>(std::move(database));
  CALVE_RETURN_IF_ERROR(connection->Query(context, SettingsOf(options_)));
  CALVE_RETURN_IF_ERROR(
      connection->Query(context, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
  return connection;
}

Status PostgresqlView::Begin(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(Connection connection, Connect(context));
  shown_ = connection->shown();
  CALVE_ASSIGN_OR_RETURN(
      const auto facts,
      connection->Query(context,
                        "SELECT current_setting('server_version_num'), "
                        "current_setting('server_encoding'), current_setting('block_size'), "
                        "has_function_privilege('pg_catalog.pg_export_snapshot()', 'EXECUTE')"));
  version_ = static_cast<int>(ParseInteger(facts[0][0].value_or("")).value_or(0));
  check_texts_ = facts[0][1] == "SQL_ASCII";
  block_bytes_ = ParseInteger(facts[0][2].value_or("")).value_or(8192);
  if (facts[0][3] == "t") {
    CALVE_ASSIGN_OR_RETURN(const auto exported,
                           connection->Query(context, "SELECT pg_catalog.pg_export_snapshot()"));
    snapshot_ = exported[0][0].value_or("");
  }
  GiveBack(std::move(connection));
  return Status::Ok();
}

Result<PostgresqlView::Connection> PostgresqlView::Take(const Context& context) {
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Connection connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    if (!snapshot_.empty()) break;
    CALVE_RETURN_IF_ERROR(Sleep(context, std::chrono::milliseconds(20)));
  }
  CALVE_ASSIGN_OR_RETURN(Connection connection, Connect(context));
  const auto taken =
      connection->Query(context, "SET TRANSACTION SNAPSHOT " + QuoteLiteral(snapshot_));
  if (!taken.ok()) {
    return TransientError("another connection cannot see the database " + shown_ +
                          " as the first one does: " + taken.error().message);
  }
  return connection;
}

void PostgresqlView::GiveBack(Connection connection) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

Error PostgresqlView::Explained(const io::PostgresDatabase& database, Error error) {
  const std::string& state = database.sql_state();
  if (error.kind == ErrorKind::kRefused && state == "42501") {
    error.message +=
        "; the user needs the right to SELECT from what is read, and USAGE on its schema";
  } else if (state == "42P01" || state == "3F000") {
    error.kind = ErrorKind::kNotFound;
  } else if (error.kind == ErrorKind::kBug && state.starts_with("42")) {
    error.kind = ErrorKind::kConfig;
    error.message += "; mend columns, where or query of the source";
  }
  return error;
}

Result<std::optional<std::string>> PostgresqlView::Value(const Context& context,
                                                         const std::string& query) {
  CALVE_ASSIGN_OR_RETURN(Connection connection, Take(context));
  auto rows = connection->Query(context, query);
  if (!rows.ok()) return Explained(*connection, std::move(rows).error());
  GiveBack(std::move(connection));
  return rows->empty() ? std::nullopt : rows->front().front();
}

Result<std::vector<PostgresqlView::Found>> PostgresqlView::List(const Context& context,
                                                                const std::string& schema) {
  CALVE_ASSIGN_OR_RETURN(Connection connection, Take(context));
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      connection->Query(context,
                        "SELECT n.nspname, c.relname, c.oid, c.relispartition FROM "
                        "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
                        "c.relnamespace WHERE c.relkind IN (" +
                            std::string(kTableKinds) + ") AND n.nspname = " + QuoteLiteral(schema) +
                            " ORDER BY 1, 2"));
  GiveBack(std::move(connection));
  std::vector<Found> found;
  for (const auto& row : rows) {
    found.push_back({.schema = row[0].value_or(""),
                     .name = row[1].value_or(""),
                     .oid = row[2].value_or(""),
                     .is_partition = row[3] == "t"});
  }
  return found;
}

Status PostgresqlView::AddMatches(const Context& context, const std::string& pattern,
                                  std::vector<Relation>* relations) {
  auto [schema, name] = SplitName(pattern);
  if (schema.empty()) schema = options_.schema;
  CALVE_ASSIGN_OR_RETURN(const std::vector<Found> tables, List(context, schema));
  bool any = false;
  std::vector<std::string> names;
  for (const Found& table : tables) {
    names.push_back(table.name);
    // The rows of a partition are those of its table, which a pattern may match as well.
    const bool matches =
        IsPattern(name) ? !table.is_partition && MatchesName(table.name, name) : table.name == name;
    if (!matches) continue;
    any = true;
    const std::string shown = table.schema + "." + table.name;
    const bool known = std::any_of(relations->begin(), relations->end(),
                                   [&](const Relation& r) { return r.name == shown; });
    if (known) continue;
    relations->push_back({.name = shown,
                          .from = QuoteIdentifier(table.schema) + "." + QuoteIdentifier(table.name),
                          .columns = {},
                          .key = {},
                          .native = Native{.oid = table.oid}});
  }
  if (any) return Status::Ok();
  return NotFoundError("the database " + shown_ + " has no table or view '" + name +
                       "' in the schema " + schema + DidYouMean(name, names) +
                       "; name it as the database does, with its schema where that is another");
}

Result<std::vector<Relation>> PostgresqlView::Relations(const Context& context,
                                                        const TableOptions& options) {
  std::vector<Relation> relations;
  if (!options.query.empty()) {
    relations.push_back(RelationOfQuery(PlainQuery(options.query)));
    relations.back().native = Native{};
    return relations;
  }
  for (const std::string& pattern : options.Patterns())
    CALVE_RETURN_IF_ERROR(AddMatches(context, pattern, &relations));
  return relations;
}

Status PostgresqlView::Describe(const Context& context, const PlanOptions& options,
                                Relation* relation, std::vector<std::string>* notes) {
  CALVE_ASSIGN_OR_RETURN(Connection connection, Take(context));
  auto columns = connection->Describe(context, "SELECT * FROM " + relation->from);
  if (!columns.ok())
    return While(relation->name, Explained(*connection, std::move(columns).error()));
  std::vector<std::string> said;
  CALVE_ASSIGN_OR_RETURN(relation->columns, types_.Choose(context, *connection, *columns,
                                                          options.wanted.get(), &said));
  GiveBack(std::move(connection));
  for (const std::string& note : said) notes->push_back(relation->name + ", " + note);
  if (std::any_cast<const Native&>(relation->native).oid.empty()) return Status::Ok();
  CALVE_RETURN_IF_ERROR(DescribeTable(context, relation));
  return MeasureTable(context, relation);
}

Status PostgresqlView::DescribeTable(const Context& context, Relation* relation) {
  const auto& oid = std::any_cast<const Native&>(relation->native).oid;
  CALVE_ASSIGN_OR_RETURN(Connection connection, Take(context));
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      connection->Query(context,
                        "SELECT a.attname, a.attnotnull, i.indrelid IS NOT NULL FROM "
                        "pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_index i ON i.indrelid = "
                        "a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey) WHERE "
                        "a.attrelid = " +
                            oid + " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"));
  GiveBack(std::move(connection));
  for (const auto& row : rows) {
    const std::string name = row[0].value_or("");
    if (row[2] == "t") relation->key.push_back(name);
    for (TableColumn& column : relation->columns) {
      if (column.name == name) column.nullable = row[1] != "t";
    }
  }
  return Status::Ok();
}

Status PostgresqlView::MeasureTable(const Context& context, Relation* relation) {
  auto& native = std::any_cast<Native&>(relation->native);
  CALVE_ASSIGN_OR_RETURN(Connection connection, Take(context));
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      connection->Query(
          context,
          "WITH RECURSIVE leaf(oid) AS (SELECT " + native.oid +
              "::oid UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN leaf ON "
              "i.inhparent = leaf.oid) SELECT coalesce(max(pg_catalog.pg_relation_size(c.oid)), "
              "0), "
              "coalesce(sum(pg_catalog.pg_relation_size(c.oid)), 0)::bigint, bool_and(c.relkind = "
              "'p' OR (c.relkind IN ('r', 'm') AND m.amname = 'heap')) FROM leaf JOIN "
              "pg_catalog.pg_class c ON c.oid = leaf.oid LEFT JOIN pg_catalog.pg_am m ON m.oid = "
              "c.relam"));
  GiveBack(std::move(connection));
  native.largest_bytes = ParseInteger(rows[0][0].value_or("")).value_or(0);
  relation->bytes = ByteCount(ParseInteger(rows[0][1].value_or("")).value_or(0));
  native.has_blocks = rows[0][2] == "t";
  return Status::Ok();
}

Result<std::vector<std::string>> PostgresqlView::Parts(const Context&, const Relation& relation,
                                                       int64_t parts_max) {
  const auto& native = std::any_cast<const Native&>(relation.native);
  if (native.has_blocks && native.largest_bytes == 0) return std::vector<std::string>();
  int64_t parts = 1;
  if (native.has_blocks && version_ >= kTidRanges)
    parts = std::clamp<int64_t>(relation.bytes.value() / kPartBytes, 1, parts_max);
  // A range of blocks of a table is that range of each of its partitions.
  const int64_t blocks = native.largest_bytes / block_bytes_;
  std::vector<std::string> conditions;
  for (int64_t i = 0; i < parts; ++i) {
    const auto at = [&](int64_t part) {
      return "'(" + std::to_string(blocks * part / parts) + ",0)'::tid";
    };
    std::string condition;
    if (i > 0) condition = "ctid >= " + at(i);
    if (i + 1 < parts) condition += (i > 0 ? " AND ctid < " : "ctid < ") + at(i + 1);
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

std::string PostgresqlView::TextOf(const TableColumn&, const std::string& expression) const {
  return "(" + expression + ")::text";
}

std::string PostgresqlView::Literal(const TableColumn& column, const std::string& text) const {
  return QuoteLiteral(text) + "::" + NativeOf(column).type_name;
}

Result<std::string> PostgresqlView::Before(const TableColumn& column, const std::string& text,
                                           const LookBack& back) const {
  constexpr int64_t kDayMicros = 86'400'000'000;
  const std::string literal = Literal(column, text);
  const uint32_t type = NativeOf(column).type;
  const bool is_time = type == 1114 || type == 1184;
  if (is_time && back.is_time)
    return literal + " - interval '" + std::to_string(back.micros) + " microseconds'";
  if (type == 1082 && back.is_time)
    return literal + " - " + std::to_string((back.micros + kDayMicros - 1) / kDayMicros);
  const bool is_number = type == 20 || type == 21 || type == 23 || type == 1700 || type == 700 ||
                         type == 701 || type == 26;
  if (is_number && !back.is_time)
    return "(" + literal + ")::numeric - " + std::to_string(back.number);
  return ConfigError("column " + column.name + " is of the type " + NativeOf(column).type_name +
                     (is_time || type == 1082 ? ": look_back is to be a time, such as 1h"
                      : is_number             ? ": look_back is to be a number"
                                              : ", which has no distances: leave out look_back"));
}

Status PostgresqlView::CheckCursor(const Relation& relation, const TableColumn& column) const {
  constexpr std::array<uint32_t, 16> kOrdered = {20,   21,   23,   26, 700,  701,  1700, 790,
                                                 1082, 1114, 1184, 25, 1042, 1043, 5069, 3220};
  const NativeColumn& native = NativeOf(column);
  if (!native.is_array &&
      std::find(kOrdered.begin(), kOrdered.end(), native.type) != kOrdered.end())
    return Status::Ok();
  return ConfigError(relation.name + ", column " + column.name + ": the type " + native.type_name +
                     " cannot be a cursor_column; expected numbers, dates, timestamps or text");
}

Result<std::unique_ptr<RowReader>> PostgresqlView::Read(const Context& context,
                                                        const Relation& relation,
                                                        const std::string& sql,
                                                        const PlanOptions& options) {
  CALVE_ASSIGN_OR_RETURN(Connection connection, Take(context));
  const std::string place = relation.name + " of the database " + shown_;
  Status begun = connection->BeginCopy(context, "COPY (" + sql + ") TO STDOUT (FORMAT BINARY)");
  if (!begun.ok()) return While("read " + place, Explained(*connection, std::move(begun).error()));
  CopyOptions copy = {.place = place,
                      .batch_rows_max = options.batch_rows_max,
                      .batch_bytes_max = options.batch_bytes_max.value(),
                      .decoding = options_.types().decoding};
  copy.decoding.check_texts = check_texts_;
  return MakeCopyReader({.connection = std::move(connection),
                         .give_back = [self = shared_from_this()](
                                          Connection used) { self->GiveBack(std::move(used)); }},
                        relation, std::move(copy));
}

}  // namespace calve::source::postgresql
