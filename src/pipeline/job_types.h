#pragma once

#include <map>
#include <string>

namespace calve::pipeline {

/// Types of jobs that are templates, beside `generic`: their YAML by the name that a job's `type`
/// has.
const std::map<std::string, std::string>& JobTypes();

}  // namespace calve::pipeline
