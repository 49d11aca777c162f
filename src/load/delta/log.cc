#include "load/delta/log.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.h"
#include "columnar/row_text.h"
#include "iceberg/name_mapping.h"
#include "iceberg/schema.h"
#include "io/uri.h"
#include "reader/file_batches.h"

namespace calve::load::delta {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using nlohmann::ordered_json;

constexpr size_t kVersionDigits = 20;
/// How often an entry is written whose fate the store did not tell.
constexpr int kWritesMax = 5;

std::string Padded(int64_t version) {
  std::string digits = std::to_string(version);
  return std::string(kVersionDigits - digits.size(), '0') + digits;
}

/// A mapping of names to texts: an object in entries, a list of keys and values in checkpoints.
std::map<std::string, std::optional<std::string>> TextsOf(const ordered_json& json) {
  std::map<std::string, std::optional<std::string>> texts;
  const auto put = [&](const std::string& key, const ordered_json& value) {
    texts[key] = value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
  };
  if (json.is_array()) {
    for (const ordered_json& entry : json)
      put(entry.at("key").get<std::string>(), entry.at("value"));
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.items()) put(key, value);
  }
  return texts;
}

std::string TextOf(const ordered_json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() || !found->is_string() ? "" : found->get<std::string>();
}

int64_t NumberOf(const ordered_json& json, const char* key, int64_t otherwise) {
  const auto found = json.find(key);
  return found == json.end() || !found->is_number() ? otherwise : found->get<int64_t>();
}

std::vector<std::string> ListOf(const ordered_json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return {};
  return found->get<std::vector<std::string>>();
}

void AddFile(const ordered_json& add, Snapshot* snapshot) {
  AddedFile file;
  file.path = add.at("path").get<std::string>();
  if (const auto values = add.find("partitionValues"); values != add.end())
    file.partition_values = TextsOf(*values);
  file.size = NumberOf(add, "size", 0);
  const auto stats = ordered_json::parse(TextOf(add, "stats"), nullptr, false);
  if (stats.is_object()) file.rows = NumberOf(stats, "numRecords", -1);
  const auto deleted = add.find("deletionVector");
  if (deleted != add.end() && deleted->is_object() && !TextOf(*deleted, "storageType").empty())
    snapshot->has_deletion_vectors = true;
  snapshot->removed.erase(file.path);
  snapshot->files[file.path] = std::move(file);
}

/// Take one action, as an entry or a row of a checkpoint says it.
void Take(const ordered_json& action, Snapshot* snapshot) {
  const auto find = [&](const char* key) -> const ordered_json* {
    const auto found = action.find(key);
    return found == action.end() || !found->is_object() ? nullptr : &*found;
  };
  if (const auto* add = find("add"); add != nullptr && !TextOf(*add, "path").empty())
    AddFile(*add, snapshot);
  if (const auto* remove = find("remove"); remove != nullptr && !TextOf(*remove, "path").empty()) {
    const std::string path = TextOf(*remove, "path");
    snapshot->files.erase(path);
    snapshot->removed.insert(path);
  }
  if (const auto* txn = find("txn"); txn != nullptr && !TextOf(*txn, "appId").empty())
    snapshot->transactions[TextOf(*txn, "appId")] = NumberOf(*txn, "version", 0);
  if (const auto* protocol = find("protocol"); protocol != nullptr) {
    const int64_t reader = NumberOf(*protocol, "minReaderVersion", 0);
    if (reader > 0)
      snapshot->protocol = {.reader = static_cast<int>(reader),
                            .writer = static_cast<int>(NumberOf(*protocol, "minWriterVersion", 0)),
                            .reader_features = ListOf(*protocol, "readerFeatures"),
                            .writer_features = ListOf(*protocol, "writerFeatures")};
  }
  if (const auto* metadata = find("metaData"); metadata != nullptr) {
    Metadata taken;
    taken.schema = TextOf(*metadata, "schemaString");
    if (taken.schema.empty()) return;
    taken.id = TextOf(*metadata, "id");
    taken.name = TextOf(*metadata, "name");
    taken.description = TextOf(*metadata, "description");
    taken.partition_columns = ListOf(*metadata, "partitionColumns");
    taken.created_ms = NumberOf(*metadata, "createdTime", 0);
    if (const auto values = metadata->find("configuration"); values != metadata->end()) {
      for (auto& [key, value] : TextsOf(*values)) taken.configuration[key] = value.value_or("");
    }
    snapshot->metadata = std::move(taken);
  }
}

