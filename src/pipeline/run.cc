#include "pipeline/run.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "base/executor.h"
#include "base/memory.h"
#include "base/retry.h"
#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/memory.h"
#include "columnar/row_text.h"
#include "pipeline/adoption.h"
#include "pipeline/fit.h"

namespace calve::pipeline {
namespace {

using columnar::TracedBatch;

/// How often a run is planned because another writer has made its table, or changed its columns,
/// meanwhile.
constexpr int kPlansMax = 10;

/// The part of the memory limit that one batch of one split may take. A batch is there several
/// times at once: as text, as columns, checked and encoded.
constexpr int64_t kBatchShare = 32;

/// What a replay reads instead of the job's source.
struct Held {
  int64_t rows = 0;
  source::Position position;
  columnar::RowForm form = columnar::RowForm::kRead;  ///< Of what comes out of the source.
  /// What a row goes back with that still cannot be read.
  std::string columns;
  std::shared_ptr<arrow::Schema> schema;  ///< Of rows in JSON.
  std::shared_ptr<arrow::Schema> types;   ///< Of rows in text: as their source had them; or null.
};

/// What reading text again takes: what its source says of it, and the types that the source had.
struct TextColumns {
  std::string names;
  std::string types;  ///< As columnar::SchemaAsJson; empty when they cannot be printed.

