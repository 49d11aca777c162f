#include "cli/program.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

#include "base/text.h"
#include "cli/own_tables.h"
#include "columnar/arrow_status.h"
#include "pipeline/job_types.h"

extern char** environ;  // NOLINT: POSIX says so.

namespace calve::cli {
namespace {

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const size_t equals = entry.find('=');
    if (equals != std::string_view::npos)
      variables.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return variables;
}

/// The machine's memory, a quarter of it: what runs may use when nobody says otherwise.
ByteCount QuarterOfMemory() {
  const int64_t pages = ::sysconf(_SC_PHYS_PAGES);
  const int64_t page = ::sysconf(_SC_PAGESIZE);
  return ByteCount(std::clamp<int64_t>(pages * page / 4, 256'000'000, 8'000'000'000));
}

/// What a limit of the whole run leaves for rows, beside the program's own code and plans.
ByteCount ForRows(ByteCount limit) {
  constexpr int64_t kProgram = 64'000'000;
  return ByteCount(std::max(limit.value() - kProgram, limit.value() / 4));
}

std::string Absolute(const std::string& folder) {
  if (folder.starts_with('/')) return folder;
  char* here = ::getcwd(nullptr, 0);
  std::string path = here == nullptr ? "." : here;
  std::free(here);  // NOLINT: getcwd allocates with malloc.
  return folder == "." ? path : path + "/" + folder;
}

std::string StemOf(std::string_view uri) {
  uri = uri.substr(uri.rfind('/') + 1);
  return std::string(uri.substr(0, uri.rfind('.')));
}

}  // namespace

/// Run records as the pipeline asks for them.
class Program::Book : public pipeline::RunBook {
 public:
  explicit Book(state::Runs& runs) : runs_(runs) {}
  Result<pipeline::RunFate> FateOf(const Context&, const std::string& run) override {
    CALVE_ASSIGN_OR_RETURN(const auto record, runs_.Find(run));
    if (!record.has_value()) return pipeline::RunFate::kUnknown;
    if (record->state == state::RunState::kFailed) return pipeline::RunFate::kDied;
    if (record->state != state::RunState::kRunning) return pipeline::RunFate::kEnded;
    return runs_.IsAlive(run) ? pipeline::RunFate::kRunning : pipeline::RunFate::kDied;
  }
  void LeavesFiles(const std::string& run) override { runs_.LeavesFiles(run); }
  Result<std::vector<std::string>> DeadRuns(const Context&, const std::string& job) override {
    return runs_.Dead(job);
  }
  Status Swept(const Context&, const std::string& run) override { return runs_.MarkSwept(run); }
  Result<bool> HasPosition(const Context&, const std::string& job) override {
    return runs_.HasPosition(job);
  }

 private:
  state::Runs& runs_;
};

Program::Program(std::stop_token stop)
    : stop_(std::move(stop)),
      switches_(TestSwitches::FromEnvironment()),
      random_(Random::FromEntropy()) {}

Program::~Program() = default;

const std::string& Program::folder() {
  if (folder_.empty()) {
    folder_ = Absolute(options.folder);
    while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
  }
  return folder_;
}

int Program::parallelism() {
  if (project_.has_value() && project_->project.resources.parallelism.has_value())
    return *project_->project.resources.parallelism;
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

ByteCount Program::memory_limit() {
  if (switches_.memory_limit.has_value()) return *switches_.memory_limit;
  if (job_memory_limit_.has_value()) return *job_memory_limit_;
  if (project_.has_value() && project_->project.resources.memory_limit.has_value())
    return *project_->project.resources.memory_limit;
  return QuarterOfMemory();
}

const Context& Program::context() {
  if (context_.has_value()) return *context_;
  log_ = std::make_unique<StderrLog>(options.verbose ? LogLevel::kInfo : LogLevel::kWarn, &clock_);
  executor_ = std::make_unique<Executor>(ExecutorOptions{.threads = parallelism()});
  memory_ = std::make_unique<MemoryBudget>(ForRows(memory_limit()));
  Context context;
  context.clock = &clock_;
  context.random = &random_;
  context.log = log_.get();
  context.executor = executor_.get();
  context.memory = memory_.get();
  context.stop = stop_;
  if (switches_.any_steps()) {
    steps_ = ObserveSteps(switches_, folder());
    context.steps = &steps_;
  }
  context_ = std::move(context);
  return *context_;
}

io::FileSystem& Program::files() {
  if (files_ == nullptr) files_ = std::make_unique<io::FileSystemSet>();
  return *files_;
}

Result<std::optional<std::string>> Program::ReadText(const std::string& path) {
  Result<std::string> text = files().ReadFile(context(), path, ByteCount(16 << 20));
  if (text.ok()) return std::optional<std::string>(std::move(*text));
  if (text.error().kind == ErrorKind::kNotFound) return std::optional<std::string>();
  return std::move(text).error();
}

Result<const config::LoadedProject*> Program::project() {
  if (project_.has_value()) return &*project_;
  const auto found = files().Stat(context(), folder());
  if (!found.ok() && found.error().kind == ErrorKind::kNotFound)
    return ConfigError("there is no project folder " + config::QuoteForMessage(options.folder) +
                       "; calve init makes one");
  if (catalog_kinds_.kinds().empty()) catalog::RegisterParts(catalog_kinds_);
  config::ProjectTexts texts;
  CALVE_ASSIGN_OR_RETURN(texts.calve_yaml, ReadText(folder() + "/calve.yaml"));
  CALVE_ASSIGN_OR_RETURN(texts.dot_env, ReadText(folder() + "/.env"));
  texts.variables = ProcessEnvironment();
  texts.read_file = [this](const std::string& path) -> Result<std::string> {
    return files().ReadFile(context(), path.starts_with('/') ? path : folder() + "/" + path,
                            ByteCount(1 << 20));
  };
  CALVE_ASSIGN_OR_RETURN(config::LoadedProject loaded,
                         config::LoadProject(texts, catalog_kinds_.parts()));
  std::string& warehouse = loaded.project.warehouse;
  const bool relative = !warehouse.starts_with('/') && warehouse.find(':') == std::string::npos;
  if (relative) warehouse = "file://" + folder() + "/" + warehouse;
  if (warehouse.starts_with('/')) warehouse = "file://" + warehouse;
  while (warehouse.ends_with('/')) warehouse.pop_back();
  files_ = std::make_unique<io::FileSystemSet>(loaded.project.storage);
  project_ = std::move(loaded);
  return &*project_;
}

Result<const pipeline::Parts*> Program::parts() {
  if (parts_ == nullptr) parts_ = pipeline::Parts::All();
  return parts_.get();
}

Result<catalog::Catalog*> Program::Catalog(const std::string& name) {
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, project());
  const std::string wanted = name.empty() ? loaded->project.default_catalog : name;
  const auto made = catalogs_.find(wanted);
  if (made != catalogs_.end()) return made->second.get();
  const auto declared = loaded->project.catalogs.find(wanted);
  if (declared == loaded->project.catalogs.end()) {
    std::vector<std::string> known;
    for (const auto& [known_name, options] : loaded->project.catalogs) known.push_back(known_name);
    return ConfigError("calve.yaml names no catalog '" + wanted + "'; it has " + Join(known, ", ") +
                       DidYouMean(wanted, known));
  }
  const auto live = [this](const std::string& prefix,
                           std::shared_ptr<io::LiveProperties> properties) {
    files_->SetLiveProperties(prefix, std::move(properties));
  };
  CALVE_ASSIGN_OR_RETURN(
      auto catalog, catalog_kinds_.Make(declared->second, {.name = wanted,
                                                           .warehouse = loaded->project.warehouse,
                                                           .project_folder = folder(),
                                                           .files = &files(),
                                                           .use_live_properties = live}));
  return catalogs_.emplace(wanted, std::move(catalog)).first->second.get();
}

Result<Program::NamedTable> Program::Table(const std::string& text) {
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, project());
  std::string rest = text;
  std::string catalog_name;
  const size_t dot = text.find('.');
  const bool several = dot != std::string::npos && text.find('.', dot + 1) != std::string::npos;
  if (several && loaded->project.catalogs.contains(text.substr(0, dot))) {
    catalog_name = text.substr(0, dot);
    rest = text.substr(dot + 1);
  }
  NamedTable named;
  CALVE_ASSIGN_OR_RETURN(named.name, catalog::TableName::Parse(rest));
  CALVE_ASSIGN_OR_RETURN(named.catalog, Catalog(catalog_name));
  return named;
}

Result<std::unique_ptr<engine::Engine>> Program::OpenEngine(bool locked) {
  CALVE_RETURN_IF_ERROR(project());
  CALVE_RETURN_IF_ERROR(columnar::StartArrow());
  engine::EngineOptions options;
  options.memory_limit = ByteCount(ForRows(memory_limit()).value() / 2);
  options.threads = parallelism();
  options.spill_folder = folder() + "/metadata/spill";
  options.locked = locked;
  return engine::OpenDuckDb(files(), options);
}

Result<engine::Engine*> Program::engine() {
  if (engine_ == nullptr) {
    CALVE_ASSIGN_OR_RETURN(engine_, OpenEngine(/*locked=*/false));
  }
  return engine_.get();
}

Result<engine::Engine*> Program::locked_engine() {
  if (locked_engine_ == nullptr) {
    CALVE_ASSIGN_OR_RETURN(locked_engine_, OpenEngine(/*locked=*/true));
  }
  return locked_engine_.get();
}

Result<engine::CatalogResolver*> Program::resolver() {
  if (resolver_ != nullptr) return resolver_.get();
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, project());
  engine::CatalogResolver::Options options;
  options.catalog = [this](const std::string& name) { return Catalog(name); };
  for (const auto& [name, declared] : loaded->project.catalogs)
    options.catalog_names.push_back(name);
  options.default_catalog = loaded->project.default_catalog;
  options.files = &files();
  options.own_tables = OwnTables(*this);
  resolver_ = std::make_unique<engine::CatalogResolver>(std::move(options));
  return resolver_.get();
}

