#include "iceberg/expression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "iceberg/metrics.h"
#include "iceberg/partition_codec.h"
#include "iceberg/partition_summary.h"
#include "iceberg/predicate.h"
#include "iceberg/table_for_test.h"

namespace calve::iceberg {
namespace {

using Op = Expression::Op;

constexpr FieldId kInt(1), kText(2), kReal(3), kMoment(4), kMoney(5), kDay(6), kNested(8),
    kUuidColumn(9);

SchemaPtr AllTypes() {
  return Must(Schema::Make(
      SchemaId(0), {{.id = kInt, .name = "i", .type = Type::Int()},
                    {.id = kText, .name = "s", .type = Type::String()},
                    {.id = kReal, .name = "r", .type = Type::Double()},
                    {.id = kMoment, .name = "t", .type = Type::TimestampTz()},
                    {.id = kMoney, .name = "m", .type = Type::Decimal(9, 2)},
                    {.id = kDay, .name = "d", .type = Type::Date()},
                    {.id = FieldId(7),
                     .name = "n",
                     .type = Type::Struct({{.id = kNested, .name = "x", .type = Type::Long()}})},
                    {.id = kUuidColumn, .name = "u", .type = Type::UuidType()}}));
}

Value V(const char* text) { return Value(std::string(text)); }

TEST(ExpressionTest, FoldsConstants) {
  const Expression leaf = Expression::Compare(Op::kLess, kInt, {Value(5)});
  EXPECT_EQ(Expression::And(Expression::True(), leaf).op(), Op::kLess);
  EXPECT_EQ(Expression::And(leaf, Expression::False()).op(), Op::kFalse);
  EXPECT_EQ(Expression::Or(leaf, Expression::True()).op(), Op::kTrue);
  EXPECT_EQ(Expression::Or(Expression::False(), leaf).op(), Op::kLess);
  EXPECT_EQ(Expression::Not(Expression::True()).op(), Op::kFalse);
}

TEST(ExpressionTest, PrintsWithColumnNames) {
  const SchemaPtr schema = AllTypes();
  const Expression e =
      Expression::And(Expression::Compare(Op::kGreater, kInt, {Value(5)}),
                      Expression::Or(Expression::Compare(Op::kIn, kText, {V("EU"), V("US")}),
                                     Expression::Unary(Op::kIsNull, kNested)));
  EXPECT_EQ(e.ToString(*schema), "i > 5 and (s in ('EU', 'US') or n.x is null)");
  EXPECT_EQ(Expression::Not(e.left()).ToString(*schema), "not (i > 5)");
}

TEST(ExpressionTest, NegationIsPushedIntoLeaves) {
  const SchemaPtr schema = AllTypes();
  const Expression e =
      Expression::Not(Expression::Or(Expression::Compare(Op::kLess, kInt, {Value(5)}),
                                     Expression::Not(Expression::Unary(Op::kIsNan, kReal))));
  EXPECT_EQ(WithoutNot(e).ToString(*schema), "i >= 5 and r is NaN");
}

DataFile FileWithBounds(FieldId id, const Type& type, const Value& lower, const Value& upper) {
  DataFile file;
  file.record_count = 10;
  file.metrics.value_counts.Set(id, 10);
  file.metrics.null_value_counts.Set(id, 0);
  file.metrics.lower_bounds.Set(id, Must(ToBytes(type, lower)));
  file.metrics.upper_bounds.Set(id, Must(ToBytes(type, upper)));
  return file;
}

TEST(ExpressionTest, BoundsOfAWidenedColumnKeepTheirWidthAndStillPrune) {
  const SchemaPtr schema =
      Must(Schema::Make(SchemaId(1), {{.id = kInt, .name = "i", .type = Type::Long()},
                                      {.id = kReal, .name = "r", .type = Type::Double()}}));
  DataFile file = FileWithBounds(kInt, Type::Int(), Value(10), Value(20));
  EXPECT_FALSE(
      MayMatch(Expression::Compare(Op::kGreater, kInt, {Value(int64_t{20})}), *schema, file));
  EXPECT_TRUE(MayMatch(Expression::Compare(Op::kEqual, kInt, {Value(int64_t{20})}), *schema, file));
}

TEST(ExpressionTest, BoundsInDaysPruneAColumnThatBecameATimestamp) {
  const SchemaPtr schema =
      Must(Schema::Make(SchemaId(1), {{.id = kMoment, .name = "t", .type = Type::Timestamp()},
                                      {.id = kDay, .name = "z", .type = Type::TimestampTz()}}));
  constexpr int64_t kDayMicros = 86'400'000'000;
  DataFile file = FileWithBounds(kMoment, Type::Date(), Value(int32_t{10}), Value(int32_t{20}));
  const auto after = [&](FieldId id, int64_t micros) {
    return MayMatch(Expression::Compare(Op::kGreater, id, {Value(micros)}), *schema, file);
  };
  EXPECT_TRUE(after(kMoment, 20 * kDayMicros - 1));
  EXPECT_FALSE(after(kMoment, 20 * kDayMicros));
  // No promotion leads from a date to a moment with zone: such bounds mean nothing.
  file = FileWithBounds(kDay, Type::Date(), Value(int32_t{10}), Value(int32_t{20}));
  EXPECT_TRUE(after(kDay, 20 * kDayMicros));
}

TEST(ExpressionTest, UuidsNeverPrune) {
  const SchemaPtr schema = AllTypes();
  Uuid low{}, high{};
  high[0] = 0x10;
  Uuid other{};
  other[0] = 0xff;
  const DataFile file = FileWithBounds(kUuidColumn, Type::UuidType(), Value(low), Value(high));
  EXPECT_TRUE(
      MayMatch(Expression::Compare(Op::kEqual, kUuidColumn, {Value(other)}), *schema, file));
}

TEST(ExpressionTest, InvertedBoundsAreNoBounds) {
  const SchemaPtr schema = AllTypes();
  const DataFile file = FileWithBounds(kInt, Type::Int(), Value(20), Value(10));
  EXPECT_TRUE(MayMatch(Expression::Compare(Op::kEqual, kInt, {Value(500)}), *schema, file));
}

TEST(ExpressionTest, ZerosOfEitherSignAreEqual) {
  const SchemaPtr schema = AllTypes();
  DataFile file = FileWithBounds(kReal, Type::Double(), Value(-0.0), Value(-0.0));
  file.metrics.nan_value_counts.Set(kReal, 0);
  EXPECT_TRUE(MayMatch(Expression::Compare(Op::kEqual, kReal, {Value(0.0)}), *schema, file));
  EXPECT_TRUE(
      MayMatch(Expression::Compare(Op::kGreaterOrEqual, kReal, {Value(0.0)}), *schema, file));
}

TEST(ExpressionTest, NanRowsAreKeptForGreater) {
  const SchemaPtr schema = AllTypes();
  DataFile file = FileWithBounds(kReal, Type::Double(), Value(1.0), Value(2.0));
  const Expression above = Expression::Compare(Op::kGreater, kReal, {Value(5.0)});
  EXPECT_TRUE(MayMatch(above, *schema, file));
  file.metrics.nan_value_counts.Set(kReal, 0);
  EXPECT_FALSE(MayMatch(above, *schema, file));
}

TEST(ExpressionTest, AFileThatSaysNothingOfAColumnIsKept) {
  const SchemaPtr schema = AllTypes();
  DataFile file;
  file.record_count = 10;
  for (const Op op : {Op::kIsNull, Op::kNotNull})
    EXPECT_TRUE(MayMatch(Expression::Unary(op, kInt), *schema, file));
  EXPECT_TRUE(MayMatch(Expression::Compare(Op::kEqual, kInt, {Value(1)}), *schema, file));
  EXPECT_TRUE(MayMatch(Expression::Compare(Op::kEqual, FieldId(999), {Value(1)}), *schema, file));
}

TEST(ExpressionTest, PrefixesPruneByTruncatedBounds) {
  const SchemaPtr schema = AllTypes();
  const DataFile file = FileWithBounds(kText, Type::String(), V("mango"), V("peach"));
  const auto starts = [&](const char* prefix) {
    return MayMatch(Expression::Compare(Op::kStartsWith, kText, {V(prefix)}), *schema, file);
  };
  EXPECT_FALSE(starts("apple"));
  EXPECT_FALSE(starts("pear"));
  EXPECT_TRUE(starts("peac"));
  EXPECT_TRUE(starts("m"));
  EXPECT_TRUE(starts(""));
  const DataFile same = FileWithBounds(kText, Type::String(), V("ma"), V("mz"));
  EXPECT_FALSE(MayMatch(Expression::Compare(Op::kNotStartsWith, kText, {V("m")}), *schema, same));
}

PartitionSpec SpecOfOne(FieldId source, Transform transform) {
  return {.id = SpecId(1),
          .fields = {{.source_id = source,
                      .field_id = FieldId(1000),
                      .name = "p",
                      .transform = std::move(transform)}}};
}

TEST(ExpressionTest, AFullDayIsDroppedByItsEdges) {
  const SchemaPtr schema = AllTypes();
  const PartitionSpec spec = SpecOfOne(kMoment, Transform::Of(Transform::Kind::kDay));
  constexpr int64_t kDayMicros = 86'400'000'000;
  const Expression day =
      Expression::And(Expression::Compare(Op::kGreaterOrEqual, kMoment, {Value(100 * kDayMicros)}),
                      Expression::Compare(Op::kLess, kMoment, {Value(101 * kDayMicros)}));
  DataFile file;
  file.record_count = 5;
  file.partition = {Value(int32_t{100})};
  EXPECT_TRUE(MustMatch(day, *schema, spec, file));
  file.partition = {Value(int32_t{101})};
  EXPECT_FALSE(MustMatch(day, *schema, spec, file));
  EXPECT_FALSE(
      PartitionMayMatch(ProjectToPartition(day, *schema, spec), spec, *schema, file.partition));
}

TEST(ExpressionTest, BucketsOfOtherValuesArePruned) {
  const SchemaPtr schema = AllTypes();
  const PartitionSpec spec = SpecOfOne(kInt, Transform::Bucket(16));
  const Expression projected =
      ProjectToPartition(Expression::Compare(Op::kEqual, kInt, {Value(34)}), *schema, spec);
  const Value home = Transform::Bucket(16).Apply(Type::Int(), Value(34));
  int kept = 0;
  for (int32_t bucket = 0; bucket < 16; ++bucket) {
    kept += PartitionMayMatch(projected, spec, *schema, {Value(bucket)}) ? 1 : 0;
  }
  EXPECT_EQ(kept, 1);
  EXPECT_TRUE(PartitionMayMatch(projected, spec, *schema, {home}));
}

TEST(ExpressionTest, TruncationThatWrapsBelowTheLeastNumberLosesNoRow) {
  const SchemaPtr schema = AllTypes();
  constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  const std::vector<int32_t> numbers = {kLeast, kLeast + 1, kLeast + 9, kLeast + 10, kLeast + 11,
                                        -14,    0,          7,          kMost - 10,  kMost};
  const auto matches = [](Op op, int32_t a, int32_t b) {
    switch (op) {
      case Op::kLess:
        return a < b;
      case Op::kLessOrEqual:
        return a <= b;
      case Op::kGreater:
        return a > b;
      case Op::kGreaterOrEqual:
        return a >= b;
      default:
        return op == Op::kEqual ? a == b : a != b;
    }
  };
  for (const int width : {1, 3, 7, 10}) {
    const Transform transform = Transform::Truncate(width);
    const PartitionSpec spec = {.id = SpecId(1),
                                .fields = {{.source_id = kInt,
                                            .field_id = FieldId(1000),
                                            .name = "i_trunc",
                                            .transform = transform}}};
    for (const Op op : {Op::kLess, Op::kLessOrEqual, Op::kGreater, Op::kGreaterOrEqual, Op::kEqual,
                        Op::kNotEqual}) {
      for (const int32_t literal : numbers) {
        const Expression filter = Expression::Compare(op, kInt, {Value(literal)});
        SCOPED_TRACE(filter.ToString(*schema) + ", width " + std::to_string(width));
        const Expression projected = ProjectToPartition(filter, *schema, spec);
        for (const int32_t number : numbers) {
          DataFile file;
          file.record_count = 1;
          file.partition = {transform.Apply(Type::Int(), Value(number))};
          if (matches(op, number, literal)) {
            EXPECT_TRUE(PartitionMayMatch(projected, spec, *schema, file.partition)) << number;
          } else {
            EXPECT_FALSE(MustMatch(filter, *schema, spec, file)) << number;
          }
        }
      }
    }
  }
}

TEST(ExpressionTest, UnknownTransformsNeverPrune) {
  const SchemaPtr schema = AllTypes();
  const PartitionSpec spec = SpecOfOne(kInt, Must(Transform::Parse("zorder[3]")));
  const Expression filter = Expression::Compare(Op::kEqual, kInt, {Value(34)});
  EXPECT_EQ(ProjectToPartition(filter, *schema, spec).op(), Op::kTrue);
  DataFile file;
  file.partition = {V("whatever")};
  EXPECT_FALSE(MustMatch(filter, *schema, spec, file));
}

TEST(ExpressionTest, SummariesPruneManifests) {
  const SchemaPtr schema = AllTypes();
  const PartitionSpec spec = SpecOfOne(kText, Transform::Identity());
  ManifestFile manifest;
  manifest.partitions = {
      {.contains_null = false, .contains_nan = false, .lower_bound = "DE", .upper_bound = "FR"}};
  const auto may = [&](const Expression& filter) {
    return ManifestMayMatch(ProjectToPartition(filter, *schema, spec), spec, *schema, manifest);
  };
  EXPECT_TRUE(may(Expression::Compare(Op::kEqual, kText, {V("ES")})));
  EXPECT_FALSE(may(Expression::Compare(Op::kEqual, kText, {V("US")})));
  EXPECT_FALSE(may(Expression::Unary(Op::kIsNull, kText)));
  manifest.partitions = {
      {.contains_null = true, .contains_nan = false, .lower_bound = {}, .upper_bound = {}}};
  EXPECT_FALSE(may(Expression::Compare(Op::kEqual, kText, {V("ES")})));
  EXPECT_FALSE(may(Expression::Unary(Op::kNotNull, kText)));
  manifest.partitions.clear();
  EXPECT_TRUE(may(Expression::Compare(Op::kEqual, kText, {V("US")})));
}

// ---- Soundness: whatever is random, no file with a matching row is pruned, and no file with
// another row is dropped whole.

using Row = std::map<FieldId, Value>;

struct Generator {
  Random& random;
  const Schema& schema;

