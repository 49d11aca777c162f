#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "source/text_blocks.h"

namespace calve::source {

/// Where records are in a JSON file: one a line, or the elements of an array. The array is the
/// whole document, when that begins with [, or where a path of keys leads to in it.
class JsonRowEnds : public RowEnds {
 public:
  /// `path`: keys of objects within each other; none: lines, or an array.
  explicit JsonRowEnds(std::vector<std::string> path) : path_(std::move(path)) {}
  Result<Cut> Find(std::string_view text, bool at_end) override;
  /// Whether the records are elements of an array. Known once there is a block.
  bool is_array() const { return place_ == Place::kArray || place_ == Place::kBehind; }

 private:
  enum class Place { kStart, kLines, kArray, kBehind };
  Result<Cut> FindLines(std::string_view text, bool at_end) const;
  Result<Cut> FindElements(std::string_view text, size_t begin, bool at_end);
  /// Where the array's first element begins; 0 when that was not read yet.
  Result<size_t> FindArray(std::string_view text, bool at_end) const;

  const std::vector<std::string> path_;
  Place place_ = Place::kStart;
};

/// Takes the records of a block one by one.
class JsonRecords {
 public:
  void Start(const TextBlock& block, bool is_array);
  /// The next record, blanks around it left out; false at the end of the block.
  bool Next(std::string_view* record);
  /// Why a record of JSON lines, which Next gave last, is only a piece of something that goes over
  /// several lines, and what to do; "" when it stands by itself, broken or not. Where there is a
  /// piece, what looks like rows in the lines around may be parts of the same value.
  std::string PieceFault(std::string_view record) const;
  /// The line on which the record begins.
  int64_t line() const { return line_; }
  /// The bytes of the block that were gone through.
  size_t used() const { return at_; }

 private:
  std::string_view text_;
  bool is_array_ = false;
  size_t at_ = 0;
  int64_t line_ = 1;
  int64_t next_line_ = 1;
};

}  // namespace calve::source
