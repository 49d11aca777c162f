#include "writer/partition_rows.h"

#include <fmt/format.h>

#include <unordered_map>

#include "columnar/arrow_status.h"
#include "writer/column_path.h"
#include "writer/transform_column.h"

namespace calve::writer {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// Rows numbered by group; groups in the order in which they first appear.
struct Groups {
  std::vector<uint32_t> group_of_row;
  std::vector<std::vector<uint32_t>> codes;  ///< Of each group: one code per partition field.
};

/// Number the groups of one more field within those of the fields before it.
void Refine(Groups& groups, const CodedColumn& column) {
  std::unordered_map<uint64_t, uint32_t> numbers;
  std::vector<std::vector<uint32_t>> codes;
  uint64_t last_pair = 0;
  uint32_t last_number = 0;
  for (size_t row = 0; row < groups.group_of_row.size(); ++row) {
    const uint32_t code = column.code_of_row[row];
    const uint64_t pair = (static_cast<uint64_t>(groups.group_of_row[row]) << 32) | code;
    if (row == 0 || pair != last_pair) {
      const auto [at, added] = numbers.emplace(pair, static_cast<uint32_t>(codes.size()));
      if (added) {
        codes.push_back(groups.codes[groups.group_of_row[row]]);
        codes.back().push_back(code);
      }
      last_pair = pair;
      last_number = at->second;
    }
    groups.group_of_row[row] = last_number;
  }
  groups.codes = std::move(codes);
}

}  // namespace

Result<Partitioner> Partitioner::Make(const iceberg::PartitionSpec& spec,
                                      const iceberg::Schema& schema) {
  Partitioner partitioner;
  for (const iceberg::PartitionField& field : spec.fields) {
    if (field.transform.kind() == iceberg::Transform::Kind::kUnknown) {
      return RefusedError(fmt::format(
          "partition field {}: transform {} is not known, so rows cannot be written to this spec",
          field.name, field.transform.ToString()));
    }
    Source source{.transform = field.transform, .path = {}, .type = {}, .result = {}};
    if (const iceberg::Field* column = schema.FindById(field.source_id); column != nullptr) {
      source.path = ColumnPath(schema, field.source_id);
      source.type = column->type;
      CALVE_ASSIGN_OR_RETURN(source.result, field.transform.ResultType(column->type));
    } else if (field.transform.kind() != iceberg::Transform::Kind::kVoid) {
      return RefusedError(
          fmt::format("partition field {}: the schema has no column with id {}, so rows cannot be "
                      "written to this spec",
                      field.name, field.source_id.value()));
    }
    if (field.transform.kind() == iceberg::Transform::Kind::kVoid) source.path.clear();
    partitioner.sources_.push_back(std::move(source));
  }
  return partitioner;
}

Result<PartitionedRows> Partitioner::Number(const columnar::Batch& batch) const {
  std::vector<CodedColumn> columns;
  Groups groups{.group_of_row = std::vector<uint32_t>(static_cast<size_t>(batch->num_rows())),
                .codes = {{}}};
  for (const Source& source : sources_) {
    CALVE_ASSIGN_OR_RETURN(const ArrayPtr column, ColumnAt(*batch, source.path));
    CALVE_ASSIGN_OR_RETURN(columns.emplace_back(),
                           TransformColumn(source.transform, source.type, source.result, column));
    Refine(groups, columns.back());
  }
  PartitionedRows out;
  out.partitions.resize(groups.codes.size());
  for (size_t group = 0; group < out.partitions.size(); ++group) {
    PartitionOfRows& partition = out.partitions[group];
    for (size_t field = 0; field < columns.size(); ++field) {
      const uint32_t code = groups.codes[group][field];
      partition.key +=
          fmt::format("{}:{}", columns[field].keys[code].size(), columns[field].keys[code]);
      partition.values.push_back(columns[field].values[code]);
    }
  }
  out.partition_of_row = std::move(groups.group_of_row);
  return out;
}

}  // namespace calve::writer
