#include "engine/duckdb/errors.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace calve::engine {
namespace {

ErrorKind KindOf(duckdb::ExceptionType type, Phase phase) {
  switch (type) {
    case duckdb::ExceptionType::INTERRUPT:
      return ErrorKind::kStopped;
    case duckdb::ExceptionType::INTERNAL:
    case duckdb::ExceptionType::FATAL:
      return ErrorKind::kBug;
    case duckdb::ExceptionType::PERMISSION:
    case duckdb::ExceptionType::OUT_OF_MEMORY:
    case duckdb::ExceptionType::IO:
    case duckdb::ExceptionType::NETWORK:
    case duckdb::ExceptionType::HTTP:
    case duckdb::ExceptionType::NOT_IMPLEMENTED:
    case duckdb::ExceptionType::MISSING_EXTENSION:
    case duckdb::ExceptionType::AUTOLOAD:
      return ErrorKind::kRefused;
    default:
      return phase == Phase::kBind ? ErrorKind::kConfig : ErrorKind::kData;
  }
}

/// One line of text: DuckDB puts candidates and hints on lines of their own.
std::string OneSentence(const std::string& message) {
  std::string sentence;
  for (const std::string& line : Split(message, '\n')) {
    const std::string_view part = Trim(line);
    if (part.starts_with("LINE ")) break;  // a drawing of the place, which is said in words
    if (part.empty()) continue;
    if (!sentence.empty()) sentence += sentence.ends_with(':') ? " " : "; ";
    sentence += part;
  }
  return sentence.empty() ? "DuckDB gave no reason" : sentence;
}

}  // namespace

Error Translate(const duckdb::ErrorData& error, Phase phase, const SqlText* text, QueryState* state,
                size_t skipped) {
  if (state != nullptr) {
    if (auto ours = state->ErrorBehind(error.RawMessage())) return *std::move(ours);
  }
  const ErrorKind kind = KindOf(error.Type(), phase);
  if (kind == ErrorKind::kStopped) return StoppedError("stopped on request");
  std::string message = OneSentence(error.RawMessage());
  if (state != nullptr) message = state->WithoutPrivateNames(std::move(message));
  if (error.Type() == duckdb::ExceptionType::OUT_OF_MEMORY) {
    // What DuckDB proposes are settings of its own.
    message = message.substr(0, message.find("; Possible solutions"));
    message += "; raise resources.memory_limit, or lower resources.parallelism";
  }
  if (error.Type() == duckdb::ExceptionType::CONVERSION)
    message += "; try_cast gives NULL in place of an error";
  if (error.Type() == duckdb::ExceptionType::OUT_OF_RANGE)
    message += "; cast to a wider type first, such as decimal(38, 0)";
  const auto place = error.ExtraInfo().find("position");
  if (text != nullptr && place != error.ExtraInfo().end()) {
    size_t offset = 0;
    std::from_chars(place->second.data(), place->second.data() + place->second.size(), offset);
    message = "SQL " + text->PlaceOf(offset - std::min(offset, skipped)) + ": " + message;
  }
  return {kind, std::move(message)};
}

}  // namespace calve::engine
