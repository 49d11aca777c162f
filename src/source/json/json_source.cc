#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "source/file_set.h"
#include "source/json/json_columns.h"
#include "source/json/json_shape.h"
#include "source/registry.h"
#include "source/typing.h"

namespace calve::source {
namespace {

using columnar::TracedBatch;

constexpr size_t kChunkBytes = 1 << 20;
constexpr size_t kLineBytesMax = 64 << 20;
/// Files beyond this many are not looked at before they are read.
constexpr size_t kSampledFilesMax = 32;

struct JsonOptions : FileOptions {
  std::map<std::string, std::string> types;
  ByteCount sample{1'000'000};

  static config::Shape<JsonOptions> Declaration() {
    config::Shape<JsonOptions> shape("json source",
                                     "Read JSON lines: one object a line, nested ones too, with "
                                     "exact types guessed from a sample.");
    shape.Include(FileOptions::Declaration());
    shape.Optional("types", &JsonOptions::types,
                   "Types of top-level columns, in place of a guess: Iceberg's names.",
                   {.example = "{price: \"decimal(12, 2)\"}"});
    shape.Optional("sample", &JsonOptions::sample, "How much of each file is read to guess types.",
                   {.min = ByteCount(1'000), .max = ByteCount(1'000'000'000)});
    shape.Check("types", [](const JsonOptions& o) { return CheckTypes(o.types); });
    return shape;
  }
};

/// The lines of one file, decompressed.
class Lines {
 public:
  Lines(std::string name, std::unique_ptr<io::InputStream> stream)
      : name_(std::move(name)), stream_(std::move(stream)) {}

  /// The next line that is not blank; false at the end. Good until the next call.
  Result<bool> Next(std::string_view* line) {
    while (true) {
      const size_t end = buffer_.find('\n', start_);
      if (end == std::string::npos && !at_end_) {
        CALVE_RETURN_IF_ERROR(More());
        continue;
      }
      const size_t stop = end == std::string::npos ? buffer_.size() : end;
      if (stop == start_ && end == std::string::npos) return false;
      *line = Trim(std::string_view(buffer_).substr(start_, stop - start_));
      bytes_ += static_cast<int64_t>(stop - start_) + 1;
      start_ = end == std::string::npos ? stop : stop + 1;
      ++number_;
      if (number_ == 1 && line->starts_with("\xEF\xBB\xBF")) line->remove_prefix(3);
      if (!line->empty()) return true;
    }
  }
  int64_t number() const { return number_; }
  int64_t bytes() const { return bytes_; }

 private:
  Status More() {
    buffer_.erase(0, start_);
    start_ = 0;
    const size_t had = buffer_.size();
    if (had > kLineBytesMax) {
      return DataError(name_ + " line " + FormatCount(number_ + 1) + " is longer than " +
                       FormatBytes(ByteCount(kLineBytesMax)) +
                       "; expected JSON lines, one object a line");
    }
    buffer_.resize(had + kChunkBytes);
    CALVE_ASSIGN_OR_RETURN(const size_t got,
                           stream_->Read(std::span<char>(buffer_.data() + had, kChunkBytes)));
    buffer_.resize(had + got);
    at_end_ = got == 0;
    return Status::Ok();
  }

  const std::string name_;
  std::unique_ptr<io::InputStream> stream_;
  std::string buffer_;
  size_t start_ = 0;
  bool at_end_ = false;
  int64_t number_ = 0;
  int64_t bytes_ = 0;
};

class JsonOrigins : public columnar::Origins {
 public:
  JsonOrigins(std::string file, std::vector<int64_t> lines)
      : file_(std::move(file)), lines_(std::move(lines)) {}
  std::string Describe(int64_t row) const override {
    return file_ + " line " + FormatCount(lines_[static_cast<size_t>(row)]);
  }

