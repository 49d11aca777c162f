#include "source/mysql/column_types.h"

#include <arrow/extension/uuid.h>
#include <fmt/format.h>
#include <mysql.h>

#include <utility>

namespace calve::source::mysql {
namespace {

constexpr unsigned kBinaryCharset = 63;
constexpr int kTypeJson = 245;
constexpr int kTypeVector = 242;

struct Choice {
  Form form;
  std::shared_ptr<arrow::DataType> type;
  Comparison comparison = Comparison::kNone;
};

Choice Number(Form form, std::shared_ptr<arrow::DataType> type) {
  return {.form = form, .type = std::move(type), .comparison = Comparison::kNumber};
}

Choice Text(Comparison comparison = Comparison::kNone) {
  return {.form = Form::kText, .type = arrow::utf8(), .comparison = comparison};
}

Choice ChooseDecimal(const Field& field, const TypePolicy& policy, const arrow::DataType* wanted,
                     std::vector<std::string>* notes) {
  // The length has room for a sign and the point.
  const int precision = static_cast<int>(field.length) - (field.decimals > 0 ? 1 : 0) -
                        ((field.flags & UNSIGNED_FLAG) != 0 ? 0 : 1);
  std::optional<DecimalSize> size =
      DecimalSize{.precision = precision, .scale = static_cast<int>(field.decimals)};
  if (precision > 38) {
    size = policy.numeric;
    if (wanted != nullptr && wanted->id() == arrow::Type::DECIMAL128) {
      const auto& decimal = static_cast<const arrow::DecimalType&>(*wanted);
      size = DecimalSize{.precision = decimal.precision(), .scale = decimal.scale()};
    }
  }
  if (size.has_value())
    return Number(Form::kDecimal, arrow::decimal128(std::max(1, size->precision), size->scale));
  notes->push_back("column " + field.name +
                   " is decimal with more than 38 digits and read as text; set numeric, such as "
                   "decimal(38, 9), to have a number");
  return {.form = Form::kText, .type = arrow::utf8(), .comparison = Comparison::kNumber};
}

Choice ChooseBit(const Field& field) {
  if (field.length == 1) return {.form = Form::kBit, .type = arrow::boolean()};
  if (field.length < 64) return {.form = Form::kBit, .type = arrow::int64()};
  return {.form = Form::kBit, .type = arrow::decimal128(20, 0)};
}

Choice ChooseTime(const TypePolicy& policy) {
  switch (policy.decoding.time) {
    case TimeAs::kTime:
      return {.form = Form::kTime, .type = arrow::time64(arrow::TimeUnit::MICRO)};
    case TimeAs::kMicroseconds:
      return {.form = Form::kTime, .type = arrow::int64()};
    case TimeAs::kString:
      return {.form = Form::kTime, .type = arrow::utf8()};
  }
  return Text();
}

Choice ChooseBytes(const Field& field) {
  if (field.type_name == "uuid") return {.form = Form::kUuid, .type = arrow::extension::uuid()};
  if (field.type_name == "inet4" || field.type_name == "inet6") return Text();
  if (field.charset == kBinaryCharset) return {.form = Form::kBytes, .type = arrow::binary()};
  // Enums and sets are put in an order by the numbers of their words.
  const bool is_listed = (field.flags & (ENUM_FLAG | SET_FLAG)) != 0;
  return Text(is_listed ? Comparison::kNone : Comparison::kText);
}

Choice Choose(const Field& field, const TypePolicy& policy, const arrow::DataType* wanted,
              std::vector<std::string>* notes) {
  const bool is_unsigned = (field.flags & UNSIGNED_FLAG) != 0;
  switch (field.type) {
    case MYSQL_TYPE_TINY:
      if (field.length == 1 && policy.tinyint1_is_boolean)
        return {.form = Form::kBoolean, .type = arrow::boolean()};
      return Number(is_unsigned ? Form::kUnsignedTiny : Form::kTiny, arrow::int32());
    case MYSQL_TYPE_SHORT:
      return Number(is_unsigned ? Form::kUnsignedShort : Form::kShort, arrow::int32());
    case MYSQL_TYPE_YEAR:
      return Number(Form::kUnsignedShort, arrow::int32());
    case MYSQL_TYPE_INT24:
      return Number(Form::kInt, arrow::int32());
    case MYSQL_TYPE_LONG:
      return is_unsigned ? Number(Form::kUnsignedInt, arrow::int64())
                         : Number(Form::kInt, arrow::int32());
    case MYSQL_TYPE_LONGLONG:
      return is_unsigned ? Number(Form::kUnsignedBigint, arrow::decimal128(20, 0))
                         : Number(Form::kBigint, arrow::int64());
    case MYSQL_TYPE_FLOAT:
      return {.form = Form::kFloat, .type = arrow::float32(), .comparison = Comparison::kReal};
    case MYSQL_TYPE_DOUBLE:
      return {.form = Form::kDouble, .type = arrow::float64(), .comparison = Comparison::kReal};
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      return ChooseDecimal(field, policy, wanted, notes);
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
      return {.form = Form::kDate, .type = arrow::date32(), .comparison = Comparison::kDate};
    case MYSQL_TYPE_DATETIME:
      return {.form = Form::kDateTime,
              .type = arrow::timestamp(arrow::TimeUnit::MICRO),
              .comparison = Comparison::kTimestamp};
    case MYSQL_TYPE_TIMESTAMP:
      return {.form = Form::kDateTime,
              .type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
              .comparison = Comparison::kTimestamp};
    case MYSQL_TYPE_TIME:
      return ChooseTime(policy);
    case MYSQL_TYPE_BIT:
      return ChooseBit(field);
    case kTypeJson:
    case MYSQL_TYPE_NULL:
      return Text();
    case MYSQL_TYPE_GEOMETRY:
    case kTypeVector:
      return {.form = Form::kBytes, .type = arrow::binary()};
    default:
      return ChooseBytes(field);
  }
}

}  // namespace

TableColumn ChooseColumn(const Field& field, const TypePolicy& policy,
                         const arrow::DataType* wanted, std::vector<std::string>* notes) {
  Choice choice = Choose(field, policy, wanted, notes);
  return {
      .name = field.name,
      .type = std::move(choice.type),
      .expression = QuoteIdentifier(field.name),
      .nullable = (field.flags & NOT_NULL_FLAG) == 0,
      .native = NativeColumn{.field = field, .form = choice.form, .comparison = choice.comparison}};
}

std::string QuoteIdentifier(const std::string& name) {
  std::string quoted = "`";
  for (const char c : name) quoted += c == '`' ? std::string("``") : std::string(1, c);
  return quoted + "`";
}

std::string QuoteText(const std::string& text) {
  if (text.empty()) return "''";
  std::string quoted = "_utf8mb4 X'";
  for (const char c : text) quoted += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return quoted + "'";
}

}  // namespace calve::source::mysql
