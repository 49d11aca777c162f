#include "source/sqlite/sqlite_view.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "base/retry.h"
#include "base/text.h"
#include "columnar/arrow_status.h"
#include "source/sqlite/declared_type.h"
#include "source/sqlite/value_column.h"
#include "source/table_names.h"
#include "source/typing.h"

namespace calve::source::sqlite {
namespace {

using io::SqliteStatement;
using Database = std::shared_ptr<io::SqliteDatabase>;

std::string Quoted(const std::string& text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    quoted += c;
    if (c == quote) quoted += c;
  }
  return quoted + quote;
}

bool IsNumber(const arrow::DataType& type) {
  return type.id() == arrow::Type::INT64 || type.id() == arrow::Type::DOUBLE ||
         type.id() == arrow::Type::DECIMAL128;
}

/// See that a query gives each column a name of its own: within another one SQLite would rename them.
Status CheckNames(io::SqliteDatabase& database, const std::string& query) {
  CALVE_ASSIGN_OR_RETURN(const auto statement, SqliteStatement::Prepare(database, query));
  std::vector<std::string> names;
  for (int i = 0; i < statement.columns(); ++i) names.push_back(statement.Name(i));
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return Status::Ok();
  return ConfigError("query has several columns called '" + *twice +
                     "'; give each a name of its own in the query (AS)");
}

class SqliteReader : public RowReader {
 public:
  SqliteReader(Database database, SqliteStatement statement, std::string place,
               const PlanOptions& options)
      : database_(std::move(database)),
        statement_(std::move(statement)),
        place_(std::move(place)),
        rows_max_(options.batch_rows_max),
        bytes_max_(options.batch_bytes_max.value()) {}

  Status Open(const Relation& relation) {
    arrow::FieldVector fields;
    for (const TableColumn& column : relation.columns) {
      CALVE_ASSIGN_OR_RETURN(auto values, MakeValueColumn(column.type));
      columns_.push_back(std::move(values));
      fields.push_back(arrow::field(column.name, column.type));
    }
    schema_ = arrow::schema(std::move(fields));
    return Status::Ok();
  }

  Result<std::optional<RowsRead>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    RowsRead read;
    int64_t rows = 0;
    int64_t bytes = 0;
    while (!ended_ && rows < rows_max_ && bytes < bytes_max_) {
      Result<bool> more = statement_.Step();
      if (!more.ok()) return While("read " + place_, std::move(more).error());
      if (!*more) {
        ended_ = true;
        break;
      }
      for (size_t i = 0; i < columns_.size(); ++i) {
        const int column = static_cast<int>(i);
        columns_[i]->Take(statement_, column);
        const io::StorageClass storage = statement_.StorageOf(column);
        const bool has_bytes =
            storage == io::StorageClass::kText || storage == io::StorageClass::kBlob;
        bytes += 8 + (has_bytes ? static_cast<int64_t>(statement_.Bytes(column).size()) : 0);
      }
      ++rows;
    }
    if (rows == 0) return std::optional<RowsRead>();
    arrow::ArrayVector arrays;
    for (size_t i = 0; i < columns_.size(); ++i) {
      std::vector<RowsRead::Misfit> misfits;
      CALVE_ASSIGN_OR_RETURN(auto array, columns_[i]->Finish(&misfits));
      arrays.push_back(std::move(array));
      for (RowsRead::Misfit& misfit : misfits) {
        misfit.column = i;
        read.misfits.push_back(std::move(misfit));
      }
    }
    read.KeepFirstOfRow();
    read.rows = arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
    read.bytes = ByteCount(bytes);
    return std::optional<RowsRead>(std::move(read));
  }

 private:
  const Database database_;  // Goes last: the statement is of it.
  SqliteStatement statement_;
  const std::string place_;
  const int64_t rows_max_;
  const int64_t bytes_max_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<ValueColumn>> columns_;
  bool ended_ = false;
};

}  // namespace

config::Shape<SqliteSourceOptions> SqliteSourceOptions::Declaration() {
  using Options = SqliteSourceOptions;
  config::Shape<Options> shape(
      "sqlite source",
      "Read tables, views and queries of a SQLite file, as they are at one moment. A column has "
      "the "
      "type that it was declared with; a value that is stored as another one is held back.");
  shape.Required("path", &Options::path, "The file.",
                 {.example = "data/shop.db", .aliases = {"database"}});
  shape.Include(TableOptions::Declaration());
  shape.Optional(
      "types", &Options::types,
      "Types of columns, in place of those that they were declared with: Iceberg's names.",
      {.example = "{updated_at: timestamptz}"});
  shape.Check("types", [](const Options& o) { return CheckTypes(o.types); });
  return shape;
}

