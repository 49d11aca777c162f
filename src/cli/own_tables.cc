#include "cli/own_tables.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/record_batch.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/program.h"
#include "columnar/arrow_status.h"
#include "commit/proof.h"

namespace calve::cli {
namespace {

constexpr int64_t kRowsMax = 100'000;

/// Makes one batch, a column at a time.
class Columns {
 public:
  template <typename Rows, typename Get>
  Status Text(const char* name, const Rows& rows, Get get) {
    arrow::StringBuilder builder;
    for (const auto& row : rows) CALVE_RETURN_IF_ERROR(builder.Append(std::string(get(row))));
    return Add(name, arrow::utf8(), builder);
  }
  template <typename Rows, typename Get>
  Status Number(const char* name, const Rows& rows, Get get) {
    arrow::Int64Builder builder;
    for (const auto& row : rows) {
      const std::optional<int64_t> value = get(row);
      CALVE_RETURN_IF_ERROR(value.has_value() ? builder.Append(*value) : builder.AppendNull());
    }
    return Add(name, arrow::int64(), builder);
  }
  template <typename Rows, typename Get>
  Status Bool(const char* name, const Rows& rows, Get get) {
    arrow::BooleanBuilder builder;
    for (const auto& row : rows) CALVE_RETURN_IF_ERROR(builder.Append(get(row)));
    return Add(name, arrow::boolean(), builder);
  }
  template <typename Rows, typename Get>
  Status Time(const char* name, const Rows& rows, Get get) {
    const auto type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    arrow::TimestampBuilder builder(type, arrow::default_memory_pool());
    for (const auto& row : rows) {
      const std::optional<Timestamp> value = get(row);
      CALVE_RETURN_IF_ERROR(value.has_value() ? builder.Append(value->time_since_epoch().count())
                                              : builder.AppendNull());
    }
    return Add(name, type, builder);
  }
  engine::ArrowTable Table(size_t rows) && {
    engine::ArrowTable table;
    table.schema = arrow::schema(std::move(fields_));
    table.batches.push_back(
        arrow::RecordBatch::Make(table.schema, static_cast<int64_t>(rows), std::move(arrays_)));
    return table;
  }

 private:
  Status Add(const char* name, std::shared_ptr<arrow::DataType> type,
             arrow::ArrayBuilder& builder) {
    CALVE_ASSIGN_OR_RETURN(auto array, builder.Finish());
    fields_.push_back(arrow::field(name, std::move(type)));
    arrays_.push_back(std::move(array));
    return Status::Ok();
  }

  arrow::FieldVector fields_;
  arrow::ArrayVector arrays_;
};

Result<engine::ArrowTable> RunsTable(Program& program) {
  using Run = state::RunRecord;
  CALVE_ASSIGN_OR_RETURN(state::Runs * runs, program.runs());
  CALVE_ASSIGN_OR_RETURN(const std::vector<Run> rows, runs->List(kRowsMax));
  Columns columns;
  CALVE_RETURN_IF_ERROR(columns.Text("run", rows, [](const Run& r) { return r.run; }));
  CALVE_RETURN_IF_ERROR(columns.Text("job", rows, [](const Run& r) { return r.job; }));
  CALVE_RETURN_IF_ERROR(
      columns.Text("state", rows, [](const Run& r) { return ToString(r.state); }));
  CALVE_RETURN_IF_ERROR(columns.Time(
      "started_at", rows, [](const Run& r) { return std::optional<Timestamp>(r.started); }));
  CALVE_RETURN_IF_ERROR(columns.Time("ended_at", rows, [](const Run& r) { return r.ended; }));
  CALVE_RETURN_IF_ERROR(columns.Text("table_name", rows, [](const Run& r) { return r.table; }));
  CALVE_RETURN_IF_ERROR(
      columns.Number("rows_read", rows, [](const Run& r) { return r.rows_read; }));
  CALVE_RETURN_IF_ERROR(
      columns.Number("rows_written", rows, [](const Run& r) { return r.rows_written; }));
  CALVE_RETURN_IF_ERROR(
      columns.Number("rows_quarantined", rows, [](const Run& r) { return r.rows_quarantined; }));
  CALVE_RETURN_IF_ERROR(
      columns.Number("rows_dropped", rows, [](const Run& r) { return r.rows_dropped; }));
  CALVE_RETURN_IF_ERROR(
      columns.Number("rows_made", rows, [](const Run& r) { return r.rows_made; }));
  CALVE_RETURN_IF_ERROR(
      columns.Number("bytes_read", rows, [](const Run& r) { return r.bytes_read; }));
  CALVE_RETURN_IF_ERROR(
      columns.Number("snapshot_id", rows, [](const Run& r) { return r.snapshot_id; }));
  CALVE_RETURN_IF_ERROR(columns.Text("branch", rows, [](const Run& r) { return r.branch; }));
  CALVE_RETURN_IF_ERROR(columns.Text("error", rows, [](const Run& r) { return r.error; }));
  return std::move(columns).Table(rows.size());
}

Result<engine::ArrowTable> AuditsTable(Program& program) {
  using Audit = state::AuditRecord;
  CALVE_ASSIGN_OR_RETURN(state::Runs * runs, program.runs());
  CALVE_ASSIGN_OR_RETURN(const std::vector<Audit> rows, runs->Audits(kRowsMax));
  Columns columns;
  CALVE_RETURN_IF_ERROR(columns.Text("run", rows, [](const Audit& a) { return a.run; }));
  CALVE_RETURN_IF_ERROR(columns.Text("table_name", rows, [](const Audit& a) { return a.table; }));
  CALVE_RETURN_IF_ERROR(columns.Text("check_name", rows, [](const Audit& a) { return a.check; }));
  CALVE_RETURN_IF_ERROR(columns.Text("severity", rows, [](const Audit& a) { return a.severity; }));
  CALVE_RETURN_IF_ERROR(columns.Bool("passed", rows, [](const Audit& a) { return a.passed; }));
  CALVE_RETURN_IF_ERROR(
      columns.Number("rows_failed", rows, [](const Audit& a) { return a.rows_failed; }));
  CALVE_RETURN_IF_ERROR(
      columns.Number("rows_total", rows, [](const Audit& a) { return a.rows_total; }));
  CALVE_RETURN_IF_ERROR(columns.Text("message", rows, [](const Audit& a) { return a.message; }));
  CALVE_RETURN_IF_ERROR(columns.Time(
      "judged_at", rows, [](const Audit& a) { return std::optional<Timestamp>(a.at); }));
  return std::move(columns).Table(rows.size());
}

struct TableRow {
  std::string catalog;
  std::string name;
  std::string location;
  catalog::LoadedTable loaded;
  const iceberg::Snapshot* main() const { return loaded.metadata->current_snapshot(); }
  std::optional<int64_t> Total(const char* key) const {
    if (main() == nullptr) return 0;
    const auto found = main()->summary.find(key);
    return found == main()->summary.end() ? std::nullopt : ParseInteger(found->second);
  }
};

Status CollectTables(Program& program, catalog::Catalog& catalog, const catalog::Namespace& parent,
                     std::vector<TableRow>* rows) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const auto namespaces, catalog.ListNamespaces(context, parent));
  for (const catalog::Namespace& ns : namespaces) {
    CALVE_ASSIGN_OR_RETURN(const auto tables, catalog.ListTables(context, ns));
    for (const catalog::TableName& table : tables) {
      CALVE_ASSIGN_OR_RETURN(auto loaded, catalog.LoadTable(context, table));
      rows->push_back({.catalog = catalog.name(),
                       .name = table.ToString(),
                       .location = loaded.metadata->location,
                       .loaded = std::move(loaded)});
    }
    CALVE_RETURN_IF_ERROR(CollectTables(program, catalog, ns, rows));
  }
  return Status::Ok();
}

