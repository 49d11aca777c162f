#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "iceberg/ids.h"

namespace calve::iceberg {

inline constexpr std::string_view kDeletionVectorType = "deletion-vector-v1";
inline constexpr std::string_view kThetaSketchType = "apache-datasketches-theta-v1";
/// Properties of a deletion vector's blob.
inline constexpr std::string_view kReferencedDataFile = "referenced-data-file";
inline constexpr std::string_view kCardinality = "cardinality";
/// The field that a deletion vector's blob names: _pos.
inline constexpr int32_t kPositionFieldId = 2147483645;

/// Texts by name, in their order.
using PuffinProperties = std::vector<std::pair<std::string, std::string>>;

/// Find a property; null when absent.
const std::string* FindProperty(const PuffinProperties& properties, std::string_view name);

enum class PuffinCodec { kNone, kLz4, kZstd };

/// What the footer says of a blob (Puffin spec, BlobMetadata).
struct PuffinBlob {
  std::string type;
  std::vector<FieldId> fields;
  SnapshotId snapshot_id{-1};
  SequenceNumber sequence_number{-1};
  int64_t offset = 0;  ///< Bytes from the begin of the file.
  int64_t length = 0;  ///< Bytes stored.
  PuffinCodec codec = PuffinCodec::kNone;
  PuffinProperties properties;
};

/// What the footer says (Puffin spec, FileMetadata).
struct PuffinFooter {
  std::vector<PuffinBlob> blobs;
  PuffinProperties properties;
};

struct PuffinLimits {
  size_t footer_bytes_max = 256 << 20;  ///< Decompressed.
  size_t blob_bytes_max = 1 << 30;      ///< Decompressed.
};

/// The bytes at the end of a file that tell the footer's size.
inline constexpr int64_t kPuffinTailBytes = 12;
/// Tell a footer's size, its magics included, from at least the last kPuffinTailBytes of the file.
/// Fails with kData when this is no Puffin file.
Result<int64_t> PuffinFooterBytes(std::string_view tail);
/// Read a footer: exactly its bytes, and the size of the whole file, in which all blobs must lie.
/// Fails with kData.
Result<PuffinFooter> ParsePuffinFooter(std::string_view footer, int64_t file_bytes,
                                       const PuffinLimits& limits = {});
/// Read the footer of a whole file.
Result<PuffinFooter> ReadPuffinFooter(std::string_view file, const PuffinLimits& limits = {});
/// Decompress a blob from its stored bytes, file[offset ... offset + length). Fails with kData.
Result<std::string> DecodePuffinBlob(const PuffinBlob& blob, std::string_view stored,
                                     const PuffinLimits& limits = {});
/// Read a blob of a whole file.
Result<std::string> ReadPuffinBlob(std::string_view file, const PuffinBlob& blob,
                                   const PuffinLimits& limits = {});

/// Makes a Puffin file in memory.
class PuffinWriter {
 public:
  PuffinWriter();

  /// Append a blob; its offset and length are set here, its bytes compressed with its codec (zstd
  /// or none; lz4 is only read). Returns what the footer will say.
  Result<PuffinBlob> Add(PuffinBlob blob, std::string_view bytes);
  /// End the file and take it. `properties` should have created-by, the program and its version.
  std::string Finish(const PuffinProperties& properties) &&;

 private:
  std::string file_;
  std::vector<PuffinBlob> blobs_;
};

/// The blob that a deletion vector of `data_file` is stored as: type, fields and properties as the
/// spec demands.
PuffinBlob DeletionVectorBlob(std::string_view data_file, int64_t cardinality);

}  // namespace calve::iceberg
