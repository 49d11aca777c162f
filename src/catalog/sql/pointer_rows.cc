#include "catalog/sql/pointer_rows.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace calve::catalog {
namespace {

// The JDBC catalog's own tables, version 1 (Iceberg Java, JdbcUtil).
constexpr const char* kCreateTables[] = {
    "CREATE TABLE IF NOT EXISTS iceberg_tables (catalog_name VARCHAR(255) NOT NULL, "
    "table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, "
    "metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), "
    "iceberg_type VARCHAR(5), PRIMARY KEY (catalog_name, table_namespace, table_name))",
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, "
    "namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255), property_value VARCHAR(1000), "
    "PRIMARY KEY (catalog_name, namespace, property_key))"};

constexpr const char* kCreateRequests =
    "CREATE TABLE IF NOT EXISTS calve_requests (catalog_name VARCHAR(255) NOT NULL, "
    "request_key VARCHAR(255) NOT NULL, result TEXT NOT NULL, made_at BIGINT NOT NULL, "
    "PRIMARY KEY (catalog_name, request_key))";

/// Java marks a namespace that has no table and no property by this one.
constexpr const char* kExists = "exists";

/// In PostgreSQL two that make a table at the same moment can collide in its own catalog.
Status MakeTable(const Context& context, PointerDatabase& database, const char* sql) {
  Status made = database.Write(
      context, [&](PointerSession& session) { return session.Change(sql, {}).status(); });
  if (!made.ok() && made.error().kind == ErrorKind::kAlreadyExists) return Status::Ok();
  return made;
}

Status CheckLevels(const Namespace& ns) {
  for (const std::string& level : ns) {
    if (level.find('.') == std::string::npos) continue;
    return ConfigError("a namespace of a sql catalog cannot have the level " + Quote(level) +
                       ": its tables join levels by dots; write it without a dot");
  }
  return Status::Ok();
}

Status CheckReserved(const std::map<std::string, std::string>& properties) {
  if (!properties.contains(kExists)) return Status::Ok();
  return ConfigError(std::string("the property ") + kExists +
                     " of a namespace is the catalog's own; give it another name");
}

}  // namespace

std::string_view ToString(PointerKind kind) {
  return kind == PointerKind::kTable ? "table" : "view";
}

Status PointerRows::MakeTables(const Context& context, PointerDatabase& database) {
  for (const char* sql : kCreateTables) CALVE_RETURN_IF_ERROR(MakeTable(context, database, sql));
  return Status::Ok();
}

Status PointerRows::MakeRequestTable(const Context& context, PointerDatabase& database) {
  return MakeTable(context, database, kCreateRequests);
}

Error PointerRows::NoNamespace(const Namespace& ns) const {
  return NotFoundError("there is no namespace " + ToString(ns) + " in catalog " + scheme_.name);
}

Error PointerRows::Missing(const TableName& name, PointerKind kind) const {
  return NotFoundError("there is no " + std::string(ToString(kind)) + " " + name.ToString() +
                       " in catalog " + scheme_.name);
}

Result<bool> PointerRows::Any(const std::string& sql, const std::vector<std::string>& parameters) {
  CALVE_ASSIGN_OR_RETURN(const auto rows, session_.Query(sql, parameters));
  return !rows.empty();
}

std::string_view PointerRows::OfKind(PointerKind kind) const {
  if (kind == PointerKind::kView)
    return scheme_.has_types ? " AND iceberg_type = 'VIEW'" : " AND 1 = 0";
  // Rows of version 0 have no type.
  return scheme_.has_types ? " AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)" : "";
}

Result<std::optional<Pointer>> PointerRows::Find(const TableName& name) {
  if (!CheckLevels(name.ns).ok()) return std::optional<Pointer>();
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      session_.Query(std::string("SELECT metadata_location, ") +
                         (scheme_.has_types ? "iceberg_type" : "NULL") +
                         " FROM iceberg_tables WHERE catalog_name = $1 AND table_namespace = $2 "
                         "AND table_name = $3",
                     {scheme_.catalog_name, ToString(name.ns), name.name}));
  if (rows.empty()) return std::optional<Pointer>();
  return std::optional(Pointer{
      .metadata_location = rows[0][0].value_or(""),
      .kind = rows[0][1].value_or("") == "VIEW" ? PointerKind::kView : PointerKind::kTable});
}

