#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "columnar/row_text.h"
#include "source/encoding.h"
#include "source/file_set.h"
#include "source/json/json_records.h"
#include "source/json_columns.h"
#include "source/json_cursor.h"
#include "source/json_shape.h"
#include "source/registry.h"
#include "source/reread.h"
#include "source/typing.h"

namespace calve::source {
namespace {

using columnar::Reject;
using columnar::TracedBatch;

constexpr size_t kRawBytesMax = 1 << 20;
/// Files beyond this many with records are not looked at before they are read.
constexpr size_t kSampledFilesMax = 32;

struct JsonOptions : FileOptions {
  std::string records_path;
  std::string encoding = "utf-8";
  std::map<std::string, std::string> types;
  ByteCount sample{1'000'000};

  std::vector<std::string> path() const {
    return records_path.empty() ? std::vector<std::string>() : calve::Split(records_path, '.');
  }

  static config::Shape<JsonOptions> Declaration() {
    config::Shape<JsonOptions> shape("json source",
                                     "Read JSON: one object a line, or an array of objects, nested "
                                     "ones too, with exact types guessed from a sample.");
    shape.Include(FileOptions::Declaration());
    shape.Optional("records_path", &JsonOptions::records_path,
                   "Where the array of records is in each file, when it is not the whole file: "
                   "keys with dots between them.",
                   {.example = "data.items"});
    shape.Optional("encoding", &JsonOptions::encoding,
                   "How the files are encoded: utf-8, utf-16, latin-1, and what else ICU has.");
    shape.Check("encoding", [](const JsonOptions& o) { return CheckEncoding(o.encoding); });
    shape.Optional("types", &JsonOptions::types,
                   "Types of top-level columns, in place of a guess: Iceberg's names.",
                   {.example = "{price: \"decimal(12, 2)\"}"});
    shape.Optional("sample", &JsonOptions::sample, "How much of each file is read to guess types.",
                   {.min = ByteCount(1'000), .max = ByteCount(1'000'000'000)});
    shape.Check("types", [](const JsonOptions& o) { return CheckTypes(o.types); });
    return shape;
  }
};

/// One file's text, which several readers share.
struct JsonText {
  JsonText(const JsonOptions& options, const Resources& resources, const io::FileInfo& info,
           size_t block_bytes)
      : JsonText(std::make_unique<JsonRowEnds>(options.path()), options, resources, info,
                 block_bytes) {}

  const JsonRowEnds& row_ends;
  const TextPlaces places;
  TextBlocks blocks;

 private:
  JsonText(std::unique_ptr<JsonRowEnds> ends, const JsonOptions& options,
           const Resources& resources, const io::FileInfo& info, size_t block_bytes)
      : row_ends(*ends),
        places(PlacesOf(resources, info)),
        blocks(ShortName(info.uri), OpenText(resources, options, options.encoding, info),
               std::move(ends), block_bytes) {}
};

/// Fails with kData on a record that is a piece of something: then no line of the file is sure to be
/// a row.
Status CheckWhole(const JsonText& text, const JsonRecords& records, std::string_view record) {
  // A row that was held back is a row.
  const std::string fault = text.places.are_held() ? "" : records.PieceFault(record);
  if (fault.empty()) return Status::Ok();
  return DataError(text.blocks.name() + " line " + FormatCount(records.line()) + ": " + fault);
}

/// Whether a record is one object, so that other columns may make a row of it.
bool IsObject(std::string_view record) {
  JsonCursor cursor(record);
  if (!cursor.ok() || cursor.Peek() != JsonKind::kObject) return false;
  cursor.TakeRaw();
  cursor.Finish();
  return cursor.ok();
}

class JsonReader : public SplitReader {
 public:
  JsonReader(std::shared_ptr<JsonText> text, std::unique_ptr<JsonColumns> columns,
             const PlanOptions& plan)
      : text_(std::move(text)), columns_(std::move(columns)), plan_(plan) {}

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    TracedBatch batch;
    std::vector<int64_t> lines;
    // A batch ends with its block, so that it is no larger than one.
    while (batch.rows_read == 0) {
      if (!has_block_) {
        CALVE_ASSIGN_OR_RETURN(has_block_, text_->blocks.Next(context, &block_));
        if (!has_block_) return std::optional<TracedBatch>();
        records_.Start(block_, text_->row_ends.is_array());
      }
      const size_t used_before = records_.used();
      CALVE_RETURN_IF_ERROR(AppendRecords(&batch, &lines));
      batch.bytes_read += ByteCount(static_cast<int64_t>(records_.used() - used_before));
    }
    CALVE_ASSIGN_OR_RETURN(batch.rows, columns_->Finish());
    batch.origins = std::make_shared<LineOrigins>(text_->places, std::move(lines));
    return std::optional<TracedBatch>(std::move(batch));
  }

