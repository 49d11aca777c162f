#include <algorithm>
#include <any>
#include <map>
#include <utility>

#include "base/text.h"
#include "columnar/convert.h"
#include "source/api/api_client.h"
#include "source/api/api_options.h"
#include "source/api/endpoint_pages.h"
#include "source/api/proposal.h"
#include "source/cursor_track.h"
#include "source/json_columns.h"
#include "source/json_shape.h"
#include "source/registry.h"
#include "source/table_position.h"
#include "source/typing.h"

namespace calve::source::api {
namespace {

using columnar::Reject;
using columnar::TracedBatch;

constexpr size_t kRawBytesMax = 1 << 20;
constexpr const char* kType = "api";

/// Records of a page, by their number there.
class RecordOrigins : public columnar::Origins {
 public:
  RecordOrigins(std::string page, std::vector<int64_t> numbers)
      : page_(std::move(page)), numbers_(std::move(numbers)) {}
  std::string Describe(int64_t row) const override {
    return Place(page_, numbers_[static_cast<size_t>(row)]);
  }
  static std::string Place(const std::string& page, int64_t number) {
    return page + " record " + FormatCount(number);
  }

 private:
  const std::string page_;
  const std::vector<int64_t> numbers_;
};

class ApiReader : public SplitReader {
 public:
  ApiReader(std::shared_ptr<EndpointPages> pages, std::unique_ptr<JsonColumns> columns,
            const PlanOptions& plan)
      : pages_(std::move(pages)), columns_(std::move(columns)), plan_(plan) {}

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    TracedBatch batch;
    if (!page_.has_value() || next_ == page_->records.size()) {
      page_.reset();
      CALVE_ASSIGN_OR_RETURN(page_, pages_->Next(context, &walk_));
      if (!page_.has_value()) return std::optional<TracedBatch>();
      next_ = 0;
      batch.bytes_read = ByteCount(page_->bytes);
    }
    std::vector<int64_t> numbers;
    CALVE_RETURN_IF_ERROR(Take(&batch, &numbers));
    CALVE_ASSIGN_OR_RETURN(batch.rows, columns_->Finish());
    batch.origins = std::make_shared<RecordOrigins>(page_->label, std::move(numbers));
    return std::optional(std::move(batch));
  }

 private:
  /// A batch ends with its page.
  Status Take(TracedBatch* batch, std::vector<int64_t>* numbers) {
    JsonMisfit misfit;
    int64_t bytes = 0;
    for (; next_ < page_->records.size() && batch->rows_read < plan_.batch_rows_max; ++next_) {
      const Page::Record& record = page_->records[next_];
      if (batch->rows_read > 0 && bytes >= plan_.batch_bytes_max.value()) break;
      bytes += static_cast<int64_t>(record.text.size());
      ++batch->rows_read;
      CALVE_RETURN_IF_ERROR(columns_->Append(record.text, &misfit));
      if (misfit.reason.empty()) {
        numbers->push_back(record.number);
        continue;
      }
      const bool is_object = !record.text.empty() && record.text.front() == '{';
      batch->rejects.push_back(
          Reject{.origin = RecordOrigins::Place(page_->label, record.number),
                 .column = std::exchange(misfit.column, {}),
                 .reason = is_object ? std::exchange(misfit.reason, {})
                                     : "the record is no JSON object; expected one, with a key for "
                                       "each column",
                 .raw = std::string(record.text.substr(0, kRawBytesMax))});
      misfit = {};
    }
    return Status::Ok();
  }

  const std::shared_ptr<EndpointPages> pages_;
  const std::unique_ptr<JsonColumns> columns_;
  const PlanOptions plan_;
  std::unique_ptr<PageWalk> walk_;
  std::optional<Page> page_;
  size_t next_ = 0;
};

class ApiSource : public Source {
 public:
  explicit ApiSource(ApiOptions options) : options_(std::move(options)) {}

  Status Check(const Context& context) override {
    const auto client = std::make_shared<ApiClient>(options_);
    for (const std::string& endpoint : options_.AllEndpoints()) {
      EndpointPages pages(client, options_, endpoint, nullptr);
      std::unique_ptr<PageWalk> walk;
      CALVE_RETURN_IF_ERROR(pages.Next(context, &walk));
    }
    return Status::Ok();
  }