Result<std::vector<TableName>> PointerRows::List(const Namespace& ns, PointerKind kind) {
  std::vector<TableName> names;
  if (!CheckLevels(ns).ok()) return names;
  CALVE_ASSIGN_OR_RETURN(const auto rows,
                         session_.Query("SELECT table_name FROM iceberg_tables WHERE catalog_name "
                                        "= $1 AND table_namespace = $2" +
                                            std::string(OfKind(kind)),
                                        {scheme_.catalog_name, ToString(ns)}));
  for (const auto& row : rows) names.push_back({ns, row[0].value_or("")});
  std::sort(names.begin(), names.end());
  return names;
}

Status PointerRows::Insert(const TableName& name, const Pointer& pointer) {
  CALVE_RETURN_IF_ERROR(CheckLevels(name.ns));
  CALVE_ASSIGN_OR_RETURN(const bool has_namespace, HasNamespace(name.ns));
  if (!has_namespace) return NoNamespace(name.ns);
  CALVE_ASSIGN_OR_RETURN(const auto taken, Find(name));
  if (taken) {
    return AlreadyExistsError(std::string(ToString(taken->kind)) + " " + name.ToString() +
                              " exists already");
  }
  const bool is_view = pointer.kind == PointerKind::kView;
  const Result<int64_t> inserted = session_.Change(
      std::string("INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, ") +
          (!scheme_.has_types ? "metadata_location) VALUES ($1, $2, $3, $4)"
           : is_view ? "metadata_location, iceberg_type) VALUES ($1, $2, $3, $4, 'VIEW')"
                     : "metadata_location, iceberg_type) VALUES ($1, $2, $3, $4, 'TABLE')"),
      {scheme_.catalog_name, ToString(name.ns), name.name, pointer.metadata_location});
  if (!inserted.ok() && inserted.error().kind == ErrorKind::kAlreadyExists)
    return AlreadyExistsError("another writer has made " + name.ToString() + " meanwhile");
  return inserted.status();
}

Status PointerRows::Move(const TableName& name, PointerKind kind, const std::string& from,
                         const std::string& to) {
  CALVE_ASSIGN_OR_RETURN(
      const int64_t moved,
      session_.Change(
          "UPDATE iceberg_tables SET metadata_location = $1, previous_metadata_location = $2 WHERE "
          "catalog_name = $3 AND table_namespace = $4 AND table_name = $5 AND metadata_location = "
          "$2" +
              std::string(OfKind(kind)),
          {to, from, scheme_.catalog_name, ToString(name.ns), name.name}));
  if (moved == 1) return Status::Ok();
  return ConflictError("another writer has changed " + name.ToString() + " meanwhile");
}

Status PointerRows::Remove(const TableName& name, PointerKind kind) {
  if (!CheckLevels(name.ns).ok()) return Missing(name, kind);
  CALVE_ASSIGN_OR_RETURN(const int64_t removed,
                         session_.Change("DELETE FROM iceberg_tables WHERE catalog_name = $1 AND "
                                         "table_namespace = $2 AND table_name = $3" +
                                             std::string(OfKind(kind)),
                                         {scheme_.catalog_name, ToString(name.ns), name.name}));
  return removed == 0 ? Status(Missing(name, kind)) : Status::Ok();
}

Status PointerRows::Rename(const TableName& from, const TableName& to, PointerKind kind) {
  CALVE_RETURN_IF_ERROR(CheckLevels(to.ns));
  CALVE_ASSIGN_OR_RETURN(const auto found, Find(from));
  if (!found || found->kind != kind) return Missing(from, kind);
  CALVE_ASSIGN_OR_RETURN(const bool has_namespace, HasNamespace(to.ns));
  if (!has_namespace) return NoNamespace(to.ns);
  if (from == to) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const auto taken, Find(to));
  if (taken) {
    return AlreadyExistsError(std::string(ToString(taken->kind)) + " " + to.ToString() +
                              " exists already");
  }
  CALVE_ASSIGN_OR_RETURN(
      const int64_t renamed,
      session_.Change(
          "UPDATE iceberg_tables SET table_namespace = $1, table_name = $2 WHERE "
          "catalog_name = $3 AND table_namespace = $4 AND table_name = $5" +
              std::string(OfKind(kind)),
          {ToString(to.ns), to.name, scheme_.catalog_name, ToString(from.ns), from.name}));
  return renamed == 0 ? Status(Missing(from, kind)) : Status::Ok();
}