Status TakeText(const std::string& text, const std::string& uri, Snapshot* snapshot) {
  const auto action = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    if (!action.is_object()) return DataError("a line of " + uri + " is no action of Delta's log");
    Take(action, snapshot);
  } catch (const nlohmann::json::exception& fault) {
    return DataError("a line of " + uri + " cannot be read: " + fault.what());
  }
  return Status::Ok();
}

Field Named(std::string name, Type type) {
  return {.id = FieldId(1), .name = std::move(name), .type = std::move(type)};
}

Type Texts() { return Type::List(FieldId(1), Type::String(), false); }
Type TextMap() { return Type::Map(FieldId(1), Type::String(), FieldId(2), Type::String(), false); }

/// What is read of a checkpoint.
std::vector<Field> CheckpointColumns() {
  const std::vector<Field> columns = {
      Named("protocol",
            Type::Struct({Named("minReaderVersion", Type::Int()),
                          Named("minWriterVersion", Type::Int()), Named("readerFeatures", Texts()),
                          Named("writerFeatures", Texts())})),
      Named("metaData",
            Type::Struct({Named("id", Type::String()), Named("name", Type::String()),
                          Named("description", Type::String()),
                          Named("schemaString", Type::String()), Named("partitionColumns", Texts()),
                          Named("configuration", TextMap()), Named("createdTime", Type::Long())})),
      Named("add", Type::Struct({Named("path", Type::String()), Named("partitionValues", TextMap()),
                                 Named("size", Type::Long()), Named("stats", Type::String()),
                                 Named("deletionVector",
                                       Type::Struct({Named("storageType", Type::String())}))})),
      Named("remove", Type::Struct({Named("path", Type::String())})),
      Named("txn", Type::Struct({Named("appId", Type::String()), Named("version", Type::Long())}))};
  return iceberg::AssignFreshIds(columns, FieldId(0)).first;
}

/// The features that a table may have, because they ask nothing of a writer that only adds and
/// removes whole files (what some of them guard is looked for by itself).
constexpr std::array<std::string_view, 11> kFeatures = {
    "appendOnly",     "invariants",          "checkConstraints", "generatedColumns",
    "changeDataFeed", "columnMapping",       "identityColumns",  "timestampNtz",
    "domainMetadata", "vacuumProtocolCheck", "deletionVectors"};

bool IsOn(const Metadata& metadata, const char* property) {
  const auto found = metadata.configuration.find(property);
  return found != metadata.configuration.end() && ToLower(found->second) == "true";
}

}  // namespace

std::string Log::PathOf(int64_t version) const {
  return location_ + "/_delta_log/" + Padded(version) + ".json";
}

Result<Log::Listing> Log::List(const Context& context) const {
  Listing listing;
  std::map<int64_t, std::map<std::string, std::string>> checkpoints;  // By version and name.
  bool has_other_form = false;
  const auto take = [&](std::span<const io::FileInfo> page) -> Result<bool> {
    for (const io::FileInfo& info : page) {
      const std::string name(io::BaseName(info.uri));
      const auto version = ParseInteger(name.substr(0, kVersionDigits));
      if (name.size() <= kVersionDigits || !version.has_value()) continue;
      const std::string rest = name.substr(kVersionDigits);
      if (rest == ".json") listing.entries.push_back(*version);
      if (!rest.starts_with(".checkpoint.")) continue;
      const auto parts = Split(rest.substr(1), '.');
      const bool whole = rest == ".checkpoint.parquet";
      const bool part = parts.size() == 4 && parts[3] == "parquet";
      if (whole || part) {
        checkpoints[*version][name] = info.uri;
      } else {
        has_other_form = true;
      }
    }
    return true;
  };
  Status listed = files_.List(context, location_ + "/_delta_log", {}, take);
  if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return std::move(listed).error();
  std::sort(listing.entries.begin(), listing.entries.end());
  for (auto found = checkpoints.rbegin(); found != checkpoints.rend(); ++found) {
    const auto& [version, names] = *found;
    const std::string whole = Padded(version) + ".checkpoint.parquet";
    if (names.contains(whole)) {
      listing.parts = {names.at(whole)};
    } else {
      // <version>.checkpoint.<part>.<parts>.parquet
      const auto count = ParseInteger(Split(names.begin()->first, '.')[3]);
      if (count != static_cast<int64_t>(names.size())) continue;
      for (const auto& [name, uri] : names) listing.parts.push_back(uri);
    }
    listing.checkpoint = version;
    break;
  }
  const bool begins =
      listing.checkpoint >= 0 || (!listing.entries.empty() && listing.entries.front() == 0);
  if (!begins && (has_other_form || !listing.entries.empty())) {
    return RefusedError(
        "the log of " + location_ +
        " does not begin with entry 0, and has no checkpoint in one Parquet file or "
        "in parts; have another writer make one of the classic form");
  }
  return listing;
}

