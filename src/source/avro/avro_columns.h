#pragma once

#include <arrow/builder.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "avro/decoder.h"
#include "avro/schema.h"
#include "base/result.h"

namespace calve::source {

/// The first value of a row that Avro holds and its type does not; empty when there is none.
struct AvroMisfit {
  std::string column;
  std::string reason;
};

/// Reads values of one Avro type into an Arrow builder of the type that holds them exactly: logical
/// types by their meaning, enums as text, uuid as Arrow's uuid. A union of null and one type is that
/// type; of int and long, long; of float and double, double; of string and enum, string; any other
/// union is a struct with a field for each branch, of which one is set. For one thread.
class AvroColumn {
 public:
  /// Fails with kData for what has no exact type: decimals of more than 38 digits, a record that
  /// contains itself. `node` outlives the column; `path` names it in messages.
  static Result<std::unique_ptr<AvroColumn>> Make(const avro::Node& node, const std::string& path);

  const std::shared_ptr<arrow::DataType>& type() const { return type_; }
  /// The type without what only names a meaning: the one to make a builder of.
  const std::shared_ptr<arrow::DataType>& storage() const { return storage_; }

  /// Append one value. One that its type cannot hold is appended as null and noted. A fault of the
  /// encoding is the decoder's to tell.
  Status Append(avro::Decoder& decoder, arrow::ArrayBuilder& builder, AvroMisfit* misfit) const;

 private:
  enum class Read {
    kNothing,
    kBoolean,
    kInt,
    kLong,
    kFloat,
    kDouble,
    kString,
    kEnum,
    kBytes,
    kDate,
    kTime,
    kTimestamp,
    kDecimal,
    kUuid,
    kRecord,
    kArray,
    kMap,
    kOptional,  ///< Null, or the only child.
    kWidened,   ///< Any branch, into one builder.
    kUnion,     ///< A struct of the branches.
  };

  AvroColumn(const avro::Node& node, std::string path) : node_(&node), path_(std::move(path)) {}

  using Ancestors = std::vector<const avro::Node*>;
  static Result<std::unique_ptr<AvroColumn>> Make(const avro::Node& node, const std::string& path,
                                                  Ancestors& ancestors);
  Status Bind(Ancestors& ancestors);
  Status BindNested(Ancestors& ancestors);
  Status BindUnion(Ancestors& ancestors);
  Status AddChild(const avro::Node& node, const std::string& name, Ancestors& ancestors);
  void BindNumber();
  Status BindDecimal();
  bool BindUuid();
  void Set(Read read, std::shared_ptr<arrow::DataType> type);
  void SetNested(Read read);

  Status AppendNested(avro::Decoder& decoder, arrow::ArrayBuilder& builder,
                      AvroMisfit* misfit) const;
  Status AppendUnion(avro::Decoder& decoder, arrow::ArrayBuilder& builder,
                     AvroMisfit* misfit) const;
  Status AppendMoment(int64_t raw, arrow::ArrayBuilder& builder, AvroMisfit* misfit) const;
  Status AppendDecimal(std::string_view bytes, arrow::ArrayBuilder& builder,
                       AvroMisfit* misfit) const;
  Status AppendUuid(std::string_view bytes, arrow::ArrayBuilder& builder, AvroMisfit* misfit) const;
  Status Misfit(std::string reason, arrow::ArrayBuilder& builder, AvroMisfit* misfit) const;
  std::string_view Bytes(avro::Decoder& decoder) const;

  const avro::Node* node_;
  const std::string path_;
  Read read_ = Read::kNothing;
  std::shared_ptr<arrow::DataType> type_;
  std::shared_ptr<arrow::DataType> storage_;
  int64_t unit_ = 1;  ///< How many of the type's units one of Avro's is.
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<AvroColumn>> children_;
  std::vector<int> child_of_branch_;  ///< Of a union; -1: null.
};

}  // namespace calve::source