  /// Neither has a line break.
  std::string ToString() const { return names + "\n" + types; }
  static TextColumns Parse(const std::string& text) {
    const size_t end = std::min(text.find('\n'), text.size());
    return {.names = text.substr(0, end), .types = text.substr(std::min(end + 1, text.size()))};
  }
};

/// A job's source, transforms and target, made and planned, nothing read yet.
struct Prepared {
  std::shared_ptr<source::Source> source;
  std::vector<config::PartOptions> steps;
  std::unique_ptr<load::Load> load;
  source::ReadPlan read;
  std::shared_ptr<arrow::Schema> schema;  ///< Of the batches after the transforms.
  std::vector<int> file_of_split;         ///< See Adoption.
  std::optional<Held> held;               ///< In a replay.
  Plan plan;
  iceberg::SchemaPtr incoming;  ///< Of the batches for the load: the planned columns, and a flag.
};

int ParallelismOf(const Job& job, const Resources& resources) {
  return job.resources.parallelism.value_or(resources.parallelism);
}

using Transforms = std::vector<std::unique_ptr<transform::Transform>>;

Result<Transforms> MakeTransforms(const Context& context,
                                  const std::vector<config::PartOptions>& steps,
                                  std::shared_ptr<arrow::Schema> schema, const Resources& resources,
                                  std::shared_ptr<transform::SharedStates> states = nullptr) {
  Transforms transforms;
  transform::Resources given = resources.transform;
  given.project_folder = resources.source.project_folder;
  given.states = std::move(states);
  for (const config::PartOptions& step : steps) {
    const transform::Kind* kind = resources.parts->transforms.Find(step.type);
    if (kind == nullptr) return ConfigError("'" + step.type + "' is no type of transformer");
    given.step = transforms.size();
    CALVE_ASSIGN_OR_RETURN(auto made, kind->make(context, step.node, schema, given));
    schema = made->schema();
    transforms.push_back(std::move(made));
  }
  return transforms;
}

/// One batch through the transforms. Where one of them hides values, the rows that were held back
/// before it tell them no longer.
Result<TracedBatch> TransformBatch(const Context& context, const Transforms& transforms,
                                   TracedBatch batch) {
  for (const auto& transform : transforms) {
    if (const auto* concealment = transform->concealment(); concealment != nullptr) {
      for (columnar::Reject& reject : batch.rejects) concealment->Hide(&reject);
    }
    CALVE_ASSIGN_OR_RETURN(batch, transform->Apply(context, std::move(batch)));
  }
  return batch;
}

Status FinishAll(const Context& context, const Transforms& transforms) {
  for (const auto& transform : transforms) CALVE_RETURN_IF_ERROR(transform->Finish(context));
  return Status::Ok();
}

bool HideValues(const Transforms& transforms) {
  return std::any_of(transforms.begin(), transforms.end(),
                     [](const auto& transform) { return transform->concealment() != nullptr; });
}

/// Leave out notes on what was read that may tell a value that a transform hides.
void HideNotes(const Transforms& transforms, std::vector<std::string>* notes) {
  for (const auto& transform : transforms) {
    const transform::Concealment* concealment = transform->concealment();
    if (concealment == nullptr) continue;
    std::erase_if(*notes, [&](const std::string& note) { return concealment->IsToldBy(note); });
  }
}

Status PlanSource(const Context& context, const Job& job,
                  const std::optional<source::Position>& since,
                  std::shared_ptr<arrow::Schema> wanted, bool widen, const Resources& resources,
                  Prepared* prepared) {
  source::PlanOptions options;
  options.since = since;
  options.batch_rows_max = resources.batch_rows_max;
  options.parallelism = ParallelismOf(job, resources);
  options.batch_bytes_max =
      std::min(options.batch_bytes_max,
               ByteCount(resources.memory_limit.value() / (kBatchShare * options.parallelism)));
  options.wanted = std::move(wanted);
  options.widen_wanted = widen;
  options.window = resources.window;
  CALVE_ASSIGN_OR_RETURN(prepared->read, prepared->source->Plan(context, options));
  prepared->plan.read = prepared->read.summary;
  prepared->plan.notes = prepared->read.notes;
  prepared->plan.splits = prepared->read.splits.size();
  // Without rows there are no columns: nothing to transform or to load is known.
  if (prepared->read.schema == nullptr || prepared->read.splits.empty()) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(
      const Transforms transforms,
      MakeTransforms(context, prepared->steps, prepared->read.schema, resources));
  prepared->schema = transforms.empty() ? prepared->read.schema : transforms.back()->schema();
  HideNotes(transforms, &prepared->plan.notes);
  return Status::Ok();
}

Result<std::unique_ptr<load::Load>> MakeLoad(const Job& job, const audit::Contract* contract,
                                             const std::string& run, const Resources& resources) {
  const load::Kind* kind = resources.parts->loaders.Find(job.loader.type);
  if (kind == nullptr) return ConfigError("'" + job.loader.type + "' is no type of loader");
  load::Request request;
  request.job = job.id;
  request.run = run;
  request.contract = contract;
  request.checks = &resources.parts->checks;
  request.parallelism = ParallelismOf(job, resources);
  // Sorting, encoding and the allocator take about three times what waits to be written.
  request.buffer_bytes_max = ByteCount(resources.memory_limit.value() / 6);
  return kind->make(job.loader.node, request, resources.load);
}

/// The source that reads rows which were held back: in text by the options of their own source, in
/// JSON as such.
Result<std::unique_ptr<source::Source>> MakeHeldSource(const Job& job, load::HeldChunk chunk,
                                                       const Resources& resources) {
  source::HeldText text;
  for (load::HeldChunk::Row& row : chunk.rows)
    text.rows.push_back({.text = std::move(row.raw), .origin = std::move(row.origin)});
  if (chunk.form != columnar::RowForm::kText) {
    text.columns = std::move(chunk.columns);
    CALVE_ASSIGN_OR_RETURN(const config::Node options,
                           config::ParseYaml("{source_path: quarantine}", "quarantine"));
    return resources.parts->sources.Find("json")->reread(options, std::move(text));
  }
  text.columns = TextColumns::Parse(chunk.columns).names;
  const source::Kind* kind = resources.parts->sources.Find(job.source.type);
  if (kind != nullptr && kind->reread != nullptr)
    return kind->reread(job.source.node, std::move(text));
  return ConfigError(
      "rows were held back as text that could not be read, but the job's source is of "
      "type " +
      job.source.type + ", which reads no text; give the job the source that it had");
}

/// Let a run read the next rows that were held back; without a source when there are none.
Status TakeHeld(const Context& context, const Job& job,
                const std::optional<commit::Position>& since, load::HeldRows& held,
                const Resources& resources, Prepared* prepared) {
  if (prepared->load->overwrites()) {
    return RefusedError("the job overwrites " + prepared->load->target() +
                        " at each run, so rows that were held back cannot be added to it; run the "
                        "job again instead");
  }
  CALVE_ASSIGN_OR_RETURN(std::optional<load::HeldChunk> chunk, held.Next(context, since));
  if (!chunk.has_value()) return Status::Ok();
  prepared->load->SetsOutToRead(chunk->position.state);
  if (chunk->form == columnar::RowForm::kTransformed) prepared->steps.clear();
  Held& taken = prepared->held.emplace();
  taken.rows = static_cast<int64_t>(chunk->rows.size());
  taken.position = {.state = chunk->position.state, .ledger = chunk->position.ledger};
  taken.columns = chunk->columns;
  if (chunk->form != columnar::RowForm::kText) {
    taken.form = chunk->form;
    CALVE_ASSIGN_OR_RETURN(taken.schema, columnar::ParseSchema(chunk->columns));
  } else if (const TextColumns text = TextColumns::Parse(chunk->columns); !text.types.empty()) {
    CALVE_ASSIGN_OR_RETURN(taken.types, columnar::ParseSchema(text.types));
  }
  CALVE_ASSIGN_OR_RETURN(prepared->source, MakeHeldSource(job, *std::move(chunk), resources));
  return Status::Ok();
}

Result<Prepared> Prepare(const Context& context, const Job& job, const audit::Contract* contract,
                         load::HeldRows* held, const std::string& run, const Resources& resources) {
  Prepared prepared;
  prepared.steps = job.steps();
  if (held == nullptr) prepared.source = resources.stream;
  if (held == nullptr && prepared.source == nullptr) {
    CALVE_ASSIGN_OR_RETURN(prepared.source, MakeSource(job, resources));
  }
  CALVE_ASSIGN_OR_RETURN(prepared.load, MakeLoad(job, contract, run, resources));
  bool expected = false;
  if (resources.book != nullptr) {
    CALVE_ASSIGN_OR_RETURN(expected, resources.book->HasPosition(context, job.id));
  }
  CALVE_ASSIGN_OR_RETURN(const auto position, prepared.load->ReadPosition(context, expected));
  std::optional<source::Position> since;
  if (held != nullptr) {
    CALVE_RETURN_IF_ERROR(TakeHeld(context, job, position, *held, resources, &prepared));
    if (prepared.source == nullptr) return prepared;
  } else if (position.has_value()) {
    since = source::Position{.state = position->state, .ledger = position->ledger};
  }
  // Transforms change names and types: what the target wants is only what the source should give
  // when there are none. Rows that do not fit say nothing of the types.
  std::shared_ptr<arrow::Schema> wanted;
  bool widen = prepared.load->may_widen();
  if (prepared.held.has_value() && prepared.held->schema != nullptr) {
    wanted = prepared.held->schema;
    widen = false;
  } else if (prepared.steps.empty()) {
    CALVE_ASSIGN_OR_RETURN(wanted, prepared.load->WantedSchema(context));
  } else if (prepared.held.has_value()) {
    wanted = prepared.held->types;
    widen = false;
  }
  CALVE_RETURN_IF_ERROR(
      PlanSource(context, job, since, std::move(wanted), widen, resources, &prepared));
  if (prepared.held.has_value()) {
    prepared.read.position = prepared.held->position;
    prepared.plan.read = FormatCount(prepared.held->rows) +
                         (prepared.held->rows == 1 ? " row that was" : " rows that were") +
                         " held back";
  }
  prepared.plan.target = prepared.load->target();
  prepared.plan.checks = contract == nullptr ? 0 : contract->checks.size();
  if (prepared.schema != nullptr) {
    CALVE_ASSIGN_OR_RETURN(prepared.plan.schema,
                           prepared.load->PlanSchema(context, *prepared.schema));
    prepared.incoming = prepared.plan.schema.schema;
    if (const std::string& flag = prepared.plan.schema.delete_flag; !flag.empty()) {
      CALVE_ASSIGN_OR_RETURN(prepared.incoming, WithFlag(*prepared.incoming, flag));
    }
    CALVE_ASSIGN_OR_RETURN(Adoption adoption, PlanAdoption(context, job, contract, prepared.read,
                                                           prepared.plan.schema, *prepared.load));
    prepared.file_of_split = std::move(adoption.file_of_split);
    prepared.plan.adoption = std::move(adoption.notes);
  }
  return prepared;
}

/// What becomes of the branches that earlier runs of a job left open.
struct OpenBranches {
  std::string blocking;               ///< Stays, and the job is not run; "" when none does.
  std::vector<std::string> give_way;  ///< Discarded before the job is run.
};

Result<OpenBranches> JudgeOpenBranches(const Context& context, const Job& job,
                                       const Resources& resources, load::Load& load) {
  OpenBranches judgement;
  CALVE_ASSIGN_OR_RETURN(const auto open, load.OpenBranches(context));
  for (const load::Load::OpenBranch& branch : open) {
    RunFate fate = RunFate::kUnknown;
    if (resources.book != nullptr) {
      CALVE_ASSIGN_OR_RETURN(fate, resources.book->FateOf(context, branch.run));
    }
    if (fate == RunFate::kRunning)
      continue;  // Another run of this job is under way; positions keep the two apart.
    const bool judged = fate == RunFate::kEnded || fate == RunFate::kUnknown;
    if (judged && job.on_open_branch == OnOpenBranch::kBlock) {
      judgement.blocking = branch.branch;
      return judgement;
    }
    judgement.give_way.push_back(branch.branch);
  }
  return judgement;
}

/// Discard the branches that give way, and sweep what dead runs left behind. Gives the branch that
/// blocks the job, or "".
Result<std::string> SettleEarlierRuns(const Context& context, const Job& job,
                                      const Resources& resources, load::Load& load) {
  CALVE_ASSIGN_OR_RETURN(const OpenBranches open, JudgeOpenBranches(context, job, resources, load));
  for (const std::string& branch : open.give_way)
    CALVE_RETURN_IF_ERROR(load.Discard(context, branch));
  if (!open.blocking.empty()) return open.blocking;
  if (resources.book == nullptr) return std::string();
  CALVE_ASSIGN_OR_RETURN(const auto dead, resources.book->DeadRuns(context, job.id));
  for (const std::string& run : dead) {
    CALVE_ASSIGN_OR_RETURN(const bool whole, load.Sweep(context, run));
    if (whole) CALVE_RETURN_IF_ERROR(resources.book->Swept(context, run));
  }
  return std::string();
}

/// The rows of a batch as its source gave them, for those of them that are held back.
class SourceRows {
 public:
  /// `held`: what the source reads, in a replay; else null.
  SourceRows(columnar::Batch rows, const Held* held) : rows_(std::move(rows)), held_(held) {}

