#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/text.h"
#include "source/encoding.h"
#include "source/file_set.h"
#include "source/json_columns.h"
#include "source/json_shape.h"
#include "source/record_reader.h"
#include "source/registry.h"
#include "source/typing.h"
#include "source/xml/xml_records.h"
#include "source/xml/xml_shape.h"

namespace calve::source {
namespace {

using xml::XmlRecordPath;
using xml::XmlRecords;
using xml::XmlShape;

constexpr size_t kHeadBytes = 256;
/// Files beyond this many with records are not looked at before they are read.
constexpr size_t kSampledFilesMax = 32;

struct XmlOptions : FileOptions {
  std::string record_path;
  std::map<std::string, std::string> namespaces;
  std::vector<std::string> lists;
  std::string encoding;
  std::map<std::string, std::string> types;
  ByteCount sample{1'000'000};

  static config::Shape<XmlOptions> Declaration();
  Result<XmlRecordPath> Path() const;
};

Result<XmlRecordPath> XmlOptions::Path() const {
  std::string_view rest = record_path;
  XmlRecordPath path{.steps = {}, .is_anywhere = rest.find('/') == std::string_view::npos};
  if (rest.starts_with("//")) {
    path.is_anywhere = true;
    rest.remove_prefix(1);
  }
  if (rest.starts_with('/')) rest.remove_prefix(1);
  for (const std::string& step : calve::Split(rest, '/')) {
    const size_t colon = step.find(':');
    if (step.empty() || step.find_first_of("[]@*()") != std::string::npos ||
        (path.is_anywhere && !path.steps.empty())) {
      return ConfigError("'" + record_path +
                         "' is no path to records; expected the names of elements from the root, "
                         "such as catalog/book, or one name for elements anywhere");
    }
    XmlRecordPath::Step& added =
        path.steps.emplace_back(XmlRecordPath::Step{.name = step, .uri = std::nullopt});
    if (colon == std::string::npos) continue;
    const auto declared = namespaces.find(step.substr(0, colon));
    if (declared == namespaces.end()) {
      return ConfigError("the prefix '" + step.substr(0, colon) +
                         "' is none of namespaces; declare it there, or leave it out to take "
                         "elements of any namespace");
    }
    added.name = step.substr(colon + 1);
    added.uri = declared->second;
  }
  return path;
}

config::Shape<XmlOptions> XmlOptions::Declaration() {
  config::Shape<XmlOptions> shape(
      "xml source",
      "Read records out of XML files of any size: attributes and elements become columns, elements "
      "within them structs, what stands several times lists, with exact types guessed from a "
      "sample.");
  shape.Include(FileOptions::Declaration());
  shape.Required("record_path", &XmlOptions::record_path,
                 "Which elements are records: names from the root with slashes between them, or "
                 "one name for elements at any depth. Names count without their prefix, unless "
                 "`namespaces` declares it.",
                 {.example = "catalog/book"});
  shape.Optional("namespaces", &XmlOptions::namespaces, "Prefixes that record_path uses.",
                 {.example = "{b: \"http://example.com/books\"}"});
  shape.Optional("lists", &XmlOptions::lists,
                 "Elements that are lists though they stand only once in the sample: names below "
                 "the record with dots between them.",
                 {.example = "[authors.author]"});
  shape.Optional("encoding", &XmlOptions::encoding,
                 "How the files are encoded, in place of what they declare.",
                 {.default_text = "as the file declares, else utf-8"});
  shape.Optional("types", &XmlOptions::types,
                 "Types of top-level columns, in place of a guess: Iceberg's names.",
                 {.example = "{price: \"decimal(12, 2)\"}"});
  shape.Optional("sample", &XmlOptions::sample, "How much of each file is read to guess types.",
                 {.min = ByteCount(1'000), .max = ByteCount(1'000'000'000)});
  shape.Check("encoding", [](const XmlOptions& o) {
    return o.encoding.empty() ? Status::Ok() : CheckEncoding(o.encoding);
  });
  shape.Check("record_path", [](const XmlOptions& o) { return StatusOf(o.Path()); });
  shape.Check("types", [](const XmlOptions& o) { return CheckTypes(o.types); });
  return shape;
}

/// The encoding that a document declares in its first line; "utf-8" when it declares none.
std::string DeclaredEncoding(std::string_view head) {
  constexpr std::string_view kKey = "encoding=";
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  const size_t end = head.find("?>");
  const size_t key = head.substr(0, end).find(kKey);
  if (!head.starts_with("<?xml") || end == std::string_view::npos || key == std::string_view::npos)
    return "utf-8";
  const size_t open = key + kKey.size();
  const size_t close = open < end ? head.find(head[open], open + 1) : std::string_view::npos;
  return close < end ? std::string(head.substr(open + 1, close - open - 1)) : "utf-8";
}

Result<std::unique_ptr<XmlRecords>> OpenXml(const Context& context, const Resources& resources,
                                            const XmlOptions& options, const XmlRecordPath& path,
                                            const io::FileInfo& info) {
  const std::string name = ShortName(info.uri);
  std::string encoding = options.encoding;
  if (encoding.empty()) {
    CALVE_ASSIGN_OR_RETURN(auto peeked, OpenFile(context, resources, options, info));
    std::array<char, kHeadBytes> head{};
    CALVE_ASSIGN_OR_RETURN(const size_t size, peeked->Read(head));
    encoding = DeclaredEncoding({head.data(), size});
    const Status known = CheckEncoding(encoding);
    if (!known.ok()) {
      return DataError(name + " line 1: the file declares the encoding " +
                       Quote(encoding.substr(0, 40)) +
                       ", which is not known; set encoding to the one that it has");
    }
  }
  CALVE_ASSIGN_OR_RETURN(auto bytes, OpenFile(context, resources, options, info));
  CALVE_ASSIGN_OR_RETURN(auto text, AsUtf8(std::move(bytes), encoding));
  return std::make_unique<XmlRecords>(name, std::move(text), path);
}

/// The records of a document, printed by what the sample has shown.
class XmlStream : public RecordStream {
 public:
  XmlStream(std::unique_ptr<XmlRecords> records, const XmlShape& shape)
      : records_(std::move(records)), shape_(shape) {}
  Result<bool> Next() override { return records_->Next(); }
  std::string_view Print(std::string* misfit) override { return records_->Print(shape_, misfit); }
  int64_t number() const override { return records_->line(); }
  int64_t bytes_read() const override { return records_->bytes_read(); }

