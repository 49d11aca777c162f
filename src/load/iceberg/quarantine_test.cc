#include "load/iceberg/quarantine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/registry.h"
#include "catalog/table_files.h"
#include "columnar/arrow_status.h"
#include "columnar/row_text.h"
#include "iceberg/scan.h"
#include "io/file_system_set.h"
#include "reader/reader.h"

namespace calve::load {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using testing::HasSubstr;

class QuarantineTest : public testing::Test {
 protected:
  QuarantineTest() {
    EXPECT_TRUE(columnar::StartArrow().ok());
    catalog::Registry catalogs;
    catalog::RegisterParts(catalogs);
    catalog_ = std::move(*catalogs.Make(
        {.type = "memory"},
        {.name = "test", .warehouse = "memory://w", .project_folder = "", .files = &files_}));
    committer_ = std::make_unique<commit::Committer>(*catalog_, files_);
  }

  /// Make the quarantine as another program, or an earlier version, has left it.
  void MakeTable(const std::vector<std::string>& texts) {
    ASSERT_TRUE(catalog_->CreateNamespace(*context_, name_.ns, {}).ok());
    const auto planned = committer_->PlanTable(
        *context_, name_, nullptr,
        [&](const std::string& location) -> Result<iceberg::CreateTableOptions> {
          iceberg::CreateTableOptions create;
          create.location = location;
          create.uuid = NewUuidString(*context_->random);
          for (const std::string& name : texts) {
            create.fields.push_back({.id = FieldId(static_cast<int32_t>(create.fields.size()) + 1),
                                     .name = name,
                                     .type = Type::String()});
          }
          const FieldId key = create.fields.back().id;
          create.fields.push_back({.id = FieldId(key.value() + 1),
                                   .name = "quarantined_at",
                                   .type = Type::TimestampTz()});
          create.partition_fields = {{.source_id = key,
                                      .field_id = FieldId(1000),
                                      .name = "load_key",
                                      .transform = iceberg::Transform::Identity()}};
          return create;
        });
    ASSERT_TRUE(planned.ok());
    ASSERT_TRUE(std::holds_alternative<catalog::Committed>(
        catalog_->Commit(*context_, {{.table = name_, .change = (*planned)->change}})));
  }

  Status Hold(const QuarantinedRow& row) {
    Quarantine quarantine(*committer_, files_,
                          {.table = name_,
                           .job = "j",
                           .run = "r",
                           .file_tag = "r-1",
                           .key = LoadKeyOf("j"),
                           .now_us = 5});
    Quarantine::Writer writer(quarantine, 0);
    CALVE_RETURN_IF_ERROR(writer.Write(*context_, {row}));
    CALVE_RETURN_IF_ERROR(writer.Close(*context_));
    return quarantine.Commit(*context_);
  }

  /// The rows as JSON.
  std::vector<std::string> Rows() {
    const iceberg::MetadataPtr table = catalog_->LoadTable(*context_, name_)->metadata;
    catalog::TableFiles table_files(files_);
    const auto plan = iceberg::PlanScan(*context_, table_files, *table, {});
    EXPECT_TRUE(plan.ok());
    std::vector<std::string> rows;
    for (const iceberg::ScanTask& task : plan->tasks) {
      const auto reader = reader::OpenTask(*context_, files_, *table, task,
                                           {.projection = table->schema(), .filter = {}});
      EXPECT_TRUE(reader.ok());
      for (auto batch = (*reader)->Next(*context_); batch.ok() && *batch != nullptr;
           batch = (*reader)->Next(*context_)) {
        for (int64_t row = 0; row < (*batch)->num_rows(); ++row)
          rows.push_back(columnar::RowAsJson(**batch, row));
      }
    }
    return rows;
  }

  OwnedContext context_{5};
  io::FileSystemSet files_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<commit::Committer> committer_;
  const catalog::TableName name_{{"demo"}, "t__quarantine"};
};

TEST_F(QuarantineTest, ATableOfAnEarlierVersionGetsTheColumnsThatItLacks) {
  MakeTable({"rule", "reason", "origin", "raw", "job", "run", "load_key"});
  const Status held = Hold({.rule = "schema",
                            .reason = "why",
                            .origin = "a.csv line 1",
                            .raw = "1;x",
                            .form = columnar::RowForm::kText,
                            .columns = "[\"id\"]"});
  ASSERT_TRUE(held.ok()) << held.error().message;
  EXPECT_THAT(Rows(), testing::ElementsAre(
                          R"({"rule": "schema", "reason": "why", "origin": "a.csv line 1", )"
                          R"("raw": "1;x", "job": "j", "run": "r", "load_key": ")" +
                          LoadKeyOf("j") +
                          R"(", "quarantined_at": "1970-01-01T00:00:00.000005+00:00", )"
                          R"("form": "text", "columns": "[\"id\"]"})"));
}

TEST_F(QuarantineTest, TextThatIsNoUtf8IsShownAndNotReadAgain) {
  const Status held = Hold({.rule = "schema",
                            .reason = "'\xFF' is bad",
                            .origin = "a",
                            .raw = "{\"c\": \"G\xFF\"}",
                            .form = columnar::RowForm::kRead,
                            .columns = "{}"});
  ASSERT_TRUE(held.ok()) << held.error().message;
  const std::vector<std::string> rows = Rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows[0], HasSubstr(R"("reason": "'\\xff' is bad")"));
  EXPECT_THAT(rows[0], HasSubstr(R"(G\\xff)"));
  EXPECT_THAT(rows[0], HasSubstr(R"("form": "shown")"));
}

TEST_F(QuarantineTest, ATableOfAnotherKindIsLeftAlone) {
  MakeTable({"something"});
  const Status held = Hold({.rule = "schema", .reason = "", .origin = "", .raw = ""});
  ASSERT_FALSE(held.ok());
  EXPECT_THAT(held.error().message, HasSubstr("is no quarantine of calve"));
}

}  // namespace
}  // namespace calve::load
