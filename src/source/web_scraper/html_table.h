#pragma once

#include "base/result.h"
#include "source/web_scraper/html_page.h"
#include "source/web_scraper/page_records.h"
#include "source/web_scraper/web_options.h"

namespace calve::source::web_scraper {

/// The rows of a table as records, cells that span several columns or rows repeated in each.
///
/// Left out: rows above the header and those of <tfoot>, rows without cells, the header where it
/// stands again, and a row that is one cell over all columns, such as "no results". Fails with kData
/// when there are more than 1,000 columns, and when the spans make the table larger than
/// `bytes_max`. `rows`: the <tr> of each record.
Result<PageRecords> ReadTable(const HtmlNode& table, const TableOptions& options, size_t bytes_max,
                              std::vector<HtmlNode>* rows);

}  // namespace calve::source::web_scraper
