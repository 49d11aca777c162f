#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "engine/engine.h"
#include "iceberg/schema.h"

namespace calve::audit {

/// The rows that a contract is proposed from: the SQL table `this`.
struct InferenceInput {
  std::string table;                   ///< "sales.orders"
  std::string rows_are;                ///< Of what the rows are: "snapshot 7211093".
  std::vector<iceberg::Field> fields;  ///< Their columns.
  engine::QueryOptions query;          ///< By which `this` is found.
};

/// Propose a contract, as YAML that ParseContract takes: types, what was never NULL, few values,
/// ranges, unique columns and a key. A comment at each line says what the rows show.
///
/// Reads the rows at most three times, each in one aggregate query.
Result<std::string> InferContract(const Context& context, engine::Engine& engine,
                                  const InferenceInput& input);

}  // namespace calve::audit