Result<engine::ArrowTable> TablesTable(Program& program) {
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, program.project());
  std::vector<TableRow> rows;
  for (const auto& [name, declared] : loaded->project.catalogs) {
    CALVE_ASSIGN_OR_RETURN(catalog::Catalog * catalog, program.Catalog(name));
    CALVE_RETURN_IF_ERROR(CollectTables(program, *catalog, {}, &rows));
  }
  Columns columns;
  CALVE_RETURN_IF_ERROR(
      columns.Text("catalog_name", rows, [](const TableRow& t) { return t.catalog; }));
  CALVE_RETURN_IF_ERROR(columns.Text("table_name", rows, [](const TableRow& t) { return t.name; }));
  CALVE_RETURN_IF_ERROR(columns.Number("row_count", rows,
                                       [](const TableRow& t) { return t.Total("total-records"); }));
  CALVE_RETURN_IF_ERROR(columns.Number(
      "file_count", rows, [](const TableRow& t) { return t.Total("total-data-files"); }));
  CALVE_RETURN_IF_ERROR(
      columns.Number("bytes", rows, [](const TableRow& t) { return t.Total("total-files-size"); }));
  CALVE_RETURN_IF_ERROR(columns.Number("snapshot_count", rows, [](const TableRow& t) {
    return std::optional<int64_t>(static_cast<int64_t>(t.loaded.metadata->snapshots.size()));
  }));
  CALVE_RETURN_IF_ERROR(columns.Number("snapshot_id", rows, [](const TableRow& t) {
    return t.main() == nullptr ? std::nullopt : std::optional<int64_t>(t.main()->id.value());
  }));
  CALVE_RETURN_IF_ERROR(columns.Text("proof", rows, [](const TableRow& t) -> std::string {
    if (t.main() == nullptr) return "";
    const auto proof = commit::ProofOf(*t.main());
    return proof.has_value() ? std::string(commit::ToString(*proof)) : "unaudited";
  }));
  CALVE_RETURN_IF_ERROR(columns.Time("updated_at", rows, [](const TableRow& t) {
    return std::optional<Timestamp>(TimestampFromMillis(t.loaded.metadata->last_updated_ms));
  }));
  CALVE_RETURN_IF_ERROR(columns.Number("format_version", rows, [](const TableRow& t) {
    return std::optional<int64_t>(t.loaded.metadata->format_version);
  }));
  CALVE_RETURN_IF_ERROR(
      columns.Text("location", rows, [](const TableRow& t) { return t.location; }));
  return std::move(columns).Table(rows.size());
}

}  // namespace

std::map<std::string, std::function<Result<engine::ArrowTable>(const Context& context)>> OwnTables(
    Program& program) {
  return {{"runs", [&program](const Context&) { return RunsTable(program); }},
          {"audits", [&program](const Context&) { return AuditsTable(program); }},
          {"tables", [&program](const Context&) { return TablesTable(program); }}};
}

}  // namespace calve::cli
