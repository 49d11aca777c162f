#include "source/adbc/column_types.h"

#include <arrow/extension/opaque.h>
#include <arrow/extension/uuid.h>
#include <arrow/extension_type.h>
#include <arrow/util/key_value_metadata.h>

#include <utility>

#include "columnar/convert.h"
#include "source/typing.h"

namespace calve::source::adbc {
namespace {

constexpr int kDigitsMax = 38;

/// The type that values have in memory.
const arrow::DataType& Storage(const arrow::DataType& type) {
  if (type.id() == arrow::Type::EXTENSION)
    return Storage(*static_cast<const arrow::ExtensionType&>(type).storage_type());
  if (type.id() == arrow::Type::DICTIONARY)
    return Storage(*static_cast<const arrow::DictionaryType&>(type).value_type());
  return type;
}

bool IsText(const arrow::DataType& type) {
  const arrow::Type::type id = Storage(type).id();
  return id == arrow::Type::STRING || id == arrow::Type::LARGE_STRING ||
         id == arrow::Type::STRING_VIEW;
}

bool IsStretch(const arrow::DataType& type) {
  const arrow::Type::type id = Storage(type).id();
  return id == arrow::Type::INTERVAL_MONTHS || id == arrow::Type::INTERVAL_DAY_TIME ||
         id == arrow::Type::INTERVAL_MONTH_DAY_NANO || id == arrow::Type::DURATION;
}

/// Whether texts are numbers, by what the driver tells of the database's own type.
bool IsNumberText(const arrow::Field& given, const arrow::Field& declared) {
  if (!IsText(*given.type())) return false;
  if (!IsText(*declared.type())) return true;
  if (given.type()->id() == arrow::Type::EXTENSION) {
    const auto& extension = static_cast<const arrow::ExtensionType&>(*given.type());
    if (extension.extension_name() == "arrow.opaque")
      return static_cast<const arrow::extension::OpaqueType&>(extension).type_name() == "numeric";
  }
  const auto& metadata = given.metadata();
  if (metadata == nullptr) return false;
  return metadata->Get("ADBC:postgresql:typname").ValueOr("") == "numeric";
}

Comparison CompareBy(const arrow::Field& given, const arrow::Field& declared) {
  if (IsNumberText(given, declared)) return Comparison::kNumber;
  const arrow::DataType& type = Storage(*given.type());
  if (arrow::is_integer(type.id()) || arrow::is_decimal(type.id())) return Comparison::kNumber;
  switch (type.id()) {
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return Comparison::kDate;
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(type).timezone().empty()
                 ? Comparison::kTimestamp
                 : Comparison::kTimestampTz;
    default:
      return IsText(type) ? Comparison::kText : Comparison::kNone;
  }
}

/// The size of a decimal of whose values nothing else is known.
std::shared_ptr<arrow::DataType> ChooseDecimal(const std::string& name, const TypePolicy& policy,
                                               const arrow::DataType* wanted,
                                               std::vector<std::string>* notes) {
  if (wanted != nullptr && wanted->id() == arrow::Type::DECIMAL128) {
    const auto& decimal = static_cast<const arrow::DecimalType&>(*wanted);
    return arrow::decimal128(decimal.precision(), decimal.scale());
  }
  if (policy.numeric.has_value())
    return arrow::decimal128(policy.numeric->precision, policy.numeric->scale);
  notes->push_back("column " + name +
                   " is decimal with more than 38 digits, or of a size that the driver does not "
                   "tell, and read as text; set numeric, such as decimal(38, 9), or types, to have "
                   "a number");
  return arrow::utf8();
}

bool IsWideDecimal(const arrow::DataType& type) {
  return arrow::is_decimal(type.id()) &&
         static_cast<const arrow::DecimalType&>(type).precision() > kDigitsMax;
}

/// Whether moments in nanoseconds may be read as moments in microseconds: a table has them.
bool IsSameMoment(const arrow::DataType& type, const arrow::DataType* wanted) {
  if (wanted == nullptr || wanted->id() != arrow::Type::TIMESTAMP ||
      type.id() != arrow::Type::TIMESTAMP)
    return false;
  return static_cast<const arrow::TimestampType&>(type).timezone().empty() ==
         static_cast<const arrow::TimestampType&>(*wanted).timezone().empty();
}

Result<std::shared_ptr<arrow::DataType>> Choose(const arrow::Field& given,
                                                const arrow::Field& declared,
                                                const TypePolicy& policy,
                                                const arrow::DataType* wanted,
                                                std::vector<std::string>* notes) {
  if (const auto said = policy.types.find(given.name()); said != policy.types.end())
    return ParseColumnType(said->second);
  const bool is_rounded = arrow::is_floating(Storage(*declared.type()).id());
  const bool is_number_text = IsNumberText(given, declared);
  const bool has_size = is_number_text && !IsText(*declared.type()) && !is_rounded;
  if ((is_number_text && !has_size) || IsWideDecimal(Storage(*given.type())))
    return ChooseDecimal(given.name(), policy, wanted, notes);
  const arrow::DataType& type = has_size ? *declared.type() : *given.type();
  if (IsStretch(type)) return arrow::utf8();
  if (IsSameMoment(Storage(type), wanted)) return wanted->GetSharedPtr();
  CALVE_ASSIGN_OR_RETURN(const auto exact, columnar::ToIcebergType(type, 3));
  if (exact.kind() == iceberg::TypeKind::kUuid) return arrow::extension::uuid();
  if (exact.kind() == iceberg::TypeKind::kUnknown) return arrow::utf8();
  return columnar::ToArrowType(exact);
}

}  // namespace

Result<TableColumn> ChooseColumn(const arrow::Field& given, const arrow::Field& declared,
                                 const TypePolicy& policy, const arrow::DataType* wanted,
                                 std::vector<std::string>* notes) {
  auto type = Choose(given, declared, policy, wanted, notes);
  if (!type.ok()) return While("column " + given.name(), std::move(type).error());
  return TableColumn{.name = given.name(),
                     .type = *std::move(type),
                     .expression = {},
                     .nullable = given.nullable(),
                     .native = CompareBy(given, declared)};
}

Comparison ComparisonOf(const TableColumn& column) {
  return std::any_cast<Comparison>(column.native);
}

}  // namespace calve::source::adbc