Result<std::shared_ptr<SqliteView>> SqliteView::Open(const Context& context,
                                                     const SqliteSourceOptions& options,
                                                     const std::string& file) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  CALVE_ASSIGN_OR_RETURN(auto database, io::SqliteDatabase::Open(file, {.read_only = true}));
  CALVE_RETURN_IF_ERROR(database.Execute("BEGIN"));
  std::shared_ptr<SqliteView> view(new SqliteView(options, std::move(database)));
  // The transaction begins to see the file with the first read.
  CALVE_RETURN_IF_ERROR(view->Value(context, "SELECT count(*) FROM sqlite_master"));
  return view;
}

Error SqliteView::Explained(Error error) {
  if (error.kind != ErrorKind::kBug) return error;
  error.kind = ErrorKind::kConfig;
  error.message += "; mend table, columns, where or query of the source";
  return error;
}

Result<Database> SqliteView::Take(const Context& context) {
  while (true) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    {
      std::lock_guard lock(mutex_);
      if (!taken_) {
        taken_ = true;
        stop_ = context.stop;
        database_.StopBy(&stop_);
        break;
      }
    }
    CALVE_RETURN_IF_ERROR(Sleep(context, std::chrono::milliseconds(20)));
  }
  const auto give_back = [self = shared_from_this()](io::SqliteDatabase*) {
    std::lock_guard lock(self->mutex_);
    self->database_.StopBy(nullptr);
    self->taken_ = false;
  };
  return Database(&database_, give_back);
}

Result<std::optional<std::string>> SqliteView::Value(const Context& context,
                                                     const std::string& query) {
  CALVE_ASSIGN_OR_RETURN(const Database database, Take(context));
  auto statement = SqliteStatement::Prepare(*database, query);
  if (!statement.ok()) return Explained(std::move(statement).error());
  auto found = statement->Step();
  if (!found.ok()) return Explained(std::move(found).error());
  if (!*found || statement->IsNull(0)) return std::optional<std::string>();
  return std::optional(statement->Text(0));
}

Result<std::vector<std::string>> SqliteView::Names(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const Database database, Take(context));
  CALVE_ASSIGN_OR_RETURN(
      auto statement,
      SqliteStatement::Prepare(*database,
                               "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND "
                               "name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"));
  std::vector<std::string> names;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const bool more, statement.Step());
    if (!more) return names;
    names.push_back(statement.Text(0));
  }
}

Result<std::vector<Relation>> SqliteView::Relations(const Context& context,
                                                    const TableOptions& options) {
  std::vector<Relation> relations;
  if (!options.query.empty()) {
    const std::string query = PlainQuery(options.query);
    relations.push_back(RelationOfQuery(query));
    relations.back().native = query;
    return relations;
  }
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, Names(context));
  for (const std::string& pattern : options.Patterns()) {
    bool any = false;
    for (const std::string& name : names) {
      const bool matches =
          IsPattern(pattern) ? MatchesName(name, pattern) : ToLower(name) == ToLower(pattern);
      if (!matches) continue;
      any = true;
      const bool known = std::any_of(relations.begin(), relations.end(),
                                     [&](const Relation& r) { return r.name == name; });
      if (!known)
        relations.push_back({.name = name, .from = QuoteName(name), .columns = {}, .key = {}});
    }
    if (!any) {
      return NotFoundError("the database " + database_.path() + " has no table or view '" +
                           pattern + "'" + DidYouMean(pattern, names) +
                           "; name it as the database does");
    }
  }
  return relations;
}

Result<std::shared_ptr<arrow::DataType>> SqliteView::TypeOfValues(const Context& context,
                                                                  const Relation& relation,
                                                                  const std::string& name) {
  const std::string column = QuoteName(name);
  CALVE_ASSIGN_OR_RETURN(
      const auto stored,
      Value(context, "SELECT group_concat(t, ' ') FROM (SELECT DISTINCT typeof(" + column +
                         ") AS t FROM " + relation.from + " WHERE " + column +
                         " IS NOT NULL ORDER BY 1)"));
  if (stored == "integer") return arrow::int64();
  if (stored == "real" || stored == "integer real") return arrow::float64();
  if (stored == "blob") return arrow::binary();
  return arrow::utf8();
}

