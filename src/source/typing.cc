#include "source/typing.h"

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"

namespace calve::source {
namespace {

Result<std::shared_ptr<arrow::DataType>> ParseType(const std::string& text) {
  static const std::vector<std::string> kNames = {
      "boolean", "int",  "long",      "float",       "double",       "decimal(P, S)",
      "date",    "time", "timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns",
      "string",  "uuid", "variant"};
  Result<iceberg::Type> parsed = iceberg::Type::Parse(text);
  if (!parsed.ok())
    return ConfigError(parsed.error().message + DidYouMean(text, kNames) + "; known are " +
                       Join(kNames, ", "));
  const iceberg::Type type = *parsed;
  CALVE_ASSIGN_OR_RETURN(auto arrow_type, columnar::TextType(type));
  CALVE_RETURN_IF_ERROR(columnar::MakeTextColumn(arrow_type, {}));
  return arrow_type;
}

std::string NameOf(const arrow::DataType& type) {
  const Result<iceberg::Type> named = columnar::ToIcebergType(type, 3);
  return named.ok() ? named->ToString() : type.ToString();
}

/// Whether a table's column may become `to`.
bool Widens(const arrow::DataType& from, const arrow::DataType& to) {
  const Result<iceberg::Type> before = columnar::ToIcebergType(from, 2);
  const Result<iceberg::Type> after = columnar::ToIcebergType(to, 2);
  return before.ok() && after.ok() && iceberg::IsPromotion(*before, *after, 2);
}

}  // namespace

Result<std::shared_ptr<arrow::DataType>> ParseColumnType(const std::string& name) {
  return ParseType(name);
}

Status CheckTypes(const std::map<std::string, std::string>& types) {
  std::vector<std::string> wrong;
  for (const auto& [column, text] : types) {
    Result<std::shared_ptr<arrow::DataType>> type = ParseType(text);
    if (!type.ok()) wrong.push_back("the type of column " + column + ": " + type.error().message);
  }
  return wrong.empty() ? Status::Ok() : Status(ConfigError(Join(wrong, "; ")));
}

size_t ColumnTyping::Column(const std::string& name) {
  const auto [place, fresh] = places_.emplace(name, columns_.size());
  if (!fresh) return place->second;
  State state{.name = name,
              .guess = columnar::TypeGuess(options_.formats),
              .wanted = nullptr,
              .trial = nullptr,
              .misfit = {},
              .surprise_line = 0};
  const auto field = options_.wanted == nullptr ? nullptr : options_.wanted->GetFieldByName(name);
  if (field != nullptr) {
    state.wanted = field->type();
    Result<std::unique_ptr<columnar::TextColumn>> trial =
        columnar::MakeTextColumn(state.wanted, options_.formats);
    if (trial.ok()) state.trial = std::move(*trial);
  }
  columns_.push_back(std::move(state));
  return place->second;
}

void ColumnTyping::See(size_t column, std::string_view text, int64_t line) {
  State& state = columns_[column];
  const std::string surprise = state.guess.surprise();
  state.guess.See(text);
  if (state.guess.surprise() != surprise) state.surprise_line = line;
  if (state.trial == nullptr || !state.misfit.empty()) return;
  std::vector<int64_t> misfits;
  const columnar::TextValue value{.text = text, .null = false};
  if (!state.trial->Append({&value, 1, 1}, &misfits).ok() || !misfits.empty()) {
    state.misfit = "value " + std::string(text.substr(0, 60)) + " in line " + FormatCount(line);
  }
}

Result<std::shared_ptr<arrow::DataType>> ColumnTyping::TypeOf(
    const State& column, std::vector<std::string>* notes) const {
  const auto said = options_.types.find(column.name);
  if (said != options_.types.end()) return ParseType(said->second);
  const std::shared_ptr<arrow::DataType> guess = column.guess.type();
  if (column.wanted == nullptr) {
    if (!column.guess.saw_value()) {
      notes->push_back(
          "column " + column.name +
          " holds only NULLs in the sample and is read as string; give its type under types");
    } else if (!column.guess.surprise().empty()) {
      notes->push_back("column " + column.name + " is " + NameOf(*guess) + ": " +
                       column.guess.surprise() + " (line " + FormatCount(column.surprise_line) +
                       ")");
    }
    return guess;
  }
  if (column.trial == nullptr) {
    return RefusedError(
        "column " + column.name + " is " + NameOf(*column.wanted) +
        " in the table, which a text source cannot give; leave it out or convert it");
  }
  if (column.misfit.empty()) return column.wanted;
  if (options_.widen && Widens(*column.wanted, *guess)) {
    notes->push_back("column " + column.name + " is " + NameOf(*guess) + " rather than " +
                     NameOf(*column.wanted) + ": " + column.misfit);
    return guess;
  }
  notes->push_back("column " + column.name + " stays " + NameOf(*column.wanted) +
                   ", though not all values fit: " + column.misfit);
  return column.wanted;
}

Result<std::shared_ptr<arrow::Schema>> ColumnTyping::Schema(std::vector<std::string>* notes) const {
  std::vector<std::string> names;
  for (const State& column : columns_) names.push_back(column.name);
  for (const auto& [name, type] : options_.types) {
    if (!places_.contains(name))
      return ConfigError("types names a column '" + name + "', which the source does not have" +
                         DidYouMean(name, names));
  }
  arrow::FieldVector fields;
  for (const State& column : columns_) {
    CALVE_ASSIGN_OR_RETURN(auto type, TypeOf(column, notes));
    fields.push_back(arrow::field(column.name, std::move(type)));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace calve::source
