#include "source/mysql/mysql_view.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/retry.h"
#include "base/text.h"
#include "source/key_ranges.h"
#include "source/table_names.h"

namespace calve::source::mysql {
namespace {

/// A reader more is worth a connection from so many bytes on.
constexpr int64_t kPartBytes = 32 << 20;
/// How often connections begin until they see the same moment.
constexpr int kBeginningsMax = 200;
constexpr std::string_view kBeginSql = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

const NativeColumn& NativeOf(const TableColumn& column) {
  return std::any_cast<const NativeColumn&>(column.native);
}

/// The server's sql_mode without what changes values: blanks behind char(n), zero dates that
/// become NULL.
std::string ModeFor(const std::string& mode) {
  std::vector<std::string> kept;
  for (const std::string& word : calve::Split(mode, ',')) {
    if (word != "PAD_CHAR_TO_FULL_LENGTH" && word != "NO_ZERO_DATE" && word != "NO_ZERO_IN_DATE" &&
        word != "TRADITIONAL")
      kept.push_back(word);
  }
  return Join(kept, ",");
}

bool KeepsMoments(const std::string& engine) {
  const std::string name = ToLower(engine);
  return name.empty() || name == "innodb" || name == "rocksdb" || name == "tokudb";
}

}  // namespace

class MysqlView::Reader : public RowReader {
 public:
  Reader(std::shared_ptr<MysqlView> view, Held connection, const Relation& relation,
         const PlanOptions& options, std::string place)
      : view_(std::move(view)),
        connection_(std::move(connection)),
        place_(std::move(place)),
        rows_max_(options.batch_rows_max),
        bytes_max_(options.batch_bytes_max.value()),
        rows_(relation, [this](const TableColumn& column) {
          const NativeColumn& native = NativeOf(column);
          DecoderOptions decoding = view_->policy_.decoding;
          decoding.decimals = native.field.decimals;
          return MakeDecoder(native.form, column.type, decoding);
        }) {}

  Status Begin(const Context& context, const std::string& sql,
               const std::vector<Field>& described) {
    return connection_->Begin(context, sql, described);
  }

  ~Reader() override {
    if (connection_ == nullptr) return;
    connection_->Cancel();
    view_->Lose();
  }

  Result<std::optional<RowsRead>> Next(const Context& context) override {
    if (connection_ == nullptr) return std::optional<RowsRead>();
    auto bytes = connection_->Fetch(context, &rows_, rows_max_, bytes_max_);
    if (!bytes.ok()) return While("read " + place_, std::move(bytes).error());
    if (!connection_->IsReading()) view_->GiveBack(std::move(connection_));
    return rows_.Finish(*bytes);
  }

