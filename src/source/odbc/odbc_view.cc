#include "source/odbc/odbc_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "columnar/text_value.h"
#include "source/odbc/value_decoders.h"

namespace calve::source::odbc {
namespace {

constexpr int64_t kSecondMicros = 1'000'000;
constexpr int64_t kDayMicros = 86'400 * kSecondMicros;

const NativeColumn& NativeOf(const TableColumn& column) {
  return std::any_cast<const NativeColumn&>(column.native);
}

bool IsPattern(const std::string& name) { return name.find_first_of("*?") != std::string::npos; }

std::string PrintDate(int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string PrintTimestamp(int64_t micros) {
  int64_t days = micros / kDayMicros;
  if (micros % kDayMicros < 0) --days;
  const int64_t rest = micros - days * kDayMicros;
  const int64_t seconds = rest / kSecondMicros;
  return PrintDate(days) + fmt::format(" {:02}:{:02}:{:02}.{:06}", seconds / 3600,
                                       seconds / 60 % 60, seconds % 60, rest % kSecondMicros);
}

/// The part of a table's name that parts it from others: its schema, or its catalog where there are
/// no schemas.
const std::string& PlaceOf(const TableName& table) {
  return table.schema.empty() ? table.catalog : table.schema;
}

}  // namespace

class OdbcView::Reader : public RowReader {
 public:
  Reader(std::shared_ptr<OdbcView> view, Held connection, const Relation& relation,
         const PlanOptions& options, std::string place)
      : view_(std::move(view)),
        connection_(std::move(connection)),
        place_(std::move(place)),
        rows_max_(options.batch_rows_max),
        bytes_max_(options.batch_bytes_max.value()),
        rows_(relation, [](const TableColumn& column) {
          return MakeDecoder(NativeOf(column).binding.form, column.type);
        }) {}

  Status Begin(const Context& context, const std::string& sql,
               const std::vector<Binding>& bindings) {
    return connection_->Begin(context, sql, bindings, rows_max_);
  }

  Result<std::optional<RowsRead>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    if (connection_ == nullptr) return std::optional<RowsRead>();
    auto bytes = connection_->Fetch(context, &rows_, rows_max_, bytes_max_);
    if (!bytes.ok()) return While("read " + place_, std::move(bytes).error());
    if (!connection_->IsReading()) view_->GiveBack(std::move(connection_));
    return rows_.Finish(*bytes);
  }

 private:
  const std::shared_ptr<OdbcView> view_;
  Held connection_;
  const std::string place_;
  const int64_t rows_max_;
  const int64_t bytes_max_;
  RowDecoders rows_;
};

Result<std::shared_ptr<OdbcView>> OdbcView::Open(const Context& context,
                                                 const OdbcOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const auto numeric, ParseDecimalPolicy(options.numeric, "numeric"));
  std::shared_ptr<OdbcView> view(
      new OdbcView(options, {.numeric = numeric, .types = options.types}, options.ServerAddress()));
  CALVE_ASSIGN_OR_RETURN(Held connection, view->Take(context));
  view->database_kind_ = connection->database_kind();
  view->name_quote_ = connection->name_quote();
  view->GiveBack(std::move(connection));
  return view;
}

Result<OdbcView::Held> OdbcView::Take(const Context& context) {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Held connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return Connection::Open(context, address_);
}

void OdbcView::GiveBack(Held connection) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

Result<std::optional<std::string>> OdbcView::Value(const Context& context,
                                                   const std::string& query) {
  // One row is asked for by the driver: not every database has LIMIT.
  constexpr std::string_view kLimit = " LIMIT 1";
  std::string sql = query;
  if (sql.ends_with(kLimit)) sql.resize(sql.size() - kLimit.size());
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  CALVE_ASSIGN_OR_RETURN(const auto rows, connection->Query(context, sql, 1));
  GiveBack(std::move(connection));
  return rows.empty() ? std::nullopt : rows.front().front();
}

