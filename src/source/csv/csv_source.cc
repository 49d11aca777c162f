#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/text_column.h"
#include "source/csv/parser.h"
#include "source/file_set.h"
#include "source/registry.h"
#include "source/typing.h"

namespace calve::source {
namespace {

using columnar::TextColumn;
using columnar::TextValue;
using columnar::TracedBatch;

constexpr int64_t kChunkBytesMin = 4 << 10;
constexpr int64_t kChunkBytesMax = 1 << 20;
constexpr size_t kRowBytesMax = 64 << 20;
/// Files beyond this many are looked at only for their header.
constexpr size_t kSampledFilesMax = 32;

struct CsvOptions : FileOptions {
  char delimiter = ',';
  std::string quote = "\"";
  bool header = true;
  std::vector<std::string> columns;
  std::vector<std::string> null_values = {""};
  bool trim = false;
  std::string encoding = "utf-8";
  std::string decimal = ".";
  std::string thousands;
  std::vector<std::string> date_formats;
  std::vector<std::string> timestamp_formats;
  std::map<std::string, std::string> types;
  ByteCount sample{1'000'000};

  static config::Shape<CsvOptions> Declaration();
  columnar::TextFormats formats() const {
    return {.decimal = decimal.empty() ? '.' : decimal[0],
            .thousands = thousands.empty() ? '\0' : thousands[0],
            .date_formats = date_formats,
            .timestamp_formats = timestamp_formats};
  }
  CsvDialect dialect() const {
    return {.delimiter = delimiter, .quote = quote.empty() ? '\0' : quote[0]};
  }
};

config::Shape<CsvOptions> CsvOptions::Declaration() {
  config::Shape<CsvOptions> shape(
      "csv source", "Read delimited text files, with exact types guessed from a sample.");
  shape.Include(FileOptions::Declaration());
  shape.Optional("delimiter", &CsvOptions::delimiter, "What stands between two values.");
  shape.Optional(
      "quote", &CsvOptions::quote,
      "What stands around a value that holds delimiters or line breaks; empty: nothing does.");
  shape.Optional("header", &CsvOptions::header,
                 "Whether the first row of each file names the columns.");
  shape.Optional("columns", &CsvOptions::columns,
                 "The names of the columns, when no header does, such as [id, name, price].");
  shape.Optional("null_values", &CsvOptions::null_values,
                 "Texts that mean NULL, unless they stand in quotes.",
                 {.example = "[\"\", NULL, n/a]"});
  shape.Optional("trim", &CsvOptions::trim,
                 "Take blanks off both ends of values that are not quoted.");
  shape.Optional("encoding", &CsvOptions::encoding, "utf-8 or latin-1.");
  shape.Optional("decimal", &CsvOptions::decimal, "What stands before the fraction of a number.");
  shape.Optional("thousands", &CsvOptions::thousands,
                 "What stands between groups of three digits; empty: nothing does.");
  shape.Optional("date_formats", &CsvOptions::date_formats,
                 "How dates are written, as strptime says it.",
                 {.example = "[\"%d.%m.%Y\"]", .default_text = "2026-11-21"});
  shape.Optional("timestamp_formats", &CsvOptions::timestamp_formats,
                 "How timestamps are written, as strptime says it.",
                 {.example = "[\"%d.%m.%Y %H:%M\"]",
                  .default_text = "2026-11-21T08:15:00, with or without zone"});
  shape.Optional("types", &CsvOptions::types,
                 "Types of columns, in place of a guess: Iceberg's names.",
                 {.example = "{price: \"decimal(12, 2)\"}"});
  shape.Optional("sample", &CsvOptions::sample, "How much of each file is read to guess types.",
                 {.min = ByteCount(1'000), .max = ByteCount(1'000'000'000)});
  const auto one_character = [](const std::string& text, const char* key) -> Status {
    if (text.size() <= 1) return Status::Ok();
    return ConfigError(std::string(key) + " is one character, not '" + text + "'");
  };
  shape.Check("quote", [=](const CsvOptions& o) { return one_character(o.quote, "quote"); });
  shape.Check("decimal", [=](const CsvOptions& o) { return one_character(o.decimal, "decimal"); });
  shape.Check("thousands",
              [=](const CsvOptions& o) { return one_character(o.thousands, "thousands"); });
  shape.Check("encoding", [](const CsvOptions& o) -> Status {
    if (o.encoding == "utf-8" || o.encoding == "latin-1") return Status::Ok();
    return ConfigError("'" + o.encoding +
                       "' is no encoding of a csv source; one of utf-8, latin-1");
  });
  shape.Check("columns", [](const CsvOptions& o) -> Status {
    if (!o.header || o.columns.empty()) return Status::Ok();
    return ConfigError(
        "columns names the columns of files without header; set header: false, or rename with a "
        "column_mapping transformer");
  });
  shape.Check("types", [](const CsvOptions& o) { return CheckTypes(o.types); });
  shape.Check("date_formats", [](const CsvOptions& o) {
    return columnar::CheckFormats({.date_formats = o.date_formats});
  });
  shape.Check("timestamp_formats", [](const CsvOptions& o) {
    return columnar::CheckFormats({.timestamp_formats = o.timestamp_formats});
  });
  shape.Check("delimiter", [](const CsvOptions& o) -> Status {
    const bool line_break = o.delimiter == '\n' || o.delimiter == '\r';
    if (!line_break && std::string(1, o.delimiter) != o.quote && o.delimiter != '\0')
      return Status::Ok();
    return ConfigError(
        "expected a character that is no line break and not the quote, such as , or ;");
  });
  shape.Check("thousands", [](const CsvOptions& o) -> Status {
    if (o.thousands.empty() || o.thousands != o.decimal) return Status::Ok();
    return ConfigError("thousands and decimal are both '" + o.decimal +
                       "'; a number needs two characters to tell them apart");
  });
  return shape;
}

/// The bytes of one file, decompressed, as UTF-8, a stretch at a time.
class Text {
 public:
  /// `chunk_bytes`: how much is read at once, at least.
  Text(std::unique_ptr<io::InputStream> stream, bool latin1, size_t chunk_bytes)
      : stream_(std::move(stream)), latin1_(latin1), chunk_bytes_(chunk_bytes) {}

