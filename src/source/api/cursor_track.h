#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "columnar/text_value.h"
#include "source/api/api_options.h"
#include "source/table_position.h"

namespace calve::source::api {

/// A value of the cursor column, which can be put in an order.
struct CursorValue {
  enum class Kind { kNumber, kTime, kText };
  Kind kind = Kind::kText;
  iceberg::Int128 order = 0;  ///< Numbers by 10^-9, times in microseconds.
  std::string text;           ///< As the record has it.

  static CursorValue Of(std::string text);
  bool operator<(const CursorValue& other) const {
    return kind == Kind::kText ? text < other.text : order < other.order;
  }
};

/// Tells the new records of one endpoint from those that earlier runs have taken, and how far this
/// run has come. Threads: any.
class CursorTrack {
 public:
  /// `known`: where the last run has ended; nothing in the first run.
  static Result<std::unique_ptr<CursorTrack>> Make(const ApiOptions& options,
                                                   const std::optional<TablePosition>& known);

  /// What cursor_param says; nothing when it is not sent.
  std::optional<std::string> Sent() const;
  /// Whether a record is new. Fails with kData when it has no value in the cursor column, or one of
  /// another kind than the records before.
  Result<bool> See(std::string_view record);
  /// Where the next run begins; nothing when no record was ever seen.
  Result<std::optional<TablePosition>> Reached() const;

 private:
  struct Row {
    CursorValue value;
    RowDigest digest;
  };
  CursorTrack(const ApiOptions& options, LookBack back) : options_(options), back_(back) {}
  /// Whether rows of this value may turn up late, now that `until` was reached.
  bool MayComeLate(const CursorValue& value, const CursorValue& until) const;
  CursorValue Before(const CursorValue& value) const;
  void Forget();

  const ApiOptions& options_;
  const LookBack back_;
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

}  // namespace calve::source::api
