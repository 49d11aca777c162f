#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "catalog/table_files.h"
#include "cli/branches.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "cli/snapshot_summary.h"
#include "iceberg/produce.h"
#include "iceberg/scan.h"
#include "iceberg/sort_text.h"

namespace calve::cli {
namespace {

using iceberg::Snapshot;
using nlohmann::ordered_json;

struct TableArguments {
  std::string table;
  std::string target;
  std::string tag;
  int64_t limit = 50;
};

std::string CountOf(const Snapshot& snapshot, const char* key) {
  const auto number = ParseInteger(SummaryOf(snapshot, key));
  return number.has_value() ? FormatCount(*number) : "";
}

std::string ProofText(const Snapshot& snapshot) {
  const auto proof = commit::ProofOf(snapshot);
  return proof.has_value() ? std::string(commit::ToString(*proof)) : "unaudited";
}

std::string TimeOf(const Snapshot& snapshot) {
  return FormatTimestamp(TimestampFromMillis(snapshot.timestamp_ms));
}

Result<ExitCode> ListTables(Program& program) {
  CALVE_ASSIGN_OR_RETURN(const auto tables, AllTables(program));
  TextTable printed({"table", "rows", "files", "size", "proved", "updated"},
                    {false, true, true, true});
  ordered_json json = ordered_json::array();
  for (const Program::NamedTable& table : tables) {
    CALVE_ASSIGN_OR_RETURN(const auto loaded,
                           table.catalog->LoadTable(program.context(), table.name));
    const Snapshot* main = loaded.metadata->current_snapshot();
    const int64_t bytes = NumberOf(main, "total-files-size");
    const std::string updated =
        FormatTimestamp(TimestampFromMillis(loaded.metadata->last_updated_ms));
    printed.Add({table.name.ToString(), main == nullptr ? "0" : CountOf(*main, "total-records"),
                 main == nullptr ? "0" : CountOf(*main, "total-data-files"),
                 FormatBytes(ByteCount(bytes)), main == nullptr ? "" : ProofText(*main), updated});
    json.push_back({{"catalog", table.catalog->name()},
                    {"table", table.name.ToString()},
                    {"rows", NumberOf(main, "total-records")},
                    {"bytes", bytes},
                    {"proof", main == nullptr ? "" : ProofText(*main)},
                    {"location", loaded.metadata->location}});
  }
  PrintEither(program.options.json, json,
              printed.empty() ? "no table yet; calve run JOB makes one\n" : printed.Render());
  return ExitCode::kDone;
}

struct Opened {
  Program::NamedTable named;
  catalog::LoadedTable loaded;
};

Result<Opened> Open(Program& program, const std::string& text) {
  Opened opened;
  CALVE_ASSIGN_OR_RETURN(opened.named, program.Table(text));
  CALVE_ASSIGN_OR_RETURN(engine::CatalogResolver * resolver, program.resolver());
  CALVE_ASSIGN_OR_RETURN(opened.loaded, resolver->Load(program.context(), Split(text, '.')));
  return opened;
}

void PrintFields(const std::vector<iceberg::Field>& fields, size_t depth, TextTable* table) {
  for (const iceberg::Field& field : fields) {
    const std::string type = field.type.kind() == iceberg::TypeKind::kStruct ? "struct"
                             : field.type.kind() == iceberg::TypeKind::kList ? "list"
                             : field.type.kind() == iceberg::TypeKind::kMap ? "map"
                                                                            : field.type.ToString();
    table->Add({std::to_string(field.id.value()), std::string(depth * 2, ' ') + field.name, type,
                field.required ? "required" : "", field.doc.value_or("")});
    PrintFields(field.type.fields(), depth + 1, table);
  }
}

Result<ExitCode> ShowSchema(Program& program, const TableArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Opened opened, Open(program, arguments.table));
  if (program.options.json) {
    Print(ordered_json::parse(iceberg::SerializeSchema(*opened.loaded.metadata->schema())).dump(2) +
          "\n");
    return ExitCode::kDone;
  }
  TextTable table({"id", "column", "type", "", "doc"}, {true});
  PrintFields(opened.loaded.metadata->schema()->fields(), 0, &table);
  Print(table.Render());
  return ExitCode::kDone;
}

Result<ExitCode> ShowTable(Program& program, const TableArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Opened opened, Open(program, arguments.table));
  const iceberg::TableMetadata& metadata = *opened.loaded.metadata;
  const Snapshot* main = metadata.current_snapshot();
  if (program.options.json) {
    Print(ordered_json::parse(iceberg::SerializeTableMetadata(metadata)).dump(2) + "\n");
    return ExitCode::kDone;
  }
  PrintLine("table", opened.named.name.ToString() + "   catalog " + opened.named.catalog->name() +
                         ", format v" + std::to_string(metadata.format_version));
  PrintLine("location", metadata.location);
  PrintLine("metadata", opened.loaded.metadata_location);
  if (main == nullptr) {
    PrintLine("main", "no rows yet");
  } else {
    PrintLine("main", "snapshot " + std::to_string(main->id.value()) + "   " + TimeOf(*main) +
                          "   proved: " + ProofText(*main));
    PrintLine("rows", FormatCount(NumberOf(main, "total-records")) + " in " +
                          Counted(NumberOf(main, "total-data-files"), "file") + ", " +
                          FormatBytes(ByteCount(NumberOf(main, "total-files-size"))));
  }
  const std::vector<std::string> partitions =
      iceberg::PartitionTexts(metadata.spec(), *metadata.schema());
  PrintLine("partition", partitions.empty() ? "none" : Join(partitions, ", "));
  if (const iceberg::SortOrder& order = metadata.sort_order(); !order.fields.empty())
    PrintLine("sort", Join(iceberg::SortTexts(order, *metadata.schema()), ", "));
  for (const auto& [name, ref] : metadata.refs) {
    if (name == iceberg::kMainBranch) continue;
    PrintLine(ref.kind == iceberg::SnapshotRef::Kind::kTag ? "tag" : "branch",
              name + "   snapshot " + std::to_string(ref.snapshot_id.value()));
  }
  for (const auto& [key, value] : metadata.properties) PrintLine("property", key + " = " + value);
  TextTable table({"id", "column", "type", "", "doc"}, {true});
  PrintFields(metadata.schema()->fields(), 0, &table);
  Print(table.Render());
  return ExitCode::kDone;
}

