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
  shape.Include(TextFormatOptions::Declaration());
  shape.Optional("types", &CsvOptions::types,
                 "Types of columns, in place of a guess: Iceberg's names.",
                 {.example = "{price: \"decimal(12, 2)\"}"});
  shape.Optional("sample", &CsvOptions::sample, "How much of each file is read to guess types.",
                 {.min = ByteCount(1'000), .max = ByteCount(1'000'000'000)});
  shape.Check("quote", [](const CsvOptions& o) { return CheckOneCharacter(o.quote, "quote"); });
  shape.Check("encoding", [](const CsvOptions& o) { return CheckEncoding(o.encoding); });
  shape.Check("columns", [](const CsvOptions& o) -> Status {
    if (!o.header || o.columns.empty()) return Status::Ok();
    return ConfigError(
        "columns names the columns of files without header; set header: false, or rename with a "
        "column_mapping transformer");
  });
  shape.Check("types", [](const CsvOptions& o) { return CheckTypes(o.types); });
  shape.Check("delimiter", [](const CsvOptions& o) -> Status {
    const bool line_break = o.delimiter == '\n' || o.delimiter == '\r';
    if (!line_break && std::string(1, o.delimiter) != o.quote && o.delimiter != '\0')
      return Status::Ok();
    return ConfigError(
        "expected a character that is no line break and not the quote, such as , or ;");
  });
  return shape;
}

}  // namespace calve::source
