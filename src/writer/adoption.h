#pragma once

#include <parquet/metadata.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "iceberg/metadata.h"
#include "iceberg/schema.h"
#include "writer/writer.h"

namespace calve::writer {

/// Why files of any kind and of this size do not become the table's as they are; empty when
/// some may.
Result<std::string> WhyNoneIsAdopted(const AdoptionTerms& terms, ByteCount size);

/// Why a file with this footer does not; empty when it may. `data_end`: where its pages must end.
Result<std::string> WhyNotAdopted(const AdoptionTerms& terms, const parquet::FileMetaData& footer,
                                  int64_t data_end);

}  // namespace calve::writer
