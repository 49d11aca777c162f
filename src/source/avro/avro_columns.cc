#include "source/avro/avro_columns.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/extension/uuid.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/text_value.h"

namespace calve::source {
namespace {

using avro::Kind;

constexpr int64_t kDayMicros = 86'400'000'000;

bool IsPlain(const avro::Node& node, Kind kind) {
  return node.kind == kind && node.logical_type.empty();
}

/// Whether every branch but null is one of two kinds without logical type.
bool AreAll(const std::vector<const avro::Node*>& branches, Kind a, Kind b) {
  return std::all_of(branches.begin(), branches.end(), [&](const avro::Node* branch) {
    return branch->kind == Kind::kNull || IsPlain(*branch, a) || IsPlain(*branch, b);
  });
}

/// What a union's branch is called as a field.
std::string BranchName(const avro::Node& node) {
  return node.is_named() ? node.name : std::string(avro::ToString(node.kind));
}

}  // namespace

Result<std::unique_ptr<AvroColumn>> AvroColumn::Make(const avro::Node& node,
                                                     const std::string& path) {
  Ancestors ancestors;
  return Make(node, path, ancestors);
}

Result<std::unique_ptr<AvroColumn>> AvroColumn::Make(const avro::Node& node,
                                                     const std::string& path,
                                                     Ancestors& ancestors) {
  if (std::find(ancestors.begin(), ancestors.end(), &node) != ancestors.end()) {
    return DataError("column " + path + ": record " + node.full_name() +
                     " contains itself, which no table column can; write it flat");
  }
  std::unique_ptr<AvroColumn> column(new AvroColumn(node, path));
  ancestors.push_back(&node);
  CALVE_RETURN_IF_ERROR(column->Bind(ancestors));
  ancestors.pop_back();
  return column;
}

void AvroColumn::Set(Read read, std::shared_ptr<arrow::DataType> type) {
  read_ = read;
  type_ = std::move(type);
  storage_ = type_;
}

Status AvroColumn::Bind(Ancestors& ancestors) {
  switch (node_->kind) {
    case Kind::kNull:
      Set(Read::kNothing, arrow::utf8());
      return Status::Ok();
    case Kind::kBoolean:
      Set(Read::kBoolean, arrow::boolean());
      return Status::Ok();
    case Kind::kInt:
    case Kind::kLong:
      BindNumber();
      return Status::Ok();
    case Kind::kFloat:
      Set(Read::kFloat, arrow::float32());
      return Status::Ok();
    case Kind::kDouble:
      Set(Read::kDouble, arrow::float64());
      return Status::Ok();
    case Kind::kString:
      if (!BindUuid()) Set(Read::kString, arrow::utf8());
      return Status::Ok();
    case Kind::kEnum:
      Set(Read::kEnum, arrow::utf8());
      return Status::Ok();
    case Kind::kBytes:
    case Kind::kFixed:
      if (node_->decimal.has_value()) return BindDecimal();
      if (node_->kind == Kind::kFixed && BindUuid()) return Status::Ok();
      Set(Read::kBytes, node_->kind == Kind::kBytes ? arrow::binary()
                                                    : arrow::fixed_size_binary(node_->size_bytes));
      return Status::Ok();
    case Kind::kUnion:
      return BindUnion(ancestors);
    case Kind::kRecord:
    case Kind::kArray:
    case Kind::kMap:
      return BindNested(ancestors);
  }
  return BugError("an Avro kind that is not listed");
}

/// An int or long by its logical type. A logical type that does not go with its kind means nothing
/// (Avro spec, Logical Types).
void AvroColumn::BindNumber() {
  const bool is_long = node_->kind == Kind::kLong;
  const std::string& logical = node_->logical_type;
  if (!is_long && logical == "date") return Set(Read::kDate, arrow::date32());
  if (!is_long && logical == "time-millis") {
    unit_ = 1'000;
    return Set(Read::kTime, arrow::time64(arrow::TimeUnit::MICRO));
  }
  if (is_long && logical == "time-micros")
    return Set(Read::kTime, arrow::time64(arrow::TimeUnit::MICRO));
  const bool local = logical.starts_with("local-timestamp-");
  if (is_long && (local || logical.starts_with("timestamp-"))) {
    const std::string_view unit = std::string_view(logical).substr(logical.rfind('-') + 1);
    // Iceberg's writers say with this attribute that a timestamp has no zone.
    const bool zoned = !local && node_->attributes.GetBool("adjust-to-utc").value_or(true);
    if (unit == "millis" || unit == "micros" || unit == "nanos") {
      unit_ = unit == "millis" ? 1'000 : 1;
      const auto ticks = unit == "nanos" ? arrow::TimeUnit::NANO : arrow::TimeUnit::MICRO;
      return Set(Read::kTimestamp, arrow::timestamp(ticks, zoned ? "UTC" : ""));
    }
  }
  Set(is_long ? Read::kLong : Read::kInt, is_long ? arrow::int64() : arrow::int32());
}

Status AvroColumn::BindDecimal() {
  const avro::Decimal& decimal = *node_->decimal;
  if (decimal.precision > 38) {
    return DataError("column " + path_ + ": a decimal of " + std::to_string(decimal.precision) +
                     " digits, and tables hold at most 38; write it with fewer digits or as "
                     "string");
  }
  Set(Read::kDecimal, arrow::decimal128(decimal.precision, decimal.scale));
  return Status::Ok();
}

bool AvroColumn::BindUuid() {
  if (node_->logical_type != "uuid") return false;
  if (node_->kind == Kind::kFixed && node_->size_bytes != 16) return false;
  Set(Read::kUuid, arrow::extension::uuid());
  storage_ = arrow::fixed_size_binary(16);
  return true;
}

Status AvroColumn::AddChild(const avro::Node& node, const std::string& name, Ancestors& ancestors) {
  CALVE_ASSIGN_OR_RETURN(auto child, Make(node, path_ + "." + name, ancestors));
  names_.push_back(name);
  children_.push_back(std::move(child));
  return Status::Ok();
}

Status AvroColumn::BindNested(Ancestors& ancestors) {
  if (node_->kind != Kind::kRecord) {
    const bool array = node_->kind == Kind::kArray;
    CALVE_RETURN_IF_ERROR(AddChild(*node_->element, array ? "element" : "value", ancestors));
    SetNested(array ? Read::kArray : Read::kMap);
    return Status::Ok();
  }
  for (const avro::Field& field : node_->fields)
    CALVE_RETURN_IF_ERROR(AddChild(*field.type, field.name, ancestors));
  // A record without fields takes no bytes and says nothing: a column of NULLs.
  if (children_.empty()) {
    Set(Read::kNothing, arrow::utf8());
    return Status::Ok();
  }
  SetNested(Read::kRecord);
  return Status::Ok();
}

Status AvroColumn::BindUnion(Ancestors& ancestors) {
  std::vector<const avro::Node*> values;
  for (const avro::Node* branch : node_->branches) {
    child_of_branch_.push_back(branch->kind == Kind::kNull ? -1 : static_cast<int>(values.size()));
    if (branch->kind != Kind::kNull) values.push_back(branch);
  }
  for (const avro::Node* value : values) {
    const std::string name = BranchName(*value);
    const bool taken = std::find(names_.begin(), names_.end(), name) != names_.end();
    // The only branch beside null is the column itself.
    CALVE_ASSIGN_OR_RETURN(
        auto child, Make(*value, values.size() == 1 ? path_ : path_ + "." + name, ancestors));
    names_.push_back(taken ? value->full_name() : name);
    children_.push_back(std::move(child));
  }
  if (values.empty()) {
    Set(Read::kOptional, arrow::utf8());
  } else if (values.size() == 1) {
    Set(Read::kOptional, children_[0]->type_);
    storage_ = children_[0]->storage_;
  } else if (AreAll(values, Kind::kInt, Kind::kLong)) {
    Set(Read::kWidened, arrow::int64());
    for (const auto& child : children_) child->Set(Read::kLong, arrow::int64());
  } else if (AreAll(values, Kind::kFloat, Kind::kDouble)) {
    Set(Read::kWidened, arrow::float64());
    for (const auto& child : children_) child->type_ = child->storage_ = arrow::float64();
  } else if (AreAll(values, Kind::kString, Kind::kEnum)) {
    Set(Read::kWidened, arrow::utf8());
  } else {
    SetNested(Read::kUnion);
  }
  return Status::Ok();
}

/// The type of an array, a map or a struct out of those of the children.
void AvroColumn::SetNested(Read read) {
  read_ = read;
  const auto of = [&](const auto& type_of) -> std::shared_ptr<arrow::DataType> {
    if (read == Read::kArray) return arrow::list(arrow::field("element", type_of(*children_[0])));
    if (read == Read::kMap) return arrow::map(arrow::utf8(), type_of(*children_[0]));
    arrow::FieldVector fields;
    for (size_t i = 0; i < children_.size(); ++i)
      fields.push_back(arrow::field(names_[i], type_of(*children_[i])));
    return arrow::struct_(std::move(fields));
  };
  // Arrow's builders know no extension types below the top: a uuid in there stays fixed[16].
  storage_ = of([](const AvroColumn& child) { return child.storage_; });
  type_ = storage_;
}

Status AvroColumn::Misfit(std::string reason, arrow::ArrayBuilder& builder,
                          AvroMisfit* misfit) const {
  if (misfit->reason.empty()) *misfit = {path_, "column " + path_ + ": " + std::move(reason)};
  return StatusOf(builder.AppendNull());
}

std::string_view AvroColumn::Bytes(avro::Decoder& decoder) const {
  return node_->kind == Kind::kFixed ? decoder.ReadFixed(static_cast<size_t>(node_->size_bytes))
                                     : decoder.ReadBytes();
}

Status AvroColumn::Append(avro::Decoder& decoder, arrow::ArrayBuilder& builder,
                          AvroMisfit* misfit) const {
  switch (read_) {
    case Read::kNothing:
      return StatusOf(builder.AppendNull());
    case Read::kBoolean:
      return StatusOf(static_cast<arrow::BooleanBuilder&>(builder).Append(decoder.ReadBool()));
    case Read::kInt:
      return StatusOf(static_cast<arrow::Int32Builder&>(builder).Append(decoder.ReadInt()));
    case Read::kLong:
      return StatusOf(static_cast<arrow::Int64Builder&>(builder).Append(decoder.ReadLong()));
    case Read::kDate:
      return StatusOf(static_cast<arrow::Date32Builder&>(builder).Append(decoder.ReadInt()));
    case Read::kFloat:
      if (type_->id() == arrow::Type::DOUBLE)
        return StatusOf(static_cast<arrow::DoubleBuilder&>(builder).Append(decoder.ReadFloat()));
      return StatusOf(static_cast<arrow::FloatBuilder&>(builder).Append(decoder.ReadFloat()));
    case Read::kDouble:
      return StatusOf(static_cast<arrow::DoubleBuilder&>(builder).Append(decoder.ReadDouble()));
    case Read::kString: {
      const std::string_view text = decoder.ReadString();
      if (!IsValidUtf8(text))
        return Misfit("the text is no UTF-8; write it as bytes", builder, misfit);
      return StatusOf(static_cast<arrow::StringBuilder&>(builder).Append(text));
    }
    case Read::kEnum: {
      const size_t symbol = decoder.ReadIndex(node_->symbols.size());
      if (!decoder.ok()) return StatusOf(builder.AppendNull());
      return StatusOf(static_cast<arrow::StringBuilder&>(builder).Append(node_->symbols[symbol]));
    }
    case Read::kBytes: {
      const std::string_view bytes = Bytes(decoder);
      if (!decoder.ok()) return StatusOf(builder.AppendNull());
      if (node_->kind == Kind::kBytes)
        return StatusOf(static_cast<arrow::BinaryBuilder&>(builder).Append(bytes));
      return StatusOf(static_cast<arrow::FixedSizeBinaryBuilder&>(builder).Append(bytes));
    }
    case Read::kTime:
    case Read::kTimestamp:
      return AppendMoment(decoder.ReadLong(), builder, misfit);
    case Read::kDecimal:
      return AppendDecimal(Bytes(decoder), builder, misfit);
    case Read::kUuid:
      return AppendUuid(Bytes(decoder), builder, misfit);
    case Read::kRecord:
    case Read::kArray:
    case Read::kMap:
      return AppendNested(decoder, builder, misfit);
    case Read::kOptional:
    case Read::kWidened:
    case Read::kUnion:
      return AppendUnion(decoder, builder, misfit);
  }
  return BugError("an Avro value that is not listed");
}

Status AvroColumn::AppendMoment(int64_t raw, arrow::ArrayBuilder& builder,
                                AvroMisfit* misfit) const {
  int64_t value = 0;
  const bool beyond = __builtin_mul_overflow(raw, unit_, &value);
  if (read_ == Read::kTime) {
    if (beyond || value < 0 || value >= kDayMicros)
      return Misfit(std::to_string(raw) + " is no time of a day; write it as a long or int",
                    builder, misfit);
    return StatusOf(static_cast<arrow::Time64Builder&>(builder).Append(value));
  }
  if (beyond)
    return Misfit(std::to_string(raw) + " milliseconds are beyond a timestamp of microseconds",
                  builder, misfit);
  return StatusOf(static_cast<arrow::TimestampBuilder&>(builder).Append(value));
}

Status AvroColumn::AppendDecimal(std::string_view bytes, arrow::ArrayBuilder& builder,
                                 AvroMisfit* misfit) const {
  const auto& type = static_cast<const arrow::Decimal128Type&>(*type_);
  // Two's complement, big end first; what is longer than 16 bytes only repeats the sign.
  const char sign = !bytes.empty() && (bytes[0] & 0x80) != 0 ? '\xff' : '\0';
  while (bytes.size() > 16 && bytes[0] == sign) bytes.remove_prefix(1);
  const bool sign_kept = bytes.size() < 16 || ((bytes[0] & 0x80) != 0) == (sign != '\0');
  arrow::Decimal128 value;
  if (bytes.size() <= 16 && sign_kept && !bytes.empty()) {
    const auto read = arrow::Decimal128::FromBigEndian(
        reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int32_t>(bytes.size()));
    CALVE_ASSIGN_OR_RETURN(value, read);
    if (value.FitsInPrecision(type.precision()))
      return StatusOf(static_cast<arrow::Decimal128Builder&>(builder).Append(value));
  }
  return Misfit(bytes.empty() ? "a decimal without digits"
                              : "the decimal has more digits than " + type.ToString() +
                                    "; write it with the precision that it needs",
                builder, misfit);
}

Status AvroColumn::AppendUuid(std::string_view bytes, arrow::ArrayBuilder& builder,
                              AvroMisfit* misfit) const {
  auto& uuids = static_cast<arrow::FixedSizeBinaryBuilder&>(builder);
  if (node_->kind == Kind::kFixed)
    return bytes.size() == 16 ? StatusOf(uuids.Append(bytes)) : StatusOf(builder.AppendNull());
  const auto uuid = columnar::ReadUuid(bytes);
  if (uuid.has_value()) return StatusOf(uuids.Append(uuid->data()));
  const std::string shown(bytes.substr(0, 60));
  return Misfit((IsValidUtf8(shown) ? "'" + shown + "'" : "the text") +
                    " is no uuid; expected 32 hexadecimal digits in groups of 8-4-4-4-12",
                builder, misfit);
}

Status AvroColumn::AppendNested(avro::Decoder& decoder, arrow::ArrayBuilder& builder,
                                AvroMisfit* misfit) const {
  if (!decoder.Enter()) return StatusOf(builder.AppendNull());
  Status status;
  if (read_ == Read::kRecord) {
    auto& structs = static_cast<arrow::StructBuilder&>(builder);
    CALVE_RETURN_IF_ERROR(structs.Append());
    for (size_t i = 0; i < children_.size(); ++i)
      CALVE_RETURN_IF_ERROR(
          children_[i]->Append(decoder, *structs.field_builder(static_cast<int>(i)), misfit));
  } else if (read_ == Read::kArray) {
    auto& lists = static_cast<arrow::ListBuilder&>(builder);
    CALVE_RETURN_IF_ERROR(lists.Append());
    decoder.ForEachItem(node_->element->bytes_min, [&] {
      if (status.ok()) status = children_[0]->Append(decoder, *lists.value_builder(), misfit);
    });
  } else {
    auto& maps = static_cast<arrow::MapBuilder&>(builder);
    CALVE_RETURN_IF_ERROR(maps.Append());
    auto& keys = static_cast<arrow::StringBuilder&>(*maps.key_builder());
    decoder.ForEachItem(node_->element->bytes_min + 1, [&] {
      if (!status.ok()) return;
      const std::string_view key = decoder.ReadString();
      const bool valid = IsValidUtf8(key);
      if (!valid && misfit->reason.empty())
        *misfit = {path_, "column " + path_ + ": a key is no UTF-8"};
      status = StatusOf(keys.Append(valid ? key : std::string_view()));
      if (status.ok()) status = children_[0]->Append(decoder, *maps.item_builder(), misfit);
    });
  }
  decoder.Leave();
  return status;
}

Status AvroColumn::AppendUnion(avro::Decoder& decoder, arrow::ArrayBuilder& builder,
                               AvroMisfit* misfit) const {
  const size_t branch = decoder.ReadIndex(child_of_branch_.size());
  if (!decoder.ok()) return StatusOf(builder.AppendNull());
  const int child = child_of_branch_[branch];
  if (child < 0) return StatusOf(builder.AppendNull());
  const auto& chosen = children_[static_cast<size_t>(child)];
  if (read_ != Read::kUnion) return chosen->Append(decoder, builder, misfit);
  auto& structs = static_cast<arrow::StructBuilder&>(builder);
  CALVE_RETURN_IF_ERROR(structs.Append());
  for (int i = 0; i < static_cast<int>(children_.size()); ++i) {
    arrow::ArrayBuilder& field = *structs.field_builder(i);
    CALVE_RETURN_IF_ERROR(i == child ? chosen->Append(decoder, field, misfit)
                                     : StatusOf(field.AppendNull()));
  }
  return Status::Ok();
}

}  // namespace calve::source
