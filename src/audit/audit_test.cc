#include "audit/audit.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <gtest/gtest.h>

#include "audit/repeated_keys.h"
#include "columnar/arrow_status.h"
#include "engine/engine_for_test.h"

namespace calve::audit {
namespace {

/// Contracts over a table of id (long), name (string) and born (date).
class AuditTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(columnar::StartArrow().ok());
    RegisterParts(registry_);
  }

  Result<Contract> Parse(const std::string& yaml) {
    CALVE_ASSIGN_OR_RETURN(const config::Node node, config::ParseYaml(yaml, "c.yaml"));
    return ParseContract(node, "d.t", registry_);
  }

  Result<std::unique_ptr<RowChecks>> Compile(const std::string& yaml) {
    CALVE_ASSIGN_OR_RETURN(const Contract contract, Parse(yaml));
    return CompileRowChecks(*context_, contract, registry_, *engine_, {.schema = schema_});
  }

  /// Why a contract is refused, by its file or by the table; "" when it is not.
  std::string Fault(const std::string& yaml) {
    const auto compiled = Compile(yaml);
    return compiled.ok() ? "" : compiled.error().message;
  }

  columnar::Batch Rows(const std::vector<std::optional<std::string>>& names) {
    arrow::Int64Builder id;
    arrow::StringBuilder name;
    arrow::Date32Builder born;
    for (size_t i = 0; i < names.size(); ++i) {
      EXPECT_TRUE(id.Append(static_cast<int64_t>(i)).ok());
      EXPECT_TRUE((names[i].has_value() ? name.Append(*names[i]) : name.AppendNull()).ok());
      EXPECT_TRUE(born.Append(static_cast<int32_t>(i)).ok());
    }
    return arrow::RecordBatch::Make(
        schema_, static_cast<int64_t>(names.size()),
        arrow::ArrayVector{id.Finish().ValueOrDie(), name.Finish().ValueOrDie(),
                           born.Finish().ValueOrDie()});
  }

  OwnedContext context_{7};
  Registry registry_;
  engine::TestEngine engine_;
  const std::shared_ptr<arrow::Schema> schema_ =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8()),
                     arrow::field("born", arrow::date32())});
};

TEST_F(AuditTest, ShortFormsOfColumnsBecomeChecks) {
  const auto contract = Parse(
      "columns:\n  id: {required: true, unique: true, min: 0}\n  name: {regex: \"[a-z]+\"}\n"
      "key: [id]\nchecks: [{not_null: [name], severity: warn}]\n");
  ASSERT_TRUE(contract.ok()) << contract.error().message;
  std::vector<std::string> names;
  for (const Check& check : contract->checks) names.push_back(check.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"not_null(id)", "unique(id)", "range(id)", "regex(name)",
                                      "not_null(id) #2", "unique(id) #2", "not_null(name)"}));
}

TEST_F(AuditTest, FaultsOfAFileComeTogetherWithTheirPlaces) {
  const auto contract = Parse(
      "on_new_column: evlove\nchecks:\n  - {not_nul: [a]}\n  - {range: {column: a}}\n"
      "  - {range: {column: a, min: 5, max: 1}}\n  - {row_count: {}}\n  - {length: {column: a, "
      "min: 3, max: 2}}\n");
  ASSERT_FALSE(contract.ok());
  const std::string& said = contract.error().message;
  for (const char* part : {"c.yaml:1:16", "c.yaml:3:6", "did you mean 'not_null'", "c.yaml:4:13",
                           "min, max or both", "c.yaml:5:30", "no row could pass", "c.yaml:6:17",
                           "min, max, change_max or load_change_max", "c.yaml:7:14"})
    EXPECT_NE(said.find(part), std::string::npos) << part << " is not in " << said;
}

TEST_F(AuditTest, ChecksThatCannotRunAreRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"checks: [{not_null: [nmae]}]", "did you mean 'name'"},
      {"checks: [{length: {column: id, min: 1}}]",
       "length(id) is about text, but column id is long"},
      {"checks: [{regex: {column: id, pattern: x}}]", "regex(id) is about text"},
      {"checks: [{regex: {column: name, pattern: \"[a\"}}]", "check regex(name): "},
      {"checks: [{range: {column: id, min: low}}]", "c.yaml:1:18   check range(id) compares 'low'"},
      {"checks: [{accepted_values: {column: born, values: [soon]}}]", "which is date"},
      {"checks: [{freshness: {column: name, age_max: 1d}}]", "needs a date or timestamp column"},
      {"checks: [{condition: \"id >\"}]", "check condition(id >): "},
      {"checks: [{condition: name}]", "is no condition"},
      {"checks: [{row_count: {min: 1}, severity: quarantine}]",
       "c.yaml:1:42   check row_count judges the table as a whole"},
      {"columns: {id: {references: d.o(id), severity: quarantine}}",
       "its severity is warn or fail"},
      {"columns: {id: {unique: true, severity: quarantine}}", "its severity is warn or fail"},
      {"checks: [{not_null: [a]}, {unique: [b]}, {condition: name}]", "3 faults"}};
  for (const auto& [yaml, part] : faults)
    EXPECT_NE(Fault(yaml).find(part), std::string::npos) << yaml << " gives: " << Fault(yaml);
}

