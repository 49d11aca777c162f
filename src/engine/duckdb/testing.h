#pragma once

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/engine.h"
#include "io/memory.h"

namespace calve::engine {

/// A table in memory, made of columns of Arrow's JSON, such as `[{"a": 1}]`.
ArrowTable TableOf(const std::shared_ptr<arrow::Schema>& schema, const std::string& json_rows);

/// Rows as text, each `a|b|c`, with NULL for null; for comparing with what a person expects.
std::vector<std::string> RowsOf(const arrow::RecordBatch& batch);

/// Answers every name with one row: how the reference reads.
class EchoResolver : public TableResolver {
 public:
  Result<ResolvedTable> Resolve(const Context& context, const TableReference& reference) override;
};

/// An engine over files in memory, and what a test asks of it.
class EngineTest : public ::testing::Test {
 protected:
  void Open(const EngineOptions& options = {});
  /// The rows of a query; the test fails when it fails.
  std::vector<std::string> Rows(const std::string& sql, const QueryOptions& options = {});
  Result<std::vector<std::string>> TryRows(const std::string& sql,
                                           const QueryOptions& options = {});
  std::shared_ptr<arrow::Schema> SchemaOf(const std::string& sql, const QueryOptions& options = {});
  /// The error of a query that must fail, as `kind: message`.
  std::string ErrorOf(const std::string& sql, const QueryOptions& options = {});

  OwnedContext context_;
  io::MemoryFileSystem files_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace calve::engine