  /// Tell no row as the source gave it.
  void Forget() { rows_.reset(); }

  /// A row for the quarantine: as the source gave it, where it comes from a single row of that.
  /// `schema`: of the row as the reject prints it.
  load::QuarantinedRow HeldBack(const std::string& rule, columnar::Reject reject,
                                const std::shared_ptr<arrow::Schema>& schema) {
    load::QuarantinedRow row{.rule = rule,
                             .reason = std::move(reject.reason),
                             .origin = std::move(reject.origin),
                             .raw = std::move(reject.raw),
                             .form = reject.form,
                             .columns = std::move(reject.columns)};
    if (reject.source_row >= 0 && rows_ != nullptr) {
      row.form = held_ == nullptr ? columnar::RowForm::kRead : held_->form;
      row.raw = columnar::RowAsJson(*rows_, reject.source_row);
      row.columns = Print(rows_->schema());
    } else if (row.form == columnar::RowForm::kTransformed && row.columns.empty()) {
      row.columns = Print(schema);
    } else if (row.form == columnar::RowForm::kText && held_ == nullptr) {
      row.columns = TextColumns{.names = row.columns, .types = Print(rows_->schema())}.ToString();
    } else if (row.form == columnar::RowForm::kText) {
      if (held_->schema != nullptr) row.form = held_->form;
      row.columns = held_->columns;
    }
    if (row.columns.empty() && row.form != columnar::RowForm::kText)
      row.form = columnar::RowForm::kShown;
    return row;
  }

