#include "source/postgresql/column_types.h"

#include <arrow/extension/uuid.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace calve::source::postgresql {
namespace {

// Oids of PostgreSQL's own types, which never change (pg_type.dat).
constexpr uint32_t kMoney = 790;
constexpr uint32_t kNumeric = 1700;

/// A type that is read as the server sends it.
struct Plain {
  Form form;
  std::shared_ptr<arrow::DataType> type;
};

std::optional<Plain> PlainType(uint32_t oid) {
  switch (oid) {
    case 16:
      return Plain{Form::kBoolean, arrow::boolean()};
    case 21:
      return Plain{Form::kInt2, arrow::int32()};
    case 23:
      return Plain{Form::kInt4, arrow::int32()};
    case 20:
      return Plain{Form::kInt8, arrow::int64()};
    case 26:  // oid
    case 28:  // xid
    case 29:  // cid
      return Plain{Form::kUnsigned4, arrow::int64()};
    case 700:
      return Plain{Form::kFloat4, arrow::float32()};
    case 701:
      return Plain{Form::kFloat8, arrow::float64()};
    case 17:
      return Plain{Form::kBytes, arrow::binary()};
    case 19:    // name
    case 25:    // text
    case 1042:  // bpchar
    case 1043:  // varchar
    case 114:   // json
      return Plain{Form::kText, arrow::utf8()};
    case 3802:
      return Plain{Form::kJsonb, arrow::utf8()};
    case 1082:
      return Plain{Form::kDate, arrow::date32()};
    case 1083:
      return Plain{Form::kTime, arrow::time64(arrow::TimeUnit::MICRO)};
    case 1114:
      return Plain{Form::kTimestamp, arrow::timestamp(arrow::TimeUnit::MICRO)};
    case 1184:
      return Plain{Form::kTimestamp, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")};
    case 2950:
      return Plain{Form::kUuid, arrow::extension::uuid()};
    default:
      return std::nullopt;
  }
}

/// What a numeric was declared with; nothing where it has no precision, or more than 38 digits.
std::optional<DecimalSize> DeclaredSize(int32_t modifier) {
  if (modifier < 4) return std::nullopt;
  const int32_t packed = modifier - 4;
  const int precision = (packed >> 16) & 0xFFFF;
  const int scale = ((packed & 0x7FF) ^ 1024) - 1024;
  // numeric(5, -2) counts hundreds, numeric(3, 5) has no digit before the point.
  const DecimalSize size = {.precision = std::max(scale < 0 ? precision - scale : precision, scale),
                            .scale = std::max(0, scale)};
  if (size.precision > 38) return std::nullopt;
  return size;
}

}  // namespace

std::string QuoteIdentifier(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string QuoteLiteral(const std::string& text) {
  std::string quoted;
  bool escaped = false;
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    if (c == '\\') escaped = true;
    quoted += c;
  }
  return (escaped ? "E'" : "'") + quoted + "'";
}

Status ColumnTypes::Learn(const Context& context, io::PostgresDatabase& database,
                          const std::vector<uint32_t>& types) {
  std::vector<uint32_t> asked = types;
  // A domain lies over a type, an array over its elements: each turn goes one step down.
  for (int turn = 0; turn < 16 && !asked.empty(); ++turn) {
    std::string list;
    for (const uint32_t type : asked) list += (list.empty() ? "" : ", ") + std::to_string(type);
    CALVE_ASSIGN_OR_RETURN(
        const auto rows,
        database.Query(context,
                       "SELECT oid, typtype, typbasetype, typtypmod, CASE WHEN typcategory = 'A' "
                       "AND typlen = -1 THEN typelem ELSE 0 END, pg_catalog.format_type(oid, -1) "
                       "FROM pg_catalog.pg_type WHERE oid IN (" +
                           list + ")"));
    asked.clear();
    for (const auto& row : rows) {
      const auto number = [&](size_t i) { return ParseInteger(row[i].value_or("0")).value_or(0); };
      Type type{.kind = row[1].value_or("b")[0],
                .base = static_cast<uint32_t>(number(2)),
                .base_modifier = static_cast<int32_t>(number(3)),
                .element = static_cast<uint32_t>(number(4)),
                .name = row[5].value_or("")};
      if (type.kind == 'd') type.element = 0;
      for (const uint32_t next : {type.base, type.element}) {
        if (next != 0 && !types_.contains(next)) asked.push_back(next);
      }
      types_[static_cast<uint32_t>(number(0))] = std::move(type);
    }
  }
  if (types_.contains(kMoney)) {
    CALVE_ASSIGN_OR_RETURN(const auto rows,
                           database.Query(context, "SELECT scale(1::pg_catalog.money::numeric)"));
    money_scale_ = static_cast<int>(ParseInteger(rows[0][0].value_or("2")).value_or(2));
  }
  return Status::Ok();
}

Result<std::vector<TableColumn>> ColumnTypes::Choose(
    const Context& context, io::PostgresDatabase& database,
    const std::vector<io::PostgresDatabase::Column>& columns, const arrow::Schema* wanted,
    std::vector<std::string>* notes) {
  std::vector<uint32_t> unknown;
  for (const auto& column : columns) {
    if (!types_.contains(column.type)) unknown.push_back(column.type);
  }
  CALVE_RETURN_IF_ERROR(Learn(context, database, unknown));
  std::vector<TableColumn> chosen;
  for (const auto& column : columns) {
    const auto field = wanted == nullptr ? nullptr : wanted->GetFieldByName(column.name);
    chosen.push_back(ChooseOne(column, field == nullptr ? nullptr : field->type().get(), notes));
  }
  return chosen;
}

TableColumn ColumnTypes::ChooseOne(const io::PostgresDatabase::Column& column,
                                   const arrow::DataType* wanted,
                                   std::vector<std::string>* notes) const {
  NativeColumn native{.type = column.type};
  int32_t modifier = column.modifier;
  const auto look = [&](uint32_t oid) {
    const auto found = types_.find(oid);
    return found == types_.end() ? Type{} : found->second;
  };
  const auto pass_domains = [&] {
    for (Type type = look(native.type); type.kind == 'd'; type = look(native.type)) {
      native.type = type.base;
      if (modifier == -1) modifier = type.base_modifier;
    }
  };
  pass_domains();
  native.type_name = look(native.type).name;
  if (const uint32_t element = look(native.type).element; element != 0) {
    native.is_array = true;
    native.type = element;
    pass_domains();
  }
  std::shared_ptr<arrow::DataType> type = arrow::utf8();
  std::string cast = native.is_array ? "::text[]" : "::text";
  if (const auto plain = PlainType(native.type); plain.has_value()) {
    native.form = plain->form;
    type = plain->type;
    cast.clear();
  } else if (native.type == kMoney) {
    native.form = Form::kMoney;
    type = arrow::decimal128(19, money_scale_);
    cast.clear();
  } else if (native.type == kNumeric) {
    std::optional<DecimalSize> size = DeclaredSize(modifier);
    const bool declared = size.has_value();
    if (!declared && wanted != nullptr && wanted->id() == arrow::Type::DECIMAL128) {
      const auto& decimal = static_cast<const arrow::DecimalType&>(*wanted);
      size = DecimalSize{.precision = decimal.precision(), .scale = decimal.scale()};
    }
    if (!size.has_value()) size = policy_.numeric;
    if (size.has_value()) {
      native.form = Form::kNumeric;
      type = arrow::decimal128(size->precision, size->scale);
      cast.clear();
    }
    if (!declared && !size.has_value()) {
      notes->push_back("column " + column.name +
                       (modifier < 4 ? " is numeric without precision"
                                     : " is numeric with more than 38 digits") +
                       " and read as text; set numeric, such as decimal(38, 9), to have a number");
    }
  } else if (look(native.type).kind == 'e') {
    cast.clear();  // Enums are sent as their labels.
  }
  if (native.is_array) type = arrow::list(arrow::field("element", type));
  return {.name = column.name,
          .type = std::move(type),
          .expression = QuoteIdentifier(column.name) + cast,
          .native = std::move(native)};
}

}  // namespace calve::source::postgresql
