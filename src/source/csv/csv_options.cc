#include "source/csv/csv_options.h"

#include "source/encoding.h"
#include "source/typing.h"

namespace calve::source {

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
  shape.Optional("encoding", &CsvOptions::encoding,
                 "How the files are encoded: utf-8, utf-16, latin-1, windows-1252, shift_jis, and "
                 "what else ICU has. A byte order mark wins over utf-8.");
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
  shape.Check("encoding", [](const CsvOptions& o) { return CheckEncoding(o.encoding); });
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

}  // namespace calve::source