 private:
  const std::shared_ptr<MysqlView> view_;
  Held connection_;
  const std::string place_;
  const int64_t rows_max_;
  const int64_t bytes_max_;
  RowDecoders rows_;
};

Result<std::shared_ptr<MysqlView>> MysqlView::Open(const Context& context,
                                                   const MysqlOptions& options,
                                                   const std::string& folder, int readers) {
  CALVE_ASSIGN_OR_RETURN(Address address, options.ServerAddress(folder));
  CALVE_ASSIGN_OR_RETURN(const auto numeric, ParseDecimalPolicy(options.numeric, "numeric"));
  const TypePolicy policy{.numeric = numeric,
                          .tinyint1_is_boolean = options.tinyint1 == Tinyint1::kBoolean,
                          .decoding = {.zero_dates = options.zero_dates, .time = options.time}};
  std::shared_ptr<MysqlView> view(new MysqlView(options, policy, std::move(address)));
  CALVE_RETURN_IF_ERROR(view->Begin(context, readers));
  return view;
}

Result<MysqlView::Held> MysqlView::Connect(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(Held connection, Connection::Open(context, address_));
  CALVE_ASSIGN_OR_RETURN(const auto facts,
                         connection->Query(context, "SELECT @@version, @@sql_mode"));
  is_mariadb_ = facts[0][0].value_or("").find("MariaDB") != std::string::npos;
  // A reader may wait long for its turn, and for what comes behind it.
  std::string settings =
      "SET SESSION time_zone = '+00:00', net_write_timeout = 31536000, wait_timeout = 31536000, "
      "sql_mode = '" +
      ModeFor(facts[0][1].value_or("")) + "'";
  settings += is_mariadb_ ? ", idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0"
                          : ", information_schema_stats_expiry = 0";
  if (options_.statement_timeout.has_value()) {
    const auto millis = options_.statement_timeout->count();
    settings += is_mariadb_
                    ? ", max_statement_time = " + std::to_string(static_cast<double>(millis) / 1000)
                    : ", max_execution_time = " + std::to_string(millis);
  }
  constexpr unsigned kUnknownVariable = 1193;
  Status set = StatusOf(connection->Query(context, settings));
  if (!set.ok() && connection->error_number() == kUnknownVariable) {
    // Before 8.0 MySQL had no statistics that grow old.
    settings.erase(settings.find(", information_schema_stats_expiry"), 37);
    set = StatusOf(connection->Query(context, settings));
  }
  CALVE_RETURN_IF_ERROR(set);
  CALVE_RETURN_IF_ERROR(
      connection->Query(context, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
  return connection;
}

Result<bool> MysqlView::LogTellsMoments(const Context& context, Connection& connection) const {
  if (!is_mariadb_) return false;
  CALVE_ASSIGN_OR_RETURN(const auto logs,
                         connection.Query(context, "SELECT @@log_bin, @@log_slave_updates"));
  if (logs[0][0] != "1") return false;
  if (logs[0][1] == "1") return true;
  // What comes from another server is not in the log.
  CALVE_ASSIGN_OR_RETURN(
      const auto states,
      connection.Query(context,
                       "SHOW GLOBAL STATUS WHERE Variable_name IN ('Slaves_running', "
                       "'Slave_running', 'wsrep_connected')"));
  return std::all_of(states.begin(), states.end(), [](const Row& row) {
    const std::string state = ToLower(row[1].value_or(""));
    return state == "0" || state == "off" || state.empty();
  });
}

Result<bool> MysqlView::BeginAlike(const Context& context, const std::vector<Held>& connections) {
  CALVE_ASSIGN_OR_RETURN(const bool tells, LogTellsMoments(context, *connections.front()));
  for (int i = 0; tells && i < kBeginningsMax; ++i) {
    for (const Held& connection : connections)
      CALVE_RETURN_IF_ERROR(connection->Query(context, std::string(kBeginSql)));
    std::vector<std::vector<Row>> places;
    for (const Held& connection : connections) {
      CALVE_ASSIGN_OR_RETURN(auto place,
                             connection->Query(context, "SHOW STATUS LIKE 'binlog_snapshot_%'"));
      places.push_back(std::move(place));
    }
    const bool alike = std::all_of(places.begin(), places.end(),
                                   [&](const auto& place) { return place == places.front(); });
    if (alike && !places.front().empty() && places.front()[0][1].value_or("") != "") return true;
  }
  return false;
}

Status MysqlView::BeginLocked(const Context& context, const std::vector<Held>& connections) {
  CALVE_ASSIGN_OR_RETURN(const Held locking, Connect(context));
  CALVE_RETURN_IF_ERROR(locking->Query(context, "SET SESSION lock_wait_timeout = 30"));
  Status locked = StatusOf(locking->Query(context, "FLUSH TABLES WITH READ LOCK"));
  if (!locked.ok()) return While("locking: brief", std::move(locked).error());
  for (const Held& connection : connections)
    CALVE_RETURN_IF_ERROR(connection->Query(context, std::string(kBeginSql)));
  return StatusOf(locking->Query(context, "UNLOCK TABLES"));
}

Status MysqlView::Begin(const Context& context, int readers) {
  std::vector<Held> connections;
  for (int i = 0; i < std::max(1, readers); ++i) {
    CALVE_ASSIGN_OR_RETURN(Held connection, Connect(context));
    connections.push_back(std::move(connection));
  }
  if (readers > 1 && options_.locking == Locking::kBrief) {
    CALVE_RETURN_IF_ERROR(BeginLocked(context, connections));
    shares_ = true;
  } else if (readers > 1) {
    CALVE_ASSIGN_OR_RETURN(shares_, BeginAlike(context, connections));
  }
  if (!shares_) {
    connections.resize(1);
    CALVE_RETURN_IF_ERROR(connections.front()->Query(context, std::string(kBeginSql)));
  }
  alive_ = static_cast<int>(connections.size());
  idle_ = std::move(connections);
  return Status::Ok();
}

Result<MysqlView::Held> MysqlView::Take(const Context& context) {
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Held connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
      if (alive_ == 0) {
        return TransientError("every connection to the database " + address_.Shown() +
                              " was lost, and with them the moment that was read; run again");
      }
    }
    CALVE_RETURN_IF_ERROR(Sleep(context, std::chrono::milliseconds(5)));
  }
}

void MysqlView::GiveBack(Held connection) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

void MysqlView::Lose() {
  std::lock_guard lock(mutex_);
  --alive_;
}

Result<std::vector<MysqlView::Row>> MysqlView::Ask(const Context& context, const std::string& sql) {
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  auto rows = connection->Query(context, sql);
  // A server that says no is still there.
  const bool is_lost = !rows.ok() && (rows.error().kind == ErrorKind::kTransient ||
                                      rows.error().kind == ErrorKind::kStopped);
  if (is_lost) {
    Lose();
  } else {
    GiveBack(std::move(connection));
  }
  return rows;
}

Result<std::optional<std::string>> MysqlView::Value(const Context& context,
                                                    const std::string& query) {
  CALVE_ASSIGN_OR_RETURN(const auto rows, Ask(context, query));
  return rows.empty() ? std::nullopt : rows.front().front();
}

Status MysqlView::AddMatches(const Context& context, const std::string& pattern,
                             std::vector<Relation>* relations) {
  const size_t dot = pattern.find('.');
  const std::string database =
      dot == std::string::npos ? address_.database : pattern.substr(0, dot);
  const std::string name = dot == std::string::npos ? pattern : pattern.substr(dot + 1);
  if (database.empty()) {
    return ConfigError("the table " + name +
                       " is named without its database; set database, or name it database.table");
  }
  CALVE_ASSIGN_OR_RETURN(
      const auto tables,
      Ask(context,
          "SELECT table_name, engine, data_length FROM information_schema.tables WHERE "
          "table_schema = " +
              QuoteText(database) + " AND table_type <> 'SEQUENCE' ORDER BY table_name"));
  bool any = false;
  std::vector<std::string> names;
  for (const Row& table : tables) {
    names.push_back(table[0].value_or(""));
    const std::string& found = names.back();
    if (IsPattern(name) ? !MatchesName(found, name) : found != name) continue;
    any = true;
    const std::string shown = database + "." + found;
    const bool known = std::any_of(relations->begin(), relations->end(),
                                   [&](const Relation& r) { return r.name == shown; });
    if (known) continue;
    relations->push_back({.name = shown,
                          .from = QuoteIdentifier(database) + "." + QuoteIdentifier(found),
                          .columns = {},
                          .key = {},
                          .bytes = ByteCount(ParseInteger(table[2].value_or("0")).value_or(0)),
                          .native = Native{.database = database,
                                           .table = found,
                                           .query = {},
                                           .engine = table[1].value_or(""),
                                           .whole_number = {}}});
  }
  if (any) return Status::Ok();
  return NotFoundError("the database " + database + " on " + address_.Shown() +
                       " has no table or view '" + name + "' that the user may see" +
                       DidYouMean(name, names) +
                       "; name it as the server does, with its database where that is another");
}

Result<std::vector<Relation>> MysqlView::Relations(const Context& context,
                                                   const TableOptions& options) {
  std::vector<Relation> relations;
  if (!options.query.empty()) {
    const std::string query = PlainQuery(options.query);
    relations.push_back(RelationOfQuery(query));
    relations.back().native =
        Native{.database = {}, .table = {}, .query = query, .engine = {}, .whole_number = {}};
    return relations;
  }
  for (const std::string& pattern : options.Patterns())
    CALVE_RETURN_IF_ERROR(AddMatches(context, pattern, &relations));
  return relations;
}

Result<std::vector<Field>> MysqlView::Fields(const Context& context, const Relation& relation) {
  const auto& native = std::any_cast<const Native&>(relation.native);
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  Result<std::vector<Field>> fields = std::vector<Field>();
  if (!native.query.empty()) {
    // By itself, since within another query names that stand twice are an error without a name.
    fields = connection->Describe(context, native.query);
  } else {
    // Who reads some columns may have rights to these only.
    std::vector<std::string> asked;
    for (const std::string& column : options_.columns) asked.push_back(QuoteIdentifier(column));
    const std::string list = asked.empty() ? "*" : Join(asked, ", ");
    fields = connection->Describe(context, "SELECT " + list + " FROM " + relation.from);
    constexpr unsigned kUnknownColumn = 1054;
    if (!fields.ok() && !asked.empty() && connection->error_number() == kUnknownColumn)
      fields = connection->Describe(context, "SELECT * FROM " + relation.from);
  }
  const bool is_lost = !fields.ok() && (fields.error().kind == ErrorKind::kTransient ||
                                        fields.error().kind == ErrorKind::kStopped);
  if (is_lost) {
    Lose();
  } else {
    GiveBack(std::move(connection));
  }
  if (!fields.ok()) return While(relation.name, std::move(fields).error());
  return fields;
}

Status MysqlView::Describe(const Context& context, const PlanOptions& options, Relation* relation,
                           std::vector<std::string>* notes) {
  CALVE_ASSIGN_OR_RETURN(const std::vector<Field> fields, Fields(context, *relation));
  std::vector<std::string> said;
  for (const Field& field : fields) {
    const auto wanted =
        options.wanted == nullptr ? nullptr : options.wanted->GetFieldByName(field.name);
    relation->columns.push_back(
        ChooseColumn(field, policy_, wanted == nullptr ? nullptr : wanted->type().get(), &said));
  }
  for (const std::string& note : said) notes->push_back(relation->name + ", " + note);
  const auto& native = std::any_cast<const Native&>(relation->native);
  if (native.table.empty()) return Status::Ok();
  if (!KeepsMoments(native.engine)) {
    notes->push_back(relation->name + " is kept by " + native.engine +
                     ", which shows rows that are written while it is read");
  }
  const bool is_large = relation->bytes.value() >= 2 * kPartBytes;
  if (is_large && !shares_ && options.parallelism > 1) {
    notes->push_back(relation->name +
                     " is read by one connection, as the server does not tell which moment several "
                     "see; set locking: brief to have them begin under a lock");
  }
  return DescribeTable(context, relation);
}

Status MysqlView::DescribeTable(const Context& context, Relation* relation) {
  auto& native = std::any_cast<Native&>(relation->native);
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      Ask(context,
          "SELECT s.column_name, c.data_type FROM information_schema.statistics s JOIN "
          "information_schema.columns c ON c.table_schema = s.table_schema AND c.table_name = "
          "s.table_name AND c.column_name = s.column_name WHERE s.table_schema = " +
              QuoteText(native.database) + " AND s.table_name = " + QuoteText(native.table) +
              " AND s.index_name = 'PRIMARY' ORDER BY s.seq_in_index"));
  constexpr std::array<std::string_view, 5> kWhole = {"tinyint", "smallint", "mediumint", "int",
                                                      "bigint"};
  for (const Row& row : rows) {
    relation->key.push_back(row[0].value_or(""));
    const bool is_whole =
        std::find(kWhole.begin(), kWhole.end(), row[1].value_or("")) != kWhole.end();
    if (relation->key.size() == 1 && is_whole && KeepsMoments(native.engine))
      native.whole_number = row[0].value_or("");
  }
  return Status::Ok();
}

