#include "config/edit.h"

#include <fmt/format.h>

#include <charconv>
#include <unordered_map>

#include "base/text.h"

namespace calve::config {

namespace {

/// The list position that a step of a path names, or none when it is no whole number.
std::optional<size_t> Position(std::string_view step) {
  size_t position = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), position);
  if (step.empty() || error != std::errc() || end != step.data() + step.size()) return std::nullopt;
  return position;
}

}  // namespace

Status SetPath(Node& root, std::string_view path, Node value) {
  constexpr size_t kStepsMax = 32;
  const std::vector<std::string> steps = Split(path, '.');
  if (steps.size() > kStepsMax)
    return ConfigError(fmt::format("a path has at most {} steps", kStepsMax));
  Node* at = &root;
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string& step = steps[i];
    if (step.empty())
      return ConfigError(fmt::format("{} has an empty step; write names with one dot between",
                                     QuoteForMessage(path)));
    if (at->is_null()) *at = Node::Mapping();
    if (at->is_scalar()) {
      return ConfigError(fmt::format("{} leads through a single value; {} has no keys",
                                     QuoteForMessage(path),
                                     QuoteForMessage(Join(std::span(steps).first(i), "."))));
    }
    if (at->is_sequence()) {
      const std::optional<size_t> position = Position(step);
      if (!position.has_value() || *position >= at->items().size()) {
        return ConfigError(fmt::format(
            "{} leads into a list of {}, where {} is no position; positions begin with 0",
            QuoteForMessage(path), at->items().size(), QuoteForMessage(step)));
      }
      at = &at->items()[*position];
    } else {
      if (at->Find(step) == nullptr) at->Set(step, Node());
      at = at->Find(step);
    }
  }
  *at = std::move(value);
  return Status::Ok();
}

const Node* FindPath(const Node& root, std::string_view path) {
  const Node* at = &root;
  for (const std::string& step : Split(path, '.')) {
    if (at->is_sequence()) {
      const std::optional<size_t> position = Position(step);
      at = position.has_value() && *position < at->items().size() ? &at->items()[*position]
                                                                  : nullptr;
    } else {
      at = at->Find(step);
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

void Overlay(Node& base, const Node& over) {
  if (!base.is_mapping() || !over.is_mapping()) {
    base = over;
    return;
  }
  std::unordered_map<std::string, size_t>
      positions;  // Mappings may be large: looking each key up in turn is too slow.
  for (size_t i = 0; i < base.entries().size(); ++i)
    positions.try_emplace(base.entries()[i].key, i);
  for (const Node::Entry& entry : over.entries()) {
    const auto old = positions.find(entry.key);
    if (old == positions.end()) {
      base.entries().push_back(entry);
    } else {
      Overlay(base.entries()[old->second].value, entry.value);
    }
  }
}

}  // namespace calve::config
