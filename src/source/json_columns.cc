#include "source/json_columns.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/text_column.h"
#include "columnar/text_value.h"
#include "columnar/traced_batch.h"
#include "columnar/variant_array.h"
#include "columnar/variant_encode.h"
#include "source/json_cursor.h"

namespace calve::source {
namespace {

const columnar::TextFormats kFormats;

constexpr int kPlainDigitsMax = JsonCursor::kPlainDigitsMax;

/// Up to that of the most digits that a plain number has.
constexpr std::array<int64_t, kPlainDigitsMax + 1> kPowersOfTen = [] {
  std::array<int64_t, kPlainDigitsMax + 1> powers{1};
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

/// How many digits behind the point a plain number may have to be one of a type; -1: it is none.
int PlainScaleMax(const arrow::DataType& type) {
  if (type.id() == arrow::Type::INT64 || type.id() == arrow::Type::INT32) return 0;
  if (type.id() != arrow::Type::DECIMAL128) return -1;
  const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
  return decimal.precision() <= kPlainDigitsMax ? decimal.scale() : -1;
}

/// Appends one value at one place. On a misfit it appends null, so that all columns stay in step,
/// and notes why.
class Place {
 public:
  Place(std::string path, std::shared_ptr<arrow::DataType> type, arrow::ArrayBuilder* builder)
      : path_(std::move(path)),
        type_(std::move(type)),
        builder_(builder),
        scale_max_(PlainScaleMax(*type_)) {
    if (columnar::IsVariantType(*type_)) {
      variant_ = std::make_unique<columnar::VariantEncoder>();
    } else if (type_->id() == arrow::Type::STRUCT) {
      auto* structs = static_cast<arrow::StructBuilder*>(builder);
      for (int i = 0; i < type_->num_fields(); ++i) {
        const std::string& name = type_->field(i)->name();
        AddChild(name, path_ + "." + name, type_->field(i)->type(), structs->field_builder(i));
      }
    } else if (type_->id() == arrow::Type::LIST) {
      auto* list = static_cast<arrow::ListBuilder*>(builder);
      children_.push_back(std::make_unique<Place>(path_ + ".element", type_->field(0)->type(),
                                                  list->value_builder()));
    } else if (type_->id() == arrow::Type::MAP) {
      auto* map = static_cast<arrow::MapBuilder*>(builder);
      children_.push_back(
          std::make_unique<Place>(path_ + ".entry", type_->field(0)->type(), map->value_builder()));
    }
  }

  arrow::Status Append(JsonCursor& cursor, JsonMisfit* misfit) {
    const JsonKind kind = cursor.Peek();
    JsonCursor::PlainNumber number;
    if (kind == JsonKind::kNumber && scale_max_ >= 0 && cursor.TakePlain(scale_max_, &number)) {
      bool fits = true;
      ARROW_RETURN_NOT_OK(AppendPlain(number, &fits));
      return fits ? arrow::Status::OK() : Misfit(MisfitOf(number.text), misfit);
    }
    ARROW_RETURN_NOT_OK(AppendOf(kind, cursor, misfit));
    // What is deepest in the JSON notes the fault first, with its column.
    if (!cursor.ok()) Note(cursor.fault(), misfit);
    return arrow::Status::OK();
  }

  /// One object whose fields are the children: rows, and structs.
  arrow::Status AppendFields(JsonCursor& cursor, JsonMisfit* misfit) {
    std::fill(seen_.begin(), seen_.end(), uint8_t{0});
    std::string_view name;
    size_t next = 0;
    cursor.EnterObject();
    while (true) {
      // Objects mostly have their keys in one order, written in one way.
      if (next < quoted_.size() && seen_[next] == 0 && !quoted_[next].empty() &&
          cursor.TryKey(quoted_[next])) {
        seen_[next] = 1;
        ARROW_RETURN_NOT_OK(children_[next++]->Append(cursor, misfit));
        continue;
      }
      if (!cursor.NextKey(&name)) break;
      const std::optional<size_t> known = Find(name);
      if (known.has_value() && seen_[*known] == 0) {
        seen_[*known] = 1;
        next = *known + 1;
        ARROW_RETURN_NOT_OK(children_[*known]->Append(cursor, misfit));
        continue;
      }
      const std::string shown = "the key '" + std::string(name.substr(0, 60));
      Note(known.has_value()
               ? shown + "' stands twice in one object; keep one"
               : shown +
                     "' is none of the columns that the sample showed; raise sample of the source",
           misfit);
      cursor.TakeRaw();
    }
    if (!cursor.ok()) Note(cursor.fault(), misfit);
    for (size_t i = 0; i < children_.size(); ++i) {
      if (seen_[i] == 0) ARROW_RETURN_NOT_OK(children_[i]->builder_->AppendNull());
    }
    return arrow::Status::OK();
  }

  void AddChild(const std::string& name, const std::string& path,
                std::shared_ptr<arrow::DataType> type, arrow::ArrayBuilder* builder) {
    names_.emplace(name, children_.size());
    // A name that JSON may escape is not looked for as it stands.
    const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
      return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
    });
    quoted_.push_back(plain ? "\"" + name + "\":" : "");
    children_.push_back(std::make_unique<Place>(path, std::move(type), builder));
    seen_.push_back(0);
  }

