#include "source/json/json_columns.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/builder.h>
#include <simdjson.h>

#include <map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/text_column.h"
#include "columnar/text_value.h"
#include "columnar/traced_batch.h"
#include "source/json/json_shape.h"

namespace calve::source {
namespace {

namespace ondemand = simdjson::ondemand;

std::string_view TrimEnd(std::string_view token) {
  while (!token.empty() && (token.back() == ' ' || token.back() == '\t' || token.back() == '\r' ||
                            token.back() == '\n'))
    token.remove_suffix(1);
  return token;
}

/// Whether a token of a scalar other than a string is JSON: true, false, null or a number (RFC 8259,
/// section 6). simdjson looks at its first character only.
bool IsJsonScalar(std::string_view token) {
  if (token == "true" || token == "false" || token == "null") return true;
  const auto digits = [&token] {
    size_t count = 0;
    while (count < token.size() && token[count] >= '0' && token[count] <= '9') ++count;
    token.remove_prefix(count);
    return count;
  };
  if (token.starts_with('-')) token.remove_prefix(1);
  if (token.starts_with('0')) {
    token.remove_prefix(1);
  } else if (digits() == 0) {
    return false;
  }
  if (token.starts_with('.')) {
    token.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (token.starts_with('e') || token.starts_with('E')) {
    token.remove_prefix(1);
    if (token.starts_with('-') || token.starts_with('+')) token.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return token.empty();
}

/// The text of an object or array as it stands in the line; false when it is broken.
bool RawJson(ondemand::value value, ondemand::json_type kind, std::string_view* raw) {
  ondemand::object object;
  ondemand::array array;
  if (kind == ondemand::json_type::object)
    return !value.get_object().get(object) && !object.raw_json().get(*raw);
  return !value.get_array().get(array) && !array.raw_json().get(*raw);
}

/// Appends one value at one place. On a misfit it appends null, so that all columns stay in step,
/// and notes why.
class Place {
 public:
  Place(std::string path, std::shared_ptr<arrow::DataType> type, arrow::ArrayBuilder* builder)
      : path_(std::move(path)), type_(std::move(type)), builder_(builder) {
    if (type_->id() == arrow::Type::STRUCT) {
      auto* structs = static_cast<arrow::StructBuilder*>(builder);
      for (int i = 0; i < type_->num_fields(); ++i) {
        names_.emplace(type_->field(i)->name(), children_.size());
        children_.push_back(std::make_unique<Place>(path_ + "." + type_->field(i)->name(),
                                                    type_->field(i)->type(),
                                                    structs->field_builder(i)));
      }
      seen_.resize(children_.size());
    } else if (type_->id() == arrow::Type::LIST) {
      auto* list = static_cast<arrow::ListBuilder*>(builder);
      children_.push_back(std::make_unique<Place>(path_ + ".element", type_->field(0)->type(),
                                                  list->value_builder()));
    }
  }

  Status Append(ondemand::value value, JsonMisfit* misfit) {
    ondemand::json_type kind;
    if (value.type().get(kind)) return Broken(misfit);
    const bool scalar = kind == ondemand::json_type::null || kind == ondemand::json_type::boolean ||
                        kind == ondemand::json_type::number;
    if (scalar && !IsJsonScalar(TrimEnd(value.raw_json_token()))) {
      return Misfit("'" + std::string(TrimEnd(value.raw_json_token()).substr(0, 60)) +
                        "' is no JSON; a text stands in double quotes, a number begins with no 0",
                    misfit);
    }
    if (kind == ondemand::json_type::null) return StatusOf(builder_->AppendNull());
    if (type_->id() == arrow::Type::STRUCT) return AppendObject(value, kind, misfit);
    if (type_->id() == arrow::Type::LIST) return AppendArray(value, kind, misfit);
    if (type_->id() == arrow::Type::BOOL) {
      bool flag = false;
      if (kind != ondemand::json_type::boolean || value.get_bool().get(flag))
        return Misfit(Found(kind), misfit);
      return StatusOf(static_cast<arrow::BooleanBuilder*>(builder_)->Append(flag));
    }
    if (kind == ondemand::json_type::string) {
      std::string_view text;
      if (value.get_string().get(text)) {
        return Misfit(
            "the text has a wrong escape, such as half of a surrogate pair (\\ud800), or is no "
            "UTF-8; write characters as UTF-8 or as whole escapes",
            misfit);
      }
      return AppendText(text, kind, misfit);
    }
    if (kind == ondemand::json_type::object || kind == ondemand::json_type::array) {
      std::string_view raw;
      if (!RawJson(value, kind, &raw)) return Broken(misfit);
      return AppendText(TrimEnd(raw), kind, misfit);
    }
    return AppendText(TrimEnd(value.raw_json_token()), kind, misfit);
  }

  /// One object whose fields are the children: rows, and structs.
  Status AppendFields(ondemand::object object, JsonMisfit* misfit) {
    std::fill(seen_.begin(), seen_.end(), false);
    for (auto field : object) {
      std::string_view name;
      ondemand::value value;
      if (field.unescaped_key().get(name) || field.value().get(value)) {
        NoteBroken(misfit);
        break;
      }
      const auto known = names_.find(name);
      if (known == names_.end()) {
        Note("the key '" + std::string(name.substr(0, 60)) +
                 "' is none of the columns that the sample showed; raise sample of the source",
             misfit);
        continue;
      }
      if (seen_[known->second]) {
        Note("the key '" + std::string(name) + "' stands twice in one object", misfit);
        continue;
      }
      seen_[known->second] = true;
      CALVE_RETURN_IF_ERROR(children_[known->second]->Append(value, misfit));
    }
    for (size_t i = 0; i < children_.size(); ++i) {
      if (!seen_[i]) CALVE_RETURN_IF_ERROR(children_[i]->builder_->AppendNull());
    }
    return Status::Ok();
  }

  void AddChild(const std::string& name, std::shared_ptr<arrow::DataType> type,
                arrow::ArrayBuilder* builder) {
    names_.emplace(name, children_.size());
    children_.push_back(std::make_unique<Place>(name, std::move(type), builder));
    seen_.push_back(false);
  }

 private:
  void Note(std::string reason, JsonMisfit* misfit) const {
    if (!misfit->reason.empty()) return;
    misfit->column = path_;
    misfit->reason = path_.empty() ? std::move(reason) : "column " + path_ + ": " + reason;
  }

  /// Where the JSON is broken is known when the line has been gone through: see Append.
  void NoteBroken(JsonMisfit* misfit) const {
    misfit->broken = misfit->broken || misfit->reason.empty();
    Note("the JSON is broken", misfit);
  }

  Status Broken(JsonMisfit* misfit) {
    NoteBroken(misfit);
    return StatusOf(builder_->AppendNull());
  }

  Status Misfit(std::string reason, JsonMisfit* misfit) {
    Note(std::move(reason), misfit);
    return StatusOf(builder_->AppendNull());
  }

  std::string Found(ondemand::json_type kind) const {
    static constexpr std::string_view kNames[] = {"",       "an array",  "an object", "a number",
                                                  "a text", "a boolean", "null"};
    const auto index = static_cast<size_t>(kind);
    const Result<iceberg::Type> type = columnar::ToIcebergType(*type_, 3);
    return std::string(index < std::size(kNames) ? kNames[index] : "something") + " is no " +
           (type.ok() ? type->ToString() : type_->ToString());
  }

  Status AppendObject(ondemand::value value, ondemand::json_type kind, JsonMisfit* misfit) {
    ondemand::object object;
    if (kind != ondemand::json_type::object || value.get_object().get(object))
      return Misfit(Found(kind), misfit);
    CALVE_RETURN_IF_ERROR(static_cast<arrow::StructBuilder*>(builder_)->Append());
    return AppendFields(object, misfit);
  }

  Status AppendArray(ondemand::value value, ondemand::json_type kind, JsonMisfit* misfit) {
    ondemand::array array;
    if (kind != ondemand::json_type::array || value.get_array().get(array))
      return Misfit(Found(kind), misfit);
    CALVE_RETURN_IF_ERROR(static_cast<arrow::ListBuilder*>(builder_)->Append());
    for (auto element : array) {
      ondemand::value item;
      if (element.get(item)) {
        NoteBroken(misfit);
        break;
      }
      CALVE_RETURN_IF_ERROR(children_[0]->Append(item, misfit));
    }
    return Status::Ok();
  }

  /// A text, or a number's own digits, read exactly as the type.
  Status AppendText(std::string_view text, ondemand::json_type kind, JsonMisfit* misfit) {
    static const columnar::TextFormats kFormats;
    const auto misfits = [&] {
      return Misfit(columnar::MisfitReason(text, *type_, kFormats), misfit);
    };
    switch (type_->id()) {
      case arrow::Type::STRING:
        return StatusOf(static_cast<arrow::StringBuilder*>(builder_)->Append(
            text.data(), static_cast<int32_t>(text.size())));
      case arrow::Type::INT64:
        if (const auto number = columnar::ReadInteger(text, kFormats))
          return StatusOf(static_cast<arrow::Int64Builder*>(builder_)->Append(*number));
        return misfits();
      case arrow::Type::INT32:
        if (const auto number = columnar::ReadInteger(text, kFormats);
            number.has_value() && *number == static_cast<int32_t>(*number)) {
          return StatusOf(
              static_cast<arrow::Int32Builder*>(builder_)->Append(static_cast<int32_t>(*number)));
        }
        return misfits();
      case arrow::Type::DOUBLE:
        if (const auto number = columnar::ReadDouble(text, kFormats))
          return StatusOf(static_cast<arrow::DoubleBuilder*>(builder_)->Append(*number));
        return misfits();
      case arrow::Type::FLOAT:
        if (const auto number = columnar::ReadDouble(text, kFormats)) {
          return StatusOf(
              static_cast<arrow::FloatBuilder*>(builder_)->Append(static_cast<float>(*number)));
        }
        return misfits();
      case arrow::Type::DECIMAL128: {
        const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type_);
        const auto number =
            columnar::ReadDecimal(text, decimal.precision(), decimal.scale(), kFormats);
        if (!number.has_value()) return misfits();
        return StatusOf(static_cast<arrow::Decimal128Builder*>(builder_)->Append(arrow::Decimal128(
            static_cast<int64_t>(*number >> 64), static_cast<uint64_t>(*number))));
      }
      case arrow::Type::DATE32:
        if (const auto date = columnar::ReadDate(text, kFormats))
          return StatusOf(static_cast<arrow::Date32Builder*>(builder_)->Append(*date));
        return misfits();
      case arrow::Type::TIME64:
        if (const auto time = columnar::ReadTime(text, 1'000'000))
          return StatusOf(static_cast<arrow::Time64Builder*>(builder_)->Append(*time));
        return misfits();
      case arrow::Type::TIMESTAMP: {
        const bool zoned = !static_cast<const arrow::TimestampType&>(*type_).timezone().empty();
        const int64_t unit =
            static_cast<const arrow::TimestampType&>(*type_).unit() == arrow::TimeUnit::NANO
                ? 1'000'000'000
                : 1'000'000;
        if (kind != ondemand::json_type::string) return misfits();
        if (const auto time = columnar::ReadTimestamp(text, zoned, unit, kFormats)) {
          return StatusOf(static_cast<arrow::TimestampBuilder*>(builder_)->Append(*time));
        }
        return misfits();
      }
      case arrow::Type::FIXED_SIZE_BINARY:
        if (const auto uuid = columnar::ReadUuid(text)) {
          return StatusOf(
              static_cast<arrow::FixedSizeBinaryBuilder*>(builder_)->Append(uuid->data()));
        }
        return misfits();
      default:
        return RefusedError("a json source cannot give values of type " + type_->ToString() +
                            " (column " + path_ + ")");
    }
  }

  const std::string path_;
  const std::shared_ptr<arrow::DataType> type_;
  arrow::ArrayBuilder* builder_;
  std::vector<std::unique_ptr<Place>> children_;
  std::map<std::string, size_t, std::less<>> names_;
  std::vector<bool> seen_;
};

}  // namespace

struct JsonColumns::State {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
  std::unique_ptr<Place> root;
  ondemand::parser parser;
  int64_t rows = 0;
  std::vector<int64_t> kept;
};

JsonColumns::JsonColumns(std::unique_ptr<State> state) : state_(std::move(state)) {}
JsonColumns::~JsonColumns() = default;

Result<std::unique_ptr<JsonColumns>> JsonColumns::Make(
    const std::shared_ptr<arrow::Schema>& schema) {
  auto state = std::make_unique<State>();
  state->schema = schema;
  state->root = std::make_unique<Place>("", arrow::null(), nullptr);
  for (const auto& field : schema->fields()) {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    CALVE_RETURN_IF_ERROR(
        arrow::MakeBuilder(arrow::default_memory_pool(), field->type(), &builder));
    state->root->AddChild(field->name(), field->type(), builder.get());
    state->builders.push_back(std::move(builder));
  }
  return std::unique_ptr<JsonColumns>(new JsonColumns(std::move(state)));
}

Result<JsonMisfit> JsonColumns::Append(std::string_view line) {
  JsonMisfit misfit;
  ondemand::document document;
  ondemand::object object;
  const auto broken =
      state_->parser.iterate(line.data(), line.size(), line.size() + kJsonPadding).get(document);
  if (broken) {
    misfit.reason = "the line is no JSON (" + std::string(simdjson::error_message(broken)) +
                    "); expected one object a line";
    return misfit;
  }
  if (document.get_object().get(object)) {
    misfit.reason = "the line holds no object; expected JSON lines, one object a line";
    return misfit;
  }
  CALVE_RETURN_IF_ERROR(state_->root->AppendFields(object, &misfit));
  const char* at = nullptr;
  const bool somewhere = !document.current_location().get(at) && at >= line.data();
  const std::string place =
      somewhere ? " at character " + FormatCount(at - line.data() + 1) : std::string();
  if (misfit.broken)
    misfit.reason += place + "; expected commas between values and one object a line";
  if (misfit.reason.empty() && somewhere)
    misfit.reason = "text stands behind the object" + place + "; expected one object a line";
  if (misfit.reason.empty()) state_->kept.push_back(state_->rows);
  ++state_->rows;
  return misfit;
}

Result<columnar::Batch> JsonColumns::Finish() {
  arrow::ArrayVector arrays;
  for (const auto& builder : state_->builders) {
    CALVE_ASSIGN_OR_RETURN(auto array, builder->Finish());
    arrays.push_back(std::move(array));
  }
  const auto batch = arrow::RecordBatch::Make(state_->schema, state_->rows, std::move(arrays));
  const std::vector<int64_t> kept = std::exchange(state_->kept, {});
  state_->rows = 0;
  return columnar::TakeRows(batch, kept);
}

}  // namespace calve::source