Result<state::Runs*> Program::runs() {
  if (runs_.has_value()) return &*runs_;
  CALVE_RETURN_IF_ERROR(project());
  CALVE_RETURN_IF_ERROR(files().EnsureFolder(context(), folder() + "/metadata"));
  CALVE_ASSIGN_OR_RETURN(state::Runs opened, state::Runs::Open(folder() + "/metadata"));
  runs_.emplace(std::move(opened));
  book_ = std::make_unique<Book>(*runs_);
  return &*runs_;
}

Result<config::Node> Program::ParseFile(const std::string& path, const std::string& shown) {
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, project());
  CALVE_ASSIGN_OR_RETURN(const std::string text,
                         files().ReadFile(context(), path, ByteCount(16 << 20)));
  config::Faults faults;
  config::Node root = config::ParseYaml(text, shown, faults);
  config::FillIn(root, loaded->environment, faults);
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  return root;
}

Result<std::vector<std::string>> Program::NamesIn(const std::string& names_folder) {
  CALVE_RETURN_IF_ERROR(project());
  std::vector<std::string> names;
  Status listed = files().List(context(), folder() + "/" + names_folder, {},
                               [&](std::span<const io::FileInfo> page) -> Result<bool> {
                                 for (const io::FileInfo& info : page) {
                                   if (info.uri.ends_with(".yaml") || info.uri.ends_with(".yml"))
                                     names.push_back(StemOf(info.uri));
                                 }
                                 return true;
                               });
  if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return std::move(listed).error();
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> Program::YamlFile(const std::string& names_folder, const std::string& name) {
  const std::string stem = names_folder + "/" + name;
  CALVE_ASSIGN_OR_RETURN(const bool short_ending,
                         files().Exists(context(), folder() + "/" + stem + ".yml"));
  return stem + (short_ending ? ".yml" : ".yaml");
}

Result<std::vector<std::string>> Program::JobIds() { return NamesIn("config/jobs"); }

Result<std::vector<std::string>> Program::SourceNames() { return NamesIn("config/sources"); }

Result<config::Definitions> Program::ReadDefinitions() {
  config::Definitions definitions;
  const auto read = [&](const std::string& names_folder,
                        std::map<std::string, config::Definition>* into) -> Status {
    CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(names_folder));
    for (const std::string& name : names) {
      CALVE_ASSIGN_OR_RETURN(const std::string shown, YamlFile(names_folder, name));
      CALVE_ASSIGN_OR_RETURN(
          const std::string text,
          files().ReadFile(context(), folder() + "/" + shown, ByteCount(16 << 20)));
      config::Definition& definition = (*into)[name];
      definition.node = config::ParseYaml(text, shown, definition.faults);
      if (definition.faults.empty() && !definition.node.is_mapping())
        definition.faults.Add(definition.node.place(), "expected keys and values", "write some");
    }
    return Status::Ok();
  };
  CALVE_RETURN_IF_ERROR(read("config/sources", &definitions.sources));
  CALVE_RETURN_IF_ERROR(read("config/templates", &definitions.templates));
  for (const auto& [type, text] : pipeline::JobTypes()) {
    config::Definition& definition = definitions.types[type];
    definition.node = config::ParseYaml(text, "type " + type, definition.faults);
  }
  return definitions;
}

