#pragma once

#include "base/result.h"
#include "iceberg/json.h"
#include "iceberg/metadata.h"
#include "iceberg/snapshot.h"

namespace calve::iceberg {

/// Read a snapshot object (spec, Appendix C: Table Metadata and Snapshots).
///
/// A summary without operation reads as overwrite, since nothing is known of its rows. An operation
/// that the spec does not name stays in the summary under `operation`.
Result<Snapshot> SnapshotFromJson(const JsonObject& object);
Json SnapshotToJson(const Snapshot& snapshot);

Result<SnapshotRef> SnapshotRefFromJson(const JsonObject& object);
/// Write into `json` what a reference is, without its name.
void SnapshotRefToJson(const SnapshotRef& ref, Json& json);

Result<StatisticsFile> StatisticsFileFromJson(const JsonObject& object);
Json StatisticsFileToJson(const StatisticsFile& file);
Result<PartitionStatisticsFile> PartitionStatisticsFileFromJson(const JsonObject& object);
Json PartitionStatisticsFileToJson(const PartitionStatisticsFile& file);
Result<EncryptedKey> EncryptedKeyFromJson(const JsonObject& object);
Json EncryptedKeyToJson(const EncryptedKey& key);

}  // namespace calve::iceberg
