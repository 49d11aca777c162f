#pragma once

#include <arrow/type.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace calve::source {

/// Learns from sample lines what columns there are and which exact types hold them: objects become
/// structs, arrays lists; numbers without fraction long or decimal, with one decimal, with an
/// exponent double; texts string, or date and timestamp when all are ISO 8601. What comes in
/// several kinds, or with more keys than kColumnsMax, is kept as JSON text. For one thread.
class JsonShape {
 public:
  /// More keys than any table has: whoever writes values as keys has no end of them.
  static constexpr size_t kColumnsMax = 20'000;

  JsonShape();
  ~JsonShape();

  /// Look at one line; false when it is not one whole object.
  bool See(std::string_view line, int64_t number);
  /// Whether there is a column.
  bool has_columns() const;
  /// Whether lines had more keys than kColumnsMax; those beyond were passed over.
  bool is_too_wide() const;
  /// Whether this is one.
  bool Has(const std::string& column) const;

  struct SchemaOptions {
    std::map<std::string, std::string> types;
    std::shared_ptr<arrow::Schema> wanted;
    bool widen = false;
    /// What is wanted is all that there is: in nested columns too, and of columns that no line has.
    bool is_whole = false;
  };
  /// The columns in the order in which they came up. Fails with kConfig when a type is given for a
  /// column that is not there.
  Result<std::shared_ptr<arrow::Schema>> Schema(const SchemaOptions& options,
                                                std::vector<std::string>* notes) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace calve::source
