#include "source/adbc/connection.h"

#include <arrow/array/array_nested.h>
#include <arrow/c/bridge.h>

#include <array>
#include <functional>
#include <stop_token>
#include <utility>

#include "columnar/arrow_status.h"
#include "columnar/row_text.h"
#include "source/adbc/driver.h"
#include "source/adbc/failure.h"

namespace calve::source::adbc {
namespace {

using Options = std::map<std::string, std::string>;

constexpr size_t kNameBytesMax = 1024;

/// A column of an array of structs, without the rows before its slice; null when there is none.
std::shared_ptr<arrow::Array> ColumnOf(const arrow::StructArray& rows, const std::string& name) {
  return rows.GetFieldByName(name);
}

std::string TextAt(const std::shared_ptr<arrow::Array>& texts, int64_t row) {
  if (texts == nullptr || texts->IsNull(row)) return "";
  return columnar::CellText(*texts, row);
}

/// Call `see` with each row of the lists that `lists` has in `row`.
void ForEach(const std::shared_ptr<arrow::Array>& lists, int64_t row,
             const std::function<void(const arrow::StructArray&, int64_t)>& see) {
  if (lists == nullptr || lists->type_id() != arrow::Type::LIST || lists->IsNull(row)) return;
  const auto& list = static_cast<const arrow::ListArray&>(*lists);
  if (list.values()->type_id() != arrow::Type::STRUCT) return;
  const auto& rows = static_cast<const arrow::StructArray&>(*list.values());
  for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) see(rows, i);
}

/// Call `see` with each table of what AdbcConnectionGetObjects gives, with its names.
void ForEachTable(
    const arrow::RecordBatch& objects,
    const std::function<void(const TableName&, const arrow::StructArray&, int64_t)>& see) {
  const auto catalogs = objects.GetColumnByName("catalog_name");
  const auto schemas = objects.GetColumnByName("catalog_db_schemas");
  for (int64_t c = 0; c < objects.num_rows(); ++c) {
    const std::string catalog = TextAt(catalogs, c);
    ForEach(schemas, c, [&](const arrow::StructArray& schema, int64_t s) {
      const std::string schema_name = TextAt(ColumnOf(schema, "db_schema_name"), s);
      ForEach(ColumnOf(schema, "db_schema_tables"), s,
              [&](const arrow::StructArray& table, int64_t t) {
                see({.catalog = catalog,
                     .schema = schema_name,
                     .name = TextAt(ColumnOf(table, "table_name"), t)},
                    table, t);
              });
    });
  }
}

bool IsOfTheSystem(const TableName& table) {
  constexpr std::array<std::string_view, 4> kSchemas = {"information_schema", "pg_catalog",
                                                        "pg_toast", "INFORMATION_SCHEMA"};
  return std::find(kSchemas.begin(), kSchemas.end(), table.schema) != kSchemas.end();
}

}  // namespace

struct Database::Handle {
  AdbcDatabase database = {};
  bool is_new = false;
  ~Handle() {
    Failure ignored;
    if (is_new) (void)AdbcDatabaseRelease(&database, ignored.get());
  }
};

Database::Database(const Address& address)
    : address_(address), handle_(std::make_unique<Handle>()) {}
Database::~Database() = default;

Result<std::shared_ptr<Database>> Database::Open(const Context& context, const Address& address) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  CALVE_RETURN_IF_ERROR(CheckDriver(address.library, address.entrypoint, address.driver));
  std::shared_ptr<Database> opened(new Database(address));
  AdbcDatabase* database = &opened->handle_->database;
  Failure failure;
  const auto fault = [&](AdbcStatusCode status, const std::string& doing) {
    return ErrorOf(context, status, failure.error(), doing, address.secrets);
  };
  AdbcStatusCode status = AdbcDatabaseNew(database, failure.get());
  opened->handle_->is_new = status == ADBC_STATUS_OK;
  Options options = address.options;
  options["driver"] = address.library;
  if (!address.entrypoint.empty()) options["entrypoint"] = address.entrypoint;
  for (const auto& [key, value] : options) {
    if (status != ADBC_STATUS_OK) break;
    status = AdbcDatabaseSetOption(database, key.c_str(), value.c_str(), failure.get());
  }
  // Most options are told to the driver only now.
  if (status == ADBC_STATUS_OK) status = AdbcDatabaseInit(database, failure.get());
  if (status != ADBC_STATUS_OK) return fault(status, "cannot connect to " + address.shown);
  return opened;
}