  std::string_view data() const { return std::string_view(buffer_).substr(start_); }
  bool at_end() const { return at_end_; }
  void Consume(size_t bytes) { start_ += bytes; }

  /// Read another stretch behind what is there.
  Status More() {
    buffer_.erase(0, start_);
    start_ = 0;
    const size_t had = buffer_.size();
    if (had > kRowBytesMax) {
      return DataError("a row is longer than " + FormatBytes(ByteCount(kRowBytesMax)) +
                       "; most likely a quote opens and does not close, or the file is no CSV");
    }
    // Twice as much as before where a row is long, so that it is not looked through again and again.
    const size_t chunk = std::max(chunk_bytes_, had);
    buffer_.resize(had + chunk);
    CALVE_ASSIGN_OR_RETURN(const size_t got,
                           stream_->Read(std::span<char>(buffer_.data() + had, chunk)));
    buffer_.resize(had + got);
    at_end_ = got == 0;
    if (!begun_ && buffer_.starts_with("\xEF\xBB\xBF")) start_ = 3;
    if (!begun_ && (buffer_.starts_with("\xFF\xFE") || buffer_.starts_with("\xFE\xFF"))) {
      return DataError("the file is UTF-16, which a csv source does not read; save it as UTF-8");
    }
    begun_ = true;
    if (latin1_) Widen(had);
    return Status::Ok();
  }

 private:
  void Widen(size_t from) {
    std::string wide;
    for (const char c : buffer_.substr(from)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) {
        wide += c;
      } else {
        wide += static_cast<char>(0xC0 | (byte >> 6));
        wide += static_cast<char>(0x80 | (byte & 0x3F));
      }
    }
    buffer_.replace(from, std::string::npos, wide);
  }

  std::unique_ptr<io::InputStream> stream_;
  const bool latin1_;
  const size_t chunk_bytes_;
  std::string buffer_;
  size_t start_ = 0;
  bool at_end_ = false;
  bool begun_ = false;
};

/// Rows of one file, as texts.
class CsvFile {
 public:
  static Result<std::unique_ptr<CsvFile>> Open(const Context& context, const Resources& resources,
                                               const CsvOptions& options, const io::FileInfo& info,
                                               ByteCount chunk = ByteCount(kChunkBytesMax)) {
    CALVE_ASSIGN_OR_RETURN(auto stream, OpenFile(context, resources, options, info));
    const int64_t chunk_bytes = std::clamp(chunk.value(), kChunkBytesMin, kChunkBytesMax);
    auto file = std::make_unique<CsvFile>(options, info, std::move(stream),
                                          static_cast<size_t>(chunk_bytes));
    CALVE_RETURN_IF_ERROR(file->ReadHeader());
    return file;
  }