Result<std::optional<Snapshot>> Log::Read(const Context& context) const {
  CALVE_ASSIGN_OR_RETURN(const Listing listing, List(context));
  if (listing.entries.empty() && listing.checkpoint < 0) return std::optional<Snapshot>();
  Snapshot snapshot;
  snapshot.version = listing.checkpoint;
  for (const std::string& part : listing.parts)
    CALVE_RETURN_IF_ERROR(ReadCheckpoint(context, part, &snapshot));
  for (const int64_t version : listing.entries) {
    if (version <= listing.checkpoint) continue;
    if (version != snapshot.version + 1) {
      return DataError("the log of " + location_ + " has entry " + std::to_string(version) +
                       " but not the one before");
    }
    CALVE_ASSIGN_OR_RETURN(const std::string text, files_.ReadFile(context, PathOf(version)));
    for (const std::string& line : Split(text, '\n')) {
      if (!Trim(line).empty()) CALVE_RETURN_IF_ERROR(TakeText(line, PathOf(version), &snapshot));
    }
    snapshot.version = version;
  }
  if (snapshot.metadata.schema.empty())
    return DataError("the log of " + location_ + " names no schema");
  return std::optional(std::move(snapshot));
}

Status Log::ReadCheckpoint(const Context& context, const std::string& uri,
                           Snapshot* snapshot) const {
  CALVE_ASSIGN_OR_RETURN(const auto schema,
                         iceberg::Schema::Make(iceberg::SchemaId(0), CheckpointColumns()));
  iceberg::DataFile file;
  file.path = uri;
  CALVE_ASSIGN_OR_RETURN(const io::FileInfo info, files_.Stat(context, uri));
  file.file_size_in_bytes = info.size.value();
  CALVE_ASSIGN_OR_RETURN(const auto batches,
                         reader::OpenFile(context, files_, file,
                                          {.wanted = schema->fields(),
                                           .name_mapping = iceberg::NameMapping::Of(*schema),
                                           .constants = {},
                                           .is_foreign = true,
                                           .filter = {},
                                           .schema = nullptr}));
  CALVE_ASSIGN_OR_RETURN(const auto arrow_schema, columnar::ToArrowSchema(*schema));
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto batch, batches->Next(context));
    if (!batch.has_value()) return Status::Ok();
    const auto rows =
        arrow::RecordBatch::Make(arrow_schema, batch->rows->num_rows(), batch->rows->columns());
    for (int64_t row = 0; row < rows->num_rows(); ++row)
      CALVE_RETURN_IF_ERROR(TakeText(columnar::RowAsJson(*rows, row), uri, snapshot));
  }
}

Result<bool> Log::Write(const Context& context, int64_t version,
                        const std::vector<std::string>& actions) const {
  const std::string uri = PathOf(version);
  const std::string text = Join(actions, "\n") + "\n";
  for (int write = 1;; ++write) {
    Status written = files_.CreateIfAbsent(context, uri, text);
    if (written.ok()) return true;
    const ErrorKind kind = written.error().kind;
    if (kind != ErrorKind::kAlreadyExists && kind != ErrorKind::kUnknownOutcome) return written;
    // The reply may be that to an earlier try whose own was lost: every entry of ours is another.
    const Result<std::string> there = files_.ReadFile(context.WithStop({}), uri);
    if (there.ok()) return *there == text;
    if (kind == ErrorKind::kAlreadyExists) return there.status();
    if (there.error().kind != ErrorKind::kNotFound || write == kWritesMax) return written;
  }
}