 private:
  /// Empty when it has columns that only a transform makes something of: then rows cannot be read
  /// again by what is printed of them.
  std::string Print(const std::shared_ptr<arrow::Schema>& schema) {
    if (printed_of_ != schema) {
      Result<std::string> printed = columnar::SchemaAsJson(*schema);
      printed_ = printed.ok() ? std::move(*printed) : std::string();
      printed_of_ = schema;
    }
    return printed_;
  }

  columnar::Batch rows_;  ///< Null: forgotten.
  const Held* const held_;
  std::shared_ptr<arrow::Schema> printed_of_;
  std::string printed_;
};

/// Reads all splits of a run, several at once, into the load.
class Extraction {
 public:
  Extraction(const Context& context, const Job& job, const audit::Contract* contract,
             const Resources& resources, Prepared& prepared, Events& events)
      : context_(context),
        job_(job),
        contract_(contract),
        resources_(resources),
        prepared_(prepared),
        events_(events) {}

  /// Counts of what went through, valid after Run.
  int64_t rows_read = 0;
  int64_t rows_written = 0;
  int64_t rows_deleting = 0;
  int64_t rows_quarantined = 0;
  int64_t rows_dropped = 0;
  int64_t rows_taken = 0;
  int64_t rows_given = 0;
  std::map<std::string, int64_t> quarantined_by_rule;
  ByteCount bytes_read{0};
  std::vector<audit::Outcome> row_checks;

  Status Run() {
    const size_t splits = prepared_.read.splits.size();
    const auto workers = std::min(splits, static_cast<size_t>(ParallelismOf(job_, resources_)));
    std::stop_callback outer(context_.stop, [this] { stop_.request_stop(); });
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < workers; ++i)
        threads.emplace_back([this, i] { Work(static_cast<int>(i)); });
    }
    // For the audit, which may use as much.
    columnar::ReleaseFreedMemory();
    CALVE_RETURN_IF_ERROR(context_.CheckStop());
    return first_error_;
  }

 private:
  void Work(int number) {
    const Context context = context_.WithStop(stop_.get_token());
    Status worked = WorkSplits(context, number);
    if (worked.ok()) return;
    std::lock_guard lock(mutex_);
    if (first_error_.ok()) first_error_ = std::move(worked);
    stop_.request_stop();
  }