  CsvFile(const CsvOptions& options, const io::FileInfo& info,
          std::unique_ptr<io::InputStream> stream, size_t chunk_bytes)
      : options_(options),
        info_(info),
        text_(std::move(stream), options.encoding == "latin-1", chunk_bytes),
        parser_(options.dialect()) {}

  /// The columns of this file, in its order.
  const std::vector<std::string>& columns() const { return columns_; }
  const CsvParser& parser() const { return parser_; }

  /// Parse the next rows; false at the end. Rows and values are in parser() until the next call.
  Result<bool> Next(size_t rows_max, size_t bytes_max) {
    text_.Consume(consumed_);
    consumed_ = 0;
    while (text_.data().size() < bytes_max && !text_.at_end())
      CALVE_RETURN_IF_ERROR(In(text_.More()));
    while (true) {
      if (text_.data().empty() && text_.at_end()) return false;
      CALVE_ASSIGN_OR_RETURN(consumed_, Parse(rows_max));
      if (!parser_.rows().empty()) return true;
      text_.Consume(consumed_);
      consumed_ = 0;
      if (text_.at_end() && text_.data().empty()) return false;
      CALVE_RETURN_IF_ERROR(In(text_.More()));
    }
  }
  size_t consumed() const { return consumed_; }

 private:
  Result<size_t> Parse(size_t rows_max) {
    Result<size_t> parsed = parser_.Parse(text_.data(), text_.at_end(), rows_max);
    if (parsed.ok()) return parsed;
    return Error{parsed.error().kind, ShortName(info_.uri) + " " + parsed.error().message};
  }
  Status In(Status status) const {
    if (status.ok()) return status;
    return Error{status.error().kind, ShortName(info_.uri) + " line " +
                                          FormatCount(parser_.line()) + ": " +
                                          status.error().message};
  }

  Status ReadHeader() {
    if (!options_.header && !options_.columns.empty()) {
      columns_ = options_.columns;
      return CheckNames();
    }
    while (true) {
      CALVE_RETURN_IF_ERROR(In(text_.More()));
      // Without a header the first row stays, to be read as data: a parser of its own counts its
      // values.
      CsvParser peek(options_.dialect());
      CsvParser& parser = options_.header ? parser_ : peek;
      Result<size_t> used = parser.Parse(text_.data(), text_.at_end(), 1);
      if (!used.ok())
        return Error{used.error().kind, ShortName(info_.uri) + " " + used.error().message};
      if (parser.rows().empty()) {
        if (text_.at_end()) return Status::Ok();  // An empty file has no columns and no rows.
        continue;
      }
      const CsvRow& row = parser.rows().front();
      for (size_t i = 0; i < row.field_count; ++i) {
        columns_.push_back(options_.header ? std::string(Trim(parser.field(row, i).text))
                                           : "column_" + std::to_string(i + 1));
      }
      if (options_.header) text_.Consume(*used);
      return CheckNames();
    }
  }

  Status CheckNames() const {
    std::map<std::string, size_t> places;
    std::string faults;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string& name = columns_[i];
      const std::string place =
          ShortName(info_.uri) + " line 1, column " + std::to_string(i + 1) + ": ";
      if (!IsValidUtf8(name) || name.find('\0') != std::string::npos) {
        faults += place +
                  "the name is no UTF-8 text; if the file has another encoding, set encoding for "
                  "the source\n";
      } else if (name.empty()) {
        faults +=
            place +
            "the header has no name here; name it in the file, or set header: false and columns\n";
      } else if (const auto [first, fresh] = places.emplace(ToLower(name), i); !fresh) {
        faults += place + "the header has '" + name + "' already in column " +
                  std::to_string(first->second + 1) +
                  "; rename one in the file, or set header: false and columns\n";
      }
    }
    if (faults.empty()) return Status::Ok();
    faults.pop_back();
    return DataError(faults);
  }

  const CsvOptions& options_;
  const io::FileInfo& info_;
  Text text_;
  CsvParser parser_;
  std::vector<std::string> columns_;
  size_t consumed_ = 0;
};

/// A value of a row as the options read it.
TextValue ValueOf(const CsvField& field, const CsvOptions& options) {
  std::string_view text = field.text;
  if (field.quoted) return {.text = text, .null = false};
  if (options.trim) text = Trim(text);
  const bool null = std::find(options.null_values.begin(), options.null_values.end(), text) !=
                    options.null_values.end();
  return {.text = text, .null = null};
}

