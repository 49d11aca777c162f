#include <fmt/format.h>

#include <duckdb/main/valid_checker.hpp>
#include <duckdb/planner/planner.hpp>

#include <charconv>
#include <mutex>
#include <set>

#include "base/random.h"
#include "base/text.h"
#include "engine/duckdb/batch_scan.h"
#include "engine/duckdb/change_query.h"
#include "engine/duckdb/errors.h"
#include "engine/duckdb/expressions.h"
#include "engine/duckdb/kept_variants.h"
#include "engine/duckdb/library.h"
#include "engine/duckdb/private_files.h"
#include "engine/duckdb/result_stream.h"
#include "engine/duckdb/statement.h"
#include "engine/duckdb/table_names.h"
#include "engine/duckdb/table_scan.h"
#include "engine/duckdb/types.h"
#include "engine/engine.h"

namespace calve::engine {
namespace {

/// With less than this DuckDB cannot hold the blocks that one query pins.
constexpr int64_t kMemoryLeast = 32'000'000;

/// A name that nobody guesses. It guards files from SQL that people send, so it comes from the
/// machine's entropy, not from a seed.
std::string NewSecret() {
  Random entropy = Random::FromEntropy();
  return fmt::format("{:016x}{:016x}", entropy.Next(), entropy.Next());
}

/// The table functions that SQL of people may call: they reach no file, no network, no setting and
/// no memory of the process.
const std::set<std::string>& HarmlessTableFunctions() {
  static const std::set<std::string> names{
      "calve_batches",   "calve_table",    "duckdb_columns", "duckdb_databases", "duckdb_functions",
      "duckdb_keywords", "duckdb_schemas", "duckdb_tables",  "duckdb_types",     "duckdb_views",
      "generate_series", "iceberg",        "json_each",      "json_tree",        "query",
      "query_table",     "range",          "repeat",         "repeat_row",       "summary",
      "unnest",          "unnest_list"};
  return names;
}

void RemoveOtherTableFunctions(duckdb::ClientContext& client) {
  auto& catalog = duckdb::Catalog::GetSystemCatalog(client);
  std::vector<std::string> removed;
  catalog.GetSchema(client, DEFAULT_SCHEMA)
      .Scan(client, duckdb::CatalogType::TABLE_FUNCTION_ENTRY, [&](duckdb::CatalogEntry& entry) {
        // Macros stay: they can call only what is left.
        const bool is_function = entry.type == duckdb::CatalogType::TABLE_FUNCTION_ENTRY;
        if (is_function && !HarmlessTableFunctions().contains(ToLower(entry.name)))
          removed.push_back(entry.name);
      });
  for (const auto& name : removed) {
    duckdb::DropInfo drop;
    drop.type = duckdb::CatalogType::TABLE_FUNCTION_ENTRY;
    drop.schema = DEFAULT_SCHEMA;
    drop.name = name;
    drop.cascade = true;
    drop.allow_drop_internal = true;
    catalog.DropEntry(client, drop);
  }
}

/// Gives a statement's query the table that is changed, by kTargetTable and, at the same snapshot, by
/// every other name that it has.
class TargetResolver : public TableResolver {
 public:
  TargetResolver(IcebergTable target, IcebergTable with_row_ids, TableResolver* others)
      : target_(std::move(target)), with_row_ids_(std::move(with_row_ids)), others_(others) {}

  Result<ResolvedTable> Resolve(const Context& context, const TableReference& reference) override {
    if (reference.parts == std::vector<std::string>{kTargetTable})
      return ResolvedTable(with_row_ids_);
    CALVE_ASSIGN_OR_RETURN(ResolvedTable table, others_->Resolve(context, reference));
    const auto* iceberg = std::get_if<IcebergTable>(&table);
    const bool at_another_moment = reference.ref.has_value() || reference.snapshot_id.has_value() ||
                                   reference.as_of_ms.has_value();
    if (iceberg == nullptr || at_another_moment ||
        iceberg->metadata->table_uuid != target_.metadata->table_uuid)
      return table;
    return ResolvedTable(target_);
  }

