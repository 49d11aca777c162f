#include "load/postgres/binary_rows.h"

#include <arrow/array.h>
#include <arrow/util/checked_cast.h>

#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "base/text.h"
#include "columnar/row_text.h"
#include "load/postgres/column_types.h"

namespace calve::load::postgres {
namespace {

using arrow::internal::checked_cast;

__extension__ typedef unsigned __int128 Digits;

constexpr std::string_view kHeader("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr int32_t kNull = -1;
static_assert(std::endian::native == std::endian::little, "the wire is in the other order");

/// In network order.
template <typename Number>
void AppendNumber(std::string& out, Number number) {
  auto bits = std::bit_cast<std::make_unsigned_t<Number>>(number);
  if constexpr (sizeof(bits) == 2) bits = __builtin_bswap16(bits);
  if constexpr (sizeof(bits) == 4) bits = __builtin_bswap32(bits);
  if constexpr (sizeof(bits) == 8) bits = __builtin_bswap64(bits);
  out.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
}

/// A value behind its length.
template <typename Number>
void AppendSized(std::string& out, Number number) {
  AppendNumber(out, static_cast<int32_t>(sizeof(Number)));
  AppendNumber(out, number);
}

void AppendSized(std::string& out, std::string_view bytes) {
  AppendNumber(out, static_cast<int32_t>(bytes.size()));
  out += bytes;
}

/// numeric_recv: groups of four digits, the first worth 10000^weight.
void AppendNumeric(std::string& out, const uint8_t* bytes, int scale) {
  Digits bits{};
  std::memcpy(&bits, bytes, sizeof(bits));
  const bool negative = (bytes[15] & 0x80) != 0;
  if (negative) bits = ~bits + 1;
  // Digits from the last, as groups that begin and end at the point.
  std::array<int16_t, 24> groups{};
  size_t count = 0;
  constexpr std::array<int, 5> kPowers = {1, 10, 100, 1000, 10'000};
  const int fraction_groups = (scale + 3) / 4;
  if (const int shown = scale % 4; shown != 0) {
    const int power = kPowers[static_cast<size_t>(shown)];
    groups[count++] = static_cast<int16_t>(static_cast<int>(bits % static_cast<unsigned>(power)) *
                                           kPowers[static_cast<size_t>(4 - shown)]);
    bits /= static_cast<unsigned>(power);
  }
  while (bits > UINT64_MAX) {
    groups[count++] = static_cast<int16_t>(bits % 10'000);
    bits /= 10'000;
  }
  for (auto rest = static_cast<uint64_t>(bits); rest > 0; rest /= 10'000)
    groups[count++] = static_cast<int16_t>(rest % 10'000);
  const int weight = static_cast<int>(count) - fraction_groups - 1;
  size_t last = 0;  // Zeros at the end are not sent.
  while (last < count && groups[last] == 0) ++last;
  AppendNumber(out, static_cast<int32_t>(8 + 2 * (count - last)));
  AppendNumber(out, static_cast<int16_t>(count - last));
  AppendNumber(out, static_cast<int16_t>(count == last ? 0 : weight));
  AppendNumber(out, static_cast<uint16_t>(negative ? 0x4000 : 0));
  AppendNumber(out, static_cast<int16_t>(scale));
  for (size_t i = count; i-- > last;) AppendNumber(out, groups[i]);
}

Error ZeroByte(const std::string& column, int64_t row) {
  return DataError("column " + column + ", row " + FormatCount(row + 1) +
                   " of its batch: the text has a zero byte, which PostgreSQL's texts cannot hold; "
                   "leave it out with a transformer");
}

/// Writes the values of one column. `name` is for messages.
class ColumnWriter {
 public:
  ColumnWriter(std::string name, const iceberg::Type& type, const ColumnType& column,
               std::shared_ptr<arrow::Array> values)
      : name_(std::move(name)), type_(column), values_(std::move(values)) {
    if (column.form == Form::kNumeric) scale_ = type.scale();
    if (column.form != Form::kArray) return;
    const auto& list = checked_cast<const arrow::ListArray&>(*values_);
    const ColumnType element{.form = column.element};
    elements_ =
        std::make_unique<ColumnWriter>(name_, type.fields()[0].type, element, list.values());
  }

  Status Append(int64_t row, std::string& out) const {
    if (values_->IsNull(row)) {
      AppendNumber(out, kNull);
      return Status::Ok();
    }
    switch (type_.form) {
      case Form::kBoolean:
        AppendSized(out, static_cast<int8_t>(At<arrow::BooleanArray>().Value(row)));
        break;
      case Form::kInt4:
        AppendSized(out, At<arrow::Int32Array>().Value(row));
        break;
      case Form::kInt8:
        AppendSized(out, At<arrow::Int64Array>().Value(row));
        break;
      case Form::kFloat4:
        AppendSized(out, std::bit_cast<int32_t>(At<arrow::FloatArray>().Value(row)));
        break;
      case Form::kFloat8:
        AppendSized(out, std::bit_cast<int64_t>(At<arrow::DoubleArray>().Value(row)));
        break;
      case Form::kNumeric:
        AppendNumeric(out, At<arrow::Decimal128Array>().GetValue(row), scale_);
        break;
      case Form::kDate:
        return AppendMoment(out, row, At<arrow::Date32Array>().Value(row), kDaysTo2000);
      case Form::kTime:
        AppendSized(out, At<arrow::Time64Array>().Value(row));
        break;
      case Form::kTimestamp:
        return AppendMoment(out, row, At<arrow::TimestampArray>().Value(row), kMicrosTo2000);
      case Form::kText:
        return AppendText(out, row);
      case Form::kUuid:
        AppendSized(out, At<arrow::FixedSizeBinaryArray>().GetView(row));
        break;
      case Form::kBytes:
        AppendSized(out, BytesAt(row));
        break;
      case Form::kJson:
        AppendJson(out, row);
        break;
      case Form::kArray:
        return AppendArray(out, row);
    }
    return Status::Ok();
  }

 private:
  template <typename Array>
  const Array& At() const {
    return checked_cast<const Array&>(*values_);
  }

  std::string_view BytesAt(int64_t row) const {
    if (values_->type_id() == arrow::Type::FIXED_SIZE_BINARY)
      return At<arrow::FixedSizeBinaryArray>().GetView(row);
    return At<arrow::BinaryArray>().GetView(row);
  }

  /// Since 2000, where the numbers at both ends stand for the infinities.
  template <typename Number>
  Status AppendMoment(std::string& out, int64_t row, Number since_1970, Number to_2000) const {
    Number since_2000{};
    if (__builtin_sub_overflow(since_1970, to_2000, &since_2000) ||
        since_2000 == std::numeric_limits<Number>::min() ||
        since_2000 == std::numeric_limits<Number>::max()) {
      return DataError("column " + name_ + ", row " + FormatCount(row + 1) +
                       " of its batch: the moment lies beyond what PostgreSQL can hold; leave it "
                       "out with a transformer");
    }
    AppendSized(out, since_2000);
    return Status::Ok();
  }

  Status AppendText(std::string& out, int64_t row) const {
    if (values_->type_id() == arrow::Type::NA) return BugError("a NULL that is none");
    const std::string_view text = At<arrow::StringArray>().GetView(row);
    if (std::memchr(text.data(), 0, text.size()) != nullptr) return ZeroByte(name_, row);
    AppendSized(out, text);
    return Status::Ok();
  }

  void AppendJson(std::string& out, int64_t row) const {
    const std::string text = columnar::CellJson(*values_, row);
    AppendNumber(out, static_cast<int32_t>(text.size() + 1));
    out += '\x01';  // The version of jsonb_recv.
    out += text;
  }

  /// array_recv: dimensions, whether there are NULLs, the elements' type, of each dimension its size
  /// and first index, the elements.
  Status AppendArray(std::string& out, int64_t row) const {
    const auto& list = At<arrow::ListArray>();
    const int32_t size = list.value_length(row);
    const size_t begin = out.size();
    AppendNumber(out, int32_t{0});
    AppendNumber(out, int32_t{size == 0 ? 0 : 1});
    AppendNumber(out, int32_t{1});
    AppendNumber(out, static_cast<int32_t>(type_.element_oid));
    if (size > 0) {
      AppendNumber(out, size);
      AppendNumber(out, int32_t{1});
    }
    for (int32_t i = 0; i < size; ++i)
      CALVE_RETURN_IF_ERROR(elements_->Append(list.value_offset(row) + i, out));
    std::string length;
    AppendNumber(length, static_cast<int32_t>(out.size() - begin - sizeof(int32_t)));
    out.replace(begin, length.size(), length);
    return Status::Ok();
  }

  const std::string name_;
  const ColumnType type_;
  const std::shared_ptr<arrow::Array> values_;
  int scale_ = 0;
  std::unique_ptr<ColumnWriter> elements_;
};

}  // namespace

Result<std::string> BinaryRows(const columnar::Batch& batch,
                               const std::vector<iceberg::Field>& fields) {
  std::vector<ColumnWriter> writers;
  for (const iceberg::Field& field : fields) {
    CALVE_ASSIGN_OR_RETURN(const ColumnType type, ColumnTypeOf(field.type));
    std::shared_ptr<arrow::Array> values = batch->GetColumnByName(field.name);
    if (values == nullptr) return BugError("a batch has no column " + field.name);
    writers.emplace_back(field.name, field.type, type, std::move(values));
  }
  std::string out(kHeader);
  out.reserve(static_cast<size_t>(columnar::BatchBytes(*batch)) +
              static_cast<size_t>(batch->num_rows()) * (2 + 4 * fields.size()));
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    AppendNumber(out, static_cast<int16_t>(fields.size()));
    for (const ColumnWriter& writer : writers) CALVE_RETURN_IF_ERROR(writer.Append(row, out));
  }
  AppendNumber(out, int16_t{-1});
  return out;
}

}  // namespace calve::load::postgres
