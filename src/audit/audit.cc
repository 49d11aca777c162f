#include "audit/audit.h"

#include <arrow/array.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <utility>

#include "audit/repeated_keys.h"
#include "base/memory.h"
#include "base/text.h"
#include "columnar/arrow_status.h"

namespace calve::audit {
namespace {

constexpr const char* kThis = "this";
constexpr const char* kAdded = "added";
/// For the keys of a unique check, where nothing limits memory.
constexpr int64_t kKeyBytes = 256 << 20;

/// Lets SQL see the judged snapshot as `this`, its new rows as `added`, and every other table as
/// ever.
class ScopeResolver : public engine::TableResolver {
 public:
  explicit ScopeResolver(const AuditScope& scope) : scope_(scope) {}
  Result<engine::ResolvedTable> Resolve(const Context& context,
                                        const engine::TableReference& reference) override {
    if (reference.parts == std::vector<std::string>{kThis})
      return engine::ResolvedTable(scope_.table);
    if (reference.parts == std::vector<std::string>{kAdded})
      return engine::ResolvedTable(scope_.added.value_or(scope_.table));
    if (scope_.resolver == nullptr)
      return NotFoundError("there is no table " + reference.ToString());
    if (!scope_.catalog.empty() && reference.parts.size() > 1) {
      engine::TableReference beside = reference;
      beside.parts.insert(beside.parts.begin(), scope_.catalog);
      Result<engine::ResolvedTable> found = scope_.resolver->Resolve(context, beside);
      if (found.ok() || found.error().kind != ErrorKind::kNotFound) return found;
    }
    return scope_.resolver->Resolve(context, reference);
  }

 private:
  const AuditScope& scope_;
};

Result<std::vector<CompiledCheck>> CompileAll(const Contract& contract, const Registry& registry,
                                              const CheckInputs& inputs) {
  std::vector<CompiledCheck> compiled;
  for (const Check& check : contract.checks) {
    const CheckKind* kind = registry.Find(check.kind);
    if (kind == nullptr)
      return BugError("check " + check.name + " is of a kind that does not exist: " + check.kind);
    CALVE_ASSIGN_OR_RETURN(CompiledCheck made, kind->compile(check, inputs));
    if (check.severity == Severity::kQuarantine && made.scope != CompiledCheck::Scope::kRow) {
      return ConfigError("check " + check.name + " of " + contract.table +
                         " judges the table as a whole: no single row can go to quarantine; its "
                         "severity is warn or fail");
    }
    compiled.push_back(std::move(made));
  }
  return compiled;
}

std::string Passes(const CompiledCheck& check) {
  return "coalesce((" + check.sql + "), " + (check.null_passes ? "true" : "false") + ")";
}

Result<int64_t> IntegerOf(const columnar::Batch& row, int column) {
  CALVE_ASSIGN_OR_RETURN(const auto scalar, row->column(column)->GetScalar(0));
  if (!scalar->is_valid) return int64_t{0};
  CALVE_ASSIGN_OR_RETURN(const auto number, scalar->CastTo(arrow::int64()));
  return std::static_pointer_cast<arrow::Int64Scalar>(number)->value;
}

/// See that every check over rows can be run and is a condition, so that a fault is known before a
/// row is written, and by the check's name.
Status ProveConditions(const Context& context, engine::Engine& engine, const CheckInputs& inputs,
                       const std::vector<CompiledCheck>& checks) {
  for (const CompiledCheck& check : checks) {
    if (check.scope != CompiledCheck::Scope::kRow) continue;
    const auto compiled = engine.Compile(context, inputs.schema, {check.sql}, {check.check.name});
    if (!compiled.ok()) return While("check " + check.check.name, compiled.error());
    const auto& type = (*compiled)->schema()->field(0)->type();
    if (type->id() == arrow::Type::BOOL) continue;
    return ConfigError("check " + check.check.name +
                       " is no condition: expected SQL that is true or false for each row, found " +
                       "values of type " + type->ToString());
  }
  return Status::Ok();
}

/// Runs the queries of one audit.
class Auditor {
 public:
  Auditor(const Context& context, engine::Engine& engine, const AuditScope& scope)
      : context_(context), engine_(engine), resolver_(scope) {}

