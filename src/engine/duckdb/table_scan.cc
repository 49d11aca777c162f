#include "engine/duckdb/table_scan.h"

#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/planner/expression/bound_columnref_expression.hpp>

#include <algorithm>
#include <charconv>
#include <mutex>

#include "engine/duckdb/deleted_rows.h"
#include "engine/duckdb/file_columns.h"
#include "engine/duckdb/filters.h"
#include "engine/duckdb/query_state.h"
#include "engine/duckdb/task_reader.h"
#include "engine/duckdb/types.h"
#include "iceberg/name_mapping.h"
#include "reader/reader.h"

namespace calve::engine {
namespace {

using duckdb::ClientContext;
using duckdb::idx_t;
using Columns = duckdb::vector<duckdb::MultiFileColumnDefinition>;

QueryState& StateOf(ClientContext& client) {
  const auto state = QueryState::Of(client);
  if (!state)
    throw duckdb::PermissionException(
        "this function reads the tables of a query, and there are none here");
  return *state;  // the connection keeps it as long as the query
}

/// The data files of one scan, planned when DuckDB first asks for them, so that the query's filters
/// are known by then.
class TableFiles : public duckdb::MultiFileList {
 public:
  TableFiles(duckdb::shared_ptr<QueryState> state, std::shared_ptr<const TableSource> source,
             iceberg::Expression filter)
      : state_(std::move(state)), source_(std::move(source)), filter_(std::move(filter)) {}

  const std::shared_ptr<const TableSource>& source() const { return source_; }

  duckdb::unique_ptr<MultiFileList> With(iceberg::Expression more) const {
    return duckdb::make_uniq<TableFiles>(state_, source_,
                                         iceberg::Expression::And(filter_, std::move(more)));
  }

  duckdb::vector<duckdb::OpenFileInfo> GetAllFiles() const override {
    duckdb::vector<duckdb::OpenFileInfo> files;
    for (const auto& name : plan().names) files.emplace_back(name);
    return files;
  }
  // Even one file is read by several threads.
  duckdb::FileExpandResult GetExpandResult() const override {
    return plan().names.empty() ? duckdb::FileExpandResult::NO_FILES
                                : duckdb::FileExpandResult::MULTIPLE_FILES;
  }
  idx_t GetTotalFileCount() const override { return plan().names.size(); }
  duckdb::unique_ptr<duckdb::NodeStatistics> GetCardinality(ClientContext&) const override {
    int64_t rows = 0;
    for (const auto& task : plan().plan.tasks) rows += task.file->record_count;
    return duckdb::make_uniq<duckdb::NodeStatistics>(
        static_cast<idx_t>(std::max<int64_t>(rows, 0)));
  }
  duckdb::unique_ptr<MultiFileList> Copy() const override {
    auto copy = duckdb::make_uniq<TableFiles>(state_, source_, filter_);
    std::lock_guard lock(mutex_);
    copy->plan_ = plan_;
    return copy;
  }

 protected:
  duckdb::OpenFileInfo GetFile(idx_t i) const override {
    const auto& names = plan().names;
    return i < names.size() ? duckdb::OpenFileInfo(names[i]) : duckdb::OpenFileInfo();
  }

 private:
  const PlannedScan& plan() const {
    std::lock_guard lock(mutex_);
    if (!plan_) plan_ = ValueOrThrow(*state_, state_->Plan(source_, filter_));
    return *plan_;
  }

