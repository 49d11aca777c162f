#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "source/excel/sheet_rows.h"
#include "source/excel/workbook.h"
#include "source/file_set.h"
#include "source/json_columns.h"
#include "source/json_shape.h"
#include "source/record_reader.h"
#include "source/registry.h"
#include "source/table_options.h"
#include "source/typing.h"

namespace calve::source {
namespace {

using excel::CellRange;
using excel::SheetRows;
using excel::Workbook;

/// Files beyond this many are not looked at before they are read.
constexpr size_t kSampledFilesMax = 32;

struct ExcelOptions : FileOptions {
  std::string sheet;
  std::string range;
  std::optional<int> header_row;
  std::vector<std::string> null_values;
  std::map<std::string, std::string> types;
  ByteCount sample{1'000'000};

  static config::Shape<ExcelOptions> Declaration();
};

config::Shape<ExcelOptions> ExcelOptions::Declaration() {
  config::Shape<ExcelOptions> shape(
      "excel source",
      "Read the sheets of Excel workbooks (.xlsx) of any size, with exact types guessed from a "
      "sample: numbers, booleans, texts, and dates by the format of their cells.");
  shape.Include(FileOptions::PlaceDeclaration());
  shape.Optional("sheet", &ExcelOptions::sheet,
                 "The sheet, or a pattern with * and ? of several that are read as one.",
                 {.example = "\"Orders 2026*\"", .default_text = "the first that is not hidden"});
  shape.Optional("range", &ExcelOptions::range, "Only these cells of it, header included.",
                 {.example = "B3:F200"});
  shape.Optional("header_row", &ExcelOptions::header_row,
                 "The row with the names of the columns; 0: there is none, and columns have their "
                 "letters as names.",
                 {.min = 0,
                  .max = excel::kRowsMax,
                  .default_text = "the first row of the range that has values"});
  shape.Optional("null_values", &ExcelOptions::null_values,
                 "Texts and errors that mean NULL, as empty cells do.",
                 {.example = "[\"#N/A\", \"-\"]"});
  shape.Optional("types", &ExcelOptions::types,
                 "Types of columns, in place of a guess: Iceberg's names.",
                 {.example = "{price: \"decimal(12, 2)\"}"});
  shape.Optional("sample", &ExcelOptions::sample,
                 "How much of each sheet is read to guess types, unpacked.",
                 {.min = ByteCount(1'000), .max = ByteCount(1'000'000'000)});
  shape.Check("range", [](const ExcelOptions& o) {
    return o.range.empty() ? Status::Ok() : StatusOf(CellRange::Parse(o.range));
  });
  shape.Check("types", [](const ExcelOptions& o) { return CheckTypes(o.types); });
  return shape;
}

/// One sheet of one file.
struct SheetPart {
  io::FileInfo file;
  Workbook::Sheet sheet;
};

class ExcelSource : public Source {
 public:
  ExcelSource(ExcelOptions options, Resources resources)
      : options_(std::move(options)), resources_(std::move(resources)) {
    rows_.header_row = options_.header_row;
    rows_.null_values = options_.null_values;
    // The declaration has seen that it is one.
    const auto range = options_.range.empty() ? CellRange{} : CellRange::Parse(options_.range);
    if (range.ok()) rows_.range = *range;
  }

  Status Check(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(const FileSet set,
                           FindFileSet(context, resources_, options_, std::nullopt));
    if (set.files.empty()) return Status::Ok();
    return StatusOf(PartsOf(context, set.files.front()));
  }

  Result<std::vector<Stream>> Discover(const Context& context) override {
    return DiscoverFiles(context, *this, options_);
  }

