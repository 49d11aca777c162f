#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "cli/branches.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "cli/snapshot_summary.h"
#include "columnar/arrow_status.h"
#include "columnar/row_text.h"

namespace calve::cli {
namespace {

struct BranchArguments {
  std::string branch;
  std::string table;
  std::vector<std::string> waived;
  std::string who;
};

Result<ExitCode> ListBranches(Program& program) {
  CALVE_ASSIGN_OR_RETURN(const auto branches, AllBranches(program));
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  TextTable table({"branch", "table", "job", "rows", "staged", "state"},
                  {false, false, false, true});
  for (const FoundBranch& found : branches) {
    const iceberg::Snapshot& head = *found.head;
    const auto proof = commit::ProofOf(head);
    const std::string state =
        proof == commit::Proof::kPending ? "waits for a decision" : "not of an audit";
    const std::string job = SummaryOf(head, commit::summary::kPipeline);
    const int64_t rows = NumberOf(&head, "added-records");
    table.Add({found.branch, found.table.ToString(), job, FormatCount(rows),
               FormatTimestamp(TimestampFromMillis(head.timestamp_ms)), state});
    json.push_back({{"branch", found.branch},
                    {"table", found.table.ToString()},
                    {"job", job},
                    {"snapshot_id", head.id.value()},
                    {"added_rows", rows},
                    {"pending", proof == commit::Proof::kPending}});
  }
  PrintEither(program.options.json, json,
              table.empty() ? "no branch but main anywhere\n" : table.Render());
  return ExitCode::kDone;
}

std::string SqlTable(const FoundBranch& found, const std::string& branch) {
  std::string name;
  for (const std::string& level : found.table.ns) name += engine::QuoteIdentifier(level) + ".";
  name += engine::QuoteIdentifier(found.table.name);
  return branch == iceberg::kMainBranch ? name : name + "@" + engine::QuoteIdentifier(branch);
}

/// Numbers of one row of SQL.
Result<std::vector<int64_t>> Numbers(Program& program, const std::string& sql) {
  CALVE_ASSIGN_OR_RETURN(engine::Engine * engine, program.locked_engine());
  CALVE_ASSIGN_OR_RETURN(engine::CatalogResolver * resolver, program.resolver());
  CALVE_ASSIGN_OR_RETURN(const auto stream, engine->Query(program.context(), sql,
                                                          {.resolver = resolver, .tables = {}}));
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, stream->Next(program.context()));
  std::vector<int64_t> numbers;
  for (const auto& column : batch->columns())
    numbers.push_back(ParseInteger(columnar::CellText(*column, 0)).value_or(0));
  return numbers;
}

Result<ExitCode> ShowNulls(Program& program, const BranchArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const FoundBranch found,
                         FindBranch(program, arguments.branch, arguments.table));
  const iceberg::SchemaPtr& schema = found.loaded.metadata->SchemaOf(*found.head);
  const auto count = [&](const std::string& branch,
                         const iceberg::Schema& columns) -> Result<std::vector<int64_t>> {
    std::string sql = "SELECT count(*)";
    for (const iceberg::Field& field : columns.fields())
      sql += ", count(*) - count(" + engine::QuoteIdentifier(field.name) + ")";
    return Numbers(program, sql + " FROM " + SqlTable(found, branch));
  };
  CALVE_ASSIGN_OR_RETURN(const std::vector<int64_t> there, count(found.branch, *schema));
  const iceberg::Schema& main_schema = found.main == nullptr ? *schema : *found.main->schema();
  std::vector<int64_t> main(main_schema.fields().size() + 1, 0);
  if (found.main != nullptr && found.main->current_snapshot() != nullptr) {
    CALVE_ASSIGN_OR_RETURN(main, count(std::string(iceberg::kMainBranch), main_schema));
  }
  TextTable table({"column", "NULLs on main", "NULLs on the branch", "share"}, {false, true, true});
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (size_t i = 0; i < schema->fields().size(); ++i) {
    const std::string& name = schema->fields()[i].name;
    int64_t before = 0;
    for (size_t k = 0; k < main_schema.fields().size(); ++k) {
      if (main_schema.fields()[k].name == name) before = main[k + 1];
    }
    const double share =
        there[0] == 0 ? 0 : static_cast<double>(there[i + 1]) / static_cast<double>(there[0]);
    table.Add({name, FormatCount(before), FormatCount(there[i + 1]), Bar(share, 20)});
    json.push_back({{"column", name}, {"nulls_main", before}, {"nulls_branch", there[i + 1]}});
  }
  Report report(program.options.json);
  report.Line("table",
              found.table.ToString() + "   main " + Counted(main[0], "row") + ", " + found.branch +
                  " " + Counted(there[0], "row"),
              "table", found.table.ToString());
  report.Fact("branch", found.branch);
  report.Fact("rows_main", main[0]);
  report.Fact("rows_branch", there[0]);
  report.Fact("columns", std::move(json));
  if (!program.options.json) Print(table.Render());
  return report.Done();
}

