#include "reader/column_plan.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <fmt/format.h>

#include <algorithm>

#include "columnar/arrow_status.h"
#include "reader/adapt_leaf.h"
#include "reader/variant_column.h"

namespace calve::reader {
namespace {

using iceberg::Field;
using iceberg::TypeKind;
using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;

bool IsAnyList(arrow::Type::type id) { return arrow::is_list(id) || arrow::is_list_view(id); }

bool SameShape(const arrow::DataType& file, const iceberg::Type& wanted) {
  switch (wanted.kind()) {
    case TypeKind::kStruct:
      return file.id() == arrow::Type::STRUCT;
    case TypeKind::kList:
      return file.id() != arrow::Type::MAP && IsAnyList(file.id());
    case TypeKind::kMap:
      return file.id() == arrow::Type::MAP;
    case TypeKind::kVariant:
      return HasVariantShape(file);
    default:
      return !arrow::is_nested(file.id());
  }
}

void ReadAll(FileField& field) {
  field.is_read = true;
  for (FileField& child : field.children) ReadAll(child);
}

/// A struct of which no wanted child is there still says which of its values are null: read its
/// first leaf for that.
void ReadFirstLeaf(FileField& field) {
  field.is_read = true;
  if (field.children.empty()) return;
  if (field.type->id() == arrow::Type::STRUCT) {
    ReadFirstLeaf(field.children.front());
  } else {
    ReadAll(field);
  }
}

/// A child array that begins where its struct's own data does.
Result<ArrayDataPtr> RepeatData(const iceberg::Type& type, const iceberg::Value& value,
                                int64_t length) {
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> array,
                         columnar::Repeat(type, value, length));
  return array->data();
}

}  // namespace

Result<ColumnPlan> ColumnPlan::Bind(const std::vector<Field>& wanted, std::vector<FileField>& file,
                                    const Constants& constants) {
  ColumnPlan plan;
  arrow::FieldVector fields;
  for (const Field& field : wanted) {
    CALVE_ASSIGN_OR_RETURN(plan.nodes_.emplace_back(),
                           BindField(field, file, constants, field.name));
  }
  NumberRead(plan.nodes_, file);
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::DataType> row,
                         columnar::ToArrowType(iceberg::Type::Struct(wanted)));
  plan.schema_ = arrow::schema(row->fields());
  return plan;
}

Result<ColumnPlan::Node> ColumnPlan::BindField(const Field& wanted,
                                               std::vector<FileField>& siblings,
                                               const Constants& constants,
                                               const std::string& path) {
  const auto found = std::find_if(siblings.begin(), siblings.end(),
                                  [&](const FileField& f) { return f.id == wanted.id; });
  // Files hold nothing of type unknown, whatever they have under its id.
  if (found == siblings.end() || wanted.type.kind() == TypeKind::kUnknown)
    return Constant(wanted, constants, path);
  Node node{.field = wanted,
            .target = {},
            .constant = {},
            .file_index = static_cast<int>(found - siblings.begin()),
            .children = {}};
  CALVE_ASSIGN_OR_RETURN(node.target, columnar::ToArrowType(wanted.type));
  CALVE_RETURN_IF_ERROR(BindChildren(node, *found, path));
  return node;
}

Status ColumnPlan::BindChildren(Node& node, FileField& file, const std::string& path) {
  const iceberg::Type& wanted = node.field.type;
  if (!SameShape(*file.type, wanted)) {
    return DataError(fmt::format("column {}: the table has {}, but the file holds {}", path,
                                 wanted.ToString(), file.type->ToString()));
  }
  file.is_read = true;
  if (wanted.kind() == TypeKind::kVariant) {
    ReadAll(file);
    return Status::Ok();
  }
  if (wanted.kind() == TypeKind::kStruct) {
    for (const Field& child : wanted.fields()) {
      CALVE_ASSIGN_OR_RETURN(node.children.emplace_back(),
                             BindField(child, file.children, {}, path + "." + child.name));
    }
    if (std::none_of(file.children.begin(), file.children.end(),
                     [](const FileField& f) { return f.is_read; }))
      ReadFirstLeaf(file);
    return Status::Ok();
  }
  for (size_t i = 0; i < wanted.fields().size(); ++i) {
    const Field& child = wanted.fields()[i];
    Node below{.field = child,
               .target = {},
               .constant = {},
               .file_index = static_cast<int>(i),
               .children = {}};
    CALVE_ASSIGN_OR_RETURN(below.target, columnar::ToArrowType(child.type));
    CALVE_RETURN_IF_ERROR(BindChildren(below, file.children[i], path + "." + child.name));
    node.children.push_back(std::move(below));
  }
  return Status::Ok();
}