 private:
  const IcebergTable target_;
  const IcebergTable with_row_ids_;
  TableResolver* const others_;
};

/// The table with columns for the ids of its rows and the bytes of its variants, where its format has
/// them.
Result<IcebergTable> WithRowIds(const IcebergTable& table) {
  if (table.metadata->format_version < 3) return table;
  std::vector<iceberg::Field> fields = table.schema->fields();
  for (iceberg::Field& kept : KeptVariants(fields)) fields.push_back(std::move(kept));
  fields.push_back(
      {.id = iceberg::reserved::kRowId, .name = kRowIdColumn, .type = iceberg::Type::Long()});
  IcebergTable with_ids = table;
  CALVE_ASSIGN_OR_RETURN(with_ids.schema,
                         iceberg::Schema::Make(table.schema->id(), std::move(fields)));
  return with_ids;
}

Result<TargetColumns> ColumnsOfTarget(const IcebergTable& table, std::string name) {
  TargetColumns columns;
  columns.name = std::move(name);
  columns.has_row_ids = table.metadata->format_version >= 3;
  duckdb::vector<std::string> names;
  for (const iceberg::Field& field : table.schema->fields()) {
    if (field.name == "_file" || field.name == "_pos" || field.name == kRowIdColumn) {
      return RefusedError("column " + field.name +
                          " has a name that Iceberg reserves, so statements cannot change rows of "
                          "its table; rename it");
    }
    names.push_back(field.name);
    CALVE_ASSIGN_OR_RETURN(duckdb::LogicalType type, ToDuckType(field.type));
    columns.types.push_back(std::move(type));
    columns.defaults.push_back(field.write_default.has_value()
                                   ? ToDuckValue(field.type, *field.write_default)
                                   : duckdb::Value());
  }
  duckdb::QueryResult::DeduplicateColumns(names);  // as the table's scan has them
  columns.names.assign(names.begin(), names.end());
  return columns;
}

void RunSetup(duckdb::Connection& connection, const std::string& sql) {
  const auto result = connection.Query(sql);
  if (result->HasError()) result->ThrowError();
}

class DuckDbEngine : public Engine {
 public:
  DuckDbEngine(io::FileSystem& files, const EngineOptions& options)
      : files_(files), options_(options), open_queries_(std::make_shared<OpenQueries>()) {}

  /// Throws DuckDB's exceptions.
  void Open() { database_ = NewDatabase(); }

  Result<std::unique_ptr<ResultStream>> Query(const Context& context, const std::string& sql,
                                              const QueryOptions& options) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    return Guarded(Phase::kBind, nullptr, nullptr, [&]() -> Result<std::unique_ptr<ResultStream>> {
      CALVE_ASSIGN_OR_RETURN(auto query, Begin(context, sql, options));
      CALVE_ASSIGN_OR_RETURN(auto statement, ParseStatement(*query));
      return StartQuery(context, std::move(query), std::move(statement));
    });
  }

  Result<std::shared_ptr<arrow::Schema>> Describe(const Context& context, const std::string& sql,
                                                  const QueryOptions& options) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    return Guarded(Phase::kBind, nullptr, nullptr, [&]() -> Result<std::shared_ptr<arrow::Schema>> {
      CALVE_ASSIGN_OR_RETURN(auto query, Begin(context, sql, options));
      CALVE_ASSIGN_OR_RETURN(auto statement, ParseStatement(*query));
      return DescribeStatement(*query, std::move(statement));
    });
  }