 private:
  std::optional<size_t> Find(std::string_view name) const {
    const auto known = names_.find(name);
    if (known == names_.end()) return std::nullopt;
    return known->second;
  }

  void Note(std::string reason, JsonMisfit* misfit) const {
    if (!misfit->reason.empty()) return;
    misfit->column = path_;
    misfit->reason = path_.empty() ? std::move(reason) : "column " + path_ + ": " + reason;
  }

  arrow::Status Misfit(std::string reason, JsonMisfit* misfit) {
    Note(std::move(reason), misfit);
    return builder_->AppendNull();
  }

  /// Take a value that is not of this type.
  arrow::Status Misfit(JsonKind kind, JsonCursor& cursor, JsonMisfit* misfit) {
    static constexpr std::string_view kNames[] = {"null",   "a boolean", "a number",
                                                  "a text", "an object", "an array"};
    const std::string_view raw = cursor.TakeRaw();
    if (!cursor.ok()) return Misfit(cursor.fault(), misfit);
    const Result<iceberg::Type> type = columnar::ToIcebergType(*type_, 3);
    return Misfit(std::string(kNames[static_cast<size_t>(kind)]) + " is no " +
                      (type.ok() ? type->ToString() : type_->ToString()) + ", found " +
                      std::string(raw.substr(0, 60)),
                  misfit);
  }

  arrow::Status AppendOf(JsonKind kind, JsonCursor& cursor, JsonMisfit* misfit) {
    if (kind == JsonKind::kNone) return builder_->AppendNull();
    if (kind == JsonKind::kNull) {
      cursor.TakeScalar();
      return builder_->AppendNull();
    }
    if (variant_ != nullptr) return AppendVariant(cursor, misfit);
    if (type_->id() == arrow::Type::STRUCT) {
      if (kind != JsonKind::kObject) return Misfit(kind, cursor, misfit);
      ARROW_RETURN_NOT_OK(static_cast<arrow::StructBuilder*>(builder_)->Append());
      return AppendFields(cursor, misfit);
    }
    if (type_->id() == arrow::Type::LIST || type_->id() == arrow::Type::MAP) {
      if (kind != JsonKind::kArray) return Misfit(kind, cursor, misfit);
      return AppendElements(cursor, misfit);
    }
    if (type_->id() == arrow::Type::BOOL) {
      if (kind != JsonKind::kBoolean) return Misfit(kind, cursor, misfit);
      return static_cast<arrow::BooleanBuilder*>(builder_)->Append(cursor.TakeScalar() == "true");
    }
    const bool nested = kind == JsonKind::kObject || kind == JsonKind::kArray;
    const std::string_view text = kind == JsonKind::kString ? cursor.TakeString()
                                  : nested                  ? cursor.TakeRaw()
                                                            : cursor.TakeScalar();
    if (!cursor.ok()) return builder_->AppendNull();
    return AppendText(text, kind, misfit);
  }

  /// Append a number unless it is too large for the type.
  arrow::Status AppendPlain(const JsonCursor::PlainNumber& number, bool* fits) {
    const int64_t value = number.unscaled;
    if (type_->id() == arrow::Type::INT64)
      return static_cast<arrow::Int64Builder*>(builder_)->Append(value);
    if (type_->id() == arrow::Type::INT32) {
      *fits = value == static_cast<int32_t>(value);
      if (!*fits) return arrow::Status::OK();
      return static_cast<arrow::Int32Builder*>(builder_)->Append(static_cast<int32_t>(value));
    }
    const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type_);
    const auto scaled = static_cast<iceberg::Int128>(value) *
                        kPowersOfTen[static_cast<size_t>(decimal.scale() - number.scale)];
    const int64_t limit = kPowersOfTen[static_cast<size_t>(decimal.precision())];
    *fits = scaled < limit && -scaled < limit;
    if (!*fits) return arrow::Status::OK();
    return static_cast<arrow::Decimal128Builder*>(builder_)->Append(
        arrow::Decimal128(static_cast<int64_t>(scaled)));
  }

