#include "load/postgres/cursor_rows.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/extension/uuid.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/text_value.h"
#include "load/postgres/column_types.h"

namespace calve::load::postgres {
namespace {

using arrow::internal::checked_cast;
using iceberg::Type;
using iceberg::TypeKind;

constexpr int64_t kRowsFirst = 256;
constexpr int64_t kRowsMax = 16 * 1024;
constexpr int64_t kBatchBytes = 4 << 20;

/// A number in network order; nothing where a value has another size.
template <typename Number>
std::optional<Number> ReadNumber(std::string_view value) {
  std::make_unsigned_t<Number> bits{};
  if (value.size() != sizeof(bits)) return std::nullopt;
  std::memcpy(&bits, value.data(), sizeof(bits));
  if constexpr (sizeof(bits) == 4) bits = __builtin_bswap32(bits);
  if constexpr (sizeof(bits) == 8) bits = __builtin_bswap64(bits);
  return static_cast<Number>(bits);
}

template <typename Builder, typename Number>
Status AppendNumber(arrow::ArrayBuilder& builder, std::optional<Number> number) {
  if (!number.has_value()) return DataError("the server sent a value of another size");
  return StatusOf(checked_cast<Builder&>(builder).Append(*number));
}

/// Moments, which the wire counts from 2000 on. The infinities, and what lies beyond the years of
/// Arrow, are the ends of its range.
template <typename Builder, typename Number>
Status AppendMoment(arrow::ArrayBuilder& builder, std::optional<Number> since_2000,
                    Number to_2000) {
  if (!since_2000.has_value()) return DataError("the server sent a value of another size");
  Number since_1970{};
  if (__builtin_add_overflow(*since_2000, to_2000, &since_1970)) since_1970 = *since_2000;
  return StatusOf(checked_cast<Builder&>(builder).Append(since_1970));
}

Status AppendValue(arrow::ArrayBuilder& builder, const Type& type, std::string_view value);

/// array_send; see binary_rows. Of several dimensions the elements come in one row.
Status AppendList(arrow::ArrayBuilder& builder, const Type& element, std::string_view value) {
  auto& list = checked_cast<arrow::ListBuilder&>(builder);
  CALVE_RETURN_IF_ERROR(list.Append());
  const auto take = [&]() -> std::optional<int32_t> {
    const auto number = ReadNumber<int32_t>(value.substr(0, sizeof(int32_t)));
    value.remove_prefix(std::min(value.size(), sizeof(int32_t)));
    return number;
  };
  const int32_t dimensions = take().value_or(0);
  take();  // Whether there are NULLs.
  take();  // The elements' type.
  for (int32_t i = 0; i < 2 * dimensions; ++i) take();
  while (!value.empty()) {
    const std::optional<int32_t> size = take();
    if (!size.has_value() || *size > static_cast<int64_t>(value.size()))
      return DataError("the server sent an array that is cut");
    if (*size < 0) {
      CALVE_RETURN_IF_ERROR(list.value_builder()->AppendNull());
      continue;
    }
    CALVE_RETURN_IF_ERROR(
        AppendValue(*list.value_builder(), element, value.substr(0, static_cast<size_t>(*size))));
    value.remove_prefix(static_cast<size_t>(*size));
  }
  return Status::Ok();
}

Status AppendDecimal(arrow::ArrayBuilder& builder, const Type& type, std::string_view digits) {
  const auto unscaled = columnar::ReadDecimal(digits, type.precision(), type.scale(), {});
  // NaN stands in no Arrow decimal.
  if (!unscaled.has_value()) return StatusOf(builder.AppendNull());
  return columnar::AppendValue(builder, type, iceberg::Value(iceberg::Decimal{*unscaled}));
}

Status AppendValue(arrow::ArrayBuilder& builder, const Type& type, std::string_view value) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return StatusOf(checked_cast<arrow::BooleanBuilder&>(builder).Append(value == "\x01"));
    case TypeKind::kInt:
      return AppendNumber<arrow::Int32Builder>(builder, ReadNumber<int32_t>(value));
    case TypeKind::kLong:
      return AppendNumber<arrow::Int64Builder>(builder, ReadNumber<int64_t>(value));
    case TypeKind::kFloat: {
      const auto bits = ReadNumber<int32_t>(value);
      return AppendNumber<arrow::FloatBuilder>(
          builder, bits.has_value() ? std::optional(std::bit_cast<float>(*bits)) : std::nullopt);
    }
    case TypeKind::kDouble: {
      const auto bits = ReadNumber<int64_t>(value);
      return AppendNumber<arrow::DoubleBuilder>(
          builder, bits.has_value() ? std::optional(std::bit_cast<double>(*bits)) : std::nullopt);
    }
    case TypeKind::kDecimal:
      return AppendDecimal(builder, type, value);
    case TypeKind::kDate:
      return AppendMoment<arrow::Date32Builder>(builder, ReadNumber<int32_t>(value), kDaysTo2000);
    case TypeKind::kTime:
      return AppendNumber<arrow::Time64Builder>(builder, ReadNumber<int64_t>(value));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return AppendMoment<arrow::TimestampBuilder>(builder, ReadNumber<int64_t>(value),
                                                   kMicrosTo2000);
    case TypeKind::kUuid:
      if (value.size() != 16) return DataError("the server sent a value of another size");
      return StatusOf(checked_cast<arrow::FixedSizeBinaryBuilder&>(builder).Append(value));
    case TypeKind::kList:
      return AppendList(builder, type.fields()[0].type, value);
    case TypeKind::kString:
    case TypeKind::kBinary:
      return StatusOf(checked_cast<arrow::BinaryBuilder&>(builder).Append(value));
    case TypeKind::kFixed:
    case TypeKind::kUnknown:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kMap:
      break;
  }
  return BugError("a column of PostgreSQL is read as " + type.ToString());
}

