#include "source/csv/csv_reader.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"

namespace calve::source {
namespace {

using columnar::TextValue;
using columnar::TracedBatch;

/// So many rows go from texts to columns at once: their places stay in a processor's cache.
constexpr size_t kStepRows = 1024;
constexpr size_t kRawBytesMax = 1 << 20;

std::string EscapeBytes(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      text += c;
    } else {
      text += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
    }
  }
  return text;
}

}  // namespace

CsvReader::CsvReader(const CsvOptions& options, std::shared_ptr<CsvText> text,
                     std::shared_ptr<arrow::Schema> schema, const PlanOptions& plan)
    : text_(std::move(text)),
      schema_(std::move(schema)),
      formats_(options.formats()),
      plan_(plan),
      parser_(options.dialect()) {}

Result<std::unique_ptr<CsvReader>> CsvReader::Open(const Context& context,
                                                   const CsvOptions& options,
                                                   std::shared_ptr<CsvText> text,
                                                   std::shared_ptr<arrow::Schema> schema,
                                                   const PlanOptions& plan) {
  CALVE_RETURN_IF_ERROR(text->Open(context));
  std::unique_ptr<CsvReader> reader(
      new CsvReader(options, std::move(text), std::move(schema), plan));
  const auto& names = reader->text_->columns();
  for (const auto& field : reader->schema_->fields()) {
    const auto found = std::find(names.begin(), names.end(), field->name());
    reader->sources_.push_back(found == names.end() ? -1 : found - names.begin());
    CALVE_ASSIGN_OR_RETURN(reader->columns_.emplace_back(),
                           columnar::MakeTextColumn(field->type(), reader->formats_));
  }
  return reader;
}

Result<std::optional<TracedBatch>> CsvReader::Next(const Context& context) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  Building building;
  TracedBatch& batch = building.batch;
  // A batch ends with its block, so that it is no larger than one.
  while (batch.rows_read == 0 || (batch.rows_read < plan_.batch_rows_max && !left_.empty())) {
    const auto rows_max = static_cast<size_t>(plan_.batch_rows_max - batch.rows_read);
    CALVE_ASSIGN_OR_RETURN(const size_t used, Parse(context, std::min(kStepRows, rows_max)));
    if (used == 0) break;
    batch.rows_read += static_cast<int64_t>(parser_.rows().size());
    batch.bytes_read += ByteCount(static_cast<int64_t>(used));
    CALVE_RETURN_IF_ERROR(AppendRows(&building));
  }
  if (batch.rows_read == 0) return std::optional<TracedBatch>();
  CALVE_RETURN_IF_ERROR(Finish(&building));
  return std::optional<TracedBatch>(std::move(batch));
}

/// Parse the next rows of the block, or of the next one, and return their bytes; 0 at the end.
Result<size_t> CsvReader::Parse(const Context& context, size_t rows_max) {
  while (left_.empty()) {  // The block with the header may hold nothing else.
    CALVE_ASSIGN_OR_RETURN(const bool more, text_->Next(context, &block_));
    if (!more) return size_t{0};
    left_ = block_.text();
    parser_.StartAt(block_.first_line());
  }
  Result<size_t> used = parser_.Parse(left_, rows_max);
  if (!used.ok()) return Error{used.error().kind, text_->name() + " " + used.error().message};
  left_.remove_prefix(*used);
  return used;
}

/// Rows of the right shape go into the columns, as many at once as follow each other; the others
/// become rejects.
Status CsvReader::AppendRows(Building* building) {
  const auto is_good = [&](const CsvRow& row) {
    return row.fault == CsvRowFault::kNone && row.field_count == text_->columns().size();
  };
  const std::span<const CsvRow> rows(parser_.rows());
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin;
    while (end < rows.size() && is_good(rows[end])) ++end;
    for (size_t c = 0; c < columns_.size() && end > begin; ++c)
      CALVE_RETURN_IF_ERROR(AppendColumn(c, rows.subspan(begin, end - begin), building));
    for (; begin < end; ++begin) building->lines.push_back(rows[begin].line);
    for (; begin < rows.size() && !is_good(rows[begin]); ++begin)
      building->batch.rejects.push_back(MakeReject(rows[begin], "", ShapeFault(rows[begin])));
  }
  return Status::Ok();
}

