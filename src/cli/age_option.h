#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace calve::cli {

/// Add an option that takes an age such as 12h or 5d, in milliseconds then.
void AddAgeOption(CLI::App& command, const std::string& name, std::optional<int64_t>& milliseconds,
                  const std::string& meaning);

}  // namespace calve::cli