  /// A value of any kind, as a variant.
  arrow::Status AppendVariant(JsonCursor& cursor, JsonMisfit* misfit) {
    const std::string_view raw = cursor.TakeRaw();
    if (!cursor.ok()) return builder_->AppendNull();
    if (const Status encoded = variant_->Encode(raw); !encoded.ok())
      return Misfit("no variant: " + encoded.error().message, misfit);
    return columnar::AppendEncoded(*variant_, *builder_);
  }

  arrow::Status AppendElements(JsonCursor& cursor, JsonMisfit* misfit) {
    // Of a map: its entries, each an object of key and value.
    ARROW_RETURN_NOT_OK(type_->id() == arrow::Type::MAP
                            ? static_cast<arrow::MapBuilder*>(builder_)->Append()
                            : static_cast<arrow::ListBuilder*>(builder_)->Append());
    cursor.EnterArray();
    while (cursor.NextElement()) ARROW_RETURN_NOT_OK(children_[0]->Append(cursor, misfit));
    return arrow::Status::OK();
  }

  /// A text, or a number's own digits, read exactly as the type.
  arrow::Status AppendText(std::string_view text, JsonKind kind, JsonMisfit* misfit) {
    const auto misfits = [&] { return Misfit(MisfitOf(text), misfit); };
    switch (type_->id()) {
      case arrow::Type::STRING:
        return static_cast<arrow::StringBuilder*>(builder_)->Append(
            text.data(), static_cast<int32_t>(text.size()));
      case arrow::Type::INT64:
        if (const auto number = columnar::ReadInteger(text, kFormats))
          return static_cast<arrow::Int64Builder*>(builder_)->Append(*number);
        return misfits();
      case arrow::Type::INT32:
        if (const auto number = columnar::ReadInteger(text, kFormats);
            number.has_value() && *number == static_cast<int32_t>(*number)) {
          return static_cast<arrow::Int32Builder*>(builder_)->Append(static_cast<int32_t>(*number));
        }
        return misfits();
      case arrow::Type::DOUBLE:
        if (const auto number = columnar::ReadDouble(text, kFormats))
          return static_cast<arrow::DoubleBuilder*>(builder_)->Append(*number);
        return misfits();
      case arrow::Type::FLOAT:
        if (const auto number = columnar::ReadDouble(text, kFormats)) {
          return static_cast<arrow::FloatBuilder*>(builder_)->Append(static_cast<float>(*number));
        }
        return misfits();
      case arrow::Type::DECIMAL128: {
        const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type_);
        const auto number =
            columnar::ReadDecimal(text, decimal.precision(), decimal.scale(), kFormats);
        if (!number.has_value()) return misfits();
        return static_cast<arrow::Decimal128Builder*>(builder_)->Append(
            arrow::Decimal128(static_cast<int64_t>(*number >> 64), static_cast<uint64_t>(*number)));
      }
      case arrow::Type::DATE32:
        if (const auto date = columnar::ReadDate(text, kFormats))
          return static_cast<arrow::Date32Builder*>(builder_)->Append(*date);
        return misfits();
      case arrow::Type::TIME64:
        if (const auto time = columnar::ReadTime(text, 1'000'000))
          return static_cast<arrow::Time64Builder*>(builder_)->Append(*time);
        return misfits();
      case arrow::Type::TIMESTAMP: {
        const bool zoned = !static_cast<const arrow::TimestampType&>(*type_).timezone().empty();
        const int64_t unit =
            static_cast<const arrow::TimestampType&>(*type_).unit() == arrow::TimeUnit::NANO
                ? 1'000'000'000
                : 1'000'000;
        if (kind != JsonKind::kString) return misfits();
        if (const auto time = columnar::ReadTimestamp(text, zoned, unit, kFormats)) {
          return static_cast<arrow::TimestampBuilder*>(builder_)->Append(*time);
        }
        return misfits();
      }
      case arrow::Type::BINARY:
        if (const auto bytes = columnar::ReadBytes(text)) {
          return static_cast<arrow::BinaryBuilder*>(builder_)->Append(
              bytes->data(), static_cast<int32_t>(bytes->size()));
        }
        return misfits();
      case arrow::Type::FIXED_SIZE_BINARY: {
        auto* fixed = static_cast<arrow::FixedSizeBinaryBuilder*>(builder_);
        const auto width = static_cast<size_t>(fixed->byte_width());
        // Arrow has 16 bytes for a uuid too; no text is both.
        const auto uuid = width == 16 ? columnar::ReadUuid(text) : std::nullopt;
        if (uuid.has_value()) return fixed->Append(uuid->data());
        const auto bytes = columnar::ReadBytes(text);
        if (!bytes.has_value() || bytes->size() != width) return misfits();
        return fixed->Append(bytes->data());
      }
      default:
        return arrow::Status::NotImplemented("a json source cannot give values of type ",
                                             type_->ToString(), " (column ", path_, ")");
    }
  }

  std::string MisfitOf(std::string_view text) const {
    return columnar::MisfitReason(text, *type_, kFormats);
  }

  const std::string path_;
  const std::shared_ptr<arrow::DataType> type_;
  arrow::ArrayBuilder* builder_;
  const int scale_max_;  ///< Of numbers that AppendPlain takes; -1: none.
  std::unique_ptr<columnar::VariantEncoder> variant_;  ///< Null but at a variant.
  std::vector<std::unique_ptr<Place>> children_;
  std::map<std::string, size_t, std::less<>> names_;
  std::vector<std::string> quoted_;  ///< For each child: its key as mostly written; "": none.
  std::vector<uint8_t> seen_;        ///< For each child: whether the object had it.
};

}  // namespace