Result<ColumnPlan::Node> ColumnPlan::Constant(const Field& wanted, const Constants& constants,
                                              const std::string& path) {
  Node node{.field = wanted, .target = {}, .constant = {}, .children = {}};
  if (const auto at = constants.find(wanted.id); at != constants.end()) {
    node.constant = at->second;
  } else if (wanted.initial_default) {
    node.constant = *wanted.initial_default;
  } else if (wanted.required) {
    return DataError(
        fmt::format("column {} is required, but the file has no field with id {} and the column no "
                    "initial default",
                    path, wanted.id.value()));
  }
  return node;
}

void ColumnPlan::NumberRead(std::vector<Node>& nodes, const std::vector<FileField>& siblings) {
  for (Node& node : nodes) {
    if (node.file_index < 0) continue;
    const auto end = siblings.begin() + node.file_index;
    node.read_index = static_cast<int>(
        std::count_if(siblings.begin(), end, [](const FileField& f) { return f.is_read; }));
    NumberRead(node.children, end->children);
  }
}

bool ColumnPlan::reads_nothing() const {
  return std::all_of(nodes_.begin(), nodes_.end(),
                     [](const Node& node) { return node.file_index < 0; });
}

Result<columnar::Batch> ColumnPlan::Adapt(const arrow::RecordBatch& read) const {
  std::vector<ArrayDataPtr> columns;
  columns.reserve(nodes_.size());
  for (const Node& node : nodes_) {
    if (node.file_index < 0) {
      CALVE_ASSIGN_OR_RETURN(columns.emplace_back(),
                             RepeatData(node.field.type, node.constant, read.num_rows()));
    } else {
      CALVE_ASSIGN_OR_RETURN(columns.emplace_back(),
                             Adapt(node, read.column_data(node.read_index), node.field.name));
    }
  }
  return arrow::RecordBatch::Make(schema_, read.num_rows(), std::move(columns));
}

/// Works on whole array data, not on slices: children keep the offsets of what holds them.
Result<ArrayDataPtr> ColumnPlan::Adapt(const Node& node, const ArrayDataPtr& data,
                                       const std::string& path) {
  if (node.field.type.kind() == TypeKind::kStruct) return AdaptStruct(node, data, path);
  if (node.field.type.kind() == TypeKind::kList) {
    ArrayDataPtr lists = data;
    if (data->type->id() != arrow::Type::LIST) {
      const auto plain =
          arrow::compute::Cast(*arrow::MakeArray(data), arrow::list(data->type->field(0)));
      CALVE_RETURN_IF_ERROR(plain);
      lists = (*plain)->data();
    }
    ArrayDataPtr out = lists->Copy();
    out->type = node.target;
    CALVE_ASSIGN_OR_RETURN(out->child_data[0],
                           Adapt(node.children[0], lists->child_data[0], path + ".element"));
    return out;
  }
  if (node.field.type.kind() == TypeKind::kMap) {
    ArrayDataPtr out = data->Copy();
    ArrayDataPtr pairs = data->child_data[0]->Copy();
    out->type = node.target;
    pairs->type = node.target->field(0)->type();
    for (size_t i = 0; i < 2; ++i) {
      CALVE_ASSIGN_OR_RETURN(pairs->child_data[i], Adapt(node.children[i], pairs->child_data[i],
                                                         path + (i == 0 ? ".key" : ".value")));
    }
    out->child_data[0] = std::move(pairs);
    return out;
  }
  if (node.field.type.kind() == TypeKind::kVariant) return AdaptVariant(data, path);
  if (data->type->Equals(*node.target)) return data;
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> leaf,
                         AdaptLeaf(arrow::MakeArray(data), node.field.type, path));
  return leaf->data();
}

Result<ArrayDataPtr> ColumnPlan::AdaptStruct(const Node& node, const ArrayDataPtr& data,
                                             const std::string& path) {
  ArrayDataPtr out = data->Copy();
  out->type = node.target;
  out->child_data.clear();
  for (const Node& child : node.children) {
    if (child.file_index < 0) {
      CALVE_ASSIGN_OR_RETURN(
          out->child_data.emplace_back(),
          RepeatData(child.field.type, child.constant, data->offset + data->length));
    } else {
      CALVE_ASSIGN_OR_RETURN(out->child_data.emplace_back(),
                             Adapt(child, data->child_data[static_cast<size_t>(child.read_index)],
                                   path + "." + child.field.name));
    }
  }
  return out;
}

}  // namespace calve::reader
