#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/metadata.h"
#include "iceberg/update.h"

namespace calve::catalog {

/// The levels of a namespace, outermost first; never empty, no level empty.
using Namespace = std::vector<std::string>;

/// The name of a table in its catalog.
struct TableName {
  Namespace ns;
  std::string name;

  /// `sales.daily` or `a.b.orders`. Fails with kConfig when a level is empty, or has `/`, `\`, NUL,
  /// or is `.` or `..`.
  static Result<TableName> Parse(std::string_view dotted);
  std::string ToString() const;
  bool operator==(const TableName&) const = default;
  auto operator<=>(const TableName&) const = default;
};

std::string ToString(const Namespace& ns);

/// A table as a catalog holds it at one moment.
struct LoadedTable {
  iceberg::MetadataPtr metadata;
  std::string metadata_location;  ///< URI of the metadata file.
  std::map<std::string, std::string> config =
      {};  ///< What the catalog adds for this table, such as storage credentials.
};

/// One table's part of a commit.
struct CatalogChange {
  TableName table;
  iceberg::TableChange change;
};

/// Every table's pointer moved; `tables` are in the order of the changes.
struct Committed {
  std::vector<LoadedTable> tables;
};
/// Nothing was applied, somebody else was first (or a requirement did not hold): load again,
/// compute again.
struct Conflict {
  std::string reason;
};
/// Nothing was applied and the same change never will be.
struct Refused {
  Error error;
};
/// It may or may not have been applied: delete nothing, load and look for the change's own mark.
struct Unknown {
  std::string reason;
};
using CommitOutcome = std::variant<Committed, Conflict, Refused, Unknown>;

struct Capabilities {
  bool multi_table = false;  ///< Commit takes several tables at once.
  enum class Refs { kIceberg, kNative };
  Refs refs = Refs::kIceberg;  ///< Branches in the table's metadata, or the catalog's own (Nessie).
  bool views = false;
  bool namespaces_exist_without_tables =
      true;  ///< False where a namespace is only a folder or a prefix.
  /// A dropped table can be registered again; false where its metadata files are what makes it one.
  bool drop_keeps_metadata = true;
};

/// Where tables are found, and the only place that moves a table's pointer. Threads: any, at once.
///
/// Every call may fail with kTransient (retry), kRefused (rights, unsupported) and kStopped besides
/// what it says.
class Catalog {
 public:
  virtual ~Catalog() = default;
  virtual const std::string& name() const = 0;
  virtual Capabilities capabilities() const = 0;

  /// Top-level namespaces, or those directly below `parent`.
  virtual Result<std::vector<Namespace>> ListNamespaces(const Context& context,
                                                        const Namespace& parent) = 0;
  /// Fails with kAlreadyExists.
  virtual Status CreateNamespace(const Context& context, const Namespace& ns,
                                 const std::map<std::string, std::string>& properties) = 0;
  /// Fails with kNotFound.
  virtual Result<std::map<std::string, std::string>> LoadNamespace(const Context& context,
                                                                   const Namespace& ns) = 0;
  /// Fails with kNotFound, or kRefused while it holds tables.
  virtual Status DropNamespace(const Context& context, const Namespace& ns) = 0;
  virtual Result<std::vector<TableName>> ListTables(const Context& context,
                                                    const Namespace& ns) = 0;

  /// Fails with kNotFound.
  virtual Result<LoadedTable> LoadTable(const Context& context, const TableName& table) = 0;
  /// Apply changes to one table, or to several at once where capabilities().multi_table. A change
  /// that begins with AssertCreate makes the table; its namespace must exist where namespaces exist
  /// by themselves. The new metadata file is durable before the pointer moves.
  virtual CommitOutcome Commit(const Context& context,
                               const std::vector<CatalogChange>& changes) = 0;
  /// Take the table out of the catalog; its files stay, but for the metadata files where not
  /// capabilities().drop_keeps_metadata. Fails with kNotFound.
  virtual Status DropTable(const Context& context, const TableName& table) = 0;
  /// Fails with kNotFound, kAlreadyExists.
  virtual Status RenameTable(const Context& context, const TableName& from,
                             const TableName& to) = 0;
  /// Point a new name at an existing metadata file. Fails with kAlreadyExists.
  virtual Result<LoadedTable> RegisterTable(const Context& context, const TableName& table,
                                            const std::string& metadata_location) = 0;
  /// Where a new table's files go: `<warehouse>/<namespace>/<table>`, unless the namespace has a
  /// `location`.
  virtual Result<std::string> NewTableLocation(const Context& context, const TableName& table) = 0;
  /// See that a new table may lie at `location`, which has no / at its end. Fails with kRefused.
  virtual Status CheckLocation(const Context& /*context*/, const TableName& /*table*/,
                               const std::string& /*location*/) {
    return Status::Ok();
  }
};

}  // namespace calve::catalog