class CsvOrigins : public columnar::Origins {
 public:
  CsvOrigins(std::string file, std::vector<int64_t> lines)
      : file_(std::move(file)), lines_(std::move(lines)) {}
  std::string Describe(int64_t row) const override {
    return file_ + " line " + FormatCount(lines_[static_cast<size_t>(row)]);
  }

 private:
  const std::string file_;
  const std::vector<int64_t> lines_;
};

/// Batches of one file in the plan's schema.
class CsvReader : public SplitReader {
 public:
  CsvReader(const CsvOptions& options, io::FileInfo info, std::shared_ptr<arrow::Schema> schema,
            const PlanOptions& plan)
      : options_(options),
        info_(std::move(info)),
        schema_(std::move(schema)),
        formats_(options.formats()),
        plan_(plan) {}

  Status Open(const Context& context, const Resources& resources) {
    CALVE_ASSIGN_OR_RETURN(
        file_, CsvFile::Open(context, resources, options_, info_, plan_.batch_bytes_max));
    for (const auto& field : schema_->fields()) {
      const auto& columns = file_->columns();
      const auto found = std::find(columns.begin(), columns.end(), field->name());
      sources_.push_back(found == columns.end() ? -1 : found - columns.begin());
      CALVE_ASSIGN_OR_RETURN(auto column, columnar::MakeTextColumn(field->type(), formats_));
      columns_.push_back(std::move(column));
    }
    return Status::Ok();
  }

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(const bool more,
                           file_->Next(static_cast<size_t>(plan_.batch_rows_max),
                                       static_cast<size_t>(plan_.batch_bytes_max.value())));
    if (!more) return std::optional<TracedBatch>();
    TracedBatch batch;
    batch.rows_read = static_cast<int64_t>(file_->parser().rows().size());
    batch.bytes_read = ByteCount(static_cast<int64_t>(file_->consumed()));
    TakeGoodRows(&batch);
    CALVE_RETURN_IF_ERROR(Convert(&batch));
    return std::optional<TracedBatch>(std::move(batch));
  }

 private:
  /// Rows of the right shape stay; the others become rejects.
  void TakeGoodRows(TracedBatch* batch) {
    good_.clear();
    for (const CsvRow& row : file_->parser().rows()) {
      const std::string reason = ShapeFault(row);
      if (reason.empty()) {
        good_.push_back(&row);
      } else {
        batch->rejects.push_back(MakeReject(row, "", reason));
      }
    }
  }

  std::string ShapeFault(const CsvRow& row) const {
    if (row.fault == CsvRowFault::kTextAfterQuote)
      return "text stands behind a closing quote; double quotes that belong to the value";
    if (row.fault == CsvRowFault::kNul)
      return "the row holds a NUL byte; the file is damaged or no text";
    if (row.field_count == file_->columns().size()) return "";
    return "the row has " + FormatCount(row.field_count) +
           (row.field_count == 1 ? " value, expected " : " values, expected ") +
           FormatCount(static_cast<int64_t>(file_->columns().size())) +
           " as the header has; quote values that hold the delimiter";
  }

  columnar::Reject MakeReject(const CsvRow& row, std::string column, std::string reason) const {
    std::string raw(row.raw.substr(0, 1 << 20));
    if (!IsValidUtf8(raw) || raw.find('\0') != std::string::npos) raw = Quote(EscapeBytes(raw));
    return {.origin = ShortName(info_.uri) + " line " + FormatCount(row.line),
            .column = std::move(column),
            .reason = std::move(reason),
            .raw = std::move(raw)};
  }

  static std::string EscapeBytes(std::string_view bytes) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte < 0x7F) {
        text += c;
      } else {
        text += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
      }
    }
    return text;
  }

  Status Convert(TracedBatch* batch) {
    std::set<int64_t> bad;
    arrow::ArrayVector arrays;
    for (size_t c = 0; c < columns_.size(); ++c) {
      values_.clear();
      for (const CsvRow* row : good_) {
        values_.push_back(
            sources_[c] < 0
                ? TextValue{.text = {}, .null = true}
                : ValueOf(file_->parser().field(*row, static_cast<size_t>(sources_[c])), options_));
      }
      std::vector<int64_t> misfits;
      CALVE_RETURN_IF_ERROR(columns_[c]->Append(values_, &misfits));
      CALVE_ASSIGN_OR_RETURN(auto array, columns_[c]->Finish());
      arrays.push_back(std::move(array));
      for (const int64_t row : misfits) {
        if (!bad.insert(row).second) continue;  // The first column that does not fit is the reason.
        const auto& field = *schema_->field(static_cast<int>(c));
        const std::string reason =
            "column " + field.name() + ": " +
            columnar::MisfitReason(values_[static_cast<size_t>(row)].text, *field.type(), formats_);
        batch->rejects.push_back(
            MakeReject(*good_[static_cast<size_t>(row)], field.name(), reason));
      }
    }
    auto rows =
        arrow::RecordBatch::Make(schema_, static_cast<int64_t>(good_.size()), std::move(arrays));
    std::vector<int64_t> lines;
    std::vector<int64_t> kept;
    for (size_t i = 0; i < good_.size(); ++i) {
      if (bad.contains(static_cast<int64_t>(i))) continue;
      lines.push_back(good_[i]->line);
      kept.push_back(static_cast<int64_t>(i));
    }
    if (!bad.empty()) {
      CALVE_ASSIGN_OR_RETURN(rows, columnar::TakeRows(rows, kept));
    }
    batch->rows = std::move(rows);
    batch->origins = std::make_shared<CsvOrigins>(ShortName(info_.uri), std::move(lines));
    return Status::Ok();
  }

  const CsvOptions& options_;
  const io::FileInfo info_;
  const std::shared_ptr<arrow::Schema> schema_;
  const columnar::TextFormats formats_;
  const PlanOptions plan_;
  std::unique_ptr<CsvFile> file_;
  std::vector<std::unique_ptr<TextColumn>> columns_;
  std::vector<ptrdiff_t> sources_;  ///< For each column, its place in the file; -1: not there.
  std::vector<const CsvRow*> good_;
  std::vector<TextValue> values_;
};

