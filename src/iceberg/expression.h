#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/manifest.h"
#include "iceberg/schema.h"

namespace calve::iceberg {

/// A predicate over the columns of a table. An immutable tree, cheap to copy. Threads: any.
class Expression {
 public:
  enum class Op {
    kTrue,
    kFalse,
    kAnd,
    kOr,
    kNot,
    kIsNull,
    kNotNull,
    kIsNan,
    kNotNan,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kEqual,
    kNotEqual,
    kIn,
    kNotIn,
    kStartsWith,
    kNotStartsWith,
  };

  Expression() = default;  ///< true
  static Expression True() { return {}; }
  static Expression False();
  static Expression And(Expression a, Expression b);  ///< Folds constants.
  static Expression Or(Expression a, Expression b);
  static Expression Not(Expression a);
  /// kIsNull, kNotNull, kIsNan, kNotNan of a field.
  static Expression Unary(Op op, FieldId field);
  /// A comparison of a field with values of the field's type (exactly one, but for kIn and kNotIn).
  /// SQL's rules: a null row value matches neither the comparison nor its opposite.
  static Expression Compare(Op op, FieldId field, std::vector<Value> values);

  Op op() const;
  const Expression& left() const;   ///< Of and, or, not.
  const Expression& right() const;  ///< Of and, or.
  FieldId field() const;
  const std::vector<Value>& values() const;
  /// Print with column names for people: `amount > 5 and region = 'EU'`.
  std::string ToString(const Schema& schema) const;

 private:
  struct Node;
  explicit Expression(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

/// Whether rows of a file may match: false only when no row can (spec, Scan Planning; inclusive).
/// Never prunes on uuid bounds, on inverted bounds, nor NaN rows.
bool MayMatch(const Expression& filter, const Schema& schema, const DataFile& file);
/// Whether every row of a file surely matches (strict): for deletes by filter that drop whole
/// files.
bool MustMatch(const Expression& filter, const Schema& schema, const PartitionSpec& spec,
               const DataFile& file);
/// The filter over partition values that keeps every partition that may hold matching rows
/// (inclusive projection). Its field ids are the spec's partition field ids.
Expression ProjectToPartition(const Expression& filter, const Schema& schema,
                              const PartitionSpec& spec);
/// Evaluate an inclusive projection on a file's partition values.
bool PartitionMayMatch(const Expression& projected, const PartitionSpec& spec, const Schema& schema,
                       const PartitionValues& values);
/// Evaluate an inclusive projection on a manifest's partition summaries.
bool ManifestMayMatch(const Expression& projected, const PartitionSpec& spec, const Schema& schema,
                      const ManifestFile& manifest);

}  // namespace calve::iceberg
