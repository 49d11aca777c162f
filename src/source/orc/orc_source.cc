#include <arrow/adapters/orc/adapter.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "io/arrow_bridge.h"
#include "reader/file_batches.h"
#include "reader/orc_check.h"
#include "source/file_rows.h"
#include "source/file_set.h"
#include "source/registry.h"
#include "source/value_check.h"

namespace calve::source {
namespace {

using columnar::TracedBatch;

/// Values take about so many times their bytes in the file.
constexpr int64_t kUnpacked = 4;

struct OrcOptions : FileOptions {
  static config::Shape<OrcOptions> Declaration() {
    config::Shape<OrcOptions> shape("orc source", "Read ORC files; their own types are kept.");
    shape.Include(FileOptions::PlaceDeclaration());
    return shape;
  }
};

/// What a file holds.
struct OrcFile {
  std::shared_ptr<arrow::Schema> schema;
  int64_t rows = 0;
};

Error NoOrc(const std::string& file, std::string_view reason) {
  return DataError(file + " is no readable ORC file; write it again, or name only ORC files in " +
                   "file_pattern: " + OneLine(reason));
}

/// Moments in microseconds, at every depth: ORC's library counts them in nanoseconds, whatever was
/// written.
std::shared_ptr<arrow::DataType> InMicros(const std::shared_ptr<arrow::DataType>& type) {
  const auto field_of = [](const std::shared_ptr<arrow::Field>& field) {
    return field->WithType(InMicros(field->type()))->RemoveMetadata();
  };
  switch (type->id()) {
    case arrow::Type::TIMESTAMP:
      return arrow::timestamp(arrow::TimeUnit::MICRO,
                              static_cast<const arrow::TimestampType&>(*type).timezone());
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) fields.push_back(field_of(field));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST:
      return arrow::list(field_of(type->field(0))->WithName("element"));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return arrow::map(InMicros(map.key_type()), InMicros(map.item_type()));
    }
    default:
      return type;
  }
}

Result<std::shared_ptr<io::InputFile>> OpenBytes(const Context& context, const Resources& resources,
                                                 const io::FileInfo& info) {
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<io::InputFile> file,
                         resources.files->OpenInput(context, info.uri, {.size = info.size}));
  return file;
}

Result<OrcFile> LookAt(const Context& context, const Resources& resources,
                       const io::FileInfo& info) {
  const std::string name = ShortName(info.uri);
  CALVE_ASSIGN_OR_RETURN(auto bytes, OpenBytes(context, resources, info));
  try {
    const Status sound = reader::CheckOrcTail(*bytes);
    if (!sound.ok() && sound.error().kind != ErrorKind::kData) return sound.error();
    if (!sound.ok()) return NoOrc(name, sound.error().message);
    auto opened = arrow::adapters::orc::ORCFileReader::Open(io::ToArrow(std::move(bytes)),
                                                            arrow::default_memory_pool());
    if (!opened.ok()) return NoOrc(name, opened.status().message());
    auto schema = (*opened)->ReadSchema();
    if (!schema.ok()) return NoOrc(name, schema.status().message());
    OrcFile file{.schema = nullptr, .rows = (*opened)->NumberOfRows()};
    arrow::FieldVector fields;
    for (const auto& field : (*schema)->fields()) {
      auto type = columnar::ToIcebergType(*InMicros(field->type()), 3);
      if (!type.ok()) return While(name + ", column " + field->name(), std::move(type).error());
      CALVE_ASSIGN_OR_RETURN(auto exact, columnar::ToArrowType(*type));
      fields.push_back(arrow::field(field->name(), std::move(exact)));
    }
    file.schema = arrow::schema(std::move(fields));
    return file;
  } catch (const std::exception& error) {  // ORC throws on broken files.
    return NoOrc(name, error.what());
  }
}

