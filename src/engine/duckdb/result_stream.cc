#include "engine/duckdb/result_stream.h"

namespace calve::engine {
namespace {

constexpr int64_t kBatchRows = 64 * 1024;
constexpr int64_t kBatchBytes = 4 << 20;

class DuckDbStream : public ResultStream {
 public:
  DuckDbStream(std::unique_ptr<RunningQuery> query,
               duckdb::unique_ptr<duckdb::PendingQueryResult> pending,
               std::unique_ptr<ArrowOutput> output)
      : query_(std::move(query)), pending_(std::move(pending)), output_(std::move(output)) {}

  ~DuckDbStream() override {
    if (result_ || pending_) query_->connection().Interrupt();
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return output_->schema(); }

  Result<columnar::Batch> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    if (failure_) return *failure_;
    auto batch =
        Guarded(Phase::kRun, &query_->text(), &query_->state(), [&] { return Fetch(context); });
    if (!batch.ok()) failure_ = batch.error();
    return batch;
  }

 private:
  Result<columnar::Batch> Fetch(const Context& context) {
    const InterruptOnStop interrupt(context, query_->connection());
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    if (pending_) {
      result_ = pending_->Execute();
      pending_.reset();
      if (result_->HasError()) return query_->Translate(result_->GetErrorObject(), Phase::kRun);
    }
    while (result_ && output_->rows() < kBatchRows && output_->bytes() < kBatchBytes) {
      duckdb::unique_ptr<duckdb::DataChunk> chunk;
      duckdb::ErrorData error;
      if (!result_->TryFetch(chunk, error)) {
        // What is thrown comes in `error`; a query that failed while rows were fetched keeps its own.
        if (!error.HasError()) error = result_->GetErrorObject();
        return query_->Translate(error, Phase::kRun);
      }
      if (!chunk || chunk->size() == 0) {
        result_.reset();
        break;
      }
      output_->Append(*chunk);
    }
    if (output_->rows() == 0) return columnar::Batch();
    return output_->Finish();
  }

  // In this order: the result ends before its connection.
  std::unique_ptr<RunningQuery> query_;
  duckdb::unique_ptr<duckdb::PendingQueryResult> pending_;
  duckdb::unique_ptr<duckdb::QueryResult> result_;
  std::unique_ptr<ArrowOutput> output_;
  std::optional<Error> failure_;
};

}  // namespace

RunningQuery::RunningQuery(
    std::shared_ptr<duckdb::DuckDB> database, std::shared_ptr<OpenQueries> open_queries,
    SqlText text, const std::function<duckdb::shared_ptr<QueryState>(const SqlText&)>& make_state)
    : text_(std::move(text)),
      state_(make_state(text_)),
      open_queries_(std::move(open_queries)),
      database_(std::move(database)),
      connection_(*database_) {
  connection_.context->registered_state->Insert(QueryState::kKey, state_);
  open_queries_->Add(state_);
}

RunningQuery::~RunningQuery() { open_queries_->Remove(state_->secret()); }

Result<std::unique_ptr<ResultStream>> StartQuery(
    const Context& context, std::unique_ptr<RunningQuery> query,
    duckdb::unique_ptr<duckdb::SQLStatement> statement) {
  const InterruptOnStop interrupt(context, query->connection());
  auto pending = query->connection().PendingQuery(std::move(statement),
                                                  duckdb::QueryResultOutputType::ALLOW_STREAMING);
  if (pending->HasError()) return query->Translate(pending->GetErrorObject(), Phase::kBind);
  CALVE_ASSIGN_OR_RETURN(auto output,
                         ArrowOutput::Make(query->client(), pending->names, pending->types));
  return std::unique_ptr<ResultStream>(
      std::make_unique<DuckDbStream>(std::move(query), std::move(pending), std::move(output)));
}

}  // namespace calve::engine
