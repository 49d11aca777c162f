#include "source/api/proposal.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "io/uri.h"
#include "source/api/api_client.h"
#include "source/api/page_walk.h"
#include "source/api/reply.h"
#include "source/cursor_track.h"

namespace calve::source::api {
namespace {

using Records = std::vector<std::string_view>;

/// Where services have the next cursor, and what they want it sent as.
constexpr std::array<std::pair<const char*, const char*>, 12> kCursorPlaces = {{
    {"next_cursor", "cursor"},
    {"nextCursor", "cursor"},
    {"meta.next_cursor", "cursor"},
    {"pagination.next_cursor", "cursor"},
    {"response_metadata.next_cursor", "cursor"},
    {"cursor.next", "cursor"},
    {"paging.cursors.after", "after"},
    {"paging.next.after", "after"},
    {"next_page_token", "page_token"},
    {"nextPageToken", "pageToken"},
    {"next_token", "next_token"},
    {"nextToken", "nextToken"},
}};

constexpr std::array<const char*, 8> kLinkPlaces = {
    "next",      "links.next", "_links.next.href", "links.next.href",
    "info.next", "meta.next",  "pagination.next",  "paging.next"};

constexpr std::array<const char*, 8> kTotalPlaces = {
    "total",      "total_count",      "totalCount", "count",
    "meta.total", "pagination.total", "page.total", "info.count"};

constexpr std::array<const char*, 12> kCursorColumns = {
    "updated_at", "updatedAt", "modified_at", "modified",  "last_modified", "updated",
    "created_at", "createdAt", "created",     "timestamp", "time",          "date"};

std::optional<std::string> TextIn(std::string_view body, const std::string& path) {
  const auto found = FindJson(body, KeysOf(path));
  return found.has_value() ? ScalarText(*found) : std::nullopt;
}

/// The largest of the arrays of objects in a reply.
std::string LargestList(std::string_view body) {
  std::string largest;
  size_t bytes = 0;
  for (const std::string& path : ListsIn(body)) {
    const auto list = FindJson(body, KeysOf(path));
    if (!list.has_value() || list->size() <= bytes) continue;
    bytes = list->size();
    largest = path;
  }
  return largest;
}

bool AllHave(const Records& records, const std::string& field) {
  return std::all_of(records.begin(), records.end(),
                     [&](std::string_view record) { return TextIn(record, field).has_value(); });
}

std::string ByLink(const io::HttpResponse& reply) {
  for (const auto& [name, value] : reply.headers) {
    if (ToLower(name) == "link" && value.find("rel=") != std::string::npos)
      return "pagination_strategy: link\n";
  }
  for (const char* place : kLinkPlaces) {
    const auto found = FindJson(reply.body, KeysOf(place));
    if (!found.has_value()) continue;
    const std::string text = ScalarText(*found).value_or("");
    const std::string above = std::string(place).substr(0, std::string(place).rfind('.') + 1);
    const bool is_pair = FindJson(reply.body, KeysOf(above + "previous")).has_value() ||
                         FindJson(reply.body, KeysOf(above + "prev")).has_value();
    const bool is_address = text.starts_with("http") || text.starts_with('/');
    if (is_address || (*found == "null" && is_pair)) {
      return "pagination_strategy: link\npagination_config: {next_path: " + std::string(place) +
             "}\n";
    }
  }
  return "";
}

std::string ByCursor(const io::HttpResponse& reply, const Records& records) {
  for (const auto& [place, param] : kCursorPlaces) {
    if (TextIn(reply.body, place).value_or("").empty()) continue;
    return "pagination_strategy: cursor\npagination_config: {cursor_path: " + std::string(place) +
           ", cursor_param: " + param + "}\n";
  }
  const bool has_more = TextIn(reply.body, "has_more").has_value();
  if (!has_more || records.empty() || !AllHave(records, "id")) return "";
  return "pagination_strategy: cursor\npagination_config: {cursor_field: id, cursor_param: "
         "starting_after, more_path: has_more}\n";
}

std::string ByCount(const io::HttpResponse& reply, const Records& records) {
  std::string total_path;
  std::string total;
  for (const char* header : {"X-Total-Count", "X-Total"}) {
    if (!total_path.empty() || reply.Header(header).empty()) continue;
    total_path = "\"header:" + std::string(header) + "\"";
    total = reply.Header(header);
  }
  for (const char* place : kTotalPlaces) {
    if (!total_path.empty() || !TextIn(reply.body, place).has_value()) continue;
    total_path = place;
    total = *TextIn(reply.body, place);
  }
  const auto count = ParseInteger(total);
  const bool has_all = !count.has_value() || *count <= static_cast<int64_t>(records.size());
  if (total_path.empty() || has_all) return "";
  for (const char* param : {"offset", "skip", "start"}) {
    if (!TextIn(reply.body, param).has_value()) continue;
    return "pagination_strategy: offset\npagination_config: {offset_param: " + std::string(param) +
           ", total_path: " + total_path + "}\n";
  }
  return "pagination_strategy: page\npagination_config: {page_param: page, total_path: " +
         total_path + "}\n";
}

std::string CursorColumn(const Records& records) {
  for (const char* field : kCursorColumns) {
    if (!AllHave(records, field)) continue;
    const bool ordered = std::all_of(records.begin(), records.end(), [&](std::string_view record) {
      return CursorValue::Of(*TextIn(record, field)).kind != CursorValue::Kind::kText;
    });
    if (ordered) return "incremental: true\ncursor_column: " + std::string(field) + "\n";
  }
  return "";
}

std::string Key(const Records& records) {
  for (const char* field : {"id", "_id", "uuid", "key"}) {
    if (!AllHave(records, field)) continue;
    std::set<std::string> values;
    for (const std::string_view record : records) values.insert(*TextIn(record, field));
    if (values.size() == records.size()) return "key: " + std::string(field) + "\n";
  }
  return "";
}

}  // namespace

ApiOptions Proposal::Applied(const ApiOptions& options, const std::string& endpoint) const {
  ApiOptions applied = options;
  applied.endpoint = endpoint;
  applied.endpoints.clear();
  applied.records_path = records_path;
  applied.incremental = false;
  return applied;
}

Result<Proposal> Propose(const Context& context, const ApiOptions& options) {
  Proposal proposal{.text = {}, .records_path = options.records_path};
  if (options.parent.has_value()) return proposal;
  const std::string endpoint = options.AllEndpoints().front();
  ApiClient client(options);
  const Params params(options.params.begin(), options.params.end());
  CALVE_ASSIGN_OR_RETURN(
      const io::HttpResponse reply,
      client.Ask(context, endpoint, WithParams(io::JoinUri(options.base_url, endpoint), params),
                 options.body));
  if (options.records_path.empty()) {
    proposal.records_path = LargestList(reply.body);
    if (!proposal.records_path.empty())
      proposal.text = "records_path: " + proposal.records_path + "\n";
  }
  CALVE_ASSIGN_OR_RETURN(const Records records, RecordsOf(reply.body, proposal.records_path));
  if (options.pagination_strategy == Pagination::kNone) {
    std::string pagination = ByLink(reply);
    if (pagination.empty()) pagination = ByCursor(reply, records);
    if (pagination.empty()) pagination = ByCount(reply, records);
    proposal.text += pagination;
  }
  if (records.empty()) return proposal;
  if (options.cursor_column.empty()) proposal.text += CursorColumn(records);
  if (options.key.empty()) proposal.text += Key(records);
  return proposal;
}

}  // namespace calve::source::api
