#include "engine/duckdb/arrow_output.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/buffer.h>
#include <arrow/c/bridge.h>
#include <arrow/extension/uuid.h>
#include <arrow/util/bit_util.h>
#include <fmt/format.h>

#include <duckdb/common/vector_operations/vector_operations.hpp>

#include <cstring>

#include "columnar/arrow_status.h"
#include "columnar/exact_cast.h"
#include "columnar/variant_array.h"

namespace calve::engine {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

/// A DuckDB type on its way to Arrow.
struct Carried {
  LogicalType duck;                         ///< What a vector is cast to first.
  std::shared_ptr<arrow::DataType> layout;  ///< What DuckDB's appender makes of that.
  std::shared_ptr<arrow::DataType> type;    ///< What it is called and stored as in the end.
};

Carried Same(const LogicalType& duck, std::shared_ptr<arrow::DataType> type) {
  return {duck, type, type};
}

Result<Carried> Carry(const LogicalType& type);

Result<Carried> CarryStruct(const LogicalType& type) {
  duckdb::child_list_t<LogicalType> children;
  arrow::FieldVector layout;
  arrow::FieldVector fields;
  for (const auto& [name, child_type] : duckdb::StructType::GetChildTypes(type)) {
    CALVE_ASSIGN_OR_RETURN(Carried child, Carry(child_type));
    children.emplace_back(name, child.duck);
    layout.push_back(arrow::field(name, child.layout));
    fields.push_back(arrow::field(name, child.type));
  }
  return Carried{LogicalType::STRUCT(std::move(children)), arrow::struct_(layout),
                 arrow::struct_(fields)};
}

Result<Carried> CarryNested(const LogicalType& type) {
  if (type.id() == LogicalTypeId::STRUCT) return CarryStruct(type);
  if (type.id() == LogicalTypeId::MAP) {
    CALVE_ASSIGN_OR_RETURN(Carried key, Carry(duckdb::MapType::KeyType(type)));
    CALVE_ASSIGN_OR_RETURN(Carried value, Carry(duckdb::MapType::ValueType(type)));
    return Carried{LogicalType::MAP(key.duck, value.duck), arrow::map(key.layout, value.layout),
                   arrow::map(key.type, value.type)};
  }
  if (type.id() == LogicalTypeId::LIST) {
    CALVE_ASSIGN_OR_RETURN(Carried child, Carry(duckdb::ListType::GetChildType(type)));
    return Carried{LogicalType::LIST(child.duck),
                   arrow::list(arrow::field("element", child.layout)),
                   arrow::list(arrow::field("element", child.type))};
  }
  CALVE_ASSIGN_OR_RETURN(Carried child, Carry(duckdb::ArrayType::GetChildType(type)));
  return Carried{LogicalType::LIST(child.duck), arrow::list(arrow::field("element", child.layout)),
                 arrow::list(arrow::field("element", child.type))};
}

Result<Carried> Carry(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::BOOLEAN:
      return Same(LogicalType::BOOLEAN, arrow::boolean());
    case LogicalTypeId::TINYINT:
      return Same(type, arrow::int8());
    case LogicalTypeId::SMALLINT:
      return Same(type, arrow::int16());
    case LogicalTypeId::INTEGER:
      return Same(type, arrow::int32());
    case LogicalTypeId::BIGINT:
      return Same(type, arrow::int64());
    case LogicalTypeId::UTINYINT:
      return Same(type, arrow::uint8());
    case LogicalTypeId::USMALLINT:
      return Same(type, arrow::uint16());
    case LogicalTypeId::UINTEGER:
      return Same(type, arrow::uint32());
    case LogicalTypeId::UBIGINT:
      return Same(type, arrow::uint64());
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::UHUGEINT:
      return Same(LogicalType::DECIMAL(38, 0), arrow::decimal128(38, 0));
    case LogicalTypeId::FLOAT:
      return Same(type, arrow::float32());
    case LogicalTypeId::DOUBLE:
      return Same(type, arrow::float64());
    case LogicalTypeId::DECIMAL:
      return Same(type, arrow::decimal128(duckdb::DecimalType::GetWidth(type),
                                          duckdb::DecimalType::GetScale(type)));
    case LogicalTypeId::DATE:
      return Same(type, arrow::date32());
    case LogicalTypeId::TIME:
      return Same(type, arrow::time64(arrow::TimeUnit::MICRO));
    case LogicalTypeId::TIME_NS:
      return Same(type, arrow::time64(arrow::TimeUnit::NANO));
    case LogicalTypeId::TIMESTAMP_SEC:
      return Same(type, arrow::timestamp(arrow::TimeUnit::SECOND));
    case LogicalTypeId::TIMESTAMP_MS:
      return Same(type, arrow::timestamp(arrow::TimeUnit::MILLI));
    case LogicalTypeId::TIMESTAMP:
      return Same(type, arrow::timestamp(arrow::TimeUnit::MICRO));
    case LogicalTypeId::TIMESTAMP_NS:
      return Same(type, arrow::timestamp(arrow::TimeUnit::NANO));
    case LogicalTypeId::TIMESTAMP_TZ:
      return Same(type, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
    case LogicalTypeId::INTERVAL:
      return Same(type, arrow::month_day_nano_interval());
    case LogicalTypeId::BLOB:
      return Same(LogicalType::BLOB, arrow::binary());
    case LogicalTypeId::UUID:
      return Carried{LogicalType::BLOB, arrow::binary(), arrow::extension::uuid()};
    case LogicalTypeId::VARIANT:
      return Carried{LogicalType::JSON(), arrow::utf8(), columnar::VariantExtensionType()};
    case LogicalTypeId::SQLNULL:
      return Same(type, arrow::null());
    case LogicalTypeId::VARCHAR:
    case LogicalTypeId::ENUM:
    case LogicalTypeId::BIT:
    case LogicalTypeId::TIME_TZ:
    case LogicalTypeId::BIGNUM:
      return Same(LogicalType::VARCHAR, arrow::utf8());
    case LogicalTypeId::STRUCT:
    case LogicalTypeId::LIST:
    case LogicalTypeId::ARRAY:
    case LogicalTypeId::MAP:
      return CarryNested(type);
    default:
      return RefusedError(
          fmt::format("the result has the type {}, which has no Arrow form; cast it to VARCHAR",
                      type.ToString()));
  }
}

/// Lay 16-byte binaries out as fixed_size_binary(16) under the uuid extension.
Result<std::shared_ptr<arrow::ArrayData>> ToUuids(const std::shared_ptr<arrow::ArrayData>& data) {
  const arrow::BinaryArray values(data);
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bytes,
                         arrow::AllocateBuffer(values.length() * 16));
  uint8_t* out = bytes->mutable_data();
  for (int64_t row = 0; row < values.length(); ++row, out += 16) {
    if (values.IsNull(row)) {
      std::memset(out, 0, 16);
      continue;
    }
    const auto value = values.GetView(row);
    if (value.size() != 16)
      return BugError(fmt::format("expected a uuid of 16 bytes, found {}", value.size()));
    std::memcpy(out, value.data(), 16);
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (values.null_count() > 0) {
    CALVE_ASSIGN_OR_RETURN(validity, arrow::AllocateEmptyBitmap(values.length()));
    for (int64_t row = 0; row < values.length(); ++row) {
      if (values.IsValid(row)) arrow::bit_util::SetBit(validity->mutable_data(), row);
    }
  }
  return arrow::ArrayData::Make(arrow::extension::uuid(), values.length(), {validity, bytes},
                                values.null_count());
}

/// The JSON texts of DuckDB's variants under the variant extension. DuckDB has but one null, NULL,
/// which its JSON spells null.
Result<std::shared_ptr<arrow::ArrayData>> ToVariants(const std::shared_ptr<arrow::ArrayData>& data,
                                                     const std::shared_ptr<arrow::DataType>& type) {
  const arrow::StringArray json(data);
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < json.length(); ++row) {
    const bool is_null = json.IsNull(row) || json.GetView(row) == "null";
    CALVE_RETURN_IF_ERROR(is_null ? builder.AppendNull() : builder.Append(json.GetView(row)));
  }
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> texts, builder.Finish());
  CALVE_ASSIGN_OR_RETURN(
      const auto variants,
      columnar::CastExactly(texts, iceberg::Type::Of(iceberg::TypeKind::kVariant),
                            {.name = "variant"}));
  auto result = variants->data()->Copy();
  result->type = type;
  return result;
}

