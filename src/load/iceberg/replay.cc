#include "load/iceberg/replay.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/text.h"
#include "catalog/table_files.h"
#include "columnar/convert.h"
#include "iceberg/scan.h"
#include "load/iceberg/quarantine.h"
#include "writer/writer.h"

namespace calve::load {
namespace {

/// Of the rows that are tried again in one run: they are in memory as text and as columns.
constexpr size_t kChunkBytes = 16 << 20;

std::string Text(const columnar::Batch& batch, int column, int64_t row) {
  const auto& texts = static_cast<const arrow::StringArray&>(*batch->column(column));
  return texts.IsNull(row) ? std::string() : texts.GetString(row);
}

/// How many rows of a snapshot have had their turn, as a position says.
Result<int64_t> TurnsTaken(const std::optional<commit::Position>& since,
                           iceberg::SnapshotId snapshot) {
  if (!since.has_value()) return int64_t{0};
  const nlohmann::json state = nlohmann::json::parse(since->state, nullptr, false);
  const bool is_ours = state.is_object() && state.value("kind", "") == "quarantine" &&
                       state.contains("snapshot") && state["snapshot"].is_number_integer() &&
                       state.contains("rows") && state["rows"].is_number_integer();
  if (!is_ours) {
    return DataError("expected the position of a replay in the table's snapshots, found " +
                     since->state);
  }
  if (state["snapshot"].get<int64_t>() != snapshot.value()) return int64_t{0};
  return state["rows"].get<int64_t>();
}

commit::Position PositionAfter(int64_t rows, iceberg::SnapshotId snapshot) {
  const nlohmann::ordered_json state = {
      {"version", 1}, {"kind", "quarantine"}, {"snapshot", snapshot.value()}, {"rows", rows}};
  return {.state = state.dump(), .ledger = {}};
}

}  // namespace

/// Finds the quarantine's snapshot under any name.
class QuarantineReplay::OneTable : public engine::TableResolver {
 public:
  OneTable(iceberg::MetadataPtr metadata, iceberg::SnapshotId snapshot)
      : metadata_(std::move(metadata)), snapshot_(snapshot) {}
  Result<engine::ResolvedTable> Resolve(const Context&, const engine::TableReference&) override {
    return engine::IcebergTable{.metadata = metadata_,
                                .snapshot_id = snapshot_,
                                .schema = metadata_->schema(),
                                .data_sequence_min = std::nullopt};
  }

 private:
  const iceberg::MetadataPtr metadata_;
  const iceberg::SnapshotId snapshot_;
};

QuarantineReplay::QuarantineReplay(catalog::Catalog& catalog, io::FileSystem& files,
                                   engine::Engine& engine, Options options)
    : catalog_(catalog),
      files_(files),
      engine_(engine),
      options_(std::move(options)),
      held_name_(Quarantine::NameFor(options_.table)),
      committer_(catalog, files) {}
QuarantineReplay::~QuarantineReplay() = default;

Status QuarantineReplay::Begin(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(catalog::LoadedTable loaded, catalog_.LoadTable(context, held_name_));
  metadata_ = loaded.metadata;
  for (const char* column : {"form", "columns", "load_key"}) {
    if (metadata_->schema()->FindByName(column) != nullptr) continue;
    return RefusedError("table " + held_name_.ToString() +
                        " is no quarantine that can be replayed: it has no column " + column);
  }
  CALVE_ASSIGN_OR_RETURN(const bool is_begun, GoOn(context));
  if (!is_begun) CALVE_RETURN_IF_ERROR(BeginAnew(context));
  if (held_.empty()) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const auto count, Select(context, "count(*)", "AND form <> 'shown'"));
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch counted, count->Next(context));
  if (counted != nullptr)
    rows_ = static_cast<const arrow::Int64Array&>(*counted->column(0)).Value(0);
  return Status::Ok();
}