  Status WorkSplits(const Context& context, int number) {
    CALVE_ASSIGN_OR_RETURN(
        const auto transforms,
        MakeTransforms(context, prepared_.steps, prepared_.read.schema, resources_, states_));
    CALVE_ASSIGN_OR_RETURN(const auto target, prepared_.load->OpenSplit(context, number));
    std::unique_ptr<audit::RowChecks> checks;
    if (contract_ != nullptr) {
      audit::CheckInputs inputs;
      CALVE_ASSIGN_OR_RETURN(inputs.schema, columnar::ToArrowSchema(*prepared_.plan.schema.schema));
      inputs.now_ms = MillisSinceEpoch(context.clock->Now());
      CALVE_ASSIGN_OR_RETURN(checks,
                             audit::CompileRowChecks(context, *contract_, resources_.parts->checks,
                                                     *resources_.transform.engine, inputs));
    }
    Status read = ReadSplits(context, transforms, checks.get(), *target);
    if (!read.ok()) {
      target->Abort(context_.WithStop({}));
      return read;
    }
    if (checks == nullptr) return Status::Ok();
    std::lock_guard lock(mutex_);
    AddOutcomes(checks->outcomes());
    return Status::Ok();
  }

  Status ReadSplits(const Context& context, const Transforms& transforms, audit::RowChecks* checks,
                    load::SplitLoad& target) {
    const auto& splits = prepared_.read.splits;
    for (size_t index = next_split_.fetch_add(1); index < splits.size();
         index = next_split_.fetch_add(1)) {
      CALVE_ASSIGN_OR_RETURN(const size_t unread, Adopt(context, index, target));
      for (size_t i = index; i < index + unread; ++i)
        CALVE_RETURN_IF_ERROR(ReadSplit(context, splits[i], transforms, checks, target));
    }
    CALVE_RETURN_IF_ERROR(FinishAll(context, transforms));
    return target.Close(context);
  }

  /// Adopt the whole file that a split belongs to, at the first of its splits. Gives how many splits
  /// from this one on are to be read instead.
  Result<size_t> Adopt(const Context& context, size_t index, load::SplitLoad& target) {
    const int number = prepared_.file_of_split[index];
    if (number < 0) return size_t{1};
    const source::WholeFile& whole = prepared_.read.whole_files[static_cast<size_t>(number)];
    if (index != whole.first_split) return size_t{0};
    CALVE_RETURN_IF_ERROR(context.Step("extract.batch"));
    const auto copied = [&](ByteCount bytes) {
      std::lock_guard lock(mutex_);
      bytes_read += bytes;
      TellProgress();
    };
    CALVE_ASSIGN_OR_RETURN(const bool adopted, target.Adopt(context, whole.file, copied));
    // The table may have changed since the plan was made.
    if (!adopted) return whole.splits;
    std::lock_guard lock(mutex_);
    rows_read += whole.rows;
    rows_written += whole.rows;
    TellProgress();
    return size_t{0};
  }