TEST_F(AuditTest, ALoadIsJudgedBesideTheMedianOfTheLoadsBeforeIt) {
  const auto contract = Parse("checks: [{row_count: {load_change_max: 0.5, loads: 3}}]");
  ASSERT_TRUE(contract.ok()) << contract.error().message;
  const Check& check = contract->checks.front();
  const auto said = [&](int64_t rows, std::vector<int64_t> before) {
    const auto compiled =
        registry_.Find("row_count")
            ->compile(check,
                      {.schema = schema_, .rows_loaded = rows, .rows_of_loads = std::move(before)});
    return compiled.ok() ? compiled->failure : compiled.error().message;
  };
  EXPECT_EQ(said(10, {100, 100}), "") << "two loads say nothing";
  EXPECT_EQ(said(50, {100, 90, 2000, 7, 7, 7}), "") << "only the last three count";
  EXPECT_EQ(said(-1, {100, 100, 100}), "") << "a table as it stands is no load";
  EXPECT_EQ(said(49, {100, 90, 2000}),
            "this load has 49 rows, 51 % below the median of the last 3 loads (100), where 50 % is "
            "allowed");
  EXPECT_EQ(
      said(1, {0, 0, 0}),
      "this load has 1 rows, above the median of the last 3 loads (0), where 50 % is allowed");
}

TEST_F(AuditTest, ValuesAreComparedAsTheColumnsTypeAllows) {
  for (const char* yaml :
       {"checks: [{range: {column: id, min: 0.5, max: 1e9}}]",
        "checks: [{range: {column: born, min: 2020-01-01, max: 2030-01-01T00:00:00}}]",
        "checks: [{accepted_values: {column: name, values: [1, true, x]}}]"})
    EXPECT_EQ(Fault(yaml), "") << yaml;
}

TEST_F(AuditTest, EachSeverityIsHonouredByEachKindOrRefused) {
  const std::map<std::string, std::string> options = {
      {"accepted_values", "{column: name, values: [x]}"},
      {"condition", "{sql: id > 0}"},
      {"foreign_key", "{columns: [id], table: this}"},
      {"freshness", "{column: born, age_max: 1d}"},
      {"length", "{column: name, max: 2}"},
      {"not_null", "[name]"},
      {"range", "{column: id, min: 0}"},
      {"regex", "{column: name, pattern: x}"},
      {"row_count", "{min: 1}"},
      {"sql", "{name: q, query: SELECT 1 FROM this}"},
      {"unique", "[id]"}};
  for (const auto& [name, kind] : registry_.kinds()) {
    ASSERT_TRUE(options.contains(name)) << "a new kind of check needs a line here: " << name;
    for (const char* severity : {"warn", "quarantine", "fail"}) {
      const auto contract =
          Parse("checks: [{" + name + ": " + options.at(name) + ", severity: " + severity + "}]");
      const bool refused = severity == std::string("quarantine") && kind.judges == Judges::kTable;
      ASSERT_EQ(contract.ok(), !refused) << name << " " << severity;
      if (refused) continue;
      const auto compiled = kind.compile(contract->checks.front(), {.schema = schema_});
      ASSERT_TRUE(compiled.ok()) << compiled.error().message;
      EXPECT_EQ(compiled->scope == CompiledCheck::Scope::kRow, kind.judges == Judges::kRows)
          << name;
    }
  }
}

TEST_F(AuditTest, ARowIsHeldBackWithItsValueAndWhatWasExpected) {
  const auto checks = Compile(
      "checks:\n  - {range: {column: id, min: 1, max: 3}, severity: quarantine}\n"
      "  - {not_null: [id, name], severity: quarantine}\n"
      "  - {length: {column: name, min: 2}, severity: quarantine}\n"
      "  - {condition: {name: late, sql: born < '1970-01-05'}, severity: quarantine}\n");
  ASSERT_TRUE(checks.ok()) << checks.error().message;
  const columnar::Batch rows = Rows({"ada", std::nullopt, "x", "bo", "cy"});
  const auto verdicts = (*checks)->Judge(*context_, rows);
  ASSERT_TRUE(verdicts.ok());
  std::vector<std::string> reasons;
  for (const RowVerdict& verdict : *verdicts) reasons.push_back((*checks)->ReasonOf(verdict, rows));
  EXPECT_EQ(reasons, (std::vector<std::string>{
                         "column id: '0' fails range(id); expected 1 to 3",
                         "column name: NULL fails not_null(id, name); expected a value",
                         "column name: 'x' fails length(name); expected at least 2 characters",
                         "column id: '4' fails range(id); expected 1 to 3"}));
}