/// Give data of DuckDB's layout its final type, at every depth.
Result<std::shared_ptr<arrow::ArrayData>> Retype(const std::shared_ptr<arrow::ArrayData>& data,
                                                 const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::EXTENSION) {
    return type->Equals(*arrow::extension::uuid()) ? ToUuids(data) : ToVariants(data, type);
  }
  auto result = data->Copy();
  result->type = type;
  for (size_t i = 0; i < result->child_data.size(); ++i) {
    CALVE_ASSIGN_OR_RETURN(result->child_data[i],
                           Retype(data->child_data[i], type->field(static_cast<int>(i))->type()));
  }
  return result;
}

/// About the bytes of a vector's values, long strings counted whole.
int64_t BytesOf(duckdb::Vector& vector, duckdb::idx_t rows) {
  const auto fixed =
      static_cast<int64_t>(duckdb::GetTypeIdSize(vector.GetType().InternalType()) * rows);
  switch (vector.GetType().InternalType()) {
    case duckdb::PhysicalType::VARCHAR: {
      duckdb::UnifiedVectorFormat format;
      vector.ToUnifiedFormat(rows, format);
      const auto* strings = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(format);
      int64_t bytes = fixed;
      for (duckdb::idx_t i = 0; i < rows; ++i) {
        const auto at = format.sel->get_index(i);
        if (format.validity.RowIsValid(at)) bytes += strings[at].GetSize();
      }
      return bytes;
    }
    case duckdb::PhysicalType::LIST:
      return fixed +
             BytesOf(duckdb::ListVector::GetEntry(vector), duckdb::ListVector::GetListSize(vector));
    case duckdb::PhysicalType::STRUCT: {
      if (vector.GetVectorType() != duckdb::VectorType::FLAT_VECTOR)
        return 64 * static_cast<int64_t>(rows);
      int64_t bytes = 0;
      for (auto& child : duckdb::StructVector::GetEntries(vector)) bytes += BytesOf(*child, rows);
      return bytes;
    }
    default:
      return fixed;
  }
}

}  // namespace

