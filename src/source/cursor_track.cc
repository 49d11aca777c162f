#include "source/cursor_track.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "columnar/text_value.h"

namespace calve::source {
namespace {

constexpr int kNumberPrecision = 38;
constexpr int kNumberScale = 9;
constexpr int64_t kNumberUnit = 1'000'000'000;
constexpr int64_t kMicros = 1'000'000;

std::optional<int64_t> ReadMicros(std::string_view text, const columnar::TextFormats& formats) {
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

const char* NounOf(CursorValue::Kind kind) {
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

config::Names<CursorFormat> NamesOf(CursorFormat) {
  return {{"as_is", CursorFormat::kAsIs, "As the records have it."},
          {"iso8601", CursorFormat::kIso8601, "2026-11-22T08:15:00Z"},
          {"date", CursorFormat::kDate, "2026-11-22"},
          {"unix", CursorFormat::kUnix, "Seconds since 1970."},
          {"unix_ms", CursorFormat::kUnixMs, "Milliseconds since 1970."}};
}

config::Shape<CursorOptions> CursorOptions::Declaration() {
  using Options = CursorOptions;
  config::Shape<Options> shape("cursor options");
  shape.Optional("incremental", &Options::incremental,
                 "Take only records whose `cursor_column` is beyond what the last run has read.");
  shape.Optional(
      "cursor_column", &Options::cursor_column,
      "The field that grows: the time of a record's last change, or an id that counts "
      "up; in JSON keys with dots between them. Records that come later with the same value "
      "are taken, each once.",
      {.example = "updated_at"});
  shape.Optional("cursor_param", &Options::cursor_param,
                 "The parameter by which the service leaves out what is older. Without it all "
                 "records are asked for, and the old ones left out here.",
                 {.example = "updated_since"});
  shape.Optional("cursor_format", &Options::cursor_format, "How cursor_param has it.");
  shape.Optional("cursor_start", &Options::cursor_start,
                 "What cursor_param says in the first run; without it the first run asks for all.",
                 {.example = "\"2026-01-01T00:00:00Z\""});
  shape.Optional("look_back", &Options::look_back,
                 "How far below the greatest value records may still turn up: a time (`1h`, `2d`) "
                 "or, for numbers, a number. Records in this stretch that were taken before are "
                 "not taken again.",
                 {.example = "1h"});
  shape.Check("look_back", [](const Options& o) -> Status {
    const auto back = o.look_back.empty() ? LookBack{} : ReadLookBack(o.look_back);
    if (back.has_value() && back->micros >= 0 && back->number >= 0) return Status::Ok();
    return ConfigError("'" + o.look_back +
                       "' is no stretch to look back; expected a time such as 1h or 2d, or a "
                       "number for numbers");
  });
  shape.CheckNode([](const Options& o, const config::Node& node, config::Faults& faults) {
    const auto demand = [&](const char* key, bool given) {
      if (!given || !o.cursor_column.empty()) return;
      faults.Add(node.Find(key)->place(),
                 std::string(key) + " goes with cursor_column; name the field that grows");
    };
    demand("cursor_param", !o.cursor_param.empty());
    demand("look_back", !o.look_back.empty());
    if (!o.cursor_start.empty() && o.cursor_param.empty()) {
      faults.Add(node.Find("cursor_start")->place(),
                 "cursor_start is sent as cursor_param; name the parameter");
    }
  });
  return shape;
}

CursorValue CursorValue::Of(std::string text, const columnar::TextFormats& formats) {
  CursorValue value{.kind = Kind::kText, .order = 0, .text = std::move(text)};
  if (const auto number = columnar::ReadDecimal(value.text, kNumberPrecision, kNumberScale, {})) {
    value.kind = Kind::kNumber;
    value.order = *number;
  } else if (const auto micros = ReadMicros(value.text, formats)) {
    value.kind = Kind::kTime;
    value.order = *micros;
  } else if (const auto iso = ReadMicros(value.text, {})) {
    value.kind = Kind::kTime;
    value.order = *iso;
  }
  return value;
}

Result<std::unique_ptr<CursorTrack>> CursorTrack::Make(const CursorOptions& options,
                                                       const std::optional<TablePosition>& known,
                                                       columnar::TextFormats formats) {
  const std::optional<LookBack> back =
      options.look_back.empty() ? LookBack{} : ReadLookBack(options.look_back);
  std::unique_ptr<CursorTrack> track(
      new CursorTrack(options, back.value_or(LookBack{}), std::move(formats)));
  if (!known.has_value()) return track;
  track->known_ = known;
  track->known_until_ = CursorValue::Of(known->until, track->formats_);
  track->known_from_ = CursorValue::Of(known->from, track->formats_);
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

Result<bool> CursorTrack::See(const std::optional<std::string>& text, const RowDigest& digest) {
  if (!text.has_value()) {
    return DataError("the record has no value in " + options_.cursor_column +
                     ", by which the job goes on; set cursor_column to a field that every record "
                     "has, or leave out such records by params");
  }
  Row row{.value = CursorValue::Of(*text, formats_), .digest = digest};
  std::lock_guard lock(mutex_);
  if (until_.has_value() && until_->kind != row.value.kind) {
    return DataError("expected " + std::string(NounOf(until_->kind)) + " in " +
                     options_.cursor_column + ", as in the records before, found " + Quote(*text) +
                     "; set cursor_column to a field of one kind");
  }
  const bool is_numeric_back = back_.number > 0 && row.value.kind != CursorValue::Kind::kNumber;
  const bool is_time_back = back_.is_time && row.value.kind != CursorValue::Kind::kTime;
  if (is_numeric_back || is_time_back) {
    return ConfigError("look_back '" + options_.look_back + "' does not go with " +
                       options_.cursor_column + ", which holds " + NounOf(row.value.kind) +
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

}  // namespace calve::source
