#include "source/odbc/column_types.h"

#include <arrow/extension/uuid.h>
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

#include <algorithm>
#include <utility>

#include "source/typing.h"

namespace calve::source::odbc {
namespace {

constexpr int kSqlServerTime = -154;
constexpr int kSqlServerZoned = -155;
constexpr int kDigitsMax = 38;

struct Choice {
  Form form = Form::kText;
  std::shared_ptr<arrow::DataType> type = arrow::utf8();
  Comparison comparison = Comparison::kNone;
};

Choice Number(Form form, std::shared_ptr<arrow::DataType> type) {
  return {.form = form, .type = std::move(type), .comparison = Comparison::kNumber};
}

Choice ChooseDecimal(const Field& field, const TypePolicy& policy, const arrow::DataType* wanted,
                     std::vector<std::string>* notes) {
  const bool is_exact = field.size >= 1 && field.size <= kDigitsMax && field.digits >= 0 &&
                        field.digits <= field.size;
  std::optional<DecimalSize> size = policy.numeric;
  if (is_exact)
    size = DecimalSize{.precision = static_cast<int>(field.size), .scale = field.digits};
  if (!is_exact && wanted != nullptr && wanted->id() == arrow::Type::DECIMAL128) {
    const auto& decimal = static_cast<const arrow::DecimalType&>(*wanted);
    size = DecimalSize{.precision = decimal.precision(), .scale = decimal.scale()};
  }
  if (size.has_value())
    return Number(Form::kDecimal, arrow::decimal128(size->precision, size->scale));
  notes->push_back("column " + field.name +
                   " is decimal with more than 38 digits, or of a size that the driver does not "
                   "tell, and read as text; set numeric, such as decimal(38, 9), to have a number");
  return {.comparison = Comparison::kNumber};
}

Choice Choose(const Field& field, const TypePolicy& policy, const arrow::DataType* wanted,
              std::vector<std::string>* notes) {
  switch (field.type) {
    case SQL_BIT:
      return {.form = Form::kBoolean, .type = arrow::boolean()};
    case SQL_TINYINT:
    case SQL_SMALLINT:
      return Number(Form::kInt, arrow::int32());
    case SQL_INTEGER:
      return field.is_unsigned ? Number(Form::kLong, arrow::int64())
                               : Number(Form::kInt, arrow::int32());
    case SQL_BIGINT:
      return field.is_unsigned ? Number(Form::kUnsignedLong, arrow::decimal128(20, 0))
                               : Number(Form::kLong, arrow::int64());
    case SQL_REAL:
      return {.form = Form::kFloat, .type = arrow::float32()};
    case SQL_FLOAT:
    case SQL_DOUBLE:
      return {.form = Form::kDouble, .type = arrow::float64()};
    case SQL_DECIMAL:
    case SQL_NUMERIC:
      return ChooseDecimal(field, policy, wanted, notes);
    case SQL_TYPE_DATE:
    case SQL_DATE:
      return {.form = Form::kDate, .type = arrow::date32(), .comparison = Comparison::kDate};
    case SQL_TYPE_TIME:
    case SQL_TIME:
    case kSqlServerTime:
      return {.form = Form::kTime, .type = arrow::time64(arrow::TimeUnit::MICRO)};
    case SQL_TYPE_TIMESTAMP:
    case SQL_TIMESTAMP:
      return {.form = Form::kTimestamp,
              .type = arrow::timestamp(arrow::TimeUnit::MICRO),
              .comparison = Comparison::kTimestamp};
    case kSqlServerZoned:
      return {.form = Form::kZoned, .type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")};
    case SQL_GUID:
      return {.form = Form::kUuid, .type = arrow::extension::uuid()};
    case SQL_BINARY:
    case SQL_VARBINARY:
    case SQL_LONGVARBINARY:
      return {.form = Form::kBytes, .type = arrow::binary()};
    default:
      return {};
  }
}

/// The form in which the driver is to give values of a type.
std::optional<Choice> ChoiceOf(const std::shared_ptr<arrow::DataType>& type) {
  // By its equal, since ODBC's headers make a macro of its name.
  if (type->Equals(*arrow::boolean())) return Choice{.form = Form::kBoolean, .type = type};
  switch (type->id()) {
    case arrow::Type::INT32:
      return Number(Form::kInt, type);
    case arrow::Type::INT64:
      return Number(Form::kLong, type);
    case arrow::Type::FLOAT:
      return Choice{.form = Form::kFloat, .type = type};
    case arrow::Type::DOUBLE:
      return Choice{.form = Form::kDouble, .type = type};
    case arrow::Type::DECIMAL128:
      return Number(Form::kDecimal, type);
    case arrow::Type::DATE32:
      return Choice{.form = Form::kDate, .type = type, .comparison = Comparison::kDate};
    case arrow::Type::TIME64:
      return Choice{.form = Form::kTime, .type = type};
    case arrow::Type::TIMESTAMP:
      if (static_cast<const arrow::TimestampType&>(*type).unit() != arrow::TimeUnit::MICRO)
        return std::nullopt;
      return Choice{.form = Form::kTimestamp, .type = type, .comparison = Comparison::kTimestamp};
    case arrow::Type::STRING:
      return Choice{};
    case arrow::Type::BINARY:
      return Choice{.form = Form::kBytes, .type = type};
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<TableColumn> ChooseColumn(const Field& field, const TypePolicy& policy,
                                 const arrow::DataType* wanted, std::vector<std::string>* notes) {
  Choice choice;
  if (const auto said = policy.types.find(field.name); said != policy.types.end()) {
    CALVE_ASSIGN_OR_RETURN(const auto type, ParseColumnType(said->second));
    const auto found = ChoiceOf(type);
    if (!found.has_value()) {
      return ConfigError("types: no driver gives values of " + said->second + ", for column " +
                         field.name + "; leave it out, or cast the column in a query");
    }
    choice = *found;
    const bool was_zoned = field.type == kSqlServerZoned;
    if (was_zoned && choice.form == Form::kTimestamp) choice.form = Form::kZoned;
  } else {
    choice = Choose(field, policy, wanted, notes);
  }
  return TableColumn{.name = field.name,
                     .type = std::move(choice.type),
                     .expression = {},
                     .nullable = field.nullable,
                     .native = NativeColumn{.binding = {.field = field, .form = choice.form},
                                            .comparison = choice.comparison}};
}

}  // namespace calve::source::odbc
