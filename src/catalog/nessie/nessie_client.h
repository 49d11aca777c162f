#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/json.h"
#include "io/http.h"

namespace calve::catalog {

/// The elements of a key: those of the namespace, then the name.
using NessieKey = std::vector<std::string>;

/// What a key holds on a branch.
struct NessieContent {
  std::string type;  ///< ICEBERG_TABLE, ICEBERG_VIEW, NAMESPACE, ...
  std::string id;    ///< Kept by every change of the key.
  std::string metadata_location;
  std::map<std::string, std::string> properties;  ///< Of a namespace.
};

/// What keys hold, all at one commit.
struct NessieContents {
  std::string hash;
  std::map<NessieKey, NessieContent> found;

  const NessieContent* Find(const NessieKey& key) const;
};

struct NessieEntry {
  NessieKey key;
  std::string type;
};

/// One key that stands in the way of a commit or a merge.
struct NessieConflict {
  std::string type;  ///< KEY_EXISTS, VALUE_DIFFERS, NAMESPACE_ABSENT, ...
  std::optional<NessieKey> key;
  std::string message;
};

struct NessieReference {
  std::string type;  ///< BRANCH, TAG
  std::string name;
  std::string hash;
};

struct NessieSettings {
  std::string uri;    ///< Up to /api/v2, without / at its end.
  std::string token;  ///< Bearer; "" sends none.
};

/// Speaks Nessie's API v2. Threads: any.
///
/// A reply that is no success fails with kNotFound (404), kAlreadyExists, kConflict (409),
/// kTransient, else kRefused, with Nessie's words; a change whose reply says nothing (5xx, none)
/// with kUnknownOutcome.
class NessieClient {
 public:
  NessieClient(NessieSettings settings, std::unique_ptr<io::HttpClient> http)
      : settings_(std::move(settings)), http_(std::move(http)) {}

  /// What keys hold on a branch now; those that hold nothing are not in the answer.
  Result<NessieContents> Contents(const Context& context, const std::string& branch,
                                  const std::vector<NessieKey>& keys);
  /// All keys of one type below a prefix.
  Result<std::vector<NessieEntry>> Entries(const Context& context, const std::string& branch,
                                           const std::string& type, const NessieKey& prefix);
  /// Commit operations on what `hash` had. Changes of other keys since then do not matter; one of
  /// these keys fails with kConflict (kAlreadyExists for a new key, kNotFound for a namespace that
  /// is not there, kRefused for one that is not empty). Gives the new hash.
  Result<std::string> Commit(const Context& context, const std::string& branch,
                             const std::string& hash, const std::string& message,
                             const iceberg::Json& operations);

  Result<std::vector<NessieReference>> References(const Context& context);
  Result<NessieReference> Reference(const Context& context, const std::string& name);
  Result<NessieReference> CreateBranch(const Context& context, const std::string& name,
                                       const NessieReference& from);
  Status DeleteBranch(const Context& context, const NessieReference& branch);
  /// Merge; the conflicts, when there are any, come in place of the new hash.
  struct Merged {
    std::string hash;
    std::string common;  ///< The common ancestor.
    std::vector<NessieKey> changed;
    std::vector<NessieConflict> conflicts;
  };
  Result<Merged> Merge(const Context& context, const NessieReference& from,
                       const NessieReference& into, const std::string& message, bool only_try);
  /// Log entries with their operations, newest first, down to `since` without it.
  Result<std::vector<iceberg::Json>> Log(const Context& context, const std::string& branch,
                                         const std::string& since, int commits_max);

 private:
  struct Request {
    std::string doing;  ///< What for, as messages say it.
    std::string method = "GET";
    std::string path;  ///< Below uri, with its query.
    std::optional<iceberg::Json> body = {};
    bool changes = false;
  };
  struct Reply {
    int status = 0;
    iceberg::Json json;
    std::vector<NessieConflict> conflicts;
  };

  Result<Reply> Send(const Context& context, const Request& request);
  /// Send, and fail on whatever is no success.
  Result<iceberg::Json> Ask(const Context& context, const Request& request);
  Error ErrorOf(const Request& request, const Reply& reply) const;

  const NessieSettings settings_;
  const std::unique_ptr<io::HttpClient> http_;
};

/// A reference as it stands in a path.
std::string NessiePath(const std::string& branch, std::string_view hash = "");

}  // namespace calve::catalog
