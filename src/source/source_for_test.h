#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/context.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/row_text.h"
#include "config/option.h"
#include "io/file_system_set.h"
#include "io/test_folder.h"
#include "source/registry.h"

namespace calve::source {

/// What a source gave, for tests of one source.
struct Rows {
  std::string schema;  ///< "id: long, name: string"
  std::vector<std::string> rows;
  std::vector<std::string> rejects;  ///< "a.csv line 2: the reason"
  std::vector<columnar::Reject> rejected;
  std::vector<std::string> origins;
  std::vector<std::string> notes;
};

/// A folder, and sources over it by their options.
class SourceTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(columnar::StartArrow().ok());
    RegisterParts(registry_);
  }

  Result<Rows> ReadRows(const std::string& type, const std::string& yaml,
                        const PlanOptions& options = {}) {
    CALVE_ASSIGN_OR_RETURN(const config::Node node, config::ParseYaml(yaml, "job.yaml"));
    CALVE_ASSIGN_OR_RETURN(
        const auto source,
        registry_.Find(type)->make(node, {.files = &files_, .project_folder = folder_.path()}));
    return ReadAll(*source, options);
  }

  Result<Rows> ReadAll(Source& source, const PlanOptions& options = {}) {
    CALVE_ASSIGN_OR_RETURN(const ReadPlan plan, source.Plan(*context_, options));
    Rows rows;
    rows.notes = plan.notes;
    if (plan.schema == nullptr) return rows;
    for (const auto& field : plan.schema->fields()) {
      const auto type_found = columnar::ToIcebergType(*field->type(), 3);
      rows.schema += (rows.schema.empty() ? "" : ", ") + field->name() + ": " +
                     (type_found.ok() ? type_found->ToString() : field->type()->ToString());
    }
    for (const Split& split : plan.splits) {
      CALVE_ASSIGN_OR_RETURN(const auto reader, source.Open(*context_, plan, split));
      while (true) {
        CALVE_ASSIGN_OR_RETURN(const auto batch, reader->Next(*context_));
        if (!batch.has_value()) break;
        CALVE_RETURN_IF_ERROR(batch->rows->ValidateFull());
        for (int64_t row = 0; row < batch->rows->num_rows(); ++row)
          rows.rows.push_back(columnar::RowAsJson(*batch->rows, row));
        for (const columnar::Reject& reject : batch->rejects)
          rows.rejects.push_back(reject.origin + ": " + reject.reason);
        for (const columnar::Reject& reject : batch->rejects) rows.rejected.push_back(reject);
        for (int64_t row = 0; row < batch->rows->num_rows(); ++row)
          rows.origins.push_back(batch->OriginOf(row));
        EXPECT_EQ(batch->rows_read,
                  batch->rows->num_rows() + static_cast<int64_t>(batch->rejects.size()));
      }
    }
    return rows;
  }

  io::TestFolder folder_;
  io::FileSystemSet files_;
  OwnedContext context_{7};
  Registry registry_;
};

}  // namespace calve::source
