#include "load/iceberg/replay.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "catalog/table_files.h"
#include "columnar/convert.h"
#include "iceberg/scan.h"
#include "load/iceberg/quarantine.h"
#include "load/iceberg/settled_loads.h"
#include "writer/writer.h"

namespace calve::load {
namespace {

/// Of the rows that are tried again in one run: they are in memory as text and as columns.
constexpr size_t kChunkBytes = 16 << 20;

/// How often it is found out which rows have their turn, because others came meanwhile.
constexpr int kLooksMax = 20;

/// Rows of which only people can make something; those of before `form` was there do not say.
constexpr const char* kShownOnly = "AND (form IS NULL OR form = 'shown')";
constexpr const char* kReadable = "AND form <> 'shown'";

std::string Text(const columnar::Batch& batch, int column, int64_t row) {
  const auto& texts = static_cast<const arrow::StringArray&>(*batch->column(column));
  return texts.IsNull(row) ? std::string() : texts.GetString(row);
}

int64_t Number(const columnar::Batch& batch, int column, int64_t row) {
  return static_cast<const arrow::Int64Array&>(*batch->column(column)).Value(row);
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
    return RefusedError("the rows in " + held_name_.ToString() +
                        " do not say how they are read again, as it has no column " + column +
                        ": an earlier version of calve held them back; load what you need from it "
                        "by SQL, then calve quarantine drop");
  }
  CALVE_ASSIGN_OR_RETURN(const bool is_begun, GoOn(context));
  if (!is_begun) CALVE_RETURN_IF_ERROR(BeginAnew(context));
  if (held_.empty()) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const auto count, Select(context, "count(*)", kReadable));
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch counted, count->Next(context));
  if (counted != nullptr) rows_ = Number(counted, 0, 0);
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
  CALVE_RETURN_IF_ERROR(CheckLieAsTheyDid(context, live));
  if (any) return true;
  held_.clear();
  keys_.clear();
  CALVE_RETURN_IF_ERROR(LetGo(context));
  return false;
}

/// Find the rows whose turn it is, and write down which they are.
Status QuarantineReplay::BeginAnew(const Context& context) {
  for (int look = 1; look <= kLooksMax; ++look) {
    const iceberg::Snapshot* head = metadata_->current_snapshot();
    if (head == nullptr) return Status::Ok();
    snapshot_ = head->id;
    CALVE_RETURN_IF_ERROR(FindSettledKeys(context));
    if (keys_.empty()) return Status::Ok();
    CALVE_RETURN_IF_ERROR(FindFiles(context));
    CALVE_ASSIGN_OR_RETURN(const bool is_begun, Mark(context));
    if (is_begun) return Status::Ok();
  }
  return TransientError("other runs changed " + held_name_.ToString() + " " +
                        FormatCount(kLooksMax) +
                        " times in a row before a replay could begin; run again");
}

/// Write down which rows are replayed. False when the quarantine has changed since they were found:
/// another replay may have taken some of them out.
Result<bool> QuarantineReplay::Mark(const Context& context) {
  bool is_found_so = false;
  const auto begin = [&](const iceberg::TableMetadata& base) -> Result<iceberg::TableChange> {
    if (base.refs.contains(tag())) {
      return RefusedError("another replay of rows of job " + options_.job +
                          " has just begun; run again when it has ended");
    }
    is_found_so = base.current_snapshot_id == snapshot_;
    if (!is_found_so) return iceberg::TableChange{};
    iceberg::TableChange change = iceberg::SetRef(
        base, tag(), {.snapshot_id = snapshot_, .kind = iceberg::SnapshotRef::Kind::kTag},
        std::nullopt);
    change.requirements.push_back(
        iceberg::AssertRefSnapshotId(std::string(iceberg::kMainBranch), snapshot_));
    const std::vector<std::string> keys(keys_.begin(), keys_.end());
    change.updates.push_back(iceberg::SetProperties({{property(), Join(keys, ",")}}));
    return change;
  };
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable now,
                         committer_.Update(context, held_name_, begin));
  metadata_ = now.metadata;
  return is_found_so;
}

/// Rows are settled once the good rows of their run are in the table: until then the next run of the
/// job reads them again.
Status QuarantineReplay::FindSettledKeys(const Context& context) {
  keys_.clear();
  rows_unpublished_ = 0;
  Result<catalog::LoadedTable> target = catalog_.LoadTable(context, options_.table);
  if (!target.ok() && target.error().kind != ErrorKind::kNotFound) return std::move(target).error();
  const SettledLoads settled(options_.job, options_.replay_job,
                             target.ok() ? target->metadata.get() : nullptr);
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
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const bool is_settled = settled.Has({.key = Text(batch, 0, row),
                                           .run = Text(batch, 1, row),
                                           .held_back_us = Number(batch, 2, row)});
      (is_settled ? keys_ : unpublished).insert(Text(batch, 0, row));
      if (!is_settled) rows_unpublished_ += Number(batch, 3, row);
    }
  }
  // Of one key only one run has rows, unless two have run side by side.
  for (const std::string& key : unpublished) keys_.erase(key);
  return Status::Ok();
}

