#pragma once

#include <string>

#include "base/result.h"

namespace calve::columnar {

/// See that a time zone is one of the IANA database on this machine, such as Europe/Berlin. Fails
/// with kConfig.
Status CheckTimeZone(const std::string& name);

}  // namespace calve::columnar
