#include "source/reread.h"

#include <arrow/extension/uuid.h>
#include <gmock/gmock.h>

#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

using columnar::RowForm;
using testing::ElementsAre;
using testing::HasSubstr;

class RereadTest : public SourceTest {
 protected:
  /// Read a source, then read what it has held back by other options.
  Result<Rows> ReadAgain(const std::string& type, const std::string& yaml, const Rows& first) {
    HeldText held;
    for (const columnar::Reject& reject : first.rejected) {
      EXPECT_EQ(reject.form, RowForm::kText) << reject.raw;
      held.columns = reject.columns;
      held.rows.push_back({.text = reject.raw, .origin = reject.origin});
    }
    CALVE_ASSIGN_OR_RETURN(const config::Node node, config::ParseYaml(yaml, "job.yaml"));
    CALVE_ASSIGN_OR_RETURN(const auto source, registry_.Find(type)->reread(node, std::move(held)));
    return ReadAll(*source);
  }
};

TEST_F(RereadTest, TextOfCsvIsReadByTheOptionsAsTheyAreNow) {
  WriteText(folder_.At("a.csv"),
            "id;note;amount\n"
            "1;one;1.5\n"
            "2;\"two\nlines; quoted\";12,50\n"
            "3;three\n"
            "4;four;7,25\n");
  const auto first =
      ReadRows("csv", "{source_path: a.csv, delimiter: \";\", types: {amount: \"decimal(9, 2)\"}}");
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_EQ(first->rejected.size(), 3U);

  const auto again = ReadAgain("csv",
                               "{source_path: gone.csv, delimiter: \";\", decimal: \",\", "
                               "encoding: latin-1, compression: gzip, incremental: true, "
                               "types: {amount: \"decimal(9, 2)\"}}",
                               *first);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->schema, "id: long, note: string, amount: decimal(9, 2)");
  EXPECT_THAT(again->rows,
              ElementsAre(R"({"id": 2, "note": "two\nlines; quoted", "amount": 12.50})",
                          R"({"id": 4, "note": "four", "amount": 7.25})"));
  EXPECT_THAT(again->origins, ElementsAre("a.csv line 3", "a.csv line 6"));
  EXPECT_THAT(again->rejects, ElementsAre(HasSubstr("a.csv line 5: the row has 2 values")));
}

TEST_F(RereadTest, TextThatIsCutOrEscapedIsForPeopleOnly) {
  WriteText(folder_.At("a.csv"), "id,note\nx,\xFF\ny," + std::string(2'000'000, 'n') + "\n1,ok\n");
  const auto rows = ReadRows("csv", "{source_path: a.csv, types: {id: long}}");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_EQ(rows->rejected.size(), 2U);
  for (const columnar::Reject& reject : rows->rejected) EXPECT_EQ(reject.form, RowForm::kShown);
}

TEST_F(RereadTest, TextOfJsonIsReadOneByOne) {
  WriteText(folder_.At("a.json"),
            "{\"data\": [{\"id\": 1, \"at\": \"2026-01-01\"},\n{\"id\": \"two\",\n \"at\": "
            "\"2026-01-02\"},\n{\"id\": 3.5, \"at\": null},\n{\"id\": 4, \"at\": \"soon\"}]}");
  const auto first =
      ReadRows("json", "{source_path: a.json, records_path: data, types: {id: long, at: date}}");
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_EQ(first->rejected.size(), 3U);

  const auto again = ReadAgain(
      "json",
      "{source_path: a.json, records_path: data, types: {id: \"decimal(9, 1)\", at: string}}",
      *first);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_THAT(again->rows,
              ElementsAre(R"({"id": 3.5, "at": null})", R"({"id": 4.0, "at": "soon"})"));
  EXPECT_THAT(again->origins, ElementsAre("a.json line 4", "a.json line 5"));
  EXPECT_THAT(again->rejects, ElementsAre(HasSubstr("a.json line 2: column id: 'two' is no")));
}

TEST_F(RereadTest, ABrokenLineOfJsonDoesNotStopTheOthers) {
  HeldText held;
  held.rows = {{.text = R"({"id": 1)", .origin = "a.json line 1"},
               {.text = R"({"id": 2})", .origin = "a.json line 2"},
               {.text = "no json", .origin = "a.json line 9"}};
  const auto node = config::ParseYaml("{source_path: a.json}", "job.yaml");
  const auto source = registry_.Find("json")->reread(*node, held);
  ASSERT_TRUE(source.ok());
  const auto rows = ReadAll(**source);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre(R"({"id": 2})"));
  EXPECT_EQ(rows->rejects.size(), 2U);
}

TEST_F(RereadTest, WhatIsNoObjectOfJsonIsForPeopleOnly) {
  WriteText(folder_.At("a.json"), "{\"id\": 1}\n[1, 2]\n5\n{\"id\": 2\n{\"id\": \"x\"}\n");
  const auto rows = ReadRows("json", "{source_path: a.json, types: {id: long}}");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  std::vector<RowForm> forms;
  for (const columnar::Reject& reject : rows->rejected) forms.push_back(reject.form);
  EXPECT_THAT(forms,
              ElementsAre(RowForm::kShown, RowForm::kShown, RowForm::kShown, RowForm::kText));
}

