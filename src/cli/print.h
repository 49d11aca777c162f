#pragma once

#include <arrow/record_batch.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace calve::cli {

/// Print a text to standard output.
void Print(std::string_view text);
/// Print one line to standard error, after what was printed to standard output.
void PrintError(std::string_view line);
/// One line of a report: a short label, then what it says, aligned.
void PrintLine(std::string_view label, std::string_view text);

/// A number of things: "1 file", "2,000 files".
std::string Counted(int64_t n, std::string_view noun);

/// Whether standard output (or error) is a terminal that a person looks at.
bool IsTerminal(std::FILE* stream);

enum class Colour { kNone, kGreen, kYellow, kRed, kDim, kBold };
/// Colour a text when `on`; NO_COLOR and pipes turn it off at the caller.
std::string Coloured(std::string_view text, Colour colour, bool on);

/// Rows of cells under a header, aligned by the width of what stands in them; numbers to the right.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header, std::vector<bool> right = {});
  void Add(std::vector<std::string> cells);
  std::string Render() const;
  bool empty() const { return rows_.empty(); }

 private:
  std::vector<std::string> header_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

/// How many columns of a terminal a UTF-8 text takes, near enough: one for each character.
size_t DisplayWidth(std::string_view text);

/// A bar of `width` characters that is filled to `share` (0 to 1).
std::string Bar(double share, size_t width);

}  // namespace calve::cli