TEST_F(AuditTest, ColumnsThatHoldSeveralValuesAreNotCompared) {
  const auto nested = arrow::schema({arrow::field("l", arrow::list(arrow::int64()))});
  for (const char* yaml : {"checks: [{range: {column: l, min: 1}}]", "checks: [{unique: [l]}]",
                           "checks: [{accepted_values: {column: l, values: [1]}}]",
                           "checks: [{foreign_key: {columns: [l], table: this}}]"}) {
    const auto contract = Parse(yaml);
    ASSERT_TRUE(contract.ok()) << contract.error().message;
    const auto compiled =
        CompileRowChecks(*context_, *contract, registry_, *engine_, {.schema = nested});
    ASSERT_FALSE(compiled.ok()) << yaml;
    EXPECT_NE(compiled.error().message.find("which holds several"), std::string::npos)
        << compiled.error().message;
  }
}

TEST_F(AuditTest, RowsAreHeldBackOnceForTheFirstCheckTheyFail) {
  const auto checks = Compile(
      "checks:\n  - {not_null: [name], severity: quarantine}\n"
      "  - {condition: \"length(name) > 1\", severity: quarantine}\n"
      "  - {condition: \"id < 4\", severity: quarantine}\n");
  ASSERT_TRUE(checks.ok()) << checks.error().message;
  const auto verdicts =
      (*checks)->Judge(*context_, Rows({"ada", std::nullopt, "x", "bo", std::nullopt}));
  ASSERT_TRUE(verdicts.ok());
  ASSERT_EQ(verdicts->size(), 3U);
  EXPECT_EQ((*verdicts)[0].row, 1);
  EXPECT_EQ((*verdicts)[0].check_index, 0U);
  EXPECT_EQ((*verdicts)[1].row, 2);
  EXPECT_EQ((*verdicts)[1].check_index, 1U);
  EXPECT_EQ((*verdicts)[2].row, 4);
  EXPECT_EQ((*verdicts)[2].check_index, 0U);
  // Each check counts all rows that fail it.
  EXPECT_EQ((*checks)->outcomes()[2].rows_failed, 1);
  EXPECT_EQ((*checks)->outcomes()[0].message, "2 of 5 rows are NULL");
}

/// One table, whatever it is asked for.
class OneTable : public engine::TableResolver {
 public:
  explicit OneTable(columnar::Batch rows) : rows_(std::move(rows)) {}
  Result<engine::ResolvedTable> Resolve(const Context&, const engine::TableReference&) override {
    return engine::ResolvedTable(engine::ArrowTable{rows_->schema(), {rows_}});
  }

 private:
  const columnar::Batch rows_;
};

TEST_F(AuditTest, RepeatedKeysAreCountedInAsLittleMemoryAsThereIs) {
  std::vector<std::optional<std::string>> names;
  for (int i = 0; i < 50'000; ++i) names.emplace_back("name " + std::to_string(i));
  names.emplace_back(std::nullopt);
  names.emplace_back(std::nullopt);
  const auto count = [&](const std::vector<std::string>& columns, int64_t memory) {
    OneTable table(Rows(names));
    const auto counted = CountRepeatedKeys(*context_, *engine_, table, columns, ByteCount(memory));
    return counted.ok() ? *counted : -1;
  };
  for (const int64_t memory : {1 << 20, 50'000}) {
    EXPECT_EQ(count({"name"}, memory), 0) << memory;
    EXPECT_EQ(count({"id", "name"}, memory), 0) << memory;
  }
  for (const int i : {7, 7, 8, 49'999}) names.emplace_back("name " + std::to_string(i));
  for (int i = 0; i < 5'000; ++i) names.emplace_back("twice " + std::to_string(i / 2));
  for (const int64_t memory : {1 << 20, 50'000}) {
    EXPECT_EQ(count({"name"}, memory), 2'503) << memory;
    EXPECT_EQ(count({"id", "name"}, memory), 0) << memory;
  }
  names.resize(50'006);
  EXPECT_EQ(count({"name"}, 1 << 20), 3);
}

}  // namespace
}  // namespace calve::audit
