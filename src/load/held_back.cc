#include "load/held_back.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_time.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"

namespace calve::load {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;

constexpr std::array<std::string_view, 9> kTextColumns = {
    "rule", "reason", "origin", "raw", "form", "columns", "job", "run", kLoadKeyColumn};
constexpr std::string_view kTimeColumn = "quarantined_at";

/// A text that every reader of Parquet takes: bytes that are no UTF-8 are shown as \xff.
std::string Readable(const std::string& text) {
  if (IsValidUtf8(text)) return text;
  static constexpr char kHex[] = "0123456789abcdef";
  std::string readable;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      readable += c;
    } else {
      readable += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
    }
  }
  return readable;
}

}  // namespace

/// FNV-1a.
std::string LoadKeyOf(const std::string& job, const std::string& what) {
  const std::string text = what.empty() ? job : job + '\n' + what;
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  static constexpr char kHex[] = "0123456789abcdef";
  std::string name(16, '0');
  for (size_t i = 16; i-- > 0; hash >>= 4) name[i] = kHex[hash & 15];
  return name;
}

std::vector<Field> QuarantineColumns() {
  std::vector<Field> fields;
  for (const std::string_view name : kTextColumns) {
    fields.push_back(Field{.id = FieldId(static_cast<int32_t>(fields.size()) + 1),
                           .name = std::string(name),
                           .type = Type::String()});
  }
  fields.push_back(Field{.id = FieldId(static_cast<int32_t>(fields.size()) + 1),
                         .name = std::string(kTimeColumn),
                         .type = Type::TimestampTz()});
  return fields;
}

Result<columnar::Batch> QuarantineRows(const std::vector<QuarantinedRow>& rows,
                                       const HeldBackBy& by) {
  std::array<arrow::StringBuilder, kTextColumns.size()> texts;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                arrow::default_memory_pool());
  for (const QuarantinedRow& row : rows) {
    // What is not shown as it was cannot be read again.
    const columnar::RowForm form = IsValidUtf8(row.raw) ? row.form : columnar::RowForm::kShown;
    const std::array<std::string, kTextColumns.size()> values = {
        row.rule,    row.reason, row.origin, row.raw, std::string(columnar::ToString(form)),
        row.columns, by.job,     by.run,     by.key};
    for (size_t i = 0; i < values.size(); ++i)
      CALVE_RETURN_IF_ERROR(texts[i].Append(Readable(values[i])));
    CALVE_RETURN_IF_ERROR(times.Append(by.now_us));
  }
  arrow::ArrayVector columns(kTextColumns.size() + 1);
  for (size_t i = 0; i < texts.size(); ++i) CALVE_RETURN_IF_ERROR(texts[i].Finish(&columns[i]));
  CALVE_RETURN_IF_ERROR(times.Finish(&columns.back()));
  CALVE_ASSIGN_OR_RETURN(const auto schema,
                         iceberg::Schema::Make(iceberg::SchemaId(0), QuarantineColumns()));
  CALVE_ASSIGN_OR_RETURN(const auto exact, columnar::ToArrowSchema(*schema));
  return arrow::RecordBatch::Make(exact, static_cast<int64_t>(rows.size()), std::move(columns));
}

}  // namespace calve::load
