#pragma once

#include <arrow/array/array_base.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"
#include "reader/orc_booleans.h"
#include "reader/orc_integers.h"
#include "reader/orc_layout.h"

namespace calve::reader {

/// Read and parse the footer of a stripe.
Result<OrcStripeFooter> ReadOrcStripeFooter(io::InputFile& file, const OrcStripe& stripe,
                                            const OrcCompression& compression);

/// Whether a writer's zone is UTC under one of its names, so that its clock is the instant.
bool IsUtc(std::string_view zone);

/// What becomes of a moment between two microseconds.
enum class OrcFiner { kCut, kRefuse };

/// A top-level column of moments in one stripe, in microseconds. Arrow reads these columns in
/// nanoseconds, which leave 64 bits outside of 1677 to 2262.
///
/// Moments are counted from 2015 in UTC, so a TIMESTAMP needs a writer whose zone is UTC. ORC's Java
/// writer stores those of the last second before 1970 like those one second later, and nothing
/// tells them apart. Threads: one.
class OrcTimestamps {
 public:
  /// Read the streams of column number `column`. Fails with kData when the footer lies.
  static Result<OrcTimestamps> Open(io::InputFile& file, const OrcStripeFooter& footer,
                                    uint64_t column, const OrcCompression& compression,
                                    OrcFiner finer = OrcFiner::kCut);

  /// The next `rows` values, as timestamp(us). Fails with kData when there are fewer, and for what
  /// 64 bits of microseconds cannot hold.
  Result<std::shared_ptr<arrow::Array>> Read(int64_t rows);

 private:
  OrcTimestamps(std::optional<OrcBooleans> present, OrcIntegers seconds, OrcIntegers nanos,
                OrcFiner finer)
      : present_(std::move(present)),
        seconds_(std::move(seconds)),
        nanos_(std::move(nanos)),
        finer_(finer) {}

  std::optional<OrcBooleans> present_;
  OrcIntegers seconds_;
  OrcIntegers nanos_;
  OrcFiner finer_;
};

}  // namespace calve::reader