 private:
  Status AppendRecords(TracedBatch* batch, std::vector<int64_t>* lines) {
    std::string_view record;
    JsonMisfit misfit;
    while (batch->rows_read < plan_.batch_rows_max) {
      has_block_ = records_.Next(&record);
      if (!has_block_) return Status::Ok();
      ++batch->rows_read;
      CALVE_RETURN_IF_ERROR(columns_->Append(record, &misfit));
      if (misfit.reason.empty()) {
        lines->push_back(records_.line());
        continue;
      }
      CALVE_RETURN_IF_ERROR(CheckWhole(*text_, records_, record));
      Reject& reject =
          batch->rejects.emplace_back(Reject{.origin = text_->places.At(records_.line()),
                                             .column = std::exchange(misfit.column, {}),
                                             .reason = std::exchange(misfit.reason, {}),
                                             .raw = std::string(record.substr(0, kRawBytesMax))});
      if (!IsValidUtf8(reject.raw)) {
        reject.raw = "(bytes that are no UTF-8)";
      } else if (record.size() <= kRawBytesMax && IsObject(record)) {
        reject.form = columnar::RowForm::kText;
      }
    }
    return Status::Ok();
  }

  const std::shared_ptr<JsonText> text_;
  const std::unique_ptr<JsonColumns> columns_;
  const PlanOptions plan_;
  TextBlock block_;
  bool has_block_ = false;
  JsonRecords records_;
};

class JsonSource : public Source {
 public:
  /// `schema`: of rows that were printed as columnar::RowAsJson does; null: it is found out.
  JsonSource(JsonOptions options, Resources resources,
             std::shared_ptr<arrow::Schema> schema = nullptr)
      : options_(std::move(options)),
        resources_(std::move(resources)),
        schema_(std::move(schema)) {}

  Status Check(const Context& context) override {
    return StatusOf(FindFileSet(context, resources_, options_, std::nullopt));
  }