  /// The single row of numbers that a query gives.
  Result<std::vector<int64_t>> Numbers(const std::string& sql) {
    CALVE_ASSIGN_OR_RETURN(const auto stream,
                           engine_.Query(context_, sql, {.resolver = &resolver_}));
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch row, stream->Next(context_));
    if (row == nullptr || row->num_rows() != 1) return BugError("an audit query gave no row");
    std::vector<int64_t> numbers;
    for (int i = 0; i < row->num_columns(); ++i) {
      CALVE_ASSIGN_OR_RETURN(const int64_t number, IntegerOf(row, i));
      numbers.push_back(number);
    }
    return numbers;
  }

  /// Of a check that is judged alone.
  Result<int64_t> FailuresOf(const CompiledCheck& check) {
    if (check.scope == CompiledCheck::Scope::kKeys) {
      const ByteCount memory(context_.memory == nullptr ? kKeyBytes
                                                        : context_.memory->limit().value() / 4);
      return CountRepeatedKeys(context_, engine_, resolver_, check.columns, memory);
    }
    CALVE_ASSIGN_OR_RETURN(const std::vector<int64_t> failed,
                           Numbers("SELECT count(*) FROM (" + check.sql + ")"));
    return failed.front();
  }

 private:
  const Context& context_;
  engine::Engine& engine_;
  ScopeResolver resolver_;
};

bool IsJudgedAlone(const CompiledCheck& check) {
  return check.scope == CompiledCheck::Scope::kQuery || check.scope == CompiledCheck::Scope::kKeys;
}

void Judge(const CompiledCheck& check, int64_t failed, int64_t rows, Outcome* outcome) {
  outcome->check = check.check;
  outcome->rows_failed = failed;
  outcome->rows_total = rows;
  outcome->passed = failed == 0;
  switch (check.scope) {
    case CompiledCheck::Scope::kRow:
      outcome->where = check.where.empty() ? "NOT (" + check.sql + ")" : check.where;
      outcome->message =
          FormatCount(failed) + " of " + FormatCount(rows) + " rows " + check.failure;
      break;
    case CompiledCheck::Scope::kAggregate:
      outcome->message = check.failure + ", found " + FormatCount(rows) + " rows";
      break;
    case CompiledCheck::Scope::kQuery:
    case CompiledCheck::Scope::kKeys:
      outcome->where = check.where;
      outcome->message = FormatCount(failed) + " " + check.failure;
      break;
  }
}

/// One scan for all checks of a scope: the number of rows, then a number for each check.
Status JudgeTogether(Auditor& auditor, const std::vector<CompiledCheck>& checks,
                     CompiledCheck::Scope scope, const char* table, Report* report) {
  std::string sql = "SELECT count(*)";
  std::vector<size_t> judged;
  for (size_t i = 0; i < checks.size(); ++i) {
    if (checks[i].scope != scope) continue;
    judged.push_back(i);
    sql += scope == CompiledCheck::Scope::kRow
               ? ", count(*) FILTER (WHERE NOT " + Passes(checks[i]) + ")"
               : ", " + checks[i].sql;
  }
  if (judged.empty() && scope == CompiledCheck::Scope::kAggregate) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const std::vector<int64_t> numbers,
                         auditor.Numbers(sql + " FROM " + table));
  if (scope == CompiledCheck::Scope::kRow) report->rows = numbers[0];
  for (size_t i = 0; i < judged.size(); ++i) {
    Judge(checks[judged[i]], numbers[i + 1], numbers[0], &report->outcomes[judged[i]]);
  }
  return Status::Ok();
}

class CompiledRowChecks : public RowChecks {
 public:
  CompiledRowChecks(std::vector<CompiledCheck> checks,
                    std::unique_ptr<engine::BatchExpressions> expressions)
      : checks_(std::move(checks)), expressions_(std::move(expressions)), failed_(checks_.size()) {}

  const std::vector<CompiledCheck>& checks() const override { return checks_; }

