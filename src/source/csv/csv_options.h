#pragma once

#include <map>
#include <string>
#include <vector>

#include "columnar/text_value.h"
#include "config/option.h"
#include "source/csv/parser.h"
#include "source/file_set.h"

namespace calve::source {

/// Options of a csv source.
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
    return {.delimiter = delimiter,
            .quote = quote.empty() ? '\0' : quote[0],
            .null_values = null_values,
            .trim = trim};
  }
};

}  // namespace calve::source
