#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/source.h"

namespace calve::source {

/// The content of a row, told apart by 128 bits.
using RowDigest = std::array<char, 16>;
RowDigest DigestOf(std::string_view row);

/// Rows that were read before, by their content; the same content may stand in several. For one
/// thread.
class SeenRows {
 public:
  /// More than these are not remembered: kRefused.
  static constexpr size_t kRowsMax = 1'000'000;

  Status Add(const RowDigest& row);
  /// Whether a row of this content was seen that was not yet taken out; it is then.
  bool Take(const RowDigest& row);
  size_t size() const { return rows_.size(); }
  /// Whether both hold the same rows; none may have been taken out.
  bool Equals(SeenRows& other);

  std::string Print();
  static Result<SeenRows> Parse(std::string_view text);

 private:
  void Sort();

  std::vector<RowDigest> rows_;
  std::vector<bool> taken_;
  bool sorted_ = true;
};

/// How far one table was read. Texts of values are the database's own.
struct TablePosition {
  std::string until;                 ///< The greatest value of the cursor column.
  std::string from;                  ///< From here to `until` rows may still turn up.
  std::vector<std::string> columns;  ///< Which `seen` is made of.
  SeenRows seen;                     ///< The rows between, both ends included.
};

/// How far the tables of a source were read, by their names.
struct TablePositions {
  std::string type;    ///< Of the source.
  std::string cursor;  ///< The column.
  std::map<std::string, TablePosition> tables;

  Position Print();
  /// Fails with kData when a position was made by another kind of source or by another column.
  static Result<TablePositions> Parse(const Position& position, const std::string& type,
                                      const std::string& cursor);
};

}  // namespace calve::source
