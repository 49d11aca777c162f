#pragma once

#include <arrow/builder.h>

#include <memory>
#include <string>
#include <vector>

#include "avro/decoder.h"
#include "avro/schema.h"
#include "base/result.h"
#include "iceberg/name_mapping.h"
#include "iceberg/type.h"
#include "reader/column_plan.h"

namespace calve::reader {

class AvroRow;

/// Reads one Avro value into a builder of the wanted type. Points into the file's schema, which
/// outlives it.
class AvroColumn {
 public:
  /// Fails with kData when values of `node` cannot be read as `type`, naming the column.
  static Result<AvroColumn> Bind(const avro::Node& node, const iceberg::Type& type,
                                 const std::vector<iceberg::MappedField>* mapped,
                                 const std::string& path);

  Status Append(avro::Decoder& decoder, arrow::ArrayBuilder& builder) const;

 private:
  Status AppendValue(avro::Decoder& decoder, arrow::ArrayBuilder& builder) const;
  Status AppendItems(avro::Decoder& decoder, arrow::ArrayBuilder& builder) const;
  Status AppendEntries(avro::Decoder& decoder, arrow::ArrayBuilder& builder) const;

  const avro::Node* node_ = nullptr;  ///< Beside null, when optional.
  int null_branch_ = -1;
  iceberg::Type type_;
  std::string path_;
  std::shared_ptr<const AvroRow> row_;  ///< Of a struct.
  /// Of a list its element; of a map key and value (of Avro's own maps the value only).
  std::vector<AvroColumn> items_;
};

/// Reads records into a struct builder: wanted fields in their order, others passed over, absent
/// ones constant.
class AvroRow {
 public:
  /// Bind by the attribute `field-id`, or by name mapping when the record has no ids.
  static Result<AvroRow> Bind(const avro::Node& record, const std::vector<iceberg::Field>& wanted,
                              const iceberg::NameMapping& mapping, const Constants& constants);

  Status Append(avro::Decoder& decoder, arrow::StructBuilder& builder) const;

 private:
  friend class AvroColumn;
  static Result<AvroRow> Bind(const avro::Node& record, const std::vector<iceberg::Field>& wanted,
                              const std::vector<iceberg::MappedField>* mapped,
                              const Constants& constants, const std::string& path);

  /// One field of the file's record.
  struct Step {
    const avro::Node* node = nullptr;
    int column = -1;  ///< In the wanted order; -1: passed over.
    AvroColumn reader;
  };
  struct Constant {
    int column;
    iceberg::Type type;
    iceberg::Value value;
  };
  std::vector<Step> steps_;
  std::vector<Constant> constants_;
};

}  // namespace calve::reader
