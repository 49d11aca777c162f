#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "iceberg/schema.h"

namespace calve::iceberg {

/// One way in which a version says what the view is. Of a type other than `sql`, whose sql and
/// dialect are empty, only the type is kept (View spec, Representations).
struct ViewRepresentation {
  std::string type = "sql";
  std::string sql;
  std::string dialect;
  bool operator==(const ViewRepresentation&) const = default;
};

/// One definition of a view (View spec, Versions). Never changed once it is there.
struct ViewVersion {
  int32_t id = 0;
  SchemaId schema_id{0};
  int64_t timestamp_ms = 0;  ///< Milliseconds since 1970, UTC.
  std::map<std::string, std::string> summary;
  std::vector<ViewRepresentation> representations;
  std::optional<std::string> default_catalog;  ///< None: the catalog in which the view is.
  std::vector<std::string> default_namespace;
  bool operator==(const ViewVersion&) const = default;
};

struct ViewLogEntry {
  int64_t timestamp_ms = 0;
  int32_t version_id = 0;
  bool operator==(const ViewLogEntry&) const = default;
};

/// A view's metadata (View spec, format version 1). A value; loaders share it as
/// shared_ptr<const>.
struct ViewMetadata {
  std::string uuid;
  std::string location;  ///< URI without trailing slash.
  std::vector<SchemaPtr> schemas;
  int32_t current_version_id = 0;
  std::vector<ViewVersion> versions;
  std::vector<ViewLogEntry> version_log;
  std::map<std::string, std::string> properties;

  const SchemaPtr* FindSchema(SchemaId id) const;
  const ViewVersion* FindVersion(int32_t id) const;
  /// The current version; parsing and ApplyView have checked that it exists.
  const ViewVersion& current_version() const;
  /// The SQL of the current version in a dialect, whatever its case; nullptr when it has none.
  const std::string* SqlFor(std::string_view dialect) const;
};

using ViewMetadataPtr = std::shared_ptr<const ViewMetadata>;

/// Read metadata JSON (not compressed). Fails with kData naming key, expected and found; kRefused
/// for format version 2 and later.
Result<ViewMetadata> ParseViewMetadata(std::string_view json);
std::string SerializeViewMetadata(const ViewMetadata& metadata);
/// Read one version, as a request to create a view has it.
Result<ViewVersion> ParseViewVersion(std::string_view json);
std::string SerializeViewVersion(const ViewVersion& version);

/// The changes of a view's metadata that the REST specification's ViewUpdate names.
namespace view_update {

struct AssignUuid {
  std::string uuid;
};
struct UpgradeFormatVersion {
  int32_t format_version = 1;
};
/// Taken under the id of an equal schema that the view has, else under the next free one.
struct AddSchema {
  SchemaPtr schema;
};
struct SetLocation {
  std::string location;
};
struct SetProperties {
  std::map<std::string, std::string> properties;
};
struct RemoveProperties {
  std::vector<std::string> keys;
};
/// Taken under the id of an equal version that the view has, else under its own or the next free
/// one. A schema id of -1 means the schema that the same change added last.
struct AddVersion {
  ViewVersion version;
};
/// -1 means the version that the same change added last.
struct SetCurrentVersion {
  int32_t id = -1;
};

}  // namespace view_update

using ViewUpdate = std::variant<view_update::AssignUuid, view_update::UpgradeFormatVersion,
                                view_update::AddSchema, view_update::SetLocation,
                                view_update::SetProperties, view_update::RemoveProperties,
                                view_update::AddVersion, view_update::SetCurrentVersion>;

/// What must hold for a change to be applied: that there is no such view yet, or that the view has
/// a UUID.
struct ViewRequirement {
  std::optional<std::string> uuid;  ///< None: assert-create.
};

/// A change of one view, all of it or nothing.
struct ViewChange {
  std::vector<ViewRequirement> requirements;
  std::vector<ViewUpdate> updates;

  /// Whether it makes the view: some requirement says that there is none.
  bool creates() const;
};

/// Read and write one update or requirement as REST JSON. Reading fails with kData on an unknown
/// action or type, naming the known ones.
Result<ViewUpdate> ParseViewUpdate(std::string_view json);
std::string SerializeViewUpdate(const ViewUpdate& update);
Result<ViewRequirement> ParseViewRequirement(std::string_view json);
std::string SerializeViewRequirement(const ViewRequirement& requirement);

/// What a view is made of.
struct CreateViewOptions {
  std::string location;
  std::string uuid;
  SchemaPtr schema;
  ViewVersion version;  ///< Its schema id counts for nothing: the version is of `schema`.
  std::map<std::string, std::string> properties;
};
/// The change that makes a view, with assert-create.
ViewChange CreateView(const CreateViewOptions& options);

/// Check the requirements, then apply the updates: the one pure function that serves every catalog
/// and the server.
///
/// `base` is null for a view that does not exist; `now_ms` is the moment at which a version that
/// was there before becomes current again. Versions beyond `version.history.num-entries` (10) fall
/// away, oldest first. Fails with kAlreadyExists when a view is to be made that is there,
/// kConflict when another requirement does not hold, kRefused when a dialect of the replaced
/// version would be lost without `replace.drop-dialect.allowed`, kData when an update is malformed.
Result<ViewMetadata> ApplyView(const ViewMetadata* base, const ViewChange& change, int64_t now_ms);

}  // namespace calve::iceberg
