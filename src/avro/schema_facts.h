#pragma once

#include <memory>
#include <vector>

#include "avro/schema.h"
#include "base/result.h"

namespace calve::avro {

/// Compute bytes_min, bytes_exact and varints_exact of all nodes that are reachable from `root`.
///
/// Fails with kData when a record contains itself without end, so that it has no value.
Status ComputeFacts(Node* root);

/// Whether a decimal's parameters are valid for a node of kBytes or kFixed.
bool IsValidDecimal(const Node& node, Decimal decimal);

}  // namespace calve::avro
