#include "engine/engine.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"

namespace calve::engine {
namespace {

std::string QuoteWith(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (char c : text) {
    if (c == quote) quoted += quote;
    quoted += c;
  }
  return quoted + quote;
}

}  // namespace

std::string TableReference::ToString() const {
  std::string text = place.empty() ? Join(parts, ".") : "iceberg(" + QuoteLiteral(place) + ")";
  if (ref) text += "@" + *ref;
  if (snapshot_id) text += fmt::format("@{}", *snapshot_id);
  if (as_of_ms) text += " as of " + FormatTimestamp(TimestampFromMillis(*as_of_ms));
  return text;
}

std::string QuoteIdentifier(std::string_view name) { return QuoteWith(name, '"'); }

std::string QuoteLiteral(std::string_view text) { return QuoteWith(text, '\''); }

}  // namespace calve::engine
