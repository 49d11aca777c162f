#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"

namespace calve::catalog {

/// Storage keys that hold for addresses below a prefix.
struct StorageCredential {
  std::string prefix;
  std::map<std::string, std::string> config;
};

/// What a server says of one table: LoadTableResult or CommitTableResponse in the REST
/// specification.
struct TableReply {
  LoadedTable table;
  std::vector<StorageCredential> credentials;
};

/// Read one. Fails with kData.
Result<TableReply> ParseTableReply(std::string_view body);
/// Read LoadViewResult. Fails with kData.
Result<LoadedView> ParseViewReply(std::string_view body);
/// Read LoadCredentialsResponse. Fails with kData, without telling what it holds.
Result<std::vector<StorageCredential>> ParseCredentials(std::string_view body);

}  // namespace calve::catalog
