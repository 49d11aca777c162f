#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/option.h"
#include "source/cursor_track.h"
#include "source/text_format_options.h"

namespace calve::source::web_scraper {

/// Elements of a page, by a CSS selector or an XPath; neither: the element that is looked below.
struct Selector {
  std::string css;
  std::string xpath;

  static config::Shape<Selector> Declaration();
  bool empty() const { return css.empty() && xpath.empty(); }
  /// Checked by the declaration.
  std::string XPath() const;
  /// For messages.
  const std::string& written() const { return css.empty() ? xpath : css; }
};

/// Which table of a page is read, and where its columns have their names.
struct TableOptions : Selector {
  int index = 1;
  std::optional<int> header_row;
  std::vector<std::string> columns;

  static config::Shape<TableOptions> Declaration();
};

enum class Taken { kText, kHtml };
config::Names<Taken> NamesOf(Taken);

/// One column out of each record.
struct FieldOptions : Selector {
  std::string attribute;
  Taken take = Taken::kText;
  std::optional<std::string> join;

  static config::Shape<FieldOptions> Declaration();
};

/// Pages that are delimited text.
struct CsvOptions {
  char delimiter = ',';
  std::string quote = "\"";

  static config::Shape<CsvOptions> Declaration();
};

/// How one page follows another.
struct NextPageOptions : Selector {
  std::string param;
  int64_t first_page = 1;
  std::optional<int64_t> limit;

  static config::Shape<NextPageOptions> Declaration();
};

enum class Robots { kObey, kIgnore };
config::Names<Robots> NamesOf(Robots);

enum class ColumnNames { kAsIs, kSnakeCase };
config::Names<ColumnNames> NamesOf(ColumnNames);

/// Options of the web_scraper source.
struct WebOptions : CursorOptions, TextFormatOptions {
  std::string base_url;
  std::vector<std::string> urls;
  std::map<std::string, std::string> params;
  std::map<std::string, std::string> headers;
  std::string user_agent = "calve";
  Robots robots = Robots::kObey;
  int64_t requests_per_minute = 60;
  int tries_max = 6;
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds retry_after_max{300'000};
  ByteCount page_size_max{8'000'000};
  std::string encoding;
  std::optional<TableOptions> table;
  std::optional<Selector> records;
  std::vector<std::pair<std::string, FieldOptions>> fields;
  ColumnNames column_names = ColumnNames::kAsIs;
  std::optional<CsvOptions> csv;
  std::optional<NextPageOptions> next_page;
  bool newest_first = false;
  std::vector<std::string> null_values = {""};
  std::map<std::string, std::string> types;
  ByteCount sample{1'000'000};

  static config::Shape<WebOptions> Declaration();
  /// The addresses at which reading begins.
  std::vector<std::string> Starts() const;
};

}  // namespace calve::source::web_scraper
