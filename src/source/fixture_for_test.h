#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace calve::source {

/// One row of the input that every fixture writes, whatever its format. What a lesser type would
/// change is in it: an id beyond a double, cents, microseconds, text with delimiters, quotes and
/// line breaks.
struct ContractRow {
  int64_t id = 0;
  int64_t cents = 0;   ///< The price, decimal(18, 2), unscaled.
  int32_t day = 0;     ///< Days since 1970-01-01.
  int64_t micros = 0;  ///< A timestamptz.
  std::optional<std::string> name;

  // As text sources have them.
  std::string PriceText() const { return std::to_string(cents / 100) + ".10"; }
  std::string DayText() const {
    return FormatTimestamp(Timestamp(std::chrono::days(day))).substr(0, 10);
  }
  std::string AtText() const {
    return FormatTimestamp(Timestamp(std::chrono::microseconds(micros))).substr(0, 19) + ".000001Z";
  }
};

inline ContractRow ContractRowAt(int64_t n) {
  ContractRow row;
  row.id = 9'007'199'254'740'993 + n;
  row.cents = 100 * n + 10;
  row.day = 20'454 + static_cast<int32_t>(n % 365);
  row.micros = 1'767'225'600'000'000 + n * 1'000'000 + 1;
  if (n % 3 != 2) row.name = "Zoë, \"" + std::to_string(n) + "\"\nsaid; hello";
  return row;
}

/// Write a file of a test.
inline void WriteText(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Input that is wrong, and what the error or the reject must say: file, place and what to do.
struct BrokenInput {
  std::string name;
  std::function<void(const std::string& folder)> write;
  std::vector<std::string> says;
};

/// What a source brings to the contract suite (contract_test.cc), beside its own tests:
///
///     SOURCE_FIXTURE(csv) { return {.options = ..., .write = ..., .broken = ...}; }
struct Fixture {
  /// The source's options in YAML for input of rows [0, rows), which lies in `folder`.
  std::function<std::string(const std::string& folder, int64_t rows)> options;
  /// Add input of rows [first, first + rows) to `folder`, one file a call.
  std::function<void(const std::string& folder, int64_t first, int64_t rows)> write;
  std::vector<BrokenInput> broken;
  /// Clauses that cannot hold for this source, and why; a waiver of one that holds is a failure.
  std::map<std::string, std::string> waivers = {};
  /// Whether it always goes on from its position, without the option `incremental`.
  bool is_incremental = false;
  /// The variable by which the test run tells of the server; "" when none is needed.
  std::string server = {};
};

/// A name for a table that stands for a folder of a test.
inline std::string TableOfFolder(const std::string& folder) {
  std::string name = folder.substr(folder.size() > 50 ? folder.size() - 50 : 0);
  for (char& c : name) {
    if ((c < '0' || c > '9') && (c < 'a' || c > 'z')) c = c >= 'A' && c <= 'Z' ? c + 32 : '_';
  }
  return "t" + name;
}

/// All fixtures by source. Filled before main, as GoogleTest's own tests are.
inline std::map<std::string, Fixture (*)()>& Fixtures() {
  static std::map<std::string, Fixture (*)()> fixtures;
  return fixtures;
}

}  // namespace calve::source

#define SOURCE_FIXTURE(type)                                                \
  static ::calve::source::Fixture FixtureOf_##type();                       \
  [[maybe_unused]] static const bool has_fixture_of_##type =                \
      ::calve::source::Fixtures().emplace(#type, &FixtureOf_##type).second; \
  static ::calve::source::Fixture FixtureOf_##type()