template <typename J>
Result<J> Program::ReadJob(config::Node root, const config::Shape<J>& shape, const std::string& id,
                           const std::string& file, config::Faults& faults) {
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, project());
  CALVE_ASSIGN_OR_RETURN(const config::Definitions definitions, ReadDefinitions());
  config::ResolveReferences(root, definitions, faults);
  config::FillIn(root, loaded->environment, faults);
  J job = shape.Read(root, {.faults = faults, .environment = &loaded->environment});
  for (const config::Fault& warning : faults.SortedWarnings()) {
    context().log->Warn(config::ToString(warning.place) + "   " + warning.Sentence());
  }
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  job.id = id;
  job.file = file;
  return job;
}

Result<pipeline::Job> Program::LoadJob(const std::string& id) {
  CALVE_RETURN_IF_ERROR(project());
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* known, parts());
  CALVE_ASSIGN_OR_RETURN(const std::string shown, YamlFile("config/jobs", id));
  const Result<std::string> text =
      files().ReadFile(context(), folder() + "/" + shown, ByteCount(16 << 20));
  if (!text.ok() && text.error().kind == ErrorKind::kNotFound) {
    CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> ids, JobIds());
    const std::string have = ids.empty() ? "; config/jobs has no job yet, calve init makes one"
                                         : "; the jobs are " + Join(ids, ", ");
    const std::string near = DidYouMean(id, ids);
    return ConfigError("there is no job " + config::QuoteForMessage(id) + " in config/jobs" +
                       (near.empty() ? have : near));
  }
  CALVE_RETURN_IF_ERROR(text);
  config::Faults faults;
  config::Node root = config::ParseYaml(*text, shown, faults);
  return ReadJob(std::move(root), pipeline::JobShape(*known), id, shown, faults);
}