  Result<std::vector<Stream>> Discover(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(const Proposal proposal, Propose(context, options_));
    std::vector<Stream> streams;
    for (const std::string& endpoint : options_.AllEndpoints()) {
      ApiSource one(proposal.Applied(options_, endpoint));
      CALVE_ASSIGN_OR_RETURN(ReadPlan plan, one.Plan(context, {}));
      streams.push_back({.name = endpoint,
                         .schema = std::move(plan.schema),
                         .proposal = streams.empty() ? proposal.text : ""});
    }
    return streams;
  }

  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    plan_options_ = options;
    ReadPlan plan;
    CALVE_ASSIGN_OR_RETURN(const auto since, Since(options));
    const auto client = std::make_shared<ApiClient>(options_);
    JsonShape shape;
    Sampled sampled;
    auto all = std::make_shared<std::vector<std::shared_ptr<EndpointPages>>>();
    for (const std::string& endpoint : options_.AllEndpoints()) {
      CALVE_ASSIGN_OR_RETURN(auto track, TrackOf(since, endpoint));
      auto pages = std::make_shared<EndpointPages>(client, options_, endpoint, std::move(track));
      CALVE_ASSIGN_OR_RETURN(const Sampled seen, Sample(context, *pages, &shape));
      sampled.Add(seen);
      AddSplits(seen, pages, options, &plan);
      all->push_back(std::move(pages));
    }
    plan.summary = Summary(sampled, since);
    if (options_.incremental)
      plan.position_when_read = [since = *since, all] { return PositionOf(since, *all); };
    if (plan.splits.empty()) {
      if (options_.incremental) {
        CALVE_ASSIGN_OR_RETURN(plan.position, plan.position_when_read());
        plan.position_when_read = nullptr;
      }
      return plan;
    }
    if (!shape.has_columns()) return DataError(sampled.misfit);
    CALVE_ASSIGN_OR_RETURN(plan.schema, SchemaOf(shape, options, &plan.notes));
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context&, const ReadPlan& plan,
                                            const Split& split) override {
    CALVE_ASSIGN_OR_RETURN(auto columns, JsonColumns::Make(plan.schema));
    return std::make_unique<ApiReader>(
        std::any_cast<const std::shared_ptr<EndpointPages>&>(split.payload), std::move(columns),
        plan_options_);
  }

 private:
  /// What the first pages of an endpoint have shown.
  struct Sampled {
    int64_t records = 0;
    int64_t bytes = 0;
    bool whole = true;   ///< There is nothing behind them.
    std::string misfit;  ///< The first record that is none, and why.

    void Add(const Sampled& other) {
      records += other.records;
      bytes += other.bytes;
      whole = whole && other.whole;
      if (misfit.empty()) misfit = other.misfit;
    }
  };

  /// Where the last run has ended; nothing when the job is not incremental.
  Result<std::optional<TablePositions>> Since(const PlanOptions& options) const {
    if (!options_.incremental) return std::optional<TablePositions>();
    if (!options.since.has_value()) {
      return std::optional(
          TablePositions{.type = kType, .cursor = options_.cursor_column, .tables = {}});
    }
    CALVE_ASSIGN_OR_RETURN(TablePositions since,
                           TablePositions::Parse(*options.since, kType, options_.cursor_column));
    return std::optional(std::move(since));
  }

  Result<std::unique_ptr<CursorTrack>> TrackOf(const std::optional<TablePositions>& since,
                                               const std::string& endpoint) const {
    if (!since.has_value()) return std::unique_ptr<CursorTrack>();
    const auto known = since->tables.find(endpoint);
    return CursorTrack::Make(options_, known == since->tables.end() ? std::optional<TablePosition>()
                                                                    : std::optional(known->second));
  }

  /// Read pages until there is enough to guess types by; they are not asked for again.
  Result<Sampled> Sample(const Context& context, EndpointPages& pages, JsonShape* shape) const {
    Sampled sampled;
    std::deque<Page> taken;
    std::unique_ptr<PageWalk> walk;
    while (sampled.bytes < options_.sample.value()) {
      CALVE_ASSIGN_OR_RETURN(std::optional<Page> page, pages.Next(context, &walk));
      if (!page.has_value()) break;
      for (const Page::Record& record : page->records) {
        ++sampled.records;
        if (shape->See(record.text, sampled.records) || !sampled.misfit.empty()) continue;
        sampled.misfit = RecordOrigins::Place(page->label, record.number) +
                         " is no JSON object; expected an array of objects: check records_path";
      }
      sampled.bytes += page->bytes;
      taken.push_back(std::move(*page));
    }
    sampled.whole = sampled.bytes < options_.sample.value();
    pages.GiveBack(std::move(taken), std::move(walk));
    return sampled;
  }