struct Connection::Handle {
  std::shared_ptr<Database> database;
  AdbcConnection connection = {};
  bool is_new = false;
  ~Handle() {
    Failure ignored;
    if (is_new) (void)AdbcConnectionRelease(&connection, ignored.get());
  }
};

/// A stream and the statement that it is of.
struct ResultStream::Handle {
  std::shared_ptr<Database> database;
  std::shared_ptr<void> connection;  ///< Outlives the statement.
  AdbcStatement statement = {};
  ArrowArrayStream stream = {};
  bool has_statement = false;

  ~Handle() {
    if (stream.release != nullptr) stream.release(&stream);
    Failure ignored;
    if (has_statement) (void)AdbcStatementRelease(&statement, ignored.get());
  }
  /// End what the driver waits for.
  void Cancel() {
    Failure ignored;
    if (has_statement) (void)AdbcStatementCancel(&statement, ignored.get());
  }
  /// What the stream says about its last call.
  Error ErrorOfStream(const Context& context) {
    AdbcStatusCode status = ADBC_STATUS_INTERNAL;
    const std::string doing = database->address().shown;
    if (const AdbcError* error = AdbcErrorFromArrayStream(&stream, &status); error != nullptr)
      return ErrorOf(context, status, *error, doing, database->address().secrets);
    const char* said = stream.get_last_error(&stream);
    AdbcError error = ADBC_ERROR_INIT;
    std::string message = said == nullptr ? "" : said;
    error.message = message.data();
    return ErrorOf(context, status, error, doing, database->address().secrets);
  }
  /// See which columns the stream has.
  Result<std::shared_ptr<arrow::Schema>> Schema(const Context& context) {
    ArrowSchema schema = {};
    if (stream.get_schema(&stream, &schema) != 0) return ErrorOfStream(context);
    return ValueOf(arrow::ImportSchema(&schema));
  }
};

ResultStream::ResultStream(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
ResultStream::~ResultStream() = default;

Result<std::shared_ptr<arrow::RecordBatch>> ResultStream::Next(const Context& context) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  const std::stop_callback cancel(context.stop, [this] { handle_->Cancel(); });
  ArrowArray array = {};
  if (handle_->stream.get_next(&handle_->stream, &array) != 0)
    return handle_->ErrorOfStream(context);
  if (array.release == nullptr) return std::shared_ptr<arrow::RecordBatch>();
  CALVE_ASSIGN_OR_RETURN(auto batch, arrow::ImportRecordBatch(&array, schema_));
  CALVE_RETURN_IF_ERROR(batch->Validate());
  return batch;
}

Connection::Connection(std::shared_ptr<Database> database)
    : database_(std::move(database)), handle_(std::make_shared<Handle>()) {
  handle_->database = database_;
}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::Open(const Context& context,
                                                     std::shared_ptr<Database> database) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  const Address& address = database->address();
  std::unique_ptr<Connection> opened(new Connection(database));
  AdbcConnection* connection = &opened->handle_->connection;
  Failure failure;
  AdbcStatusCode status = AdbcConnectionNew(connection, failure.get());
  opened->handle_->is_new = status == ADBC_STATUS_OK;
  for (const auto& [key, value] : address.connection_options) {
    if (status != ADBC_STATUS_OK) break;
    status = AdbcConnectionSetOption(connection, key.c_str(), value.c_str(), failure.get());
  }
  if (status == ADBC_STATUS_OK)
    status = AdbcConnectionInit(connection, &database->handle_->database, failure.get());
  if (status != ADBC_STATUS_OK) {
    return ErrorOf(context, status, failure.error(), "cannot connect to " + address.shown,
                   address.secrets);
  }
  for (const std::string& statement : address.session)
    CALVE_RETURN_IF_ERROR(opened->Run(context, statement));
  return opened;
}

Status Connection::Set(const Context& context, const std::string& option,
                       const std::string& value) {
  Failure failure;
  const AdbcStatusCode status =
      AdbcConnectionSetOption(&handle_->connection, option.c_str(), value.c_str(), failure.get());
  if (status == ADBC_STATUS_OK) return Status::Ok();
  return ErrorOf(context, status, failure.error(), database_->address().shown,
                 database_->address().secrets);
}

