#include "reader/orc_timestamps.h"

#include <arrow/builder.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "columnar/arrow_status.h"

namespace calve::reader {
namespace {

constexpr size_t kFooterBytesMax = 64 << 20;
constexpr int64_t kSecondsTo2015 = 1'420'070'400;
constexpr int64_t kNanosPerSecond = 1'000'000'000;

/// Read a part of a file that says itself how long the part is.
Result<std::string> ReadPart(io::InputFile& file, int64_t offset, int64_t length) {
  const int64_t size = file.size().value();
  if (offset > size || length > size - offset) {
    return DataError(fmt::format("bytes {} to {} of the ORC file lie behind its end at {}", offset,
                                 offset + length, size));
  }
  return file.ReadAt(offset, length);
}

/// Nanoseconds as stored: without their zeros at the end, whose count less one lies in three bits.
/// Below zero they count back from the second, as Arrow writes moments before 1970.
Result<int64_t> ParseNanos(int64_t stored) {
  constexpr std::array<int64_t, 8> kFactors = {1,       100,       1'000,      10'000,
                                               100'000, 1'000'000, 10'000'000, 100'000'000};
  const int64_t digits = stored >> 3;
  const int64_t factor = kFactors[stored & 7];
  if (std::abs(digits) < kNanosPerSecond && std::abs(digits * factor) < kNanosPerSecond)
    return digits * factor;
  return DataError("a timestamp of the ORC file has more nanoseconds than a second");
}

Result<int64_t> ToMicros(int64_t stored_seconds, int64_t stored_nanos, OrcFiner finer) {
  CALVE_ASSIGN_OR_RETURN(const int64_t nanos, ParseNanos(stored_nanos));
  if (finer == OrcFiner::kRefuse && nanos % 1'000 != 0) {
    return DataError(fmt::format(
        "the file holds a time with {} nanoseconds in its second, and expected are whole "
        "microseconds; write it with six digits behind the second",
        nanos));
  }
  int64_t seconds = 0;
  int64_t micros = 0;
  bool fits = !__builtin_add_overflow(stored_seconds, kSecondsTo2015, &seconds);
  // Before 1970 other writers round the second up when a millisecond or more goes with it.
  if (seconds < 0 && nanos >= 1'000'000) --seconds;
  fits = fits && !__builtin_mul_overflow(seconds, 1'000'000, &micros) &&
         !__builtin_add_overflow(micros, nanos / 1'000 - (nanos % 1'000 < 0), &micros);
  if (fits) return micros;
  return DataError(
      fmt::format("the file holds a time {} seconds from 2015, which 64 bits of "
                  "microseconds cannot hold",
                  stored_seconds));
}

}  // namespace

Result<OrcStripeFooter> ReadOrcStripeFooter(io::InputFile& file, const OrcStripe& stripe,
                                            const OrcCompression& compression) {
  CALVE_ASSIGN_OR_RETURN(std::string stored,
                         ReadPart(file, stripe.footer_offset, stripe.footer_length));
  OrcStream stream(std::move(stored), compression);
  CALVE_ASSIGN_OR_RETURN(const std::string footer, stream.ReadRest(kFooterBytesMax));
  return ParseOrcStripeFooter(footer, stripe);
}

bool IsUtc(std::string_view zone) {
  constexpr std::string_view kArea = "Etc/";
  constexpr std::array<std::string_view, 9> kNames = {
      "UTC", "GMT", "UCT", "Zulu", "Universal", "Greenwich", "GMT0", "GMT+0", "GMT-0"};
  if (zone.starts_with(kArea)) zone.remove_prefix(kArea.size());
  return std::ranges::find(kNames, zone) != kNames.end();
}

Result<OrcTimestamps> OrcTimestamps::Open(io::InputFile& file, const OrcStripeFooter& footer,
                                          uint64_t column, const OrcCompression& compression,
                                          OrcFiner finer) {
  constexpr uint64_t kDirect = 0;
  constexpr uint64_t kDirectV2 = 2;
  const uint64_t encoding =
      column < footer.encodings.size() ? footer.encodings[column] : footer.encodings.size();
  if (column >= footer.encodings.size() || (encoding != kDirect && encoding != kDirectV2))
    return DataError("the footer of a stripe gives a column of timestamps no encoding that suits");
  const OrcRuns runs = encoding == kDirect ? OrcRuns::kVersion1 : OrcRuns::kVersion2;

  const auto open = [&](const OrcStripeFooter::Stream* stream) -> Result<OrcStream> {
    if (stream == nullptr) return OrcStream("", compression);
    CALVE_ASSIGN_OR_RETURN(std::string stored, ReadPart(file, stream->offset, stream->length));
    return OrcStream(std::move(stored), compression);
  };
  std::optional<OrcBooleans> present;
  if (const auto* stream = footer.Find(column, OrcStreamKind::kPresent)) {
    CALVE_ASSIGN_OR_RETURN(OrcStream bits, open(stream));
    present.emplace(std::move(bits));
  }
  CALVE_ASSIGN_OR_RETURN(OrcStream seconds, open(footer.Find(column, OrcStreamKind::kData)));
  CALVE_ASSIGN_OR_RETURN(OrcStream nanos, open(footer.Find(column, OrcStreamKind::kSecondary)));
  return OrcTimestamps(std::move(present), {std::move(seconds), runs, OrcSign::kSigned},
                       {std::move(nanos), runs, OrcSign::kUnsigned}, finer);
}

Result<std::shared_ptr<arrow::Array>> OrcTimestamps::Read(int64_t rows) {
  const auto count = static_cast<size_t>(rows);
  std::vector<uint8_t> present(count, 1);
  if (present_) CALVE_RETURN_IF_ERROR(present_->Read(present));
  const auto values = static_cast<size_t>(std::ranges::count(present, 1));
  std::vector<int64_t> seconds(values);
  std::vector<int64_t> nanos(values);
  CALVE_RETURN_IF_ERROR(seconds_.Read(seconds));
  CALVE_RETURN_IF_ERROR(nanos_.Read(nanos));

  arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::MICRO),
                                  arrow::default_memory_pool());
  CALVE_RETURN_IF_ERROR(builder.Reserve(rows));
  size_t value = 0;
  for (size_t row = 0; row < count; ++row) {
    if (present[row] == 0) {
      builder.UnsafeAppendNull();
      continue;
    }
    CALVE_ASSIGN_OR_RETURN(const int64_t micros, ToMicros(seconds[value], nanos[value], finer_));
    builder.UnsafeAppend(micros);
    ++value;
  }
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array, builder.Finish());
  return array;
}

}  // namespace calve::reader