  const duckdb::shared_ptr<QueryState> state_;
  const std::shared_ptr<const TableSource> source_;
  const iceberg::Expression filter_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const PlannedScan> plan_;
};

/// Give a value the width of its column's type: files and partitions keep what was written before a
/// promotion.
iceberg::Value Widened(const iceberg::Type& type, const iceberg::Value& value) {
  if (const auto* i = value.get_if<int32_t>(); i && type.kind() == iceberg::TypeKind::kLong)
    return iceberg::Value(int64_t{*i});
  if (const auto* f = value.get_if<float>(); f && type.kind() == iceberg::TypeKind::kDouble)
    return iceberg::Value(double{*f});
  return value;
}

bool HasColumn(const Columns& columns, iceberg::FieldId id) {
  return std::ranges::any_of(columns,
                             [&](const auto& c) { return c.GetIdentifierFieldId() == id.value(); });
}

/// The table's columns for one file: those of identity partitions that the file leaves out read as
/// the partition's value.
std::optional<Columns> ColumnsForFile(const Columns& table_columns, const Columns& file_columns,
                                      const QueryState::File& file) {
  const IcebergTable& table = file.scan->source->table;
  const auto* spec = table.metadata->FindSpec(file.task().file->spec_id);
  if (spec == nullptr) return std::nullopt;
  std::optional<Columns> columns;
  for (size_t i = 0; i < spec->fields.size() && i < file.task().file->partition.size(); ++i) {
    const auto& partition = spec->fields[i];
    if (partition.transform.kind() != iceberg::Transform::Kind::kIdentity ||
        HasColumn(file_columns, partition.source_id))
      continue;
    for (size_t column = 0; column < table.schema->fields().size(); ++column) {
      const iceberg::Field& field = table.schema->fields()[column];
      if (field.id != partition.source_id) continue;
      if (!columns) columns = table_columns;
      (*columns)[column].default_expression = duckdb::make_uniq<duckdb::ConstantExpression>(
          ToDuckValue(field.type, Widened(field.type, file.task().file->partition[i])));
    }
  }
  return columns;
}

class TableReader : public duckdb::MultiFileReader {
 public:
  static duckdb::unique_ptr<MultiFileReader> Make(const duckdb::TableFunction&) {
    return duckdb::make_uniq<TableReader>();
  }
  duckdb::unique_ptr<MultiFileReader> Copy() const override {
    return duckdb::make_uniq<TableReader>();
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(ClientContext& client,
                                                           const duckdb::vector<std::string>& paths,
                                                           const duckdb::FileGlobInput&) override {
    size_t index = 0;
    const std::string& text = paths.at(0);
    const bool is_number =
        std::from_chars(text.data(), text.data() + text.size(), index).ec == std::errc();
    auto source = is_number ? StateOf(client).iceberg(index) : nullptr;
    if (!source) throw duckdb::PermissionException("there is no such table in this query");
    return duckdb::make_shared_ptr<TableFiles>(QueryState::Of(client), std::move(source),
                                               iceberg::Expression::True());
  }

  bool Bind(duckdb::MultiFileOptions&, duckdb::MultiFileList& files,
            duckdb::vector<duckdb::LogicalType>& types, duckdb::vector<std::string>& names,
            duckdb::MultiFileReaderBindData& bind) override {
    const TableSource& source = *files.Cast<TableFiles>().source();
    for (const iceberg::Field& field : source.table.schema->fields()) {
      auto column = ToDuckColumn(field);
      if (!column.ok())
        throw duckdb::NotImplementedException(source.spelling + ": " + column.error().message);
      types.push_back(column->type);
      names.push_back(column->name);
      bind.schema.push_back(std::move(*column));
    }
    // SQL's names ignore case, Iceberg's don't: `id` and `ID` become id and ID_1.
    duckdb::QueryResult::DeduplicateColumns(names);
    bind.mapping = duckdb::MultiFileColumnMappingMode::BY_FIELD_ID;
    return true;
  }

  void BindOptions(duckdb::MultiFileOptions&, duckdb::MultiFileList&,
                   duckdb::vector<duckdb::LogicalType>&, duckdb::vector<std::string>&,
                   duckdb::MultiFileReaderBindData&) override {}

  bool ParseOption(const std::string& key, const duckdb::Value&, duckdb::MultiFileOptions&,
                   ClientContext&) override {
    if (key != kCanHaveNan) throw duckdb::BinderException("tables are read without options");
    return false;  // it is for the Parquet reader
  }

  duckdb::unique_ptr<duckdb::MultiFileList> ComplexFilterPushdown(
      ClientContext&, duckdb::MultiFileList& files, const duckdb::MultiFileOptions&,
      duckdb::MultiFilePushdownInfo& info,
      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) override {
    const auto& list = files.Cast<TableFiles>();
    const auto& fields = list.source()->table.schema->fields();
    const auto field_of =
        [&](const duckdb::BoundColumnRefExpression& column) -> const iceberg::Field* {
      if (column.depth != 0 || column.binding.table_index != info.table_index) return nullptr;
      if (column.binding.column_index >= info.column_ids.size()) return nullptr;
      const auto id = info.column_ids[column.binding.column_index];
      return id < fields.size() ? &fields[id] : nullptr;
    };
    iceberg::Expression all;
    for (const auto& filter : filters)
      all = iceberg::Expression::And(std::move(all), ToIcebergFilter(*filter, field_of));
    if (all.op() == iceberg::Expression::Op::kTrue) return nullptr;
    return list.With(std::move(all));
  }

  duckdb::unique_ptr<duckdb::MultiFileList> DynamicFilterPushdown(
      ClientContext&, const duckdb::MultiFileList&, const duckdb::MultiFileOptions&,
      const duckdb::vector<std::string>&, const duckdb::vector<duckdb::LogicalType>&,
      const duckdb::vector<duckdb::column_t>&, duckdb::TableFilterSet&) override {
    return nullptr;
  }

  duckdb::shared_ptr<duckdb::BaseFileReader> CreateReader(
      ClientContext& client, duckdb::GlobalTableFunctionState& global,
      const duckdb::OpenFileInfo& info, idx_t file_index,
      const duckdb::MultiFileBindData& bind) override {
    QueryState& state = StateOf(client);
    const auto file = FileOf(state, info);
    const IcebergTable& table = file.scan->source->table;
    const bool parquet = file.task().file->format == iceberg::FileFormat::kParquet;
    const bool asks_row_ids = table.schema->FindById(iceberg::reserved::kRowId) != nullptr;
    if (parquet && !asks_row_ids && ReadsExactly(table.schema->as_struct())) {
      auto reader = MultiFileReader::CreateReader(client, global, info, file_index, bind);
      const auto mapping = ValueOrThrow(state, NameMappingOf(*table.metadata));
      GiveIds(reader->columns, mapping ? &*mapping : nullptr);
      if (ReadsFileExactly(reader->columns, *table.schema)) return reader;
    }
    return duckdb::make_shared_ptr<TaskReader>(info, QueryState::Of(client), file,
                                               bind.reader_bind.schema);
  }

  void FinalizeBind(duckdb::MultiFileReaderData& data, const duckdb::MultiFileOptions&,
                    const duckdb::MultiFileReaderBindData&, const Columns&,
                    const duckdb::vector<duckdb::ColumnIndex>& column_ids, ClientContext& client,
                    duckdb::optional_ptr<duckdb::MultiFileReaderGlobalState>) override {
    QueryState& state = StateOf(client);
    const auto file = FileOf(state, data.reader->file);
    for (idx_t i = 0; i < column_ids.size(); ++i) {
      if (column_ids[i].GetPrimaryIndex() != COLUMN_IDENTIFIER_FILENAME) continue;
      data.constant_map.Add(duckdb::MultiFileGlobalIndex(i), duckdb::Value(file.task().file->path));
    }
    const bool applies_deletes_itself = dynamic_cast<TaskReader*>(data.reader.get()) != nullptr;
    if (!file.task().has_deletes() || applies_deletes_itself) return;
    auto deleted = ValueOrThrow(
        state, reader::DeletedPositions(state.context(), state.files(),
                                        *file.scan->source->table.metadata, file.task()));
    if (deleted)
      data.reader->deletion_filter =
          duckdb::make_uniq<DeletedRows>(*std::move(deleted), file.task().file->record_count);
  }

  duckdb::ReaderInitializeType CreateMapping(
      ClientContext& client, duckdb::MultiFileReaderData& data, const Columns& columns,
      const duckdb::vector<duckdb::ColumnIndex>& column_ids,
      duckdb::optional_ptr<duckdb::TableFilterSet> filters, duckdb::MultiFileList& files,
      const duckdb::MultiFileReaderBindData& bind,
      const duckdb::virtual_column_map_t& virtual_columns) override {
    const auto own =
        ColumnsForFile(columns, data.reader->columns, FileOf(StateOf(client), data.reader->file));
    return MultiFileReader::CreateMapping(client, data, own ? *own : columns, column_ids, filters,
                                          files, bind, virtual_columns, bind.mapping);
  }
  using MultiFileReader::CreateMapping;
  using MultiFileReader::CreateReader;

 private:
  static QueryState::File FileOf(QueryState& state, const duckdb::OpenFileInfo& info) {
    auto file = state.FindFile(info.path);
    if (!file) throw duckdb::InternalException("a data file of another query");
    return std::move(*file);
  }

  static Result<std::optional<iceberg::NameMapping>> NameMappingOf(
      const iceberg::TableMetadata& metadata) {
    const auto property = metadata.Property(iceberg::kNameMappingProperty, "");
    if (property.empty()) return std::optional<iceberg::NameMapping>();
    CALVE_ASSIGN_OR_RETURN(auto mapping, iceberg::NameMapping::Parse(property));
    return std::optional(std::move(mapping));
  }
};

duckdb::virtual_column_map_t VirtualColumns(ClientContext&,
                                            duckdb::optional_ptr<duckdb::FunctionData> bind) {
  duckdb::virtual_column_map_t columns;
  columns.emplace(duckdb::MultiFileReader::COLUMN_IDENTIFIER_FILENAME,
                  duckdb::TableColumn("_file", duckdb::LogicalType::VARCHAR));
  columns.emplace(duckdb::MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER,
                  duckdb::TableColumn("_pos", duckdb::LogicalType::BIGINT));
  columns.emplace(duckdb::COLUMN_IDENTIFIER_EMPTY,
                  duckdb::TableColumn("", duckdb::LogicalType::BOOLEAN));
  bind->Cast<duckdb::MultiFileBindData>().virtual_columns = columns;
  return columns;
}

}  // namespace

void RegisterTableScan(ClientContext& client) {
  auto& catalog = duckdb::Catalog::GetSystemCatalog(client);
  auto& parquet =
      catalog.GetEntry<duckdb::TableFunctionCatalogEntry>(client, DEFAULT_SCHEMA, "parquet_scan");
  auto scan = parquet.functions.GetFunctionByArguments(client, {duckdb::LogicalType::VARCHAR});
  scan.name = kTableScan;
  scan.get_multi_file_reader = TableReader::Make;
  scan.get_virtual_columns = VirtualColumns;
  // What these tell DuckDB of a file ignores deletes and defaults: counts, minima and row ids would
  // be wrong.
  scan.statistics = nullptr;
  scan.statistics_extended = nullptr;
  scan.get_partition_stats = nullptr;
  scan.get_row_id_columns = nullptr;
  scan.late_materialization = false;
  scan.serialize = nullptr;
  scan.deserialize = nullptr;
  scan.named_parameters = {{kCanHaveNan, duckdb::LogicalType::BOOLEAN}};
  duckdb::CreateTableFunctionInfo info(scan);
  info.internal = true;
  catalog.CreateTableFunction(client, info);
}

}  // namespace calve::engine
