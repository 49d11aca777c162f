#include "reader/adapt_leaf.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <optional>

#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/exact_cast.h"

namespace calve::reader {
namespace {

using arrow::internal::checked_cast;
using iceberg::TypeKind;
using ArrayPtr = std::shared_ptr<arrow::Array>;

int64_t PerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      return 1'000'000'000;
  }
  return 1;
}

std::optional<arrow::TimeUnit::type> UnitOf(const arrow::DataType& type) {
  if (type.id() == arrow::Type::TIMESTAMP)
    return checked_cast<const arrow::TimestampType&>(type).unit();
  if (type.id() == arrow::Type::TIME64) return checked_cast<const arrow::Time64Type&>(type).unit();
  return std::nullopt;
}

/// Timestamps in other units or with another zone mark, and nanosecond times: 64-bit numbers that
/// only need scaling.
Result<ArrayPtr> Rescale(const arrow::Array& values, int64_t from, int64_t to,
                         const std::shared_ptr<arrow::DataType>& target, const std::string& path) {
  const std::shared_ptr<arrow::ArrayData>& data = values.data();
  if (from == to) {
    const std::shared_ptr<arrow::ArrayData> relabelled = data->Copy();
    relabelled->type = target;
    return arrow::MakeArray(relabelled);
  }
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                         arrow::AllocateBuffer((values.offset() + values.length()) *
                                               static_cast<int64_t>(sizeof(int64_t))));
  const int64_t* in = data->GetValues<int64_t>(1);
  int64_t* out = reinterpret_cast<int64_t*>(buffer->mutable_data());
  std::fill_n(out, values.offset(), 0);
  out += values.offset();
  for (int64_t i = 0; i < values.length(); ++i) {
    if (from > to) {
      const int64_t factor = from / to;
      out[i] = in[i] / factor - (in[i] % factor < 0);
    } else if (__builtin_mul_overflow(in[i], to / from, &out[i]) && values.IsValid(i)) {
      return DataError(fmt::format("column {}: the file holds a time that {} cannot hold", path,
                                   target->ToString()));
    }
  }
  auto scaled =
      arrow::ArrayData::Make(target, values.length(), {data->buffers[0], std::move(buffer)},
                             data->null_count, data->offset);
  return arrow::MakeArray(std::move(scaled));
}

}  // namespace

Result<ArrayPtr> AdaptLeaf(const ArrayPtr& values, const iceberg::Type& type,
                           const std::string& path) {
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::DataType> target,
                         columnar::ToArrowType(type));
  const std::optional<arrow::TimeUnit::type> to = UnitOf(*target);
  if (to && values->type_id() == target->id()) {
    return Rescale(*values, PerSecond(*UnitOf(*values->type())), PerSecond(*to), target, path);
  }
  return columnar::CastExactly(values, type, {.name = path});
}

}  // namespace calve::reader
