#include "transform/type_conversion.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>

#include <set>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/text_column.h"
#include "transform/registry.h"

namespace calve::transform {
namespace {

/// What a column that is only said to be numeric becomes: wide enough for money and counts, and
/// exact.
constexpr const char* kNumeric = "decimal(38, 9)";

class TypeConversion : public Transform {
 public:
  TypeConversion(std::shared_ptr<arrow::Schema> schema,
                 std::map<int, std::shared_ptr<arrow::DataType>> changes,
                 columnar::TextFormats formats)
      : schema_(std::move(schema)), changes_(std::move(changes)), formats_(std::move(formats)) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<columnar::TracedBatch> Apply(const Context&, columnar::TracedBatch batch) override {
    const int64_t rows = batch.rows->num_rows();
    arrow::ArrayVector arrays = batch.rows->columns();
    std::set<int64_t> bad;
    for (const auto& [index, type] : changes_) {
      CALVE_ASSIGN_OR_RETURN(const auto column_texts, TextsOf(batch.rows->column(index)));
      const auto& texts = static_cast<const arrow::StringArray&>(*column_texts);
      std::vector<columnar::TextValue> values;
      values.reserve(static_cast<size_t>(rows));
      for (int64_t row = 0; row < rows; ++row) {
        const bool null = texts.IsNull(row) || Trim(texts.GetView(row)).empty();
        values.push_back(
            {.text = null ? std::string_view() : Trim(texts.GetView(row)), .null = null});
      }
      CALVE_ASSIGN_OR_RETURN(const auto column, columnar::MakeTextColumn(type, formats_));
      std::vector<int64_t> misfits;
      CALVE_RETURN_IF_ERROR(column->Append(values, &misfits));
      CALVE_ASSIGN_OR_RETURN(arrays[static_cast<size_t>(index)], column->Finish());
      for (const int64_t row : misfits) {
        if (!bad.insert(row).second) continue;
        const std::string& name = schema_->field(index)->name();
        batch.rejects.push_back(batch.RejectOf(
            row, name,
            "column " + name + ": " +
                columnar::MisfitReason(values[static_cast<size_t>(row)].text, *type, formats_)));
      }
    }
    batch.rows = arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
    if (bad.empty()) return batch;
    std::vector<int64_t> kept;
    for (int64_t row = 0; row < rows; ++row) {
      if (!bad.contains(row)) kept.push_back(row);
    }
    return columnar::TakeRows(std::move(batch), kept);
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  /// The texts of a column; numbers as they print.
  static Result<std::shared_ptr<arrow::Array>> TextsOf(
      const std::shared_ptr<arrow::Array>& column) {
    if (column->type_id() == arrow::Type::STRING) return column;
    CALVE_ASSIGN_OR_RETURN(auto texts, arrow::compute::Cast(*column, arrow::utf8()));
    return texts;
  }

  const std::map<int, std::shared_ptr<arrow::DataType>> changes_;
  const columnar::TextFormats formats_;
};

std::string NameOf(const arrow::DataType& type) {
  const Result<iceberg::Type> named = columnar::ToIcebergType(type, 3);
  return named.ok() ? named->ToString() : type.ToString();
}

/// Whether a column is a date or a number already, as date_columns and numeric_columns ask.
bool IsOfKind(const arrow::DataType& found, const arrow::DataType& wanted) {
  if (wanted.id() == arrow::Type::DATE32)
    return found.id() == arrow::Type::DATE32 || found.id() == arrow::Type::TIMESTAMP;
  return arrow::is_integer(found.id()) || arrow::is_decimal(found.id()) ||
         arrow::is_floating(found.id());
}

/// Whether the text of a value says all of it: 20260121 of a long, which may be meant as a date.
bool HasExactText(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || arrow::is_integer(type.id()) ||
         type.id() == arrow::Type::DECIMAL128;
}

Result<std::shared_ptr<arrow::DataType>> ParseType(const std::string& text) {
  CALVE_ASSIGN_OR_RETURN(const iceberg::Type type, iceberg::Type::Parse(text));
  CALVE_ASSIGN_OR_RETURN(auto arrow_type, columnar::TextType(type));
  CALVE_RETURN_IF_ERROR(columnar::MakeTextColumn(arrow_type, {}));
  return arrow_type;
}

}  // namespace

config::Shape<TypeConversionOptions> TypeConversionOptions::Declaration() {
  using O = TypeConversionOptions;
  config::Shape<O> shape("type_conversion transformer",
                         "Turn columns into exact types. Blanks around a text do not count, and a "
                         "text of blanks only becomes NULL.");
  shape.Optional("date_columns", &O::date_columns,
                 "Columns that become dates; dates and timestamps stay what they are.",
                 {.example = "[date]"});
  shape.Optional("numeric_columns", &O::numeric_columns,
                 "Columns that become decimal(38, 9), numbers stay what they are; name a narrower "
                 "type under types.",
                 {.example = "[quantity, revenue]"});
  shape.Optional("types", &O::types, "Columns and the types they become, by Iceberg's names.",
                 {.example = "{price: \"decimal(12, 2)\"}"});
  shape.Optional("date_formats", &O::date_formats, "How dates are written, as strptime says it.",
                 {.example = "[\"%d.%m.%Y\"]", .default_text = "2026-11-21"});
  shape.Optional("timestamp_formats", &O::timestamp_formats,
                 "How timestamps are written, as strptime says it.",
                 {.example = "[\"%d.%m.%Y %H:%M\"]"});
  shape.Optional("decimal", &O::decimal, "What stands before the fraction of a number.");
  shape.Optional("thousands", &O::thousands,
                 "What stands between groups of three digits; empty: nothing does.");
  for (const bool thousands : {false, true}) {
    shape.Check(thousands ? "thousands" : "decimal", [thousands](const O& o) -> Status {
      const std::string& mark = thousands ? o.thousands : o.decimal;
      if (mark.size() > 1) return ConfigError("expected one character, not '" + mark + "'");
      if (o.thousands.empty() || o.thousands != o.decimal) return Status::Ok();
      return ConfigError("thousands and decimal are both '" + o.decimal +
                         "'; a number needs two characters to tell them apart");
    });
  }
  shape.Check("date_formats",
              [](const O& o) { return columnar::CheckFormats({.date_formats = o.date_formats}); });
  shape.Check("timestamp_formats", [](const O& o) {
    return columnar::CheckFormats({.timestamp_formats = o.timestamp_formats});
  });
  shape.Check("types", [](const O& o) -> Status {
    std::vector<std::string> wrong;
    for (const auto& [column, text] : o.types) {
      Result<std::shared_ptr<arrow::DataType>> type = ParseType(text);
      if (!type.ok()) wrong.push_back("the type of column " + column + ": " + type.error().message);
    }
    return wrong.empty() ? Status::Ok() : Status(ConfigError(Join(wrong, "; ")));
  });
  return shape;
}

Result<std::unique_ptr<Transform>> MakeTypeConversion(const TypeConversionOptions& options,
                                                      const std::shared_ptr<arrow::Schema>& input) {
  std::map<std::string, std::string> wanted;
  for (const std::string& column : options.date_columns) wanted[column] = "date";
  for (const std::string& column : options.numeric_columns) wanted[column] = kNumeric;
  for (const auto& [column, type] : options.types) wanted[column] = type;
  std::map<int, std::shared_ptr<arrow::DataType>> changes;
  arrow::FieldVector fields = input->fields();
  config::Faults faults;
  for (const auto& [column, text] : wanted) {
    const int index = input->GetFieldIndex(column);
    if (index < 0) {
      faults.Add({}, "type_conversion names a column '" + column +
                         "', which the source does not have" +
                         DidYouMean(column, input->field_names()));
      continue;
    }
    CALVE_ASSIGN_OR_RETURN(const auto type, ParseType(text));
    const auto& found = input->field(index)->type();
    if (found->Equals(*type) || (!options.types.contains(column) && IsOfKind(*found, *type)))
      continue;
    if (!HasExactText(*found)) {
      faults.Add({}, "type_conversion: column " + column + " is " + NameOf(*found) +
                         ", which does not become " + text +
                         " exactly; use a sql transformer with the cast that you mean");
      continue;
    }
    changes.emplace(index, type);
    fields[static_cast<size_t>(index)] = arrow::field(column, type);
  }
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  columnar::TextFormats formats{
      .decimal = options.decimal.empty() ? '.' : options.decimal[0],
      .thousands = options.thousands.empty() ? '\0' : options.thousands[0],
      .date_formats = options.date_formats,
      .timestamp_formats = options.timestamp_formats};
  return std::make_unique<TypeConversion>(arrow::schema(std::move(fields)), std::move(changes),
                                          std::move(formats));
}

CALVE_PART(type_conversion) {
  registry.Add({.type = "type_conversion",
                .meaning = "Columns to dates, numbers and other exact types",
                .part = config::MakePart<TypeConversionOptions>("type_conversion"),
                .make = [](const Context&, const config::Node& node,
                           const std::shared_ptr<arrow::Schema>& input,
                           const Resources&) -> Result<std::unique_ptr<Transform>> {
                  CALVE_ASSIGN_OR_RETURN(const auto options,
                                         TypeConversionOptions::Declaration().Parse(node));
                  return MakeTypeConversion(options, input);
                }});
}

}  // namespace calve::transform