std::string WhyNotWritten(const Snapshot& snapshot, bool overwrites) {
  const Protocol& protocol = snapshot.protocol;
  const Metadata& metadata = snapshot.metadata;
  if (protocol.reader > 3 || protocol.writer > 7)
    return "its protocol is " + std::to_string(protocol.reader) + "/" +
           std::to_string(protocol.writer) + ", newer than 3/7";
  for (const auto* features : {&protocol.reader_features, &protocol.writer_features}) {
    for (const std::string& feature : *features) {
      if (std::find(kFeatures.begin(), kFeatures.end(), feature) == kFeatures.end())
        return "it has the feature " + feature + ", which calve does not write";
    }
  }
  if (snapshot.has_deletion_vectors)
    return "it has deletion vectors; rewrite its files (REORG TABLE ... APPLY (PURGE))";
  const auto mapping = metadata.configuration.find("delta.columnMapping.mode");
  if (mapping != metadata.configuration.end() && mapping->second != "none")
    return "its columns are mapped (delta.columnMapping.mode)";
  for (const auto& [key, value] : metadata.configuration) {
    if (key.starts_with("delta.constraints."))
      return "it has the CHECK constraint " + key.substr(std::string("delta.constraints.").size());
  }
  for (const char* property : {"delta.enableIcebergCompatV1", "delta.enableIcebergCompatV2",
                               "delta.enableRowTracking", "delta.enableInCommitTimestamps"}) {
    if (IsOn(metadata, property)) return std::string(property) + " is set";
  }
  if (overwrites && IsOn(metadata, "delta.appendOnly"))
    return "it takes rows only (delta.appendOnly); set write_mode: append";
  return "";
}

std::string PrintProtocol(const Protocol& protocol) {
  ordered_json json = {{"minReaderVersion", protocol.reader},
                       {"minWriterVersion", protocol.writer}};
  if (protocol.reader >= 3) json["readerFeatures"] = protocol.reader_features;
  if (protocol.writer >= 7) json["writerFeatures"] = protocol.writer_features;
  return ordered_json{{"protocol", std::move(json)}}.dump();
}

std::string PrintMetadata(const Metadata& metadata) {
  ordered_json json = {{"id", metadata.id}};
  if (!metadata.name.empty()) json["name"] = metadata.name;
  if (!metadata.description.empty()) json["description"] = metadata.description;
  json["format"] = {{"provider", "parquet"}, {"options", ordered_json::object()}};
  json["schemaString"] = metadata.schema;
  json["partitionColumns"] = metadata.partition_columns;
  json["configuration"] = ordered_json(metadata.configuration);
  json["createdTime"] = metadata.created_ms;
  return ordered_json{{"metaData", std::move(json)}}.dump();
}

namespace {

ordered_json PrintValues(const AddedFile& file) {
  ordered_json values = ordered_json::object();
  for (const auto& [column, value] : file.partition_values)
    values[column] = value.has_value() ? ordered_json(*value) : ordered_json(nullptr);
  return values;
}

}  // namespace

std::string PrintAdd(const AddedFile& file, int64_t now_ms, const std::string& stats) {
  ordered_json json = {{"path", file.path},
                       {"partitionValues", PrintValues(file)},
                       {"size", file.size},
                       {"modificationTime", now_ms},
                       {"dataChange", true}};
  if (!stats.empty()) json["stats"] = stats;
  return ordered_json{{"add", std::move(json)}}.dump();
}

std::string PrintRemove(const AddedFile& file, int64_t now_ms) {
  return ordered_json{{"remove",
                       {{"path", file.path},
                        {"deletionTimestamp", now_ms},
                        {"dataChange", true},
                        {"extendedFileMetadata", true},
                        {"partitionValues", PrintValues(file)},
                        {"size", file.size}}}}
      .dump();
}

std::string PrintTransaction(const std::string& application, int64_t version, int64_t now_ms) {
  return ordered_json{
      {"txn", {{"appId", application}, {"version", version}, {"lastUpdated", now_ms}}}}
      .dump();
}

std::string PrintCommitInfo(const CommitInfo& info) {
  return ordered_json{
      {"commitInfo",
       {{"timestamp", info.now_ms},
        {"operation", "WRITE"},
        {"operationParameters",
         {{"mode", info.mode}, {"partitionBy", ordered_json(info.partition_columns).dump()}}},
        {"engineInfo", "calve"},
        {"calve.job", info.job},
        {"calve.run", info.run},
        {"calve.audit", "table"}}}}
      .dump();
}

}  // namespace calve::load::delta
