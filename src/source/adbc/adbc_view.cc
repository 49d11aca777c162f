#include "source/adbc/adbc_view.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/row_text.h"
#include "source/adbc/column_cast.h"
#include "source/key_ranges.h"
#include "source/table_names.h"

namespace calve::source::adbc {
namespace {

using Options = std::map<std::string, std::string>;

std::vector<std::string> NamesOf(const Relation& relation) {
  std::vector<std::string> names;
  for (const TableColumn& column : relation.columns) names.push_back(column.name);
  return names;
}

/// The columns of a relation as an Arrow schema.
std::shared_ptr<arrow::Schema> SchemaOf(const Relation& relation) {
  arrow::FieldVector fields;
  for (const TableColumn& column : relation.columns)
    fields.push_back(arrow::field(column.name, column.type));
  return arrow::schema(std::move(fields));
}

}  // namespace

/// Gives a driver's batches in slices that are as small as was asked for.
class AdbcView::Reader : public RowReader {
 public:
  Reader(std::shared_ptr<AdbcView> view, Held connection, const Relation& relation,
         const PlanOptions& options, std::string place)
      : view_(std::move(view)),
        connection_(std::move(connection)),
        schema_(SchemaOf(relation)),
        place_(std::move(place)),
        rows_max_(options.batch_rows_max),
        bytes_max_(options.batch_bytes_max.value()) {}

  Status Begin(const Context& context, const std::string& sql) {
    Options options;
    if (const std::string& option = view_->dialect_.batch_bytes_option; !option.empty())
      options[option] = std::to_string(bytes_max_);
    CALVE_ASSIGN_OR_RETURN(stream_, connection_->Query(context, sql, options));
    if (stream_->schema()->num_fields() == schema_->num_fields()) return Status::Ok();
    return TransientError("the columns are no longer those that the plan found; run again");
  }

  Result<std::optional<RowsRead>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    while (stream_ != nullptr && (batch_ == nullptr || next_row_ == batch_->num_rows())) {
      auto batch = stream_->Next(context);
      if (!batch.ok()) return While("read " + place_, std::move(batch).error());
      batch_ = *std::move(batch);
      next_row_ = 0;
      if (batch_ != nullptr) continue;
      stream_.reset();
      view_->GiveBack(std::move(connection_));
    }
    if (batch_ == nullptr) return std::optional<RowsRead>();
    return Take();
  }

 private:
  /// The next rows of the batch, as many as are asked for.
  Result<std::optional<RowsRead>> Take() {
    const int64_t row_bytes =
        std::max<int64_t>(1, columnar::BatchBytes(*batch_) / batch_->num_rows());
    const int64_t rows = std::min(std::clamp<int64_t>(bytes_max_ / row_bytes, 1, rows_max_),
                                  batch_->num_rows() - next_row_);
    const auto slice = batch_->Slice(next_row_, rows);
    next_row_ += rows;
    RowsRead read;
    arrow::ArrayVector arrays;
    for (int i = 0; i < slice->num_columns(); ++i) {
      const size_t before = read.misfits.size();
      CALVE_ASSIGN_OR_RETURN(
          auto array, CastColumn(slice->column(i), schema_->field(i)->type(), &read.misfits));
      for (size_t m = before; m < read.misfits.size(); ++m)
        read.misfits[m].column = static_cast<size_t>(i);
      arrays.push_back(std::move(array));
    }
    read.KeepFirstOfRow();
    read.rows = arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
    read.bytes = ByteCount(row_bytes * rows);
    return std::optional<RowsRead>(std::move(read));
  }

  const std::shared_ptr<AdbcView> view_;
  Held connection_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::string place_;
  const int64_t rows_max_;
  const int64_t bytes_max_;
  std::unique_ptr<ResultStream> stream_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t next_row_ = 0;
};