Result<bool> PointerRows::HasBelow(const Namespace& ns) {
  // What is below `a` begins with `a.`, and the byte behind a dot is a slash.
  const std::string dotted = ToString(ns);
  const std::vector<std::string> parameters = {scheme_.catalog_name, dotted + ".", dotted + "/"};
  const auto below = [&](const char* table, const std::string& column) {
    return Any("SELECT 1 FROM " + std::string(table) + " WHERE catalog_name = $1 AND " + column +
                   scheme_.bytewise + " >= $2 AND " + column + scheme_.bytewise + " < $3 LIMIT 1",
               parameters);
  };
  CALVE_ASSIGN_OR_RETURN(const bool has_namespace,
                         below("iceberg_namespace_properties", "namespace"));
  if (has_namespace) return true;
  return below("iceberg_tables", "table_namespace");
}

Result<bool> PointerRows::HasNamespace(const Namespace& ns) {
  if (!CheckLevels(ns).ok()) return false;
  const std::vector<std::string> parameters = {scheme_.catalog_name, ToString(ns)};
  CALVE_ASSIGN_OR_RETURN(const bool made,
                         Any("SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = $1 "
                             "AND namespace = $2 LIMIT 1",
                             parameters));
  if (made) return true;
  CALVE_ASSIGN_OR_RETURN(const bool has_tables,
                         Any("SELECT 1 FROM iceberg_tables WHERE catalog_name = $1 AND "
                             "table_namespace = $2 LIMIT 1",
                             parameters));
  if (has_tables) return true;
  return HasBelow(ns);
}

Result<std::vector<Namespace>> PointerRows::Namespaces(const Namespace& parent) {
  std::set<Namespace> children;
  if (!CheckLevels(parent).ok()) return std::vector<Namespace>();
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      session_.Query("SELECT table_namespace FROM iceberg_tables WHERE catalog_name = $1 "
                     "UNION SELECT namespace FROM iceberg_namespace_properties WHERE "
                     "catalog_name = $1",
                     {scheme_.catalog_name}));
  for (const auto& row : rows) {
    Namespace ns = Split(row[0].value_or(""), '.');
    if (ns.size() <= parent.size() || !std::equal(parent.begin(), parent.end(), ns.begin()))
      continue;
    ns.resize(parent.size() + 1);
    children.insert(std::move(ns));
  }
  return std::vector<Namespace>(children.begin(), children.end());
}

Status PointerRows::SetProperty(const Namespace& ns, const std::string& key,
                                const std::string& value) {
  return session_
      .Change(
          "INSERT INTO iceberg_namespace_properties VALUES ($1, $2, $3, $4) ON CONFLICT "
          "(catalog_name, namespace, property_key) DO UPDATE SET property_value = "
          "excluded.property_value",
          {scheme_.catalog_name, ToString(ns), key, value})
      .status();
}

Status PointerRows::InsertNamespace(const Namespace& ns,
                                    const std::map<std::string, std::string>& properties) {
  CALVE_RETURN_IF_ERROR(CheckLevels(ns));
  CALVE_RETURN_IF_ERROR(CheckReserved(properties));
  CALVE_ASSIGN_OR_RETURN(const bool exists, HasNamespace(ns));
  if (exists) return AlreadyExistsError("namespace " + ToString(ns) + " exists already");
  // Without ON CONFLICT: of two that make it at the same moment one fails.
  CALVE_RETURN_IF_ERROR(
      session_.Change("INSERT INTO iceberg_namespace_properties VALUES ($1, $2, $3, 'true')",
                      {scheme_.catalog_name, ToString(ns), kExists}));
  for (const auto& [key, value] : properties) CALVE_RETURN_IF_ERROR(SetProperty(ns, key, value));
  return Status::Ok();
}

