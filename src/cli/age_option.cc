#include "cli/age_option.h"

#include <map>

namespace calve::cli {

void AddAgeOption(CLI::App& command, const std::string& name, std::optional<int64_t>& milliseconds,
                  const std::string& meaning) {
  using CLI::AsNumberWithUnit;
  const std::map<std::string, int64_t> units = {
      {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  const auto strictly =
      AsNumberWithUnit::Options(AsNumberWithUnit::CASE_SENSITIVE | AsNumberWithUnit::UNIT_REQUIRED);
  command.add_option(name, milliseconds, meaning)
      ->transform(AsNumberWithUnit(units, strictly))
      ->check(CLI::NonNegativeNumber)
      ->type_name("AGE");
}

}  // namespace calve::cli