ordered_json ToJson(const Snapshot& snapshot) {
  ordered_json summary = ordered_json::object();
  for (const auto& [key, value] : snapshot.summary) summary[key] = value;
  ordered_json json = {{"snapshot_id", snapshot.id.value()},
                       {"committed_at", TimeOf(snapshot)},
                       {"proof", ProofText(snapshot)}};
  json["operation"] =
      snapshot.operation.has_value() ? std::string(iceberg::ToString(*snapshot.operation)) : "";
  if (snapshot.parent_id.has_value()) json["parent_id"] = snapshot.parent_id->value();
  json["summary"] = std::move(summary);
  return json;
}

Status PrintSnapshots(Program& program, const std::vector<const Snapshot*>& snapshots,
                      const iceberg::TableMetadata& metadata) {
  TextTable table(
      {"snapshot", "committed", "operation", "added", "deleted", "total", "proved", "by", "refs"},
      {true, false, false, true, true, true});
  ordered_json json = ordered_json::array();
  for (const Snapshot* snapshot : snapshots) {
    std::string refs;
    for (const auto& [name, ref] : metadata.refs) {
      if (ref.snapshot_id == snapshot->id) refs += (refs.empty() ? "" : ", ") + name;
    }
    table.Add({std::to_string(snapshot->id.value()), TimeOf(*snapshot),
               snapshot->operation.has_value()
                   ? std::string(iceberg::ToString(*snapshot->operation))
                   : "",
               CountOf(*snapshot, "added-records"), CountOf(*snapshot, "deleted-records"),
               CountOf(*snapshot, "total-records"), ProofText(*snapshot),
               SummaryOf(*snapshot, "calve.pipeline"), refs});
    json.push_back(ToJson(*snapshot));
  }
  PrintEither(program.options.json, json, table.empty() ? "no snapshot yet\n" : table.Render());
  return Status::Ok();
}