class CsvSource : public Source {
 public:
  CsvSource(CsvOptions options, Resources resources)
      : options_(std::move(options)), resources_(std::move(resources)) {}

  Status Check(const Context& context) override {
    CALVE_ASSIGN_OR_RETURN(const FileSet set,
                           FindFileSet(context, resources_, options_, std::nullopt));
    if (set.files.empty()) return Status::Ok();
    return StatusOf(CsvFile::Open(context, resources_, options_, set.files.front()));
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
    for (size_t i = 0; i < set.files.size(); ++i) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      CALVE_RETURN_IF_ERROR(Sample(context, set.files[i], i < kSampledFilesMax, &typing));
    }
    ReadPlan plan = PlanOf(set);
    plan.splits = WholeFiles(set);
    if (plan.splits.empty()) return plan;
    CALVE_ASSIGN_OR_RETURN(plan.schema, typing.Schema(&plan.notes));
    return plan;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Context& context, const ReadPlan& plan,
                                            const Split& split) override {
    auto reader = std::make_unique<CsvReader>(
        options_, std::any_cast<const io::FileInfo&>(split.payload), plan.schema, plan_options_);
    CALVE_RETURN_IF_ERROR(reader->Open(context, resources_));
    return reader;
  }

 private:
  Status Sample(const Context& context, const io::FileInfo& info, bool values,
                ColumnTyping* typing) {
    CALVE_ASSIGN_OR_RETURN(const auto file,
                           CsvFile::Open(context, resources_, options_, info, options_.sample));
    std::vector<size_t> places;
    for (const std::string& name : file->columns()) places.push_back(typing->Column(name));
    if (!values) return Status::Ok();
    // The file may end inside a quote, or the sample cut a row: that is for the reader to judge.
    const Result<bool> more =
        file->Next(size_t{1} << 20, static_cast<size_t>(options_.sample.value()));
    if (!more.ok() || !*more) return Status::Ok();
    for (const CsvRow& row : file->parser().rows()) {
      if (row.field_count != places.size() || row.fault != CsvRowFault::kNone) continue;
      for (size_t i = 0; i < places.size(); ++i) {
        const TextValue value = ValueOf(file->parser().field(row, i), options_);
        if (!value.null) typing->See(places[i], value.text, row.line);
      }
    }
    return Status::Ok();
  }

  const CsvOptions options_;
  const Resources resources_;
  PlanOptions plan_options_;
};

}  // namespace

CALVE_PART(csv) {
  registry.Add({.type = "csv",
                .meaning = "Delimited text files, local or on an object store",
                .part = config::MakePart<CsvOptions>("csv"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Source>> {
                  CALVE_ASSIGN_OR_RETURN(CsvOptions options, CsvOptions::Declaration().Parse(node));
                  return std::make_unique<CsvSource>(std::move(options), resources);
                }});
}

}  // namespace calve::source
