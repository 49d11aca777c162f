#include "cli/report.h"

#include "cli/print.h"

namespace calve::cli {
namespace {

void PrintFailure(std::string_view kind, std::string_view message, ExitCode code) {
  const nlohmann::ordered_json failure = {
      {"error", {{"kind", kind}, {"message", message}, {"exit_code", static_cast<int>(code)}}}};
  PrintError(failure.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

void Report::Line(std::string_view label, std::string_view text, const std::string& key,
                  nlohmann::ordered_json value) {
  Hint(label, text);
  Fact(key, std::move(value));
}

void Report::Fact(const std::string& key, nlohmann::ordered_json value) {
  facts_[key] = std::move(value);
}

void Report::Hint(std::string_view label, std::string_view text) {
  if (!json_) PrintLine(label, text);
}

ExitCode Report::Done(ExitCode code) {
  if (json_) PrintEither(json_, facts_, "");
  return code;
}

void PrintEither(bool json, const nlohmann::ordered_json& value, std::string_view text) {
  if (!json) return Print(text);
  Print(value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void PrintFailure(bool json, const Error& error) {
  if (json) return PrintFailure(ToString(error.kind), MessageOf(error), ExitCodeOf(error));
  const bool bug = error.kind == ErrorKind::kBug;
  PrintError((bug ? "calve has a bug, please report it: " : "calve: ") + MessageOf(error));
}

void PrintUsageFailure(bool json, const std::string& message) {
  if (json) return PrintFailure(ToString(ErrorKind::kConfig), message, ExitCode::kConfiguration);
  PrintError("calve: " + message);
}

}  // namespace calve::cli