Result<std::vector<std::string>> Program::StreamNames() { return NamesIn("streams"); }

Result<stream::Stream> Program::LoadStream(const std::string& name) {
  CALVE_RETURN_IF_ERROR(project());
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* known, parts());
  CALVE_ASSIGN_OR_RETURN(const std::string shown, YamlFile("streams", name));
  const Result<std::string> text =
      files().ReadFile(context(), folder() + "/" + shown, ByteCount(16 << 20));
  if (!text.ok() && text.error().kind == ErrorKind::kNotFound) {
    CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, StreamNames());
    const std::string near = DidYouMean(name, names);
    return ConfigError("there is no stream " + config::QuoteForMessage(name) + " in streams" +
                       (!near.empty()   ? near
                        : names.empty() ? "; write streams/" + name + ".yaml"
                                        : "; the streams are " + Join(names, ", ")));
  }
  CALVE_RETURN_IF_ERROR(text);
  config::Faults faults;
  config::Node root = config::ParseYaml(*text, shown, faults);
  return ReadJob(std::move(root), stream::StreamShape(*known), stream::JobOf(name), shown, faults);
}

Result<pipeline::Job> Program::LoadSource(const std::string& name) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* known, parts());
  CALVE_ASSIGN_OR_RETURN(const std::string shown, YamlFile("config/sources", name));
  config::Shape<pipeline::Job> shape("source");
  shape.Required("source", &pipeline::Job::source, "What is read.",
                 {.parts = known->sources.parts()});
  config::Node reference = config::Node::Mapping();
  reference.Set("ref", config::Node::Scalar(name));
  config::Node root = config::Node::Mapping();
  root.Set("source", std::move(reference));
  config::Faults faults;
  return ReadJob(std::move(root), shape, name, shown, faults);
}

