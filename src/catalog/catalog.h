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
#include "iceberg/view.h"

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

/// Where a table or a view lies below its catalog's warehouse: `sales/orders`. What would leave its
/// folder or stand in another's (`/`, `\`, `..`, `~`, control characters) is written as `~2F`.
std::string FolderOf(const TableName& name);

/// A table as a catalog holds it at one moment.
struct LoadedTable {
  iceberg::MetadataPtr metadata;
  std::string metadata_location;  ///< URI of the metadata file.
  std::map<std::string, std::string> config =
      {};  ///< What the catalog adds for this table, such as storage credentials.
  /// The metadata as JSON, where the catalog has it at hand; else null, and whoever needs it
  /// serialises `metadata`.
  std::shared_ptr<const std::string> metadata_json = nullptr;
};

/// A view as a catalog holds it at one moment.
struct LoadedView {
  iceberg::ViewMetadataPtr metadata;
  std::string metadata_location;  ///< URI of the metadata file.
  std::map<std::string, std::string> config = {};
};

/// What a change of a namespace's properties came to.
struct NamespaceUpdate {
  std::vector<std::string> updated;
  std::vector<std::string> removed;
  std::vector<std::string> missing;  ///< Keys to remove that were not there.
  bool operator==(const NamespaceUpdate&) const = default;
};

/// Fail with kConfig when a property is to be set and removed at once.
Status CheckRemovals(const std::vector<std::string>& removals,
                     const std::map<std::string, std::string>& updates);

/// What a change that was remembered under a key had answered; all empty for one that answers only
/// that it is done.
struct Remembered {
  std::vector<LoadedTable> tables;
  std::optional<LoadedView> view;
  NamespaceUpdate properties;
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
  /// Branches in the table's metadata; the catalog's own over all tables (Nessie); or none at all
  /// (Nessie through its Iceberg door).
  enum class Refs { kIceberg, kNative, kNone };
  Refs refs = Refs::kIceberg;
  bool views = false;                 ///< See ListViews and what follows it.
  bool namespace_properties = false;  ///< UpdateNamespace works.
  bool namespaces_exist_without_tables =
      true;  ///< False where a namespace is only a folder or a prefix.
  /// A dropped table can be registered again; false where its metadata files are what makes it one.
  bool drop_keeps_metadata = true;
};

class NativeRefs;

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

  /// Set and remove properties of a namespace. Fails with kNotFound, and kConfig when a key is to
  /// be both.
  virtual Result<NamespaceUpdate> UpdateNamespace(
      const Context& context, const Namespace& ns, const std::vector<std::string>& removals,
      const std::map<std::string, std::string>& updates);

  // Views, where capabilities().views; else every call fails with kRefused. A view and a table
  // never share a name: whoever is second fails with kAlreadyExists (Commit: Conflict).
  virtual Result<std::vector<TableName>> ListViews(const Context& context, const Namespace& ns);
  /// Fails with kNotFound.
  virtual Result<LoadedView> LoadView(const Context& context, const TableName& view);
  /// Apply a change to a view; one that creates() makes it. Fails with kNotFound (the view, or the
  /// namespace of a new one), kAlreadyExists, kConflict (load again, compute again) and
  /// kUnknownOutcome, each as CommitOutcome says.
  virtual Result<LoadedView> CommitView(const Context& context, const TableName& view,
                                        const iceberg::ViewChange& change);
  /// Fails with kNotFound.
  virtual Status DropView(const Context& context, const TableName& view);
  /// Fails with kNotFound, kAlreadyExists.
  virtual Status RenameView(const Context& context, const TableName& from, const TableName& to);
  /// Point a new name at an existing metadata file of a view. Fails with kAlreadyExists.
  virtual Result<LoadedView> RegisterView(const Context& context, const TableName& view,
                                          const std::string& metadata_location);

  /// The branches over all tables; null where capabilities().refs is not kNative.
  virtual NativeRefs* native_refs() { return nullptr; }

  /// The same catalog for one request that its sender may repeat: what the next change answers is
  /// remembered under `key` in the transaction that applies it, and a change whose key is known
  /// already is not made again but answered as it was then. Only what succeeded is remembered, for
  /// 30 minutes. `key` is up to 255 bytes; who wants a key to be good for one body only puts a
  /// digest of the body into it. This catalog outlives the one given; null: it remembers none.
  ///
  /// A catalog rather than an argument of every change, so that what is not sent by a server knows
  /// nothing of keys.
  virtual std::unique_ptr<Catalog> ForRequest(std::string /*key*/) { return nullptr; }
  /// What was answered to the change of this key, loaded again; none when there was none. For
  /// whoever looks before it checks what the change has since made false.
  virtual Result<std::optional<Remembered>> FindRequest(const Context& /*context*/,
                                                        const std::string& /*key*/) {
    return std::optional<Remembered>();
  }

 private:
  Error NoViews() const;
};

}  // namespace calve::catalog
