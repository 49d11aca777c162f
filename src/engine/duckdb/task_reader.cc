#include "engine/duckdb/task_reader.h"

#include <duckdb/planner/table_filter_state.hpp>
#include <duckdb/storage/table/column_segment.hpp>

#include "columnar/variant_json.h"
#include "engine/duckdb/kept_variants.h"
#include "engine/duckdb/types.h"

namespace calve::engine {
namespace {

const iceberg::Field kPositionField{iceberg::reserved::kPos, "_pos", iceberg::Type::Long(), true};

/// Put a map's key and value one level down, as they stand in files.
void WrapEntries(duckdb::MultiFileColumnDefinition& column) {
  for (auto& child : column.children) WrapEntries(child);
  if (column.type.id() != duckdb::LogicalTypeId::MAP) return;
  duckdb::MultiFileColumnDefinition entries("key_value",
                                            duckdb::ListType::GetChildType(column.type));
  entries.children = std::move(column.children);
  column.children.clear();
  column.children.push_back(std::move(entries));
}

}  // namespace

TaskReader::TaskReader(duckdb::OpenFileInfo info, duckdb::shared_ptr<QueryState> state,
                       QueryState::File task,
                       const duckdb::vector<duckdb::MultiFileColumnDefinition>& table_columns)
    : BaseFileReader(std::move(info)), state_(std::move(state)), task_(std::move(task)) {
  columns = table_columns;
  for (auto& column : columns) WrapEntries(column);
}

void TaskReader::AddVirtualColumn(duckdb::column_t virtual_column_id) {
  if (virtual_column_id == duckdb::MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER) return;
  throw duckdb::InternalException("no such virtual column in an Iceberg table");
}

bool TaskReader::TryInitializeScan(duckdb::ClientContext&, duckdb::GlobalTableFunctionState&,
                                   duckdb::LocalTableFunctionState&) {
  return !std::exchange(started_, true);
}

void TaskReader::Open(duckdb::ClientContext& client) {
  const IcebergTable& table = task_.scan->source->table;
  std::vector<iceberg::Field> fields;
  duckdb::vector<duckdb::column_t> positions;
  std::vector<size_t> kept_columns;  // those of column_ids that are the bytes of a variant
  for (size_t i = 0; i < column_ids.size(); ++i) {
    size_t local = column_ids[duckdb::MultiFileLocalIndex(i)].GetId();
    const auto& known = table.schema->fields();
    const auto place = local < known.size() ? PlaceOfKeptVariant(known[local].id) : std::nullopt;
    if (place.has_value()) {
      kept_columns.push_back(i);
      local = *place;
    }
    const iceberg::Field& field = local < known.size() ? known[local] : kPositionField;
    size_t position = 0;
    while (position < fields.size() && fields[position].id != field.id) ++position;
    if (position == fields.size()) fields.push_back(field);
    positions.push_back(position);
  }
  for (const size_t i : kept_columns) {
    kept_.push_back(static_cast<int>(positions[i]));
    positions[i] = fields.size() + kept_.size() - 1;
  }
  if (fields.empty()) fields.push_back(kPositionField);  // rows are counted
  reader::ReadOptions options;
  options.projection =
      ValueOrThrow(*state_, iceberg::Schema::Make(table.schema->id(), std::move(fields)));
  batches_ = ValueOrThrow(*state_, reader::OpenTask(state_->context(), state_->files(),
                                                    *table.metadata, task_.task(), options));
  projection_ = options.projection;
  const auto exact = ValueOrThrow(*state_, columnar::ToArrowSchema(*projection_));
  arrow::FieldVector columns_of_batches = ForDuckDb(*exact, *projection_)->fields();
  for (const int column : kept_) columns_of_batches.push_back(exact->field(column));
  schema_ = arrow::schema(std::move(columns_of_batches));
  cursor_ = std::make_unique<ArrowCursor>(client, std::make_shared<ArrowColumns>(client, *schema_),
                                          std::move(positions));
}

/// The bytes of variants behind the columns of `rows`, whose variants are texts.
columnar::Batch TaskReader::WithKeptBytes(const columnar::Batch& rows,
                                          const arrow::RecordBatch& batch) const {
  if (kept_.empty()) return rows;
  arrow::FieldVector fields = rows->schema()->fields();
  arrow::ArrayVector columns = rows->columns();
  for (const int column : kept_) {
    fields.push_back(batch.schema()->field(column));
    columns.push_back(batch.column(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows->num_rows(),
                                  std::move(columns));
}

duckdb::AsyncResult TaskReader::Scan(duckdb::ClientContext& client,
                                     duckdb::GlobalTableFunctionState&,
                                     duckdb::LocalTableFunctionState&, duckdb::DataChunk& chunk) {
  if (!batches_) Open(client);
  while (!has_batch_ || !cursor_->Next(chunk)) {
    const columnar::Batch batch = ValueOrThrow(*state_, batches_->Next(state_->context()));
    if (batch == nullptr) {
      chunk.SetCardinality(0);
      return duckdb::SourceResultType::FINISHED;
    }
    auto rows = columnar::WithVariantText(batch, *projection_);
    if (!rows.ok())
      state_->Throw(While("read " + task_.task().file->path, std::move(rows).error()));
    cursor_->SetBatch(WithKeptBytes(*rows, *batch));
    has_batch_ = true;
  }
  Filter(client, chunk);
  return duckdb::SourceResultType::HAVE_MORE_OUTPUT;
}

void TaskReader::Filter(duckdb::ClientContext& client, duckdb::DataChunk& chunk) {
  if (!filters) return;
  duckdb::SelectionVector selection;
  selection.Initialize(nullptr);
  duckdb::idx_t kept = chunk.size();
  for (const auto& [column, filter] : filters->filters) {
    if (kept == 0) break;
    auto& vector = chunk.data[column];
    duckdb::UnifiedVectorFormat format;
    vector.ToUnifiedFormat(chunk.size(), format);
    auto filter_state = duckdb::TableFilterState::Initialize(client, *filter);
    duckdb::ColumnSegment::FilterSelection(selection, vector, format, *filter, *filter_state,
                                           chunk.size(), kept);
  }
  if (kept != chunk.size()) chunk.Slice(selection, kept);
}

}  // namespace calve::engine