namespace {

/// Make a statement of a connection, ready to run.
AdbcStatusCode Prepare(AdbcConnection* connection, const std::string& sql, const Options& options,
                       AdbcStatement* statement, bool* has_statement, Failure* failure) {
  AdbcStatusCode status = AdbcStatementNew(connection, statement, failure->get());
  *has_statement = status == ADBC_STATUS_OK;
  for (const auto& [key, value] : options) {
    if (status != ADBC_STATUS_OK) return status;
    status = AdbcStatementSetOption(statement, key.c_str(), value.c_str(), failure->get());
  }
  if (status != ADBC_STATUS_OK) return status;
  return AdbcStatementSetSqlQuery(statement, sql.c_str(), failure->get());
}

}  // namespace

Result<std::unique_ptr<ResultStream>> Connection::Query(const Context& context,
                                                        const std::string& sql,
                                                        const Options& statement_options) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  const Address& address = database_->address();
  auto handle = std::make_unique<ResultStream::Handle>();
  handle->database = database_;
  handle->connection = handle_;
  Failure failure;
  Options options = statement_options;
  for (const auto& [key, value] : address.statement_options) options[key] = value;
  AdbcStatusCode status = Prepare(&handle_->connection, sql, options, &handle->statement,
                                  &handle->has_statement, &failure);
  if (status == ADBC_STATUS_OK) {
    const std::stop_callback cancel(context.stop, [&] { handle->Cancel(); });
    status = AdbcStatementExecuteQuery(&handle->statement, &handle->stream, nullptr, failure.get());
  }
  if (status != ADBC_STATUS_OK)
    return ErrorOf(context, status, failure.error(), address.shown, address.secrets);
  CALVE_ASSIGN_OR_RETURN(auto schema, handle->Schema(context));
  std::unique_ptr<ResultStream> stream(new ResultStream(std::move(handle)));
  stream->schema_ = std::move(schema);
  return stream;
}

Status Connection::Run(const Context& context, const std::string& sql) {
  const Address& address = database_->address();
  ResultStream::Handle handle;
  handle.database = database_;
  Failure failure;
  AdbcStatusCode status = Prepare(&handle_->connection, sql, address.statement_options,
                                  &handle.statement, &handle.has_statement, &failure);
  if (status == ADBC_STATUS_OK) {
    const std::stop_callback cancel(context.stop, [&] { handle.Cancel(); });
    status = AdbcStatementExecuteQuery(&handle.statement, nullptr, nullptr, failure.get());
  }
  if (status == ADBC_STATUS_OK) return Status::Ok();
  return ErrorOf(context, status, failure.error(), address.shown, address.secrets);
}

Result<std::shared_ptr<arrow::Schema>> Connection::Describe(const Context& context,
                                                            const std::string& sql) {
  const Address& address = database_->address();
  {
    ResultStream::Handle handle;
    handle.database = database_;
    Failure failure;
    AdbcStatusCode status = Prepare(&handle_->connection, sql, address.statement_options,
                                    &handle.statement, &handle.has_statement, &failure);
    ArrowSchema schema = {};
    if (status == ADBC_STATUS_OK) {
      const std::stop_callback cancel(context.stop, [&] { handle.Cancel(); });
      status = AdbcStatementExecuteSchema(&handle.statement, &schema, failure.get());
    }
    if (status == ADBC_STATUS_OK) return ValueOf(arrow::ImportSchema(&schema));
    if (status != ADBC_STATUS_NOT_IMPLEMENTED)
      return ErrorOf(context, status, failure.error(), address.shown, address.secrets);
  }
  CALVE_ASSIGN_OR_RETURN(const auto stream, Query(context, sql));
  return stream->schema();
}

std::string Connection::CurrentSchema() const {
  std::array<char, kNameBytesMax> name{};
  size_t length = name.size();
  Failure ignored;
  const AdbcStatusCode status =
      AdbcConnectionGetOption(&handle_->connection, ADBC_CONNECTION_OPTION_CURRENT_DB_SCHEMA,
                              name.data(), &length, ignored.get());
  // The length counts the zero at the end.
  if (status != ADBC_STATUS_OK || length == 0 || length > name.size()) return "";
  return std::string(name.data(), length - 1);
}

