#include "catalog/nessie/nessie_refs.h"

namespace calve::catalog {
namespace {

using iceberg::Json;

/// What Nessie says of a table without rows.
constexpr int64_t kNoSnapshot = -1;

TableName NameOf(NessieKey key) {
  TableName name;
  if (key.empty()) return name;
  name.name = std::move(key.back());
  key.pop_back();
  name.ns = std::move(key);
  return name;
}

NessieReference ToReference(const NativeBranch& branch) {
  return {.type = "BRANCH", .name = branch.name, .hash = branch.hash};
}

Result<NativeCommit> CommitOf(const Json& json) {
  CALVE_ASSIGN_OR_RETURN(const auto entry, iceberg::JsonObject::Of(json, "logEntries"));
  CALVE_ASSIGN_OR_RETURN(const Json* meta_json, entry.Require("commitMeta"));
  CALVE_ASSIGN_OR_RETURN(const auto meta, iceberg::JsonObject::Of(*meta_json, "commitMeta"));
  NativeCommit commit;
  CALVE_ASSIGN_OR_RETURN(commit.hash, meta.Text("hash"));
  CALVE_ASSIGN_OR_RETURN(commit.message, meta.Text("message"));
  CALVE_ASSIGN_OR_RETURN(const auto time, meta.OptionalText("commitTime"));
  commit.time = time.value_or("");
  const auto read = [](const iceberg::JsonObject& operation) -> Result<NativeCommit::Change> {
    CALVE_ASSIGN_OR_RETURN(const Json* key_json, operation.Require("key"));
    CALVE_ASSIGN_OR_RETURN(const auto key, iceberg::JsonObject::Of(*key_json, "key"));
    CALVE_ASSIGN_OR_RETURN(NessieKey elements, key.TextList("elements"));
    NativeCommit::Change change{
        .name = NameOf(std::move(elements)), .metadata_location = {}, .snapshot_id = {}};
    const Json* content_json = operation.Find("content");
    if (content_json == nullptr) return change;
    CALVE_ASSIGN_OR_RETURN(const auto content, iceberg::JsonObject::Of(*content_json, "content"));
    CALVE_ASSIGN_OR_RETURN(change.metadata_location, content.OptionalText("metadataLocation"));
    CALVE_ASSIGN_OR_RETURN(const auto snapshot, content.OptionalLong("snapshotId"));
    if (snapshot.has_value() && *snapshot != kNoSnapshot)
      change.snapshot_id = iceberg::SnapshotId(*snapshot);
    return change;
  };
  CALVE_ASSIGN_OR_RETURN(commit.changes, entry.Objects<NativeCommit::Change>("operations", read));
  return commit;
}

}  // namespace

Result<std::vector<NativeBranch>> NessieRefs::ListRefs(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(auto references, client_->References(context));
  std::vector<NativeBranch> refs;
  for (NessieReference& reference : references) {
    refs.push_back({.name = std::move(reference.name),
                    .hash = std::move(reference.hash),
                    .is_tag = reference.type == "TAG"});
  }
  return refs;
}

Result<NativeBranch> NessieRefs::FindBranch(const Context& context, const std::string& name) {
  CALVE_ASSIGN_OR_RETURN(NessieReference found, client_->Reference(context, name));
  if (found.type != "BRANCH") return NotFoundError(name + " is no branch of Nessie but a tag");
  return NativeBranch{.name = std::move(found.name), .hash = std::move(found.hash)};
}

Result<NativeBranch> NessieRefs::CreateBranch(const Context& context, const std::string& name,
                                              const NativeBranch& from) {
  CALVE_ASSIGN_OR_RETURN(NessieReference made,
                         client_->CreateBranch(context, name, ToReference(from)));
  return NativeBranch{.name = std::move(made.name), .hash = std::move(made.hash)};
}

Status NessieRefs::DeleteBranch(const Context& context, const NativeBranch& branch) {
  return client_->DeleteBranch(context, ToReference(branch));
}

Result<NativeMerge> NessieRefs::MergeOrTry(const Context& context, const NativeBranch& from,
                                           const std::string& into, const std::string& message,
                                           bool only_try) {
  CALVE_ASSIGN_OR_RETURN(const NessieReference target, client_->Reference(context, into));
  CALVE_ASSIGN_OR_RETURN(auto merged,
                         client_->Merge(context, ToReference(from), target, message, only_try));
  NativeMerge merge{.hash = std::move(merged.hash),
                    .common = std::move(merged.common),
                    .changed = {},
                    .conflicts = {}};
  for (NessieKey& key : merged.changed) merge.changed.push_back(NameOf(std::move(key)));
  for (NessieConflict& conflict : merged.conflicts) {
    merge.conflicts.push_back({.name = NameOf(conflict.key.value_or(NessieKey())),
                               .reason = std::move(conflict.message)});
  }
  return merge;
}

Result<NativeMerge> NessieRefs::Merge(const Context& context, const NativeBranch& from,
                                      const std::string& into, const std::string& message) {
  return MergeOrTry(context, from, into, message, /*only_try=*/false);
}

Result<NativeMerge> NessieRefs::TryMerge(const Context& context, const NativeBranch& from,
                                         const std::string& into) {
  return MergeOrTry(context, from, into, "", /*only_try=*/true);
}

Result<std::vector<NativeCommit>> NessieRefs::Log(const Context& context, const std::string& branch,
                                                  const std::string& since, int commits_max) {
  CALVE_ASSIGN_OR_RETURN(const auto entries, client_->Log(context, branch, since, commits_max));
  std::vector<NativeCommit> commits;
  for (const Json& entry : entries) {
    Result<NativeCommit> commit = CommitOf(entry);
    if (!commit.ok()) return While("read the log of the branch " + branch, commit.error());
    commits.push_back(std::move(*commit));
  }
  return commits;
}

}  // namespace calve::catalog
