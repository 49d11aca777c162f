#pragma once

#include <string>
#include <string_view>

#include "avro/schema.h"
#include "base/result.h"
#include "iceberg/metadata.h"
#include "iceberg/partition.h"
#include "iceberg/type.h"

// The Avro schemas of manifests and manifest lists (Iceberg spec, Manifests, Manifest Lists,
// Appendix A). For use within the room.

namespace calve::iceberg {

/// The schema of a manifest's entries, format version 2 or 3. Primitives are bare, the data_file
/// struct is required, a decimal is a fixed of minimal size.
Result<avro::Schema> ManifestEntrySchema(int format_version, const Type& partition_type);
/// The schema of a manifest list's lines, format version 2 or 3.
Result<avro::Schema> ManifestListSchema(int format_version);

/// The type of a spec's partition values, looked up in the current schema and, for columns dropped
/// since, in older ones. A field whose type is nowhere to be found, or whose transform is unknown,
/// is `unknown`: the manifest's own schema tells it.
Type PartitionTypeOf(const TableMetadata& metadata, const PartitionSpec& spec);
/// The Iceberg type that an Avro type stands for.
Type TypeOfAvro(const avro::Node& node);

/// A name that Avro accepts, as Iceberg's writers change it: `a-b` becomes `a_x2Db`.
std::string AvroName(std::string_view name);

}  // namespace calve::iceberg