ArrowOutput::~ArrowOutput() = default;

Result<std::unique_ptr<ArrowOutput>> ArrowOutput::Make(duckdb::ClientContext& client,
                                                       const duckdb::vector<std::string>& names,
                                                       const duckdb::vector<LogicalType>& types) {
  auto output = std::unique_ptr<ArrowOutput>(new ArrowOutput(client));
  arrow::FieldVector fields;
  arrow::FieldVector layout;
  for (size_t i = 0; i < types.size(); ++i) {
    auto carried = Carry(types[i]);
    if (!carried.ok()) return While("column " + names[i], std::move(carried).error());
    fields.push_back(arrow::field(names[i], carried->type));
    layout.push_back(arrow::field(names[i], carried->layout));
    output->has_casts_ = output->has_casts_ || carried->duck != types[i];
    output->carried_.push_back(carried->duck);
  }
  output->schema_ = arrow::schema(fields);
  output->carried_schema_ = arrow::schema(layout);
  return output;
}

void ArrowOutput::Append(duckdb::DataChunk& chunk) {
  if (!appender_) {
    duckdb::ClientProperties properties;
    properties.client_context = client_;
    appender_ = duckdb::make_uniq<duckdb::ArrowAppender>(
        carried_, STANDARD_VECTOR_SIZE, properties,
        duckdb::unordered_map<duckdb::idx_t,
                              const duckdb::shared_ptr<duckdb::ArrowTypeExtensionData>>());
  }
  rows_ += static_cast<int64_t>(chunk.size());
  for (auto& vector : chunk.data) bytes_ += BytesOf(vector, chunk.size());
  if (!has_casts_) {
    appender_->Append(chunk, 0, chunk.size(), chunk.size());
    return;
  }
  duckdb::DataChunk cast;
  cast.Initialize(client_, carried_);
  cast.SetCardinality(chunk.size());
  for (size_t i = 0; i < carried_.size(); ++i) {
    if (chunk.data[i].GetType() == carried_[i]) {
      cast.data[i].Reference(chunk.data[i]);
    } else {
      duckdb::VectorOperations::Cast(client_, chunk.data[i], cast.data[i], chunk.size());
    }
  }
  appender_->Append(cast, 0, cast.size(), cast.size());
}

Result<columnar::Batch> ArrowOutput::Finish() {
  ArrowArray exported = appender_->Finalize();
  appender_.reset();
  rows_ = 0;
  bytes_ = 0;
  CALVE_ASSIGN_OR_RETURN(columnar::Batch batch,
                         arrow::ImportRecordBatch(&exported, carried_schema_));
  if (schema_->Equals(*carried_schema_)) return batch;
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  for (int i = 0; i < batch->num_columns(); ++i) {
    CALVE_ASSIGN_OR_RETURN(auto column, Retype(batch->column_data(i), schema_->field(i)->type()));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns));
}

}  // namespace calve::engine