  Status ReadSplit(const Context& context, const source::Split& split, const Transforms& transforms,
                   audit::RowChecks* checks, load::SplitLoad& target) {
    CALVE_ASSIGN_OR_RETURN(const auto reader,
                           prepared_.source->Open(context, prepared_.read, split));
    while (true) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_RETURN_IF_ERROR(context.Step("extract.batch"));
      CALVE_ASSIGN_OR_RETURN(std::optional<TracedBatch> batch, reader->Next(context));
      if (!batch.has_value()) return Status::Ok();
      CALVE_RETURN_IF_ERROR(Pass(context, std::move(*batch), transforms, checks, target));
    }
  }

  /// One batch through transforms, types and checks into the target and its quarantine.
  Status Pass(const Context& context, TracedBatch batch, const Transforms& transforms,
              audit::RowChecks* checks, load::SplitLoad& target) {
    SourceRows source_rows(batch.rows, prepared_.held.has_value() ? &*prepared_.held : nullptr);
    CALVE_ASSIGN_OR_RETURN(batch, TransformBatch(context, transforms, std::move(batch)));
    if (HideValues(transforms)) source_rows.Forget();
    CALVE_ASSIGN_OR_RETURN(batch, FitToTarget(std::move(batch), *prepared_.incoming));
    std::vector<load::QuarantinedRow> held_back;
    for (columnar::Reject& reject : batch.rejects) {
      held_back.push_back(source_rows.HeldBack("schema", std::move(reject), prepared_.schema));
    }
    int64_t deleting = 0;
    if (!prepared_.plan.schema.delete_flag.empty()) {
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch deletes, TakeFlagged(&batch));
      deleting = deletes->num_rows();
      CALVE_RETURN_IF_ERROR(target.Delete(context, deletes));
    }
    if (checks != nullptr) {
      CALVE_RETURN_IF_ERROR(HoldBack(context, *checks, &source_rows, &batch, &held_back));
    }
    const int64_t written = batch.rows->num_rows();
    CALVE_RETURN_IF_ERROR(target.Write(context, batch.rows));
    const auto quarantined = static_cast<int64_t>(held_back.size());
    std::map<std::string, int64_t> by_rule;
    for (const load::QuarantinedRow& row : held_back) ++by_rule[row.rule];
    CALVE_RETURN_IF_ERROR(target.Quarantine(context, std::move(held_back)));
    std::lock_guard lock(mutex_);
    rows_read += batch.rows_read;
    rows_written += written;
    rows_deleting += deleting;
    rows_quarantined += quarantined;
    for (const auto& [rule, rows] : by_rule) quarantined_by_rule[rule] += rows;
    rows_dropped += batch.rows_dropped;
    rows_taken += batch.rows_taken;
    rows_given += batch.rows_made;
    bytes_read += batch.bytes_read;
    TellProgress();
    return Status::Ok();
  }

  /// With the lock held.
  void TellProgress() {
    events_.Progressed({.rows = rows_read,
                        .bytes = bytes_read,
                        .bytes_total = prepared_.read.bytes,
                        .rows_quarantined = rows_quarantined});
  }

  static Status HoldBack(const Context& context, audit::RowChecks& checks, SourceRows* source_rows,
                         TracedBatch* batch, std::vector<load::QuarantinedRow>* held_back) {
    CALVE_ASSIGN_OR_RETURN(const auto verdicts, checks.Judge(context, batch->rows));
    if (verdicts.empty()) return Status::Ok();
    std::vector<int64_t> kept;
    size_t next = 0;
    for (int64_t row = 0; row < batch->rows->num_rows(); ++row) {
      if (next == verdicts.size() || verdicts[next].row != row) {
        kept.push_back(row);
        continue;
      }
      const audit::RowVerdict& verdict = verdicts[next++];
      columnar::Reject reject = batch->RejectOf(row, "", checks.ReasonOf(verdict, batch->rows));
      reject.form = columnar::RowForm::kTransformed;
      held_back->push_back(source_rows->HeldBack(checks.checks()[verdict.check_index].check.name,
                                                 std::move(reject), batch->rows->schema()));
    }
    CALVE_ASSIGN_OR_RETURN(*batch, columnar::TakeRows(std::move(*batch), kept));
    return Status::Ok();
  }

  void AddOutcomes(const std::vector<audit::Outcome>& outcomes) {
    if (row_checks.empty()) {
      row_checks = outcomes;
      return;
    }
    for (size_t i = 0; i < outcomes.size(); ++i) {
      row_checks[i].rows_failed += outcomes[i].rows_failed;
      row_checks[i].rows_total += outcomes[i].rows_total;
      row_checks[i].passed = row_checks[i].passed && outcomes[i].passed;
    }
  }

  const Context& context_;
  const Job& job_;
  const audit::Contract* contract_;
  const Resources& resources_;
  Prepared& prepared_;
  Events& events_;
  const std::shared_ptr<transform::SharedStates> states_ =
      std::make_shared<transform::SharedStates>();
  std::stop_source stop_;
  std::atomic<size_t> next_split_{0};
  std::mutex mutex_;
  Status first_error_;
};

/// Take what was counted into the report, and see that every row is accounted for.
Status TakeCounts(Extraction& extraction, RunReport* report) {
  report->rows_read = extraction.rows_read;
  report->rows_taken = extraction.rows_taken;
  report->rows_given = extraction.rows_given;
  const int64_t more = extraction.rows_given - extraction.rows_taken;
  report->rows_dropped = extraction.rows_dropped + std::max<int64_t>(0, -more);
  report->rows_made = std::max<int64_t>(0, more);
  report->quarantined_by_rule = std::move(extraction.quarantined_by_rule);
  report->bytes_read = extraction.bytes_read;
  report->row_checks = std::move(extraction.row_checks);
  report->load.rows_written = extraction.rows_written;
  report->load.rows_deleting = extraction.rows_deleting;
  report->load.rows_quarantined = extraction.rows_quarantined;
  const int64_t accounted = extraction.rows_written + extraction.rows_deleting +
                            extraction.rows_quarantined + report->rows_dropped;
  if (accounted == report->rows_read + report->rows_made) return Status::Ok();
  return BugError(
      FormatCount(report->rows_read) + " rows were read and " + FormatCount(report->rows_made) +
      " made by transforms, but " + FormatCount(extraction.rows_written) + " written, " +
      FormatCount(extraction.rows_deleting) + " deleting, " +
      FormatCount(extraction.rows_quarantined) + " quarantined and " +
      FormatCount(report->rows_dropped) + " left out by transforms; nothing was staged");
}