  Result<Statement> Parse(const Context& context, const std::string& sql,
                          const QueryOptions& options) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(const auto query, Begin(context, sql, options));
    return Guarded(Phase::kBind, &query->text(), &query->state(), [&]() -> Result<Statement> {
      CALVE_ASSIGN_OR_RETURN(const auto parsed, ExtractStatement(*query));
      return ReadStatement(*parsed, query->text(), QueriesOf(*query));
    });
  }

  Result<RowChanges> Changes(const Context& context, const std::string& sql,
                             const IcebergTable& target, const QueryOptions& options) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(IcebergTable with_row_ids, WithRowIds(target));
    auto resolver =
        std::make_shared<TargetResolver>(target, std::move(with_row_ids), options.resolver);
    CALVE_ASSIGN_OR_RETURN(
        auto query, Begin(context, sql, {.resolver = resolver.get(), .tables = options.tables}));
    query->Keep(resolver);
    return Guarded(Phase::kBind, &query->text(), &query->state(), [&]() -> Result<RowChanges> {
      CALVE_ASSIGN_OR_RETURN(const auto parsed, ExtractStatement(*query));
      const auto names_of = [&](duckdb::unique_ptr<duckdb::SQLStatement> part) {
        return ValueOrThrow(query->state(), DescribeStatement(*query, std::move(part)))
            ->field_names();
      };
      const Statement read = ReadStatement(*parsed, query->text(), QueriesOf(*query));
      CALVE_ASSIGN_OR_RETURN(const TargetColumns columns,
                             ColumnsOfTarget(target, read.target.parts.back()));
      ChangeQuery change = MakeChangeQuery(*parsed, columns, names_of);
      RowChanges changes;
      if (change.names_rows) {
        changes.file = changes.columns++;
        changes.position = changes.columns++;
        if (columns.has_row_ids && change.has_columns) changes.row_id = changes.columns++;
      }
      if (change.says_comes) changes.comes = changes.columns++;
      CALVE_ASSIGN_OR_RETURN(changes.rows,
                             StartQuery(context, std::move(query), std::move(change.statement)));
      return changes;
    });
  }

  Result<std::unique_ptr<BatchExpressions>> Compile(
      const Context& context, const std::shared_ptr<arrow::Schema>& input,
      const std::vector<std::string>& expressions, const std::vector<std::string>& names) override {
    return Guarded(Phase::kBind, nullptr, nullptr,
                   [&]() -> Result<std::unique_ptr<BatchExpressions>> {
                     return CompileExpressions(context, BeginExpressions(context, input), input,
                                               expressions, names);
                   });
  }

  Result<std::vector<std::string>> ColumnsOf(const Context& context,
                                             const std::shared_ptr<arrow::Schema>& input,
                                             const std::string& expression) override {
    return Guarded(Phase::kBind, nullptr, nullptr, [&]() -> Result<std::vector<std::string>> {
      return ColumnsRead(BeginExpressions(context, input), input, expression);
    });
  }

 private:
  std::shared_ptr<duckdb::DuckDB> NewDatabase() {
    duckdb::DBConfig config;
    config.options.maximum_memory =
        static_cast<duckdb::idx_t>(std::max(options_.memory_limit.value(), kMemoryLeast));
    config.options.maximum_threads = static_cast<duckdb::idx_t>(std::max(options_.threads, 1));
    config.options.use_temporary_directory = !options_.spill_folder.empty();
    config.options.temporary_directory = options_.spill_folder;
    config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
    // Private names are never met again.
    config.SetOptionByName("enable_external_file_cache", duckdb::Value::BOOLEAN(false));
    AddTableNames(config);
    auto database = std::make_shared<duckdb::DuckDB>(nullptr, &config);
    database->GetFileSystem().RegisterSubSystem(duckdb::make_uniq<PrivateFiles>(open_queries_));
    duckdb::Connection connection(*database);
    connection.context->RunFunctionInTransaction([&] {
      RegisterTableScan(*connection.context);
      RegisterBatchScan(*connection.context);
      RegisterIcebergFunction(*connection.context);
      if (options_.locked) RemoveOtherTableFunctions(*connection.context);
    });
    RunSetup(connection, "SET GLOBAL TimeZone = 'UTC'");
    if (!options_.locked) return database;
    RunSetup(connection, fmt::format("SET GLOBAL allowed_directories = ['{}']", kPrivateScheme));
    RunSetup(connection, "SET GLOBAL enable_external_access = false");
    RunSetup(connection, "SET GLOBAL lock_configuration = true");
    return database;
  }

  /// DuckDB shuts an instance for good after a fault of its own; queries under way keep theirs, the
  /// next ones get a new one.
  std::shared_ptr<duckdb::DuckDB> Database() {
    std::lock_guard lock(mutex_);
    if (duckdb::ValidChecker::IsInvalidated(*database_->instance)) database_ = NewDatabase();
    return database_;
  }

  Result<std::unique_ptr<RunningQuery>> Begin(const Context& context, const std::string& sql,
                                              const QueryOptions& options) {
    SqlText text(sql);
    for (auto& [spelling, table] : text.spelled()) {
      const Status resolved = ResolveMoment(table);
      if (!resolved.ok()) return While(spelling, resolved.error());
    }
    return Start(context, std::move(text), options.resolver, options.tables);
  }

  /// Bind only: no files are planned for a schema.
  static Result<std::shared_ptr<arrow::Schema>> DescribeStatement(
      RunningQuery& query, duckdb::unique_ptr<duckdb::SQLStatement> statement) {
    return Guarded(Phase::kBind, &query.text(), &query.state(),
                   [&]() -> Result<std::shared_ptr<arrow::Schema>> {
                     duckdb::vector<std::string> names;
                     duckdb::vector<duckdb::LogicalType> types;
                     query.client().RunFunctionInTransaction([&] {
                       duckdb::Planner planner(query.client());
                       planner.CreatePlan(std::move(statement));
                       names = planner.names;
                       types = planner.types;
                     });
                     CALVE_ASSIGN_OR_RETURN(const auto output,
                                            ArrowOutput::Make(query.client(), names, types));
                     return output->schema();
                   });
  }

  std::unique_ptr<RunningQuery> BeginExpressions(const Context& context,
                                                 const std::shared_ptr<arrow::Schema>& input) {
    return Start(context, SqlText(""), nullptr, {{kExpressionRows, ArrowTable{input, {}}}});
  }

  std::unique_ptr<RunningQuery> Start(
      const Context& context, SqlText text, TableResolver* resolver,
      const std::vector<std::pair<std::string, ArrowTable>>& tables) {
    return std::make_unique<RunningQuery>(
        Database(), open_queries_, std::move(text), [&](const SqlText& kept) {
          return duckdb::make_shared_ptr<QueryState>(context, files_, resolver, tables, kept,
                                                     NewSecret());
        });
  }

  StatementQueries QueriesOf(RunningQuery& query) {
    return {.columns_of =
                [&query](auto part) {
                  return ValueOrThrow(query.state(), DescribeStatement(query, std::move(part)));
                },
            .constant =
                [this, &query](const std::string& expression) {
                  return ValueOrThrow(query.state(),
                                      EvaluateConstant("SELECT " + expression, "a default"));
                }};
  }

  /// Put the values of AT (...) in place of their expressions.
  Status ResolveMoment(SpelledTable& table) {
    if (!table.version_sql.empty()) {
      CALVE_ASSIGN_OR_RETURN(const duckdb::Value version,
                             EvaluateMoment("SELECT (" + table.version_sql + "\n)"));
      const std::string text = version.ToString();
      int64_t id = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
      if (error == std::errc() && end == text.data() + text.size()) {
        table.reference.snapshot_id = id;
      } else {
        table.reference.ref = text;
      }
    }
    if (!table.timestamp_sql.empty()) {
      CALVE_ASSIGN_OR_RETURN(
          const duckdb::Value moment,
          EvaluateMoment("SELECT CAST((" + table.timestamp_sql + "\n) AS TIMESTAMPTZ)"));
      const int64_t micros = moment.GetValueUnsafe<duckdb::timestamp_t>().value;
      table.reference.as_of_ms = micros / 1000 - (micros % 1000 < 0 ? 1 : 0);
    }
    return Status::Ok();
  }

  /// The one value of a query that reads no table; `where` it stands, for messages.
  Result<duckdb::Value> EvaluateConstant(const std::string& sql, const std::string& where) {
    const auto database = Database();
    duckdb::Connection connection(*database);
    auto statements = connection.ExtractStatements(sql);
    if (statements.size() != 1 || statements[0]->type != duckdb::StatementType::SELECT_STATEMENT) {
      return ConfigError("expected one constant in " + where);
    }
    const auto result = connection.Query(std::move(statements[0]));
    if (result->HasError())
      return Translate(result->GetErrorObject(), Phase::kBind, nullptr, nullptr);
    if (result->RowCount() != 1 || result->ColumnCount() != 1)
      return ConfigError("expected one constant in " + where);
    return result->GetValue(0, 0);
  }

  Result<duckdb::Value> EvaluateMoment(const std::string& sql) {
    CALVE_ASSIGN_OR_RETURN(duckdb::Value value, EvaluateConstant(sql, "AT (...)"));
    if (value.IsNull()) return ConfigError("expected one constant in AT (...), found NULL");
    return value;
  }

  /// Throws DuckDB's exceptions.
  static Result<duckdb::unique_ptr<duckdb::SQLStatement>> ExtractStatement(RunningQuery& query) {
    // Parsed alone, a fault keeps its place as a number.
    duckdb::Parser(query.client().GetParserOptions()).ParseQuery(query.text().rewritten());
    auto statements = query.connection().ExtractStatements(query.text().rewritten());
    // DuckDB makes several of one that adds a column and computes its values.
    if (statements.size() > 1 && statements[0]->type == duckdb::StatementType::ALTER_STATEMENT)
      return ConfigError("expected a constant as the default of a new column");
    if (statements.size() != 1)
      return ConfigError(fmt::format("expected one SQL statement, found {}", statements.size()));
    // Errors of a statement without its text keep their place as a number, too.
    statements[0]->query.clear();
    return std::move(statements[0]);
  }

  Result<duckdb::unique_ptr<duckdb::SQLStatement>> ParseStatement(RunningQuery& query) {
    return Guarded(Phase::kBind, &query.text(), &query.state(),
                   [&]() -> Result<duckdb::unique_ptr<duckdb::SQLStatement>> {
                     CALVE_ASSIGN_OR_RETURN(auto statement, ExtractStatement(query));
                     const bool reads =
                         statement->type == duckdb::StatementType::SELECT_STATEMENT ||
                         statement->type == duckdb::StatementType::EXPLAIN_STATEMENT;
                     if (options_.locked && !reads) {
                       return ConfigError(fmt::format(
                           "only SELECT and what reads like it may be sent here, found {}",
                           duckdb::StatementTypeToString(statement->type)));
                     }
                     return statement;
                   });
  }

  io::FileSystem& files_;
  const EngineOptions options_;
  const std::shared_ptr<OpenQueries> open_queries_;
  std::mutex mutex_;
  std::shared_ptr<duckdb::DuckDB> database_;
};

}  // namespace

Result<std::unique_ptr<Engine>> OpenDuckDb(io::FileSystem& files, const EngineOptions& options) {
  auto engine = std::make_unique<DuckDbEngine>(files, options);
  const Status opened = Guarded(Phase::kBind, nullptr, nullptr, [&]() -> Status {
    engine->Open();
    return Status::Ok();
  });
  if (!opened.ok()) return While("open DuckDB", opened.error());
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace calve::engine
