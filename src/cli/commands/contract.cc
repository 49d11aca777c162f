#include <CLI/CLI.hpp>

#include <algorithm>

#include "audit/infer.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "columnar/convert.h"
#include "config/yaml.h"

namespace calve::cli {
namespace {

struct InferArguments {
  std::string of;
  int64_t sample = 100'000;
  bool write = false;
};

/// Lets SQL see one table as `this`.
class OneTable : public engine::TableResolver {
 public:
  explicit OneTable(engine::ResolvedTable table) : table_(std::move(table)) {}
  Result<engine::ResolvedTable> Resolve(const Context&,
                                        const engine::TableReference& reference) override {
    if (reference.parts == std::vector<std::string>{"this"}) return table_;
    return NotFoundError("there is no table " + reference.ToString());
  }

 private:
  const engine::ResolvedTable table_;
};

/// The proposal, and the name of the contract that it would be.
struct Proposed {
  std::string name;
  std::string yaml;
};

Result<Proposed> InferFromTable(Program& program, const std::string& of) {
  CALVE_ASSIGN_OR_RETURN(engine::CatalogResolver * resolver, program.resolver());
  CALVE_ASSIGN_OR_RETURN(engine::Engine * engine, program.engine());
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, program.Table(of));
  CALVE_ASSIGN_OR_RETURN(engine::ResolvedTable resolved,
                         resolver->Resolve(program.context(), {.parts = Split(of, '.')}));
  const auto* table = std::get_if<engine::IcebergTable>(&resolved);
  if (table == nullptr) return ConfigError(of + " is no Iceberg table");
  audit::InferenceInput input;
  input.table = named.name.ToString();
  input.rows_are = table->snapshot_id.has_value()
                       ? "snapshot " + std::to_string(table->snapshot_id->value())
                       : "the table has no snapshot yet";
  input.fields = table->schema->fields();
  OneTable one(std::move(resolved));
  input.query.resolver = &one;
  CALVE_ASSIGN_OR_RETURN(std::string yaml, InferContract(program.context(), *engine, input));
  return Proposed{.name = input.table, .yaml = std::move(yaml)};
}

/// The contract that a job keeps, by its file's name.
Result<std::string> ContractNameOf(const pipeline::Parts& known, const pipeline::Job& job) {
  if (!job.contract.empty()) return job.contract;
  std::string table = load::TableNameOf(known.loaders.Find(job.loader.type), job.loader.node);
  if (!table.empty()) return table;
  return ConfigError(job.file + ": the job names no contract, and its loader no table");
}

/// The first rows of a job's source, transformed.
Result<engine::ArrowTable> Sample(Program& program, const pipeline::Job& job, int64_t rows_max,
                                  bool* whole) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Resources resources, program.ResourcesFor(job));
  engine::ArrowTable table;
  int64_t rows = 0;
  *whole = true;
  const auto begin = [&](const std::shared_ptr<arrow::Schema>& schema) -> Status {
    table.schema = schema;
    return Status::Ok();
  };
  const auto take = [&](const columnar::Batch& batch) -> Status {
    const int64_t wanted = std::min(rows_max - rows, batch->num_rows());
    table.batches.push_back(batch->Slice(0, wanted));
    rows += wanted;
    if (wanted == batch->num_rows() && rows < rows_max) return Status::Ok();
    *whole = false;
    return StoppedError("the sample is full");
  };
  Status read = pipeline::ExtractJob(program.context(), job, resources, begin, take,
                                     [](const columnar::Reject&) {});
  if (!read.ok() && *whole) return std::move(read).error();
  if (table.schema == nullptr)
    return DataError("job " + job.id + " has no rows to read: no contract can be proposed");
  return table;
}

Result<Proposed> InferFromJob(Program& program, const InferArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Job job, program.LoadJob(arguments.of));
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* known, program.parts());
  CALVE_ASSIGN_OR_RETURN(const std::string name, ContractNameOf(*known, job));
  bool whole = true;
  CALVE_ASSIGN_OR_RETURN(engine::ArrowTable rows, Sample(program, job, arguments.sample, &whole));
  CALVE_ASSIGN_OR_RETURN(engine::Engine * engine, program.engine());
  audit::InferenceInput input;
  input.table = name;
  input.rows_are = (whole ? "what job " : "the first that job ") + job.id + " reads";
  CALVE_ASSIGN_OR_RETURN(input.fields, columnar::ToIcebergFields(*rows.schema, 3));
  input.query.tables.emplace_back("this", std::move(rows));
  CALVE_ASSIGN_OR_RETURN(std::string yaml, InferContract(program.context(), *engine, input));
  return Proposed{.name = name, .yaml = std::move(yaml)};
}

Result<ExitCode> Infer(Program& program, const InferArguments& arguments) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> jobs, program.JobIds());
  const bool is_job = std::find(jobs.begin(), jobs.end(), arguments.of) != jobs.end();
  CALVE_ASSIGN_OR_RETURN(const Proposed proposed, is_job ? InferFromJob(program, arguments)
                                                         : InferFromTable(program, arguments.of));
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* parts, program.parts());
  CALVE_ASSIGN_OR_RETURN(const config::Node root, config::ParseYaml(proposed.yaml, "the proposal"));
  CALVE_ASSIGN_OR_RETURN(const audit::Contract contract,
                         audit::ParseContract(root, proposed.name, parts->checks));
  if (!arguments.write) {
    PrintEither(program.options.json, {{"contract", proposed.name}, {"yaml", proposed.yaml}},
                proposed.yaml);
    return ExitCode::kDone;
  }
  const std::string shown = "contracts/" + proposed.name + ".yaml";
  CALVE_RETURN_IF_ERROR(program.files().EnsureFolder(context, program.folder() + "/contracts"));
  const auto written =
      program.files().WriteFile(context, program.folder() + "/" + shown, proposed.yaml,
                                {.overwrite = io::OverwritePolicy::kFail});
  if (!written.ok() && written.error().kind == ErrorKind::kAlreadyExists) {
    return ConfigError(shown +
                       " is there already and stays as it is; without --write the proposal "
                       "is printed, to take lines from");
  }
  CALVE_RETURN_IF_ERROR(written);
  Report report(program.options.json);
  report.Line("write",
              shown + "   " + Counted(static_cast<int64_t>(contract.columns.size()), "column") +
                  ", " + Counted(static_cast<int64_t>(contract.checks.size()), "check"),
              "file", shown);
  report.Fact("contract", proposed.name);
  report.Fact("columns", contract.columns.size());
  report.Fact("checks", contract.checks.size());
  report.Hint("next", "read it, then calve audit " + proposed.name);
  return report.Done();
}

}  // namespace

CALVE_PART(contract) {
  registry.Add(
      {.name = "contract", .add = [](CLI::App& app, Program& program) {
         CLI::App* contract = app.add_subcommand("contract", "Propose what a table promises");
         contract->require_subcommand(1);
         CLI::App* infer = contract->add_subcommand(
             "infer", "Propose a contract from a table's rows, or from what a job reads");
         auto arguments = std::make_shared<InferArguments>();
         infer->add_option("TABLE_OR_JOB", arguments->of, "ns.table, or a job in config/jobs")
             ->required();
         infer
             ->add_option("--sample", arguments->sample,
                          "Rows of a job's source looked at, at most")
             ->capture_default_str()
             ->check(CLI::PositiveNumber);
         infer->add_flag("--write", arguments->write,
                         "Write it to contracts/; a contract that is there stays");
         infer->callback([&program, arguments] {
           program.todo = [&program, arguments] { return Infer(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli
