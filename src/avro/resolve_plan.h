#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "avro/resolve.h"

namespace calve::avro {

/// What to do with the writer's values at one place; built once, run for each value.
struct ResolvePlan {
  enum class Action {
    kScalar,       ///< Read as the writer's kind, turn into the reader's.
    kEnum,         ///< symbols[writer's symbol] is the reader's.
    kFixed,        ///< Fixed and decimals.
    kRecord,       ///< steps has one plan a field of the writer.
    kArray,        ///< children[0] reads an item.
    kMap,          ///< children[0] reads a value.
    kWriterUnion,  ///< children has one plan a branch of the writer.
    kReaderUnion,  ///< children[0] reads a value of the reader's branch `branch`.
    kFail,         ///< A value here cannot be read: `problem` says why.
  };
  /// A field of the writer: read into the reader's field `slot`, or skip when `child` is null.
  struct FieldStep {
    const Node* writer = nullptr;
    const ResolvePlan* child = nullptr;
    size_t slot = 0;
  };

  Action action = Action::kFail;
  const Node* writer = nullptr;
  const Node* reader = nullptr;
  int32_t branch = -1;
  std::string problem;
  std::vector<const ResolvePlan*> children;
  std::vector<FieldStep> steps;
  std::vector<std::pair<size_t, Value>> defaults;  ///< kRecord: slot and value.
  std::vector<std::string> symbols;                ///< kEnum: "" where the reader has none.
};

/// Make the plan for a pair of schemas; all plans that it needs are added to `plans`.
Result<const ResolvePlan*> CompilePlan(const Node& writer, const Node& reader, MatchFields match,
                                       std::vector<std::unique_ptr<ResolvePlan>>* plans);

}  // namespace calve::avro
