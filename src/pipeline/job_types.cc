#include "pipeline/job_types.h"

namespace calve::pipeline {
namespace {

/// Managers' transactions as a supervisory authority publishes them. Names of columns and parameters
/// are those of an English register; where another has its own, `with` says so.
constexpr const char* kInsiderTrading = R"(
parameters:
  base_url:
    meaning: The page of the register that lists transactions, newest first, or its CSV export.
  published:
    meaning: The column that says when a transaction was published.
    default: publication_date
  published_from:
    meaning: The parameter of the address that leaves out what was published before a day.
    default: Publication.From
  since:
    meaning: The first day of publication that is read, as 2026-01-31.
    default: "1900-01-01"
  look_back:
    meaning: How late transactions may turn up behind newer ones.
    default: 3d
  page:
    meaning: The parameter of the address that counts pages.
    default: Page
  thousands:
    meaning: What stands between groups of three digits.
    default: " "
source:
  type: web_scraper
  base_url: ${with.base_url}
  requests_per_minute: 6
  column_names: snake_case
  next_page: {param: "${with.page}"}
  incremental: true
  cursor_column: ${with.published}
  cursor_param: ${with.published_from}
  cursor_format: date
  cursor_start: ${with.since}
  look_back: ${with.look_back}
  decimal: ","
  thousands: ${with.thousands}
  date_formats: ["%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d"]
  timestamp_formats: ["%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S"]
  null_values: ["", "-"]
loader:
  type: iceberg
  database: finance
  table: insider_trading
monitoring: {alert_on_failure: true}
metadata: {tags: [financial, insider_trading]}
)";

}  // namespace

const std::map<std::string, std::string>& JobTypes() {
  static const std::map<std::string, std::string> kTypes = {
      {"fsa_insider_trading", kInsiderTrading}};
  return kTypes;
}

}  // namespace calve::pipeline
