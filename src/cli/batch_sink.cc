#include "cli/batch_sink.h"

#include <arrow/array.h>
#include <arrow/io/file.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/print.h"
#include "columnar/arrow_status.h"
#include "columnar/row_text.h"

namespace calve::cli {
namespace {

using Output = std::shared_ptr<arrow::io::OutputStream>;

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) ||
         arrow::is_decimal(type.id());
}

/// A cell as text; what is nested as JSON.
std::string Text(const arrow::Array& column, int64_t row) {
  const bool nested = arrow::is_nested(column.type_id()) && !column.IsNull(row);
  return nested ? columnar::CellJson(column, row) : columnar::CellText(column, row);
}

/// Aligned columns for people.
class TableSink : public BatchSink {
 public:
  TableSink(Output output, const arrow::Schema& schema, int64_t rows_max)
      : output_(std::move(output)), rows_max_(rows_max), table_(Header(schema), Right(schema)) {}

  Status Write(const columnar::Batch& batch) override {
    for (int64_t row = 0; row < batch->num_rows(); ++row, ++rows_) {
      if (rows_max_ > 0 && rows_ >= rows_max_) continue;
      std::vector<std::string> cells;
      for (const auto& column : batch->columns()) cells.push_back(Text(*column, row));
      table_.Add(std::move(cells));
    }
    return Status::Ok();
  }

  Status Close() override {
    std::string text = table_.Render();
    if (rows_max_ > 0 && rows_ > rows_max_) {
      text += "... " + FormatCount(rows_ - rows_max_) + " more rows; --limit 0 prints all\n";
    }
    text += "(" + Counted(rows_, "row") + ")\n";
    CALVE_RETURN_IF_ERROR(output_->Write(text));
    return StatusOf(output_->Flush());
  }

 private:
  static std::vector<std::string> Header(const arrow::Schema& schema) {
    return schema.field_names();
  }
  static std::vector<bool> Right(const arrow::Schema& schema) {
    std::vector<bool> right;
    for (const auto& field : schema.fields()) right.push_back(IsNumber(*field->type()));
    return right;
  }

  Output output_;
  const int64_t rows_max_;
  TextTable table_;
  int64_t rows_ = 0;
};

std::string CsvCell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

/// RFC 4180; NULL is an empty value without quotes, an empty text has quotes.
class CsvSink : public BatchSink {
 public:
  CsvSink(Output output, const arrow::Schema& schema) : output_(std::move(output)) {
    for (const std::string& name : schema.field_names())
      text_ += (text_.empty() ? "" : ",") + CsvCell(name);
    text_ += "\n";
  }
  Status Write(const columnar::Batch& batch) override {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      for (int i = 0; i < batch->num_columns(); ++i) {
        if (i > 0) text_ += ",";
        if (batch->column(i)->IsNull(row)) continue;
        const std::string cell = Text(*batch->column(i), row);
        text_ += cell.empty() ? "\"\"" : CsvCell(cell);
      }
      text_ += "\n";
    }
    return Flush();
  }
  Status Close() override {
    CALVE_RETURN_IF_ERROR(Flush());
    return StatusOf(output_->Flush());
  }

 private:
  Status Flush() {
    CALVE_RETURN_IF_ERROR(output_->Write(text_));
    text_.clear();
    return Status::Ok();
  }
  Output output_;
  std::string text_;
};

/// One object a line.
class JsonSink : public BatchSink {
 public:
  explicit JsonSink(Output output) : output_(std::move(output)) {}
  Status Write(const columnar::Batch& batch) override {
    std::string text;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      text += columnar::RowAsJson(*batch, row) + "\n";
    }
    return StatusOf(output_->Write(text));
  }
  Status Close() override { return StatusOf(output_->Flush()); }

 private:
  Output output_;
};

class ParquetSink : public BatchSink {
 public:
  ParquetSink(Output output, std::unique_ptr<parquet::arrow::FileWriter> writer)
      : output_(std::move(output)), writer_(std::move(writer)) {}
  Status Write(const columnar::Batch& batch) override {
    return StatusOf(writer_->WriteRecordBatch(*batch));
  }
  Status Close() override {
    CALVE_RETURN_IF_ERROR(writer_->Close());
    return StatusOf(output_->Close());
  }

 private:
  Output output_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
};

class ArrowSink : public BatchSink {
 public:
  ArrowSink(Output output, std::shared_ptr<arrow::ipc::RecordBatchWriter> writer)
      : output_(std::move(output)), writer_(std::move(writer)) {}
  Status Write(const columnar::Batch& batch) override {
    return StatusOf(writer_->WriteRecordBatch(*batch));
  }
  Status Close() override {
    CALVE_RETURN_IF_ERROR(writer_->Close());
    return StatusOf(output_->Flush());
  }

 private:
  Output output_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

}  // namespace

Result<std::unique_ptr<BatchSink>> OpenBatchSink(const std::string& format, const std::string& path,
                                                 const std::shared_ptr<arrow::Schema>& schema,
                                                 int64_t rows_max) {
  const std::vector<std::string> known = {"table", "csv", "json", "parquet", "arrow"};
  if (std::find(known.begin(), known.end(), format) == known.end()) {
    return ConfigError("'" + format + "' is no output format; one of " + Join(known, ", ") +
                       DidYouMean(format, known));
  }
  Output output;
  if (path.empty()) {
    output = std::make_shared<arrow::io::StdoutStream>();
  } else {
    auto opened = arrow::io::FileOutputStream::Open(path);
    if (!opened.ok())
      return RefusedError("cannot write the file '" + path +
                          "'; its folder must be there and writable: " + opened.status().message());
    output = *opened;
  }
  if (format == "table") return std::make_unique<TableSink>(std::move(output), *schema, rows_max);
  if (format == "csv") return std::make_unique<CsvSink>(std::move(output), *schema);
  if (format == "json") return std::make_unique<JsonSink>(std::move(output));
  if (format == "arrow") {
    CALVE_ASSIGN_OR_RETURN(auto writer, arrow::ipc::MakeStreamWriter(output, schema));
    return std::make_unique<ArrowSink>(std::move(output), std::move(writer));
  }
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
  CALVE_ASSIGN_OR_RETURN(
      auto writer,
      parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), output, properties));
  return std::make_unique<ParquetSink>(std::move(output), std::move(writer));
}

}  // namespace calve::cli
