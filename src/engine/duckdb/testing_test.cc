#include <arrow/json/from_string.h>
#include <fmt/format.h>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "engine/duckdb/testing.h"

namespace calve::engine {

namespace {

std::string TextOf(const arrow::Scalar& scalar) {
  const bool is_bytes = scalar.type->id() == arrow::Type::BINARY ||
                        scalar.type->id() == arrow::Type::FIXED_SIZE_BINARY;
  return is_bytes ? static_cast<const arrow::BaseBinaryScalar&>(scalar).value->ToHexString()
                  : scalar.ToString();
}

}  // namespace

ArrowTable TableOf(const std::shared_ptr<arrow::Schema>& schema, const std::string& json_rows) {
  auto rows =
      arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json_rows).ValueOrDie();
  return {schema, {arrow::RecordBatch::FromStructArray(rows).ValueOrDie()}};
}

std::vector<std::string> RowsOf(const arrow::RecordBatch& batch) {
  std::vector<std::string> rows;
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    std::string text;
    for (int column = 0; column < batch.num_columns(); ++column) {
      if (column > 0) text += "|";
      auto scalar = batch.column(column)->GetScalar(row).ValueOrDie();
      if (scalar->is_valid && scalar->type->id() == arrow::Type::EXTENSION) {
        scalar = static_cast<const arrow::ExtensionScalar&>(*scalar).value;
      }
      text += scalar->is_valid ? TextOf(*scalar) : "NULL";
    }
    rows.push_back(std::move(text));
  }
  return rows;
}

Result<ResolvedTable> EchoResolver::Resolve(const Context&, const TableReference& reference) {
  if (reference.parts == std::vector<std::string>{"missing"}) {
    return NotFoundError("there is no table 'missing'; did you mean 'mission'?");
  }
  return ResolvedTable(TableOf(
      arrow::schema({arrow::field("name", arrow::utf8()), arrow::field("n", arrow::int64())}),
      fmt::format(R"([{{"name": {}, "n": 1}}])", Quote(reference.ToString()))));
}

void EngineTest::Open(const EngineOptions& options) {
  ASSERT_TRUE(columnar::StartArrow().ok());
  auto opened = OpenDuckDb(files_, options);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  engine_ = std::move(*opened);
}

Result<std::vector<std::string>> EngineTest::TryRows(const std::string& sql,
                                                     const QueryOptions& options) {
  if (!engine_) Open();
  CALVE_ASSIGN_OR_RETURN(auto stream, engine_->Query(*context_, sql, options));
  std::vector<std::string> rows;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto batch, stream->Next(*context_));
    if (batch == nullptr) return rows;
    EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull().ToString();
    EXPECT_TRUE(batch->schema()->Equals(*stream->schema()));
    for (auto& row : RowsOf(*batch)) rows.push_back(std::move(row));
  }
}

std::vector<std::string> EngineTest::Rows(const std::string& sql, const QueryOptions& options) {
  auto rows = TryRows(sql, options);
  EXPECT_TRUE(rows.ok()) << sql << "\n" << rows.error().message;
  return rows.ok() ? std::move(*rows) : std::vector<std::string>();
}

std::shared_ptr<arrow::Schema> EngineTest::SchemaOf(const std::string& sql,
                                                    const QueryOptions& options) {
  if (!engine_) Open();
  auto schema = engine_->Describe(*context_, sql, options);
  EXPECT_TRUE(schema.ok()) << sql << "\n" << schema.error().message;
  return schema.ok() ? std::move(*schema) : nullptr;
}

std::string EngineTest::ErrorOf(const std::string& sql, const QueryOptions& options) {
  auto rows = TryRows(sql, options);
  EXPECT_FALSE(rows.ok()) << sql;
  return rows.ok() ? "" : fmt::format("{}: {}", ToString(rows.error().kind), rows.error().message);
}

}  // namespace calve::engine
