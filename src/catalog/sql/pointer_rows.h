#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "catalog/sql/pointer_database.h"

namespace calve::catalog {

/// What a row of iceberg_tables points to.
enum class PointerKind { kTable, kView };
/// "table", "view".
std::string_view ToString(PointerKind kind);

struct Pointer {
  std::string metadata_location;
  PointerKind kind = PointerKind::kTable;
};

/// What is the same for all rows of one catalog.
struct PointerScheme {
  std::string name;          ///< What people call the catalog.
  std::string catalog_name;  ///< What its rows call it.
  bool has_types = true;     ///< Whether rows tell tables from views (version 1 of the tables).
  std::string bytewise;      ///< PointerDatabase::bytewise().
};

/// The rows of one catalog in the tables of Iceberg's JDBC catalog, and in our own of requests that
/// may be repeated. Namespaces are held joined by dots, so that no level may have one. Lives as
/// long as one reading or writing.
class PointerRows {
 public:
  PointerRows(PointerSession& session, const PointerScheme& scheme)
      : session_(session), scheme_(scheme) {}

  /// Make the tables that all SQL catalogs share.
  static Status MakeTables(const Context& context, PointerDatabase& database);
  static Status MakeRequestTable(const Context& context, PointerDatabase& database);

  Result<std::optional<Pointer>> Find(const TableName& name);
  Result<std::vector<TableName>> List(const Namespace& ns, PointerKind kind);
  /// Fails with kNotFound without the namespace, kAlreadyExists when the name is taken, by
  /// whatever.
  Status Insert(const TableName& name, const Pointer& pointer);
  /// Fails with kConflict when it points elsewhere than to `from`.
  Status Move(const TableName& name, PointerKind kind, const std::string& from,
              const std::string& to);
  /// Fails with kNotFound.
  Status Remove(const TableName& name, PointerKind kind);
  /// Fails with kNotFound, kAlreadyExists.
  Status Rename(const TableName& from, const TableName& to, PointerKind kind);

  /// Whether the namespace was made, or something is in it or below it.
  Result<bool> HasNamespace(const Namespace& ns);
  /// Those directly below `parent`, in order.
  Result<std::vector<Namespace>> Namespaces(const Namespace& parent);
  Status InsertNamespace(const Namespace& ns, const std::map<std::string, std::string>& properties);
  Result<std::map<std::string, std::string>> Properties(const Namespace& ns);
  Result<NamespaceUpdate> UpdateProperties(const Namespace& ns,
                                           const std::vector<std::string>& removals,
                                           const std::map<std::string, std::string>& updates);
  Status RemoveNamespace(const Namespace& ns);

  Result<std::optional<std::string>> FindRequest(const std::string& key);
  /// Fails with kAlreadyExists when the key is known.
  Status RememberRequest(const std::string& key, const std::string& result, int64_t now_ms);
  /// Forget the requests of all catalogs in the database from before a moment.
  Status ForgetRequests(int64_t before_ms);

  Error NoNamespace(const Namespace& ns) const;
  Error Missing(const TableName& name, PointerKind kind) const;

 private:
  Result<bool> Any(const std::string& sql, const std::vector<std::string>& parameters);
  Result<bool> HasBelow(const Namespace& ns);
  Status SetProperty(const Namespace& ns, const std::string& key, const std::string& value);
  /// Rows of a kind; nothing where the rows do not tell.
  std::string_view OfKind(PointerKind kind) const;

  PointerSession& session_;
  const PointerScheme& scheme_;
};

}  // namespace calve::catalog