/// The files of the snapshot that hold rows of the keys, and no others.
Status QuarantineReplay::FindFiles(const Context& context) {
  held_.clear();
  catalog::TableFiles table_files(files_);
  CALVE_ASSIGN_OR_RETURN(
      const iceberg::ScanPlan plan,
      iceberg::PlanScan(context, table_files, *metadata_, {.snapshot_id = snapshot_}));
  for (const iceberg::ScanTask& task : plan.tasks) {
    const std::vector<iceberg::Value>& partition = task.file->partition;
    const bool is_one = partition.size() == 1 && !partition[0].is_null();
    if (!is_one || task.has_deletes()) return ChangedByOthers();
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

/// Refuse rows of the snapshot that lie in other files now: which of them have gone cannot be told,
/// nor can they be taken out.
Status QuarantineReplay::CheckLieAsTheyDid(const Context& context,
                                           const std::set<std::string>& live) {
  std::map<std::string, int64_t> rows_live;
  bool all_live = true;
  for (const iceberg::DataFilePtr& file : held_) {
    const bool is_live = live.contains(file->path);
    all_live = all_live && is_live;
    rows_live[file->partition[0].as<std::string>()] += is_live ? file->record_count : 0;
  }
  if (all_live) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const auto runs, Select(context, "DISTINCT run", kReadable));
  std::vector<std::string> names;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, runs->Next(context));
    if (batch == nullptr) break;
    for (int64_t row = 0; row < batch->num_rows(); ++row)
      names.push_back(engine::QuoteLiteral(Text(batch, 0, row)));
  }
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable now, catalog_.LoadTable(context, held_name_));
  if (names.empty() || now.metadata->current_snapshot() == nullptr) return Status::Ok();
  OneTable table(now.metadata, now.metadata->current_snapshot()->id);
  CALVE_ASSIGN_OR_RETURN(const auto there,
                         engine_.Query(context,
                                       "SELECT load_key, count(*) FROM held WHERE load_key IN (" +
                                           QuotedKeys() + ") AND run IN (" + Join(names, ", ") +
                                           ") " + kReadable + " GROUP BY load_key",
                                       {.resolver = &table, .tables = {}}));
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, there->Next(context));
    if (batch == nullptr) return Status::Ok();
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      if (Number(batch, 1, row) > rows_live[Text(batch, 0, row)]) return ChangedByOthers();
    }
  }
}

Error QuarantineReplay::ChangedByOthers() const {
  return RefusedError("another program has laid out " + held_name_.ToString() +
                      " anew: expected one load_key a file, no deleted rows, and the files as they "
                      "were while rows are replayed; load what you need from it by SQL, then calve "
                      "quarantine drop");
}

/// Whether the rows of the snapshot are being replayed, by this process or another.
bool QuarantineReplay::IsMarked(const iceberg::TableMetadata& table) const {
  const auto tagged = table.refs.find(tag());
  return tagged != table.refs.end() && tagged->second.snapshot_id == snapshot_;
}

Status QuarantineReplay::LetGo(const Context& context) {
  const auto end = [&](const iceberg::TableMetadata& base) -> Result<iceberg::TableChange> {
    if (!IsMarked(base)) return iceberg::TableChange{};
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
  // As long as the mark is there, `since` is of this replay or of one before.
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable now, catalog_.LoadTable(context, held_name_));
  if (!IsMarked(*now.metadata)) {
    return RefusedError("another replay has taken the rows of job " + options_.job + " out of " +
                        held_name_.ToString() + " meanwhile; run again for those that are left");
  }
  CALVE_ASSIGN_OR_RETURN(turns_, TurnsTaken(since, snapshot_));
  CALVE_ASSIGN_OR_RETURN(
      const auto stream,
      Select(context, "form, columns, raw, origin",
             kReadable + (" ORDER BY form, columns, load_key, origin, raw OFFSET " +
                          std::to_string(turns_))));
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
  CALVE_ASSIGN_OR_RETURN(const auto stream, Select(context, "*", kShownOnly));
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
      if (Status aborted = writer->Abort(context); !aborted.ok())
        committer_.LeaveFiles(context, aborted.error());
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
  return counted == nullptr ? 0 : Number(counted, 0, 0);
}

Result<HeldRows::Outcome> QuarantineReplay::Finish(const Context& context) {
  Outcome outcome{.rows = rows_, .unpublished = rows_unpublished_};
  if (held_.empty()) return outcome;
  CALVE_ASSIGN_OR_RETURN(outcome.held_back_again, CountHeldAgain(context));
  CALVE_ASSIGN_OR_RETURN(const std::set<std::string> live, LivePaths(context));
  CALVE_RETURN_IF_ERROR(CheckLieAsTheyDid(context, live));
  commit::Change change;
  for (const iceberg::DataFilePtr& file : held_) {
    // Gone already: this replay had come so far before it ended, or somebody has dropped the rows.
    if (live.contains(file->path)) change.rows.removed_paths.push_back(file->path);
  }
  if (!change.rows.removed_paths.empty()) {
    CALVE_ASSIGN_OR_RETURN(change.rows.added_data_files, CopyShown(context));
    std::vector<std::string> copies;
    for (const auto& file : change.rows.added_data_files) {
      outcome.stay += file->record_count;
      copies.push_back(file->path);
    }
    change.pipeline = options_.replay_job;
    change.run = options_.run;
    change.rows.operation = iceberg::Operation::kOverwrite;
    const Status committed =
        StatusOf(committer_.Commit(context, held_name_, std::move(change), commit::Proof::kRows));
    if (!committed.ok() && committed.error().kind != ErrorKind::kUnknownOutcome) {
      if (Status deleted = files_.DeleteAll(context.WithStop({}), copies); !deleted.ok())
        committer_.LeaveFiles(context, deleted.error());
    }
    CALVE_RETURN_IF_ERROR(committed);
  }
  CALVE_RETURN_IF_ERROR(LetGo(context));
  return outcome;
}

}  // namespace calve::load
