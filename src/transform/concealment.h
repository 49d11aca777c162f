#pragma once

#include <arrow/type.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "columnar/traced_batch.h"

namespace calve::transform {

/// Keeps values that a transform hides out of everything that tells of rows beside the rows: what is
/// held back, where it came from, what was noticed while reading. When in doubt it hides more.
class Concealment {
 public:
  /// `columns` of batches of `input` are hidden.
  Concealment(const std::vector<std::string>& columns, const std::shared_ptr<arrow::Schema>& input);

  /// Hide the values in a row that was held back before it came to the transform. What is left is for
  /// people only.
  void Hide(columnar::Reject* reject) const;
  /// The places of rows, without keys that are hidden.
  std::shared_ptr<const columnar::Origins> Hide(
      std::shared_ptr<const columnar::Origins> origins) const;
  /// Whether a note on what was read may tell a value.
  bool IsToldBy(const std::string& note) const;

 private:
  std::string HideKey(const std::string& place) const;
  std::string HideFields(const std::string& row) const;

  std::set<std::string> hidden_;
  std::set<std::string> shown_;  ///< The other columns.
};

}  // namespace calve::transform
