#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "base/strong.h"
#include "engine/engine.h"

namespace calve::audit {

/// Count the keys that stand in more than one row of the table `this`, exactly. Rows with a NULL in
/// the key are not compared.
///
/// Only hashes of the keys are held, in at most about `memory`: where they are more, the keys are
/// read several times, and each time other ones are looked at. Keys whose hashes are alike are
/// compared by themselves.
Result<int64_t> CountRepeatedKeys(const Context& context, engine::Engine& engine,
                                  engine::TableResolver& resolver,
                                  const std::vector<std::string>& columns, ByteCount memory);

}  // namespace calve::audit
