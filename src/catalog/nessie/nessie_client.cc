#include "catalog/nessie/nessie_client.h"

#include <algorithm>

#include "base/text.h"
#include "io/uri.h"

namespace calve::catalog {
namespace {

using iceberg::Json;

constexpr size_t kSaidMax = 1000;
constexpr int kTriesMax = 5;
constexpr int kPageMax = 500;

/// A text of an object; "" when it is not there.
std::string TextOf(const Json& json, const char* key) {
  if (!json.is_object()) return "";
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

bool FlagOf(const Json& json, const char* key) {
  if (!json.is_object()) return false;
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

/// An object or list within an object; null when it is not there.
const Json& Within(const Json& json, const char* key) {
  static const Json kNull;
  if (!json.is_object()) return kNull;
  const auto found = json.find(key);
  return found == json.end() ? kNull : *found;
}

std::optional<NessieKey> KeyOf(const Json& json) {
  const Json& elements = Within(json, "elements");
  if (!elements.is_array()) return std::nullopt;
  NessieKey key;
  for (const Json& element : elements) {
    if (!element.is_string()) return std::nullopt;
    key.push_back(element.get<std::string>());
  }
  return key;
}

NessieContent ContentOf(const Json& json) {
  NessieContent content{.type = TextOf(json, "type"),
                        .id = TextOf(json, "id"),
                        .metadata_location = TextOf(json, "metadataLocation"),
                        .properties = {}};
  for (const auto& [key, value] : Within(json, "properties").items()) {
    if (value.is_string()) content.properties[key] = value.get<std::string>();
  }
  return content;
}

NessieConflict ConflictOf(const Json& json) {
  return {.type = TextOf(json, "conflictType"),
          .key = KeyOf(Within(json, "key")),
          .message = TextOf(json, "message").substr(0, kSaidMax)};
}

Result<NessieReference> ReferenceOf(const Json& json, const std::string& doing) {
  NessieReference reference{
      .type = TextOf(json, "type"), .name = TextOf(json, "name"), .hash = TextOf(json, "hash")};
  if (!reference.hash.empty()) return reference;
  return DataError("cannot " + doing + ": Nessie's reply names no reference and hash");
}

Json ToJson(const NessieReference& reference) {
  return {{"type", reference.type}, {"name", reference.name}, {"hash", reference.hash}};
}

bool IsPlain(const NessieKey& key) {
  return std::all_of(key.begin(), key.end(), [](const std::string& element) {
    return !element.empty() && std::all_of(element.begin(), element.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    });
  });
}

}  // namespace

const NessieContent* NessieContents::Find(const NessieKey& key) const {
  const auto at = found.find(key);
  return at == found.end() ? nullptr : &at->second;
}

std::string NessiePath(const std::string& branch, std::string_view hash) {
  std::string path = "trees/" + io::PercentEncode(branch);
  if (!hash.empty()) path.append("@").append(hash);
  return path;
}

Result<NessieClient::Reply> NessieClient::Send(const Context& context, const Request& request) {
  io::HttpRequest sent{.method = request.method, .url = settings_.uri + "/" + request.path};
  // Without it Nessie leaves out which keys are in conflict.
  sent.headers = {{"Accept", "application/json"}, {"Nessie-Client-Spec", "2"}};
  if (request.body) {
    sent.headers.emplace_back("Content-Type", "application/json");
    sent.body = iceberg::DumpJson(*request.body);
  }
  if (!settings_.token.empty())
    sent.headers.emplace_back("Authorization", "Bearer " + settings_.token);
  sent.repeatable = !request.changes;
  CALVE_ASSIGN_OR_RETURN(const io::HttpResponse response, http_->Send(context, sent));
  Reply reply{.status = response.status, .json = {}, .conflicts = {}};
  if (!response.body.empty()) {
    Result<Json> json = iceberg::ParseJson(response.body);
    if (!json.ok() && response.ok()) {
      Error unread = While("cannot " + request.doing + ": Nessie's reply", json.error());
      return request.changes ? UnknownOutcomeError(std::move(unread.message)) : std::move(unread);
    }
    if (json.ok()) reply.json = std::move(*json);
  }
  if (request.changes && response.status >= 500) {
    return UnknownOutcomeError("it is not known whether Nessie did " + request.doing +
                               ": it answered with status " + std::to_string(response.status) +
                               " " + TextOf(reply.json, "message").substr(0, kSaidMax));
  }
  for (const Json& conflict : Within(Within(reply.json, "errorDetails"), "conflicts"))
    reply.conflicts.push_back(ConflictOf(conflict));
  return reply;
}

Error NessieClient::ErrorOf(const Request& request, const Reply& reply) const {
  const std::string code = TextOf(reply.json, "errorCode");
  const auto is_of = [&](std::string_view type) {
    return std::any_of(reply.conflicts.begin(), reply.conflicts.end(),
                       [&](const NessieConflict& conflict) { return conflict.type == type; });
  };
  ErrorKind kind = ErrorKind::kRefused;
  if (reply.status == 404) kind = ErrorKind::kNotFound;
  if (reply.status == 409) kind = ErrorKind::kConflict;
  if (is_of("KEY_EXISTS") || code == "REFERENCE_ALREADY_EXISTS") kind = ErrorKind::kAlreadyExists;
  if (is_of("NAMESPACE_ABSENT")) kind = ErrorKind::kNotFound;
  if (is_of("NAMESPACE_NOT_EMPTY")) kind = ErrorKind::kRefused;
  if (reply.status == 429 || reply.status == 408 || reply.status >= 500)
    kind = ErrorKind::kTransient;
  std::string said = TextOf(reply.json, "message").substr(0, kSaidMax);
  if (!settings_.token.empty() && said.find(settings_.token) != std::string::npos) said.clear();
  const bool no_rights = reply.status == 401 || reply.status == 403;
  return {kind, "cannot " + request.doing + ": Nessie at " + io::ShownUri(settings_.uri) +
                    " answered with status " + std::to_string(reply.status) +
                    (said.empty() ? "" : ": " + said) +
                    (no_rights ? "; check the token and what it may do" : "")};
}

Result<Json> NessieClient::Ask(const Context& context, const Request& request) {
  CALVE_ASSIGN_OR_RETURN(Reply reply, Send(context, request));
  if (reply.status < 200 || reply.status >= 300) return ErrorOf(request, reply);
  return std::move(reply.json);
}

Result<NessieContents> NessieClient::Contents(const Context& context, const std::string& branch,
                                              const std::vector<NessieKey>& keys) {
  Json requested = Json::array();
  for (const NessieKey& key : keys) requested.push_back({{"elements", key}});
  const Request request{.doing = "read the branch " + branch,
                        .method = "POST",
                        .path = NessiePath(branch) + "/contents",
                        .body = Json{{"requestedKeys", std::move(requested)}}};
  CALVE_ASSIGN_OR_RETURN(const Json json, Ask(context, request));
  NessieContents contents{.hash = TextOf(Within(json, "effectiveReference"), "hash"), .found = {}};
  if (contents.hash.empty())
    return DataError("cannot " + request.doing + ": Nessie's reply names no hash");
  for (const Json& item : Within(json, "contents")) {
    const auto key = KeyOf(Within(item, "key"));
    if (key) contents.found.emplace(*key, ContentOf(Within(item, "content")));
  }
  return contents;
}

Result<std::vector<NessieEntry>> NessieClient::Entries(const Context& context,
                                                       const std::string& branch,
                                                       const std::string& type,
                                                       const NessieKey& prefix) {
  std::string query = "/entries?max-records=" + std::to_string(kPageMax) +
                      "&filter=" + io::PercentEncode("entry.contentType == '" + type + "'");
  // Other elements are escaped in a way of Nessie's own; all entries are asked for then.
  if (!prefix.empty() && IsPlain(prefix)) query += "&prefix-key=" + Join(prefix, ".");
  std::vector<NessieEntry> entries;
  std::string token;
  do {
    const Request request{.doing = "list the branch " + branch,
                          .path = NessiePath(branch) + query +
                                  (token.empty() ? "" : "&page-token=" + io::PercentEncode(token))};
    CALVE_ASSIGN_OR_RETURN(const Json json, Ask(context, request));
    for (const Json& item : Within(json, "entries")) {
      const auto key = KeyOf(Within(item, "name"));
      if (!key || key->size() <= prefix.size() || TextOf(item, "type") != type) continue;
      if (std::equal(prefix.begin(), prefix.end(), key->begin()))
        entries.push_back({.key = *key, .type = type});
    }
    token = FlagOf(json, "hasMore") ? TextOf(json, "token") : "";
  } while (!token.empty());
  return entries;
}

Result<std::string> NessieClient::Commit(const Context& context, const std::string& branch,
                                         const std::string& hash, const std::string& message,
                                         const Json& operations) {
  const Request request{
      .doing = "commit to the branch " + branch,
      .method = "POST",
      .path = NessiePath(branch, hash) + "/history/commit",
      .body = Json{{"commitMeta", {{"message", message}, {"authors", Json::array({"calve"})}}},
                   {"operations", operations}},
      .changes = true};
  for (int tries = 1;; ++tries) {
    CALVE_ASSIGN_OR_RETURN(const Reply reply, Send(context, request));
    if (reply.status >= 200 && reply.status < 300)
      return TextOf(Within(reply.json, "targetBranch"), "hash");
    const bool names_keys =
        std::any_of(reply.conflicts.begin(), reply.conflicts.end(),
                    [](const NessieConflict& conflict) { return conflict.key.has_value(); });
    // Too many others were first, with other keys: nothing is wrong with this commit.
    if (reply.status == 409 && !names_keys && tries < kTriesMax) continue;
    // What was read at this commit was there: somebody has put the branch elsewhere since.
    if (reply.status == 404) return ConflictError(ErrorOf(request, reply).message);
    return ErrorOf(request, reply);
  }
}

Result<std::vector<NessieReference>> NessieClient::References(const Context& context) {
  std::vector<NessieReference> references;
  std::string token;
  do {
    const Request request{.doing = "list branches",
                          .path = "trees?max-records=" + std::to_string(kPageMax) +
                                  (token.empty() ? "" : "&page-token=" + io::PercentEncode(token))};
    CALVE_ASSIGN_OR_RETURN(const Json json, Ask(context, request));
    for (const Json& item : Within(json, "references")) {
      CALVE_ASSIGN_OR_RETURN(auto reference, ReferenceOf(item, request.doing));
      references.push_back(std::move(reference));
    }
    token = FlagOf(json, "hasMore") ? TextOf(json, "token") : "";
  } while (!token.empty());
  return references;
}

Result<NessieReference> NessieClient::Reference(const Context& context, const std::string& name) {
  const Request request{.doing = "find the branch " + name, .path = NessiePath(name)};
  CALVE_ASSIGN_OR_RETURN(const Json json, Ask(context, request));
  return ReferenceOf(Within(json, "reference"), request.doing);
}

Result<NessieReference> NessieClient::CreateBranch(const Context& context, const std::string& name,
                                                   const NessieReference& from) {
  const Request request{.doing = "make the branch " + name,
                        .method = "POST",
                        .path = "trees?type=BRANCH&name=" + io::PercentEncode(name),
                        .body = ToJson(from),
                        .changes = true};
  CALVE_ASSIGN_OR_RETURN(const Json json, Ask(context, request));
  return ReferenceOf(Within(json, "reference"), request.doing);
}

Status NessieClient::DeleteBranch(const Context& context, const NessieReference& branch) {
  return Ask(context, {.doing = "remove the branch " + branch.name,
                       .method = "DELETE",
                       .path = NessiePath(branch.name, branch.hash),
                       .changes = true})
      .status();
}

Result<NessieClient::Merged> NessieClient::Merge(const Context& context,
                                                 const NessieReference& from,
                                                 const NessieReference& into,
                                                 const std::string& message, bool only_try) {
  Json body = {{"fromRefName", from.name},
               {"fromHash", from.hash},
               {"isDryRun", only_try},
               {"isReturnConflictAsResult", true}};
  if (!message.empty()) body["commitMeta"] = {{"message", message}, {"authors", {"calve"}}};
  const Request request{.doing = "merge the branch " + from.name + " into " + into.name,
                        .method = "POST",
                        .path = NessiePath(into.name, into.hash) + "/history/merge",
                        .body = std::move(body),
                        .changes = !only_try};
  CALVE_ASSIGN_OR_RETURN(Reply reply, Send(context, request));
  Merged merged;
  if (reply.status == 409 && !reply.conflicts.empty()) {
    merged.conflicts = std::move(reply.conflicts);
    return merged;
  }
  if (reply.status < 200 || reply.status >= 300) return ErrorOf(request, reply);
  merged.common = TextOf(reply.json, "commonAncestor");
  for (const Json& detail : Within(reply.json, "details")) {
    if (auto key = KeyOf(Within(detail, "key"))) merged.changed.push_back(std::move(*key));
    const Json& conflict = Within(detail, "conflict");
    if (conflict.is_object()) merged.conflicts.push_back(ConflictOf(conflict));
  }
  if (merged.conflicts.empty()) merged.hash = TextOf(reply.json, "resultantTargetHash");
  return merged;
}

Result<std::vector<Json>> NessieClient::Log(const Context& context, const std::string& branch,
                                            const std::string& since, int commits_max) {
  std::vector<Json> entries;
  std::string token;
  do {
    const Request request{.doing = "read the log of the branch " + branch,
                          .path = NessiePath(branch) +
                                  "/history?fetch=ALL&max-records=" + std::to_string(kPageMax) +
                                  (since.empty() ? "" : "&limit-hash=" + io::PercentEncode(since)) +
                                  (token.empty() ? "" : "&page-token=" + io::PercentEncode(token))};
    CALVE_ASSIGN_OR_RETURN(const Json json, Ask(context, request));
    for (const Json& item : Within(json, "logEntries")) {
      // Nessie gives the last one too.
      if (TextOf(Within(item, "commitMeta"), "hash") == since) return entries;
      if (entries.size() == static_cast<size_t>(commits_max)) return entries;
      entries.push_back(item);
    }
    token = FlagOf(json, "hasMore") ? TextOf(json, "token") : "";
  } while (!token.empty());
  return entries;
}

}  // namespace calve::catalog
