#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "source/kafka/kafka_options.h"
#include "source/kafka/record_block.h"
#include "source/source.h"

namespace calve::source::kafka {

/// The column of a fact.
std::shared_ptr<arrow::Field> FieldOf(const FactColumn& fact);

/// Records of a block, [begin, end), as rows.
struct RecordRange {
  std::shared_ptr<const RecordBlock> block;
  size_t begin = 0;
  size_t end = 0;
  Timestamp loaded_at;
};

/// Make the reader of a range. `schema`: the columns of the values, then those of the facts.
Result<std::unique_ptr<SplitReader>> ReadRange(RecordRange range, const KafkaOptions& options,
                                               std::shared_ptr<arrow::Schema> schema,
                                               const PlanOptions& plan);

}  // namespace calve::source::kafka
