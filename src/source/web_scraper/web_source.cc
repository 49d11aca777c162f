#include <algorithm>
#include <any>
#include <deque>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "columnar/convert.h"
#include "columnar/text_column.h"
#include "io/uri.h"
#include "source/registry.h"
#include "source/typing.h"
#include "source/web_scraper/web_client.h"
#include "source/web_scraper/web_options.h"
#include "source/web_scraper/web_position.h"
#include "source/web_scraper/web_walk.h"

namespace calve::source::web_scraper {
namespace {

using columnar::Reject;
using columnar::TextValue;
using columnar::TracedBatch;

constexpr size_t kRawBytesMax = 1 << 20;
/// Addresses beyond this many are not looked at before they are read.
constexpr size_t kSampledWalksMax = 16;

std::string PlaceOf(const std::string& page, int64_t number) {
  return page + " record " + FormatCount(number);
}

class RecordOrigins : public columnar::Origins {
 public:
  RecordOrigins(std::string page, std::vector<int64_t> numbers)
      : page_(std::move(page)), numbers_(std::move(numbers)) {}
  std::string Describe(int64_t row) const override {
    return PlaceOf(page_, numbers_[static_cast<size_t>(row)]);
  }

 private:
  const std::string page_;
  const std::vector<int64_t> numbers_;
};

/// The pages of one address: those that the plan has looked at, and then the others.
struct Start {
  std::unique_ptr<WebWalk> walk;
  std::deque<WebPage> looked_at;
};

/// A record as JSON, for people.
std::string RawOf(const PageRecords& page, const PageRecords::Record& record) {
  nlohmann::ordered_json raw = nlohmann::ordered_json::object();
  for (size_t i = 0; i < record.values.size(); ++i) {
    const std::string name =
        i < page.columns.size() ? page.columns[i] : "column_" + std::to_string(i + 1);
    raw[name] = record.values[i].has_value() ? nlohmann::ordered_json(*record.values[i])
                                             : nlohmann::ordered_json();
  }
  return raw.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
      .substr(0, kRawBytesMax);
}

class WebReader : public SplitReader {
 public:
  static Result<std::unique_ptr<WebReader>> Open(std::shared_ptr<Start> start,
                                                 std::shared_ptr<arrow::Schema> schema,
                                                 const WebOptions& options,
                                                 const PlanOptions& plan) {
    std::unique_ptr<WebReader> reader(
        new WebReader(std::move(start), std::move(schema), options, plan));
    for (const auto& field : reader->schema_->fields()) {
      CALVE_ASSIGN_OR_RETURN(reader->columns_.emplace_back(),
                             columnar::MakeTextColumn(field->type(), reader->formats_));
    }
    return reader;
  }

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    TracedBatch batch;
    if (!page_.has_value() || next_ == page_->records.records.size()) {
      CALVE_ASSIGN_OR_RETURN(page_, NextPage(context));
      if (!page_.has_value()) return std::optional<TracedBatch>();
      next_ = 0;
      batch.bytes_read = ByteCount(page_->bytes);
      FindColumns();
    }
    std::vector<const PageRecords::Record*> records;
    int64_t bytes = 0;
    // A batch ends with its page.
    for (; next_ < page_->records.records.size() && batch.rows_read < plan_.batch_rows_max;
         ++next_) {
      const PageRecords::Record& record = page_->records.records[next_];
      if (batch.rows_read > 0 && bytes >= plan_.batch_bytes_max.value()) break;
      for (const auto& value : record.values)
        bytes += value.has_value() ? static_cast<int64_t>(value->size()) : 0;
      ++batch.rows_read;
      const std::string& fault = record.fault.empty() ? unknown_ : record.fault;
      if (fault.empty()) {
        records.push_back(&record);
      } else {
        batch.rejects.push_back(RejectOf(record, "", fault));
      }
    }
    CALVE_RETURN_IF_ERROR(Build(records, &batch));
    return std::optional(std::move(batch));
  }