Result<ExitCode> ShowHistory(Program& program, const TableArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Opened opened, Open(program, arguments.table));
  const iceberg::TableMetadata& metadata = *opened.loaded.metadata;
  std::vector<const Snapshot*> line;
  for (const Snapshot* at = metadata.current_snapshot(); at != nullptr;) {
    line.push_back(at);
    at = at->parent_id.has_value() ? metadata.FindSnapshot(*at->parent_id) : nullptr;
  }
  CALVE_RETURN_IF_ERROR(PrintSnapshots(program, line, metadata));
  return ExitCode::kDone;
}

Result<ExitCode> ShowSnapshots(Program& program, const TableArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Opened opened, Open(program, arguments.table));
  std::vector<const Snapshot*> all;
  for (const Snapshot& snapshot : opened.loaded.metadata->snapshots) all.push_back(&snapshot);
  CALVE_RETURN_IF_ERROR(PrintSnapshots(program, all, *opened.loaded.metadata));
  return ExitCode::kDone;
}

Result<ExitCode> ShowFiles(Program& program, const TableArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Opened opened, Open(program, arguments.table));
  const iceberg::TableMetadata& metadata = *opened.loaded.metadata;
  catalog::TableFiles files(program.files());
  CALVE_ASSIGN_OR_RETURN(const iceberg::ScanPlan plan,
                         iceberg::PlanScan(program.context(), files, metadata, {}));
  TextTable table({"rows", "size", "deletes", "partition", "file"}, {true, true, true});
  ordered_json json = ordered_json::array();
  for (const iceberg::ScanTask& task : plan.tasks) {
    const size_t deletes = task.position_deletes.size() + task.equality_deletes.size() +
                           (task.deletion_vector == nullptr ? 0 : 1);
    const iceberg::PartitionSpec* spec = metadata.FindSpec(task.file->spec_id);
    const std::string partition =
        spec == nullptr ? ""
                        : iceberg::PartitionPath(*spec, *metadata.schema(), task.file->partition);
    json.push_back({{"file", task.file->path},
                    {"rows", task.file->record_count},
                    {"bytes", task.file->file_size_in_bytes},
                    {"partition", partition},
                    {"delete_files", deletes}});
    if (arguments.limit > 0 && static_cast<int64_t>(json.size()) > arguments.limit) continue;
    table.Add({FormatCount(task.file->record_count),
               FormatBytes(ByteCount(task.file->file_size_in_bytes)),
               FormatCount(static_cast<int64_t>(deletes)), partition, task.file->path});
  }
  if (program.options.json) {
    Print(json.dump(2) + "\n");
    return ExitCode::kDone;
  }
  Print(table.empty() ? "no data file yet\n" : table.Render());
  if (arguments.limit > 0 && static_cast<int64_t>(json.size()) > arguments.limit) {
    Print("... " + FormatCount(static_cast<int64_t>(json.size()) - arguments.limit) +
          " more; --limit 0 prints all\n");
  }
  return ExitCode::kDone;
}

/// The snapshot that a person names: an id, or a branch or tag.
Result<const Snapshot*> SnapshotNamed(const iceberg::TableMetadata& metadata,
                                      const std::string& text) {
  const Snapshot* snapshot = metadata.FindRef(text);
  if (const auto id = ParseInteger(text); snapshot == nullptr && id.has_value())
    snapshot = metadata.FindSnapshot(iceberg::SnapshotId(*id));
  if (snapshot != nullptr) return snapshot;
  return NotFoundError("'" + text +
                       "' is no snapshot, branch or tag of the table; see calve table snapshots");
}

Result<ExitCode> Rollback(Program& program, const TableArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Opened opened, Open(program, arguments.table));
  commit::Committer committer(*opened.named.catalog, program.files());
  int64_t moved_to = 0;
  CALVE_RETURN_IF_ERROR(committer.Update(
      program.context(), opened.named.name,
      [&](const iceberg::TableMetadata& base) -> Result<iceberg::TableChange> {
        CALVE_ASSIGN_OR_RETURN(const Snapshot* target, SnapshotNamed(base, arguments.target));
        const Snapshot* main = base.current_snapshot();
        moved_to = target->id.value();
        if (main != nullptr && main->id == target->id) return iceberg::TableChange{};
        if (main == nullptr || !iceberg::IsAncestor(base, target->id, main->id)) {
          return RefusedError(
              "snapshot " + std::to_string(target->id.value()) +
              " is no ancestor of main: rolling back goes back, it does not switch lines");
        }
        iceberg::SnapshotRef ref = base.refs.at(std::string(iceberg::kMainBranch));
        ref.snapshot_id = target->id;
        return iceberg::SetRef(base, std::string(iceberg::kMainBranch), ref, main->id);
      }));
  Report report(program.options.json);
  report.Line("rollback",
              opened.named.name.ToString() + "   main → " + std::to_string(moved_to) +
                  "; positions of jobs went back with it",
              "snapshot_id", moved_to);
  report.Fact("table", opened.named.name.ToString());
  return report.Done();
}