  Result<std::vector<RowVerdict>> Judge(const Context& context,
                                        const columnar::Batch& batch) override {
    rows_ += batch->num_rows();
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch passes, expressions_->Evaluate(context, batch));
    std::vector<RowVerdict> verdicts;
    for (size_t check = 0; check < checks_.size(); ++check) {
      const auto& column =
          static_cast<const arrow::BooleanArray&>(*passes->column(static_cast<int>(check)));
      if (column.true_count() == column.length()) continue;
      for (int64_t row = 0; row < column.length(); ++row) {
        if (column.IsValid(row) && column.Value(row)) continue;
        ++failed_[check];
        verdicts.push_back({.row = row, .check_index = check});
      }
    }
    // A row that fails several checks is held back once, for the first of them.
    std::stable_sort(verdicts.begin(), verdicts.end(),
                     [](const RowVerdict& a, const RowVerdict& b) { return a.row < b.row; });
    const auto repeated =
        std::unique(verdicts.begin(), verdicts.end(),
                    [](const RowVerdict& a, const RowVerdict& b) { return a.row == b.row; });
    verdicts.erase(repeated, verdicts.end());
    return verdicts;
  }

  std::vector<Outcome> outcomes() const override {
    std::vector<Outcome> outcomes(checks_.size());
    for (size_t i = 0; i < checks_.size(); ++i)
      audit::Judge(checks_[i], failed_[i], rows_, &outcomes[i]);
    return outcomes;
  }

 private:
  const std::vector<CompiledCheck> checks_;
  const std::unique_ptr<engine::BatchExpressions> expressions_;
  std::vector<int64_t> failed_;
  int64_t rows_ = 0;
};

}  // namespace

bool Report::failed() const {
  return std::any_of(outcomes.begin(), outcomes.end(), [](const Outcome& o) {
    return !o.passed && o.check.severity == Severity::kFail;
  });
}

int64_t Report::warned() const {
  return std::count_if(outcomes.begin(), outcomes.end(), [](const Outcome& o) {
    return !o.passed && o.check.severity == Severity::kWarn;
  });
}

Result<std::unique_ptr<RowChecks>> CompileRowChecks(const Context& context,
                                                    const Contract& contract,
                                                    const Registry& registry,
                                                    engine::Engine& engine,
                                                    const CheckInputs& inputs) {
  CALVE_ASSIGN_OR_RETURN(std::vector<CompiledCheck> all, CompileAll(contract, registry, inputs));
  CALVE_RETURN_IF_ERROR(ProveConditions(context, engine, inputs, all));
  std::vector<CompiledCheck> checks;
  std::vector<std::string> expressions;
  std::vector<std::string> names;
  for (CompiledCheck& check : all) {
    if (check.check.severity != Severity::kQuarantine) continue;
    expressions.push_back(Passes(check));
    names.push_back(check.check.name);
    checks.push_back(std::move(check));
  }
  if (checks.empty()) return std::unique_ptr<RowChecks>();
  CALVE_ASSIGN_OR_RETURN(auto compiled, engine.Compile(context, inputs.schema, expressions, names));
  return std::make_unique<CompiledRowChecks>(std::move(checks), std::move(compiled));
}

Result<Report> AuditTable(const Context& context, const Contract& contract,
                          const Registry& registry, engine::Engine& engine,
                          const AuditScope& scope) {
  CALVE_ASSIGN_OR_RETURN(const std::vector<CompiledCheck> checks,
                         CompileAll(contract, registry, scope.inputs));
  CALVE_RETURN_IF_ERROR(ProveConditions(context, engine, scope.inputs, checks));
  Report report;
  report.outcomes.resize(checks.size());
  Auditor auditor(context, engine, scope);
  CALVE_RETURN_IF_ERROR(
      JudgeTogether(auditor, checks, CompiledCheck::Scope::kRow, kAdded, &report));
  CALVE_RETURN_IF_ERROR(
      JudgeTogether(auditor, checks, CompiledCheck::Scope::kAggregate, kThis, &report));
  for (size_t i = 0; i < checks.size(); ++i) {
    if (!IsJudgedAlone(checks[i])) continue;
    Result<int64_t> failed = auditor.FailuresOf(checks[i]);
    if (!failed.ok()) return While("check " + checks[i].check.name, std::move(failed).error());
    Judge(checks[i], *failed, report.rows, &report.outcomes[i]);
  }
  return report;
}

}  // namespace calve::audit
