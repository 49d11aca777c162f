#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "io/file_system.h"

namespace calve::commit {

/// The last parts of files' addresses. Those that Iceberg's writers make are unique, so a file is
/// the same wherever its address is spelled in another way.
using Names = std::set<std::string, std::less<>>;

std::string_view FileName(std::string_view uri);

/// Add the name of every file that a table reaches: by any of its snapshots, what these have deleted
/// included; its metadata files; its statistics; the ledgers of positions.
Status AddReachable(const Context& context, io::FileSystem& files,
                    const catalog::LoadedTable& table, Names& names);

/// Look at all that a table reaches. While `look` finds a file missing it looks again, at newer
/// metadata: somebody has published, discarded or expired a snapshot meanwhile, and its files are
/// gone. Fails as `look` does, with kNotFound when a file is missing indeed.
Status LookAtWhole(const Context& context, catalog::Catalog& catalog,
                   const catalog::TableName& table,
                   const std::function<Status(const catalog::LoadedTable& now)>& look);

/// Read a metadata file, compressed or not.
Result<iceberg::TableMetadata> ReadMetadata(const Context& context, io::FileSystem& files,
                                            const std::string& uri);

}  // namespace calve::commit