Result<std::vector<std::string>> MysqlView::Parts(const Context& context, const Relation& relation,
                                                  int64_t parts_max) {
  const auto& native = std::any_cast<const Native&>(relation.native);
  if (native.table.empty()) return std::vector<std::string>{""};
  const int64_t parts = std::clamp<int64_t>(relation.bytes.value() / kPartBytes, 1, parts_max);
  if (parts == 1 || !shares_ || native.whole_number.empty()) {
    CALVE_ASSIGN_OR_RETURN(const auto any,
                           Value(context, "SELECT 1 FROM " + relation.from + " LIMIT 1"));
    return any.has_value() ? std::vector<std::string>{""} : std::vector<std::string>();
  }
  const std::string key = QuoteIdentifier(native.whole_number);
  CALVE_ASSIGN_OR_RETURN(const auto ends, Ask(context, "SELECT min(" + key + "), max(" + key +
                                                           ") FROM " + relation.from));
  if (!ends[0][0].has_value()) return std::vector<std::string>();
  // InnoDB takes a large range for half of the table, and a small one for up to twice its rows.
  const auto count = [&](Key first, Key last) -> Result<int64_t> {
    CALVE_ASSIGN_OR_RETURN(
        const auto plan,
        Ask(context, "EXPLAIN SELECT 1 FROM " + relation.from + " WHERE " + key + " BETWEEN " +
                         PrintKey(first) + " AND " + PrintKey(last)));
    // Behind "ref" stands how many rows are expected; MySQL has "partitions" before.
    const size_t place = is_mariadb_ ? 8 : 9;
    if (plan.empty() || plan[0].size() <= place) return 0;
    return ParseInteger(plan[0][place].value_or("")).value_or(0);
  };
  CALVE_ASSIGN_OR_RETURN(const auto ranges,
                         PartKeys({.first = ParseKey(*ends[0][0]), .last = ParseKey(*ends[0][1])},
                                  std::max<int64_t>(2, parts / 2), count));
  return ConditionsOf(ranges, key);
}

