#include "source/odbc/odbc_view.h"

#include <utility>

#include "base/text.h"
#include "source/key_ranges.h"
#include "source/odbc/value_decoders.h"

namespace calve::source::odbc {
namespace {

const NativeColumn& NativeOf(const TableColumn& column) {
  return std::any_cast<const NativeColumn&>(column.native);
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

Result<std::vector<Relation>> OdbcView::Relations(const Context& context,
                                                  const TableOptions& options) {
  if (!options.query.empty()) {
    const std::string query = PlainQuery(options.query);
    Relation relation = RelationOfQuery(query);
    relation.native = NamedRelation{.table = {}, .query = query};
    return std::vector<Relation>{std::move(relation)};
  }
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  CALVE_ASSIGN_OR_RETURN(const auto tables, connection->Tables(context, "", ""));
  GiveBack(std::move(connection));
  return FindTables(tables, options, options_.schema, *this, address_.shown);
}

Status OdbcView::Describe(const Context& context, const PlanOptions& options, Relation* relation,
                          std::vector<std::string>* notes) {
  const auto& native = std::any_cast<const NamedRelation&>(relation->native);
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
  std::vector<std::string> names;
  for (const TableColumn& column : relation->columns) names.push_back(column.name);
  CALVE_RETURN_IF_ERROR(CheckTypesOf(options_.types, relation->name, names));
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
                                                 int64_t parts_max) {
  if (!options_.chunk_column.empty())
    return PartByColumn(context, *this, relation, options_.chunk_column, parts_max);
  CALVE_ASSIGN_OR_RETURN(const auto any, Value(context, "SELECT 1 FROM " + relation.from));
  return any.has_value() ? std::vector<std::string>{""} : std::vector<std::string>();
}

std::string OdbcView::FromNothing() const {
  return database_kind_.starts_with("Oracle") ? " FROM dual" : "";
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
    case Comparison::kTimestampTz:
    case Comparison::kText:
    case Comparison::kNone:
      return text;
  }
  return text;
}

Result<std::string> OdbcView::Before(const TableColumn& column, const std::string& text,
                                     const LookBack& back) const {
  return ValueBefore(column, NativeOf(column).comparison, text, back,
                     [&](const std::string& value) { return Literal(column, value); });
}

Status OdbcView::CheckCursor(const Relation& relation, const TableColumn& column) const {
  return CheckComparison(relation, column, NativeOf(column).comparison);
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
