#include "pipeline/cron.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "config/fault.h"

namespace calve::pipeline {
namespace {

struct Field {
  std::string_view name;
  int64_t min;
  int64_t max;
  std::string_view names;  ///< Three letters each, of `min` and those after it.
};

constexpr std::array<Field, 5> kFields = {
    Field{"minute", 0, 59, ""}, Field{"hour", 0, 23, ""}, Field{"day of the month", 1, 31, ""},
    Field{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    Field{"weekday", 0, 7, "sunmontuewedthufrisat"}};

/// A number of a field, or a name.
std::optional<int64_t> ReadValue(std::string_view text, const Field& field) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (digits) {
    const std::optional<int64_t> value = ParseInteger(text);
    return value.has_value() && *value >= field.min && *value <= field.max ? value : std::nullopt;
  }
  const std::string name = ToLower(text);
  if (name.size() != 3) return std::nullopt;
  for (size_t at = 0; at < field.names.size(); at += 3) {
    if (field.names.substr(at, 3) == name) return field.min + static_cast<int64_t>(at / 3);
  }
  return std::nullopt;
}

/// One item of a field's list: `*`, `5`, `mon-fri`, each with `/15` behind it if wanted.
bool IsItem(std::string_view text, const Field& field) {
  const size_t slash = text.find('/');
  const std::string_view range = text.substr(0, slash);
  if (slash != std::string_view::npos) {
    const std::string_view step = text.substr(slash + 1);
    const bool digits = !step.empty() && step.find_first_not_of("0123456789") == std::string::npos;
    const std::optional<int64_t> value = digits ? ParseInteger(step) : std::nullopt;
    if (!value.has_value() || *value < 1 || *value > field.max) return false;
  }
  if (range == "*") return true;
  const size_t dash = range.find('-');
  const std::optional<int64_t> first = ReadValue(range.substr(0, dash), field);
  if (dash == std::string_view::npos) return first.has_value();
  const std::optional<int64_t> last = ReadValue(range.substr(dash + 1), field);
  return first.has_value() && last.has_value() && *first <= *last;
}

bool IsField(const std::string& text, const Field& field) {
  const std::vector<std::string> items = Split(text, ',');
  return std::all_of(items.begin(), items.end(),
                     [&](const std::string& item) { return IsItem(item, field); });
}

}  // namespace

Status CheckCron(std::string_view text) {
  std::vector<std::string> found;
  for (const std::string& word : Split(text, ' ')) {
    if (!word.empty()) found.push_back(word);
  }
  if (found.size() != kFields.size()) {
    return ConfigError(
        "expected five fields, minute hour day month weekday, such as 0 5 * * *, "
        "found " +
        std::to_string(found.size()) + " in " + config::QuoteForMessage(text));
  }
  std::vector<std::string> wrong;
  for (size_t i = 0; i < kFields.size(); ++i) {
    const Field& field = kFields[i];
    if (IsField(found[i], field)) continue;
    wrong.push_back(config::QuoteForMessage(found[i]) + " is no " + std::string(field.name) +
                    "; expected *, numbers from " + std::to_string(field.min) + " to " +
                    std::to_string(field.max) + (field.names.empty() ? "" : " or names") +
                    ", ranges as 1-5, steps as */15, or a list of these");
  }
  return wrong.empty() ? Status::Ok() : Status(ConfigError(Join(wrong, "; ")));
}

}  // namespace calve::pipeline
