#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/text_column.h"
#include "source/registry.h"
#include "source/typing.h"

namespace calve::source {
namespace {

using config::Node;

struct InlineOptions {
  std::vector<Node> rows;
  std::map<std::string, std::string> types;

  static config::Shape<InlineOptions> Declaration() {
    config::Shape<InlineOptions> shape(
        "inline source",
        "Rows that stand in the job file itself: for tests, trials and small tables.");
    shape.Required("rows", &InlineOptions::rows, "The rows, each a mapping of column to value.",
                   {.example = "[{id: 1, name: ada}, {id: 2}]"});
    shape.Optional("types", &InlineOptions::types,
                   "Types of columns, in place of a guess: Iceberg's names.",
                   {.example = "{price: \"decimal(12, 2)\"}"});
    shape.Check("types", [](const InlineOptions& o) { return CheckTypes(o.types); });
    shape.CheckNode([](const InlineOptions& o, const Node&, config::Faults& faults) {
      for (const Node& row : o.rows) {
        if (!row.is_mapping()) {
          faults.Add(row.place(),
                     "a row is a mapping of column to value, such as {id: 1, name: ada}");
          continue;
        }
        for (const Node::Entry& entry : row.entries()) {
          if (!entry.value.is_scalar())
            faults.Add(entry.value.place(),
                       "an inline value is a single text, number, date or null");
        }
      }
    });
    return shape;
  }
};

class InlineOrigins : public columnar::Origins {
 public:
  explicit InlineOrigins(std::vector<std::string> places) : places_(std::move(places)) {}
  std::string Describe(int64_t row) const override { return places_[static_cast<size_t>(row)]; }

 private:
  const std::vector<std::string> places_;
};

/// The value of a column in a row; null when it is not there or says so.
columnar::TextValue ValueOf(const Node& row, const std::string& column) {
  const Node* value = row.Find(column);
  if (value == nullptr || value->is_null()) return {.text = {}, .null = true};
  return {.text = value->text(), .null = false};
}

std::string RawRow(const Node& row) {
  std::string raw = "{";
  for (const Node::Entry& entry : row.entries()) {
    raw += (raw.size() == 1 ? "" : ", ") + Quote(entry.key) + ": " +
           (entry.value.is_null() ? "null" : Quote(entry.value.text()));
  }
  return raw + "}";
}

class InlineReader : public SplitReader {
 public:
  InlineReader(const InlineOptions& options, std::shared_ptr<arrow::Schema> schema,
               int64_t batch_rows_max)
      : options_(options),
        schema_(std::move(schema)),
        batch_rows_max_(static_cast<size_t>(batch_rows_max)) {}

  Result<std::optional<columnar::TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    if (next_ == options_.rows.size()) return std::optional<columnar::TracedBatch>();
    const size_t end = std::min(options_.rows.size(), next_ + batch_rows_max_);
    columnar::TracedBatch batch;
    batch.rows_read = static_cast<int64_t>(end - next_);
    std::map<int64_t, columnar::Reject> rejects;
    arrow::ArrayVector arrays;
    for (const auto& field : schema_->fields()) {
      std::vector<columnar::TextValue> values;
      for (size_t i = next_; i < end; ++i)
        values.push_back(ValueOf(options_.rows[i], field->name()));
      CALVE_ASSIGN_OR_RETURN(const auto column, columnar::MakeTextColumn(field->type(), {}));
      std::vector<int64_t> misfits;
      CALVE_RETURN_IF_ERROR(column->Append(values, &misfits));
      CALVE_ASSIGN_OR_RETURN(auto array, column->Finish());
      arrays.push_back(std::move(array));
      for (const int64_t misfit : misfits) {
        const Node& row = options_.rows[next_ + static_cast<size_t>(misfit)];
        rejects.try_emplace(
            misfit, columnar::Reject{
                        .origin = config::ToString(row.place()),
                        .column = field->name(),
                        .reason = "column " + field->name() + ": " +
                                  columnar::MisfitReason(values[static_cast<size_t>(misfit)].text,
                                                         *field->type(), {}),
                        .raw = RawRow(row)});
      }
    }
    std::vector<int64_t> kept;
    std::vector<std::string> places;
    for (size_t i = next_; i < end; ++i) {
      if (rejects.contains(static_cast<int64_t>(i - next_))) continue;
      kept.push_back(static_cast<int64_t>(i - next_));
      places.push_back(config::ToString(options_.rows[i].place()));
    }
    const auto rows = arrow::RecordBatch::Make(schema_, batch.rows_read, std::move(arrays));
    CALVE_ASSIGN_OR_RETURN(batch.rows, columnar::TakeRows(rows, kept));
    batch.origins = std::make_shared<InlineOrigins>(std::move(places));
    for (auto& [row, reject] : rejects) batch.rejects.push_back(std::move(reject));
    next_ = end;
    return std::optional<columnar::TracedBatch>(std::move(batch));
  }

 private:
  const InlineOptions& options_;
  const std::shared_ptr<arrow::Schema> schema_;
  const size_t batch_rows_max_;
  size_t next_ = 0;
};

class InlineSource : public Source {
 public:
  explicit InlineSource(InlineOptions options) : options_(std::move(options)) {}

  Status Check(const Context&) override { return Status::Ok(); }

  Result<std::vector<Stream>> Discover(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(ReadPlan plan, Plan(context, {}));
    return std::vector<Stream>{{.name = "rows", .schema = plan.schema}};
  }

  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    batch_rows_max_ = options.batch_rows_max;
    ColumnTyping typing({.formats = {},
                         .types = options_.types,
                         .wanted = options.wanted,
                         .widen = options.widen_wanted});
    for (const Node& row : options_.rows) {
      for (const Node::Entry& entry : row.entries()) {
        const size_t column = typing.Column(entry.key);
        if (!entry.value.is_null())
          typing.See(column, entry.value.text(), entry.value.place().line);
      }
    }
    ReadPlan plan;
    plan.summary = FormatCount(static_cast<int64_t>(options_.rows.size())) +
                   (options_.rows.size() == 1 ? " row" : " rows") + " in the job file";
    if (options_.rows.empty()) return plan;
    CALVE_ASSIGN_OR_RETURN(plan.schema, typing.Schema(&plan.notes));
    plan.splits.push_back({.label = "rows", .bytes = {}, .payload = {}});
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context&, const ReadPlan& plan,
                                            const Split&) override {
    return std::make_unique<InlineReader>(options_, plan.schema, batch_rows_max_);
  }

 private:
  const InlineOptions options_;
  int64_t batch_rows_max_ = 0;
};

}  // namespace

CALVE_PART(inline) {
  registry.Add({.type = "inline",
                .meaning = "Rows in the job file itself",
                .part = config::MakePart<InlineOptions>("inline"),
                .make = [](const Node& node, const Resources&) -> Result<std::unique_ptr<Source>> {
                  CALVE_ASSIGN_OR_RETURN(InlineOptions options,
                                         InlineOptions::Declaration().Parse(node));
                  return std::make_unique<InlineSource>(std::move(options));
                }});
}

}  // namespace calve::source