/// What the branch adds and takes away, of rows or of files.
void TellChange(const iceberg::Snapshot& head, const std::string& what, std::string_view added,
                std::string_view deleted, Report& report) {
  const int64_t more = NumberOf(&head, added);
  const int64_t fewer = NumberOf(&head, deleted);
  report.Line(what, "+" + FormatCount(more) + "  -" + FormatCount(fewer), "added_" + what, more);
  report.Fact("deleted_" + what, fewer);
}

/// Columns that the branch adds, and those whose type it changes.
void TellSchemaChange(const iceberg::Schema& staged, const iceberg::Schema& current,
                      Report& report) {
  nlohmann::ordered_json changes = nlohmann::ordered_json::array();
  for (const iceberg::Field& field : staged.fields()) {
    const iceberg::Field* known = current.FindById(field.id);
    if (known != nullptr && known->type == field.type) continue;
    nlohmann::ordered_json change = {{"column", field.name}, {"type", field.type.ToString()}};
    if (known != nullptr) change["type_main"] = known->type.ToString();
    changes.push_back(std::move(change));
    report.Hint("schema", known == nullptr ? "+ " + field.name + " " + field.type.ToString()
                                           : "~ " + field.name + " " + known->type.ToString() +
                                                 " → " + field.type.ToString());
  }
  report.Fact("schema", std::move(changes));
}

Result<ExitCode> ShowDiff(Program& program, const BranchArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const FoundBranch found,
                         FindBranch(program, arguments.branch, arguments.table));
  const iceberg::Snapshot& head = *found.head;
  const iceberg::Snapshot* main = found.main == nullptr ? nullptr : found.main->current_snapshot();
  const auto described = [](const iceberg::Snapshot& snapshot) {
    return "snapshot " + std::to_string(snapshot.id.value()) + "   " +
           Counted(NumberOf(&snapshot, "total-records"), "row");
  };
  Report report(program.options.json);
  report.Line("table", found.table.ToString(), "table", found.table.ToString());
  report.Line("main", main == nullptr ? "no rows yet" : described(*main), "rows_main",
              NumberOf(main, "total-records"));
  report.Line("branch", found.branch + "   " + described(head), "branch", found.branch);
  report.Fact("snapshot_id", head.id.value());
  report.Fact("rows_branch", NumberOf(&head, "total-records"));
  TellChange(head, "rows", "added-records", "deleted-records", report);
  TellChange(head, "files", "added-data-files", "deleted-data-files", report);
  const iceberg::SchemaPtr& staged = found.loaded.metadata->SchemaOf(head);
  TellSchemaChange(*staged, found.main == nullptr ? *staged : *found.main->schema(), report);
  const bool moved = main != nullptr && head.parent_id != main->id;
  report.Fact("main_moved", moved);
  if (moved) {
    report.Hint(
        "note",
        "main has moved since the branch was staged; publishing puts the same files on top of it");
  }
  if (!found.conflict.empty()) {
    report.Hint("conflict", found.conflict);
    report.Fact("conflict", found.conflict);
  }
  return report.Done();
}

/// Audit the staged rows by a contract, beside the table as the branch has it.
Result<audit::Report> AuditStaged(Program& program, const FoundBranch& found,
                                  const audit::Contract& contract) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* parts, program.parts());
  CALVE_ASSIGN_OR_RETURN(engine::Engine * engine, program.engine());
  const iceberg::Snapshot& head = *found.head;
  audit::AuditScope scope;
  engine::IcebergTable judged = {.metadata = found.loaded.metadata,
                                 .snapshot_id = head.id,
                                 .schema = found.loaded.metadata->SchemaOf(head),
                                 .data_sequence_min = std::nullopt};
  CALVE_ASSIGN_OR_RETURN(scope.inputs.schema, columnar::ToArrowSchema(*judged.schema));
  scope.table = judged;
  judged.data_sequence_min = head.sequence_number;
  scope.added = std::move(judged);
  scope.inputs.now_ms = MillisSinceEpoch(program.context().clock->Now());
  CALVE_ASSIGN_OR_RETURN(scope.resolver, program.resolver());
  return audit::AuditTable(program.context(), contract, parts->checks, *engine, scope);
}

/// Judge the staged rows by the table's contract. Gives the checks that fail and are not waived by
/// name, each with what it found; fails with kConfig when a waived name is no check.
Result<std::vector<std::string>> JudgeForPublish(Program& program, const FoundBranch& found,
                                                 const std::vector<std::string>& waived) {
  audit::Report report;
  CALVE_ASSIGN_OR_RETURN(const auto contract, program.LoadContract(found.table.ToString()));
  if (contract.has_value()) {
    CALVE_ASSIGN_OR_RETURN(report, AuditStaged(program, found, *contract));
  }
  std::vector<std::string> known;
  for (const audit::Outcome& outcome : report.outcomes) known.push_back(outcome.check.name);
  for (const std::string& name : waived) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string have = known.empty() ? "it has none" : Join(known, ", ");
    const std::string near = DidYouMean(name, known);
    return ConfigError("--waive '" + name + "' names no check of " + found.table.ToString() +
                       (near.empty() ? ": " + have : near));
  }
  std::vector<std::string> failed;
  for (const audit::Outcome& outcome : report.outcomes) {
    const std::string& name = outcome.check.name;
    const bool stops = !outcome.passed && outcome.check.severity == audit::Severity::kFail;
    if (stops && std::find(waived.begin(), waived.end(), name) == waived.end())
      failed.push_back(name + " (" + outcome.message + ")");
  }
  return failed;
}