/// See that rows that were held back are as many as they were: text may be cut otherwise now.
Status CheckReadOneByOne(const Held& held, int64_t rows_read) {
  if (rows_read == held.rows) return Status::Ok();
  return DataError("expected to read " + FormatCount(held.rows) +
                   " rows that were held back one by one, found " + FormatCount(rows_read) +
                   " in their text by the options that the source has now; nothing was loaded: "
                   "see that its quote is the one of the files that they came from");
}

/// Remove what a failed run wrote, also when it was asked to stop. While a commit may still come
/// true nothing is removed: the next run looks.
void CleanUp(const Context& context, const std::string& run, const Resources& resources,
             const Error& error, load::Load& load) {
  const bool open = error.kind == ErrorKind::kUnknownOutcome;
  if (!open && load.Abort(context.WithStop({})).ok() && !load.leaves_files()) return;
  context.log->Warn("files of a failed run stay until the next one", {{"run", run}});
  if (resources.book != nullptr) resources.book->LeavesFiles(run);
}

Result<RunReport> RunOnce(const Context& context, const Job& job, const audit::Contract* contract,
                          load::HeldRows* held, const std::string& run, const Resources& resources,
                          Events& events) {
  RunReport report;
  report.run = run;
  report.job = job.id;
  report.started = context.clock->Now();
  const Duration begun = context.clock->Monotonic();
  CALVE_ASSIGN_OR_RETURN(const auto settler, MakeLoad(job, contract, run, resources));
  CALVE_ASSIGN_OR_RETURN(report.load.branch, SettleEarlierRuns(context, job, resources, *settler));
  report.load.table = settler->target();
  if (!report.load.branch.empty()) {
    report.load.ending = load::Ending::kBlocked;
    return report;
  }
  CALVE_RETURN_IF_ERROR(context.Step("extract.plan"));
  CALVE_ASSIGN_OR_RETURN(Prepared prepared, Prepare(context, job, contract, held, run, resources));
  report.plan = prepared.plan;
  events.Planned(report.plan);
  if (prepared.schema == nullptr || prepared.read.splits.empty()) {
    if (prepared.held.has_value()) CALVE_RETURN_IF_ERROR(CheckReadOneByOne(*prepared.held, 0));
    report.took = context.clock->Monotonic() - begun;
    return report;
  }
  const auto load = [&]() -> Status {
    CALVE_RETURN_IF_ERROR(prepared.load->Begin(context, prepared.plan.schema));
    Extraction extraction(context, job, contract, resources, prepared, events);
    CALVE_RETURN_IF_ERROR(extraction.Run());
    CALVE_RETURN_IF_ERROR(TakeCounts(extraction, &report));
    if (prepared.held.has_value())
      CALVE_RETURN_IF_ERROR(CheckReadOneByOne(*prepared.held, report.rows_read));
    events.Extracted(report);
    if (prepared.read.position_when_read) {
      CALVE_ASSIGN_OR_RETURN(prepared.read.position, prepared.read.position_when_read());
    }
    std::optional<commit::Position> position;
    if (prepared.read.position.has_value()) {
      position = commit::Position{.state = prepared.read.position->state,
                                  .ledger = prepared.read.position->ledger};
      report.has_position = true;
    }
    CALVE_ASSIGN_OR_RETURN(
        report.load,
        prepared.load->Finish(context, position, extraction.rows_written + extraction.rows_deleting,
                              &events));
    return Status::Ok();
  };
  Status loaded = load();
  if (!loaded.ok()) {
    CleanUp(context, run, resources, loaded.error(), *prepared.load);
    return std::move(loaded).error();
  }
  if (prepared.load->leaves_files() && resources.book != nullptr) resources.book->LeavesFiles(run);
  report.took = context.clock->Monotonic() - begun;
  return report;
}

}  // namespace

Result<std::unique_ptr<source::Source>> MakeSource(const Job& job, const Resources& resources) {
  const source::Kind* kind = resources.parts->sources.Find(job.source.type);
  if (kind == nullptr) return ConfigError("'" + job.source.type + "' is no type of source");
  return kind->make(job.source.node, resources.source);
}

Result<Plan> PlanJob(const Context& context, const Job& job, const audit::Contract* contract,
                     const Resources& resources) {
  CALVE_ASSIGN_OR_RETURN(Prepared prepared,
                         Prepare(context, job, contract, nullptr, "", resources));
  CALVE_ASSIGN_OR_RETURN(OpenBranches open,
                         JudgeOpenBranches(context, job, resources, *prepared.load));
  prepared.plan.blocked_by = std::move(open.blocking);
  for (const std::string& branch : open.give_way)
    prepared.plan.notes.push_back("branch " + branch + " of an earlier run is discarded first");
  return std::move(prepared.plan);
}