class CursorRows : public engine::ResultStream {
 public:
  CursorRows(Session& session, std::shared_ptr<arrow::Schema> schema,
             std::vector<TargetColumn> columns, std::vector<int> looked_at)
      : session_(session),
        schema_(std::move(schema)),
        columns_(std::move(columns)),
        looked_at_(std::move(looked_at)),
        name_("calve_cursor_" + std::to_string(++session.cursors)) {}

  Status Open(const Context& context, const std::string& relation) {
    std::string list;
    for (const int place : looked_at_) {
      list += (list.empty() ? "" : ", ") + columns_[static_cast<size_t>(place)].Expression();
    }
    std::lock_guard lock(session_.mutex);
    return StatusOf(
        session_.database.Query(context, "DECLARE " + name_ + " NO SCROLL CURSOR FOR SELECT " +
                                             (list.empty() ? "1" : list) + " FROM " + relation));
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<columnar::Batch> Next(const Context& context) override {
    if (at_end_) return columnar::Batch();
    CALVE_ASSIGN_OR_RETURN(const auto rows, Fetch(context));
    at_end_ = rows.empty();
    if (at_end_) return columnar::Batch();
    const auto count = static_cast<int64_t>(rows.size());
    arrow::ArrayVector arrays(columns_.size());
    int64_t bytes = count;
    for (size_t i = 0; i < looked_at_.size(); ++i) {
      const auto place = static_cast<size_t>(looked_at_[i]);
      CALVE_ASSIGN_OR_RETURN(arrays[place], Decode(rows, i, columns_[place], &bytes));
    }
    for (auto& array : arrays) {
      if (array != nullptr) continue;
      CALVE_ASSIGN_OR_RETURN(array, arrow::MakeArrayOfNull(arrow::null(), count));
    }
    rows_next_ = std::clamp(kBatchBytes * count / bytes, int64_t{1}, kRowsMax);
    return arrow::RecordBatch::Make(schema_, count, std::move(arrays));
  }

 private:
  Result<std::vector<io::PostgresDatabase::Row>> Fetch(const Context& context) {
    std::lock_guard lock(session_.mutex);
    return session_.database.QueryBinary(
        context, "FETCH FORWARD " + std::to_string(rows_next_) + " FROM " + name_);
  }

  static Result<std::shared_ptr<arrow::Array>> Decode(
      const std::vector<io::PostgresDatabase::Row>& rows, size_t index, const TargetColumn& column,
      int64_t* bytes) {
    CALVE_ASSIGN_OR_RETURN(const auto type, columnar::ToArrowType(column.type));
    CALVE_ASSIGN_OR_RETURN(const auto builder, arrow::MakeBuilder(type));
    for (const auto& row : rows) {
      const std::optional<std::string>& value = row[index];
      if (!value.has_value()) {
        CALVE_RETURN_IF_ERROR(builder->AppendNull());
        continue;
      }
      *bytes += static_cast<int64_t>(value->size());
      if (Status appended = AppendValue(*builder, column.type, *value); !appended.ok())
        return While("read column " + column.name, std::move(appended).error());
    }
    CALVE_ASSIGN_OR_RETURN(auto array, builder->Finish());
    if (column.type.kind() != TypeKind::kUuid) return array;
    return arrow::ExtensionType::WrapArray(arrow::extension::uuid(), array);
  }

  Session& session_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<TargetColumn> columns_;
  const std::vector<int> looked_at_;
  const std::string name_;
  int64_t rows_next_ = kRowsFirst;
  bool at_end_ = false;
};

}  // namespace

Result<engine::ArrowTable> CursorTable(Session& session, const std::string& relation,
                                       const std::vector<TargetColumn>& columns) {
  arrow::FieldVector fields;
  for (const TargetColumn& column : columns) {
    CALVE_ASSIGN_OR_RETURN(auto type, columnar::ToArrowType(column.type));
    if (column.type.kind() == TypeKind::kUuid) type = arrow::extension::uuid();
    fields.push_back(arrow::field(column.name, std::move(type)));
  }
  auto schema = arrow::schema(std::move(fields));
  const auto open =
      [&session, relation, columns, schema](
          const Context& context,
          const std::vector<int>& looked_at) -> Result<std::unique_ptr<engine::ResultStream>> {
    auto rows = std::make_unique<CursorRows>(session, schema, columns, looked_at);
    CALVE_RETURN_IF_ERROR(rows->Open(context, relation));
    return std::unique_ptr<engine::ResultStream>(std::move(rows));
  };
  return engine::ArrowTable{.schema = schema, .batches = {}, .stream = open};
}

}  // namespace calve::load::postgres