/// Take up a replay that has begun; false when there is none, or its rows have gone meanwhile.
Result<bool> QuarantineReplay::GoOn(const Context& context) {
  const auto tagged = metadata_->refs.find(tag());
  const auto keys = metadata_->properties.find(property());
  if (tagged == metadata_->refs.end() || keys == metadata_->properties.end()) return false;
  snapshot_ = tagged->second.snapshot_id;
  for (std::string& key : calve::Split(keys->second, ',')) keys_.insert(std::move(key));
  CALVE_RETURN_IF_ERROR(FindFiles(context));
  CALVE_ASSIGN_OR_RETURN(const std::set<std::string> live, LivePaths(context));
  const bool any = std::any_of(held_.begin(), held_.end(), [&](const iceberg::DataFilePtr& file) {
    return live.contains(file->path);
  });
  if (any) return true;
  held_.clear();
  keys_.clear();
  CALVE_RETURN_IF_ERROR(LetGo(context));
  return false;
}

/// Find the rows whose turn it is, and write down which they are.
Status QuarantineReplay::BeginAnew(const Context& context) {
  const iceberg::Snapshot* head = metadata_->current_snapshot();
  if (head == nullptr) return Status::Ok();
  snapshot_ = head->id;
  CALVE_RETURN_IF_ERROR(FindSettledKeys(context));
  if (keys_.empty()) return Status::Ok();
  CALVE_RETURN_IF_ERROR(FindFiles(context));
  const auto begin = [&](const iceberg::TableMetadata& base) -> Result<iceberg::TableChange> {
    if (base.refs.contains(tag())) {
      return RefusedError("another replay of rows of job " + options_.job +
                          " has just begun; run again when it has ended");
    }
    iceberg::TableChange change = iceberg::SetRef(
        base, tag(), {.snapshot_id = snapshot_, .kind = iceberg::SnapshotRef::Kind::kTag},
        std::nullopt);
    const std::vector<std::string> keys(keys_.begin(), keys_.end());
    change.updates.push_back(iceberg::SetProperties({{property(), Join(keys, ",")}}));
    return change;
  };
  return StatusOf(committer_.Update(context, held_name_, begin));
}

/// Rows are settled once the good rows of their run are in the table: until then the next run of the
/// job reads them again.
Status QuarantineReplay::FindSettledKeys(const Context& context) {
  std::set<std::string> runs;
  int64_t known_since_us = std::numeric_limits<int64_t>::min();
  Result<catalog::LoadedTable> target = catalog_.LoadTable(context, options_.table);
  if (!target.ok() && target.error().kind != ErrorKind::kNotFound) return std::move(target).error();
  if (target.ok()) {
    const iceberg::TableMetadata& table = *target->metadata;
    const iceberg::Snapshot* snapshot = table.current_snapshot();
    while (snapshot != nullptr) {
      const auto run = snapshot->summary.find(std::string(commit::summary::kRun));
      if (run != snapshot->summary.end()) runs.insert(run->second);
      if (!snapshot->parent_id.has_value()) break;
      const iceberg::Snapshot* parent = table.FindSnapshot(*snapshot->parent_id);
      // What came before was expired: it had long been published.
      if (parent == nullptr) known_since_us = snapshot->timestamp_ms * 1000;
      snapshot = parent;
    }
  }
  CALVE_ASSIGN_OR_RETURN(
      const auto stream,
      engine_.Query(context,
                    "SELECT load_key, run, max(epoch_us(quarantined_at)), count(*) FROM held WHERE "
                    "job IN (" +
                        engine::QuoteLiteral(options_.job) + ", " +
                        engine::QuoteLiteral(options_.replay_job) + ") GROUP BY load_key, run",
                    {.resolver = At(snapshot_), .tables = {}}));
  std::set<std::string> unpublished;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, stream->Next(context));
    if (batch == nullptr) break;
    const auto& times = static_cast<const arrow::Int64Array&>(*batch->column(2));
    const auto& counts = static_cast<const arrow::Int64Array&>(*batch->column(3));
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const bool settled = runs.contains(Text(batch, 1, row)) || times.Value(row) < known_since_us;
      (settled ? keys_ : unpublished).insert(Text(batch, 0, row));
      if (!settled) rows_unpublished_ += counts.Value(row);
    }
  }
  // Of one key only one run has rows, unless two have run side by side.
  for (const std::string& key : unpublished) keys_.erase(key);
  return Status::Ok();
}