 private:
  WebReader(std::shared_ptr<Start> start, std::shared_ptr<arrow::Schema> schema,
            const WebOptions& options, const PlanOptions& plan)
      : start_(std::move(start)),
        schema_(std::move(schema)),
        formats_(options.formats()),
        plan_(plan) {}

  Result<std::optional<WebPage>> NextPage(const Context& context) {
    if (start_->looked_at.empty()) return start_->walk->Next(context);
    std::optional<WebPage> page = std::move(start_->looked_at.front());
    start_->looked_at.pop_front();
    return page;
  }

  /// Where the page has the columns of the schema; and why none of its records can be a row.
  void FindColumns() {
    const auto& names = page_->records.columns;
    places_.clear();
    unknown_.clear();
    for (const auto& field : schema_->fields()) {
      const auto found = std::find(names.begin(), names.end(), field->name());
      places_.push_back(found == names.end() ? -1 : found - names.begin());
    }
    for (const std::string& name : names) {
      if (schema_->GetFieldIndex(name) < 0)
        unknown_ = "the page has a column " + Quote(name.substr(0, 60)) +
                   ", which the first pages did not have; run again with a larger sample";
    }
  }

  Reject RejectOf(const PageRecords::Record& record, std::string column, std::string reason) const {
    return {.origin = PlaceOf(page_->label, record.number),
            .column = std::move(column),
            .reason = std::move(reason),
            .raw = RawOf(page_->records, record)};
  }

  Status Build(const std::vector<const PageRecords::Record*>& records, TracedBatch* batch) {
    arrow::ArrayVector arrays;
    std::vector<bool> is_bad(records.size());
    for (size_t c = 0; c < columns_.size(); ++c) {
      CALVE_RETURN_IF_ERROR(Append(c, records, &is_bad, batch));
      CALVE_ASSIGN_OR_RETURN(arrays.emplace_back(), columns_[c]->Finish());
    }
    batch->rows =
        arrow::RecordBatch::Make(schema_, static_cast<int64_t>(records.size()), std::move(arrays));
    std::vector<int64_t> kept;
    std::vector<int64_t> numbers;
    for (size_t i = 0; i < records.size(); ++i) {
      if (is_bad[i]) continue;
      kept.push_back(static_cast<int64_t>(i));
      numbers.push_back(records[i]->number);
    }
    if (kept.size() < records.size()) {
      CALVE_ASSIGN_OR_RETURN(batch->rows, columnar::TakeRows(batch->rows, kept));
    }
    batch->origins = std::make_shared<RecordOrigins>(page_->label, std::move(numbers));
    return Status::Ok();
  }

  Status Append(size_t column, const std::vector<const PageRecords::Record*>& records,
                std::vector<bool>* is_bad, TracedBatch* batch) {
    std::vector<TextValue> values(records.size(), TextValue{.text = {}, .null = true});
    const ptrdiff_t place = places_[column];
    for (size_t i = 0; i < records.size() && place >= 0; ++i) {
      const auto& value = records[i]->values[static_cast<size_t>(place)];
      if (value.has_value()) values[i] = {.text = *value, .null = false};
    }
    std::vector<int64_t> misfits;
    CALVE_RETURN_IF_ERROR(columns_[column]->Append(values, &misfits));
    for (const int64_t misfit : misfits) {
      const auto row = static_cast<size_t>(misfit);
      // The first column that does not fit is the reason.
      if ((*is_bad)[row]) continue;
      (*is_bad)[row] = true;
      const auto& field = *schema_->field(static_cast<int>(column));
      batch->rejects.push_back(
          RejectOf(*records[row], field.name(),
                   "column " + field.name() + ": " +
                       columnar::MisfitReason(values[row].text, *field.type(), formats_)));
    }
    return Status::Ok();
  }

  const std::shared_ptr<Start> start_;
  const std::shared_ptr<arrow::Schema> schema_;
  const columnar::TextFormats formats_;
  const PlanOptions plan_;
  std::vector<std::unique_ptr<columnar::TextColumn>> columns_;
  std::vector<ptrdiff_t> places_;
  std::string unknown_;
  std::optional<WebPage> page_;
  size_t next_ = 0;
};

class WebSource : public Source {
 public:
  explicit WebSource(WebOptions options) : options_(std::move(options)) {}

