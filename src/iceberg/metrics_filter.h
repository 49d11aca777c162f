#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "iceberg/expression.h"
#include "iceberg/predicate.h"
#include "iceberg/schema.h"

// Evaluation of a filter on the counts and bounds of one file. For use within the room.

namespace calve::iceberg {

/// What a manifest says of one column of one file; -1 and nothing where it says nothing.
struct ColumnStats {
  int64_t values = -1;
  int64_t nulls = -1;
  int64_t nans = -1;
  std::optional<std::string_view> lower;
  std::optional<std::string_view> upper;
};

/// Whether values within the bounds of `stats` may satisfy a comparison.
bool BoundsMayMatch(const Expression& leaf, const Type& type, const ColumnStats& stats);

/// Look up the statistics of `columns`; they point into `file`.
std::vector<ColumnStats> StatsOf(const DataFile& file, std::span<const FieldId> columns);

/// A filter compiled for many files. Holds copies of what it needs. Immutable. Threads: any may
/// evaluate.
class MetricsFilter {
 public:
  MetricsFilter(const Expression& filter, const Schema& schema);

  /// The columns whose statistics decide, ascending. The spans below are in this order.
  const std::vector<FieldId>& columns() const { return columns_; }
  /// Whether statistics can decide at all; when false every file may match.
  bool decides() const { return !columns_.empty() || always_false_; }

  /// False only when no row of the file can match.
  bool MayMatch(std::span<const ColumnStats> stats) const;
  /// True only when every row of the file surely matches. For filters without kNot.
  bool MustMatch(std::span<const ColumnStats> stats, int64_t record_count) const;

 private:
  /// A leaf, with its literals ready to compare.
  struct Leaf {
    Expression expression;  ///< Keeps alive what the literals point to.
    Type type;
    size_t column = 0;             ///< In columns_.
    bool nested = false;           ///< Null counts of nested columns differ between writers.
    bool comparable = true;        ///< All literals could be read.
    std::vector<Scalar> literals;  ///< Ascending.
  };
  struct Node {
    Expression::Op op = Expression::Op::kTrue;
    size_t left = 0;  ///< In nodes_; of a leaf in leaves_.
    size_t right = 0;
  };

  size_t Compile(const Expression& e, const Schema& schema);
  std::optional<size_t> CompileLeaf(const Expression& e, const Schema& schema);
  bool MayMatchNode(const Node& node, std::span<const ColumnStats> stats) const;
  bool MustMatchNode(const Node& node, std::span<const ColumnStats> stats,
                     int64_t record_count) const;

  std::vector<FieldId> columns_;
  std::vector<Leaf> leaves_;
  std::vector<Node> nodes_;
  size_t root_ = 0;
  bool always_false_ = false;
};

}  // namespace calve::iceberg