/// The files of the snapshot that hold rows of the keys, and no others.
Status QuarantineReplay::FindFiles(const Context& context) {
  catalog::TableFiles table_files(files_);
  CALVE_ASSIGN_OR_RETURN(
      const iceberg::ScanPlan plan,
      iceberg::PlanScan(context, table_files, *metadata_, {.snapshot_id = snapshot_}));
  for (const iceberg::ScanTask& task : plan.tasks) {
    const std::vector<iceberg::Value>& partition = task.file->partition;
    const bool is_one = partition.size() == 1 && !partition[0].is_null();
    if (!is_one || task.has_deletes()) {
      return RefusedError("another program has changed " + held_name_.ToString() +
                          ": expected one load_key a file and no deleted rows; load what you need "
                          "from it by SQL, then calve quarantine drop");
    }
    if (keys_.contains(partition[0].as<std::string>())) held_.push_back(task.file);
  }
  return Status::Ok();
}

Result<std::set<std::string>> QuarantineReplay::LivePaths(const Context& context) {
  catalog::TableFiles table_files(files_);
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable now, catalog_.LoadTable(context, held_name_));
  CALVE_ASSIGN_OR_RETURN(const iceberg::ScanPlan plan,
                         iceberg::PlanScan(context, table_files, *now.metadata, {}));
  std::set<std::string> paths;
  for (const iceberg::ScanTask& task : plan.tasks) paths.insert(task.file->path);
  return paths;
}

Status QuarantineReplay::LetGo(const Context& context) {
  const auto end = [&](const iceberg::TableMetadata& base) -> Result<iceberg::TableChange> {
    if (!base.refs.contains(tag())) return iceberg::TableChange{};
    CALVE_ASSIGN_OR_RETURN(iceberg::TableChange change, iceberg::RemoveRef(base, tag()));
    change.updates.push_back(iceberg::RemoveProperties({property()}));
    return change;
  };
  return StatusOf(committer_.Update(context, held_name_, end));
}

engine::TableResolver* QuarantineReplay::At(iceberg::SnapshotId snapshot) {
  table_ = std::make_unique<OneTable>(metadata_, snapshot);
  return table_.get();
}

std::string QuarantineReplay::QuotedKeys() const {
  std::vector<std::string> keys;
  for (const std::string& key : keys_) keys.push_back(engine::QuoteLiteral(key));
  return Join(keys, ", ");
}

Result<std::unique_ptr<engine::ResultStream>> QuarantineReplay::Select(const Context& context,
                                                                       const std::string& columns,
                                                                       const std::string& rest) {
  return engine_.Query(
      context, "SELECT " + columns + " FROM held WHERE load_key IN (" + QuotedKeys() + ") " + rest,
      {.resolver = At(snapshot_), .tables = {}});
}

Result<std::optional<HeldChunk>> QuarantineReplay::Next(
    const Context& context, const std::optional<commit::Position>& since) {
  if (held_.empty()) return std::optional<HeldChunk>();
  CALVE_ASSIGN_OR_RETURN(turns_, TurnsTaken(since, snapshot_));
  CALVE_ASSIGN_OR_RETURN(
      const auto stream,
      Select(context, "form, columns, raw, origin",
             "AND form <> 'shown' ORDER BY form, columns, load_key, origin, raw OFFSET " +
                 std::to_string(turns_)));
  HeldChunk chunk;
  size_t bytes = 0;
  bool is_full = false;
  while (!is_full) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, stream->Next(context));
    if (batch == nullptr) break;
    for (int64_t row = 0; row < batch->num_rows() && !is_full; ++row) {
      const auto form = columnar::ParseRowForm(Text(batch, 0, row));
      if (!form.has_value()) {
        return DataError("expected text, read, transformed or shown in column form of " +
                         held_name_.ToString() + ", found " + Quote(Text(batch, 0, row)));
      }
      std::string columns = Text(batch, 1, row);
      const bool is_alike = chunk.form == *form && chunk.columns == columns;
      is_full = !chunk.rows.empty() && (!is_alike || bytes >= kChunkBytes);
      if (is_full) break;
      chunk.form = *form;
      chunk.columns = std::move(columns);
      chunk.rows.push_back({.raw = Text(batch, 2, row), .origin = Text(batch, 3, row)});
      bytes += chunk.rows.back().raw.size() + chunk.rows.back().origin.size();
    }
  }
  if (chunk.rows.empty()) return std::optional<HeldChunk>();
  turns_ += static_cast<int64_t>(chunk.rows.size());
  chunk.position = PositionAfter(turns_, snapshot_);
  return std::optional<HeldChunk>(std::move(chunk));
}

