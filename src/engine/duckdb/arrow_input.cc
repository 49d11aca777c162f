#include "engine/duckdb/arrow_input.h"

#include <arrow/c/bridge.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>

#include "columnar/arrow_status.h"
#include "columnar/variant_array.h"
#include "columnar/variant_json.h"

namespace calve::engine {
namespace {

void ThrowIfFailed(const arrow::Status& status) {
  if (!status.ok()) throw duckdb::InvalidInputException(status.message());
}

std::shared_ptr<arrow::Field> FieldForDuckDb(const std::shared_ptr<arrow::Field>& field,
                                             const iceberg::Type* type);

/// The children of an Arrow type, each for DuckDB, and the type made of them.
std::shared_ptr<arrow::DataType> TypeForDuckDb(const std::shared_ptr<arrow::DataType>& type,
                                               const iceberg::Type* table) {
  const auto child = [&](int i, size_t field) {
    return FieldForDuckDb(type->field(i), table ? &table->fields()[field].type : nullptr);
  };
  switch (type->id()) {
    case arrow::Type::TIMESTAMP: {
      const auto unit = static_cast<const arrow::TimestampType&>(*type).unit();
      return unit == arrow::TimeUnit::NANO ? arrow::timestamp(unit) : type;
    }
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (int i = 0; i < type->num_fields(); ++i)
        fields.push_back(child(i, static_cast<size_t>(i)));
      return arrow::struct_(fields);
    }
    case arrow::Type::LIST:
      return arrow::list(child(0, 0));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(
          FieldForDuckDb(map.key_field(), table ? &table->fields()[0].type : nullptr),
          FieldForDuckDb(map.item_field(), table ? &table->fields()[1].type : nullptr));
    }
    default:
      return type;
  }
}

std::shared_ptr<arrow::Field> FieldForDuckDb(const std::shared_ptr<arrow::Field>& field,
                                             const iceberg::Type* type) {
  if (type != nullptr && type->kind() == iceberg::TypeKind::kVariant)
    return field->WithType(arrow::large_utf8());
  auto result = field->WithType(TypeForDuckDb(field->type(), type));
  if (type != nullptr && type->kind() == iceberg::TypeKind::kUuid) {
    return result->WithMetadata(arrow::key_value_metadata(
        {{"ARROW:extension:name", "arrow.uuid"}, {"ARROW:extension:metadata", ""}}));
  }
  return result;
}

}  // namespace

std::shared_ptr<arrow::Schema> ForDuckDb(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    fields.push_back(
        columnar::IsVariantType(*field->type())
            ? field->WithType(arrow::large_utf8())
                  ->WithMetadata(arrow::key_value_metadata(
                      {{"ARROW:extension:name", "arrow.json"}, {"ARROW:extension:metadata", ""}}))
            : FieldForDuckDb(field, nullptr));
  }
  return arrow::schema(fields);
}

Result<columnar::Batch> ForDuckDb(const columnar::Batch& batch) {
  columnar::Batch rows = batch;
  for (int i = 0; i < batch->num_columns(); ++i) {
    if (!columnar::IsVariantType(*batch->column(i)->type())) continue;
    const std::string& name = batch->column_name(i);
    CALVE_ASSIGN_OR_RETURN(
        const auto schema,
        iceberg::Schema::Make(iceberg::SchemaId(0),
                              {{.id = iceberg::FieldId(1),
                                .name = name,
                                .type = iceberg::Type::Of(iceberg::TypeKind::kVariant)}}));
    // Exact: as bytes, without what a source may say of them.
    CALVE_ASSIGN_OR_RETURN(
        const auto exact,
        columnar::Conform(
            arrow::RecordBatch::Make(arrow::schema({batch->schema()->field(i)}), batch->num_rows(),
                                     arrow::ArrayVector{batch->column(i)}),
            *schema));
    CALVE_ASSIGN_OR_RETURN(const auto texts, columnar::WithVariantText(exact, *schema));
    CALVE_ASSIGN_OR_RETURN(rows, rows->SetColumn(i, texts->schema()->field(0), texts->column(0)));
  }
  return rows;
}

std::shared_ptr<arrow::Schema> ForDuckDb(const arrow::Schema& schema,
                                         const iceberg::Schema& table) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < table.fields().size(); ++i) {
    fields.push_back(FieldForDuckDb(schema.field(static_cast<int>(i)), &table.fields()[i].type));
  }
  return arrow::schema(fields);
}

ArrowColumns::ArrowColumns(duckdb::ClientContext& client, const arrow::Schema& schema) {
  duckdb::ArrowSchemaWrapper exported;
  ThrowIfFailed(arrow::ExportSchema(schema, &exported.arrow_schema));
  duckdb::ArrowTableFunction::PopulateArrowTableSchema(client, schema_, exported.arrow_schema);
  types_ = schema_.GetTypes();
  names_ = schema_.GetNames();
}

ArrowCursor::ArrowCursor(duckdb::ClientContext& client, std::shared_ptr<const ArrowColumns> input,
                         duckdb::vector<duckdb::column_t> columns)
    : input_(std::move(input)), state_(duckdb::make_uniq<duckdb::ArrowArrayWrapper>(), client) {
  state_.column_ids = std::move(columns);
}

void ArrowCursor::SetBatch(const columnar::Batch& batch) {
  auto chunk = duckdb::make_shared_ptr<duckdb::ArrowArrayWrapper>();
  ThrowIfFailed(arrow::ExportRecordBatch(*batch, &chunk->arrow_array));
  state_.Reset();
  state_.chunk = std::move(chunk);
}

bool ArrowCursor::Next(duckdb::DataChunk& chunk) {
  const auto rows = static_cast<size_t>(state_.chunk->arrow_array.length);
  if (state_.chunk->arrow_array.release == nullptr || state_.chunk_offset >= rows) return false;
  chunk_start_ = state_.chunk_offset;
  chunk.SetCardinality(std::min<size_t>(STANDARD_VECTOR_SIZE, rows - state_.chunk_offset));
  duckdb::ArrowTableFunction::ArrowToDuckDB(state_, input_->map(), chunk, false);
  state_.chunk_offset += chunk.size();
  return true;
}

}  // namespace calve::engine
