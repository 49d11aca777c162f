#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/concatenate.h>
#include <arrow/io/interfaces.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/variant_array.h"
#include "columnar/variant_json.h"
#include "io/arrow_bridge.h"
#include "reader/variant_column.h"
#include "source/file_rows.h"
#include "source/file_set.h"
#include "source/parquet/footer_check.h"
#include "source/parquet/page_pool.h"
#include "source/registry.h"
#include "source/value_check.h"

namespace calve::source {
namespace {

using columnar::TracedBatch;

constexpr int64_t kBufferBytes = 256 << 10;

struct ParquetOptions : FileOptions {
  static config::Shape<ParquetOptions> Declaration() {
    config::Shape<ParquetOptions> shape("parquet source",
                                        "Read Parquet files; their own types are kept.");
    shape.Include(FileOptions::PlaceDeclaration());
    return shape;
  }
};

/// Some row groups of one file.
struct Piece {
  io::FileInfo file;
  std::vector<int> row_groups;
  int64_t first_row = 0;
  int64_t rows = 0;
  int64_t batch_rows = 0;  ///< So many rows take about the bytes that a batch may.
};

Error NoParquet(const std::string& file, std::string_view reason) {
  return DataError(file + " is no readable Parquet file; write it again, or name only Parquet " +
                   "files in file_pattern: " + OneLine(reason));
}

Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(const Context& context,
                                                                const Resources& resources,
                                                                const io::FileInfo& info,
                                                                int64_t batch_rows) {
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<io::InputFile> file,
                         resources.files->OpenInput(context, info.uri, {.size = info.size}));
  const std::string name(ShortName(info.uri));
  try {
    parquet::arrow::FileReaderBuilder builder;
    // A column chunk is read through a small buffer rather than whole: row groups may be large.
    arrow::MemoryPool* const pool = PagePool(context);
    parquet::ReaderProperties buffered(pool);
    buffered.enable_buffered_stream();
    buffered.set_buffer_size(kBufferBytes);
    arrow::Status opened = builder.Open(io::ToArrow(std::move(file)), buffered);
    if (!opened.ok()) return NoParquet(name, opened.message());
    const Status fits = CheckFooter(*builder.raw_reader()->metadata(), info.size.value());
    if (!fits.ok()) return NoParquet(name, fits.error().message);
    parquet::ArrowReaderProperties properties;
    properties.set_batch_size(batch_rows);
    properties.set_pre_buffer(false);
    auto built = builder.memory_pool(pool)->properties(properties)->Build();
    if (!built.ok()) return NoParquet(name, built.status().message());
    return std::move(*built);
  } catch (const std::exception& error) {  // Parquet throws on broken files.
    return NoParquet(name, error.what());
  }
}

/// Whether a column of a file is a variant, by what the file says of it.
bool IsVariant(const parquet::FileMetaData& footer, int column) {
  const auto& logical = footer.schema()->group_node()->field(column)->logical_type();
  return logical != nullptr && logical->is_variant();
}

Result<std::shared_ptr<arrow::Schema>> SchemaOf(parquet::arrow::FileReader& file) {
  std::shared_ptr<arrow::Schema> schema;
  CALVE_RETURN_IF_ERROR(file.GetSchema(&schema));
  arrow::FieldVector fields = schema->fields();
  for (int i = 0; i < schema->num_fields(); ++i) {
    const auto column = static_cast<size_t>(i);
    if (IsVariant(*file.parquet_reader()->metadata(), i))
      fields[column] = fields[column]->WithType(columnar::VariantExtensionType());
  }
  return arrow::schema(std::move(fields));
}

/// See that variants are whole, at every depth: nobody has looked.
Status CheckVariants(const arrow::Array& column, const std::string& name) {
  const auto& variants = static_cast<const arrow::StructArray&>(column);
  const auto& metadata = static_cast<const arrow::BinaryArray&>(*variants.field(0));
  const auto& values = static_cast<const arrow::BinaryArray&>(*variants.field(1));
  for (int64_t row = 0; row < variants.length(); ++row) {
    if (variants.IsNull(row)) continue;
    const auto text = columnar::VariantToJson(metadata.GetView(row), values.GetView(row));
    if (!text.ok()) return While("column " + name, text.error());
  }
  return Status::Ok();
}

/// Rows in the types of SchemaOf: variants, which may be shredded, as their bytes.
Result<columnar::Batch> WithVariants(columnar::Batch rows, const parquet::FileMetaData& footer) {
  for (int i = 0; i < rows->num_columns(); ++i) {
    if (!IsVariant(footer, i)) continue;
    // A batch may be a slice of what was read.
    CALVE_ASSIGN_OR_RETURN(const auto whole, arrow::Concatenate({rows->column(i)}));
    CALVE_ASSIGN_OR_RETURN(const auto bytes,
                           reader::AdaptVariant(whole->data(), rows->column_name(i)));
    CALVE_RETURN_IF_ERROR(CheckVariants(*arrow::MakeArray(bytes), rows->column_name(i)));
    auto variants = bytes->Copy();
    variants->type = columnar::VariantExtensionType();
    CALVE_ASSIGN_OR_RETURN(rows,
                           rows->SetColumn(i, rows->schema()->field(i)->WithType(variants->type),
                                           arrow::MakeArray(variants)));
  }
  return rows;
}

class ParquetReader : public SplitReader {
 public:
  ParquetReader(std::unique_ptr<parquet::arrow::FileReader> file, const Piece& piece,
                std::shared_ptr<arrow::Schema> schema)
      : file_(std::move(file)),
        piece_(piece),
        schema_(std::move(schema)),
        next_row_(piece.first_row) {}

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    const std::string name(ShortName(piece_.file.uri));
    try {
      if (batches_ == nullptr) {
        CALVE_ASSIGN_OR_RETURN(batches_, file_->GetRecordBatchReader(piece_.row_groups));
      }
      std::shared_ptr<arrow::RecordBatch> rows;
      arrow::Status read = batches_->ReadNext(&rows);
      if (!read.ok()) return Damaged(StatusOf(read).error());
      if (rows == nullptr) {
        if (next_row_ == piece_.first_row + piece_.rows) return std::optional<TracedBatch>();
        return Damaged(DataError("its footer says that " + FormatCount(piece_.rows) +
                                 " rows follow row " + FormatCount(piece_.first_row)));
      }
      CALVE_RETURN_IF_ERROR(CheckValues(*rows, name, next_row_));
      TracedBatch batch;
      batch.rows_read = rows->num_rows();
      batch.bytes_read = ByteCount(Share(rows->num_rows()));
      batch.origins = MakeRowOrigins(name, next_row_);
      next_row_ += rows->num_rows();
      auto typed = WithVariants(std::move(rows), *file_->parquet_reader()->metadata());
      if (!typed.ok()) return Damaged(std::move(typed).error());
      CALVE_ASSIGN_OR_RETURN(batch.rows, ArrangeRows(**typed, schema_));
      return std::optional<TracedBatch>(std::move(batch));
    } catch (const std::exception& error) {
      return Damaged(DataError(error.what()));
    }
  }