Status CsvReader::AppendColumn(size_t column, std::span<const CsvRow> rows, Building* building) {
  static constexpr TextValue kNothing{.text = {}, .null = true};
  const ptrdiff_t source = sources_[column];
  const columnar::TextValues values =
      source < 0 ? columnar::TextValues(&kNothing, rows.size(), 0)
                 : columnar::TextValues(parser_.values(rows.front()) + source, rows.size(),
                                        text_->columns().size());
  misfits_.clear();
  CALVE_RETURN_IF_ERROR(columns_[column]->Append(values, &misfits_));
  const auto first = static_cast<int64_t>(building->lines.size());
  for (const int64_t misfit : misfits_) {
    std::vector<int64_t>& bad = building->bad;
    const auto place = std::lower_bound(bad.begin(), bad.end(), first + misfit);
    // The first column that does not fit is the reason.
    if (place != bad.end() && *place == first + misfit) continue;
    bad.insert(place, first + misfit);
    const auto& field = *schema_->field(static_cast<int>(column));
    const auto row = static_cast<size_t>(misfit);
    const std::string reason = "column " + field.name() + ": " +
                               columnar::MisfitReason(values[row].text, *field.type(), formats_);
    building->batch.rejects.push_back(MakeReject(rows[row], field.name(), reason));
  }
  return Status::Ok();
}

Status CsvReader::Finish(Building* building) {
  arrow::ArrayVector arrays;
  for (const auto& column : columns_) {
    CALVE_ASSIGN_OR_RETURN(arrays.emplace_back(), column->Finish());
  }
  TracedBatch& batch = building->batch;
  std::vector<int64_t>& lines = building->lines;
  batch.rows =
      arrow::RecordBatch::Make(schema_, static_cast<int64_t>(lines.size()), std::move(arrays));
  if (!building->bad.empty()) {
    std::vector<int64_t> kept;
    auto bad = building->bad.begin();
    for (int64_t row = 0; row < batch.rows->num_rows(); ++row) {
      if (bad != building->bad.end() && *bad == row) {
        ++bad;
      } else {
        lines[kept.size()] = lines[static_cast<size_t>(row)];
        kept.push_back(row);
      }
    }
    lines.resize(kept.size());
    CALVE_ASSIGN_OR_RETURN(batch.rows, columnar::TakeRows(batch.rows, kept));
  }
  batch.origins = std::make_shared<LineOrigins>(text_->places(), std::move(lines));
  return Status::Ok();
}

std::string CsvReader::ShapeFault(const CsvRow& row) const {
  if (row.fault == CsvRowFault::kTextAfterQuote)
    return "text stands behind a closing quote; double quotes that belong to the value";
  if (row.fault == CsvRowFault::kNul)
    return "the row holds a NUL byte; the file is damaged or no text";
  return "the row has " + FormatCount(row.field_count) +
         (row.field_count == 1 ? " value, expected " : " values, expected ") +
         FormatCount(static_cast<int64_t>(text_->columns().size())) +
         " as the header has; quote values that hold the delimiter";
}

columnar::Reject CsvReader::MakeReject(const CsvRow& row, std::string column,
                                       std::string reason) const {
  columnar::Reject reject{.origin = text_->places().At(row.line),
                          .column = std::move(column),
                          .reason = std::move(reason),
                          .raw = std::string(row.raw.substr(0, kRawBytesMax))};
  if (!IsValidUtf8(reject.raw) || reject.raw.find('\0') != std::string::npos) {
    reject.raw = Quote(EscapeBytes(reject.raw));
  } else if (row.raw.size() <= kRawBytesMax) {
    reject.form = columnar::RowForm::kText;
    reject.columns = HeldColumns(text_->columns());
  }
  return reject;
}

}  // namespace calve::source
