#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "catalog/catalog.h"
#include "http/server.h"
#include "iceberg/update.h"
#include "server/rest_catalog.h"
#include "server/wire.h"

namespace calve::server {

/// Where a new table or view lies: at `asked`, if that may be, or where the catalog puts it.
Result<std::string> PlaceFor(Call& call, const catalog::TableName& name, const std::string& asked);
/// See that files at `location` are this client's to name: in the warehouse, or anywhere for who
/// may manage all namespaces. Without this a client would have the server read and write wherever
/// the server itself may. Fails with kRefused.
Status CheckPlace(const Call& call, const std::string& location);
/// CheckPlace of every location that a change sets.
Status CheckPlaces(const Call& call, const iceberg::TableChange& change);
/// 404 when there is no such namespace. An error in looking is left to what comes next.
std::optional<http::Response> NamespaceMissing(Call& call, const catalog::Namespace& ns);
/// What has a name: a table, a view, or nothing that could be found.
Subject HolderOf(Call& call, const catalog::TableName& name);
/// 409, since the name is that of a view (or table) where a table (or view) was wanted.
http::Response SameName(Subject holder, const catalog::TableName& name);
/// 409 when a table or a view has this name already; `wanted` is what it would be of. An error in
/// looking is left to what comes next.
std::optional<http::Response> NameTaken(Call& call, const catalog::TableName& name, Subject wanted);
/// Give a table or a view another name, by the method of the catalog that does so.
Result<http::Response> AnswerRename(Call& call, Subject subject,
                                    Status (catalog::Catalog::*rename)(const Context&,
                                                                       const catalog::TableName&,
                                                                       const catalog::TableName&));

/// A name that is to be given to a metadata file that is there.
struct RegisterWish {
  catalog::TableName name;
  std::string location;
  bool overwrite = false;
};
/// Read a request to register something in the namespace of the call.
Result<RegisterWish> ParseRegister(Call& call);
/// Why it may not be: a 404 or 409. Fails with kRefused where the file is not this client's to name.
Result<std::optional<http::Response>> RegisterBlocked(Call& call, const RegisterWish& wish,
                                                      Subject wanted);

}  // namespace calve::server