Result<std::string> Connection::Vendor(const Context& context) {
  ResultStream::Handle handle;
  handle.database = database_;
  Failure ignored;
  const uint32_t code = ADBC_INFO_VENDOR_NAME;
  if (AdbcConnectionGetInfo(&handle_->connection, &code, 1, &handle.stream, ignored.get()) !=
      ADBC_STATUS_OK)
    return std::string();
  CALVE_ASSIGN_OR_RETURN(const auto schema, handle.Schema(context));
  ArrowArray array = {};
  if (handle.stream.get_next(&handle.stream, &array) != 0) return handle.ErrorOfStream(context);
  if (array.release == nullptr) return std::string();
  CALVE_ASSIGN_OR_RETURN(const auto batch, arrow::ImportRecordBatch(&array, schema));
  const auto values = batch->GetColumnByName("info_value");
  if (batch->num_rows() == 0 || values == nullptr || values->type_id() != arrow::Type::DENSE_UNION)
    return std::string();
  const auto& information = static_cast<const arrow::DenseUnionArray&>(*values);
  const auto texts = information.field(information.child_id(0));
  const int64_t row = information.value_offset(0);
  if (texts == nullptr || row >= texts->length()) return std::string();
  return TextAt(texts, row);
}

Result<std::unique_ptr<ResultStream>> Connection::Objects(const Context& context, int depth,
                                                          const TableName* table) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  const Address& address = database_->address();
  auto handle = std::make_unique<ResultStream::Handle>();
  handle->database = database_;
  handle->connection = handle_;
  const auto text = [&](const std::string TableName::* part) {
    return table == nullptr || (table->*part).empty() ? nullptr : (table->*part).c_str();
  };
  Failure failure;
  const AdbcStatusCode status = AdbcConnectionGetObjects(
      &handle_->connection, depth, text(&TableName::catalog), text(&TableName::schema),
      text(&TableName::name), nullptr, nullptr, &handle->stream, failure.get());
  if (status != ADBC_STATUS_OK)
    return ErrorOf(context, status, failure.error(), "cannot list the tables of " + address.shown,
                   address.secrets);
  CALVE_ASSIGN_OR_RETURN(auto schema, handle->Schema(context));
  std::unique_ptr<ResultStream> stream(new ResultStream(std::move(handle)));
  stream->schema_ = std::move(schema);
  return stream;
}

Result<std::vector<TableName>> Connection::Tables(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const auto stream, Objects(context, ADBC_OBJECT_DEPTH_TABLES, nullptr));
  std::vector<TableName> tables;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto batch, stream->Next(context));
    if (batch == nullptr) return tables;
    ForEachTable(*batch, [&](const TableName& table, const arrow::StructArray&, int64_t) {
      if (!IsOfTheSystem(table)) tables.push_back(table);
    });
  }
}

Result<std::vector<std::string>> Connection::PrimaryKey(const Context& context,
                                                        const TableName& table) {
  CALVE_ASSIGN_OR_RETURN(const auto stream, Objects(context, ADBC_OBJECT_DEPTH_ALL, &table));
  std::vector<std::string> key;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto batch, stream->Next(context));
    if (batch == nullptr) return key;
    // Drivers take the names for patterns, in which _ is any character.
    ForEachTable(*batch, [&](const TableName& found, const arrow::StructArray& tables, int64_t t) {
      if (found.name != table.name || found.schema != table.schema) return;
      ForEach(ColumnOf(tables, "table_constraints"), t,
              [&](const arrow::StructArray& constraints, int64_t c) {
                if (TextAt(ColumnOf(constraints, "constraint_type"), c) != "PRIMARY KEY") return;
                const auto columns = ColumnOf(constraints, "constraint_column_names");
                if (columns == nullptr || columns->type_id() != arrow::Type::LIST) return;
                const auto& names = static_cast<const arrow::ListArray&>(*columns);
                for (int64_t i = names.value_offset(c); i < names.value_offset(c + 1); ++i)
                  key.push_back(TextAt(names.values(), i));
              });
    });
  }
}

}  // namespace calve::source::adbc
