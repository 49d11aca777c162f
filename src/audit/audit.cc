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

/// Lets SQL see the judged rows as `this`, the new ones of them as `added`, and every other table
/// as ever.
class ScopeResolver : public engine::TableResolver {
 public:
  struct Options {
    engine::ResolvedTable judged;
    engine::ResolvedTable added;
    engine::TableResolver* others = nullptr;
    std::string catalog;
    std::vector<std::string> new_table;  ///< A name of the judged rows' own, or none.
  };
  explicit ScopeResolver(Options options) : options_(std::move(options)) {}

  Result<engine::ResolvedTable> Resolve(const Context& context,
                                        const engine::TableReference& reference) override {
    if (reference.parts == std::vector<std::string>{kThis}) return options_.judged;
    if (reference.parts == std::vector<std::string>{kAdded}) return options_.added;
    if (!reference.parts.empty() && reference.parts == options_.new_table) return options_.judged;
    if (options_.others == nullptr)
      return NotFoundError("there is no table " + reference.ToString());
    if (!options_.catalog.empty() && reference.parts.size() > 1) {
      engine::TableReference beside = reference;
      beside.parts.insert(beside.parts.begin(), options_.catalog);
      Result<engine::ResolvedTable> found = options_.others->Resolve(context, beside);
      if (found.ok() || found.error().kind != ErrorKind::kNotFound) return found;
    }
    return options_.others->Resolve(context, reference);
  }

 private:
  const Options options_;
};

bool IsFault(const Error& error) {
  return error.kind == ErrorKind::kConfig || error.kind == ErrorKind::kNotFound;
}

