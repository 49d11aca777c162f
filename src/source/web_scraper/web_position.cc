#include "source/web_scraper/web_position.h"

#include <nlohmann/json.hpp>

#include "io/uri.h"

namespace calve::source::web_scraper {
namespace {

using nlohmann::json;

constexpr const char* kType = "web_scraper";

}  // namespace

std::string KeyOf(const std::string& url) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string key = io::ShownUri(url) + " ";
  for (const char byte : DigestOf(url)) {
    key += kDigits[static_cast<unsigned char>(byte) >> 4];
    key += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return key;
}

Position WebPosition::Print() {
  records.type = kType;
  const Position table = records.Print();
  json told = json::object();
  for (const auto& [key, page] : pages) {
    told[key] = {{"etag", page.validators.etag},
                 {"last_modified", page.validators.last_modified},
                 {"digest", page.digest},
                 {"next", page.next},
                 {"records", page.records}};
  }
  const json ledger = {{"records", table.ledger}, {"pages", std::move(told)}};
  return {.state = table.state,
          .ledger = ledger.dump(-1, ' ', false, json::error_handler_t::replace)};
}

Result<WebPosition> WebPosition::Parse(const Position& position, const std::string& cursor_column) {
  WebPosition parsed;
  const json ledger = json::parse(position.ledger, nullptr, /*allow_exceptions=*/false);
  try {
    const std::string records =
        ledger.is_object() ? ledger.value("records", std::string()) : std::string();
    CALVE_ASSIGN_OR_RETURN(
        parsed.records,
        TablePositions::Parse({.state = position.state, .ledger = records}, kType, cursor_column));
    for (const auto& [key, page] : ledger.at("pages").items()) {
      parsed.pages[key] = {
          .validators = {.etag = page.at("etag").get<std::string>(),
                         .last_modified = page.at("last_modified").get<std::string>()},
          .digest = page.at("digest").get<std::string>(),
          .next = page.at("next").get<std::string>(),
          .records = page.at("records").get<int64_t>()};
    }
  } catch (const json::exception&) {
    return DataError(
        "the list of pages in the table's position is damaged; read the table anew "
        "under another name");
  }
  return parsed;
}

}  // namespace calve::source::web_scraper
