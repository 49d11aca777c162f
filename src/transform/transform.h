#pragma once

#include <arrow/type.h>

#include <memory>

#include "base/context.h"
#include "base/result.h"
#include "columnar/traced_batch.h"
#include "transform/concealment.h"

namespace calve::transform {

/// Batch in, batch out. One object serves one thread; the pipeline makes one per split.
class Transform {
 public:
  virtual ~Transform() = default;
  /// The schema of what comes out; the same for every batch.
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  /// Change one batch. Rows that cannot be changed as asked become rejects with their origin. All
  /// rows are counted: rows out + rejects added + rows dropped = rows in. One that makes rows of its
  /// own (sql with UNNEST or GROUP BY) says so by CountRemade.
  virtual Result<columnar::TracedBatch> Apply(const Context& context,
                                              columnar::TracedBatch batch) = 0;
  /// All batches of a run were given to it.
  virtual Status Finish(const Context&) { return Status::Ok(); }
  /// How what it hides is kept out of what tells of rows beside them; null: it hides nothing. Rows
  /// that were held back before it are to be hidden by it, and rows behind it never told as they
  /// came from the source.
  virtual const Concealment* concealment() const { return nullptr; }
};

}  // namespace calve::transform
