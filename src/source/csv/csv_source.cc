#include <algorithm>
#include <utility>

#include "base/text.h"
#include "source/csv/csv_reader.h"
#include "source/csv/csv_text.h"
#include "source/registry.h"
#include "source/reread.h"
#include "source/typing.h"

namespace calve::source {
namespace {

using columnar::TextValue;

/// Files beyond this many with rows are looked at only for their header.
constexpr size_t kSampledFilesMax = 32;
constexpr size_t kSampledRowsMax = 1 << 20;

class CsvSource : public Source {
 public:
  CsvSource(CsvOptions options, Resources resources)
      : options_(std::move(options)), resources_(std::move(resources)) {}

  Status Check(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(const FileSet set,
                           FindFileSet(context, resources_, options_, std::nullopt));
    if (set.files.empty()) return Status::Ok();
    CsvText text(options_, resources_, set.files.front(), SampleBytes());
    return text.Open(context);
  }

  Result<std::vector<Stream>> Discover(const Context& context) override {
    return DiscoverFiles(context, *this, options_);
  }

  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override {
    plan_options_ = options;
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(FileSet set, FindFileSet(context, resources_, options_, options.since));
    ColumnTyping typing({.formats = options_.formats(),
                         .types = options_.types,
                         .wanted = options.wanted,
                         .widen = options.widen_wanted});
    size_t sampled = 0;
    for (const io::FileInfo& file : set.files) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const bool has_rows,
                             Sample(context, file, sampled < kSampledFilesMax, &typing));
      sampled += has_rows ? 1 : 0;
    }
    ReadPlan plan = PlanOf(set);
    if (!set.files.empty() && typing.empty()) {
      CALVE_RETURN_IF_ERROR(PassOverEmpty(
          set, options_, {.lacking = "header", .expected = "a header, and rows below it"}, &plan));
      return plan;
    }
    plan.splits = SharedFiles(set, options, [&](const io::FileInfo& file) {
      return std::make_shared<CsvText>(options_, resources_, file, TextBlockBytes(options));
    });
    if (plan.splits.empty()) return plan;
    CALVE_ASSIGN_OR_RETURN(plan.schema, typing.Schema(&plan.notes));
    if (sampled == 0) plan.notes = {NameFiles(set, "has", "have") + " a header and no rows"};
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context& context, const ReadPlan& plan,
                                            const Split& split) override {
    CALVE_ASSIGN_OR_RETURN(
        auto reader,
        CsvReader::Open(context, options_, std::any_cast<std::shared_ptr<CsvText>>(split.payload),
                        plan.schema, plan_options_));
    return reader;
  }

 private:
  size_t SampleBytes() const { return static_cast<size_t>(options_.sample.value()); }

  /// Learn from a file's header and first rows; false when it has no rows.
  Result<bool> Sample(const Context& context, const io::FileInfo& info, bool values,
                      ColumnTyping* typing) {
    CsvText text(options_, resources_, info, SampleBytes());
    CALVE_RETURN_IF_ERROR(text.Open(context));
    std::vector<size_t> places;
    for (const std::string& name : text.columns()) places.push_back(typing->Column(name));
    if (!values) return true;
    // The file may end inside a quote: that is for the reader to judge.
    TextBlock block;
    CsvParser parser(options_.dialect());
    const Result<bool> more = text.Next(context, &block);
    if (!more.ok() || !*more) return !more.ok();
    parser.StartAt(block.first_line());
    if (!parser.Parse(block.text(), kSampledRowsMax).ok()) return true;
    for (const CsvRow& row : parser.rows()) {
      if (row.field_count != places.size() || row.fault != CsvRowFault::kNone) continue;
      for (size_t i = 0; i < places.size(); ++i) {
        const TextValue& value = parser.values(row)[i];
        if (!value.null) typing->See(places[i], value.text, row.line);
      }
    }
    return !parser.rows().empty();
  }

  const CsvOptions options_;
  const Resources resources_;
  PlanOptions plan_options_;
};

}  // namespace

CALVE_PART(csv) {
  registry.Add(
      {.type = "csv",
       .meaning = "Delimited text files, local or on an object store",
       .part = config::MakePart<CsvOptions>("csv"),
       .make = [](const config::Node& node,
                  const Resources& resources) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(CsvOptions options, CsvOptions::Declaration().Parse(node));
         return std::make_unique<CsvSource>(std::move(options), resources);
       },
       .reread = [](const config::Node& node, HeldText held) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(CsvOptions options, CsvOptions::Declaration().Parse(node));
         CALVE_ASSIGN_OR_RETURN(options.columns, ParseHeldColumns(held.columns));
         // Of other files' columns.
         std::erase_if(options.types, [&](const auto& type) {
           return std::find(options.columns.begin(), options.columns.end(), type.first) ==
                  options.columns.end();
         });
         options.header = false;
         options.encoding = "utf-8";
         HeldFile::Point(&options);
         HeldFile file;
         for (const HeldText::Row& row : held.rows) file.Add(row);
         return std::move(file).Open([&](const Resources& resources) {
           return std::make_unique<CsvSource>(std::move(options), resources);
         });
       }});
}

}  // namespace calve::source