  Status Check(const Context& context) override {
    WebClient client(options_);
    for (const std::string& start : options_.Starts()) {
      CALVE_ASSIGN_OR_RETURN(auto walk, WebWalk::Make(client, options_, start, nullptr));
      CALVE_RETURN_IF_ERROR(walk->Next(context));
    }
    return Status::Ok();
  }

  Result<std::vector<Stream>> Discover(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(ReadPlan plan, Plan(context, {}));
    return std::vector<Stream>{
        {.name = io::ShownUri(options_.Starts().front()), .schema = std::move(plan.schema)}};
  }

  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    plan_options_ = options;
    known_.reset();
    if (options_.incremental) {
      known_ = std::make_shared<WebPosition>();
      known_->records.cursor = options_.cursor_column;
      if (options.since.has_value()) {
        CALVE_ASSIGN_OR_RETURN(*known_, WebPosition::Parse(*options.since, options_.cursor_column));
      }
    }
    client_ = std::make_shared<WebClient>(options_);
    ColumnTyping typing({.formats = options_.formats(),
                         .types = options_.types,
                         .wanted = options.wanted,
                         .widen = options.widen_wanted});
    Sampled sampled;
    auto all = std::make_shared<std::vector<std::shared_ptr<Start>>>();
    ReadPlan plan;
    for (const std::string& address : options_.Starts()) {
      auto start = std::make_shared<Start>();
      CALVE_ASSIGN_OR_RETURN(start->walk, WebWalk::Make(*client_, options_, address, known_.get()));
      CALVE_ASSIGN_OR_RETURN(const bool is_whole, Look(context, &sampled, start.get(), &typing));
      all->push_back(start);
      sampled.whole = sampled.whole && is_whole;
      if (is_whole && start->looked_at.empty()) continue;
      plan.splits.push_back({.label = io::ShownUri(address), .bytes = {}, .payload = start});
    }
    plan.summary = Summary(sampled);
    plan.notes = client_->Notes();
    if (options_.incremental) {
      plan.position_when_read = [known = known_, all] { return PositionOf(*known, *all); };
    }
    if (sampled.whole && sampled.records == 0) {
      plan.splits.clear();
      if (options_.incremental) {
        CALVE_ASSIGN_OR_RETURN(plan.position, plan.position_when_read());
        plan.position_when_read = nullptr;
      }
      return plan;
    }
    plan.bytes = ByteCount(sampled.whole ? sampled.bytes : 0);
    CALVE_ASSIGN_OR_RETURN(plan.schema, typing.Schema(&plan.notes));
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context&, const ReadPlan& plan,
                                            const Split& split) override {
    CALVE_ASSIGN_OR_RETURN(
        auto reader, WebReader::Open(std::any_cast<const std::shared_ptr<Start>&>(split.payload),
                                     plan.schema, options_, plan_options_));
    return std::unique_ptr<SplitReader>(std::move(reader));
  }

 private:
  /// What the first pages have shown.
  struct Sampled {
    int64_t records = 0;
    int64_t bytes = 0;
    int64_t pages = 0;
    int64_t unchanged = 0;
    size_t walks = 0;
    bool whole = true;  ///< There is nothing behind them.
  };

  /// Read pages of an address until there is enough to guess types by; they are not asked for again.
  /// False when there may be more.
  Result<bool> Look(const Context& context, Sampled* sampled, Start* start, ColumnTyping* typing) {
    const bool is_enough = sampled->bytes >= options_.sample.value();
    if (is_enough || (sampled->records > 0 && sampled->walks == kSampledWalksMax)) return false;
    ++sampled->walks;
    bool is_whole = false;
    while (sampled->bytes < options_.sample.value()) {
      CALVE_ASSIGN_OR_RETURN(std::optional<WebPage> page, start->walk->Next(context));
      is_whole = !page.has_value();
      if (is_whole) break;
      sampled->bytes += page->bytes;
      sampled->records += static_cast<int64_t>(page->records.records.size());
      See(page->records, typing);
      start->looked_at.push_back(std::move(*page));
    }
    sampled->pages += start->walk->pages();
    sampled->unchanged += start->walk->unchanged();
    return is_whole;
  }