std::string OdbcView::QuoteName(const std::string& name) const {
  if (name_quote_.empty()) return name;
  std::string quoted = name_quote_;
  for (const char c : name) {
    quoted += c;
    if (name_quote_ == std::string(1, c)) quoted += c;
  }
  return quoted + name_quote_;
}

Relation OdbcView::RelationOf(const TableName& table) const {
  const std::string& place = PlaceOf(table);
  return {.name = place.empty() ? table.name : place + "." + table.name,
          .from = (place.empty() ? "" : QuoteName(place) + ".") + QuoteName(table.name),
          .columns = {},
          .key = {},
          .native = Native{.table = table, .query = {}}};
}

Status OdbcView::AddMatches(const std::string& pattern, const std::vector<TableName>& tables,
                            std::vector<Relation>* relations) const {
  const size_t dot = pattern.find('.');
  const std::string place = dot == std::string::npos ? options_.schema : pattern.substr(0, dot);
  const std::string name = dot == std::string::npos ? pattern : pattern.substr(dot + 1);
  std::vector<std::string> names;
  std::vector<Relation> found;
  for (const TableName& table : tables) {
    names.push_back(table.name);
    if (!place.empty() && PlaceOf(table) != place) continue;
    if (IsPattern(name) ? !MatchesName(table.name, name) : table.name != name) continue;
    found.push_back(RelationOf(table));
  }
  if (found.empty()) {
    return NotFoundError(address_.shown + " has no table or view '" + pattern +
                         "' that the user may see" + DidYouMean(name, names) +
                         "; name it as the database does, with its schema where that is needed");
  }
  if (found.size() > 1 && !IsPattern(name)) {
    return ConfigError("'" + pattern + "' is several tables: " + found[0].name + ", " +
                       found[1].name + "; set schema, or name it with its schema");
  }
  for (Relation& relation : found) {
    const bool known = std::any_of(relations->begin(), relations->end(),
                                   [&](const Relation& r) { return r.name == relation.name; });
    if (!known) relations->push_back(std::move(relation));
  }
  return Status::Ok();
}

Result<std::vector<Relation>> OdbcView::Relations(const Context& context,
                                                  const TableOptions& options) {
  std::vector<Relation> relations;
  if (!options.query.empty()) {
    std::string query(Trim(options.query));
    while (query.ends_with(';')) query.pop_back();
    // The line break ends a comment at the end of the query.
    relations.push_back({.name = "query",
                         .from = "(" + query + "\n) calve_query",
                         .columns = {},
                         .key = {},
                         .native = Native{.table = {}, .query = query}});
    return relations;
  }
  std::vector<std::string> patterns = options.tables;
  if (!options.table.empty()) patterns.push_back(options.table);
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  CALVE_ASSIGN_OR_RETURN(const auto tables, connection->Tables(context, "", ""));
  GiveBack(std::move(connection));
  for (const std::string& pattern : patterns)
    CALVE_RETURN_IF_ERROR(AddMatches(pattern, tables, &relations));
  if (relations.empty())
    return ConfigError("no table is named; name one by table, or a list of names or patterns");
  return relations;
}

