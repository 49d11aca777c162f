#include "source/decimal_policy.h"

#include <string_view>

#include "base/text.h"

namespace calve::source {

Result<std::optional<DecimalSize>> ParseDecimalPolicy(const std::string& text,
                                                      const std::string& option) {
  if (text == "string") return std::optional<DecimalSize>();
  const size_t comma = text.find(',');
  if (text.starts_with("decimal(") && text.ends_with(')') && comma != std::string::npos) {
    const auto precision = ParseInteger(Trim(std::string_view(text).substr(8, comma - 8)));
    const auto scale =
        ParseInteger(Trim(std::string_view(text).substr(comma + 1, text.size() - comma - 2)));
    if (precision && scale && *precision >= 1 && *precision <= 38 && *scale >= 0 &&
        *scale <= *precision) {
      return std::optional(DecimalSize{.precision = static_cast<int>(*precision),
                                       .scale = static_cast<int>(*scale)});
    }
  }
  return ConfigError("'" + text + "' is no type for " + option +
                     "; expected string, or a decimal of up to 38 digits such as decimal(38, 9)");
}

}  // namespace calve::source