/// Who answers for what is done: the name given, else that of the account.
std::string WhoActs(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* user = std::getenv("USER"); user != nullptr && *user != '\0') return user;
  const passwd* account = ::getpwuid(::geteuid());
  return account == nullptr ? "uid " + std::to_string(::geteuid()) : account->pw_name;
}

Result<ExitCode> PublishBranch(Program& program, const BranchArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const FoundBranch found,
                         FindBranch(program, arguments.branch, arguments.table));
  Report report(program.options.json);
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> failed,
                         JudgeForPublish(program, found, arguments.waived));
  if (!failed.empty()) {
    report.Line("publish",
                found.table.ToString() + "   not published: branch " + found.branch +
                    " still fails " + Join(failed, ", "),
                "failed", failed);
    report.Fact("table", found.table.ToString());
    report.Fact("branch", found.branch);
    report.Hint("next", "name each with --waive to publish all the same, or calve branch discard " +
                            found.branch);
    return report.Done(ExitCode::kAuditFailed);
  }
  commit::Committer committer(*found.catalog, program.files());
  CALVE_ASSIGN_OR_RETURN(const commit::Staged staged,
                         committer.FindStaged(program.context(), found.table, found.branch));
  const std::string who = WhoActs(arguments.who);
  commit::PublishOptions publish;
  publish.proof = commit::Proof::kManual;
  publish.summary[std::string(commit::summary::kPublishedBy)] = who;
  if (!arguments.waived.empty())
    publish.summary[std::string(commit::summary::kWaived)] = Join(arguments.waived, ", ");
  CALVE_ASSIGN_OR_RETURN(const commit::Published published,
                         committer.Publish(program.context(), staged, publish));
  const int64_t snapshot = published.snapshot_id.value();
  report.Line("publish",
              found.table.ToString() + "   main → " + std::to_string(snapshot) +
                  "   proved: manual, by " + who,
              "snapshot_id", snapshot);
  report.Fact("table", found.table.ToString());
  report.Fact("branch", found.branch);
  report.Fact("by", who);
  report.Fact("waived", arguments.waived);
  return report.Done();
}

Result<ExitCode> DiscardBranch(Program& program, const BranchArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const FoundBranch found,
                         FindBranch(program, arguments.branch, arguments.table));
  commit::Committer committer(*found.catalog, program.files());
  CALVE_RETURN_IF_ERROR(committer.Discard(program.context(), found.table, found.branch));
  Report report(program.options.json);
  report.Line(
      "discard",
      found.table.ToString() + "@" + found.branch + " is gone with its files; main is unchanged",
      "discarded", found.branch);
  report.Fact("table", found.table.ToString());
  return report.Done();
}

using Verb = Result<ExitCode> (*)(Program&, const BranchArguments&);

CLI::App* AddVerb(CLI::App& parent, Program& program, const char* name, const char* meaning,
                  Verb verb, std::shared_ptr<BranchArguments> arguments) {
  CLI::App* command = parent.add_subcommand(name, meaning);
  command->add_option("BRANCH", arguments->branch, "The branch")->required();
  command->add_option("--table", arguments->table, "The table, when several have such a branch");
  command->callback([&program, arguments, verb] {
    program.todo = [&program, arguments, verb] { return verb(program, *arguments); };
  });
  return command;
}

}  // namespace

CALVE_PART(branch) {
  registry.Add({.name = "branch", .add = [](CLI::App& app, Program& program) {
                  CLI::App* branch =
                      app.add_subcommand("branch", "Look at staged rows, publish or discard them");
                  branch->require_subcommand(1);
                  auto arguments = std::make_shared<BranchArguments>();
                  branch->add_subcommand("list", "All branches but main")->callback([&program] {
                    program.todo = [&program] { return ListBranches(program); };
                  });
                  AddVerb(*branch, program, "diff", "What a branch would change in main", ShowDiff,
                          arguments);
                  AddVerb(*branch, program, "nulls", "NULLs in each column, against main",
                          ShowNulls, arguments);
                  CLI::App* publish = AddVerb(*branch, program, "publish",
                                              "Move main to the rows of a branch, on your word",
                                              PublishBranch, arguments);
                  publish->add_option(
                      "--waive", arguments->waived,
                      "A check that fails and is waived, by its name; may be given again");
                  publish->add_option("--by", arguments->who, "Who answers for it; USER otherwise");
                  AddVerb(*branch, program, "discard", "Drop a branch with its files",
                          DiscardBranch, arguments);
                }});
}

}  // namespace calve::cli
