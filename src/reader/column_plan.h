#pragma once

#include <arrow/record_batch.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/type.h"
#include "iceberg/value.h"
#include "reader/file_fields.h"

namespace calve::reader {

/// Values of columns that a file need not hold: its identity partition values, by source column.
using Constants = std::map<iceberg::FieldId, iceberg::Value>;

/// How the columns of one file become the wanted fields (Iceberg spec, Column Projection): by field
/// id, at every depth; absent ones from the file's partition, else their initial default, else
/// null; the element of a list, the key and value of a map by their place. Immutable. Threads: any.
class ColumnPlan {
 public:
  /// Bind wanted fields to those of a file and mark in `file` what is to be read. Fails with kData
  /// when a required field is absent and has no value, or when kinds differ (a list where a struct
  /// is wanted).
  static Result<ColumnPlan> Bind(const std::vector<iceberg::Field>& wanted,
                                 std::vector<FileField>& file, const Constants& constants);

  /// Whether no column of the file is read.
  bool reads_nothing() const;
  /// The exact Arrow schema of the wanted fields.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// The file field that a wanted top-level field is read from; -1 when it is constant.
  int FileIndex(size_t wanted) const { return nodes_[wanted].file_index; }

  /// Make rows of the wanted fields of rows as read: the fields of the file marked `is_read`, in
  /// the file's order.
  Result<columnar::Batch> Adapt(const arrow::RecordBatch& read) const;

 private:
  struct Node {
    iceberg::Field field;
    std::shared_ptr<arrow::DataType> target;
    iceberg::Value constant;     ///< Where the file has no such field.
    int file_index = -1;         ///< Among its siblings in the file; -1: constant.
    int read_index = -1;         ///< Among its siblings that are read.
    std::vector<Node> children;  ///< As FileField::children, for nested types.
  };

  static Result<Node> BindField(const iceberg::Field& wanted, std::vector<FileField>& siblings,
                                const Constants& constants, const std::string& path);
  static Status BindChildren(Node& node, FileField& file, const std::string& path);
  static Result<Node> Constant(const iceberg::Field& wanted, const Constants& constants,
                               const std::string& path);
  static void NumberRead(std::vector<Node>& nodes, const std::vector<FileField>& siblings);
  static Result<std::shared_ptr<arrow::ArrayData>> Adapt(
      const Node& node, const std::shared_ptr<arrow::ArrayData>& data, const std::string& path);
  static Result<std::shared_ptr<arrow::ArrayData>> AdaptStruct(
      const Node& node, const std::shared_ptr<arrow::ArrayData>& data, const std::string& path);

  std::vector<Node> nodes_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace calve::reader
