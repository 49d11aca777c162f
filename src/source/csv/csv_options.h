#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/option.h"
#include "source/csv_parser.h"
#include "source/file_set.h"
#include "source/text_format_options.h"

namespace calve::source {

/// Options of a csv source.
struct CsvOptions : FileOptions, TextFormatOptions {
  char delimiter = ',';
  std::string quote = "\"";
  bool header = true;
  std::vector<std::string> columns;
  std::vector<std::string> null_values = {""};
  bool trim = false;
  std::string encoding = "utf-8";
  std::map<std::string, std::string> types;
  ByteCount sample{1'000'000};

  static config::Shape<CsvOptions> Declaration();
  CsvDialect dialect() const {
    return {.delimiter = delimiter,
            .quote = quote.empty() ? '\0' : quote[0],
            .null_values = null_values,
            .trim = trim};
  }
};

}  // namespace calve::source
