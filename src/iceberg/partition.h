#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/ids.h"
#include "iceberg/schema.h"
#include "iceberg/type.h"
#include "iceberg/value.h"

namespace calve::iceberg {

/// A function from a column's value to a partition or sort value (spec, Partition Transforms).
class Transform {
 public:
  enum class Kind { kIdentity, kBucket, kTruncate, kYear, kMonth, kDay, kHour, kVoid, kUnknown };

  Transform() = default;  ///< identity
  static Transform Identity() { return Transform(Kind::kIdentity, 0); }
  static Transform Bucket(int count) { return Transform(Kind::kBucket, count); }
  static Transform Truncate(int width) { return Transform(Kind::kTruncate, width); }
  static Transform Of(Kind kind) { return Transform(kind, 0); }
  /// A transform that this version does not know, by its text.
  static Transform Unknown(std::string text);

  /// Read `identity`, `bucket[16]`, `truncate[4]`, `year`, ... A well-formed name that is not known
  /// becomes kUnknown, which reads as no pruning and refuses to write.
  static Result<Transform> Parse(std::string_view text);
  std::string ToString() const;

  Kind kind() const { return kind_; }
  int parameter() const { return parameter_; }

  /// The type of the results for a source of type `source`; fails with kConfig when the transform
  /// does not take that type.
  Result<Type> ResultType(const Type& source) const;
  /// Apply to one value of type `source`; null gives null. The caller has checked ResultType.
  Value Apply(const Type& source, const Value& value) const;
  /// Print a result for people and partition paths: year 2026, month 2026-11, day 2026-11-21, hour
  /// 2026-11-21-08, else as its type.
  std::string ToText(const Type& source, const Value& result) const;

  bool operator==(const Transform&) const = default;

 private:
  Transform(Kind kind, int parameter) : kind_(kind), parameter_(parameter) {}
  Kind kind_ = Kind::kIdentity;
  int parameter_ = 0;
  std::string unknown_name_;
};

/// The 32-bit hash that bucket is made of (spec, Appendix B). `value` must not be null.
int32_t BucketHash(const Type& type, const Value& value);

struct PartitionField {
  FieldId source_id;
  FieldId field_id;  ///< 1000 and up.
  std::string name;
  Transform transform;
  /// v3: the further columns of a transform of several, none of which is known yet; carried through
  /// unharmed.
  std::vector<FieldId> more_source_ids = {};
  bool operator==(const PartitionField&) const = default;
};

/// How a table's files are laid out; each data file belongs to one spec.
struct PartitionSpec {
  SpecId id{0};
  std::vector<PartitionField> fields;

  bool is_unpartitioned() const;
  /// The struct of partition values: optional fields in the spec's order with the spec's field ids.
  /// A source column that the schema no longer has gives `unknown` for identity, and the
  /// transform's own type otherwise.
  Type PartitionType(const Schema& schema) const;
  bool operator==(const PartitionSpec&) const = default;
};

/// Read a person's form: `day(ts)`, `bucket(16, id)`, `truncate(4, name)`, `region`. Names fields
/// as Iceberg's writers do (ts_day, id_bucket, name_trunc, region). Fails with kConfig and the
/// nearest column names.
Result<std::vector<PartitionField>> ParsePartitionFields(const std::vector<std::string>& texts,
                                                         const Schema& schema,
                                                         FieldId last_assigned);

/// Values of one partition in the spec's order; each in the form of the transform's result type.
using PartitionValues = std::vector<Value>;

/// `region=EU/ts_day=2026-11-21`, each part URL-encoded; "" when unpartitioned.
std::string PartitionPath(const PartitionSpec& spec, const Schema& schema,
                          const PartitionValues& values);

struct SortField {
  FieldId source_id;
  Transform transform;
  bool ascending = true;
  bool nulls_first = true;
  std::vector<FieldId> more_source_ids = {};  ///< As PartitionField has them.
  bool operator==(const SortField&) const = default;
};

struct SortOrder {
  SortOrderId id{0};
  std::vector<SortField> fields;
  bool operator==(const SortOrder&) const = default;
};

}  // namespace calve::iceberg