class OrcReader : public SplitReader {
 public:
  OrcReader(std::unique_ptr<reader::FileBatches> file, io::FileInfo info, int64_t rows,
            std::shared_ptr<arrow::Schema> schema)
      : file_(std::move(file)), info_(std::move(info)), rows_(rows), schema_(std::move(schema)) {}

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    auto read = file_->Next(context);
    if (!read.ok()) return Damaged(std::move(read).error());
    if (!read->has_value()) {
      if (next_row_ == rows_) return std::optional<TracedBatch>();
      return Damaged(DataError("its footer says that it has " + FormatCount(rows_) + " rows"));
    }
    const columnar::Batch& rows = (*read)->rows;
    CALVE_RETURN_IF_ERROR(CheckValues(*rows, ShortName(info_.uri), next_row_));
    TracedBatch batch;
    batch.rows_read = rows->num_rows();
    batch.bytes_read =
        ByteCount(info_.size.value() * rows->num_rows() / std::max<int64_t>(1, rows_));
    batch.origins = MakeRowOrigins(std::string(ShortName(info_.uri)), next_row_);
    next_row_ += rows->num_rows();
    CALVE_ASSIGN_OR_RETURN(batch.rows, ArrangeRows(*rows, schema_));
    return std::optional(std::move(batch));
  }

 private:
  /// The file's name and how far it could be read, before what was said.
  Error Damaged(Error error) const {
    if (error.kind != ErrorKind::kData) return error;
    error.message =
        ShortName(info_.uri) + " cannot be read behind row " + FormatCount(next_row_) +
        "; the file is damaged, or not as it should be, write it again: " + OneLine(error.message);
    return error;
  }

  const std::unique_ptr<reader::FileBatches> file_;
  const io::FileInfo info_;
  const int64_t rows_;
  const std::shared_ptr<arrow::Schema> schema_;
  int64_t next_row_ = 0;
};

class OrcSource : public Source {
 public:
  OrcSource(OrcOptions options, Resources resources)
      : options_(std::move(options)), resources_(std::move(resources)) {}

  Status Check(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(const FileSet set,
                           FindFileSet(context, resources_, options_, std::nullopt));
    if (set.files.empty()) return Status::Ok();
    return StatusOf(LookAt(context, resources_, set.files.front()));
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
      CALVE_ASSIGN_OR_RETURN(const OrcFile file, LookAt(context, resources_, info));
      CALVE_RETURN_IF_ERROR(
          AddColumnsOfFile(*file.schema, std::string(ShortName(info.uri)), &fields));
    }
    plan.splits = WholeFiles(set);
    if (!set.files.empty()) plan.schema = arrow::schema(std::move(fields));
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context& context, const ReadPlan& plan,
                                            const Split& split) override {
    const auto& info = std::any_cast<const io::FileInfo&>(split.payload);
    CALVE_ASSIGN_OR_RETURN(const OrcFile file, LookAt(context, resources_, info));
    CALVE_ASSIGN_OR_RETURN(auto wanted, columnar::ToIcebergFields(*file.schema, 3));
    CALVE_ASSIGN_OR_RETURN(const auto schema, iceberg::Schema::Make(iceberg::SchemaId(0), wanted));
    const int64_t row_bytes =
        std::max<int64_t>(1, kUnpacked * info.size.value() / std::max<int64_t>(1, file.rows));
    reader::FileOptions options{
        .wanted = std::move(wanted),
        .name_mapping = iceberg::NameMapping::Of(*schema),
        .constants = {},
        .batch_rows_max = std::clamp<int64_t>(plan_options_.batch_bytes_max.value() / row_bytes, 1,
                                              plan_options_.batch_rows_max),
        .is_foreign = true,
        .filter = {},
        .schema = nullptr};
    CALVE_ASSIGN_OR_RETURN(auto bytes, OpenBytes(context, resources_, info));
    auto batches = reader::OpenOrc(std::move(bytes), std::move(options));
    if (!batches.ok()) return NoOrc(ShortName(info.uri), batches.error().message);
    return std::make_unique<OrcReader>(std::move(*batches), info, file.rows, plan.schema);
  }

 private:
  const OrcOptions options_;
  const Resources resources_;
  PlanOptions plan_options_;
};

}  // namespace

CALVE_PART(orc) {
  registry.Add({.type = "orc",
                .meaning = "ORC files, local or on an object store",
                .part = config::MakePart<OrcOptions>("orc"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Source>> {
                  CALVE_ASSIGN_OR_RETURN(OrcOptions options, OrcOptions::Declaration().Parse(node));
                  return std::make_unique<OrcSource>(std::move(options), resources);
                },
                .details = "Timestamps are read in microseconds: one of a top-level column that is "
                           "finer is a fault. ORC's `timestamp with local time zone` becomes "
                           "timestamptz, `timestamp` is as the writer's clock showed it."});
}

}  // namespace calve::source
