#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "base/strong.h"
#include "columnar/convert.h"
#include "iceberg/metadata.h"

namespace calve::io {
class FileSystem;
}

namespace calve::engine {

/// How SQL named a table.
struct TableReference {
  std::vector<std::string>
      parts;          ///< `sales.daily`: {"sales", "daily"}; a catalog's name may come first.
  std::string place;  ///< iceberg('file:///lake/ns/table'); then `parts` is empty.
  std::optional<std::string> ref;      ///< After @: a branch or tag.
  std::optional<int64_t> snapshot_id;  ///< AT (VERSION => 123), or @123456789.
  std::optional<int64_t> as_of_ms;     ///< AT (TIMESTAMP => ...): milliseconds since 1970, UTC.
  std::string ToString() const;
};

/// An Iceberg table at one snapshot; nothing to read when there is no snapshot.
struct IcebergTable {
  iceberg::MetadataPtr metadata;
  std::optional<iceberg::SnapshotId> snapshot_id;
  iceberg::SchemaPtr schema;
  /// Read only data files with at least this data sequence number: the rows that a staged snapshot
  /// added.
  std::optional<iceberg::SequenceNumber> data_sequence_min;
};

class ResultStream;

/// Rows in memory, such as calve.runs; or rows of another system, which each scan reads anew.
struct ArrowTable {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<columnar::Batch> batches;
  /// Where set, the rows come from here and `batches` is empty. `columns` are the places in the
  /// schema of those that are looked at; what the others hold in the batches does not count. May be
  /// called from any thread.
  std::function<Result<std::unique_ptr<ResultStream>>(const Context& context,
                                                      const std::vector<int>& columns)>
      stream = nullptr;
};

using ResolvedTable = std::variant<IcebergTable, ArrowTable>;

/// Turns names in SQL into tables; load, model and cli give one made of their catalogs. Threads:
/// any.
class TableResolver {
 public:
  virtual ~TableResolver() = default;
  /// Fails with kNotFound, naming the nearest tables, refs or the time range that can be read.
  virtual Result<ResolvedTable> Resolve(const Context& context,
                                        const TableReference& reference) = 0;
};

/// The rows of a query, batch by batch. For one thread; ends the query when destroyed.
class ResultStream {
 public:
  virtual ~ResultStream() = default;
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  /// The next batch, or null at the end.
  virtual Result<columnar::Batch> Next(const Context& context) = 0;
};

/// SQL expressions over batches of one schema, compiled once. For one thread.
class BatchExpressions {
 public:
  virtual ~BatchExpressions() = default;
  /// The types of the results, in order of the expressions.
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  /// One row out for each row in, in the same order.
  virtual Result<columnar::Batch> Evaluate(const Context& context,
                                           const columnar::Batch& batch) = 0;
};

struct Statement;
struct RowChanges;

struct QueryOptions {
  TableResolver* resolver = nullptr;  ///< Null: no tables.
  /// Batches that the SQL sees as a table of this name, such as `this` for a transform over a
  /// batch.
  std::vector<std::pair<std::string, ArrowTable>> tables;
};

/// Runs SQL over Iceberg tables and Arrow batches. Threads: any, at once.
///
/// Errors: kConfig for SQL that cannot be bound (the message has the place in the SQL and the
/// nearest names), kData for values that a cast refuses, kRefused for what is not allowed or does
/// not fit in memory, kStopped.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual Result<std::unique_ptr<ResultStream>> Query(const Context& context,
                                                      const std::string& sql,
                                                      const QueryOptions& options) = 0;
  /// What a statement does, without doing it; `columns` of CREATE TABLE ... AS need its tables.
  virtual Result<Statement> Parse(const Context& context, const std::string& sql,
                                  const QueryOptions& options) = 0;
  /// Compute what a statement that changes rows (kInsert to kMerge, or kCreateTable from a query)
  /// does to its target, which is taken as `target` has it, by whatever name the SQL says it.
  virtual Result<RowChanges> Changes(const Context& context, const std::string& sql,
                                     const IcebergTable& target, const QueryOptions& options) = 0;
  /// Compile scalar expressions (`price > 0 AND currency IN ('EUR')`) over rows of `input`; `names`
  /// name the results.
  virtual Result<std::unique_ptr<BatchExpressions>> Compile(
      const Context& context, const std::shared_ptr<arrow::Schema>& input,
      const std::vector<std::string>& expressions, const std::vector<std::string>& names) = 0;
  /// The columns that a scalar expression reads, by their names in `input`; fails with kConfig when
  /// it does not parse or bind.
  virtual Result<std::vector<std::string>> ColumnsOf(const Context& context,
                                                     const std::shared_ptr<arrow::Schema>& input,
                                                     const std::string& expression) = 0;
  /// The schema a SELECT would give, without running it.
  virtual Result<std::shared_ptr<arrow::Schema>> Describe(const Context& context,
                                                          const std::string& sql,
                                                          const QueryOptions& options) = 0;
};

struct EngineOptions {
  ByteCount memory_limit{1 << 30};  ///< The engine takes what one query needs at least, if more.
  int threads = 2;
  std::string spill_folder;  ///< Local; made when first needed, empty: no spilling.
  /// For SQL that people send: reads no files and no network but the tables that the resolver
  /// gives, changes no settings.
  bool locked = true;
};

/// The embedded engine (DuckDB). The file system outlives it.
Result<std::unique_ptr<Engine>> OpenDuckDb(io::FileSystem& files, const EngineOptions& options);

/// Quote an identifier or a string for SQL.
std::string QuoteIdentifier(std::string_view name);
std::string QuoteLiteral(std::string_view text);

}  // namespace calve::engine
