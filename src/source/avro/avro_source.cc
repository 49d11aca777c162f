#include <arrow/array/util.h>
#include <arrow/extension_type.h>

#include <algorithm>
#include <span>
#include <utility>

#include "avro/decoder.h"
#include "avro/file_reader.h"
#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/row_text.h"
#include "source/avro/avro_columns.h"
#include "source/file_set.h"
#include "source/registry.h"

namespace calve::source {
namespace {

using columnar::TracedBatch;

/// A block larger than this is refused: writers close a block at some kilobytes.
constexpr size_t kBlockBytesMax = 128 << 20;

struct AvroOptions : FileOptions {
  static config::Shape<AvroOptions> Declaration() {
    config::Shape<AvroOptions> shape(
        "avro source",
        "Read Avro object container files; their own types are kept, logical types by their "
        "meaning. A union of several types becomes a struct with a field for each.");
    shape.Include(FileOptions::Declaration());
    return shape;
  }
};

/// Hands a file's bytes to the codec.
class Bytes : public avro::Input {
 public:
  explicit Bytes(std::unique_ptr<io::InputStream> stream) : stream_(std::move(stream)) {}
  Result<size_t> Read(char* out, size_t size) override {
    return stream_->Read(std::span<char>(out, size));
  }

 private:
  std::unique_ptr<io::InputStream> stream_;
};

/// One file, its header read, with a column for each field of its records.
struct AvroFile {
  avro::FileReader reader;
  std::vector<std::unique_ptr<AvroColumn>> columns;

  const std::vector<avro::Field>& fields() const { return reader.schema().root().fields; }
};

Result<AvroFile> OpenAvro(const Context& context, const Resources& resources,
                          const FileOptions& options, const io::FileInfo& info) {
  const std::string name(ShortName(info.uri));
  CALVE_ASSIGN_OR_RETURN(auto stream, OpenFile(context, resources, options, info));
  Result<avro::FileReader> opened = avro::FileReader::Open(
      std::make_unique<Bytes>(std::move(stream)),
      {.name = name, .stored_block_bytes_max = kBlockBytesMax, .block_bytes_max = kBlockBytesMax});
  if (!opened.ok()) {
    if (opened.error().kind != ErrorKind::kData) return std::move(opened).error();
    return DataError(name +
                     " is no readable Avro file; write it again, or name only Avro files in "
                     "file_pattern: " +
                     opened.error().message);
  }
  AvroFile file{.reader = std::move(*opened), .columns = {}};
  if (file.reader.schema().root().kind != avro::Kind::kRecord) {
    return DataError(name + " holds values of Avro's type " +
                     std::string(avro::ToString(file.reader.schema().root().kind)) +
                     ", expected records; write each value as a record with one field");
  }
  for (const avro::Field& field : file.fields()) {
    Result<std::unique_ptr<AvroColumn>> column = AvroColumn::Make(*field.type, field.name);
    if (!column.ok()) return While(name, std::move(column).error());
    file.columns.push_back(std::move(*column));
  }
  return file;
}

class AvroOrigins : public columnar::Origins {
 public:
  AvroOrigins(std::string file, std::vector<int64_t> rows)
      : file_(std::move(file)), rows_(std::move(rows)) {}
  std::string Describe(int64_t row) const override {
    return file_ + " row " + FormatCount(rows_[static_cast<size_t>(row)]);
  }

 private:
  const std::string file_;
  const std::vector<int64_t> rows_;
};

class AvroReader : public SplitReader {
 public:
  AvroReader(std::string name, AvroFile file, std::shared_ptr<arrow::Schema> schema,
             const PlanOptions& plan)
      : name_(std::move(name)), file_(std::move(file)), schema_(std::move(schema)), plan_(plan) {}

