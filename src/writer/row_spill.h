#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "columnar/convert.h"
#include "io/scratch_file.h"

namespace calve::writer {

/// Rows set aside on the local disk until their file is written. For one thread.
class RowSpill {
 public:
  /// Where rows lie.
  struct Place {
    int64_t offset;
    int64_t length;
  };

  explicit RowSpill(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  Result<Place> Append(const columnar::Batch& rows);
  /// Give rows back, once: their room is free afterwards.
  Result<columnar::Batch> TakeBack(const Place& place);

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  io::ScratchFile file_;
};

}  // namespace calve::writer