std::string MysqlView::TextOf(const TableColumn& column, const std::string& expression) const {
  // A FLOAT prints fewer digits than it has; as a double it prints all.
  if (NativeOf(column).comparison == Comparison::kReal)
    return "CAST((" + expression + ") + 0e0 AS CHAR)";
  return "CAST(" + expression + " AS CHAR)";
}

std::string MysqlView::Literal(const TableColumn& column, const std::string& text) const {
  switch (NativeOf(column).comparison) {
    case Comparison::kNumber:
      return text;
    case Comparison::kReal:
      return text.find('e') == std::string::npos ? text + "e0" : text;
    case Comparison::kDate:
      return "CAST('" + text + "' AS DATE)";
    case Comparison::kTimestamp:
      return "CAST('" + text + "' AS DATETIME(6))";
    case Comparison::kText:
    case Comparison::kNone:
      return QuoteText(text);
  }
  return text;
}

Result<std::string> MysqlView::Before(const TableColumn& column, const std::string& text,
                                      const LookBack& back) const {
  constexpr int64_t kDayMicros = 86'400'000'000;
  const std::string literal = Literal(column, text);
  const Comparison comparison = NativeOf(column).comparison;
  const bool is_time = comparison == Comparison::kTimestamp || comparison == Comparison::kDate;
  const bool is_number = comparison == Comparison::kNumber || comparison == Comparison::kReal;
  if (comparison == Comparison::kTimestamp && back.is_time)
    return literal + " - INTERVAL " + std::to_string(back.micros) + " MICROSECOND";
  if (comparison == Comparison::kDate && back.is_time) {
    return literal + " - INTERVAL " + std::to_string((back.micros + kDayMicros - 1) / kDayMicros) +
           " DAY";
  }
  if (is_number && !back.is_time) return literal + " - " + std::to_string(back.number);
  return ConfigError("column " + column.name +
                     (is_time     ? " is a time: look_back is to be a time, such as 1h"
                      : is_number ? " is a number: look_back is to be a number"
                                  : " has no distances: leave out look_back"));
}

Status MysqlView::CheckCursor(const Relation& relation, const TableColumn& column) const {
  if (NativeOf(column).comparison != Comparison::kNone) return Status::Ok();
  return ConfigError(
      relation.name + ", column " + column.name + ": the type " + column.type->ToString() +
      " cannot be a cursor_column here; expected numbers, dates, timestamps or text");
}

Result<std::unique_ptr<RowReader>> MysqlView::Read(const Context& context, const Relation& relation,
                                                   const std::string& sql,
                                                   const PlanOptions& options) {
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  const std::string place = relation.name + " of the database " + address_.Shown();
  std::vector<Field> described;
  for (const TableColumn& column : relation.columns) described.push_back(NativeOf(column).field);
  auto reader =
      std::make_unique<Reader>(shared_from_this(), std::move(connection), relation, options, place);
  Status begun = reader->Begin(context, sql, described);
  if (!begun.ok()) return While("read " + place, std::move(begun).error());
  return reader;
}

}  // namespace calve::source::mysql