  Status Open() {
    for (const auto& column : file_.columns) {
      std::unique_ptr<arrow::ArrayBuilder> builder;
      CALVE_RETURN_IF_ERROR(
          arrow::MakeBuilder(arrow::default_memory_pool(), column->storage(), &builder));
      builders_.push_back(std::move(builder));
    }
    return Status::Ok();
  }

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    TracedBatch batch;
    std::vector<AvroMisfit> misfits;
    int64_t bytes = 0;
    while (static_cast<int64_t>(misfits.size()) < plan_.batch_rows_max &&
           bytes < plan_.batch_bytes_max.value()) {
      CALVE_ASSIGN_OR_RETURN(const bool more, NextBlock());
      if (!more) break;
      const size_t before = decoder_->offset();
      CALVE_RETURN_IF_ERROR(AppendRow(&misfits.emplace_back()));
      bytes += static_cast<int64_t>(decoder_->offset() - before);
      --left_;
    }
    if (misfits.empty()) return std::optional<TracedBatch>();
    batch.rows_read = static_cast<int64_t>(misfits.size());
    batch.bytes_read = ByteCount(bytes);
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch rows, Finish(batch.rows_read));
    std::vector<int64_t> kept;
    std::vector<int64_t> numbers;
    for (int64_t row = 0; row < batch.rows_read; ++row) {
      AvroMisfit& misfit = misfits[static_cast<size_t>(row)];
      if (misfit.reason.empty()) {
        kept.push_back(row);
        numbers.push_back(rows_before_ + row + 1);
        continue;
      }
      batch.rejects.push_back({.origin = name_ + " row " + FormatCount(rows_before_ + row + 1),
                               .column = std::move(misfit.column),
                               .reason = std::move(misfit.reason),
                               .raw = columnar::RowAsJson(*rows, row)});
    }
    rows_before_ += batch.rows_read;
    CALVE_ASSIGN_OR_RETURN(batch.rows, columnar::TakeRows(rows, kept));
    batch.origins = std::make_shared<AvroOrigins>(name_, std::move(numbers));
    return std::optional<TracedBatch>(std::move(batch));
  }

 private:
  /// Go to a block that has rows left; false at the end of the file.
  Result<bool> NextBlock() {
    while (left_ == 0) {
      if (decoder_.has_value()) CALVE_RETURN_IF_ERROR(Damaged(decoder_->Finish()));
      CALVE_ASSIGN_OR_RETURN(block_, Read());
      if (!block_.has_value()) return false;
      left_ = block_->record_count;
      decoder_.emplace(block_->bytes);
    }
    return true;
  }

  Result<std::optional<avro::Block>> Read() {
    Result<std::optional<avro::Block>> block = file_.reader.Next();
    CALVE_RETURN_IF_ERROR(Damaged(block.status()));
    return block;
  }

  Status AppendRow(AvroMisfit* misfit) {
    for (size_t i = 0; i < file_.columns.size(); ++i)
      CALVE_RETURN_IF_ERROR(file_.columns[i]->Append(*decoder_, *builders_[i], misfit));
    ++rows_decoded_;
    return Damaged(decoder_->status());
  }

  /// The file's name and how far it could be read, before a fault of its encoding.
  Status Damaged(Status status) const {
    if (status.ok() || status.error().kind != ErrorKind::kData) return status;
    const std::string block =
        block_.has_value() ? " (block at offset " + FormatCount(block_->offset) + ")" : "";
    return DataError(name_ + " cannot be read at row " +
                     FormatCount(std::max<int64_t>(rows_decoded_, 1)) + block +
                     "; the file is damaged, write it again: " + status.error().message);
  }