Result<std::shared_ptr<AdbcView>> AdbcView::Open(const Context& context,
                                                 const DriverTableOptions& options,
                                                 const Address& address) {
  CALVE_ASSIGN_OR_RETURN(const auto numeric, ParseDecimalPolicy(options.numeric, "numeric"));
  CALVE_ASSIGN_OR_RETURN(auto database, Database::Open(context, address));
  std::shared_ptr<AdbcView> view(
      new AdbcView(options, {.numeric = numeric, .types = options.types}, std::move(database)));
  CALVE_ASSIGN_OR_RETURN(Held connection, view->Take(context));
  CALVE_ASSIGN_OR_RETURN(const std::string vendor, connection->Vendor(context));
  view->dialect_ = Dialect::Of(vendor);
  view->schema_ = options.schema.empty() ? connection->CurrentSchema() : options.schema;
  view->GiveBack(std::move(connection));
  return view;
}

Result<AdbcView::Held> AdbcView::Take(const Context& context) {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Held connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return Connection::Open(context, database_);
}

void AdbcView::GiveBack(Held connection) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

Result<std::vector<Relation>> AdbcView::Relations(const Context& context,
                                                  const TableOptions& options) {
  if (!options.query.empty()) {
    const std::string query = PlainQuery(options.query);
    Relation relation = RelationOfQuery(query);
    relation.native = NamedRelation{.table = {}, .query = query};
    return std::vector<Relation>{std::move(relation)};
  }
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  CALVE_ASSIGN_OR_RETURN(const auto tables, connection->Tables(context));
  GiveBack(std::move(connection));
  return FindTables(tables, options, schema_, *this, shown());
}

Status AdbcView::DescribeQuery(const Context& context, const std::string& sql,
                               std::shared_ptr<arrow::Schema>* given,
                               std::shared_ptr<arrow::Schema>* declared) {
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  CALVE_ASSIGN_OR_RETURN(*given, connection->Describe(context, sql));
  *declared = *given;
  if (!dialect_.numbers_option.empty()) {
    CALVE_RETURN_IF_ERROR(
        connection->Set(context, dialect_.numbers_option, dialect_.declared_numbers));
    CALVE_ASSIGN_OR_RETURN(*declared, connection->Describe(context, sql));
    CALVE_RETURN_IF_ERROR(
        connection->Set(context, dialect_.numbers_option, dialect_.exact_numbers));
  }
  GiveBack(std::move(connection));
  return Status::Ok();
}

Status AdbcView::Describe(const Context& context, const PlanOptions& options, Relation* relation,
                          std::vector<std::string>* notes) {
  const auto& native = std::any_cast<const NamedRelation&>(relation->native);
  const auto select = [&](const std::string& list) {
    return "SELECT " + list + " FROM " + relation->from;
  };
  std::vector<std::string> asked;
  for (const std::string& column : options_.columns) asked.push_back(QuoteName(column));
  std::shared_ptr<arrow::Schema> given;
  std::shared_ptr<arrow::Schema> declared;
  // Who reads some columns may have rights to these only. A query is described by itself, since
  // within another one names that stand twice are an error without a name.
  const std::string sql = !native.query.empty() ? native.query
                          : asked.empty()       ? select("*")
                                                : select(Join(asked, ", "));
  Status described = DescribeQuery(context, sql, &given, &declared);
  if (!described.ok() && native.query.empty() && !asked.empty() &&
      described.error().kind == ErrorKind::kConfig)
    described = DescribeQuery(context, select("*"), &given, &declared);
  if (!described.ok()) return While(relation->name, std::move(described).error());
  std::vector<std::string> said;
  for (int i = 0; i < given->num_fields(); ++i) {
    const arrow::Field& field = *given->field(i);
    const auto wanted =
        options.wanted == nullptr ? nullptr : options.wanted->GetFieldByName(field.name());
    auto column = ChooseColumn(field, *declared->field(i), policy_,
                               wanted == nullptr ? nullptr : wanted->type().get(), &said);
    if (!column.ok()) return While(relation->name, std::move(column).error());
    column->expression = QuoteName(field.name());
    relation->columns.push_back(*std::move(column));
  }
  CALVE_RETURN_IF_ERROR(CheckTypesOf(options_.types, relation->name, NamesOf(*relation)));
  for (const std::string& note : said) notes->push_back(relation->name + ", " + note);
  if (native.table.name.empty()) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  // Not every driver can tell.
  auto key = connection->PrimaryKey(context, native.table);
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  if (key.ok()) {
    relation->key = *std::move(key);
    GiveBack(std::move(connection));
  }
  return Status::Ok();
}

