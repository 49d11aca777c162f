#include "engine/duckdb/query_state.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "catalog/table_files.h"
#include "engine/duckdb/private_files.h"

namespace calve::engine {

QueryState::QueryState(const Context& context, io::FileSystem& files, TableResolver* resolver,
                       const std::vector<std::pair<std::string, ArrowTable>>& tables,
                       const SqlText& text, std::string secret)
    : context_(context),
      files_(files),
      resolver_(resolver),
      spelled_(text.spelled()),
      secret_(std::move(secret)) {
  for (const auto& [name, table] : tables)
    named_batches_.emplace_back(ToLower(name), std::make_shared<ArrowTable>(table));
}

duckdb::shared_ptr<QueryState> QueryState::Of(duckdb::ClientContext& client) {
  return client.registered_state->Get<QueryState>(kKey);
}

Result<std::optional<QueryState::Resolved>> QueryState::Resolve(
    const std::vector<std::string>& parts) {
  const auto spelled = parts.size() == 1 ? spelled_.find(parts[0]) : spelled_.end();
  TableReference reference;
  if (spelled != spelled_.end()) {
    reference = spelled->second.reference;
  } else {
    reference.parts = parts;
  }
  const std::string spelling = spelled != spelled_.end() ? spelled->first : Join(parts, ".");
  const std::string key = spelled != spelled_.end() ? "@" + spelling : spelling;
  {
    std::lock_guard lock(mutex_);
    if (const auto known = resolved_.find(key); known != resolved_.end())
      return std::optional(known->second);
    if (spelled == spelled_.end() && parts.size() == 1) {
      for (const auto& [name, table] : named_batches_) {
        if (name != ToLower(parts[0])) continue;
        arrow_tables_.push_back(table);
        const Resolved resolved{arrow_tables_.size() - 1, false, parts[0]};
        resolved_.emplace(key, resolved);
        return std::optional(resolved);
      }
    }
  }
  if (resolver_ == nullptr) return std::optional<Resolved>();
  CALVE_ASSIGN_OR_RETURN(ResolvedTable table, resolver_->Resolve(context_, reference));
  CALVE_ASSIGN_OR_RETURN(Resolved resolved,
                         Keep(spelling, reference.parts.back(), std::move(table)));
  std::lock_guard lock(mutex_);
  resolved_.emplace(key, resolved);
  return std::optional(resolved);
}

Result<QueryState::Resolved> QueryState::ResolvePlace(const std::string& place) {
  if (resolver_ == nullptr)
    return ConfigError("iceberg(" + QuoteLiteral(place) + "): this SQL may read no tables");
  TableReference reference;
  reference.place = place;
  CALVE_ASSIGN_OR_RETURN(ResolvedTable table, resolver_->Resolve(context_, reference));
  return Keep(reference.ToString(), "iceberg", std::move(table));
}

Result<QueryState::Resolved> QueryState::Keep(std::string spelling, std::string alias,
                                              ResolvedTable table) {
  std::lock_guard lock(mutex_);
  if (auto* batches = std::get_if<ArrowTable>(&table)) {
    arrow_tables_.push_back(std::make_shared<ArrowTable>(std::move(*batches)));
    return Resolved{arrow_tables_.size() - 1, false, std::move(alias)};
  }
  auto source =
      std::make_shared<TableSource>(std::move(spelling), std::get<IcebergTable>(std::move(table)));
  iceberg_tables_.push_back(std::move(source));
  return Resolved{iceberg_tables_.size() - 1, true, std::move(alias)};
}

std::shared_ptr<const TableSource> QueryState::iceberg(size_t index) {
  std::lock_guard lock(mutex_);
  return index < iceberg_tables_.size() ? iceberg_tables_[index] : nullptr;
}

std::shared_ptr<const ArrowTable> QueryState::batches(size_t index) {
  std::lock_guard lock(mutex_);
  return index < arrow_tables_.size() ? arrow_tables_[index] : nullptr;
}

Result<std::shared_ptr<const PlannedScan>> QueryState::Plan(
    std::shared_ptr<const TableSource> source, const iceberg::Expression& filter) {
  auto scan = std::make_shared<PlannedScan>();
  if (source->table.snapshot_id) {
    iceberg::ScanOptions options;
    options.snapshot_id = source->table.snapshot_id;
    options.filter = filter;
    catalog::TableFiles files(files_);
    auto plan = iceberg::PlanScan(context_, files, *source->table.metadata, options);
    if (!plan.ok()) return While("read " + source->spelling, std::move(plan).error());
    scan->plan = std::move(*plan);
    if (const auto least = source->table.data_sequence_min) {
      std::erase_if(scan->plan.tasks, [&](const iceberg::ScanTask& task) {
        return task.data_sequence_number < *least;
      });
    }
  }
  scan->source = std::move(source);
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < scan->plan.tasks.size(); ++i) {
    scan->names.push_back(fmt::format("{}{}/{}-{}", kPrivateScheme, secret_, scans_.size(), i));
  }
  scans_.push_back(scan);
  return std::shared_ptr<const PlannedScan>(std::move(scan));
}

std::optional<QueryState::File> QueryState::FindFile(const std::string& name) {
  const std::string prefix = std::string(kPrivateScheme) + secret_ + "/";
  if (!name.starts_with(prefix)) return std::nullopt;
  size_t scan = 0;
  size_t task = 0;
  const char* const end = name.data() + name.size();
  const auto [dash, error] = std::from_chars(name.data() + prefix.size(), end, scan);
  if (error != std::errc() || dash == end || *dash != '-') return std::nullopt;
  if (std::from_chars(dash + 1, end, task).ptr != end) return std::nullopt;
  std::lock_guard lock(mutex_);
  if (scan >= scans_.size() || task >= scans_[scan]->plan.tasks.size()) return std::nullopt;
  return File{scans_[scan], task};
}

std::string QueryState::WithoutPrivateNames(std::string text) {
  const std::string prefix = std::string(kPrivateScheme) + secret_ + "/";
  for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
    const size_t end = text.find_first_not_of("0123456789-", at + prefix.size());
    const std::string name = text.substr(at, end == std::string::npos ? end : end - at);
    const auto file = FindFile(name);
    const std::string shown = file ? file->task().file->path : "a data file";
    text.replace(at, name.size(), shown);
    at += shown.size();
  }
  return text;
}

void QueryState::Throw(Error error) {
  std::string message = error.message;
  const bool stopped = error.kind == ErrorKind::kStopped;
  {
    std::lock_guard lock(mutex_);
    errors_.push_back(std::move(error));
  }
  if (stopped) throw duckdb::InterruptException();
  throw duckdb::IOException(message);
}

std::optional<Error> QueryState::ErrorBehind(const std::string& message) {
  std::lock_guard lock(mutex_);
  for (const Error& error : errors_) {
    if (message.find(error.message) != std::string::npos) return error;
  }
  return std::nullopt;
}

}  // namespace calve::engine