  /// The rows in the plan's columns; one that this file lacks is null.
  Result<columnar::Batch> Finish(int64_t rows) {
    arrow::ArrayVector columns;
    for (size_t i = 0; i < builders_.size(); ++i) {
      CALVE_ASSIGN_OR_RETURN(auto array, builders_[i]->Finish());
      const auto& type = file_.columns[i]->type();
      if (type->id() == arrow::Type::EXTENSION)
        array = arrow::ExtensionType::WrapArray(type, std::move(array));
      columns.push_back(std::move(array));
    }
    arrow::ArrayVector arranged;
    for (const auto& field : schema_->fields()) {
      const auto& fields = file_.fields();
      const auto found = std::find_if(fields.begin(), fields.end(), [&](const avro::Field& each) {
        return each.name == field->name();
      });
      if (found != fields.end()) {
        arranged.push_back(columns[static_cast<size_t>(found - fields.begin())]);
        continue;
      }
      CALVE_ASSIGN_OR_RETURN(auto absent, arrow::MakeArrayOfNull(field->type(), rows));
      arranged.push_back(std::move(absent));
    }
    return arrow::RecordBatch::Make(schema_, rows, std::move(arranged));
  }

  const std::string name_;
  AvroFile file_;
  const std::shared_ptr<arrow::Schema> schema_;
  const PlanOptions plan_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  std::optional<avro::Block> block_;
  std::optional<avro::Decoder> decoder_;
  int64_t left_ = 0;  ///< Rows of the block that are not decoded.
  int64_t rows_decoded_ = 0;
  int64_t rows_before_ = 0;
};

class AvroSource : public Source {
 public:
  AvroSource(AvroOptions options, Resources resources)
      : options_(std::move(options)), resources_(std::move(resources)) {}

  Status Check(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(const FileSet set,
                           FindFileSet(context, resources_, options_, std::nullopt));
    if (set.files.empty()) return Status::Ok();
    return StatusOf(OpenAvro(context, resources_, options_, set.files.front()));
  }

  Result<std::vector<Stream>> Discover(const Context& context) override {
    return DiscoverFiles(context, *this, options_);
  }

  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override {
    plan_options_ = options;
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(FileSet set, FindFileSet(context, resources_, options_, options.since));
    ReadPlan plan = PlanOf(set);
    arrow::FieldVector fields;
    for (const io::FileInfo& info : set.files) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const AvroFile file, OpenAvro(context, resources_, options_, info));
      CALVE_RETURN_IF_ERROR(AddColumns(file, info, &fields));
    }
    plan.splits = WholeFiles(set);
    if (!plan.splits.empty()) plan.schema = arrow::schema(std::move(fields));
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context& context, const ReadPlan& plan,
                                            const Split& split) override {
    const auto& info = std::any_cast<const io::FileInfo&>(split.payload);
    CALVE_ASSIGN_OR_RETURN(AvroFile file, OpenAvro(context, resources_, options_, info));
    auto reader = std::make_unique<AvroReader>(ShortName(info.uri), std::move(file), plan.schema,
                                               plan_options_);
    CALVE_RETURN_IF_ERROR(reader->Open());
    return reader;
  }

 private:
  /// Columns of all files by name; one name has one type.
  static Status AddColumns(const AvroFile& file, const io::FileInfo& info,
                           arrow::FieldVector* fields) {
    for (size_t i = 0; i < file.columns.size(); ++i) {
      const std::string& name = file.fields()[i].name;
      const auto& type = file.columns[i]->type();
      const auto known = std::find_if(fields->begin(), fields->end(),
                                      [&](const auto& field) { return field->name() == name; });
      if (known == fields->end()) {
        fields->push_back(arrow::field(name, type));
      } else if (!(*known)->type()->Equals(*type)) {
        return DataError(ShortName(info.uri) + ", column " + name + ": the type is " +
                         type->ToString() + ", but " + (*known)->type()->ToString() +
                         " in the files before; load files of one kind by a job of its own");
      }
    }
    return Status::Ok();
  }

  const AvroOptions options_;
  const Resources resources_;
  PlanOptions plan_options_;
};

}  // namespace

CALVE_PART(avro) {
  registry.Add({.type = "avro",
                .meaning = "Avro object container files, local or on an object store",
                .part = config::MakePart<AvroOptions>("avro"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Source>> {
                  CALVE_ASSIGN_OR_RETURN(AvroOptions options,
                                         AvroOptions::Declaration().Parse(node));
                  return std::make_unique<AvroSource>(std::move(options), resources);
                }});
}

}  // namespace calve::source