Result<std::vector<std::string>> AdbcView::Parts(const Context& context, const Relation& relation,
                                                 int64_t parts_max) {
  if (!options_.chunk_column.empty())
    return PartByColumn(context, *this, relation, options_.chunk_column, parts_max);
  CALVE_ASSIGN_OR_RETURN(const auto any,
                         Value(context, "SELECT 1 FROM " + relation.from + " LIMIT 1"));
  return any.has_value() ? std::vector<std::string>{""} : std::vector<std::string>();
}

Result<std::optional<std::string>> AdbcView::Value(const Context& context,
                                                   const std::string& query) {
  constexpr std::string_view kLimit = " LIMIT 1";
  std::string sql = query;
  if (sql.ends_with(kLimit))
    sql.replace(sql.size() - kLimit.size(), kLimit.size(), dialect_.one_row);
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  std::optional<std::string> value;
  {
    CALVE_ASSIGN_OR_RETURN(const auto stream, connection->Query(context, sql));
    std::shared_ptr<arrow::RecordBatch> batch;
    do {
      CALVE_ASSIGN_OR_RETURN(batch, stream->Next(context));
    } while (batch != nullptr && batch->num_rows() == 0);
    if (batch != nullptr && batch->num_columns() > 0 && !batch->column(0)->IsNull(0)) {
      const auto first = batch->column(0)->Slice(0, 1);
      std::vector<std::string> ignored;
      const arrow::Field field("value", first->type());
      CALVE_ASSIGN_OR_RETURN(const TableColumn column,
                             ChooseColumn(field, field, {}, nullptr, &ignored));
      std::vector<RowsRead::Misfit> misfits;
      CALVE_ASSIGN_OR_RETURN(const auto exact, CastColumn(first, column.type, &misfits));
      if (!misfits.empty())
        return DataError(shown() + ": " + misfits.front().reason + ", in: " + sql);
      value = columnar::CellText(*exact, 0);
    }
  }
  GiveBack(std::move(connection));
  return value;
}

std::string AdbcView::TextOf(const TableColumn&, const std::string& expression) const {
  return expression;  // Value prints what the driver gives.
}

std::string AdbcView::Literal(const TableColumn& column, const std::string& text) const {
  return dialect_.Literal(ComparisonOf(column), text);
}

Result<std::string> AdbcView::Before(const TableColumn& column, const std::string& text,
                                     const LookBack& back) const {
  return ValueBefore(column, ComparisonOf(column), text, back,
                     [&](const std::string& value) { return Literal(column, value); });
}

std::string AdbcView::QuoteName(const std::string& name) const { return dialect_.QuoteName(name); }

Status AdbcView::CheckCursor(const Relation& relation, const TableColumn& column) const {
  return CheckComparison(relation, column, ComparisonOf(column));
}

Result<std::unique_ptr<RowReader>> AdbcView::Read(const Context& context, const Relation& relation,
                                                  const std::string& sql,
                                                  const PlanOptions& options) {
  CALVE_ASSIGN_OR_RETURN(Held connection, Take(context));
  const std::string place = relation.name + " of " + shown();
  auto reader =
      std::make_unique<Reader>(shared_from_this(), std::move(connection), relation, options, place);
  Status begun = reader->Begin(context, sql);
  if (!begun.ok()) return While("read " + place, std::move(begun).error());
  return reader;
}

}  // namespace calve::source::adbc