struct JsonColumns::State {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
  std::unique_ptr<Place> root;
  int64_t rows = 0;
  std::vector<int64_t> kept;
  int64_t last_rows = 0;              ///< Of the batch before.
  std::vector<int64_t> last_lengths;  ///< Of its texts, by column; 0 for other columns.
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
    const bool extension = field->type()->id() == arrow::Type::EXTENSION;
    const auto storage =
        extension ? static_cast<const arrow::ExtensionType&>(*field->type()).storage_type()
                  : field->type();
    CALVE_RETURN_IF_ERROR(arrow::MakeBuilder(arrow::default_memory_pool(), storage, &builder));
    state->root->AddChild(field->name(), field->name(), storage, builder.get());
    state->builders.push_back(std::move(builder));
  }
  return std::unique_ptr<JsonColumns>(new JsonColumns(std::move(state)));
}

/// Make room for a batch as large as the last one, so that columns do not grow step by step.
Status JsonColumns::Reserve() {
  for (size_t i = 0; i < state_->last_lengths.size(); ++i) {
    arrow::ArrayBuilder& builder = *state_->builders[i];
    CALVE_RETURN_IF_ERROR(builder.Reserve(state_->last_rows));
    if (auto* texts = dynamic_cast<arrow::StringBuilder*>(&builder))
      CALVE_RETURN_IF_ERROR(texts->ReserveData(state_->last_lengths[i]));
  }
  return Status::Ok();
}

Status JsonColumns::Append(std::string_view line, JsonMisfit* misfit) {
  if (state_->rows == 0) CALVE_RETURN_IF_ERROR(Reserve());
  JsonCursor cursor(line);
  if (cursor.ok() && cursor.Peek() != JsonKind::kObject) {
    misfit->reason = kNoObject;
    return Status::Ok();
  }
  const arrow::Status appended = state_->root->AppendFields(cursor, misfit);
  if (!appended.ok()) [[unlikely]]
    return StatusOf(appended);
  cursor.Finish();
  if (!cursor.ok() && misfit->reason.empty()) misfit->reason = cursor.fault();
  if (misfit->reason.empty()) state_->kept.push_back(state_->rows);
  ++state_->rows;
  return Status::Ok();
}

Result<columnar::Batch> JsonColumns::Finish() {
  arrow::ArrayVector arrays;
  state_->last_rows = state_->rows;
  state_->last_lengths.assign(state_->builders.size(), 0);
  for (size_t i = 0; i < state_->builders.size(); ++i) {
    if (const auto* texts = dynamic_cast<arrow::StringBuilder*>(state_->builders[i].get()))
      state_->last_lengths[i] = texts->value_data_length();
    CALVE_ASSIGN_OR_RETURN(auto array, state_->builders[i]->Finish());
    const auto& type = state_->schema->field(static_cast<int>(i))->type();
    if (type->id() == arrow::Type::EXTENSION)
      array = arrow::ExtensionType::WrapArray(type, std::move(array));
    arrays.push_back(std::move(array));
  }
  const auto batch = arrow::RecordBatch::Make(state_->schema, state_->rows, std::move(arrays));
  const std::vector<int64_t> kept = std::exchange(state_->kept, {});
  state_->rows = 0;
  return columnar::TakeRows(batch, kept);
}

}  // namespace calve::source
