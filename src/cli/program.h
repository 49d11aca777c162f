#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/contract.h"
#include "base/context.h"
#include "base/executor.h"
#include "base/memory.h"
#include "catalog/registry.h"
#include "cli/exit_code.h"
#include "cli/test_switches.h"
#include "commit/committer.h"
#include "config/project.h"
#include "config/reference.h"
#include "engine/catalog_resolver.h"
#include "engine/engine.h"
#include "io/file_system_set.h"
#include "pipeline/job.h"
#include "pipeline/run.h"
#include "state/runs.h"
#include "stream/stream.h"

namespace calve::cli {

/// What every command is told.
struct GlobalOptions {
  std::string folder = ".";
  bool json = false;
  bool verbose = false;
  bool plain = false;  ///< No bars and no colour, as in a pipe.
};

/// One start of the program: a project folder and what its configuration names, each made when
/// first asked for. For one thread.
class Program {
 public:
  explicit Program(std::stop_token stop);
  ~Program();

  GlobalOptions options;
  /// What the command line asked for.
  std::function<Result<ExitCode>()> todo;

  const Context& context();
  io::FileSystem& files();
  /// The project folder, absolute, without trailing slash.
  const std::string& folder();

  Result<const config::LoadedProject*> project();
  Result<const pipeline::Parts*> parts();
  Result<catalog::Catalog*> Catalog(const std::string& name);
  /// The catalog and name of a table as a person writes it: ns.table or catalog.ns.table.
  struct NamedTable {
    catalog::Catalog* catalog = nullptr;
    catalog::TableName name;
  };
  Result<NamedTable> Table(const std::string& text);
  /// The engine for loads and audits, and the locked one for SQL that people send.
  Result<engine::Engine*> engine();
  Result<engine::Engine*> locked_engine();
  Result<engine::CatalogResolver*> resolver();
  Result<state::Runs*> runs();

  Result<std::vector<std::string>> JobIds();
  /// Of the sources in config/sources.
  Result<std::vector<std::string>> SourceNames();
  Result<pipeline::Job> LoadJob(const std::string& id);
  /// A job that has the source of that name in config/sources, and nothing else.
  Result<pipeline::Job> LoadSource(const std::string& name);
  /// A job, or, where there is no such job, a source of config/sources.
  Result<pipeline::Job> LoadJobOrSource(const std::string& name);
  Result<std::vector<std::string>> StreamNames();
  /// A stream of streams/; its id is that of its runs.
  Result<stream::Stream> LoadStream(const std::string& name);
  /// A contract by its file's name in contracts/; nothing when there is no such file.
  Result<std::optional<audit::Contract>> LoadContract(const std::string& name);
  /// The contract of a job: the one it names, else the one of its table.
  Result<std::optional<audit::Contract>> ContractOf(const pipeline::Job& job);
  /// What a run of `job` is given, within its memory limit. Valid until it is asked for another job.
  Result<pipeline::Resources> ResourcesFor(const pipeline::Job& job);
  /// Of the job that ResourcesFor was asked for last, if that has one; else of the project.
  ByteCount memory_limit();
  int parallelism();
  const TestSwitches& test_switches() const { return switches_; }

 private:
  class Book;
  Result<std::optional<std::string>> ReadText(const std::string& path);
  Result<std::unique_ptr<engine::Engine>> OpenEngine(bool locked);
  /// The names of the YAML files in a folder of the project.
  Result<std::vector<std::string>> NamesIn(const std::string& folder);
  /// Their ending is .yml or .yaml.
  Result<std::string> YamlFile(const std::string& folder, const std::string& name);
  Result<config::Definitions> ReadDefinitions();
  /// Read a job's tree; `file` is where it stands.
  template <typename J>
  Result<J> ReadJob(config::Node root, const config::Shape<J>& shape, const std::string& id,
                    const std::string& file, config::Faults& faults);
  Result<config::Node> ParseFile(const std::string& path, const std::string& shown);

  std::stop_token stop_;
  TestSwitches switches_;
  SystemClock clock_;
  Random random_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<MemoryBudget> memory_;
  StepObserver steps_;
  std::optional<Context> context_;
  std::string folder_;
  std::unique_ptr<io::FileSystemSet> files_;
  catalog::Registry catalog_kinds_;
  std::optional<config::LoadedProject> project_;
  std::unique_ptr<const pipeline::Parts> parts_;
  std::map<std::string, std::unique_ptr<catalog::Catalog>> catalogs_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Engine> locked_engine_;
  std::unique_ptr<engine::CatalogResolver> resolver_;
  std::optional<ByteCount> job_memory_limit_;
  std::optional<state::Runs> runs_;
  std::unique_ptr<Book> book_;
};

}  // namespace calve::cli