Result<pipeline::Job> Program::LoadJobOrSource(const std::string& name) {
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> jobs, JobIds());
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> sources, SourceNames());
  const auto is_in = [&](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return !is_in(jobs) && is_in(sources) ? LoadSource(name) : LoadJob(name);
}

Result<std::optional<audit::Contract>> Program::LoadContract(const std::string& name) {
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* known, parts());
  const std::string shown = "contracts/" + name + ".yaml";
  Result<config::Node> root = ParseFile(folder() + "/" + shown, shown);
  if (!root.ok() && root.error().kind == ErrorKind::kNotFound)
    return std::optional<audit::Contract>();
  CALVE_RETURN_IF_ERROR(root);
  CALVE_ASSIGN_OR_RETURN(audit::Contract contract,
                         audit::ParseContract(*root, name, known->checks));
  return std::optional<audit::Contract>(std::move(contract));
}

Result<std::optional<audit::Contract>> Program::ContractOf(const pipeline::Job& job) {
  if (!job.contract.empty()) {
    CALVE_ASSIGN_OR_RETURN(auto contract, LoadContract(job.contract));
    if (contract.has_value()) return contract;
    return ConfigError(job.file + ": there is no contract '" + job.contract + "' (contracts/" +
                       job.contract + ".yaml)");
  }
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* known, parts());
  const std::string table =
      load::TableNameOf(known->loaders.Find(job.loader.type), job.loader.node);
  if (table.empty()) return std::optional<audit::Contract>();
  return LoadContract(table);
}

Result<pipeline::Resources> Program::ResourcesFor(const pipeline::Job& job) {
  pipeline::Resources resources;
  CALVE_ASSIGN_OR_RETURN(resources.parts, parts());
  CALVE_RETURN_IF_ERROR(runs());
  resources.source = {.files = &files(), .project_folder = folder()};
  const ByteCount limit_before = memory_limit();
  job_memory_limit_ = job.resources.memory_limit;
  if (memory_limit() != limit_before) {
    if (memory_ != nullptr) memory_->SetLimit(ForRows(memory_limit()));
    engine_.reset();  // Its limit is the one that it was opened with.
  }
  CALVE_ASSIGN_OR_RETURN(resources.transform.engine, engine());
  resources.load.catalog = [this](const std::string& name) { return Catalog(name); };
  resources.load.files = &files();
  resources.load.project_folder = folder();
  resources.load.engine = resources.transform.engine;
  CALVE_ASSIGN_OR_RETURN(resources.load.resolver, resolver());
  resources.book = book_.get();
  resources.parallelism = parallelism();
  resources.memory_limit = ForRows(memory_limit());
  if (switches_.batch_rows.has_value()) resources.batch_rows_max = *switches_.batch_rows;
  return resources;
}

}  // namespace calve::cli
