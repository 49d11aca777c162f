#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/exit_code.h"

namespace calve::cli {

/// What a command tells when it has ended well: lines for people as they become known, or under
/// --json one object for machines. Every line has its value, so that neither reader is left out.
class Report {
 public:
  explicit Report(bool json) : json_(json) {}

  /// A line for people, whose fact machines read under `key`.
  void Line(std::string_view label, std::string_view text, const std::string& key,
            nlohmann::ordered_json value);
  /// A fact that people read in another line.
  void Fact(const std::string& key, nlohmann::ordered_json value);
  /// A line that only people need: a heading, or what they could do next.
  void Hint(std::string_view label, std::string_view text);

  /// End the report: print the object where machines read.
  ExitCode Done(ExitCode code = ExitCode::kDone);

 private:
  const bool json_;
  nlohmann::ordered_json facts_ = nlohmann::ordered_json::object();
};

/// Print a value for machines or a text for people.
void PrintEither(bool json, const nlohmann::ordered_json& value, std::string_view text);

/// Tell standard error what went wrong: a sentence, or under --json an object
/// {"error": {"kind", "message", "exit_code"}} on one line.
void PrintFailure(bool json, const Error& error);
/// The same for a command line that could not be read.
void PrintUsageFailure(bool json, const std::string& message);

}  // namespace calve::cli