  uint64_t Below(uint64_t n) { return random.Below(n); }
  bool Chance(uint64_t of) { return Below(of) == 0; }

  Value Of(FieldId id) {
    static const char* const kWords[] = {
        "", "a", "ab", "abc", "abd", "b", "zz", "\xC3\xA9t\xC3\xA9", "\xF4\x8F\xBF\xBF"};
    static const double kReals[] = {-2.5,
                                    -0.0,
                                    0.0,
                                    1.0,
                                    7.5,
                                    std::numeric_limits<double>::quiet_NaN(),
                                    std::numeric_limits<double>::infinity()};
    if (id == kInt) return Value(static_cast<int32_t>(Below(40)) - 20);
    if (id == kText) return V(kWords[Below(9)]);
    if (id == kReal) return Value(kReals[Below(7)]);
    if (id == kMoment)
      return Value((static_cast<int64_t>(Below(200)) - 100) * 7'200'000'000 -
                   static_cast<int64_t>(Below(3)));
    if (id == kMoney) return Value(Decimal{static_cast<Int128>(Below(60)) - 30});
    if (id == kDay) return Value(static_cast<int32_t>(Below(800)) - 400);
    return Value(static_cast<int64_t>(Below(20)) - 10);
  }
  FieldId Column() {
    static constexpr FieldId kColumns[] = {kInt, kText, kReal, kMoment, kMoney, kDay, kNested};
    return kColumns[Below(7)];
  }
  Row NextRow() {
    Row row;
    for (const FieldId id : {kInt, kText, kReal, kMoment, kMoney, kDay, kNested}) {
      row[id] = Chance(6) ? Value() : Of(id);
    }
    return row;
  }
  Expression Filter(int depth) {
    const uint64_t kind = depth == 0 ? 3 : Below(8);
    if (kind == 0) return Expression::And(Filter(depth - 1), Filter(depth - 1));
    if (kind == 1) return Expression::Or(Filter(depth - 1), Filter(depth - 1));
    if (kind == 2) return Expression::Not(Filter(depth - 1));
    const FieldId id = Column();
    const auto op = static_cast<Op>(static_cast<int>(Op::kIsNull) + static_cast<int>(Below(14)));
    if (op == Op::kIsNan || op == Op::kNotNan) return Expression::Unary(op, kReal);
    if (op < Op::kLess) return Expression::Unary(op, id);
    if (op == Op::kStartsWith || op == Op::kNotStartsWith)
      return Expression::Compare(op, kText, {Of(kText)});
    std::vector<Value> values = {Of(id)};
    while ((op == Op::kIn || op == Op::kNotIn) && !Chance(3)) values.push_back(Of(id));
    return Expression::Compare(op, id, std::move(values));
  }
  PartitionSpec Spec() {
    PartitionSpec spec{.id = SpecId(1), .fields = {}};
    const uint64_t count = Below(3);
    for (uint64_t i = 0; i < count; ++i) {
      const FieldId id = Column();
      static const Transform kTransforms[] = {Transform::Identity(),
                                              Transform::Bucket(4),
                                              Transform::Truncate(2),
                                              Transform::Of(Transform::Kind::kYear),
                                              Transform::Of(Transform::Kind::kMonth),
                                              Transform::Of(Transform::Kind::kDay),
                                              Transform::Of(Transform::Kind::kHour),
                                              Transform::Of(Transform::Kind::kVoid)};
      const Transform& transform = kTransforms[Below(8)];
      if (!transform.ResultType(schema.FindById(id)->type).ok()) continue;
      spec.fields.push_back({.source_id = id,
                             .field_id = FieldId(1000 + static_cast<int>(i)),
                             .name = "p",
                             .transform = transform});
    }
    return spec;
  }
};

/// True, false or neither, as SQL; NaN above all numbers when `nan_is_greatest`, else in no order
/// (IEEE 754).
std::optional<bool> Matches(const Expression& e, const Row& row, bool nan_is_greatest) {
  if (e.op() == Op::kTrue || e.op() == Op::kFalse) return e.op() == Op::kTrue;
  if (e.op() == Op::kNot) {
    const auto inner = Matches(e.left(), row, nan_is_greatest);
    return inner ? std::optional(!*inner) : std::nullopt;
  }
  if (e.op() == Op::kAnd || e.op() == Op::kOr) {
    const bool decides = e.op() == Op::kOr;
    const auto a = Matches(e.left(), row, nan_is_greatest),
               b = Matches(e.right(), row, nan_is_greatest);
    if (a == decides || b == decides) return decides;
    return a && b ? std::optional(!decides) : std::nullopt;
  }
  const Value& v = row.at(e.field());
  if (e.op() == Op::kIsNull) return v.is_null();
  if (e.op() == Op::kNotNull) return !v.is_null();
  if (e.op() == Op::kIsNan) return IsNan(v);
  if (e.op() == Op::kNotNan) return !IsNan(v);
  if (v.is_null()) return std::nullopt;
  const auto zero = [](const Value& x) {
    return x.get_if<double>() && *x.get_if<double>() == 0 ? Value(0.0) : x;
  };
  const auto unordered = [&](const Value& x) { return !nan_is_greatest && (IsNan(v) || IsNan(x)); };
  const auto equal_any = [&] {
    return std::any_of(e.values().begin(), e.values().end(), [&](const Value& x) {
      return !unordered(x) && Compare(zero(v), zero(x)) == 0;
    });
  };
  const Value& x = e.values().front();
  switch (e.op()) {
    case Op::kEqual:
    case Op::kIn:
      return equal_any();
    case Op::kNotEqual:
    case Op::kNotIn:
      return !equal_any();
    case Op::kLess:
      return !unordered(x) && Compare(zero(v), zero(x)) < 0;
    case Op::kLessOrEqual:
      return !unordered(x) && Compare(zero(v), zero(x)) <= 0;
    case Op::kGreater:
      return !unordered(x) && Compare(zero(v), zero(x)) > 0;
    case Op::kGreaterOrEqual:
      return !unordered(x) && Compare(zero(v), zero(x)) >= 0;
    case Op::kStartsWith:
      return v.as<std::string>().starts_with(x.as<std::string>());
    default:
      return !v.as<std::string>().starts_with(x.as<std::string>());
  }
}

Metrics MetricsOf(const std::vector<Row>& rows, const Schema& schema, Generator& g) {
  Metrics metrics;
  const MetricsMode mode = g.Chance(2) ? MetricsMode{.kind = MetricsMode::Kind::kTruncate,
                                                     .length = 1 + static_cast<int>(g.Below(2))}
                                       : MetricsMode{.kind = MetricsMode::Kind::kFull};
  for (const auto& [id, unused] : rows.front()) {
    int64_t nulls = 0, nans = 0;
    Value lower, upper;
    for (const Row& row : rows) {
      const Value& v = row.at(id);
      if (v.is_null()) ++nulls;
      if (IsNan(v)) ++nans;
      if (v.is_null() || IsNan(v)) continue;
      if (lower.is_null() || Compare(v, lower) < 0) lower = v;
      if (upper.is_null() || Compare(v, upper) > 0) upper = v;
    }
    // Writers may leave anything out.
    if (!g.Chance(8)) metrics.value_counts.Set(id, static_cast<int64_t>(rows.size()));
    if (!g.Chance(8)) metrics.null_value_counts.Set(id, nulls);
    if (id == kReal && !g.Chance(4)) metrics.nan_value_counts.Set(id, nans);
    EXPECT_OK(SetBounds(metrics, id, schema.FindById(id)->type, mode, g.Chance(8) ? Value() : lower,
                        g.Chance(8) ? Value() : upper));
  }
  return metrics;
}

TEST(ExpressionTest, PruningIsSoundForRandomFiltersAndFiles) {
  const SchemaPtr schema = AllTypes();
  Random random(20261121);
  Generator g{random, *schema};
  int pruned_by_partition = 0, pruned_by_metrics = 0, pruned_manifests = 0, dropped_whole = 0;
  for (int round = 0; round < 3000; ++round) {
    const PartitionSpec spec = g.Spec();
    const Type partition_type = spec.PartitionType(*schema);
    std::map<std::string, std::pair<PartitionValues, std::vector<Row>>> files;
    for (uint64_t i = 0, count = 1 + g.Below(12); i < count; ++i) {
      Row row = g.NextRow();
      PartitionValues values;
      for (const PartitionField& f : spec.fields) {
        values.push_back(
            f.transform.Apply(schema->FindById(f.source_id)->type, row.at(f.source_id)));
      }
      auto& [partition, rows] = files[PartitionKey(spec.id, values)];
      partition = values;
      rows.push_back(std::move(row));
    }
    PartitionSummary summary(partition_type);
    for (const auto& [key, file] : files) summary.Add(file.first);
    ManifestFile manifest;
    manifest.partitions = Must(summary.Finish());
    for (int f = 0; f < 4; ++f) {
      const Expression filter = g.Filter(3);
      SCOPED_TRACE(filter.ToString(*schema));
      const Expression projected = ProjectToPartition(filter, *schema, spec);
      const bool manifest_kept = ManifestMayMatch(projected, spec, *schema, manifest);
      pruned_manifests += manifest_kept ? 0 : 1;
      for (const auto& [key, contents] : files) {
        const auto& [partition, rows] = contents;
        DataFile file;
        file.record_count = static_cast<int64_t>(rows.size());
        file.partition = partition;
        file.metrics = MetricsOf(rows, *schema, g);
        bool any = false, all = true;
        for (const Row& row : rows) {
          const bool a = Matches(filter, row, true) == true,
                     b = Matches(filter, row, false) == true;
          any = any || a || b;
          all = all && a && b;
        }
        const bool by_partition = PartitionMayMatch(projected, spec, *schema, partition);
        const bool by_metrics = MayMatch(filter, *schema, file);
        const bool must = MustMatch(filter, *schema, spec, file);
        pruned_by_partition += by_partition ? 0 : 1;
        pruned_by_metrics += by_metrics ? 0 : 1;
        dropped_whole += must ? 1 : 0;
        ASSERT_TRUE(!any || manifest_kept) << "round " << round;
        ASSERT_TRUE(!any || by_partition)
            << "round " << round << " " << PartitionPath(spec, *schema, partition);
        ASSERT_TRUE(!any || by_metrics) << "round " << round;
        ASSERT_TRUE(!must || all) << "round " << round << " "
                                  << PartitionPath(spec, *schema, partition);
      }
    }
  }
  // The test would say nothing if nothing were pruned.
  EXPECT_GT(pruned_by_partition, 500);
  EXPECT_GT(pruned_by_metrics, 500);
  EXPECT_GT(pruned_manifests, 50);
  EXPECT_GT(dropped_whole, 200);
}

}  // namespace
}  // namespace calve::iceberg
