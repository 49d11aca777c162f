#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "columnar/text_value.h"
#include "config/option.h"
#include "source/table_options.h"
#include "source/table_position.h"

namespace calve::source {

enum class CursorFormat { kAsIs, kIso8601, kDate, kUnix, kUnixMs };
config::Names<CursorFormat> NamesOf(CursorFormat);

/// Options of every source that goes on by a field of its records, over the web.
struct CursorOptions {
  bool incremental = false;
  std::string cursor_column;
  std::string cursor_param;
  CursorFormat cursor_format = CursorFormat::kAsIs;
  std::string cursor_start;
  std::string look_back;

  static config::Shape<CursorOptions> Declaration();
};

/// A value of the cursor column, which can be put in an order.
struct CursorValue {
  enum class Kind { kNumber, kTime, kText };
  Kind kind = Kind::kText;
  iceberg::Int128 order = 0;  ///< Numbers by 10^-9, times in microseconds.
  std::string text;           ///< As the record has it.

  /// `formats`: how times are written, beside ISO 8601.
  static CursorValue Of(std::string text, const columnar::TextFormats& formats = {});
  bool operator<(const CursorValue& other) const {
    return kind == Kind::kText ? text < other.text : order < other.order;
  }
};

/// Tells the new records of one place from those that earlier runs have taken, and how far this
/// run has come. Threads: any.
class CursorTrack {
 public:
  /// `known`: where the last run has ended; nothing in the first run. `options` outlive it.
  static Result<std::unique_ptr<CursorTrack>> Make(const CursorOptions& options,
                                                   const std::optional<TablePosition>& known,
                                                   columnar::TextFormats formats = {});

  /// What cursor_param says; nothing when it is not sent.
  std::optional<std::string> Sent() const;
  /// Whether a record is new, by its value in the cursor column and its content. Fails with kData
  /// when it has no value there, or one of another kind than the records before.
  Result<bool> See(const std::optional<std::string>& text, const RowDigest& digest);
  /// Where the next run begins; nothing when no record was ever seen.
  Result<std::optional<TablePosition>> Reached() const;

 private:
  struct Row {
    CursorValue value;
    RowDigest digest;
  };
  CursorTrack(const CursorOptions& options, LookBack back, columnar::TextFormats formats)
      : options_(options), back_(back), formats_(std::move(formats)) {}
  /// Whether rows of this value may turn up late, now that `until` was reached.
  bool MayComeLate(const CursorValue& value, const CursorValue& until) const;
  CursorValue Before(const CursorValue& value) const;
  void Forget();

  const CursorOptions& options_;
  const LookBack back_;
  const columnar::TextFormats formats_;
  std::optional<TablePosition> known_;
  std::optional<CursorValue> known_until_;
  std::optional<CursorValue> known_from_;

  mutable std::mutex mutex_;
  SeenRows seen_;  ///< By earlier runs.
  std::optional<CursorValue> until_;
  std::vector<Row> late_;  ///< What this run has met where records may still turn up.
  std::vector<Row> new_;   ///< Of these, those that no run had met.
  size_t forget_at_ = 1024;
};

}  // namespace calve::source
