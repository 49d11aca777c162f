#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "columnar/convert.h"

namespace calve::source {

inline constexpr const char* kNoObject =
    "the line is not one JSON object; expected JSON lines, one object a line";

/// Why a line is no row of the columns; both empty when it is.
struct JsonMisfit {
  std::string column;
  std::string reason;
};

/// Turns JSON lines into Arrow columns of known types. For one thread.
class JsonColumns {
 public:
  static Result<std::unique_ptr<JsonColumns>> Make(const std::shared_ptr<arrow::Schema>& schema);
  ~JsonColumns();

  /// Append the row of one line, or nothing when it does not fit: then `misfit`, which was empty,
  /// says why.
  Status Append(std::string_view line, JsonMisfit* misfit);
  /// The rows since the last call.
  Result<columnar::Batch> Finish();

 private:
  struct State;
  explicit JsonColumns(std::unique_ptr<State> state);
  Status Reserve();

  std::unique_ptr<State> state_;
};

}  // namespace calve::source
