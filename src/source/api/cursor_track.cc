#include "source/api/cursor_track.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "columnar/text_value.h"
#include "source/api/reply.h"

namespace calve::source::api {
namespace {

constexpr int kNumberPrecision = 38;
constexpr int kNumberScale = 9;
constexpr int64_t kNumberUnit = 1'000'000'000;
constexpr int64_t kMicros = 1'000'000;

std::optional<int64_t> ReadMicros(std::string_view text) {
  const columnar::TextFormats formats;
  if (const auto zoned = columnar::ReadTimestamp(text, true, kMicros, formats)) return zoned;
  if (const auto local = columnar::ReadTimestamp(text, false, kMicros, formats)) return local;
  if (const auto day = columnar::ReadDate(text, formats)) return *day * int64_t{86'400} * kMicros;
  return std::nullopt;
}

std::string PrintMicros(int64_t micros) {
  const Timestamp time{std::chrono::microseconds(micros)};
  std::string text = FormatTimestamp(time);  // With milliseconds and Z.
  const int64_t rest = ((micros % 1000) + 1000) % 1000;
  if (rest == 0) return text;
  const std::string digits = std::to_string(1000 + rest).substr(1);
  return text.insert(text.size() - 1, digits);
}

const char* NameOf(CursorValue::Kind kind) {
  switch (kind) {
    case CursorValue::Kind::kNumber:
      return "a number";
    case CursorValue::Kind::kTime:
      return "a time";
    case CursorValue::Kind::kText:
      return "a text";
  }
  return "";
}

}  // namespace

CursorValue CursorValue::Of(std::string text) {
  CursorValue value{.kind = Kind::kText, .order = 0, .text = std::move(text)};
  if (const auto number = columnar::ReadDecimal(value.text, kNumberPrecision, kNumberScale, {})) {
    value.kind = Kind::kNumber;
    value.order = *number;
  } else if (const auto micros = ReadMicros(value.text)) {
    value.kind = Kind::kTime;
    value.order = *micros;
  }
  return value;
}

Result<std::unique_ptr<CursorTrack>> CursorTrack::Make(const ApiOptions& options,
                                                       const std::optional<TablePosition>& known) {
  const std::optional<LookBack> back =
      options.look_back.empty() ? LookBack{} : ReadLookBack(options.look_back);
  std::unique_ptr<CursorTrack> track(new CursorTrack(options, back.value_or(LookBack{})));
  if (!known.has_value()) return track;
  track->known_ = known;
  track->known_until_ = CursorValue::Of(known->until);
  track->known_from_ = CursorValue::Of(known->from);
  track->until_ = track->known_until_;
  track->seen_ = known->seen;
  return track;
}

std::optional<std::string> CursorTrack::Sent() const {
  if (options_.cursor_param.empty()) return std::nullopt;
  if (!known_from_.has_value()) {
    if (options_.cursor_start.empty()) return std::nullopt;
    return options_.cursor_start;
  }
  if (options_.cursor_format == CursorFormat::kAsIs ||
      known_from_->kind != CursorValue::Kind::kTime) {
    return known_from_->text;
  }
  const auto micros = static_cast<int64_t>(known_from_->order);
  const auto floor_of = [&](int64_t unit) {
    return (micros - (((micros % unit) + unit) % unit)) / unit;
  };
  switch (options_.cursor_format) {
    case CursorFormat::kAsIs:
      break;
    case CursorFormat::kIso8601:
      return PrintMicros(micros);
    case CursorFormat::kDate:
      return PrintMicros(micros).substr(0, 10);
    case CursorFormat::kUnix:
      return std::to_string(floor_of(kMicros));
    case CursorFormat::kUnixMs:
      return std::to_string(floor_of(1000));
  }
  return known_from_->text;
}

CursorValue CursorTrack::Before(const CursorValue& value) const {
  CursorValue before = value;
  if (value.kind == CursorValue::Kind::kTime && back_.micros > 0) {
    before.order -= back_.micros;
    before.text = PrintMicros(static_cast<int64_t>(before.order));
    // A day or a time without zone stays one.
    if (value.text.size() == 10) before.text = before.text.substr(0, 10);
    const bool zoned =
        columnar::ReadTimestamp(value.text, true, kMicros, columnar::TextFormats{}).has_value();
    if (!zoned && before.text.ends_with('Z')) before.text.pop_back();
  } else if (value.kind == CursorValue::Kind::kNumber && back_.number > 0) {
    before.order -= static_cast<iceberg::Int128>(back_.number) * kNumberUnit;
    before.text = std::to_string(static_cast<int64_t>(before.order / kNumberUnit));
  }
  return before;
}

bool CursorTrack::MayComeLate(const CursorValue& value, const CursorValue& until) const {
  return !(value < Before(until));
}

void CursorTrack::Forget() {
  for (std::vector<Row>* rows : {&late_, &new_})
    std::erase_if(*rows, [&](const Row& row) { return !MayComeLate(row.value, *until_); });
  forget_at_ = std::max<size_t>(1024, 2 * late_.size());
}

Result<bool> CursorTrack::See(std::string_view record) {
  if (record.empty() || record.front() != '{') return true;  // It is held back.
  const auto found = FindJson(record, KeysOf(options_.cursor_column));
  const auto text = found.has_value() ? ScalarText(*found) : std::nullopt;
  if (!text.has_value()) {
    return DataError("the record has no value in " + options_.cursor_column +
                     ", by which the job goes on; set cursor_column to a field that every record "
                     "has, or leave out such records by params");
  }
  Row row{.value = CursorValue::Of(*text), .digest = DigestOf(CanonicalJson(record))};
  std::lock_guard lock(mutex_);
  if (until_.has_value() && until_->kind != row.value.kind) {
    return DataError("expected " + std::string(NameOf(until_->kind)) + " in " +
                     options_.cursor_column + ", as in the records before, found " + Quote(*text) +
                     "; set cursor_column to a field of one kind");
  }
  const bool is_numeric_back = back_.number > 0 && row.value.kind != CursorValue::Kind::kNumber;
  const bool is_time_back = back_.is_time && row.value.kind != CursorValue::Kind::kTime;
  if (is_numeric_back || is_time_back) {
    return ConfigError("look_back '" + options_.look_back + "' does not go with " +
                       options_.cursor_column + ", which holds " + NameOf(row.value.kind) +
                       "; give a time for times, or a number for numbers");
  }
  // What lies before the last run's stretch was taken long ago.
  if (known_from_.has_value() && row.value < *known_from_) return false;
  const bool is_new = !seen_.Take(row.digest);
  if (!until_.has_value() || *until_ < row.value) until_ = row.value;
  if (MayComeLate(row.value, *until_)) {
    if (is_new) new_.push_back(row);
    late_.push_back(std::move(row));
    if (late_.size() >= forget_at_) Forget();
  }
  if (late_.size() > 2 * SeenRows::kRowsMax) {
    return RefusedError(
        "more than " + FormatCount(SeenRows::kRowsMax) +
        " records lie where records may still turn up; give a shorter look_back, or "
        "a cursor_column with finer values");
  }
  return is_new;
}

Result<std::optional<TablePosition>> CursorTrack::Reached() const {
  std::lock_guard lock(mutex_);
  if (!until_.has_value()) return std::optional<TablePosition>();
  const bool moved = !known_until_.has_value() || *known_until_ < *until_;
  TablePosition reached;
  // Where nothing is newer, the service may have left out what it gave before.
  if (!moved) reached = *known_;
  reached.until = until_->text;
  reached.columns = {options_.cursor_column};
  const CursorValue from = Before(*until_);
  // What lies before the old start was not remembered.
  const bool is_later = known_from_.has_value() && (!moved || from < *known_from_);
  reached.from = is_later ? known_from_->text : from.text;
  for (const Row& row : moved ? late_ : new_) {
    if (!MayComeLate(row.value, *until_)) continue;
    CALVE_RETURN_IF_ERROR(reached.seen.Add(row.digest));
  }
  return std::optional(std::move(reached));
}

}  // namespace calve::source::api
