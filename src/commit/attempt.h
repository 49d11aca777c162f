#pragma once

#include <functional>
#include <string>
#include <vector>

#include "commit/committer.h"

namespace calve::commit {

/// One change on its way into a table: computed anew on every base, recognised by its token.
struct Committer::Attempt {
  /// Compute on `base`, adding the URIs of all files written for this try alone to `written`.
  std::function<Result<iceberg::TableChange>(const catalog::LoadedTable& base,
                                             std::vector<std::string>* written)>
      compute;
  /// Whether an earlier try is in after all. Asked only after a lost reply.
  std::function<Result<bool>(const catalog::LoadedTable& now)> landed;
  const NewTable* new_table = nullptr;  ///< To be made with the change; null: it is there.
  int tries = 0;
  int races_lost = 0;
  /// A try whose reply was lost: until another one is in it may still land, and nothing of it may be
  /// deleted.
  struct OpenTry {
    catalog::LoadedTable base;
    iceberg::TableChange change;
    std::vector<std::string> written;  ///< For this try alone.
  };
  std::vector<OpenTry> open_tries;
  std::string holder;  ///< Of the lease, once asked for.
  bool outcome_open() const { return !open_tries.empty(); }
};

/// Refuse to go on with a branch that is no longer as it was staged; `head` may be null.
Status CheckHead(const iceberg::Snapshot* head, const Staged& staged);

}  // namespace calve::commit