Status SqliteView::Describe(const Context& context, const PlanOptions&, Relation* relation,
                            std::vector<std::string>* notes) {
  std::vector<std::string> unsure;
  {
    CALVE_ASSIGN_OR_RETURN(const Database database, Take(context));
    auto statement =
        SqliteStatement::Prepare(*database, "SELECT * FROM " + relation->from + " LIMIT 0");
    if (!statement.ok()) return While(relation->name, Explained(std::move(statement).error()));
    if (relation->native.has_value()) {
      CALVE_RETURN_IF_ERROR(
          CheckNames(*database, std::any_cast<const std::string&>(relation->native)));
    }
    for (int i = 0; i < statement->columns(); ++i) {
      TableColumn column{.name = statement->Name(i), .type = nullptr, .expression = {}};
      column.expression = QuoteName(column.name);
      const auto given = options_.types.find(column.name);
      if (given != options_.types.end()) {
        CALVE_ASSIGN_OR_RETURN(column.type, ParseColumnType(given->second));
        if (column.type->id() == arrow::Type::INT32) column.type = arrow::int64();
        if (column.type->id() == arrow::Type::FLOAT) column.type = arrow::float64();
      } else {
        column.type = TypeOfDeclaration(statement->DeclaredType(i));
      }
      relation->columns.push_back(std::move(column));
    }
    if (relation->name != "query") {
      CALVE_ASSIGN_OR_RETURN(
          auto keys, SqliteStatement::Prepare(*database, "SELECT name FROM pragma_table_info(" +
                                                             Quoted(relation->name, '\'') +
                                                             ") WHERE pk > 0 ORDER BY pk"));
      while (true) {
        CALVE_ASSIGN_OR_RETURN(const bool more, keys.Step());
        if (!more) break;
        relation->key.push_back(keys.Text(0));
      }
    }
  }
  for (TableColumn& column : relation->columns) {
    if (column.type != nullptr) continue;
    CALVE_ASSIGN_OR_RETURN(column.type, TypeOfValues(context, *relation, column.name));
    notes->push_back(relation->name + ", column " + column.name +
                     " was declared without an exact type and is read as its values are: " +
                     column.type->ToString() + "; set types to say otherwise");
  }
  for (const auto& [name, type] : options_.types) {
    if (relation->Find(name) != nullptr) continue;
    std::vector<std::string> names;
    for (const TableColumn& column : relation->columns) names.push_back(column.name);
    return ConfigError(relation->name + " has no column '" + name + "', which types names" +
                       DidYouMean(name, names));
  }
  return Status::Ok();
}

Result<std::vector<std::string>> SqliteView::Parts(const Context& context, const Relation& relation,
                                                   int64_t) {
  CALVE_ASSIGN_OR_RETURN(const auto any,
                         Value(context, "SELECT 1 FROM " + relation.from + " LIMIT 1"));
  return any.has_value() ? std::vector<std::string>{""} : std::vector<std::string>();
}

std::string SqliteView::TextOf(const TableColumn& column, const std::string& expression) const {
  return column.type->id() == arrow::Type::DOUBLE || column.type->id() == arrow::Type::DECIMAL128
             ? "printf('%!.17g', " + expression + ")"
             : "CAST(" + expression + " AS TEXT)";
}

std::string SqliteView::Literal(const TableColumn& column, const std::string& text) const {
  return IsNumber(*column.type) ? text : Quoted(text, '\'');
}

Result<std::string> SqliteView::Before(const TableColumn& column, const std::string& text,
                                       const LookBack& back) const {
  const arrow::Type::type type = column.type->id();
  const std::string seconds =
      "'-" + std::to_string((back.micros + 999'999) / 1'000'000) + " seconds'";
  if (back.is_time && type == arrow::Type::TIMESTAMP) {
    const std::string_view between = text.size() > 10 && text[10] == 'T' ? "T" : " ";
    return "strftime('%Y-%m-%d" + std::string(between) + "%H:%M:%S', " + Quoted(text, '\'') + ", " +
           seconds + ")";
  }
  if (back.is_time && type == arrow::Type::DATE32)
    return "date(" + Quoted(text, '\'') + ", " + seconds + ")";
  if (!back.is_time && IsNumber(*column.type)) return text + " - " + std::to_string(back.number);
  return ConfigError("column " + column.name + " is of the type " + column.type->ToString() +
                     "; look_back is a time for dates and timestamps, a number for numbers, and "
                     "nothing for others");
}

std::string SqliteView::QuoteName(const std::string& name) const { return Quoted(name, '"'); }

Status SqliteView::CheckCursor(const Relation& relation, const TableColumn& column) const {
  const arrow::Type::type type = column.type->id();
  if (IsNumber(*column.type) || type == arrow::Type::STRING || type == arrow::Type::DATE32 ||
      type == arrow::Type::TIMESTAMP)
    return Status::Ok();
  return ConfigError(relation.name + ", column " + column.name + ": the type " +
                     column.type->ToString() +
                     " cannot be a cursor_column; expected numbers, dates, timestamps or text");
}

Result<std::unique_ptr<RowReader>> SqliteView::Read(const Context& context,
                                                    const Relation& relation,
                                                    const std::string& sql,
                                                    const PlanOptions& options) {
  CALVE_ASSIGN_OR_RETURN(Database database, Take(context));
  auto statement = SqliteStatement::Prepare(*database, sql);
  if (!statement.ok()) return While(relation.name, Explained(std::move(statement).error()));
  auto reader = std::make_unique<SqliteReader>(database, *std::move(statement),
                                               relation.name + " of " + database_.path(), options);
  CALVE_RETURN_IF_ERROR(reader->Open(relation));
  return reader;
}

}  // namespace calve::source::sqlite