Result<std::map<std::string, std::string>> PointerRows::Properties(const Namespace& ns) {
  CALVE_ASSIGN_OR_RETURN(const bool exists, HasNamespace(ns));
  if (!exists) return NoNamespace(ns);
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      session_.Query("SELECT property_key, property_value FROM iceberg_namespace_properties WHERE "
                     "catalog_name = $1 AND namespace = $2",
                     {scheme_.catalog_name, ToString(ns)}));
  std::map<std::string, std::string> properties;
  for (const auto& row : rows) {
    const std::string key = row[0].value_or("");
    if (key != kExists) properties.emplace(key, row[1].value_or(""));
  }
  return properties;
}

Result<NamespaceUpdate> PointerRows::UpdateProperties(
    const Namespace& ns, const std::vector<std::string>& removals,
    const std::map<std::string, std::string>& updates) {
  CALVE_RETURN_IF_ERROR(CheckReserved(updates));
  CALVE_ASSIGN_OR_RETURN(const auto before, Properties(ns));
  // A namespace that only its tables make stays one of its own once it has a property.
  if (!updates.empty()) CALVE_RETURN_IF_ERROR(SetProperty(ns, kExists, "true"));
  NamespaceUpdate update;
  for (const std::string& key : removals) {
    if (!before.contains(key)) {
      update.missing.push_back(key);
      continue;
    }
    CALVE_RETURN_IF_ERROR(
        session_.Change("DELETE FROM iceberg_namespace_properties WHERE catalog_name = $1 AND "
                        "namespace = $2 AND property_key = $3",
                        {scheme_.catalog_name, ToString(ns), key}));
    update.removed.push_back(key);
  }
  for (const auto& [key, value] : updates) {
    CALVE_RETURN_IF_ERROR(SetProperty(ns, key, value));
    update.updated.push_back(key);
  }
  return update;
}

Status PointerRows::RemoveNamespace(const Namespace& ns) {
  const std::string dotted = ToString(ns);
  CALVE_ASSIGN_OR_RETURN(const bool exists, HasNamespace(ns));
  if (!exists) return NoNamespace(ns);
  CALVE_ASSIGN_OR_RETURN(const bool has_below, HasBelow(ns));
  if (has_below) {
    CALVE_ASSIGN_OR_RETURN(const auto children, Namespaces(ns));
    const std::string child = children.empty() ? "" : " " + ToString(children.front());
    return RefusedError("namespace " + dotted + " holds namespace" + child +
                        "; drop what is in it first");
  }
  CALVE_ASSIGN_OR_RETURN(const auto tables,
                         session_.Query("SELECT table_name FROM iceberg_tables WHERE catalog_name "
                                        "= $1 AND table_namespace = $2 LIMIT 1",
                                        {scheme_.catalog_name, dotted}));
  if (!tables.empty()) {
    return RefusedError("namespace " + dotted + " holds tables or views, " +
                        tables[0][0].value_or("") + " among them; drop them first");
  }
  return session_
      .Change("DELETE FROM iceberg_namespace_properties WHERE catalog_name = $1 AND namespace = $2",
              {scheme_.catalog_name, dotted})
      .status();
}

Result<std::optional<std::string>> PointerRows::FindRequest(const std::string& key) {
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      session_.Query(
          "SELECT result FROM calve_requests WHERE catalog_name = $1 AND request_key = $2",
          {scheme_.catalog_name, key}));
  if (rows.empty()) return std::optional<std::string>();
  return rows[0][0];
}

Status PointerRows::RememberRequest(const std::string& key, const std::string& result,
                                    int64_t now_ms) {
  return session_
      .Change("INSERT INTO calve_requests VALUES ($1, $2, $3, $4)",
              {scheme_.catalog_name, key, result, std::to_string(now_ms)})
      .status();
}

Status PointerRows::ForgetRequests(int64_t before_ms) {
  return session_
      .Change("DELETE FROM calve_requests WHERE made_at < $1", {std::to_string(before_ms)})
      .status();
}

}  // namespace calve::catalog