  Result<ReadPlan> Plan(const Context& context, const PlanOptions& options) override {
    plan_options_ = options;
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(FileSet set, FindFileSet(context, resources_, options_, options.since));
    ReadPlan plan = PlanOf(set);
    JsonShape shape;
    for (size_t i = 0; i < set.files.size(); ++i) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const std::vector<SheetPart> parts, PartsOf(context, set.files[i]));
      for (const SheetPart& part : parts) {
        if (i < kSampledFilesMax) CALVE_RETURN_IF_ERROR(Sample(context, part, &shape));
        plan.splits.push_back(
            {.label = ShortName(part.file.uri) + " " + part.sheet.name,
             .bytes = ByteCount(part.file.size.value() / static_cast<int64_t>(parts.size())),
             .payload = part});
      }
    }
    if (!set.files.empty() && !shape.has_columns()) {
      plan.splits.clear();
      CALVE_RETURN_IF_ERROR(PassOverEmpty(
          set, options_,
          {.lacking = "row below a header", .expected = "a sheet with a header, and rows below it"},
          &plan));
      return plan;
    }
    if (plan.splits.empty()) return plan;
    CALVE_ASSIGN_OR_RETURN(plan.schema, shape.Schema({.types = options_.types,
                                                      .wanted = options.wanted,
                                                      .widen = options.widen_wanted},
                                                     &plan.notes));
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context& context, const ReadPlan& plan,
                                            const Split& split) override {
    const auto& part = std::any_cast<const SheetPart&>(split.payload);
    CALVE_ASSIGN_OR_RETURN(auto rows, OpenSheet(context, part));
    CALVE_ASSIGN_OR_RETURN(auto columns, JsonColumns::Make(plan.schema));
    return ReadRecords(std::move(rows), std::move(columns),
                       ShortName(part.file.uri) + " sheet " + Quote(part.sheet.name) + " row ",
                       plan_options_);
  }

 private:
  Result<std::shared_ptr<Workbook>> OpenBook(const Context& context,
                                             const io::FileInfo& info) const {
    CALVE_ASSIGN_OR_RETURN(std::shared_ptr<io::InputFile> file,
                           resources_.files->OpenInput(context, info.uri, {.size = info.size}));
    return Workbook::Open(std::move(file), ShortName(info.uri));
  }

  Result<std::unique_ptr<SheetRows>> OpenSheet(const Context& context,
                                               const SheetPart& part) const {
    CALVE_ASSIGN_OR_RETURN(auto book, OpenBook(context, part.file));
    CALVE_RETURN_IF_ERROR(book->LoadTexts());
    return SheetRows::Open(std::move(book), part.sheet, rows_);
  }

  /// The sheets of a file that are read.
  Result<std::vector<SheetPart>> PartsOf(const Context& context, const io::FileInfo& info) const {
    CALVE_ASSIGN_OR_RETURN(const auto book, OpenBook(context, info));
    std::vector<SheetPart> parts;
    std::vector<std::string> names;
    for (const Workbook::Sheet& sheet : book->sheets()) {
      names.push_back(sheet.name);
      const bool is_asked = options_.sheet.empty() ? parts.empty() && !sheet.is_hidden
                                                   : MatchesName(sheet.name, options_.sheet);
      if (is_asked) parts.push_back({.file = info, .sheet = sheet});
    }
    if (!parts.empty()) return parts;
    if (options_.sheet.empty())
      return DataError(book->name() + " has only hidden sheets; name one in sheet");
    return DataError(book->name() + " has no sheet '" + options_.sheet + "'" +
                     DidYouMean(options_.sheet, names) + "; its sheets are " + Join(names, ", "));
  }

  Status Sample(const Context& context, const SheetPart& part, JsonShape* shape) const {
    CALVE_ASSIGN_OR_RETURN(const auto rows, OpenSheet(context, part));
    while (rows->bytes_read() < options_.sample.value()) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const bool more, rows->Next());
      if (!more) break;
      std::string odd;
      const std::string_view row = rows->Print(&odd);
      if (odd.empty()) shape->See(row, rows->number());
    }
    return Status::Ok();
  }

  const ExcelOptions options_;
  const Resources resources_;
  SheetRows::Options rows_;
  PlanOptions plan_options_;
};

}  // namespace

CALVE_PART(excel) {
  registry.Add(
      {.type = "excel",
       .meaning = "Excel workbooks (.xlsx): sheets, ranges, dates, local or on an object store",
       .part = config::MakePart<ExcelOptions>("excel"),
       .make = [](const config::Node& node,
                  const Resources& resources) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(ExcelOptions options, ExcelOptions::Declaration().Parse(node));
         return std::make_unique<ExcelSource>(std::move(options), resources);
       },
       .details =
           "A cell is what it holds: a number whose format shows a date or a time becomes a date, "
           "a "
           "timestamp or a time of day, by the workbook's own epoch (1900 or 1904); formulas are "
           "the "
           "values that were saved with them. Numbers become long or decimal; double where some "
           "have more than 15 digits, which are left over from computing. Rows without values are "
           "passed over; of merged cells the first has the value. Cells with errors hold their "
           "rows "
           "back, unless null_values names the error.\n\nWorkbooks of Excel 97 (.xls) and those "
           "with a password are refused."});
}

}  // namespace calve::source
