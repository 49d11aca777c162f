#include "transform/column_mapping.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "transform/registry.h"

namespace calve::transform {
namespace {

class ColumnMapping : public Transform {
 public:
  ColumnMapping(std::shared_ptr<arrow::Schema> schema, std::vector<int> columns)
      : schema_(std::move(schema)), columns_(std::move(columns)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  Result<columnar::TracedBatch> Apply(const Context&, columnar::TracedBatch batch) override {
    arrow::ArrayVector arrays;
    for (const int column : columns_) arrays.push_back(batch.rows->column(column));
    batch.rows = arrow::RecordBatch::Make(schema_, batch.rows->num_rows(), std::move(arrays));
    return batch;
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<int> columns_;  ///< For each column out, its place in what comes in.
};

/// Add a fault for a column that is not there.
void RequireColumn(const char* key, const std::string& column,
                   const std::vector<std::string>& known, config::Faults* faults) {
  if (std::find(known.begin(), known.end(), column) != known.end()) return;
  faults->Add({}, "column_mapping: " + std::string(key) + " names a column '" + column +
                      "', which is not there" + DidYouMean(column, known));
}

}  // namespace

config::Shape<ColumnMappingOptions> ColumnMappingOptions::Declaration() {
  using O = ColumnMappingOptions;
  config::Shape<O> shape("column_mapping transformer",
                         "Rename, select, drop and order columns: select and drop first, by the "
                         "old names, then rename, then order, by the new ones.");
  shape.Optional("select", &O::select, "The columns that stay, in this order.",
                 {.example = "[cust_no, date, total]", .default_text = "all"});
  shape.Optional("drop", &O::drop, "The columns that go.", {.example = "[internal_note]"});
  shape.Optional("rename", &O::rename, "New names by old names.",
                 {.example = "{cust_no: customer_id}"});
  shape.Optional("order", &O::order, "Columns that come first, in this order.",
                 {.example = "[date, customer_id]"});
  shape.AtMostOneOf({"select", "drop"});
  return shape;
}

Result<std::unique_ptr<Transform>> MakeColumnMapping(const ColumnMappingOptions& options,
                                                     const std::shared_ptr<arrow::Schema>& input) {
  const std::vector<std::string> known = input->field_names();
  config::Faults faults;
  for (const std::string& column : options.select) RequireColumn("select", column, known, &faults);
  for (const std::string& column : options.drop) RequireColumn("drop", column, known, &faults);
  for (const auto& [from, to] : options.rename) RequireColumn("rename", from, known, &faults);
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  std::vector<int> columns;
  for (const std::string& column : options.select) columns.push_back(input->GetFieldIndex(column));
  if (options.select.empty()) {
    for (int i = 0; i < input->num_fields(); ++i) {
      if (std::find(options.drop.begin(), options.drop.end(), known[static_cast<size_t>(i)]) ==
          options.drop.end())
        columns.push_back(i);
    }
  }
  if (columns.empty())
    return ConfigError("column_mapping: every column is dropped; keep at least one");
  std::vector<std::string> names;
  for (const int column : columns) {
    const std::string& name = known[static_cast<size_t>(column)];
    const auto renamed = options.rename.find(name);
    names.push_back(renamed == options.rename.end() ? name : renamed->second);
  }
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second)
      return ConfigError("column_mapping: two columns are named '" + name +
                         "' in the end; rename or drop one");
  }
  for (const std::string& column : options.order) RequireColumn("order", column, names, &faults);
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  for (size_t i = options.order.size(); i-- > 0;) {
    const auto found = std::find(names.begin(), names.end(), options.order[i]);
    const auto at = found - names.begin();
    std::rotate(names.begin(), names.begin() + at, names.begin() + at + 1);
    std::rotate(columns.begin(), columns.begin() + at, columns.begin() + at + 1);
  }
  arrow::FieldVector fields;
  for (size_t i = 0; i < columns.size(); ++i)
    fields.push_back(input->field(columns[i])->WithName(names[i]));
  return std::make_unique<ColumnMapping>(arrow::schema(std::move(fields)), std::move(columns));
}

CALVE_PART(column_mapping) {
  registry.Add({.type = "column_mapping",
                .meaning = "Rename, select, drop and order columns",
                .part = config::MakePart<ColumnMappingOptions>("column_mapping"),
                .make = [](const Context&, const config::Node& node,
                           const std::shared_ptr<arrow::Schema>& input,
                           const Resources&) -> Result<std::unique_ptr<Transform>> {
                  CALVE_ASSIGN_OR_RETURN(const auto options,
                                         ColumnMappingOptions::Declaration().Parse(node));
                  return MakeColumnMapping(options, input);
                }});
}

}  // namespace calve::transform