 private:
  /// The file's name and how far it could be read, before what the library says.
  Error Damaged(Error error) const {
    if (error.kind != ErrorKind::kData) return error;
    error.message = ShortName(piece_.file.uri) + " cannot be read behind row " +
                    FormatCount(next_row_) +
                    "; the file is damaged, write it again: " + OneLine(error.message);
    return error;
  }

  /// The file's bytes that so many of its rows stand for.
  int64_t Share(int64_t rows) const {
    const int64_t total = std::max<int64_t>(1, file_->parquet_reader()->metadata()->num_rows());
    return piece_.file.size.value() * rows / total;
  }

  std::unique_ptr<parquet::arrow::FileReader> file_;
  const Piece piece_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  int64_t next_row_;
};

class ParquetSource : public Source {
 public:
  ParquetSource(ParquetOptions options, Resources resources)
      : options_(std::move(options)), resources_(std::move(resources)) {}

  Status Check(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(const FileSet set,
                           FindFileSet(context, resources_, options_, std::nullopt));
    if (set.files.empty()) return Status::Ok();
    return StatusOf(OpenParquet(context, resources_, set.files.front(), 1024));
  }

  Result<std::vector<Stream>> Discover(const Context& context) override {
    return DiscoverFiles(context, *this, options_);
  }

  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(FileSet set, FindFileSet(context, resources_, options_, options.since));
    ReadPlan plan = PlanOf(set);
    arrow::FieldVector fields;
    for (const io::FileInfo& file : set.files) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const auto reader, OpenParquet(context, resources_, file, 1024));
      CALVE_ASSIGN_OR_RETURN(const auto schema, SchemaOf(*reader));
      CALVE_RETURN_IF_ERROR(AddColumnsOfFile(*schema, std::string(ShortName(file.uri)), &fields));
      const size_t first = plan.splits.size();
      AddPieces(*reader, file, options, &plan.splits);
      if (plan.splits.size() == first) continue;
      plan.whole_files.push_back({.file = file,
                                  .rows = reader->parquet_reader()->metadata()->num_rows(),
                                  .first_split = first,
                                  .splits = plan.splits.size() - first});
    }
    if (!set.files.empty()) plan.schema = arrow::schema(std::move(fields));
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context& context, const ReadPlan& plan,
                                            const Split& split) override {
    const auto& piece = std::any_cast<const Piece&>(split.payload);
    CALVE_ASSIGN_OR_RETURN(auto reader,
                           OpenParquet(context, resources_, piece.file, piece.batch_rows));
    return std::make_unique<ParquetReader>(std::move(reader), piece, plan.schema);
  }

 private:
  /// A file is read in as many pieces as are read at once, by row groups.
  static void AddPieces(parquet::arrow::FileReader& reader, const io::FileInfo& file,
                        const PlanOptions& options, std::vector<Split>* splits) {
    const auto metadata = reader.parquet_reader()->metadata();
    const int groups = metadata->num_row_groups();
    const int per_piece = std::max(1, (groups + options.parallelism - 1) / options.parallelism);
    int64_t row = 0;
    for (int first = 0; first < groups; first += per_piece) {
      Piece piece{.file = file, .row_groups = {}, .first_row = row, .rows = 0, .batch_rows = 1};
      int64_t memory = 0;
      for (int group = first; group < std::min(groups, first + per_piece); ++group) {
        piece.row_groups.push_back(group);
        row += metadata->RowGroup(group)->num_rows();
        piece.rows = row - piece.first_row;
        memory += metadata->RowGroup(group)->total_byte_size();
      }
      const int64_t row_bytes =
          std::max<int64_t>(1, memory / std::max<int64_t>(1, row - piece.first_row));
      piece.batch_rows = std::clamp<int64_t>(options.batch_bytes_max.value() / row_bytes, 1,
                                             options.batch_rows_max);
      const ByteCount bytes(file.size.value() * static_cast<int64_t>(piece.row_groups.size()) /
                            groups);
      splits->push_back(
          {.label = ShortName(file.uri), .bytes = bytes, .payload = std::move(piece)});
    }
  }

  const ParquetOptions options_;
  const Resources resources_;
};

}  // namespace

CALVE_PART(parquet) {
  registry.Add({.type = "parquet",
                .meaning = "Parquet files, local or on an object store",
                .part = config::MakePart<ParquetOptions>("parquet"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Source>> {
                  CALVE_ASSIGN_OR_RETURN(ParquetOptions options,
                                         ParquetOptions::Declaration().Parse(node));
                  return std::make_unique<ParquetSource>(std::move(options), resources);
                }});
}

}  // namespace calve::source