 private:
  const std::string file_;
  const std::vector<int64_t> lines_;
};

class JsonReader : public SplitReader {
 public:
  JsonReader(std::string name, std::unique_ptr<io::InputStream> stream,
             std::unique_ptr<JsonColumns> columns, const PlanOptions& plan)
      : name_(std::move(name)),
        lines_(name_, std::move(stream)),
        columns_(std::move(columns)),
        plan_(plan) {}

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    TracedBatch batch;
    std::vector<int64_t> numbers;
    const int64_t bytes_before = lines_.bytes();
    while (batch.rows_read < plan_.batch_rows_max &&
           lines_.bytes() - bytes_before < plan_.batch_bytes_max.value()) {
      std::string_view line;
      CALVE_ASSIGN_OR_RETURN(const bool more, lines_.Next(&line));
      if (!more) break;
      ++batch.rows_read;
      CALVE_ASSIGN_OR_RETURN(JsonMisfit misfit, columns_->Append(line));
      if (misfit.reason.empty()) {
        numbers.push_back(lines_.number());
        continue;
      }
      std::string raw(line.substr(0, 1 << 20));
      if (!IsValidUtf8(raw)) raw = "(bytes that are no UTF-8)";
      batch.rejects.push_back({.origin = name_ + " line " + FormatCount(lines_.number()),
                               .column = std::move(misfit.column),
                               .reason = std::move(misfit.reason),
                               .raw = std::move(raw)});
    }
    if (batch.rows_read == 0) return std::optional<TracedBatch>();
    batch.bytes_read = ByteCount(lines_.bytes() - bytes_before);
    CALVE_ASSIGN_OR_RETURN(batch.rows, columns_->Finish());
    batch.origins = std::make_shared<JsonOrigins>(name_, std::move(numbers));
    return std::optional<TracedBatch>(std::move(batch));
  }

 private:
  const std::string name_;
  Lines lines_;
  std::unique_ptr<JsonColumns> columns_;
  const PlanOptions plan_;
};

class JsonSource : public Source {
 public:
  JsonSource(JsonOptions options, Resources resources)
      : options_(std::move(options)), resources_(std::move(resources)) {}

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
    for (size_t i = 0; i < std::min(set.files.size(), kSampledFilesMax); ++i) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_RETURN_IF_ERROR(Sample(context, set.files[i], &shape));
    }
    ReadPlan plan = PlanOf(set);
    plan.splits = WholeFiles(set);
    if (plan.splits.empty()) return plan;
    CALVE_ASSIGN_OR_RETURN(plan.schema, shape.Schema({.types = options_.types,
                                                      .wanted = options.wanted,
                                                      .widen = options.widen_wanted},
                                                     &plan.notes));
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context& context, const ReadPlan& plan,
                                            const Split& split) override {
    const auto& file = std::any_cast<const io::FileInfo&>(split.payload);
    CALVE_ASSIGN_OR_RETURN(auto stream, OpenFile(context, resources_, options_, file));
    CALVE_ASSIGN_OR_RETURN(auto columns, JsonColumns::Make(plan.schema));
    return std::make_unique<JsonReader>(ShortName(file.uri), std::move(stream), std::move(columns),
                                        plan_options_);
  }

 private:
  /// Lines that are no objects say nothing of the columns: the reader rejects them.
  Status Sample(const Context& context, const io::FileInfo& file, JsonShape* shape) {
    CALVE_ASSIGN_OR_RETURN(auto stream, OpenFile(context, resources_, options_, file));
    Lines lines(ShortName(file.uri), std::move(stream));
    while (lines.bytes() < options_.sample.value()) {
      std::string_view line;
      CALVE_ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
      if (!more) break;
      shape->See(line, lines.number());
    }
    return Status::Ok();
  }

  const JsonOptions options_;
  const Resources resources_;
  PlanOptions plan_options_;
};

}  // namespace

CALVE_PART(json) {
  registry.Add({.type = "json",
                .meaning = "JSON lines, nested objects too, local or on an object store",
                .part = config::MakePart<JsonOptions>("json"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Source>> {
                  CALVE_ASSIGN_OR_RETURN(JsonOptions options,
                                         JsonOptions::Declaration().Parse(node));
                  return std::make_unique<JsonSource>(std::move(options), resources);
                }});
}

}  // namespace calve::source
