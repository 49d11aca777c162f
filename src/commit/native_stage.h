#pragma once

#include <functional>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "catalog/native_refs.h"
#include "iceberg/snapshot.h"

namespace calve::commit {

/// Make a branch of the catalog's own, from the one the catalog is on. Fails with kAlreadyExists.
Status MakeNativeBranch(const Context& context, catalog::NativeRefs& refs, const std::string& name);

/// Remove a branch wherever it stands; one that is not there is no fault.
Status DropNativeBranch(const Context& context, catalog::NativeRefs& refs, const std::string& name);

/// Whether a branch or tag other than `but` has, of this table, a snapshot that `is_meant`.
Result<bool> IsOnNativeRefs(const Context& context, catalog::NativeRefs& refs,
                            const catalog::TableName& table, const std::string& but,
                            const std::function<bool(const iceberg::Snapshot&)>& is_meant);

/// The lease of a staged table for whoever publishes it: since that is one commit in main and the
/// removal of the branch another, nobody else may discard the rows meanwhile. One whose holder was
/// killed runs out.
inline constexpr int64_t kPublishLeaseMs = 600'000;

}  // namespace calve::commit