 private:
  const std::unique_ptr<XmlRecords> records_;
  const XmlShape& shape_;
};

class XmlSource : public Source {
 public:
  XmlSource(XmlOptions options, XmlRecordPath path, Resources resources)
      : options_(std::move(options)), path_(std::move(path)), resources_(std::move(resources)) {}

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
    shape_ = std::make_unique<XmlShape>();
    for (const std::string& list : options_.lists) shape_->AddList(list);
    // Once to learn what is a list or a struct, and again to guess types by it.
    std::vector<io::FileInfo> sampled;
    for (const io::FileInfo& info : set.files) {
      if (sampled.size() == kSampledFilesMax) break;
      CALVE_ASSIGN_OR_RETURN(
          const bool has_records,
          Sample(context, info, [&](XmlRecords& records) { return records.Teach(shape_.get()); }));
      if (has_records) sampled.push_back(info);
    }
    JsonShape shape;
    for (const io::FileInfo& info : sampled) {
      CALVE_RETURN_IF_ERROR(Sample(context, info, [&](XmlRecords& records) {
        std::string odd;
        shape.See(records.Print(*shape_, &odd), records.line());
        return Status::Ok();
      }));
    }
    ReadPlan plan = PlanOf(set);
    if (!set.files.empty() && !shape.has_columns()) {
      const std::string lacking = "element '" + options_.record_path + "' that has a value";
      CALVE_RETURN_IF_ERROR(PassOverEmpty(
          set, options_, {.lacking = lacking, .expected = "XML with records at record_path"},
          &plan));
      return plan;
    }
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
    const auto& info = std::any_cast<const io::FileInfo&>(split.payload);
    CALVE_ASSIGN_OR_RETURN(auto records, OpenXml(context, resources_, options_, path_, info));
    CALVE_ASSIGN_OR_RETURN(auto columns, JsonColumns::Make(plan.schema));
    return ReadRecords(std::make_unique<XmlStream>(std::move(records), *shape_), std::move(columns),
                       ShortName(info.uri) + " line ", plan_options_);
  }

 private:
  /// Look at a file's first records; false when it has none.
  template <typename Look>
  Result<bool> Sample(const Context& context, const io::FileInfo& info, Look look) {
    CALVE_ASSIGN_OR_RETURN(auto records, OpenXml(context, resources_, options_, path_, info));
    bool has_records = false;
    while (records->bytes_read() < options_.sample.value()) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_ASSIGN_OR_RETURN(const bool more, records->Next());
      if (!more) break;
      has_records = true;
      CALVE_RETURN_IF_ERROR(look(*records));
    }
    return has_records;
  }

  const XmlOptions options_;
  const XmlRecordPath path_;
  const Resources resources_;
  PlanOptions plan_options_;
  std::unique_ptr<XmlShape> shape_;
};

}  // namespace

CALVE_PART(xml) {
  registry.Add(
      {.type = "xml",
       .meaning =
           "XML files: records by their path, attributes, elements within elements, local or "
           "on an object store",
       .part = config::MakePart<XmlOptions>("xml"),
       .make = [](const config::Node& node,
                  const Resources& resources) -> Result<std::unique_ptr<Source>> {
         CALVE_ASSIGN_OR_RETURN(XmlOptions options, XmlOptions::Declaration().Parse(node));
         CALVE_ASSIGN_OR_RETURN(XmlRecordPath path, options.Path());
         return std::make_unique<XmlSource>(std::move(options), std::move(path), resources);
       },
       .details =
           "An attribute `id` becomes the column `_id`. An element that has only text becomes a "
           "column of its name; one with attributes or elements becomes a struct, whose text, "
           "where "
           "it has any, is `_value`; one that stands several times becomes a list. Empty elements "
           "and those with `xsi:nil` are NULL. Prefixes of names are left out. Numbers become "
           "long, "
           "decimal or double, texts that are all ISO 8601 date or timestamp, `true` and `false` "
           "boolean.\n\nNothing of a document type is expanded: a file that declares entities is "
           "refused."});
}

}  // namespace calve::source
