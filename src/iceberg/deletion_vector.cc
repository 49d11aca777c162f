#include "iceberg/deletion_vector.h"

#include <zlib.h>

namespace calve::iceberg {
namespace {

constexpr std::string_view kMagic("\xd1\xd3\x39\x64", 4);
constexpr size_t kNumberBytes = 4;

uint32_t Checksum(std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void AppendBigEndian(uint32_t value, std::string* out) {
  for (int shift : {24, 16, 8, 0}) out->push_back(static_cast<char>(value >> shift));
}

uint32_t ReadBigEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (char byte : bytes.substr(0, kNumberBytes)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

}  // namespace

std::string EncodeDeletionVector(const PositionSet& positions) {
  const std::string vector = std::string(kMagic) + positions.Serialize();
  std::string blob;
  AppendBigEndian(static_cast<uint32_t>(vector.size()), &blob);
  blob += vector;
  AppendBigEndian(Checksum(vector), &blob);
  return blob;
}

Result<PositionSet> DecodeDeletionVector(std::string_view blob) {
  if (blob.size() < 2 * kNumberBytes + kMagic.size() ||
      blob.size() - 2 * kNumberBytes != ReadBigEndian(blob)) {
    return DataError(
        "expected a deletion vector that begins with its length, found " +
        std::to_string(blob.size()) +
        " bytes that do not; offset or length in the manifest is wrong, or the file is damaged");
  }
  const std::string_view vector = blob.substr(kNumberBytes, blob.size() - 2 * kNumberBytes);
  if (!vector.starts_with(kMagic))
    return DataError("expected the magic D1D33964 of a deletion vector, found other bytes");
  if (ReadBigEndian(blob.substr(kNumberBytes + vector.size())) != Checksum(vector)) {
    return DataError(
        "expected a deletion vector that matches its CRC-32, found one that does not; the file is "
        "damaged");
  }
  Result<PositionSet> positions = PositionSet::Deserialize(vector.substr(kMagic.size()));
  if (!positions.ok()) return While("read a deletion vector", std::move(positions).error());
  return positions;
}

}  // namespace calve::iceberg
