#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "iceberg/deletion_vector.h"
#include "iceberg/puffin.h"

using calve::Result;
using calve::iceberg::PositionSet;

namespace {

void Require(bool promise) {
  if (!promise) std::abort();
}

void FuzzFile(std::string_view file) {
  constexpr calve::iceberg::PuffinLimits kLimits{.footer_bytes_max = 1 << 20,
                                                 .blob_bytes_max = 1 << 20};
  const auto footer = ReadPuffinFooter(file, kLimits);
  if (!footer.ok()) return;
  for (const auto& blob : footer->blobs) {
    const Result<std::string> bytes = ReadPuffinBlob(file, blob, kLimits);
    if (bytes.ok()) Require(bytes->size() <= kLimits.blob_bytes_max);
  }
}

/// Whatever is taken as positions must be a set that comes back from its own bytes.
void FuzzPositions(std::string_view bytes) {
  const Result<PositionSet> read = PositionSet::Deserialize(bytes);
  if (!read.ok()) return;
  const Result<PositionSet> again = PositionSet::Deserialize(read->Serialize());
  Require(again.ok() && *again == *read);
  int64_t count = 0;
  int64_t last = -1;
  read->ForEachIn(0, int64_t{1} << 20, [&](int64_t position) {
    Require(position > last && read->Contains(position));
    last = position;
    ++count;
  });
  Require(count <= read->Cardinality());
  PositionSet both = *read;
  both.Union(*again);
  Require(both.Cardinality() == read->Cardinality());
  Require(*calve::iceberg::DecodeDeletionVector(EncodeDeletionVector(*read)) == *read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view bytes = input.substr(1);
  switch (data[0] % 3) {
    case 0:
      FuzzFile(bytes);
      break;
    case 1:
      FuzzPositions(bytes);
      break;
    default:
      if (const auto read = calve::iceberg::DecodeDeletionVector(bytes); read.ok())
        Require(read->Cardinality() >= 0);
  }
  return 0;
}