Status OdbcView::Describe(const Context& context, const PlanOptions& options, Relation* relation,
                          std::vector<std::string>* notes) {
  const auto& native = std::any_cast<const Native&>(relation->native);
  std::vector<std::string> asked;
  for (const std::string& column : options_.columns) asked.push_back(QuoteName(column));
  // Who reads some columns may have rights to these only. A query is described by itself, since
  // within another one names that stand twice are an error without a name.
  const std::string sql =
      !native.query.empty()
          ? native.query
          : "SELECT " + (asked.empty() ? "*" : Join(asked, ", ")) + " FROM " + relation->from;
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  auto fields = connection->Describe(context, sql);
  if (!fields.ok() && !asked.empty() && fields.error().kind == ErrorKind::kConfig)
    fields = connection->Describe(context, "SELECT * FROM " + relation->from);
  if (!fields.ok()) return While(relation->name, std::move(fields).error());
  std::vector<std::string> said;
  for (const Field& field : *fields) {
    const auto wanted =
        options.wanted == nullptr ? nullptr : options.wanted->GetFieldByName(field.name);
    CALVE_ASSIGN_OR_RETURN(
        TableColumn column,
        ChooseColumn(field, policy_, wanted == nullptr ? nullptr : wanted->type().get(), &said));
    column.expression = QuoteName(field.name);
    relation->columns.push_back(std::move(column));
  }
  for (const auto& [name, type] : options_.types) {
    if (relation->Find(name) != nullptr) continue;
    std::vector<std::string> names;
    for (const TableColumn& column : relation->columns) names.push_back(column.name);
    return ConfigError("types: " + relation->name + " has no column '" + name + "'" +
                       DidYouMean(name, names) + "; name it as the database does");
  }
  for (const std::string& note : said) notes->push_back(relation->name + ", " + note);
  if (!native.table.name.empty()) {
    // Not every driver can tell.
    auto key = connection->PrimaryKey(context, native.table);
    if (key.ok()) relation->key = *std::move(key);
  }
  GiveBack(std::move(connection));
  return Status::Ok();
}

Result<std::vector<std::string>> OdbcView::Parts(const Context& context, const Relation& relation,
                                                 int64_t) {
  CALVE_ASSIGN_OR_RETURN(const auto any, Value(context, "SELECT 1 FROM " + relation.from));
  return any.has_value() ? std::vector<std::string>{""} : std::vector<std::string>();
}

std::string OdbcView::TextOf(const TableColumn&, const std::string& expression) const {
  return expression;  // The driver gives every value as text when it is asked to.
}

std::string OdbcView::Literal(const TableColumn& column, const std::string& text) const {
  switch (NativeOf(column).comparison) {
    case Comparison::kDate:
      return "{d '" + text + "'}";
    case Comparison::kTimestamp:
      return "{ts '" + text + "'}";
    case Comparison::kNumber:
    case Comparison::kNone:
      return text;
  }
  return text;
}

Result<std::string> OdbcView::Before(const TableColumn& column, const std::string& text,
                                     const LookBack& back) const {
  const columnar::TextFormats plain;
  const Comparison comparison = NativeOf(column).comparison;
  if (comparison == Comparison::kNumber && !back.is_time)
    return Literal(column, text) + " - " + std::to_string(back.number);
  if (comparison == Comparison::kDate && back.is_time) {
    const auto days = columnar::ReadDate(text, plain);
    if (days.has_value()) {
      return Literal(column, PrintDate(*days - (back.micros + kDayMicros - 1) / kDayMicros));
    }
  }
  if (comparison == Comparison::kTimestamp && back.is_time) {
    const auto micros = columnar::ReadTimestamp(text, false, kSecondMicros, plain);
    if (micros.has_value()) return Literal(column, PrintTimestamp(*micros - back.micros));
  }
  return ConfigError("column " + column.name +
                     (comparison == Comparison::kNumber
                          ? " is a number: look_back is to be a number"
                          : " is a time: look_back is to be a time, such as 1h"));
}

Status OdbcView::CheckCursor(const Relation& relation, const TableColumn& column) const {
  if (NativeOf(column).comparison != Comparison::kNone) return Status::Ok();
  return ConfigError(relation.name + ", column " + column.name + ": the type " +
                     column.type->ToString() +
                     " cannot be a cursor_column here; expected whole numbers, decimals, dates or "
                     "timestamps");
}

Result<std::unique_ptr<RowReader>> OdbcView::Read(const Context& context, const Relation& relation,
                                                  const std::string& sql,
                                                  const PlanOptions& options) {
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  const std::string place = relation.name + " of " + address_.shown;
  std::vector<Binding> bindings;
  for (const TableColumn& column : relation.columns) bindings.push_back(NativeOf(column).binding);
  auto reader =
      std::make_unique<Reader>(shared_from_this(), std::move(connection), relation, options, place);
  Status begun = reader->Begin(context, sql, bindings);
  if (!begun.ok()) return While("read " + place, std::move(begun).error());
  return reader;
}

}  // namespace calve::source::odbc