Result<ExitCode> SetTag(Program& program, const TableArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Opened opened, Open(program, arguments.table));
  commit::Committer committer(*opened.named.catalog, program.files());
  int64_t tagged = 0;
  CALVE_RETURN_IF_ERROR(committer.Update(
      program.context(), opened.named.name,
      [&](const iceberg::TableMetadata& base) -> Result<iceberg::TableChange> {
        CALVE_ASSIGN_OR_RETURN(
            const Snapshot* target,
            SnapshotNamed(base, arguments.target.empty() ? std::string(iceberg::kMainBranch)
                                                         : arguments.target));
        tagged = target->id.value();
        const auto known = base.refs.find(arguments.tag);
        if (known != base.refs.end() && known->second.snapshot_id == target->id &&
            known->second.kind == iceberg::SnapshotRef::Kind::kTag)
          return iceberg::TableChange{};
        if (known != base.refs.end())
          return ConfigError("the table has a branch or tag '" + arguments.tag +
                             "' already; choose another name");
        return iceberg::SetRef(
            base, arguments.tag,
            {.snapshot_id = target->id, .kind = iceberg::SnapshotRef::Kind::kTag}, std::nullopt);
      }));
  Report report(program.options.json);
  report.Line("tag",
              opened.named.name.ToString() + "   " + arguments.tag + " → " + std::to_string(tagged),
              "tag", arguments.tag);
  report.Fact("table", opened.named.name.ToString());
  report.Fact("snapshot_id", tagged);
  return report.Done();
}

using Verb = Result<ExitCode> (*)(Program&, const TableArguments&);

CLI::App* AddVerb(CLI::App& parent, Program& program, const char* name, const char* meaning,
                  Verb verb, const std::shared_ptr<TableArguments>& arguments) {
  CLI::App* command = parent.add_subcommand(name, meaning);
  command->add_option("TABLE", arguments->table, "The table: ns.table or catalog.ns.table")
      ->required();
  command->callback([&program, arguments, verb] {
    program.todo = [&program, arguments, verb] { return verb(program, *arguments); };
  });
  return command;
}

}  // namespace

CALVE_PART(table) {
  registry.Add(
      {.name = "table", .add = [](CLI::App& app, Program& program) {
         CLI::App* table = app.add_subcommand("table", "Look at tables; roll back; tag");
         table->require_subcommand(1);
         auto arguments = std::make_shared<TableArguments>();
         table->add_subcommand("list", "All tables of the project")->callback([&program] {
           program.todo = [&program] { return ListTables(program); };
         });
         AddVerb(*table, program, "show", "What a table is and where", ShowTable, arguments);
         AddVerb(*table, program, "history", "The snapshots that main went through, newest first",
                 ShowHistory, arguments);
         AddVerb(*table, program, "snapshots", "All snapshots, those of branches too",
                 ShowSnapshots, arguments);
         CLI::App* files =
             AddVerb(*table, program, "files", "The data files of main", ShowFiles, arguments);
         files->add_option("--limit", arguments->limit, "Files shown at most; 0: all")
             ->capture_default_str()
             ->check(CLI::NonNegativeNumber);
         AddVerb(*table, program, "schema", "The columns", ShowSchema, arguments);
         CLI::App* rollback = AddVerb(*table, program, "rollback",
                                      "Move main back to an earlier snapshot", Rollback, arguments);
         rollback->add_option("--to", arguments->target, "A snapshot's id, a branch or a tag")
             ->required();
         CLI::App* tag = AddVerb(*table, program, "tag", "Name a snapshot", SetTag, arguments);
         tag->add_option("TAG", arguments->tag, "The name")->required();
         tag->add_option("--snapshot", arguments->target,
                         "A snapshot's id, or a branch; main otherwise");
       }});
}

}  // namespace calve::cli