  void AddSplits(const Sampled& sampled, const std::shared_ptr<EndpointPages>& pages,
                 const PlanOptions& options, ReadPlan* plan) const {
    if (sampled.whole && sampled.records == 0) return;
    // Parents are asked side by side.
    const bool one = !options_.parent.has_value() || sampled.whole;
    const int readers = one ? 1 : std::max(1, options.parallelism);
    for (int i = 0; i < readers; ++i) {
      plan->splits.push_back({.label = pages->endpoint(),
                              .bytes = ByteCount(sampled.whole ? sampled.bytes : 0),
                              .payload = pages});
    }
    if (sampled.whole) plan->bytes += ByteCount(sampled.bytes);
  }

  std::string Summary(const Sampled& sampled, const std::optional<TablePositions>& since) const {
    const std::vector<std::string> endpoints = options_.AllEndpoints();
    std::string summary = endpoints.front();
    if (endpoints.size() > 1)
      summary += " and " + FormatCount(static_cast<int64_t>(endpoints.size()) - 1) + " more";
    const bool goes_on = since.has_value() && !since->tables.empty();
    if (sampled.whole && sampled.records == 0) {
      summary += goes_on ? ", nothing new" : ", no records";
    } else {
      summary += std::string(sampled.whole ? ", " : ", more than ") + FormatCount(sampled.records) +
                 (goes_on ? " new" : "") + (sampled.records == 1 ? " record" : " records");
    }
    if (goes_on && since->tables.size() == 1)
      summary += " since " + options_.cursor_column + " " + since->tables.begin()->second.until;
    return summary + "   " + options_.base_url;
  }

  static Result<Position> PositionOf(const TablePositions& since,
                                     const std::vector<std::shared_ptr<EndpointPages>>& endpoints) {
    TablePositions reached = since;
    for (const auto& pages : endpoints) {
      CALVE_ASSIGN_OR_RETURN(auto position, pages->track()->Reached());
      if (position.has_value()) reached.tables[pages->endpoint()] = std::move(*position);
    }
    return reached.Print();
  }

  /// The columns of the sample, and those that are declared or in the table: a service leaves out
  /// what a record does not have.
  Result<std::shared_ptr<arrow::Schema>> SchemaOf(const JsonShape& shape,
                                                  const PlanOptions& options,
                                                  std::vector<std::string>* notes) const {
    std::map<std::string, std::string> types = options_.types;
    std::erase_if(types, [&](const auto& type) { return !shape.Has(type.first); });
    CALVE_ASSIGN_OR_RETURN(
        auto schema,
        shape.Schema({.types = types, .wanted = options.wanted, .widen = options.widen_wanted},
                     notes));
    arrow::FieldVector fields = schema->fields();
    for (const auto& [name, type] : options_.types) {
      if (shape.Has(name)) continue;
      CALVE_ASSIGN_OR_RETURN(auto declared, ParseColumnType(type));
      fields.push_back(arrow::field(name, std::move(declared)));
      notes->push_back("column " + name +
                       " is declared in types and is in no record of the sample");
    }
    for (const auto& field :
         options.wanted == nullptr ? arrow::FieldVector() : options.wanted->fields()) {
      // 16 bytes may be a uuid, which only a value would say.
      const bool is_open = field->type()->id() == arrow::Type::FIXED_SIZE_BINARY ||
                           field->type()->id() == arrow::Type::NA;
      const bool known = std::any_of(fields.begin(), fields.end(),
                                     [&](const auto& f) { return f->name() == field->name(); });
      if (!known && !is_open) fields.push_back(arrow::field(field->name(), field->type()));
    }
    return arrow::schema(std::move(fields));
  }

  const ApiOptions options_;
  PlanOptions plan_options_;
};

}  // namespace
}  // namespace calve::source::api

namespace calve::source {

CALVE_PART(api) {
  registry.Add(
      {.type = "api",
       .meaning = "REST services that reply in JSON: signed in, page by page, incremental, "
                  "endpoints of parents",
       .part = config::MakePart<api::ApiOptions>("api"),
       .make = [](const config::Node& node, const Resources&) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(api::ApiOptions options,
                                api::ApiOptions::Declaration().Parse(node));
         return std::make_unique<api::ApiSource>(std::move(options));
       }});
}

}  // namespace calve::source
