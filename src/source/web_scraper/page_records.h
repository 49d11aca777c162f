#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "source/web_scraper/html_page.h"
#include "source/web_scraper/web_options.h"

namespace calve::source::web_scraper {

/// The records of one page.
struct PageRecords {
  struct Record {
    int64_t number = 0;  ///< Of the record, or of the row of its table, from 1.
    std::vector<std::optional<std::string>> values;
    std::string fault;  ///< Why it cannot be a row; "": it can.
  };
  std::vector<std::string> columns;
  std::vector<Record> records;
  std::string next;  ///< What the link to the next page says, made whole; "" when there is none.
};

/// The text of a page as UTF-8, by its byte order mark, its header Content-Type, or what it says of
/// itself. Fails with kData on bytes that are no text in that encoding.
Result<std::string> PageText(std::string body, std::string_view content_type,
                             const std::string& encoding);

/// The records of a page, and where the next one is. `url`: where the page is. Fails with kNotFound
/// when the page has no such table.
Result<PageRecords> ReadPage(std::string text, const std::string& url, const WebOptions& options);

}  // namespace calve::source::web_scraper