Result<std::vector<iceberg::DataFilePtr>> QuarantineReplay::CopyShown(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const auto stream, Select(context, "*", "AND form = 'shown'"));
  std::unique_ptr<writer::DataFileWriter> writer;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, stream->Next(context));
    if (batch == nullptr) break;
    if (batch->num_rows() == 0) continue;
    if (writer == nullptr) {
      CALVE_ASSIGN_OR_RETURN(writer, writer::OpenDataFileWriter(context, files_,
                                                                {.table = metadata_,
                                                                 .schema = metadata_->schema(),
                                                                 .spec = metadata_->spec(),
                                                                 .run_id = options_.run,
                                                                 .buffer_bytes_max = 8 << 20}));
    }
    const Status written = [&]() -> Status {
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch exact,
                             columnar::Conform(batch, *metadata_->schema()));
      return writer->Write(context, exact);
    }();
    if (!written.ok()) {
      static_cast<void>(writer->Abort(context.WithStop({})));
      return written.error();
    }
  }
  if (writer == nullptr) return std::vector<iceberg::DataFilePtr>();
  return writer->Close(context);
}

/// How many rows this replay has held back, in whichever process.
Result<int64_t> QuarantineReplay::CountHeldAgain(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable now, catalog_.LoadTable(context, held_name_));
  const iceberg::Snapshot* begun = metadata_->FindSnapshot(snapshot_);
  if (begun == nullptr || now.metadata->current_snapshot() == nullptr) return int64_t{0};
  OneTable table(now.metadata, now.metadata->current_snapshot()->id);
  CALVE_ASSIGN_OR_RETURN(
      const auto stream,
      engine_.Query(
          context,
          "SELECT count(*) FROM held WHERE job = " + engine::QuoteLiteral(options_.replay_job) +
              " AND load_key NOT IN (" + QuotedKeys() +
              ") AND epoch_ms(quarantined_at) >= " + std::to_string(begun->timestamp_ms),
          {.resolver = &table, .tables = {}}));
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch counted, stream->Next(context));
  if (counted == nullptr) return int64_t{0};
  return static_cast<const arrow::Int64Array&>(*counted->column(0)).Value(0);
}

Result<HeldRows::Outcome> QuarantineReplay::Finish(const Context& context) {
  Outcome outcome{.rows = rows_, .unpublished = rows_unpublished_};
  if (held_.empty()) return outcome;
  CALVE_ASSIGN_OR_RETURN(outcome.held_back_again, CountHeldAgain(context));
  CALVE_ASSIGN_OR_RETURN(const std::set<std::string> live, LivePaths(context));
  commit::Change change;
  for (const iceberg::DataFilePtr& file : held_) {
    // Gone already: this replay had come so far before it ended, or somebody has dropped the rows.
    if (live.contains(file->path)) change.rows.removed_paths.push_back(file->path);
  }
  if (!change.rows.removed_paths.empty()) {
    CALVE_ASSIGN_OR_RETURN(change.rows.added_data_files, CopyShown(context));
    for (const auto& file : change.rows.added_data_files) outcome.stay += file->record_count;
    change.pipeline = options_.replay_job;
    change.run = options_.run;
    change.rows.operation = iceberg::Operation::kOverwrite;
    CALVE_RETURN_IF_ERROR(
        committer_.Commit(context, held_name_, std::move(change), commit::Proof::kRows));
  }
  CALVE_RETURN_IF_ERROR(LetGo(context));
  return outcome;
}

}  // namespace calve::load