namespace {

/// RunJob, or ReplayJob where there is `held`.
Result<RunReport> Run(const Context& context, const Job& job, const audit::Contract* contract,
                      load::HeldRows* held, const std::string& run, const Resources& resources,
                      Events& events) {
  std::stop_source deadline;
  std::stop_callback outer(context.stop, [&] { deadline.request_stop(); });
  std::jthread timer;
  if (job.timeout.has_value()) {
    timer = std::jthread([&](const std::stop_token& ended) {
      if (Sleep(context.WithStop(ended), std::chrono::milliseconds(*job.timeout)).ok())
        deadline.request_stop();
    });
  }
  const Context limited = context.WithStop(deadline.get_token());
  const RetryPolicy policy{.attempts_max = job.retries.max + 1,
                           .first = std::chrono::milliseconds(job.retries.backoff),
                           .longest = std::chrono::milliseconds(std::chrono::minutes(10))};
  const auto run_once = [&] {
    for (int plans = 1;; ++plans) {
      Result<RunReport> once = RunOnce(limited, job, contract, held, run, resources, events);
      const bool again = !once.ok() && once.error().kind == ErrorKind::kConflict;
      if (!again || plans == kPlansMax) return once;
    }
  };
  Result<RunReport> report = Retry(limited, policy, run_once);
  const bool timed_out =
      !report.ok() && report.error().kind == ErrorKind::kStopped && !context.stop.stop_requested();
  if (timed_out)
    return StoppedError("job " + job.id +
                        " took longer than its timeout and was stopped; nothing was published");
  return report;
}

}  // namespace

Result<RunReport> RunJob(const Context& context, const Job& job, const audit::Contract* contract,
                         const std::string& run, const Resources& resources, Events& events) {
  return Run(context, job, contract, nullptr, run, resources, events);
}

std::string ReplayIdOf(const std::string& job) { return job + ".replay"; }

Result<std::unique_ptr<load::HeldRows>> OpenHeldRows(const Job& job, const std::string& run,
                                                     const Resources& resources) {
  const load::Kind* kind = resources.parts->loaders.Find(job.loader.type);
  if (kind == nullptr || kind->held == nullptr) {
    return ConfigError("rows that loads of type '" + job.loader.type +
                       "' hold back cannot be replayed; mend them at their source and run the job "
                       "again");
  }
  const load::Request request{.job = ReplayIdOf(job.id), .run = run};
  return kind->held(job.loader.node, job.id, request, resources.load);
}

Result<RunReport> ReplayJob(const Context& context, const Job& job, const audit::Contract* contract,
                            load::HeldRows& held, const std::string& run,
                            const Resources& resources, Events& events) {
  Job replay = job;
  replay.id = ReplayIdOf(job.id);
  return Run(context, replay, contract, &held, run, resources, events);
}

Status ExtractJob(const Context& context, const Job& job, const Resources& resources,
                  const std::function<Status(const std::shared_ptr<arrow::Schema>& schema)>& begin,
                  const std::function<Status(const columnar::Batch& batch)>& sink,
                  const std::function<void(const columnar::Reject& reject)>& rejected) {
  Prepared prepared;
  prepared.steps = job.steps();
  CALVE_ASSIGN_OR_RETURN(prepared.source, MakeSource(job, resources));
  CALVE_RETURN_IF_ERROR(
      PlanSource(context, job, std::nullopt, nullptr, false, resources, &prepared));
  if (prepared.schema == nullptr) return Status::Ok();
  CALVE_RETURN_IF_ERROR(begin(prepared.schema));
  CALVE_ASSIGN_OR_RETURN(const auto transforms,
                         MakeTransforms(context, prepared.steps, prepared.read.schema, resources));
  for (const source::Split& split : prepared.read.splits) {
    CALVE_ASSIGN_OR_RETURN(const auto reader, prepared.source->Open(context, prepared.read, split));
    while (true) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(std::optional<TracedBatch> batch, reader->Next(context));
      if (!batch.has_value()) break;
      CALVE_ASSIGN_OR_RETURN(*batch, TransformBatch(context, transforms, std::move(*batch)));
      for (const columnar::Reject& reject : batch->rejects) rejected(reject);
      if (batch->rows->num_rows() > 0) CALVE_RETURN_IF_ERROR(sink(batch->rows));
    }
  }
  return FinishAll(context, transforms);
}

}  // namespace calve::pipeline
