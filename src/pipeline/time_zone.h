#pragma once

#include <string>

#include "base/result.h"

namespace calve::pipeline {

/// See that a text names a time zone: Europe/Berlin, UTC. Fails with kConfig and the nearest names.
Status CheckTimeZone(const std::string& name);

}  // namespace calve::pipeline
