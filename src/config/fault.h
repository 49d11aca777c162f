#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace calve::config {

/// Where something stands in a file. Lines and columns count from 1; columns count characters, not
/// bytes.
///
/// A line of 0 means the file as a whole; no file means a value that was made by the program or
/// came by an API.
struct Place {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;

  /// The file's name, or "" when there is none.
  std::string_view file_name() const {
    return file == nullptr ? std::string_view() : std::string_view(*file);
  }
  bool operator==(const Place& other) const {
    return file_name() == other.file_name() && line == other.line && column == other.column;
  }
};

/// Print as config/jobs/daily_sales.yaml:9:3, without what is unknown.
std::string ToString(const Place& place);

/// One thing that is wrong, where, and what to do about it.
struct Fault {
  Place place;
  std::string message;  ///< What was found and what was expected.
  std::string hint;     ///< What to do; may be empty.

  /// "message; hint".
  std::string Sentence() const;
};

/// Everything that is wrong with a configuration, collected so that a person sees it all at once.
///
/// Texts given to Hide never come out again, whichever message they are in.
class Faults {
 public:
  void Add(Place place, std::string message, std::string hint = {});
  /// Note something that works today but should be changed, such as a deprecated key. Not a fault.
  void Warn(Place place, std::string message, std::string hint = {});
  /// Keep a secret's text out of every message, also of those added before. Texts of under 4 bytes
  /// are left alone.
  void Hide(std::string_view secret);

  /// Whether nothing is wrong; warnings do not count.
  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }
  /// Whether more faults are only counted, so that working out a hint for one is wasted.
  bool is_full() const { return faults_.size() >= kKeptMax; }
  /// All faults (at most 200 are kept) by file (in the order in which files first came up), line
  /// and column.
  std::vector<Fault> Sorted() const;
  std::vector<Fault> SortedWarnings() const;

  /// Print faults (at most 100) as aligned lines, then "3 faults, nothing was run."; "" when there
  /// are none.
  std::string Render(std::string_view consequence = "nothing was run") const;
  /// All faults as one kConfig error whose message is Render's text, or ok.
  Status ToStatus(std::string_view consequence = "nothing was run") const;

 private:
  static constexpr size_t kKeptMax = 200;

  std::vector<Fault> Sort(std::vector<Fault> faults) const;

  size_t count_ = 0;
  std::vector<Fault> faults_;
  std::vector<Fault> warnings_;
  std::set<std::string, std::less<>> hidden_;
};

/// Put a person's text in single quotes for a message: control characters escaped, cut after 60
/// characters.
std::string QuoteForMessage(std::string_view text);

}  // namespace calve::config
