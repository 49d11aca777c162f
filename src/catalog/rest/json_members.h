#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace calve::catalog {

/// The members of a JSON object, each value as it stands in the text: so that large metadata is
/// parsed once, by whoever knows it. The text outlives them.
///
/// Values are told apart, not checked. Fails with kData when the text is no object or ends inside
/// one.
Result<std::map<std::string, std::string_view>> JsonMembers(std::string_view text);

}  // namespace calve::catalog