TEST_F(RereadTest, RowsMayLackColumnsWhoseTypesAreGiven) {
  const std::string yaml = "{source_path: a, types: {price: \"decimal(9, 2)\", id: string}}";
  const auto node = config::ParseYaml(yaml, "job.yaml");
  const auto json =
      registry_.Find("json")->reread(*node, {.rows = {{.text = R"({"id": "x"})", .origin = "a"}}});
  ASSERT_TRUE(json.ok());
  const auto from_json = ReadAll(**json);
  ASSERT_TRUE(from_json.ok()) << from_json.error().message;
  EXPECT_EQ(from_json->schema, "id: string");
  const auto csv = registry_.Find("csv")->reread(
      *node, {.columns = R"(["id"])", .rows = {{.text = "7", .origin = "a"}}});
  ASSERT_TRUE(csv.ok());
  const auto from_csv = ReadAll(**csv);
  ASSERT_TRUE(from_csv.ok()) << from_csv.error().message;
  EXPECT_EQ(from_csv->schema, "id: string");
}

TEST_F(RereadTest, AMarkOfByteOrderInARowStays) {
  const auto node = config::ParseYaml("{source_path: a}", "job.yaml");
  const auto csv = registry_.Find("csv")->reread(
      *node, {.columns = R"(["id"])",
              .rows = {{.text = "\xEF\xBB\xBFx", .origin = "a"}, {.text = "y", .origin = "b"}}});
  ASSERT_TRUE(csv.ok());
  const auto rows = ReadAll(**csv);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre("{\"id\": \"\xEF\xBB\xBFx\"}", R"({"id": "y"})"));
  EXPECT_THAT(rows->origins, ElementsAre("a", "b"));
}

/// Every type that a source may give.
std::shared_ptr<arrow::Schema> EveryType() {
  const auto inner = arrow::struct_(
      {arrow::field("n", arrow::int64()), arrow::field("t", arrow::list(arrow::utf8()))});
  return arrow::schema({
      arrow::field("flag", arrow::boolean()),
      arrow::field("small", arrow::int32()),
      arrow::field("big", arrow::int64()),
      arrow::field("f", arrow::float32()),
      arrow::field("d", arrow::float64()),
      arrow::field("money", arrow::decimal128(38, 10)),
      arrow::field("day", arrow::date32()),
      arrow::field("hour", arrow::time64(arrow::TimeUnit::MICRO)),
      arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO)),
      arrow::field("at_tz", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
      arrow::field("at_ns", arrow::timestamp(arrow::TimeUnit::NANO)),
      arrow::field("text", arrow::utf8()),
      arrow::field("bytes", arrow::binary()),
      arrow::field("uuid", arrow::extension::uuid()),
      arrow::field("hash", arrow::fixed_size_binary(16)),
      arrow::field("fixed", arrow::fixed_size_binary(3)),
      arrow::field("nested", inner),
      arrow::field("map", arrow::map(arrow::utf8(), arrow::int32())),
  });
}

TEST_F(RereadTest, WhatWasPrintedIsReadBackExactly) {
  const std::string row =
      R"({"flag": true, "small": -2147483648, "big": 9223372036854775807, "f": 0.1, "d": 1e-300, )"
      R"("money": 9999999999999999999999999999.0000000001, "day": "0001-01-01", )"
      R"("hour": "23:59:59.999999", "at": "1969-12-31T23:59:59.999999", )"
      R"("at_tz": "9999-12-31T23:59:59.999999+00:00", "at_ns": "2262-04-11T23:47:16.854775807", )"
      R"("text": "a\"b\\c\n\u0001 ü", "bytes": "AP8Q", )"
      R"("uuid": "00112233-4455-6677-8899-aabbccddeeff", "hash": "ABEiM0RVZneImaq7zN3u/w==", )"
      R"("fixed": "AQID", )"
      R"("nested": {"n": null, "t": ["x", null]}, "map": [{"key": "k", "value": null}]})";
  const std::string nothing =
      R"({"flag": null, "small": null, "big": null, "f": "nan", "d": "-inf", "money": null, )"
      R"("day": null, "hour": null, "at": null, "at_tz": null, "at_ns": null, "text": "", )"
      R"("bytes": "", "uuid": null, "hash": null, "fixed": null, "nested": null, "map": []})";
  const auto printed = columnar::SchemaAsJson(*EveryType());
  ASSERT_TRUE(printed.ok()) << printed.error().message;
  const auto node = config::ParseYaml("{source_path: quarantine}", "quarantine");
  const auto source = registry_.Find("json")->reread(
      *node, {.columns = *printed,
              .rows = {{.text = row, .origin = "a.parquet row 1"},
                       {.text = nothing, .origin = "a.parquet row 2"},
                       {.text = R"({"big": "x"})", .origin = "c"}}});
  ASSERT_TRUE(source.ok());
  const auto rows = ReadAll(**source);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre(row, nothing));
  EXPECT_EQ(rows->schema,
            "flag: boolean, small: int, big: long, f: float, d: double, money: decimal(38, 10), "
            "day: date, hour: time, at: timestamp, at_tz: timestamptz, at_ns: timestamp_ns, "
            "text: string, bytes: binary, uuid: uuid, hash: fixed[16], fixed: fixed[3], nested: "
            "struct<n: long, t: list<string>>, map: map<string, int>");
  EXPECT_THAT(rows->origins, ElementsAre("a.parquet row 1", "a.parquet row 2"));
  EXPECT_THAT(rows->rejects, ElementsAre(HasSubstr("c: column big: 'x' is no long")));
}

TEST_F(RereadTest, ColumnsThatAreNoColumnsAreRefused) {
  EXPECT_EQ(columnar::ParseSchema("{\"id\"").error().kind, ErrorKind::kData);
  const auto node = config::ParseYaml("{source_path: a.csv}", "job.yaml");
  for (const char* columns : {"", "[]", "[1]", "{}", "nonsense"}) {
    const auto source = registry_.Find("csv")->reread(*node, {.columns = columns, .rows = {}});
    ASSERT_FALSE(source.ok()) << columns;
    EXPECT_THAT(source.error().message, HasSubstr("expected the names of a file's columns"));
  }
}

}  // namespace
}  // namespace calve::source