  static void See(const PageRecords& page, ColumnTyping* typing) {
    std::vector<size_t> columns;
    for (const std::string& name : page.columns) columns.push_back(typing->Column(name));
    for (const PageRecords::Record& record : page.records) {
      if (!record.fault.empty()) continue;
      for (size_t i = 0; i < columns.size(); ++i) {
        if (record.values[i].has_value()) typing->See(columns[i], *record.values[i], record.number);
      }
    }
  }

  std::string Summary(const Sampled& sampled) const {
    const std::vector<std::string> starts = options_.Starts();
    std::string summary = FormatCount(sampled.pages) + (sampled.pages == 1 ? " page" : " pages");
    if (sampled.unchanged > 0) summary += " (" + FormatCount(sampled.unchanged) + " as before)";
    if (sampled.whole && sampled.records == 0) {
      summary += sampled.unchanged > 0 || known_ != nullptr ? ", nothing new" : ", no records";
    } else {
      summary += std::string(sampled.whole ? ", " : ", more than ") + FormatCount(sampled.records) +
                 (sampled.records == 1 ? " record" : " records");
    }
    summary += "   " + io::ShownUri(starts.front());
    if (starts.size() > 1)
      summary += " and " + FormatCount(static_cast<int64_t>(starts.size()) - 1) + " more";
    return summary;
  }

  static Result<Position> PositionOf(const WebPosition& known,
                                     const std::vector<std::shared_ptr<Start>>& starts) {
    WebPosition reached;
    reached.records = known.records;
    for (const auto& start : starts) CALVE_RETURN_IF_ERROR(start->walk->AddTo(&reached));
    return reached.Print();
  }

  const WebOptions options_;
  PlanOptions plan_options_;
  std::shared_ptr<WebPosition> known_;  ///< Null: the job is not incremental.
  std::shared_ptr<WebClient> client_;
};

}  // namespace
}  // namespace calve::source::web_scraper

namespace calve::source {

CALVE_PART(web_scraper) {
  registry.Add(
      {.type = "web_scraper",
       .meaning = "Web pages: HTML tables, records by CSS selectors or XPath, CSV exports, page by "
                  "page, as robots.txt allows",
       .part = config::MakePart<web_scraper::WebOptions>("web_scraper"),
       .make = [](const config::Node& node, const Resources&) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(web_scraper::WebOptions options,
                                web_scraper::WebOptions::Declaration().Parse(node));
         return std::make_unique<web_scraper::WebSource>(std::move(options));
       },
       .details =
           "A value is the text that a person reads: blanks are made one, `<br>` and the ends of "
           "blocks are line breaks, scripts and styles are left out. Of a table, cells that span "
           "columns or rows have their value in each; left out are rows above the header, those of "
           "`<tfoot>`, and a row that is one cell over all columns, such as \"no results\". Names "
           "of "
           "columns over several rows of `<thead>` are put together. Rows with another number of "
           "cells than the header are held back, as are values that are not of their column's "
           "type.\n\nA field that finds nothing is NULL. An XPath may give a text, such as "
           "`normalize-space(td[2])` or `a/@href`. Selectors know the types, `#id`, `.class`, "
           "`[attribute]` with `= ~= |= ^= $= *=`, the combinators blank, `>`, `+`, `~`, lists, "
           "and "
           "`:first-child`, `:last-child`, `:only-child`, `:nth-child()`, `:first-of-type`, "
           "`:last-of-type`, `:nth-of-type()`, `:empty`, `:not()`, `:has()`, "
           "`:contains(\"text\")`.\n"
           "\nPages are read as the site sends them: scripts are not run."});
}

}  // namespace calve::source