  Result<std::vector<Stream>> Discover(const Context& context) override {
    return DiscoverFiles(context, *this, options_);
  }

  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override {
    plan_options_ = options;
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(FileSet set, FindFileSet(context, resources_, options_, options.since));
    JsonShape shape;
    std::string misfit;
    size_t sampled = 0;
    const size_t looked_at = schema_ == nullptr ? set.files.size() : 0;
    for (size_t i = 0; i < looked_at && sampled < kSampledFilesMax; ++i) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const bool has_records,
                             Sample(context, set.files[i], &shape, &misfit));
      sampled += has_records ? 1 : 0;
    }
    ReadPlan plan = PlanOf(set);
    if (!shape.has_columns() && !misfit.empty()) return DataError(misfit);
    if (looked_at > 0 && !shape.has_columns()) {
      CALVE_RETURN_IF_ERROR(PassOverEmpty(set, options_,
                                          {.lacking = "object that has a key",
                                           .expected = "JSON lines, one object a line, or an array "
                                                       "of objects"},
                                          &plan));
      return plan;
    }
    plan.splits = SharedFiles(set, options, [&](const io::FileInfo& file) {
      return std::make_shared<JsonText>(options_, resources_, file, TextBlockBytes(options));
    });
    if (plan.splits.empty()) return plan;
    plan.schema = schema_;
    if (schema_ == nullptr) {
      CALVE_ASSIGN_OR_RETURN(plan.schema, shape.Schema({.types = TypesOf(shape),
                                                        .wanted = options.wanted,
                                                        .widen = options.widen_wanted,
                                                        .is_whole = is_held()},
                                                       &plan.notes));
    }
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context&, const ReadPlan& plan,
                                            const Split& split) override {
    CALVE_ASSIGN_OR_RETURN(auto columns, JsonColumns::Make(plan.schema));
    return std::make_unique<JsonReader>(std::any_cast<std::shared_ptr<JsonText>>(split.payload),
                                        std::move(columns), plan_options_);
  }

 private:
  /// Learn from a file's first records; false when it has none. Those that are no objects say
  /// nothing of the columns: the reader rejects them, and the first is noted.
  Result<bool> Sample(const Context& context, const io::FileInfo& file, JsonShape* shape,
                      std::string* misfit) {
    JsonText text(options_, resources_, file, static_cast<size_t>(options_.sample.value()));
    TextBlock block;
    CALVE_ASSIGN_OR_RETURN(const bool more, text.blocks.Next(context, &block));
    if (!more) return false;
    JsonRecords records;
    records.Start(block, text.row_ends.is_array());
    std::string_view record;
    bool has_records = false;
    while (records.Next(&record)) {
      has_records = true;
      const bool is_object = shape->See(record, records.line());
      if (shape->is_too_wide()) {
        return DataError(text.blocks.name() + " line " + FormatCount(records.line()) +
                         ": there are more than 20,000 different keys, which no table has as "
                         "columns; set records_path to where the records are, or have what writes "
                         "the file put values under keys, not into them");
      }
      if (is_object) continue;
      CALVE_RETURN_IF_ERROR(CheckWhole(text, records, record));
      if (misfit->empty())
        *misfit = text.blocks.name() + " line " + FormatCount(records.line()) + ": " + kNoObject;
    }
    return has_records;
  }

  bool is_held() const { return resources_.first_origins != nullptr; }
  /// Those that a person gave. Rows that were held back may lack some of the columns.
  std::map<std::string, std::string> TypesOf(const JsonShape& shape) const {
    std::map<std::string, std::string> types = options_.types;
    if (is_held()) std::erase_if(types, [&](const auto& type) { return !shape.Has(type.first); });
    return types;
  }

  const JsonOptions options_;
  const Resources resources_;
  const std::shared_ptr<arrow::Schema> schema_;
  PlanOptions plan_options_;
};

}  // namespace

CALVE_PART(json) {
  registry.Add(
      {.type = "json",
       .meaning = "JSON lines or arrays, nested objects too, local or on an object store",
       .part = config::MakePart<JsonOptions>("json"),
       .make = [](const config::Node& node,
                  const Resources& resources) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(JsonOptions options, JsonOptions::Declaration().Parse(node));
         return std::make_unique<JsonSource>(std::move(options), resources);
       },
       .reread = [](const config::Node& node, HeldText held) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(JsonOptions options, JsonOptions::Declaration().Parse(node));
         options.records_path.clear();
         options.encoding = "utf-8";
         HeldFile::Point(&options);
         std::shared_ptr<arrow::Schema> schema;
         if (!held.columns.empty()) {
           CALVE_ASSIGN_OR_RETURN(schema, columnar::ParseSchema(held.columns));
         }
         HeldFile file;
         for (HeldText::Row& row : held.rows) {
           // Between the parts of a value line ends mean nothing.
           std::replace(row.text.begin(), row.text.end(), '\n', ' ');
           std::replace(row.text.begin(), row.text.end(), '\r', ' ');
           file.Add(row);
         }
         return std::move(file).Open([&](const Resources& resources) {
           return std::make_unique<JsonSource>(std::move(options), resources, std::move(schema));
         });
       }});
}

}  // namespace calve::source