/// Compile what a contract checks. Checks that cannot be run are faults and left out.
Result<std::vector<CompiledCheck>> CompileAll(const Contract& contract, const Registry& registry,
                                              const CheckInputs& inputs, config::Faults* faults) {
  std::vector<CompiledCheck> compiled;
  for (const Check& check : contract.checks) {
    const CheckKind* kind = registry.Find(check.kind);
    if (kind == nullptr)
      return BugError("check " + check.name + " is of a kind that does not exist: " + check.kind);
    Result<CompiledCheck> made = kind->compile(check, inputs);
    if (made.ok()) {
      const bool by_row = made->scope == CompiledCheck::Scope::kRow;
      if (by_row != (kind->judges == Judges::kRows))
        return BugError("checks of kind " + check.kind + " judge otherwise than they say");
      compiled.push_back(std::move(*made));
    } else if (IsFault(made.error())) {
      faults->Add(check.place, made.error().message);
    } else {
      return std::move(made).error();
    }
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

/// See that a check over rows can be run and is a condition.
Status ProveCondition(const Context& context, engine::Engine& engine, const CheckInputs& inputs,
                      const CompiledCheck& check) {
  const auto compiled = engine.Compile(context, inputs.schema, {check.sql}, {check.check.name});
  if (!compiled.ok()) return While("check " + check.check.name, compiled.error());
  const auto& type = (*compiled)->schema()->field(0)->type();
  if (type->id() == arrow::Type::BOOL) return Status::Ok();
  return ConfigError("check " + check.check.name +
                     " is no condition: expected SQL that is true or false for each row, found " +
                     "values of type " + type->ToString());
}

/// How many failures a check that is SQL of its own finds.
std::string CountOf(const CompiledCheck& check) {
  return "SELECT count(*) FROM (" + check.sql + ")";
}

/// See that a check that is SQL of its own can be run, and finds its tables.
Status ProveQuery(const Context& context, engine::Engine& engine, engine::TableResolver& resolver,
                  const CompiledCheck& check) {
  const auto described = engine.Describe(context, CountOf(check), {.resolver = &resolver});
  if (!described.ok()) return While("check " + check.check.name, described.error());
  return Status::Ok();
}

/// See that all checks can be run. `resolver` is null where no query is looked at.
Status Prove(const Context& context, engine::Engine& engine, const CheckInputs& inputs,
             engine::TableResolver* resolver, const std::vector<CompiledCheck>& checks,
             config::Faults* faults) {
  for (const CompiledCheck& check : checks) {
    Status proved;
    if (check.scope == CompiledCheck::Scope::kRow)
      proved = ProveCondition(context, engine, inputs, check);
    if (check.scope == CompiledCheck::Scope::kQuery && resolver != nullptr)
      proved = ProveQuery(context, engine, *resolver, check);
    if (proved.ok()) continue;
    if (!IsFault(proved.error())) return proved;
    faults->Add(check.check.place, proved.error().message);
  }
  return Status::Ok();
}

/// All checks of a contract, or all their faults.
Result<std::vector<CompiledCheck>> CompileProved(const Context& context, const Contract& contract,
                                                 const Registry& registry, engine::Engine& engine,
                                                 const CheckInputs& inputs,
                                                 engine::TableResolver* resolver) {
  config::Faults faults;
  CALVE_ASSIGN_OR_RETURN(std::vector<CompiledCheck> checks,
                         CompileAll(contract, registry, inputs, &faults));
  CALVE_RETURN_IF_ERROR(Prove(context, engine, inputs, resolver, checks, &faults));
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  return checks;
}

/// Runs the queries of one audit.
class Auditor {
 public:
  Auditor(const Context& context, engine::Engine& engine, engine::TableResolver& resolver)
      : context_(context), engine_(engine), resolver_(resolver) {}

  /// The single row that a query gives.
  Result<columnar::Batch> Row(const std::string& sql) {
    CALVE_ASSIGN_OR_RETURN(const auto stream,
                           engine_.Query(context_, sql, {.resolver = &resolver_}));
    CALVE_ASSIGN_OR_RETURN(columnar::Batch row, stream->Next(context_));
    if (row == nullptr || row->num_rows() != 1) return BugError("an audit query gave no row");
    return row;
  }

  /// The same where it is all numbers.
  Result<std::vector<int64_t>> Numbers(const std::string& sql) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch row, Row(sql));
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
    CALVE_ASSIGN_OR_RETURN(const std::vector<int64_t> failed, Numbers(CountOf(check)));
    return failed.front();
  }

 private:
  const Context& context_;
  engine::Engine& engine_;
  engine::TableResolver& resolver_;
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

/// Say of row checks that fail which values did: the least and the greatest. One scan for all.
Status ShowValues(Auditor& auditor, const std::vector<CompiledCheck>& checks, Report* report) {
  std::string sql;
  std::vector<size_t> shown;
  for (size_t i = 0; i < checks.size(); ++i) {
    if (checks[i].shown.empty() || report->outcomes[i].passed) continue;
    shown.push_back(i);
    for (const char* end : {"min", "max"}) {
      sql += std::string(sql.empty() ? "SELECT " : ", ") + "CAST(" + end + "(" +
             engine::QuoteIdentifier(checks[i].shown) + ") FILTER (WHERE NOT " + Passes(checks[i]) +
             ") AS VARCHAR)";
    }
  }
  if (shown.empty()) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch row, auditor.Row(sql + " FROM " + kAdded));
  for (size_t i = 0; i < shown.size(); ++i) {
    CALVE_ASSIGN_OR_RETURN(const auto least, row->column(2 * static_cast<int>(i))->GetScalar(0));
    CALVE_ASSIGN_OR_RETURN(const auto greatest,
                           row->column(2 * static_cast<int>(i) + 1)->GetScalar(0));
    if (!least->is_valid || !greatest->is_valid) continue;
    const std::string first = config::QuoteForMessage(least->ToString());
    const std::string last = config::QuoteForMessage(greatest->ToString());
    report->outcomes[shown[i]].message +=
        ", such as " + first + (first == last ? "" : " and " + last);
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

  std::string ReasonOf(const RowVerdict& verdict, const columnar::Batch& batch) const override {
    const CompiledCheck& check = checks_[verdict.check_index];
    const std::string fails = " fails " + check.check.name + "; expected " + check.expected;
    if (!check.shown.empty()) {
      const auto value = batch->GetColumnByName(check.shown)->GetScalar(verdict.row);
      if (value.ok())
        return "column " + check.shown + ": " + config::QuoteForMessage((*value)->ToString()) +
               fails;
    }
    for (const std::string& column : check.columns) {
      if (batch->GetColumnByName(column)->IsNull(verdict.row))
        return "column " + column + ": NULL" + fails;
    }
    return "the row" + fails;
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
  CALVE_ASSIGN_OR_RETURN(
      std::vector<CompiledCheck> all,
      CompileProved(context, contract, registry, engine, inputs, /*resolver=*/nullptr));
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

Status CheckContract(const Context& context, const Contract& contract, const Registry& registry,
                     engine::Engine& engine, const PlannedScope& scope, config::Faults* faults) {
  const engine::ArrowTable rows{.schema = scope.inputs.schema, .batches = {}};
  ScopeResolver resolver({.judged = rows,
                          .added = rows,
                          .others = scope.resolver,
                          .catalog = scope.catalog,
                          .new_table = scope.new_table});
  CALVE_ASSIGN_OR_RETURN(const std::vector<CompiledCheck> checks,
                         CompileAll(contract, registry, scope.inputs, faults));
  return Prove(context, engine, scope.inputs, &resolver, checks, faults);
}

Result<Report> AuditTable(const Context& context, const Contract& contract,
                          const Registry& registry, engine::Engine& engine,
                          const AuditScope& scope) {
  ScopeResolver resolver({.judged = scope.table,
                          .added = scope.added.value_or(scope.table),
                          .others = scope.resolver,
                          .catalog = scope.catalog});
  CALVE_ASSIGN_OR_RETURN(
      const std::vector<CompiledCheck> checks,
      CompileProved(context, contract, registry, engine, scope.inputs, &resolver));
  Report report;
  report.outcomes.resize(checks.size());
  Auditor auditor(context, engine, resolver);
  CALVE_RETURN_IF_ERROR(
      JudgeTogether(auditor, checks, CompiledCheck::Scope::kRow, kAdded, &report));
  CALVE_RETURN_IF_ERROR(ShowValues(auditor, checks, &report));
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
